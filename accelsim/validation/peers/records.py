"""The files ``accelsim/validation/peers/*.yaml``: a tool, the machine it was given, the mappings it found."""

from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.cost.nest import LoopNest
from accelsim.cost.written import read_nest
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.shape import ConvShape
from accelsim.mapper.anneal import Way
from accelsim.spec.base import FileSpec, Spec
from accelsim.spec.mapping import Entry
from accelsim.spec.reader import read_file
from accelsim.spec.sentences import explain
from accelsim.spec.tree import Problems
from accelsim.spec.units import Bytes, Hertz, Joules, PositiveCount

Tensor = Literal["inputs", "weights", "outputs"]
Dim = Literal["N", "G", "K", "C", "P", "Q", "R", "S"]
Goal = Literal["latency", "energy", "edp"]
GOALS: tuple[Goal, ...] = ("latency", "energy", "edp")


class MemoryRow(Spec):
    """A memory as the peer was told of it; energies are per word of ``width`` bits."""

    name: str
    holds: tuple[Tensor, ...]
    size: Bytes | None = None
    """of one copy; unlimited without it"""
    width: PositiveCount
    """bits per cycle of each port"""
    read: Joules
    write: Joules
    per_pe: bool = False
    ports: Literal[1, 2, 4] = 2
    """one for everything, one for reads and one for writes, or one for each way to each neighbour"""


class AxisRow(Spec):
    """An axis of the array and the dims that the peer may unroll over it."""

    name: str
    size: PositiveCount
    dims: tuple[Dim, ...]
    unrolled: dict[Dim, PositiveCount] = Field(default_factory=dict)
    """positions of each dim, where the driver gives them; of a smaller dim as many as it has"""


class MachineRow(Spec):
    """Numbers that the driver gives to the peer."""

    clock: Hertz
    mac: Joules
    padding: Literal["skip", "count"]
    bits: dict[Literal["inputs", "weights", "outputs", "partial"], PositiveCount]
    axes: tuple[AxisRow, ...]
    levels: tuple[tuple[MemoryRow, ...], ...]
    """outermost first; memories of one level hold different tensors"""

    def hierarchy(self, name: str) -> Hierarchy:
        """The same in the form that nests are judged on."""
        return Hierarchy(
            name=name,
            levels=tuple(
                tuple(
                    Memory(
                        name=m.name,
                        tensors=m.holds,
                        size_bits=None if m.size is None else 8 * m.size,
                        per_pe=m.per_pe,
                        read_J=m.read / m.width,
                        write_J=m.write / m.width,
                        read_bits=m.width,
                        write_bits=m.width,
                        shared_port=m.ports == 1,
                    )
                    for m in level
                )
                for level in self.levels
            ),
            axes=tuple(Axis(a.name, a.size, a.dims) for a in self.axes),
            bits={str(word): width for word, width in self.bits.items()},
            mac_J=self.mac,
            padding=self.padding,
            clock_Hz=self.clock,
        )


class Found(Spec):
    """The mapping a peer found for a layer, with its figures as printed."""

    layer: str
    goals: Annotated[tuple[Goal, ...], Field(min_length=1)]
    """goals that it was found for"""
    cycles: Annotated[float, Field(gt=0)]
    energy_pJ: Annotated[float, Field(gt=0)]
    nest: tuple[Entry, ...] | None = None
    """None where the peer's mapping is no loop nest of ours; ``differs`` says why"""
    differs: str | None = None
    """the term in which the definitions differ"""


class Missing(Spec):
    """A layer for which the peer gave nothing."""

    layer: str
    goals: tuple[Goal, ...]
    why: str


class PeerFile(FileSpec):
    """One tool on one design."""

    kind: Literal["peer"]
    name: str
    tool: str
    version: str
    date: str
    """of the runs"""
    source: str
    settings: str
    """what the driver asked for"""
    architecture: str
    """the design as an architecture file"""
    preset: str
    workload: str
    formulas: Literal["exact", "periodic"]
    """exact counts, energy per bit, latency of the slowest resource (``cost.evaluate``); or equal tiles in
    equal periods, energy per whole word (``cost.periodic``), latency with stalls (``cost.stalls``)"""
    machine: MachineRow
    found: tuple[Found, ...]
    missing: tuple[Missing, ...] = ()

    @cached_property
    def hierarchy(self) -> Hierarchy:
        """The machine under the definitions of the peer."""
        return self.machine.hierarchy(self.name)

    @property
    def four_ports(self) -> frozenset[str]:
        """Memories with a port for each way to each neighbour."""
        return frozenset(m.name for level in self.machine.levels for m in level if m.ports == 4)

    def shape(self, layer: str) -> ConvShape:
        """Shape of a layer of the workload."""
        return _shapes(self.workload)[layer]

    def unrolling(self, layer: str) -> Way:
        """How the driver fills the array with a layer."""
        shape = self.shape(layer)
        return tuple(
            (dim, min(positions, shape[dim]), axis.name)
            for axis in self.machine.axes
            for dim, positions in axis.unrolled.items()
            if shape[dim] > 1
        )

    def nest(self, found: Found) -> LoopNest | None:
        """The mapping as a loop nest; None if it has no such form."""
        if found.nest is None:
            return None
        holds = {m.name: m.holds for level in self.machine.levels for m in level}
        return read_nest(found.nest, self.shape(found.layer), holds)


@cache
def _shapes(workload: str) -> dict[str, ConvShape]:
    from accelsim.graph.load import load_workload

    return {o.name: o.shapes[0] for o in load_workload(workload).operators if o.shapes}


@cache
def load_peers() -> dict[str, PeerFile]:
    """All peer files by name.

    Raises
    ------
    AccelsimError
        With everything that is wrong in any of them.
    """
    peers: dict[str, PeerFile] = {}
    problems = Problems()
    folder = files("accelsim.validation.peers")
    for file in sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name):
        for document in read_file(file, f"accelsim/validation/peers/{file.name}"):
            if document.data.get("kind") != "peer":
                continue
            try:
                peer = PeerFile.model_validate(document.data)
            except ValidationError as error:
                explain(error, PeerFile, document.root, (), problems)
                continue
            peer._document = document
            peers[peer.name] = peer
    problems.raise_any()
    return peers


def load_peer(name: str) -> PeerFile:
    """One peer file; AccelsimError if there is none of that name."""
    peers = load_peers()
    if name not in peers:
        hint = did_you_mean(name, peers) or f"; there are {', '.join(peers)}"
        raise AccelsimError(f"no peer file {name[:60]!r}{hint}")
    return peers[name]
