"""Time and traffic of clustered loops by cases: the data-centric analysis that MAESTRO made known.

A second *timing* model over the same loops as the counts of this package. At each level of clustering every
loop in time is at its first, a middle or its last iteration; the product of these states is a small set of
cases, each with a number of occurrences. A case moves, through a pipe of given bandwidth, what its step
brings in: nothing if the loop that advanced does not index the tensor and no loop inside it went back to the
start over the tensor's dims, only the new rows if it slides a window, else the whole tile. The step lasts as
long as the slowest of that, of what it sends out and of the sub-clusters' work, which is the same analysis
one level further in. The very first step of a level adds compute and ingress: nothing hides it. So every call
of an inner level exposes the ingress of its first step.

Volumes are elements. What several sub-clusters need alike is sent once; whether the overlap of their windows
is, says ``Rules.shi_halo``. Source: Kwon et al., "Understanding Reuse, Performance, and Hardware Cost of DNN
Dataflow: A Data-Centric Approach" (MAESTRO), MICRO 2019; the details as probed in its release of Oct 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.footprint import Footprint, Ints
from accelsim.cost.nest import TENSORS, Loop
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape

Flags = NDArray[np.bool_]

LARGEST = 2**53
"""Multiply-accumulates of a layer up to which the volumes of all steps are exact in 64 bits."""


@dataclass(frozen=True, slots=True)
class Pipe:
    """The network of every level: ``bandwidth`` in elements per cycle, delay of its hops in cycles."""

    bandwidth: float
    hops: int = 1
    hop_latency: int = 1

    def delay(self, volume: Ints) -> Ints:
        """Cycles until the last element is through; 0 for nothing."""
        cycles = self.hops * self.hop_latency + np.ceil(volume / self.bandwidth).astype(np.int64) - 1
        return np.where(volume > 0, cycles, 0)


@dataclass(frozen=True, slots=True)
class Rules:
    """Named readings of the model.

    ``rs_loop_cycles``: the kernel window of a processing element counts as one cycle, or as one per tap.
    ``shi_halo``: where a step slides windows on, the rows that neighbouring sub-clusters share are sent once
    (``unique``) or to each of them (``double``). ``first_step``: the very first step of a layer adds compute
    to ingress, or overlaps them like any other (inner levels always add). ``buffers`` 1 adds ingress,
    compute and egress of every step, 2 overlaps them. ``lanes``: multiply-accumulates per element and cycle.
    """

    rs_loop_cycles: Literal["one", "full"] = "full"
    shi_halo: Literal["unique", "double"] = "unique"
    first_step: Literal["added", "overlapped"] = "added"
    buffers: Literal[1, 2] = 2
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Timing:
    """Cycles of a layer; elements read from and written to the shared buffer above the outermost level.

    ``reads`` counts a multicast once. ``shared`` and ``private`` are the elements that the shared buffer and
    each processing element must hold: as many tiles of each tensor as there are buffers.
    """

    cycles: int
    reads: dict[str, int]
    writes: int
    shared: int
    private: int


@dataclass(frozen=True)
class _Level:
    """Loops in time and the lanes that the blocks inside them lie on."""

    time: tuple[Loop, ...]
    lanes: dict[str, int]
    """dim -> positions of one unit"""


def analyse(shape: ConvShape, loops: Sequence[Loop], pipe: Pipe, rules: Rules) -> Timing:
    """Analyse the loops of one layer, outermost first; neighbouring loops in space end a level.

    Raises
    ------
    AccelsimError
        If the layer is too large to be counted.
    """
    if shape.macs > LARGEST:
        raise AccelsimError(
            f"a layer of {shape.macs} multiply-accumulates is more than the {LARGEST} counted"
        )
    return _Analysis(shape, levels_of(loops), pipe, rules).run()


def levels_of(loops: Sequence[Loop]) -> list[_Level]:
    """Loops in time and lanes of each level of clustering, outermost first."""
    levels: list[_Level] = []
    time: list[Loop] = []
    lanes: dict[str, int] = {}
    for loop in loops:
        if loop.axis is not None:
            lanes[loop.dim] = loop.tile
            continue
        if lanes:
            levels.append(_Level(tuple(time), lanes))
            time, lanes = [], {}
        time.append(loop)
    return [*levels, _Level(tuple(time), lanes)]


@dataclass(frozen=True)
class _Cases:
    """One row per case: extents, occurrences, the loop that advanced (-1: none yet), trips of each loop."""

    extent: Ints
    times: Ints
    advanced: Ints
    trips: Ints

    def cut(self, index: int, dim: int, tile: int) -> "_Cases":
        """Every case with the next loop at its first, a middle and its last iteration."""
        extent = self.extent[:, dim]
        block = np.minimum(tile, extent)
        trips = -(-extent // block)
        here = np.full_like(trips, index)
        one = np.ones_like(trips)
        states = (
            self._at(trips > 0, dim, block, one, self.advanced, trips),
            self._at(trips > 2, dim, block, trips - 2, here, trips),
            self._at(trips > 1, dim, extent - (trips - 1) * block, one, here, trips),
        )
        return _Cases(
            *(
                np.concatenate([getattr(s, name) for s in states])
                for name in ("extent", "times", "advanced", "trips")
            )
        )

    def _at(self, there: Flags, dim: int, size: Ints, times: Ints, advanced: Ints, trips: Ints) -> "_Cases":
        """The cases of one state."""
        extent = self.extent[there]
        extent[:, dim] = size[there]
        all_trips = np.column_stack((self.trips[there], trips[there]))
        return _Cases(extent, self.times[there] * times[there], advanced[there], all_trips)


@dataclass
class _Analysis:
    shape: ConvShape
    levels: list[_Level]
    pipe: Pipe
    rules: Rules
    known: dict[tuple[int, tuple[int, ...]], int] = field(default_factory=dict)

    def run(self) -> Timing:
        """All cases of the outermost level."""
        cases = self.cases(0, tuple(self.shape.bounds.values()))
        ingress, egress = self.ingress(0, cases), self.egress(0, cases)
        unit = self.shape.bounds
        for level in self.levels:
            for loop in level.time:
                unit[loop.dim] = min(unit[loop.dim], loop.tile)
            unit |= {d: min(unit[d], tile) for d, tile in level.lanes.items()}
        return Timing(
            cycles=self.cycles(0, cases, ingress, egress),
            reads={t: int((ingress[t] * cases.times).sum()) for t in ingress},
            writes=int((egress * cases.times).sum()),
            shared=self.room(cases.extent[:1]),
            private=self.room(np.array([list(unit.values())], np.int64)),
        )

    def room(self, extent: Ints) -> int:
        """Elements of all tensors of one block, once for each buffer."""
        block = Footprint(self.shape, extent, {})
        return self.rules.buffers * sum(int(block.elements(tensor)[0]) for tensor in TENSORS)

    def cases(self, level: int, extent: tuple[int, ...]) -> _Cases:
        """Every combination of first, middle and last iteration of the loops in time; row 0 is all first."""
        one = np.ones(1, np.int64)
        rows = _Cases(np.array([extent], np.int64), one, -one, np.empty((1, 0), np.int64))
        for index, loop in enumerate(self.levels[level].time):
            rows = rows.cut(index, DIMS.index(loop.dim), loop.tile)
        return rows

    def restarted(self, level: int, cases: _Cases, tensor: str) -> Flags:
        """Whether a loop inside the one that advanced has gone back to the start over the tensor's dims."""
        back = np.zeros(len(cases.times), np.bool_)
        for index, loop in enumerate(self.levels[level].time):
            if loop.dim in RELEVANT[tensor]:
                back |= (index > cases.advanced) & (cases.trips[:, index] > 1)
        return back

    def advanced_over(self, level: int, cases: _Cases, dims: str) -> Flags:
        """Whether the loop that advanced is over one of ``dims``."""
        over = np.array([*(loop.dim in dims for loop in self.levels[level].time), False])
        moved: Flags = over[cases.advanced]
        return moved

    def ingress(self, level: int, cases: _Cases) -> dict[str, Ints]:
        """Elements of inputs and weights that each case brings in."""
        lanes = self.levels[level].lanes
        block = Footprint(self.shape, cases.extent, lanes)
        first = cases.advanced < 0
        moved = {}
        for tensor in ("inputs", "weights"):
            whole = first | self.restarted(level, cases, tensor)
            fresh = whole | self.advanced_over(level, cases, RELEVANT[tensor])
            volume = np.where(fresh, block.elements(tensor), 0)
            if tensor == "inputs":
                volume = np.where(first, block.inputs(per_unit=True), volume)
                slides = ~whole & self.advanced_over(level, cases, "PQRS")
                for index, loop in enumerate(self.levels[level].time):
                    here = slides & (cases.advanced == index)
                    if here.any():
                        new = block.inputs(loop, per_unit=self.rules.shi_halo == "double")
                        volume = np.where(here, new, volume)
            moved[tensor] = volume
        return moved

    def egress(self, level: int, cases: _Cases) -> Ints:
        """Elements of outputs, whole or partial, that leave where a tile of them makes way for the next."""
        changes = (cases.advanced < 0) | self.restarted(level, cases, "outputs")
        changes |= self.advanced_over(level, cases, RELEVANT["outputs"])
        return np.where(changes, Footprint(self.shape, cases.extent, {}).elements("outputs"), 0)

    def cycles(self, level: int, cases: _Cases, ingress: dict[str, Ints], egress: Ints) -> int:
        """Cycles of all steps of one level."""
        compute = np.array([self.work(level, tuple(row)) for row in cases.extent.tolist()], np.int64)
        into = self.pipe.delay(ingress["inputs"] + ingress["weights"])
        out = self.pipe.delay(egress)
        if self.rules.buffers == 1:
            return int(((compute + into + out) * cases.times).sum())
        steps = np.maximum(np.maximum(compute, into), out)
        if level > 0 or self.rules.first_step == "added":
            steps = np.where(cases.advanced < 0, compute + into, steps)
        return int((steps * cases.times).sum())

    def work(self, level: int, extent: tuple[int, ...]) -> int:
        """Cycles of the busiest sub-cluster, or of a processing element, for a block of this level."""
        lanes = self.levels[level].lanes
        unit = tuple(min(n, lanes.get(d, n)) for d, n in zip(DIMS, extent, strict=True))
        if level + 1 == len(self.levels):
            taps = "RS" if self.rules.rs_loop_cycles == "one" else ""
            sums = prod(n for d, n in zip(DIMS, unit, strict=True) if d not in taps)
            return -(-sums // self.rules.lanes)
        key = (level + 1, unit)
        if key not in self.known:
            cases = self.cases(level + 1, unit)
            self.known[key] = self.cycles(
                level + 1, cases, self.ingress(level + 1, cases), self.egress(level + 1, cases)
            )
        return self.known[key]
