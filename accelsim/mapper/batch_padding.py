"""Pairs of position and tap that lie in the padding, taken out of the overlap of windows; strip by strip.

Without padding, rows read are pairs less linked pairs (``accelsim.cost.halo``). A pair that reads outside the
input counts in neither; the linked ones among them are few, and looked at one by one.
"""

import numpy as np
from numba import njit

from accelsim.mapper.out_of_line import out_of_line


@njit(cache=True, error_model="numpy")
def start(n, place, extent, at, bound):  # type: ignore[no-untyped-def]
    """A position in the whole dimension."""
    out_of_line()
    for i in range(n):
        place[i] = at
        extent[i] = bound


@njit(cache=True, error_model="numpy")
def descend(n, place, extent, tile):  # type: ignore[no-untyped-def]
    """Its place in, and the extent of, the block of the next cut."""
    out_of_line()
    for i in range(n):
        size = tile[i]
        before = np.floor((place[i] + 0.5) / size) * size
        place[i] -= before
        extent[i] = min(size, extent[i] - before)


@njit(cache=True, error_model="numpy")
def give_back(n, p_place, p_extent, near, r_place, apart, rows):  # type: ignore[no-untyped-def]
    """Add 1 where the position has its partner ``near`` on, and the tap ``apart`` back, in its block."""
    out_of_line()
    for i in range(n):
        both = (p_place[i] + near < p_extent[i]) & (r_place[i] >= apart)
        rows[i] += 1.0 if both else 0.0
