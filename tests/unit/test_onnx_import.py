"""Are public ONNX networks read whole, with the published counts, and are shapes folded?"""

from pathlib import Path

import numpy as np
import pytest

from accelsim.errors import AccelsimError
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.onnx_import import load_onnx

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

# file, GMAC of convolutions and fully connected layers, operators
NETWORKS = [
    ("bvlc_alexnet", 0.6546, 24),
    ("densenet121", 2.8342, 668),
    ("inception_v1", 1.4316, 143),
    ("inception_v2", 2.0189, 371),
    ("resnet50", 4.0892, 176),
    ("shufflenet", 0.1247, 203),
    ("squeezenet", 0.3492, 66),
    ("vgg19", 19.6321, 46),
    ("zfnet512", 1.4817, 22),
]


def save(path: Path, nodes, inputs, outputs, constants=(), opset=17, **extra) -> Path:
    """Write a model; ``constants`` maps names to arrays, inputs name (shape) or (shape, type)."""
    typed = {k: s if isinstance(s[-1], list) else (TensorProto.FLOAT, s) for k, s in inputs.items()}
    values = [helper.make_tensor_value_info(k, *s) for k, s in typed.items()]
    results = [helper.make_empty_tensor_value_info(k) for k in outputs]
    arrays = [numpy_helper.from_array(np.asarray(a), k) for k, a in dict(constants).items()]
    graph = helper.make_graph(nodes, "g", values, results, arrays)
    opsets = [helper.make_opsetid("", opset), *extra.pop("opsets", [])]
    onnx.save(helper.make_model(graph, opset_imports=opsets, **extra), path)
    return path


def weight(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


@pytest.mark.parametrize(("name", "gmac", "operators"), NETWORKS)
def test_the_networks_inside_the_onnx_package_import_completely(name, gmac, operators) -> None:
    graph = load_onnx(LIGHT / f"light_{name}.onnx")
    kinds = graph.by_type()
    counted = sum(op.macs for kind in ("convolution", "depthwise", "gemm") for op in kinds.get(kind, ()))
    assert round(counted / 1e9, 4) == gmac
    assert graph.macs == counted
    assert len(graph.operators) == operators
    assert graph.notes == ()
    assert len(graph.inputs) == len(graph.outputs) == 1
    assert graph.inputs[0].dtype == "fp32"


def test_parameters_and_running_statistics_of_resnet50_are_those_of_the_builder() -> None:
    """25,557,032 weights, as published, and 53,120 running statistics: 25,610,152 elements in all.

    28 batch-norm tensors of 64 elements are stored as they are, the rest is made by
    ConstantOfShape nodes: 25,608,360 elements, a count that is met where the 28 are overlooked.
    """
    graph = load_onnx(LIGHT / "light_resnet50.onnx")
    model = onnx.load(LIGHT / "light_resnet50.onnx")
    filled = {node.output[0] for node in model.graph.node if node.op_type == "ConstantOfShape"}
    assert (graph.parameters, graph.statistics) == (25_557_032, 53_120)
    constants = {t.name: t.elements for op in graph.operators for t in op.weights + op.statistics}
    assert sum(constants.values()) == 25_610_152
    assert sum(n for name, n in constants.items() if name in filled) == 25_608_360


def test_a_transformer_layer_as_exported_with_symbolic_sizes(tmp_path) -> None:
    """Heads are split by shapes computed from the input's own; all of that arithmetic is folded."""
    c = {
        "table": weight(100, 32), "wqkv": weight(32, 96), "bqkv": weight(96), "wo": weight(32, 32),
        "g": weight(32), "w1": weight(32, 128), "w2": weight(128, 32), "zero": np.array(0),
        "one": np.array(1), "heads": np.array([4]), "size": np.array([8]), "hidden": np.array([32]),
        "root": np.array(8.0, np.float32), "parts": np.array([32, 32, 32]), "axis": np.array([0]),
    }  # fmt: skip
    n = helper.make_node
    nodes = [
        n("Gather", ["table", "ids"], ["x"], "embed"),
        n("LayerNormalization", ["x", "g", "g"], ["xn"], "norm", axis=-1),
        n("MatMul", ["xn", "wqkv"], ["qkv0"], "qkv"),
        n("Add", ["qkv0", "bqkv"], ["qkv1"], "qkv_bias"),
        n("Split", ["qkv1", "parts"], ["q0", "k0", "v0"], "split", axis=2),
        n("Shape", ["x"], ["s"]),
        n("Gather", ["s", "zero"], ["b"], axis=0),
        n("Gather", ["s", "one"], ["t"], axis=0),
        n("Unsqueeze", ["b", "axis"], ["b1"]),
        n("Unsqueeze", ["t", "axis"], ["t1"]),
        n("Concat", ["b1", "t1", "heads", "size"], ["split_shape"], axis=0),
        n("Concat", ["b1", "t1", "hidden"], ["merge_shape"], axis=0),
        *(n("Reshape", [f"{k}0", "split_shape"], [f"{k}1"], f"heads_{k}") for k in "qkv"),
        n("Transpose", ["q1"], ["q"], perm=[0, 2, 1, 3]),
        n("Transpose", ["k1"], ["k"], perm=[0, 2, 3, 1]),
        n("Transpose", ["v1"], ["v"], perm=[0, 2, 1, 3]),
        n("MatMul", ["q", "k"], ["scores"], "scores"),
        n("Div", ["scores", "root"], ["scaled"], "scale"),
        n("Softmax", ["scaled"], ["p"], "softmax", axis=-1),
        n("MatMul", ["p", "v"], ["o0"], "context"),
        n("Transpose", ["o0"], ["o1"], perm=[0, 2, 1, 3]),
        n("Reshape", ["o1", "merge_shape"], ["o2"]),
        n("MatMul", ["o2", "wo"], ["o3"], "projection"),
        n("Add", ["x", "o3"], ["y"], "residual"),
        n("MatMul", ["y", "w1"], ["h"], "up"),
        n("Erf", ["h"], ["e"], "erf"),
        n("MatMul", ["e", "w2"], ["out"], "down"),
    ]
    path = save(tmp_path / "t.onnx", nodes, {"ids": (TensorProto.INT64, ["batch", "sequence"])}, ["out"], c)
    graph = load_onnx(path, dims={"batch": 2, "sequence": 10})
    kinds = {op.name: op.type for op in graph.operators}
    assert kinds["embed"] == "embedding"
    assert [kinds[k] for k in ("qkv", "scores", "context", "down")] == ["gemm", "matmul", "matmul", "gemm"]
    assert graph.macs == 2 * 10 * 32 * (96 + 32 + 128 + 128) + 2 * (2 * 4 * 10 * 10 * 8)
    assert graph["scores"].shapes[0].bounds == {
        "N": 1,
        "G": 8,
        "K": 10,
        "C": 8,
        "P": 10,
        "Q": 1,
        "R": 1,
        "S": 1,
    }
    assert graph.parameters == 100 * 32 + 32 * (96 + 32 + 128 + 128) + 96 + 32  # the norm shares one tensor
    assert graph.outputs[0].shape == (2, 10, 32)
    assert "Concat" not in "".join(kinds.values())
    assert load_onnx(path, batch=2, dims={"sequence": 10}).macs == graph.macs


def test_missing_and_unknown_dimensions_are_named_together(tmp_path) -> None:
    path = save(
        tmp_path / "s.onnx", [helper.make_node("Relu", ["x"], ["y"])], {"x": ["batch", "rows", 3]}, ["y"]
    )
    with pytest.raises(AccelsimError) as caught:
        load_onnx(path, dims={"row": 3})
    assert caught.value.problems == (
        f"{path}: dims: unknown dimension 'row'; did you mean 'rows'?",
        f"{path}: the size of 2 symbolic dimensions is not given;"
        " pass dims={'batch': ..., 'rows': ...} (--dim NAME=SIZE each)",
    )
    with pytest.raises(AccelsimError) as caught:
        load_onnx(path, dims={"batch": 2, "rows": 0}, batch=4)
    assert caught.value.problems == (
        f"{path}: dims: rows must be a whole number of at least 1, not '0'",
        f"{path}: batch=4 contradicts batch=2 in dims",
    )


def test_a_batch_scales_a_network_whose_reshapes_allow_it() -> None:
    one = load_onnx(LIGHT / "light_squeezenet.onnx")
    four = load_onnx(LIGHT / "light_squeezenet.onnx", batch=4)
    assert four.macs == 4 * one.macs
    assert four.parameters == one.parameters
    assert four.inputs[0].shape == (4, 3, 224, 224)


def test_a_reshape_that_fixes_the_batch_is_named() -> None:
    path = LIGHT / "light_vgg19.onnx"
    with pytest.raises(AccelsimError) as caught:
        load_onnx(path, batch=4)
    (sentence,) = caught.value.problems
    assert sentence.startswith(f"{path}: batch=4: Reshape '")
    assert sentence.endswith(
        "fixes the batch, its shape is [1, 25088]; "
        "export the network with a symbolic batch, or leave batch out"
    )


def test_unsupported_operators_are_listed_with_counts_or_left_out_by_name(tmp_path) -> None:
    n = helper.make_node
    nodes = [
        n("Relu", ["x"], ["a"], "relu"),
        n("Einsum", ["a", "a"], ["b"], "e1", equation="ij,kj->ik"),
        n("Einsum", ["b", "b"], ["c"], "e2", equation="ij,kj->ik"),
        n("NonZero", ["c"], ["d"], "nz"),
        n("Sigmoid", ["c"], ["y"], "sigmoid"),
    ]
    path = save(tmp_path / "u.onnx", nodes, {"x": [4, 4]}, ["y"])
    with pytest.raises(AccelsimError) as caught:
        load_onnx(path)
    assert caught.value.problems == (
        f"{path}: 3 operators are not supported: Einsum (2), NonZero (1); every other one of 5 was read. "
        "Pass unsupported='skip' to leave them out and say so in the result",
    )
    graph = load_onnx(path, unsupported="skip")
    assert [op.name for op in graph.operators] == ["relu", "sigmoid"]
    assert graph.notes == (
        "left out, 3 operators are not supported: Einsum (2), NonZero (1)",
        "enters from outside because its maker was left out: c",
    )


def test_operators_after_an_unknown_shape_are_counted(tmp_path) -> None:
    n = helper.make_node
    nodes = [n("Foo", ["x"], ["a"], domain="my.domain"), n("Relu", ["a"], ["y"])]
    opsets = [helper.make_opsetid("my.domain", 1)]
    path = save(tmp_path / "f.onnx", nodes, {"x": [4]}, ["y"], opsets=opsets)
    with pytest.raises(AccelsimError) as caught:
        load_onnx(path)
    assert caught.value.problems == (
        f"{path}: 1 operator is not supported: my.domain.Foo (1); 1 after them could not be sized, "
        "every other one of 2 was read. Pass unsupported='skip' to leave them out and say so in the result",
    )
    assert load_onnx(path, unsupported="skip").notes == (
        "left out, 1 operator is not supported: my.domain.Foo (1)",
        "left out, 1 more whose shapes depend on these",
    )


def test_quantised_networks_read_integers(tmp_path) -> None:
    n = helper.make_node
    c = {
        "s": np.float32(0.1),
        "z": np.int8(0),
        "w": np.zeros((8, 3, 3, 3), np.int8),
        "b": np.zeros(8, np.int32),
    }
    nodes = [
        n("QuantizeLinear", ["x", "s", "z"], ["xq"], "q"),
        n("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
        n("DequantizeLinear", ["w", "s", "z"], ["wd"]),
        n("Conv", ["xd", "wd"], ["y"], "conv"),
        n("QuantizeLinear", ["y", "s", "z"], ["yq"], "q2"),
        n("QLinearConv", ["xq", "s", "z", "w", "s", "z", "s", "z", "b"], ["z1"], "qconv"),
        n("ConvInteger", ["xq", "w"], ["z2"], "iconv"),
    ]
    graph = load_onnx(save(tmp_path / "q.onnx", nodes, {"x": [1, 3, 8, 8]}, ["yq", "z1", "z2"], c))
    for name, out in (("conv", "fp32"), ("qconv", "int8"), ("iconv", "int32")):
        op = graph[name]
        assert (op.inputs[0].name, op.inputs[0].dtype) == ("xq", "int8")
        assert (op.weights[0].name, op.weights[0].dtype, op.outputs[0].dtype) == ("w", "int8", out)
        assert op.macs == 8 * 27 * 36
    assert graph["qconv"].weights[1].dtype == "int32"
    assert graph["q2"].fusible
    assert graph.parameters == 8 * 27 + 8


def test_weights_are_counted_where_they_are_stored(tmp_path) -> None:
    """Through a transposition, an expansion and a view; single numbers and masks are no parameters."""
    n = helper.make_node
    c = {"w": weight(4, 8), "token": weight(1, 1, 4), "shape": np.array([2, 1, 4])}
    c |= {"half": np.float32(0.5), "view": np.array([0, -1]), "mask": np.ones((6, 4), bool)}
    nodes = [
        n("Transpose", ["w"], ["wt"], perm=[1, 0]),
        n("MatMul", ["x", "wt"], ["a"], "down"),
        n("Expand", ["token", "shape"], ["tokens"]),
        n("Concat", ["tokens", "a"], ["b"], "join", axis=1),
        n("Mul", ["b", "half"], ["h"], "halve"),
        n("Where", ["mask", "h", "h"], ["m"], "mask"),
        n("Reshape", ["m", "view"], ["v"], "view"),
        n("MatMul", ["h", "w"], ["y"], "up"),
    ]
    graph = load_onnx(save(tmp_path / "w.onnx", nodes, {"x": [2, 5, 8]}, ["y", "v"], c))
    assert graph.parameters == 32 + 4
    assert [t.name for t in graph["down"].weights] == [t.name for t in graph["up"].weights] == ["w"]
    assert graph["join"].weights[0].shape == (1, 1, 4)
    assert graph["down"].shapes[0].bounds | {"P": 10, "C": 8, "K": 4} == graph["down"].shapes[0].bounds
    assert graph["view"].outputs[0].shape == (2, 24)


def test_a_cycle_is_called_one_and_shown(tmp_path) -> None:
    n = helper.make_node
    nodes = [
        n("Relu", ["x"], ["a"], "first"),
        n("Add", ["a", "b2"], ["b1"], "r1"),
        n("Relu", ["b1"], ["b2"], "r2"),
        n("Relu", ["b2"], ["y"], "last"),
    ]
    for unsupported in ("error", "skip"):
        path = save(tmp_path / "cyc.onnx", nodes, {"x": [4]}, ["y"])
        with pytest.raises(AccelsimError) as caught:
            load_onnx(path, unsupported=unsupported)
        assert caught.value.problems == (f"{path}: the graph is cyclic: r1 -> r2 -> r1",)
    path = save(tmp_path / "self.onnx", [n("Add", ["x", "y"], ["y"])], {"x": [4]}, ["y"])
    with pytest.raises(AccelsimError) as caught:
        load_onnx(path)
    assert caught.value.problems == (f"{path}: the graph is cyclic: y -> y",)


def test_nodes_are_read_in_an_order_that_works_whatever_the_file_s_own(tmp_path) -> None:
    n = helper.make_node
    nodes = [n("Relu", [f"t{i}"], [f"t{i + 1}"], f"r{i}") for i in range(4)]
    graphs = [
        load_onnx(save(tmp_path / "o.onnx", order, {"t0": [4]}, ["t4"])) for order in (nodes, nodes[::-1])
    ]
    assert graphs[0] == graphs[1]
    assert [op.name for op in graphs[1].operators] == ["r0", "r1", "r2", "r3"]


def test_a_tensor_that_nothing_makes_is_named(tmp_path) -> None:
    nodes = [helper.make_node("Add", ["x", "lost"], ["a"]), helper.make_node("Relu", ["a"], ["y"])]
    path = save(tmp_path / "l.onnx", nodes, {"x": [4]}, ["y"])
    with pytest.raises(AccelsimError) as caught:
        load_onnx(path)
    assert caught.value.problems == (
        f"{path}: 2 operators depend on tensors that nothing makes, the first on 'lost'",
    )


IMAGE = {"x": [1, 4, 5, 5]}
ROW = {"x": [1, 4, 5]}
CASES = [
    ("ConvTranspose", {"strides": [2, 2], "auto_pad": "SAME_UPPER"}, IMAGE, {"w": (4, 6, 3, 3)},
     "transposed_convolution", 25 * 9 * 24, (1, 6, 10, 10)),
    ("Conv", {"strides": [2, 2], "auto_pad": "SAME_LOWER", "group": 4}, IMAGE, {"w": (4, 1, 3, 3)},
     "depthwise", 9 * 9 * 4, (1, 4, 3, 3)),
    ("Conv", {"pads": [1, 1]}, {"x": [2, 4, 9]}, {"w": (3, 4, 3)}, "convolution", 2 * 9 * 36, (2, 3, 9)),
    ("Gemm", {"transB": 1}, {"x": [3, 4]}, {"w": (5, 4)}, "gemm", 60, (3, 5)),
    ("MatMul", {}, {"x": [2, 3, 4], "y": [2, 4, 5]}, {}, "matmul", 120, (2, 3, 5)),
    ("MatMul", {}, {"x": [2, 3, 4], "y": [4, 5]}, {}, "matmul", 120, (2, 3, 5)),
    ("MatMul", {}, {"x": [4], "y": [4]}, {}, "matmul", 4, ()),
    ("AveragePool", {"kernel_shape": [2, 2]}, IMAGE, {}, "average_pool", 0, (1, 4, 4, 4)),
    ("GlobalMaxPool", {}, IMAGE, {}, "max_pool", 0, (1, 4, 1, 1)),
    ("ReduceMean", {"axes": [1]}, {"x": [2, 8]}, {}, "reduce", 0, (2, 1)),
    ("DepthToSpace", {"blocksize": 2}, IMAGE, {}, "shuffle", 0, (1, 1, 10, 10)),
    ("PRelu", {}, ROW, {"w": (4, 1)}, "prelu", 0, (1, 4, 5)),
    ("InstanceNormalization", {}, ROW, {"w": (4,), "b": (4,)}, "instance_norm", 0, (1, 4, 5)),
]  # fmt: skip


@pytest.mark.parametrize(("operator", "attributes", "inputs", "constants", "kind", "macs", "out"), CASES)
def test_operators_one_by_one(tmp_path, operator, attributes, inputs, constants, kind, macs, out) -> None:
    node = helper.make_node(operator, [*inputs, *constants], ["out"], **attributes)
    arrays = {name: weight(*shape) for name, shape in constants.items()}
    path = save(tmp_path / "o.onnx", [node], inputs, ["out"], arrays)
    (op,) = load_onnx(path).operators
    assert (op.type, op.macs, op.outputs[0].shape) == (kind, macs, out)
    assert op.parameters == sum(int(np.prod(s)) for s in constants.values())


def test_a_three_dimensional_convolution_is_counted_as_unsupported(tmp_path) -> None:
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    path = save(tmp_path / "c.onnx", [node], {"x": [1, 2, 5, 5, 5]}, ["y"], {"w": weight(2, 2, 3, 3, 3)})
    with pytest.raises(AccelsimError, match=r"1 operator is not supported: Conv with 3 spatial axes \(1\)"):
        load_onnx(path)


def test_an_operator_that_does_not_fit_its_inputs_is_named(tmp_path) -> None:
    node = helper.make_node("MatMul", ["x", "w"], ["y"], "product")
    path = save(tmp_path / "m.onnx", [node], {"x": [3, 4]}, ["y"], {"w": weight(5, 6)})
    with pytest.raises(AccelsimError) as caught:
        load_onnx(path)
    (sentence,) = caught.value.problems
    assert sentence.startswith(f"{path}: MatMul 'product' does not fit its inputs: ")


def test_local_functions_are_inlined(tmp_path) -> None:
    body = [helper.make_node("Mul", ["a", "a"], ["s"]), helper.make_node("Relu", ["s"], ["r"])]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    function = helper.make_function("f", "SquareRelu", ["a"], ["r"], body, opsets[:1])
    nodes = [helper.make_node("SquareRelu", ["x"], ["y"], domain="f")]
    path = save(tmp_path / "f.onnx", nodes, {"x": [4]}, ["y"], opsets=opsets[1:], functions=[function])
    assert [op.type for op in load_onnx(path).operators] == ["mul", "relu"]


def test_two_reads_are_equal() -> None:
    first, second = (load_onnx(LIGHT / "light_zfnet512.onnx") for _ in range(2))
    assert isinstance(first, LayerGraph)
    assert first == second
