"""Does a layer graph order, join, retype and refuse as it says?"""

import pickle

import pytest

from accelsim.errors import AccelsimError
from accelsim.graph.elementary import elementary
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.operator import Operator
from accelsim.graph.tensor import Tensor


def op(name: str, reads: str, *, kind: str = "add", made: str | None = None, shape=(4,)) -> Operator:
    inputs = [Tensor(n, (4,), "int8") for n in reads.split()]
    return elementary(name, kind, inputs, [Tensor(made or name, shape, "int8")])


X = Tensor("x", (4,), "int8")


def test_order_depends_only_on_the_order_given() -> None:
    graph = LayerGraph.from_operators("g", [op("d", "b c"), op("c", "a"), op("b", "a"), op("a", "x")])
    assert [o.name for o in graph.operators] == ["a", "c", "b", "d"]
    assert graph.inputs == (X,)
    assert [tensor.name for tensor in graph.outputs] == ["d"]
    assert [o.name for o in graph.consumers("a")] == ["c", "b"]
    assert [o.name for o in graph.producers("d")] == ["c", "b"]
    assert graph.producers("a") == ()
    assert pickle.loads(pickle.dumps(graph)) == graph


def test_networkx_nodes_carry_operators_and_edges_carry_tensor_names() -> None:
    graph = LayerGraph.from_operators("g", [op("a", "x"), op("b", "a x")])
    nx = graph.to_networkx()
    assert list(nx) == ["a", "b"]
    assert nx.nodes["b"]["operator"] is graph["b"]
    assert nx.edges["a", "b"]["tensors"] == ("a",)


@pytest.mark.parametrize(
    ("ops", "sentences"),
    [
        ([op("a", "x c"), op("b", "a"), op("c", "b")], ["g: the graph is cyclic: a -> b -> c -> a"]),
        ([op("a", "a")], ["g: the graph is cyclic: a -> a"]),
        (
            [op("a", "x"), op("b", "x", made="a")],
            ["g: tensor 'a' is made twice, by a and by b"],
        ),
        (
            [op("a", "x", made="x")],
            ["g: tensor 'x' enters the network and is made by a", "g: the graph is cyclic: a -> a"],
        ),
        ([op("a", "x"), op("a", "x", made="b")], ["g: two operators are called 'a'"]),
        ([op("conv1", "x"), op("b", "conv")], ["g: b reads unknown tensor 'conv'; did you mean 'conv1'?"]),
        (
            [op("a", "x", shape=(2, 2)), op("b", "a")],
            ["g: b reads tensor 'a' as 4 int8, but it is 2x2 int8"],
        ),
        (
            [op("a", "q"), op("b", "w")],
            ["g: a reads unknown tensor 'q'", "g: b reads unknown tensor 'w'"],
        ),
    ],
)
def test_a_graph_that_cannot_be_says_why(ops, sentences) -> None:
    with pytest.raises(AccelsimError) as caught:
        LayerGraph.from_operators("g", ops, inputs=[X])
    assert list(caught.value.problems) == sentences


def test_an_unknown_operator_names_the_nearest() -> None:
    graph = LayerGraph.from_operators("g", [op("conv1", "x")])
    with pytest.raises(AccelsimError, match=r"^g: no operator is called 'conv2'; did you mean 'conv1'\?$"):
        graph["conv2"]


def test_precision_leaves_indices_and_accumulators_alone() -> None:
    index = Tensor("i", (4,), "int64")
    weight, bias = Tensor("w", (9, 4), "int8"), Tensor("b", (4,), "int32")
    look = elementary("e", "embedding", [index], [Tensor("e", (4, 4), "int8")], weights=[weight, bias])
    graph = LayerGraph.from_operators("g", [look]).with_precision("fp16", weights="int4")
    (e,) = graph.operators
    assert [tensor.dtype for tensor in (*e.inputs, *e.outputs, *e.weights)] == [
        "int64",
        "fp16",
        "int4",
        "int32",
    ]
    assert graph.outputs[0].dtype == "fp16"


def test_a_weight_that_two_operators_share_counts_once() -> None:
    weight = Tensor("w", (4,), "int8")
    ops = [elementary(n, "add", [X], [Tensor(n, (4,), "int8")], weights=[weight]) for n in ("a", "b")]
    assert LayerGraph.from_operators("g", ops).parameters == 4


def test_operators_by_type() -> None:
    graph = LayerGraph.from_operators("g", [op("a", "x"), op("r", "a", kind="relu"), op("b", "r")])
    assert {k: [o.name for o in v] for k, v in graph.by_type().items()} == {"add": ["a", "b"], "relu": ["r"]}
