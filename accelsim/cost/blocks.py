"""One dimension cut by nested loops: sums over its blocks, by kind of block and not one by one.

``cuts`` describes the loops over the dimension, outermost first, as pairs (tile, kept). A *kept* loop tells
its blocks apart; blocks of a loop that is not kept are laid over each other (a union over copies, a moment of
many). A block is full or the short last one, and what happens in the short one is a prefix of what happens in
the full one; so a union over blocks is its first block.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Cuts = tuple[tuple[int, bool], ...]


def fold(extent: int, cuts: Cuts, leaf: Callable[[int], int]) -> int:
    """Sum ``leaf(extent of block)`` over the innermost blocks of ``extent`` positions.

    Kept loops add their blocks up, others contribute their largest.
    """
    while cuts and extent <= cuts[0][0]:
        cuts = cuts[1:]
    if not cuts:
        return leaf(extent)
    (tile, kept), inside = cuts[0], cuts[1:]
    if not kept:
        return fold(tile, inside, leaf)
    full, short = divmod(extent, tile)
    total = full * fold(tile, inside, leaf)
    return total + fold(short, inside, leaf) if short else total


@lru_cache(maxsize=4096)
def distinct_blocks(extent: int, cuts: Cuts) -> int:
    """Number of blocks that the kept loops tell apart."""
    return fold(extent, cuts, lambda _: 1)


def longest(extent: int, cuts: Cuts) -> int:
    """Positions worked through one after the other if kept loops are in time and the others side by side."""
    return fold(extent, cuts, lambda block: block)


def linked(extent: int, cuts: Cuts, gap: int) -> int:
    """Positions p for which p + ``gap`` lies in the same block (all loops kept)."""
    return fold(extent, cuts, lambda block: max(0, block - gap))


def linked_before(limit: int, extent: int, cuts: Cuts, gap: int) -> int:
    """``linked``, of the positions below ``limit`` only (0 <= limit <= extent)."""
    total = 0
    for index, (tile, _) in enumerate(cuts):
        full, limit = divmod(limit, tile)
        total += full * linked(tile, cuts[index + 1 :], gap) if full else 0
        extent = min(tile, extent - full * tile)
        if limit == 0:
            return total
    return total + min(limit, max(0, extent - gap))


def place_in_block(position: int, cuts: Cuts) -> int:
    """Distance of a position from the start of its innermost block (all loops kept)."""
    for tile, _ in cuts:
        position %= tile
    return position


def unbroken(cuts: Cuts) -> Cuts | None:
    """The cuts without their innermost loops that are not kept; None if one outside a kept loop remains.

    With None the positions that belong together are not neighbours.
    """
    while cuts and not cuts[-1][1]:
        cuts = cuts[:-1]
    return cuts if all(kept for _, kept in cuts) else None


def block_numbers(extent: int, cuts: Cuts) -> NDArray[np.int64]:
    """For every position a number that is equal where the kept loops do not tell two positions apart."""
    place = np.arange(extent, dtype=np.int64)
    number = np.zeros(extent, np.int64)
    for tile, kept in cuts:
        index, place = np.divmod(place, tile)
        if kept:
            number = number * (int(index.max()) + 1) + index
    return number
