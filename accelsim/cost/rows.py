"""The iterations of the loops above a level, one row each, in the order in which they run."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.nest import TENSORS, LoopNest
from accelsim.cost.pairs import Block, Factor
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Blocks of an operator, ``count`` rows.

    blocks : dim -> the distinct (start, extent) along it
    place : dim -> (rows,) index into them; only for dims with more than one
    begins : tensor -> (rows,) whether the row needs another tile than the one before
    """

    count: int
    blocks: dict[str, list[Block]]
    place: dict[str, NDArray[np.int32]]
    begins: dict[str, Flags]

    @cached_property
    def starts(self) -> Ints:
        """(rows, 8) first position along each of ``DIMS``."""
        return self._columns(0)

    @cached_property
    def extents(self) -> Ints:
        """(rows, 8) number of positions along each of ``DIMS``."""
        return self._columns(1)

    def _columns(self, part: int) -> Ints:
        columns = np.empty((len(DIMS), self.count), np.int64)
        for column, dim in zip(columns, DIMS, strict=True):
            values = np.array([block[part] for block in self.blocks[dim]], np.int64)
            column[:] = values[self.place[dim]] if dim in self.place else values
        return columns.T

    def product(self, factors: Iterable[Factor], at: Ints | slice = slice(None)) -> Ints:
        """Product of factors at some rows; each is computed once per distinct block."""
        constant = 1
        varying: Ints | None = None
        for factor in factors:
            first, *other = [self.blocks[d] for d in factor.dims]
            places = [self.place[d][at] if d in self.place else 0 for d in factor.dims]
            if other:
                table = np.array([[factor.of(b, c) for c in other[0]] for b in first], np.int64)
                values = table[places[0], places[1]]
            else:
                values = np.array([factor.of(b) for b in first], np.int64)[places[0]]
            if values.ndim == 0:
                constant *= int(values)
            elif varying is None:
                varying = values
            else:
                varying *= values
        if varying is None:
            return np.full(len(range(self.count)[at] if isinstance(at, slice) else at), constant, np.int64)
        return varying * constant if constant != 1 else varying

    def fresh(self, dims: str, at: Ints | slice = slice(None)) -> Flags:
        """Whether the row starts at 0 along all of some dims."""
        zero: Flags = np.ones(len(range(self.count)[at] if isinstance(at, slice) else at), np.bool_)
        for dim in dims:
            if dim in self.place:
                zero &= np.array([start == 0 for start, _ in self.blocks[dim]])[self.place[dim][at]]
        return zero


def standing_alone(extents: Ints) -> Rows:
    """Blocks without a place in the operator: each starts at 0 and begins all its tiles."""
    blocks, place = {}, {}
    for dim, column in zip(DIMS, extents.T, strict=True):
        values, index = np.unique(column, return_inverse=True)
        blocks[dim] = [(0, int(v)) for v in values]
        if len(values) > 1:
            place[dim] = index.astype(np.int32)
    begins = dict.fromkeys(TENSORS, np.ones(len(extents), np.bool_))
    return Rows(len(extents), blocks, place, begins)


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
    inside = {-1: np.zeros(1, np.int64)}  # loop -> first row of each of its iterations
    blocks: dict[str, list[Block]] = {d: [(0, nest.shape[d])] for d in DIMS}
    place: dict[str, NDArray[np.int32]] = {}
    count = 1
    above = [i for i, _ in nest.moving if i < nest.levels[max(level - 1, 0)].depth]
    for index, loop in nest.moving:
        if index >= depth:
            break
        cut = [
            [(start + at, min(loop.tile, extent - at)) for at in range(0, extent, loop.tile)]
            for start, extent in blocks[loop.dim]
        ]
        trips = np.array([len(c) for c in cut])
        first = np.cumsum(trips) - trips
        old = place.get(loop.dim, np.zeros(count, np.int32))
        repeats = trips[old]
        row = np.cumsum(repeats) - repeats
        count = int(repeats.sum())
        place = {d: np.repeat(p, repeats) for d, p in place.items()}
        place[loop.dim] = (np.arange(count) + np.repeat(first[old] - row, repeats)).astype(np.int32)
        blocks[loop.dim] = [block for c in cut for block in c]
        inside = {i: row[rows] for i, rows in inside.items()}
        if index in frontiers.values() or index in above[-1:]:
            inside[index] = np.arange(count)
    flags = {i: np.zeros(count, np.bool_) for i in inside}
    for i, rows in inside.items():
        flags[i][rows] = True
    begins = {t: flags[f] for t, f in frontiers.items()}
    return Rows(count, blocks, place, begins), np.cumsum(flags[above[-1] if above else -1]) - 1


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
