"""The counts tile by tile: what moves at each iteration above a level, and what happens inside each tile."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from accelsim.cost.counts import Traffic
from accelsim.cost.nest import TENSORS, LoopNest, Padding
from accelsim.cost.pairs import Factor, Pair, check_padding, pairs, work
from accelsim.cost.rows import Flags, Ints, Rows, expand, refuse_copies
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, RELEVANT


@dataclass(frozen=True, slots=True)
class Transfers:
    """One row per iteration of the loops above a level, in the order in which they run.

    starts, extents : (rows, 8)
        first position and number of positions of each of ``DIMS`` in the block of that iteration
    begins : tensor -> (rows,) bool
        whether the iteration needs another tile than the one before (also for tensors that pass the level by)
    parent : (rows,)
        row of the level above in which the iteration lies
    inputs, weights : (rows,)
        elements brought to the level before the iteration; 0 where the tile stays
    read_back, written : (rows,)
        elements of outputs brought before the iteration (none at a first visit) and taken away after it

    A tensor that the level does not hold moves nothing here; see ``inner``.
    """

    level: int
    starts: Ints
    extents: Ints
    begins: dict[str, Flags]
    parent: Ints
    inputs: Ints
    weights: Ints
    read_back: Ints
    written: Ints


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
    count = len(parent)
    moved = {name: np.zeros(count, np.int64) for name in ("inputs", "weights", "read_back", "written")}
    for tensor in TENSORS:
        for pair in pairs(nest, tensor):
            if pair.child != level:
                continue
            starts = np.flatnonzero(rows.begins[tensor])
            elements = _product(rows, pair.factors("parent", depth, padding), starts)
            if tensor == "outputs":
                moved["written"][np.append(starts[1:], count) - 1] = elements
                moved["read_back"][starts] = np.where(_fresh(rows, starts), 0, elements)
            else:
                moved[tensor][starts] = elements
    return Transfers(level, rows.starts, rows.extents, rows.begins, parent, **moved)


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
    rows, padding = _blocks(nest, level, blocks, padding)
    depth = nest.levels[level].depth
    count = len(rows.extents)
    nothing = np.zeros(count, np.int64)
    traffic = []
    for tensor in TENSORS:
        everywhere = np.arange(count)
        outputs = _product(rows, (Factor((d,)) for d in RELEVANT["outputs"]), everywhere)
        unvisited = np.where(_fresh(rows, everywhere), outputs, 0)
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
    done = {name: _product(rows, factors, np.arange(count)) for name, factors in work(nest, depth).items()}
    return Inner(tuple(traffic), **done)


def _product(rows: Rows, factors: Iterable[Factor], at: Ints) -> Ints:
    total = np.ones(len(at), np.int64)
    for factor in factors:
        total *= rows.evaluate(factor, at)
    return total


def _attributed(rows: Rows, pair: Pair, factors: Iterable[Factor], depth: int) -> Ints:
    """Product of factors where the block moves the pair's tile, 0 elsewhere."""
    count = len(rows.extents)
    if pair.frontier >= depth:
        return _product(rows, factors, np.arange(count))
    at = np.flatnonzero(rows.begins[pair.tensor])
    moved = np.zeros(count, np.int64)
    moved[at] = _product(rows, factors, at)
    return moved


def _fresh(rows: Rows, at: Ints) -> Flags:
    """Whether nothing was added yet to the outputs of these rows: no loop of the reduction has advanced."""
    reduction = [DIMS.index(d) for d in DIMS if d not in RELEVANT["outputs"]]
    return np.asarray(~rows.starts[at][:, reduction].any(axis=1))


def _blocks(nest: LoopNest, level: int, blocks: Transfers | Ints, padding: Padding) -> tuple[Rows, Padding]:
    if isinstance(blocks, Transfers):
        return Rows(blocks.starts, blocks.extents, blocks.begins, placed=True), padding
    refuse_copies(nest, level)
    limit = list(nest.extents(nest.levels[level].depth).values())
    if blocks.ndim != 2 or blocks.shape[1] != len(DIMS) or (blocks < 1).any() or (blocks > limit).any():
        raise AccelsimError(
            f"level {nest.levels[level].name!r}: extents must be rows of {len(DIMS)}, from 1 to {limit}"
        )
    begins = dict.fromkeys(TENSORS, np.ones(len(blocks), np.bool_))
    return Rows(np.zeros_like(blocks), blocks, begins, placed=False), "count"
