"""Search quality: each mapping of a peer against its own figures, our model and our best."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accelsim.cost.hierarchy import Hierarchy
from accelsim.cost.nest import TENSORS, WINDOWS
from accelsim.graph.shape import ConvShape
from accelsim.validation.peers.judge import judge
from accelsim.validation.peers.records import GOALS, Found, Goal, PeerFile, load_peers

if TYPE_CHECKING:
    from pandas import DataFrame

AGREES = 0.01
"""Largest relative difference at which a peer's figure counts as reproduced."""


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A mapping that a peer found for some goals.

    ``latency_error`` and ``energy_error`` are our figures over the peer's, less 1; None where the mapping has
    no form here. ``below``: the peer's latency is under the compulsory traffic of the DRAM: none can be.
    """

    peer: str
    found: Found
    latency_error: float | None
    energy_error: float | None
    faults: tuple[str, ...]
    below: bool

    @property
    def agrees(self) -> bool:
        """Whether both figures are reproduced and the mapping can run."""
        errors = (self.latency_error, self.energy_error)
        return not self.faults and all(e is not None and abs(e) <= AGREES for e in errors)


def compulsory_cycles(shape: ConvShape, hierarchy: Hierarchy) -> float:
    """Cycles that the outermost memory needs for every element once; a lower bound on any mapping's latency.

    Zeros of the padding are not counted, although a peer may read them.
    """
    (outermost,) = hierarchy.levels[0]
    bits = {t: shape.elements(t) * hierarchy.bits[t] for t in TENSORS}
    touched = shape.N * shape.G * shape.C
    for axis, (position, tap) in enumerate(WINDOWS):
        a, b = shape[position], shape[tap]
        rows = a * b - (a - 1) * max(0, b - shape.stride[axis])
        touched *= min(rows, shape.size[axis])
    bits["inputs"] = touched * hierarchy.bits["inputs"]
    read = (bits["inputs"] + bits["weights"]) / (outermost.read_bits or float("inf"))
    write = bits["outputs"] / (outermost.write_bits or float("inf"))
    return read + write if outermost.shared_port else max(read, write)


def reproduce(peer: PeerFile, found: Found) -> Reproduced:
    """Judge a peer's mapping by the peer's definitions in our model."""
    nest = peer.nest(found)
    below = found.cycles < compulsory_cycles(peer.shape(found.layer), peer.hierarchy) * (1 - 1e-6)
    if nest is None:
        return Reproduced(peer.name, found, None, None, (), below)
    verdict = judge(nest, peer)
    return Reproduced(
        peer.name,
        found,
        verdict.cycles / found.cycles - 1,
        verdict.energy_J / (found.energy_pJ * 1e-12) - 1,
        verdict.faults,
        below,
    )


def reproductions() -> Iterator[Reproduced]:
    """Every mapping of every peer."""
    for peer in load_peers().values():
        for found in peer.found:
            yield reproduce(peer, found)


def counts() -> "DataFrame":
    """Layers per peer, design and goal: reproduced, defined otherwise, not finished, below the bound."""
    import pandas as pd

    rows = []
    for peer in load_peers().values():
        done = [reproduce(peer, found) for found in peer.found]
        for goal in GOALS:
            mine = [r for r in done if goal in r.found.goals]
            rows.append(
                {
                    "peer": peer.name,
                    "goal": goal,
                    "layers": len(mine) + sum(goal in m.goals for m in peer.missing),
                    "reproduced": sum(r.agrees for r in mine),
                    "differs": sum(not r.agrees for r in mine),
                    "not finished": sum(goal in m.goals for m in peer.missing),
                    "below bound": sum(r.below for r in mine),
                    "worst": max((_error(r) for r in mine if r.agrees), default=0.0),
                }
            )
    return pd.DataFrame(rows)


def _error(r: Reproduced) -> float:
    return max(abs(r.latency_error or 0.0), abs(r.energy_error or 0.0))


def value(found: Found, goal: Goal) -> float:
    """The peer's own figure for a goal: cycles, joules, or their product."""
    energy_J = found.energy_pJ * 1e-12
    return {"latency": found.cycles, "energy": energy_J, "edp": found.cycles * energy_J}[goal]
