"""A network as a directed acyclic graph of operators that are joined by their tensors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.dtypes import PRECISIONS, check_precision
from accelsim.graph.operator import Operator
from accelsim.graph.ordering import cycle, topological
from accelsim.graph.tensor import Tensor

if TYPE_CHECKING:
    import networkx


@dataclass(frozen=True)
class LayerGraph:
    """Operators in a topological order that depends on nothing but the order they were given in.

    Parameters
    ----------
    name : of the network
    operators : every operator after those whose outputs it reads
    inputs, outputs : tensors that enter and leave the network
    notes : what a reader should know, such as operators that were left out on request
    zeros : operator -> share of zeros in its ``inputs`` and ``outputs``, as measured on real data
    """

    name: str
    operators: tuple[Operator, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    notes: tuple[str, ...] = ()
    _edges: dict[str, dict[str, list[str]]] = field(repr=False, compare=False, default_factory=dict)
    zeros: Mapping[str, Mapping[str, float]] = field(hash=False, default_factory=dict)

    @classmethod
    def from_operators(
        cls,
        name: str,
        operators: Iterable[Operator],
        *,
        inputs: Sequence[Tensor] | None = None,
        outputs: Sequence[Tensor] | None = None,
        notes: Sequence[str] = (),
    ) -> "LayerGraph":
        """Join operators by the names of their tensors.

        Without ``inputs``, every tensor that nothing produces enters the network; without
        ``outputs``, every tensor that nothing reads leaves it. AccelsimError lists every name
        given twice, tensor that nobody makes, tensor read in another shape than it is made in,
        and the operators of a cycle.
        """
        ops = list(operators)
        problems, made = _producers(name, ops)
        given = {tensor.name: tensor for tensor in inputs or ()}
        problems += [
            f"{name}: tensor {tensor!r} enters the network and is made by {ops[made[tensor][1]].name}"
            for tensor in given
            if tensor in made
        ]
        entering: dict[str, Tensor] = {}
        order: list[list[int]] = [[] for _ in ops]
        edges: dict[str, dict[str, list[str]]] = {op.name: {} for op in ops}
        read = set()
        for index, op in enumerate(ops):
            for tensor in dict.fromkeys(op.inputs):
                read.add(tensor.name)
                if tensor.name in made:
                    source, maker = made[tensor.name]
                    order[maker].append(index)
                    edges[ops[maker].name].setdefault(op.name, []).append(tensor.name)
                elif tensor.name in given or inputs is None:
                    source = given.get(tensor.name) or entering.setdefault(tensor.name, tensor)
                else:
                    known = [*made, *given]
                    hint = did_you_mean(tensor.name, known)
                    problems.append(f"{name}: {op.name} reads unknown tensor {tensor.name!r}{hint}")
                    continue
                if source != tensor:
                    problems.append(
                        f"{name}: {op.name} reads tensor {tensor.name!r} as {_form(tensor)}, "
                        f"but it is {_form(source)}"
                    )
        ranks = topological(order)
        circle = cycle([op.name for op in ops], order, ranks)
        if circle is not None:
            problems.append(f"{name}: the graph is cyclic: {circle}")
        if problems:
            raise AccelsimError(*problems)
        if outputs is None:
            outputs = [tensor for tensor, _ in made.values() if tensor.name not in read]
        return cls(
            name,
            tuple(ops[i] for i in ranks),
            tuple(entering.values() if inputs is None else inputs),
            tuple(outputs),
            tuple(notes),
            edges,
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all operators."""
        return sum(op.macs for op in self.operators)

    @property
    def parameters(self) -> int:
        """Elements of all weights; a tensor that several operators share counts once."""
        return sum({t.name: t.elements for op in self.operators for t in op.weights}.values())

    @property
    def statistics(self) -> int:
        """Elements of all running statistics, shared ones once."""
        return sum({t.name: t.elements for op in self.operators for t in op.statistics}.values())

    def __getitem__(self, name: str) -> Operator:
        """Operator of that name; AccelsimError names the nearest if there is none."""
        if name in self._ranks:
            return self.operators[self._ranks[name]]
        hint = did_you_mean(name, self._ranks)
        raise AccelsimError(f"{self.name}: no operator is called {name!r}{hint}")

    def by_type(self) -> dict[str, tuple[Operator, ...]]:
        """Operators of each type, types in the order of first appearance."""
        groups: dict[str, list[Operator]] = {}
        for op in self.operators:
            groups.setdefault(op.type, []).append(op)
        return {kind: tuple(group) for kind, group in groups.items()}

    def consumers(self, name: str) -> tuple[Operator, ...]:
        """Operators that read an output of the operator ``name``, in topological order."""
        return self._in_order(self._edges[self[name].name])

    def producers(self, name: str) -> tuple[Operator, ...]:
        """Operators whose outputs the operator ``name`` reads, in topological order."""
        return self._in_order(self._makers[self[name].name])

    def with_zeros(self, zeros: Mapping[str, Mapping[str, float]]) -> "LayerGraph":
        """Return the same graph with shares of zeros; AccelsimError names operators that it does not have."""
        wrong = [
            f"{name}: {self.name} has no such operator{did_you_mean(name, self._ranks)}"
            for name in zeros
            if name not in self._ranks
        ]
        if wrong:
            raise AccelsimError(*wrong)
        return replace(self, zeros=zeros)

    def renamed(self, name: str) -> "LayerGraph":
        """Return the same graph under another name."""
        return replace(self, name=name)

    @cached_property
    def _ranks(self) -> dict[str, int]:
        return {op.name: rank for rank, op in enumerate(self.operators)}

    @cached_property
    def _makers(self) -> dict[str, list[str]]:
        makers: dict[str, list[str]] = {op.name: [] for op in self.operators}
        for source, readers in self._edges.items():
            for reader in readers:
                makers[reader].append(source)
        return makers

    def _in_order(self, names: Iterable[str]) -> tuple[Operator, ...]:
        return tuple(self.operators[rank] for rank in sorted(self._ranks[name] for name in names))

    def to_networkx(self) -> "networkx.DiGraph":
        """Return a DiGraph of operator names; node attribute ``operator``, edge attribute ``tensors``."""
        import networkx

        graph = networkx.DiGraph(name=self.name)
        graph.add_nodes_from((op.name, {"operator": op}) for op in self.operators)
        for source, readers in self._edges.items():
            graph.add_edges_from(
                (source, reader, {"tensors": tuple(names)}) for reader, names in readers.items()
            )
        return graph

    def with_precision(self, activations: str, weights: str | None = None) -> "LayerGraph":
        """Return the same graph with its data in other number formats (weights like activations by default).

        Only tensors in one of ``dtypes.PRECISIONS`` change; indices, masks and accumulators stay.
        """
        activations = check_precision(activations)
        weights = check_precision(weights or activations)

        def retyped(tensors: tuple[Tensor, ...], dtype: str) -> tuple[Tensor, ...]:
            return tuple(t.typed(dtype) if t.dtype in PRECISIONS else t for t in tensors)

        operators = tuple(
            replace(
                op,
                inputs=retyped(op.inputs, activations),
                outputs=retyped(op.outputs, activations),
                weights=retyped(op.weights, weights),
                statistics=retyped(op.statistics, weights),
            )
            for op in self.operators
        )
        return replace(
            self,
            operators=operators,
            inputs=retyped(self.inputs, activations),
            outputs=retyped(self.outputs, activations),
        )


def _producers(name: str, ops: Sequence[Operator]) -> tuple[list[str], dict[str, tuple[Tensor, int]]]:
    problems = []
    made: dict[str, tuple[Tensor, int]] = {}
    seen: set[str] = set()
    for index, op in enumerate(ops):
        if op.name in seen:
            problems.append(f"{name}: two operators are called {op.name!r}")
        seen.add(op.name)
        for tensor in op.outputs:
            if tensor.name in made:
                first = ops[made[tensor.name][1]].name
                problems.append(f"{name}: tensor {tensor.name!r} is made twice, by {first} and by {op.name}")
            else:
                made[tensor.name] = (tensor, index)
    return problems, made


def _form(tensor: Tensor) -> str:
    return f"{'x'.join(map(str, tensor.shape)) or 'scalar'} {tensor.dtype}"
