"""Rows (or columns) of the inputs that uniform blocks of output positions and kernel taps touch, compiled.

The same sums as ``cost.halo``, for one loop over each: blocks of ``a`` positions and of ``b`` taps.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.mapper.compiled import compiled


@compiled
def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


@compiled
def tile_rows(a: int, b: int, stride: int, dilation: int, size: int, skip: int) -> int:
    """Distinct rows of one full tile; never more than the input has if padding is skipped."""
    common = _gcd(stride, dilation)
    rows = a * b - max(0, a - dilation // common) * max(0, b - stride // common)
    return min(rows, size) if skip else rows


@compiled
def _linked_before(limit: int, extent: int, tile: int, gap: int) -> int:
    full = limit // tile
    rest = limit - full * tile
    inside = min(tile, extent - full * tile)
    return full * max(0, tile - gap) + min(rest, max(0, inside - gap))


@compiled
def block_rows(
    positions: int, taps: int, a: int, b: int, stride: int, dilation: int, pad: int, size: int, skip: int
) -> float:
    """Rows read, each counted once per pair of blocks that reads it."""
    common = _gcd(stride, dilation)
    near, apart = dilation // common, stride // common
    read = 0
    for tap in range(taps):
        low, high = 0, positions
        if skip:
            base = pad - tap * dilation
            low = min(max(-(-base // stride), 0), positions)
            high = min(max(-(-(base + size) // stride), low), positions)
        read += high - low
        if tap % b >= apart:
            read -= _linked_before(high, positions, a, near) - _linked_before(low, positions, a, near)
    return float(read)


@compiled
def fill_rows(p: Any, rows: NDArray[np.float64]) -> None:
    """``block_rows`` of every pair of tiles, for both axes."""
    for axis in range(2):
        positions, taps = p.bounds[4 + axis], p.bounds[6 + axis]
        for a in range(1, positions + 1):
            for b in range(1, taps + 1):
                rows[axis, a, b] = block_rows(
                    positions, taps, a, b,
                    p.stride[axis], p.dilation[axis], p.pad[axis], p.extent[axis], p.skip,
                )  # fmt: skip


@compiled
def side_by_side_rows(
    positions: int, taps: int, a: int, t: int, b: int, u: int,
    stride: int, dilation: int, pad: int, size: int, skip: int,
) -> float:  # fmt: skip
    """Rows that units take, cycle by cycle, each counted once per cycle over the array.

    Blocks of ``a`` positions are spread over the array, ``t`` to each unit one after the other; likewise
    ``b`` and ``u`` for taps.
    """
    reach = (positions - 1) * stride + (taps - 1) * dilation + 1
    seen = np.zeros(reach, np.int64)
    stamp = 0
    read = 0
    for p0 in range(0, positions, a):
        for i in range(min(t, positions - p0)):
            for r0 in range(0, taps, b):
                for j in range(min(u, taps - r0)):
                    stamp += 1
                    for p in range(p0 + i, min(p0 + a, positions), t):
                        for r in range(r0 + j, min(r0 + b, taps), u):
                            row = p * stride + r * dilation
                            if skip and not 0 <= row - pad < size:
                                continue
                            if seen[row] != stamp:
                                seen[row] = stamp
                                read += 1
    return float(read)
