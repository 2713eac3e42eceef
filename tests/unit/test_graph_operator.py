"""Do operators count what they say, and do their loop nests agree with them?"""

import numpy as np
import pytest

from accelsim.errors import AccelsimError
from accelsim.graph.convolution import convolution, transposed_convolution
from accelsim.graph.dtypes import check_precision
from accelsim.graph.elementary import along, elementary, local_response_norm, pooling
from accelsim.graph.matrix import gemm, matmul
from accelsim.graph.shape import ConvShape
from accelsim.graph.tensor import Tensor


def t(name: str, *shape: int, dtype: str = "int8") -> Tensor:
    return Tensor(name, shape, dtype)


def test_a_tensor_is_stored_packed_and_rounded_up() -> None:
    assert t("x", 3, 3, dtype="int4").bytes == 5
    assert t("x", 3, 3, dtype="bool").bytes == 9
    assert t("x", dtype="fp32").elements == 1
    assert t("x", 0, 3).bytes == 0


def test_an_unknown_number_format_names_the_nearest() -> None:
    with pytest.raises(
        AccelsimError, match=r"^precision: 'INT8' is not a number format; did you mean 'int8'\?$"
    ):
        check_precision("INT8")


def test_a_grouped_strided_dilated_convolution_with_uneven_padding() -> None:
    op = convolution(
        "c", t("x", 2, 8, 20, 21), t("w", 12, 4, 3, 5), t("b", 12),
        stride=(2, 1), pads=(1, 0, 2, 3), dilation=(2, 1), groups=2, output="y",
    )  # fmt: skip
    shape = ConvShape(2, 2, 6, 4, 10, 20, 3, 5, (2, 1), (2, 1), (1, 0), (20, 21))
    assert op.type == "convolution"
    assert op.shapes == (shape,)
    assert op.outputs == (t("y", 2, 12, 10, 20),)
    assert op.macs == shape.macs == 2 * 12 * 4 * 10 * 20 * 3 * 5
    assert op.parameters == 12 * 4 * 15 + 12
    assert (op.bytes_in, op.bytes_weights, op.bytes_out) == (2 * 8 * 20 * 21, 732, 2 * 12 * 10 * 20)
    assert op.operations == 0


def test_a_depthwise_convolution_is_a_group_per_channel() -> None:
    (shape,) = convolution("d", t("x", 1, 8, 9, 9), t("w", 16, 1, 3, 3), groups=8).shapes
    assert (shape.G, shape.K, shape.C, shape.P) == (8, 2, 1, 7)
    assert convolution("d", t("x", 1, 8, 9, 9), t("w", 16, 1, 3, 3), groups=8).type == "depthwise"


def test_a_one_dimensional_convolution_runs_along_the_rows() -> None:
    op = convolution("c", t("x", 1, 8, 100), t("w", 4, 8, 3), pads=(1, 1), stride=(2,), dilation=(1,))
    assert op.outputs[0].shape == (1, 4, 50)
    (shape,) = op.shapes
    assert (shape.P, shape.Q, shape.R, shape.S, shape.size, shape.pad) == (50, 1, 3, 1, (100, 1), (1, 0))


@pytest.mark.parametrize(
    ("source", "weight", "options", "sentence"),
    [
        (
            (1, 3, 4, 4), (8, 3, 7, 7), {},
            "c: a 7x7 kernel with dilation 1x1 and stride 1x1 does not fit the padded input of 4x4",
        ),
        (
            (1, 3, 4, 4), (8, 4, 1, 1), {},
            "c: a kernel of shape (8, 4, 1, 1) in 1 groups does not match the input of shape (1, 3, 4, 4)",
        ),
        (
            (1, 3, 4, 4, 4), (8, 3, 1, 1, 1), {},
            "c: a convolution needs one or two spatial axes, "
            "not an input of shape (1, 3, 4, 4, 4) and a kernel of shape (8, 3, 1, 1, 1)",
        ),
    ],
)  # fmt: skip
def test_a_convolution_that_cannot_be_is_refused(source, weight, options, sentence) -> None:
    with pytest.raises(AccelsimError) as caught:
        convolution("c", Tensor("x", source, "int8"), Tensor("w", weight, "int8"), **options)
    assert caught.value.problems == (sentence,)


@pytest.mark.parametrize(
    ("kernel", "stride", "pad", "extra", "dilation"),
    [
        (2, 2, 0, 0, 1),
        (4, 2, 1, 0, 1),
        (3, 2, 1, 1, 1),
        (5, 3, 1, 0, 1),
        (3, 4, 0, 1, 1),
        (3, 2, 1, 1, 3),
        (1, 1, 1, 0, 1),
    ],
)
def test_the_phases_of_a_transposed_convolution_compute_it(kernel, stride, pad, extra, dilation) -> None:
    """Scatter by the definition; gather by the phases; both along rows, with distinct values."""
    size = 6
    op = transposed_convolution(
        "t", t("x", 1, 1, size, 1), t("w", 1, 1, kernel, 1), stride=(stride, 1), pads=(pad, 0, pad, 0),
        output_padding=(extra, 0), dilation=(dilation, 1),
    )  # fmt: skip
    out = op.outputs[0].shape[2]
    pairs = {
        (i * stride + r * dilation - pad, i) for i in range(size) for r in range(kernel)
        if 0 <= i * stride + r * dilation - pad < out
    }  # fmt: skip
    counts = np.bincount([o for o, _ in pairs], minlength=out)
    gathered = []
    for shape in op.shapes:
        first = size - shape.size[0]  # rows in front of ``first`` are never read
        assert shape.stride == (1, 1)
        positions = (
            np.arange(shape.P)[:, None] + shape.dilation[0] * np.arange(shape.R) - shape.pad[0] + first
        )
        gathered += [int(n) for n in ((positions >= 0) & (positions < size)).sum(axis=1)]
    assert sorted(n for n in gathered if n) == sorted(int(n) for n in counts if n)
    reaching = [sum((o + pad - r * dilation) % stride == 0 for r in range(kernel)) for o in range(out)]
    assert op.macs == sum(shape.macs for shape in op.shapes) == sum(reaching)
    if out == stride * size:
        assert op.macs == size * kernel


@pytest.mark.parametrize(
    ("kernel", "stride", "pad", "side", "macs"),
    [
        (9, 1, 8, 16, 8**2 * 9**2),  # of 16 x 16 x 81 scattered products most land outside the 8 x 8 output
        (3, 1, 2, 40, 38**2 * 3**2),
        (3, 2, 0, 4, (5 * 2 + 4 * 1) ** 2),  # rows of even number take two taps, the others one
        (4, 2, 1, 4, 4**2 * 4**2),
        (1, 3, 0, 5, 5**2),  # two rows of three hold the bias only
    ],
)
def test_macs_of_a_transposed_convolution_are_those_of_its_phases(kernel, stride, pad, side, macs) -> None:
    op = transposed_convolution(
        "t", t("x", 1, 16, side, side), t("w", 16, 16, kernel, kernel), stride=(stride,) * 2, pads=(pad,) * 4
    )
    assert op.macs == sum(shape.macs for shape in op.shapes) == 256 * macs


def test_a_doubling_transposed_convolution_has_four_phases() -> None:
    op = transposed_convolution("up", t("x", 1, 64, 14, 14), t("w", 64, 32, 2, 2), t("b", 32), stride=(2, 2))
    assert op.outputs[0].shape == (1, 32, 28, 28)
    assert len(op.shapes) == 4
    assert op.macs == sum(s.macs for s in op.shapes) == 14 * 14 * 64 * 32 * 4


def test_matrix_products() -> None:
    fc = gemm(
        "fc", t("x", 4, 10, 64), t("w", 32, 64), t("b", 32), t("y", 4, 10, 32), rows=40, inner=64, columns=32
    )
    assert (fc.macs, fc.parameters, fc.shapes[0].elements("inputs")) == (40 * 64 * 32, 32 * 64 + 32, 40 * 64)
    qk = matmul(
        "qk", t("q", 8, 5, 16), t("k", 8, 7, 16), t("s", 8, 5, 7), rows=5, inner=16, columns=7, batch=8
    )
    assert (qk.macs, qk.parameters, qk.shapes[0].G) == (8 * 5 * 16 * 7, 0, 8)
    assert qk.shapes[0].elements("weights") == 8 * 7 * 16


def test_operators_without_macs_count_operations() -> None:
    x, y = t("x", 1, 4, 8, 8), t("y", 1, 4, 4, 4)
    pool = pooling("p", "max_pool", x, y, (2, 2))
    assert (pool.macs, pool.operations, pool.shapes) == (0, 4 * 16 * 4, ())
    assert pool.dims == {"N": 1, "C": 4, "P": 4, "Q": 4, "R": 2, "S": 2}
    assert along("s", "softmax", x, [t("z", 1, 4, 8, 8)], 8).operations == 5 * 256
    assert local_response_norm("n", x, t("z", 1, 4, 8, 8), 5).operations == 10 * 256
    assert elementary("r", "reshape", [x], [t("z", 256)]).operations == 0


def test_what_can_ride_on_its_producer() -> None:
    x, big, small = t("x", 1, 4, 8, 8), t("y", 1, 4, 8, 8), t("s", 1, 4, 1, 1)
    assert elementary("r", "relu", [x], [big]).fusible
    assert elementary("a", "add", [small, x], [big]).fusible
    assert not elementary("a", "add", [small, t("r", 8, 8)], [big]).fusible
    assert not elementary("a", "softmax", [x], [big]).fusible


def test_an_input_read_twice_is_stored_once() -> None:
    x = t("x", 10)
    assert elementary("sq", "mul", [x, x], [t("y", 10)]).bytes_in == 10
