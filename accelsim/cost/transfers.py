"""The counts tile by tile: what moves at each iteration above a level, and what happens inside each tile."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from accelsim.cost.counts import Traffic
from accelsim.cost.nest import TENSORS, LoopNest, Padding
from accelsim.cost.pairs import Factor, Pair, check_padding, pairs, work
from accelsim.cost.rows import Flags, Ints, Rows, expand, refuse_copies, standing_alone
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, RELEVANT


@dataclass(frozen=True, slots=True)
class Transfers:
    """One row per iteration of the loops above a level, in the order in which they run.

    parent : (rows,)
        row of the level above in which the iteration lies
    inputs, weights : (rows,)
        elements brought to the level before the iteration; 0 where the tile stays
    read_back, written : (rows,)
        elements of outputs brought before the iteration (none at a first visit) and taken away after it

    A tensor that the level does not hold moves nothing here; see ``inner``.
    """

    level: int
    rows: Rows
    parent: Ints
    inputs: Ints
    weights: Ints
    read_back: Ints
    written: Ints

    @property
    def starts(self) -> Ints:
        """(rows, 8) first position along each of ``DIMS`` in the block of the iteration."""
        return self.rows.starts

    @property
    def extents(self) -> Ints:
        """(rows, 8) number of positions along each of ``DIMS`` in the block of the iteration."""
        return self.rows.extents

    @property
    def begins(self) -> dict[str, Flags]:
        """Tensor -> (rows,) whether another tile than before is needed; also if it passes the level by."""
        return self.rows.begins


@dataclass(frozen=True, slots=True)
class Inner:
    """Counts of everything below a level, one entry per block; meanings as in ``Counts``."""

    traffic: tuple[Traffic[Ints], ...]
    macs: Ints
    steps: Ints
    iterations: Ints
    active_pes: Ints


def transfers(nest: LoopNest, level: int, padding: Padding = "skip") -> Transfers:
    """List what moves between the level with this index and the levels above it.

    Summed over the rows this is ``count(nest)`` exactly.

    Raises
    ------
    AccelsimError
        If spatial loops lie above the level, or it does not exist.
    """
    check_padding(padding)
    rows, parent = expand(nest, level)
    depth = nest.levels[level].depth
    moved = {name: np.zeros(rows.count, np.int64) for name in ("inputs", "weights", "read_back", "written")}
    for tensor in TENSORS:
        for pair in pairs(nest, tensor):
            if pair.child != level:
                continue
            starts = np.flatnonzero(rows.begins[tensor])
            elements = rows.product(pair.factors("parent", depth, padding), starts)
            if tensor == "outputs":
                moved["written"][np.append(starts[1:], rows.count) - 1] = elements
                moved["read_back"][starts] = np.where(rows.fresh("CRS", starts), 0, elements)
            else:
                moved[tensor][starts] = elements
    return Transfers(level, rows, parent, **moved)


def inner(nest: LoopNest, level: int, blocks: Transfers | Ints, padding: Padding = "skip") -> Inner:
    """Count everything below a level for each of some blocks that it works on.

    Covers every pair of levels whose child lies below ``level``, also where a tensor passes the level by.
    With the rows of ``transfers(nest, level)`` the sums are ``count(nest)`` exactly. A tile below the level
    that outlasts an iteration of the loops above (no loop between indexes it) is attributed whole to the
    iteration that begins it: loads where they happen, but updates and partial sums of outputs, too, although
    they leave at the tile's last iteration. The copies counted there are right for the tile's whole stay,
    since no later block is larger.

    With an array of (blocks, 8) extents each block stands alone: it begins all its tiles, its outputs start
    from zero, and no position lies in the padding.

    Raises
    ------
    AccelsimError
        If spatial loops lie above the level, it does not exist, or extents do not fit it.
    """
    check_padding(padding)
    refuse_copies(nest, level)
    if isinstance(blocks, Transfers):
        rows = blocks.rows
    else:
        rows, padding = _alone(nest, level, blocks), "count"
    depth = nest.levels[level].depth
    nothing = np.zeros(rows.count, np.int64)
    traffic = []
    for tensor in TENSORS:
        unvisited = rows.product(Factor((d,)) for d in RELEVANT["outputs"]) * rows.fresh("CRS")
        for pair in pairs(nest, tensor):
            if pair.child <= level:
                continue
            at_parent, at_children, tiles = (
                _attributed(rows, pair, pair.factors(side, depth, padding), depth)
                for side in ("parent", "children", "tiles")
            )
            names = (tensor, nest.levels[pair.parent].name, nest.levels[pair.child].name)
            if tensor == "outputs":
                back = at_parent - unvisited
                unvisited = at_children - back
                traffic.append(Traffic(*names, back, back, at_parent, at_children, tiles))
            else:
                traffic.append(Traffic(*names, at_parent, at_children, nothing, nothing, tiles))
    done = {name: rows.product(factors) for name, factors in work(nest, depth).items()}
    return Inner(tuple(traffic), **done)


def _attributed(rows: Rows, pair: Pair, factors: Iterable[Factor], depth: int) -> Ints:
    """Product of factors where the block moves the pair's tile, 0 elsewhere."""
    if pair.frontier >= depth:
        return rows.product(factors)
    at = np.flatnonzero(rows.begins[pair.tensor])
    moved = np.zeros(rows.count, np.int64)
    moved[at] = rows.product(factors, at)
    return moved


def _alone(nest: LoopNest, level: int, extents: Ints) -> Rows:
    limit = list(nest.extents(nest.levels[level].depth).values())
    if extents.ndim != 2 or extents.shape[1] != len(DIMS) or (extents < 1).any() or (extents > limit).any():
        raise AccelsimError(
            f"level {nest.levels[level].name!r}: extents must be rows of {len(DIMS)}, from 1 to {limit}"
        )
    return standing_alone(extents)
