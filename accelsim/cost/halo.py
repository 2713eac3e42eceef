"""Distinct input rows that blocks of output positions and kernel taps touch.

Position p and tap r read row ``p*stride + r*dilation - pad``. With g the greatest common divisor of stride
and dilation, (p, r) and (p + dilation/g, r - stride/g) read the same row and nothing nearer does. The pairs
that read one row form a chain, unbroken inside a block of neighbours; so a block of a positions and b taps
reads ``a*b - max(0, a - dilation/g) * max(0, b - stride/g)`` rows: all pairs less those with a successor.
Summed over all blocks both factors become sums of their own, and padding takes from both terms the pairs that
fall outside.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np

from accelsim.cost.blocks import Cuts, block_numbers, linked, linked_before, place_in_block, unbroken


@dataclass(frozen=True, slots=True)
class Window:
    """One spatial axis of the inputs; ``size`` None means that padding is read like any other row."""

    stride: int
    dilation: int
    pad: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """A block of positions (or taps) and how it is cut further."""

    start: int
    extent: int
    cuts: Cuts = ()


def rows(window: Window, positions: Span, taps: Span) -> int:
    """Rows read, each counted once for every combination of blocks of positions and of taps that reads it.

    The cost grows with the number of blocks' kinds; at the edge of the input with the shorter of the two
    spans too; and with their product where a union over copies leaves blocks that are not neighbours.
    """
    first = positions.start * window.stride + taps.start * window.dilation - window.pad
    reach = (positions.extent - 1) * window.stride + (taps.extent - 1) * window.dilation
    if window.size is None or (first >= 0 and first + reach < window.size):
        return _inside(
            window.stride, window.dilation, positions.extent, positions.cuts, taps.extent, taps.cuts
        )
    return _clipped(
        window.stride, window.dilation, -first, window.size,
        positions.extent, positions.cuts, taps.extent, taps.cuts,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _inside(stride: int, dilation: int, a: int, a_cuts: Cuts, b: int, b_cuts: Cuts) -> int:
    """Rows when none lies in the padding."""
    common = gcd(stride, dilation)
    near, apart = dilation // common, stride // common
    if a <= near or b <= apart:
        return a * b
    p_cuts, r_cuts = unbroken(a_cuts), unbroken(b_cuts)
    if p_cuts is None or r_cuts is None:
        return _enumerated(stride, dilation, 0, None, a, a_cuts, b, b_cuts)
    return a * b - linked(a, p_cuts, near) * linked(b, r_cuts, apart)


@lru_cache(maxsize=4096)
def _clipped(
    stride: int, dilation: int, pad: int, size: int, a: int, a_cuts: Cuts, b: int, b_cuts: Cuts
) -> int:
    """Rows within [0, size), where the first position and tap read row -pad."""
    if b > a:  # positions and taps play the same part; walk along the fewer
        return _clipped(dilation, stride, pad, size, b, b_cuts, a, a_cuts)
    common = gcd(stride, dilation)
    near, apart = dilation // common, stride // common
    p_cuts, r_cuts = unbroken(a_cuts), unbroken(b_cuts)
    unlinked = a <= near or b <= apart
    if not unlinked and (p_cuts is None or r_cuts is None):
        return _enumerated(stride, dilation, pad, size, a, a_cuts, b, b_cuts)
    read = 0
    for tap in range(b):
        base = pad - tap * dilation
        low = min(max(-(-base // stride), 0), a)
        high = min(max(-(-(base + size) // stride), low), a)
        read += high - low
        if unlinked or p_cuts is None or r_cuts is None:
            continue
        if place_in_block(tap, r_cuts) >= apart:
            read -= linked_before(high, a, p_cuts, near) - linked_before(low, a, p_cuts, near)
    return read


def _enumerated(
    stride: int, dilation: int, pad: int, size: int | None, a: int, a_cuts: Cuts, b: int, b_cuts: Cuts
) -> int:
    """Rows counted by listing every pair: chains of blocks that are not neighbours may have gaps."""
    p_number, r_number = block_numbers(a, a_cuts), block_numbers(b, b_cuts)
    row = np.arange(a)[:, None] * stride + np.arange(b) * dilation - pad
    reach = (a - 1) * stride + (b - 1) * dilation + 1
    pair = p_number[:, None] * (int(r_number.max()) + 1) + r_number
    code = pair * reach + row + pad
    if size is not None:
        code = code[(row >= 0) & (row < size)]
    return int(np.unique(code).size)
