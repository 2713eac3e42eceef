"""Several networks at once as one graph of separate components."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.operator import Operator
from accelsim.graph.tensor import Tensor


def join(graphs: Sequence[LayerGraph]) -> LayerGraph:
    """Return one graph of all networks, which share nothing.

    Operators and tensors are called ``network.name``; of networks with equal names the second is
    ``network#2``. A single network is returned as it is.
    """
    if len(graphs) == 1:
        return graphs[0]
    seen: Counter[str] = Counter()
    operators: list[Operator] = []
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    notes: list[str] = []
    for graph in graphs:
        seen[graph.name] += 1
        name = graph.name if seen[graph.name] == 1 else f"{graph.name}#{seen[graph.name]}"

        def renamed(tensors: Sequence[Tensor], name: str = name) -> tuple[Tensor, ...]:
            return tuple(replace(t, name=f"{name}.{t.name}") for t in tensors)

        for op in graph.operators:
            operators.append(
                replace(
                    op,
                    name=f"{name}.{op.name}",
                    inputs=renamed(op.inputs),
                    outputs=renamed(op.outputs),
                    weights=renamed(op.weights),
                    statistics=renamed(op.statistics),
                )
            )
        inputs += renamed(graph.inputs)
        outputs += renamed(graph.outputs)
        notes += [f"{name}: {note}" for note in graph.notes]
    return LayerGraph.from_operators(
        "+".join(graph.name for graph in graphs), operators, inputs=inputs, outputs=outputs, notes=notes
    )
