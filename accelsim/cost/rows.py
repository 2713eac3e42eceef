"""The iterations of the loops above a level, one row each, in the order in which they run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.nest import TENSORS, LoopNest
from accelsim.cost.pairs import Factor
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rows:
    """Blocks of an operator: (rows, 8) starts and extents in the order of ``DIMS``.

    ``begins`` marks, per tensor, the rows that bring a tile that was not there before. ``placed`` False: the
    blocks have no place in the operator (all starts are 0 and mean nothing).
    """

    starts: Ints
    extents: Ints
    begins: dict[str, Flags]
    placed: bool

    def evaluate(self, factor: Factor, at: Ints | slice) -> Ints:
        """Value of a factor at some rows, computed once per distinct block."""
        if factor.value is None:
            return np.asarray(self.extents[at, DIMS.index(factor.dims[0])])
        blocks, place = self._distinct(factor.dims[0], at)
        if len(factor.dims) == 1:
            return np.asarray(np.array([factor.of(b) for b in blocks], np.int64)[place])
        others, other_place = self._distinct(factor.dims[1], at)
        table = np.array([[factor.of(b, other) for other in others] for b in blocks], np.int64)
        return np.asarray(table[place, other_place])

    def _distinct(self, dim: str, at: Ints | slice) -> tuple[list[tuple[int, int]], Ints]:
        column = DIMS.index(dim)
        starts, extents = self.starts[at, column], self.extents[at, column]
        code = starts if self.placed else extents  # either fixes the other
        seen = np.zeros(int(code.max()) + 1, np.int64)
        seen[code] = 1
        place = (np.cumsum(seen) - 1)[code]
        example = np.empty(int(seen.sum()), np.int64)
        example[place] = np.arange(len(code))
        return list(zip(starts[example].tolist(), extents[example].tolist(), strict=True)), place


def expand(nest: LoopNest, level: int) -> tuple[Rows, Ints]:
    """Rows of the level with this index, and for each the row of the level above that it lies in.

    Raises
    ------
    AccelsimError
        If there is no such level, or copies of it: spatial loops above it.
    """
    refuse_copies(nest, level)
    depth = nest.levels[level].depth
    frontiers = {t: nest.frontier(t, depth) for t in TENSORS}
    above = nest.levels[level - 1].depth - 1 if level else -1
    looped = [i for i in range(depth) if nest.trips[i] > 1]
    dims = {nest.loops[i].dim for i in looped}
    starts = {d: np.zeros(1, np.int64) for d in dims}
    extents = {d: np.full(1, nest.shape[d], np.int64) for d in dims}
    marks = {-1: np.zeros(1, np.int64)}
    count = 1
    for index in range(depth):
        loop = nest.loops[index]
        if nest.trips[index] > 1:
            trips = -(-extents[loop.dim] // loop.tile)
            first = np.cumsum(trips) - trips
            outer = np.repeat(np.arange(count), trips)
            count = len(outer)
            for dim in dims:
                starts[dim], extents[dim] = starts[dim][outer], extents[dim][outer]
            passed = (np.arange(count) - first[outer]) * loop.tile
            starts[loop.dim] += passed
            extents[loop.dim] = np.minimum(extents[loop.dim] - passed, loop.tile)
            marks = {mark: first[place] for mark, place in marks.items()}
        if index == above or index in frontiers.values():
            marks[index] = np.arange(count)
    flags = {mark: np.zeros(count, np.bool_) for mark in marks}
    for mark, place in marks.items():
        flags[mark][place] = True
    rows = Rows(
        starts=np.stack([starts.get(d, np.zeros(count, np.int64)) for d in DIMS]).T,
        extents=np.stack([extents.get(d, np.full(count, nest.shape[d], np.int64)) for d in DIMS]).T,
        begins={t: flags[f] for t, f in frontiers.items()},
        placed=True,
    )
    return rows, np.cumsum(flags[above]) - 1


def refuse_copies(nest: LoopNest, level: int) -> None:
    """Raise unless the level with this index exists and has a single copy."""
    if not 0 <= level < len(nest.levels):
        raise AccelsimError(f"level index {level}: the nest has levels 0 to {len(nest.levels) - 1}")
    for index, loop in enumerate(nest.loops[: nest.levels[level].depth]):
        if loop.axis is not None:
            raise AccelsimError(
                f"level {nest.levels[level].name!r}: loop {index} over {loop.dim} above it is unrolled over"
                f" axis {loop.axis!r}; only a level with a single copy can be listed iteration by iteration"
            )
