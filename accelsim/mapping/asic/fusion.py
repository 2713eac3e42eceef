"""Which operators take a turn on the array, which ride on another's output, and which are only address
arithmetic.
"""

from dataclasses import dataclass

from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.operator import Operator
from accelsim.graph.vocabulary import TYPES

IN_PLACE = frozenset({"concatenation", "split", "slice"})
"""Movements that cost nothing because producers write, and consumers read, at the right address."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One operator with those that ride on its output (applied element by element on the way out)."""

    operator: Operator
    riders: tuple[Operator, ...] = ()

    @property
    def stored_bytes(self) -> int:
        """Bytes of the tensor that leaves: the last rider's."""
        return (self.riders[-1] if self.riders else self.operator).bytes_out


def turns(graph: LayerGraph, fuse: bool) -> tuple[list[Turn], dict[str, str], list[str]]:
    """Split a graph into turns of the array.

    An operator rides on its producer if it works element by element, reads one computed tensor of the same
    size, and nobody else reads that tensor; chains ride together. Additions of two computed tensors take a
    turn.

    Returns
    -------
    turns in order, rider -> operator it rides on, names of operators that cost nothing
    """
    host: dict[str, str] = {}
    riders: dict[str, list[Operator]] = {}
    order: list[Operator] = []
    free: list[str] = []
    leaving = {tensor.name for tensor in graph.outputs}
    for operator in graph.operators:
        family = TYPES[operator.type].family
        if family == "view" or operator.type in IN_PLACE:
            free.append(operator.name)
            continue
        producers = graph.producers(operator.name)
        if fuse and operator.fusible and len(operator.inputs) == 1 and len(producers) == 1:
            producer = producers[0]
            target = host.get(producer.name, producer.name)
            alone = len(graph.consumers(producer.name)) == 1 and not any(
                t.name in leaving for t in producer.outputs
            )
            if alone and target in riders:
                host[operator.name] = target
                riders[target].append(operator)
                continue
        order.append(operator)
        riders[operator.name] = []
    return [Turn(o, tuple(riders[o.name])) for o in order], host, free
