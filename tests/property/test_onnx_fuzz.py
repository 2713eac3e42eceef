"""Does any damage to an ONNX file lead to anything but a graph or a sentence?"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.errors import AccelsimError
from accelsim.graph.onnx_import import load_onnx

onnx = pytest.importorskip("onnx")

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
SEED = (LIGHT / "light_bvlc_alexnet.onnx").read_bytes()
MODEL = onnx.load(LIGHT / "light_shufflenet.onnx")

flip = st.tuples(st.integers(0, len(SEED) - 1), st.integers(1, 255))
cut = st.tuples(st.integers(0, len(SEED) - 1), st.integers(1, 60), st.binary(max_size=8))


MODES = st.sampled_from(["error", "skip"])


def read(path: Path, data: bytes, **options: object) -> None:
    path.write_bytes(data)
    problems: tuple[str, ...] = ()
    try:
        load_onnx(path, **options)
    except AccelsimError as error:
        problems = error.problems
    assert all(problem and "\n" not in problem for problem in problems)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(flip, min_size=1, max_size=8), st.lists(cut, max_size=2), MODES)
def test_bytes(tmp_path_factory, flips, cuts, mode) -> None:
    data = bytearray(SEED)
    for place, mask in flips:
        data[place] ^= mask
    for place, length, insert in cuts:
        data[place : place + length] = insert
    read(tmp_path_factory.getbasetemp() / "fuzz.onnx", bytes(data), unsupported=mode)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_a_well_formed_model_that_makes_no_sense(tmp_path_factory, data) -> None:
    """Mutate nodes, attributes, constants and inputs as messages, so that the file still parses."""
    model = onnx.ModelProto()
    model.CopyFrom(MODEL)
    graph = model.graph
    for _ in range(data.draw(st.integers(1, 4))):
        node = graph.node[data.draw(st.integers(0, len(graph.node) - 1))]
        number = data.draw(st.integers(-3, 5) | st.integers(-(2**63), 2**63 - 1))
        match data.draw(st.integers(0, 8)):
            case 0:
                node.op_type = data.draw(
                    st.sampled_from([n.op_type for n in graph.node] + ["Resize", "Slice", "X"])
                )
            case 1 if node.input:
                node.input[0] = data.draw(st.sampled_from([*node.output, "", "nothing", graph.input[0].name]))
            case 2 if node.attribute:
                attribute = data.draw(st.sampled_from(list(node.attribute)))
                attribute.ints[:] = [number] * data.draw(st.integers(0, 4))
                attribute.i = number
            case 3 if node.attribute:
                del node.attribute[:]
            case 4:
                del node.input[data.draw(st.integers(0, len(node.input))) :]
            case 5:
                tensor = graph.initializer[data.draw(st.integers(0, len(graph.initializer) - 1))]
                tensor.dims[:] = [number] * data.draw(st.integers(0, 5))
            case 6:
                tensor = graph.initializer[data.draw(st.integers(0, len(graph.initializer) - 1))]
                tensor.data_type = data.draw(st.integers(0, 30))
            case 7:
                graph.input[0].type.tensor_type.shape.dim.add(dim_value=number)
            case 8:
                node.output.append(data.draw(st.sampled_from(["", "extra", node.output[0]])))
    batch = data.draw(st.none() | st.integers(1, 3))
    read(
        tmp_path_factory.getbasetemp() / "fuzz.onnx",
        model.SerializeToString(),
        batch=batch,
        unsupported=data.draw(MODES),
    )
