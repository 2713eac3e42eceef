"""Search quality: each mapping of a peer against its own figures, our model and our best."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from accelsim.cost.hierarchy import Hierarchy
from accelsim.cost.nest import TENSORS, WINDOWS
from accelsim.graph.shape import ConvShape
from accelsim.validation.peers.judge import Verdict, judge
from accelsim.validation.peers.ours import load_ours, proven_best
from accelsim.validation.peers.records import GOALS, Found, Goal, PeerFile, load_peers

if TYPE_CHECKING:
    from pandas import DataFrame

AGREES = 0.01
"""Largest relative difference at which a peer's figure counts as reproduced."""
NOT_WORSE = 1e-9
"""Relative excess up to which our figure counts as not worse."""


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


@dataclass(frozen=True, slots=True)
class Compared:
    """The peer's best and ours for one layer and goal, both judged by the peer's definitions in our model.

    ``proven``: ours comes with a certificate for its space; otherwise a local search found it.
    """

    peer: str
    layer: str
    goal: Goal
    theirs: Verdict
    ours: Verdict
    proven: bool

    @property
    def ratio(self) -> float:
        """Our figure for the goal over the peer's."""
        return self.ours.value(self.goal) / self.theirs.value(self.goal)

    @property
    def not_worse(self) -> bool:
        """Whether ours is not worse, value compared with value, and can run."""
        return not self.ours.faults and self.ratio <= 1 + NOT_WORSE


def compare(peer: PeerFile, found: Found, goal: Goal) -> Compared | None:
    """Hold our best against a peer's mapping; None where that is excluded because definitions differ."""
    nest = peer.nest(found)
    if nest is None or not reproduce(peer, found).agrees:
        return None
    proven = peer.formulas == "exact"
    ours = proven_best(peer, found.layer, goal) if proven else load_ours()[peer.name, found.layer, goal]
    return Compared(peer.name, found.layer, goal, judge(nest, peer), judge(ours, peer), proven)


def comparisons(peer: PeerFile) -> Iterator[Compared]:
    """Every layer and goal of a peer that takes part."""
    for found in peer.found:
        for goal in found.goals:
            compared = compare(peer, found, goal)
            if compared is not None:
                yield compared


def search_quality() -> "DataFrame":
    """Layers per peer, design and goal.

    ``reproduced``, ``differs`` and ``not finished`` say what became of the peer's mapping, ``below bound``
    counts figures that no mapping reaches; ``not worse``, ``better`` and ``worse`` compare our best with
    those reproduced, ``median ratio`` and ``worst ratio`` are ours over theirs.
    """
    import pandas as pd

    rows = []
    for peer in load_peers().values():
        done = [reproduce(peer, found) for found in peer.found]
        compared = list(comparisons(peer))
        for goal in GOALS:
            mine = [r for r in done if goal in r.found.goals]
            held = [c for c in compared if c.goal == goal]
            missing = sum(goal in m.goals for m in peer.missing)
            rows.append(
                {
                    "peer": peer.name,
                    "goal": goal,
                    "layers": len(mine) + missing,
                    "reproduced": sum(r.agrees for r in mine),
                    "differs": sum(not r.agrees for r in mine),
                    "not finished": missing,
                    "below bound": sum(r.below for r in mine),
                    "not worse": sum(c.not_worse for c in held),
                    "better": sum(c.ratio < 1 - NOT_WORSE for c in held),
                    "worse": sum(not c.not_worse for c in held),
                    "median ratio": median(c.ratio for c in held),
                    "worst ratio": max(c.ratio for c in held),
                }
            )
    return pd.DataFrame(rows)
