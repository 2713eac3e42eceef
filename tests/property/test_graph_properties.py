"""Do counts add up, scale with the batch, and bytes with the precision, whatever the network?"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.errors import AccelsimError
from accelsim.graph.builders import build
from accelsim.graph.convolution import convolution, transposed_convolution
from accelsim.graph.dtypes import BITS, PRECISIONS
from accelsim.graph.layer_fields import ENTRY, FIELDS
from accelsim.graph.layers import from_layers
from accelsim.graph.tensor import Tensor

MANY = settings(max_examples=100, deadline=None, derandomize=True)
FEW = settings(max_examples=15, deadline=None, derandomize=True)
small = st.integers(1, 5)

BLOCKS = st.lists(st.tuples(small, st.integers(0, 2)).map(list), min_size=1, max_size=3)
PARAMETERS = {
    "resnet9": {"stem": small, "blocks": BLOCKS},
    "unet": {"image_size": st.just(32), "depth": small, "filters": small},
    "vit": {"image_size": st.just(32), "layers": small, "hidden": st.just(24)},
    "ds-cnn": {"channels": small, "blocks": small},
}
NETWORKS = st.one_of(
    *(st.tuples(st.just(name), st.fixed_dictionaries(options)) for name, options in PARAMETERS.items())
)


@FEW
@given(NETWORKS, st.integers(1, 7))
def test_a_batch_scales_macs_and_leaves_parameters(network, batch) -> None:
    one, many = build(*network), build(*network, batch=batch)
    assert many.macs == batch * one.macs
    assert (many.parameters, many.statistics) == (one.parameters, one.statistics)
    assert [op.operations for op in many.operators] == [batch * op.operations for op in one.operators]


@FEW
@given(NETWORKS, st.sampled_from(PRECISIONS), st.sampled_from(PRECISIONS))
def test_precision_scales_bytes_and_nothing_else(network, activations, weights) -> None:
    base = build(*network)
    graph = base.with_precision(activations, weights)
    assert (graph.macs, graph.parameters, len(graph.operators)) == (
        base.macs,
        base.parameters,
        len(base.operators),
    )
    for before, after in zip(base.operators, graph.operators, strict=True):
        assert after.bytes_out == sum(-(-t.elements * BITS[activations] // 8) for t in before.outputs)
        stored = before.weights + before.statistics
        assert after.bytes_weights == sum(-(-t.elements * BITS[weights] // 8) for t in stored)
        assert after.shapes == before.shapes


@FEW
@given(NETWORKS)
def test_parts_add_up_and_every_tensor_is_made_before_it_is_read(network) -> None:
    graph = build(*network)
    assert (
        graph.macs
        == sum(op.macs for op in graph.operators)
        == sum(shape.macs for op in graph.operators for shape in op.shapes)
    )
    assert graph.parameters == sum(op.parameters for op in graph.operators)
    assert graph.statistics == sum(op.statistics_elements for op in graph.operators)
    known = {tensor.name for tensor in graph.inputs}
    for op in graph.operators:
        assert known.issuperset(t.name for t in op.inputs)
        known.update(t.name for t in op.outputs)
        if op.type in ("convolution", "depthwise", "gemm"):
            (shape,) = op.shapes
            assert shape.elements("weights") == op.weights[0].elements
            assert shape.elements("outputs") == op.outputs[0].elements
            assert shape.elements("inputs") == op.inputs[0].elements


@MANY
@given(
    size=st.integers(1, 12), kernel=small, stride=small, dilation=st.integers(1, 3), pad=st.integers(0, 4),
    groups=st.integers(1, 3), extra=st.integers(0, 2),
)  # fmt: skip
def test_a_transposed_convolution_is_the_mirror_of_a_convolution(
    size, kernel, stride, dilation, pad, groups, extra
) -> None:
    """Where a convolution takes P to H, its mirror takes H back to P; and the phases cover each output
    once: their rows add up to the outputs that some kernel element reaches.
    """
    x = Tensor("x", (1, 2 * groups, size, 1), "int8")
    w = Tensor("w", (2 * groups, 3, kernel, 1), "int8")
    options = {"stride": (stride, 1), "pads": (pad, 0, pad, 0), "dilation": (dilation, 1), "groups": groups}
    extra = min(extra, stride - 1)
    try:
        op = transposed_convolution("t", x, w, output_padding=(extra, 0), **options)
    except AccelsimError as error:
        assert "leaves a transposed convolution an output of" in str(error)
        return
    out = op.outputs[0].shape[2]
    back = Tensor("y", (1, 3 * groups, out, 1), "int8")
    assert convolution("c", back, w, **options).outputs[0].shape == x.shape
    reached = sum(any((o + pad - r * dilation) % stride == 0 for r in range(kernel)) for o in range(out))
    assert sum(shape.P for shape in op.shapes) == reached
    assert op.macs == sum(shape.macs for shape in op.shapes)
    if out == stride * size:
        assert op.macs == size * kernel * 2 * 3 * groups


words = st.sampled_from(["a", "input", "gemm", "convolution", "depthwise", "relu", "add", "max_pool", "same"])
values = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 40), words, st.lists(st.integers(-1, 9) | words, max_size=4)
)
fields = st.sampled_from(
    ["name", "type", "inputs", "x", *ENTRY, *(f for kind in FIELDS.values() for f in kind)]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(st.dictionaries(fields, values, max_size=8), max_size=4),
    st.lists(st.tuples(st.integers(0, 5), fields, values), max_size=3),
)
def test_any_list_of_layers_is_a_network_or_a_sentence(random, mutations) -> None:
    good: list[dict[str, object]] = [
        {
            "name": "c",
            "type": "convolution",
            "in_channels": 3,
            "input": [8, 8],
            "out_channels": 4,
            "kernel": 3,
        },
        {"name": "d", "type": "depthwise", "kernel": [3, 1], "padding": "same"},
        {"name": "r", "type": "relu"},
        {"name": "p", "type": "max_pool", "kernel": 2},
        {"name": "g", "type": "gemm", "out_features": 5},
        {"name": "s", "type": "softmax"},
    ]
    for index, key, value in mutations:
        good[index][key] = value
    for layers in (random, good):
        try:
            assert from_layers("n", layers).macs >= 0
        except AccelsimError as error:
            assert error.problems


@pytest.mark.parametrize("batch", [1, 3])
def test_the_unmutated_layers_are_a_network(batch) -> None:
    layers = [
        {
            "name": "c",
            "type": "convolution",
            "in_channels": 3,
            "input": [8, 8],
            "out_channels": 4,
            "kernel": 3,
        },
        {"name": "g", "type": "gemm", "out_features": 5},
    ]
    assert from_layers("n", layers, batch=batch).macs == batch * (36 * 4 * 27 + 144 * 5)
