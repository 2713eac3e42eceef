"""The fast batch kernel: three or four storage levels, one tile per level, class-ordered loops, one array."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from accelsim.mapper import batch_chains as chains
from accelsim.mapper import batch_classes as classes
from accelsim.mapper import batch_padding as padding
from accelsim.mapper import batch_strips as strips
from accelsim.mapper.batch_chains import MOVES, ROWS, STRIP
from accelsim.mapper.batch_tables import Float, Int


class Uniform(NamedTuple):
    """What the fast kernel needs to know of a layer, a frame and a hierarchy; dims in the order of ``DIMS``.

    bounds, slot : (8,) bound, and first row of the class
    rows : (8, cuts + 1) row of the tiles for every cut in time and for the array; -1 for a bound of 1
    place : (8,) axis of the array over which the dim may be unrolled, or one more for none
    windowed : (8,) 0, or 1 if positions and taps of the dim's window may read the same row
    axis_size : (axes,)
    gaps, size : (2, 2), (2,) see ``Counting``; rows and columns of the input, inf if padding is read
    inside : (2,) pairs of position and tap that read inside the input
    outside : (2, most, 2) linked pairs that do not; -1 fills up
    moved, taken : (3,) elements of one fetch (of inputs per row and column), of one step over the array
    energy : (quantities,) joules per unit of each row of ``batch_classes``
    bits : (memories, 2, quantities) bits read and written per unit
    port : (memories, 3) bits per cycle read and written, 0 unlimited; 1 if both share the port
    spread : (memories,) whether every element of the array has a copy
    compute : steps per cycle
    room : (memories, 12) bits per element of a tile of each tensor at each cut in time, then of the array
    free : (memories,) bits
    """

    bounds: Float
    slot: Int
    rows: Int
    place: Int
    windowed: NDArray[np.bool_]
    axis_size: Float
    gaps: Float
    size: Float
    inside: Float
    outside: Int
    moved: tuple[float, float, float]
    taken: tuple[float, float, float]
    energy: Float
    bits: Float
    port: Float
    spread: NDArray[np.bool_]
    compute: float
    room: Float
    free: Float


@njit(cache=True, error_model="numpy", nogil=True)
def evaluate_uniform(t, tiles, codes, cycles, energy, fits, counts):  # type: ignore[no-untyped-def]
    """Fill ``cycles``, ``energy``, ``fits`` and, unless it is empty, ``counts``; -1 or the first mapping of a
    strip with an impossible tile or code.

    tiles : (rows, n); codes : (times, n)
    counts : (quantities, n) rows of ``batch_classes``
    """
    times = codes.shape[0]
    slots = np.empty(4 * ROWS * STRIP)
    use = np.empty((t.axis_size.size + 1, STRIP))
    tile = np.ones(8 * 4 * STRIP)
    link = np.empty((8, 4 * STRIP))
    order = np.empty(3 * STRIP)
    often = np.empty((2, 3 * STRIP))
    rows = np.empty((2, 4 * STRIP))
    quantity = np.empty(classes.QUANTITIES * STRIP)
    table = quantity.reshape((classes.QUANTITIES, STRIP))
    volume = np.empty(12 * STRIP)
    work = np.empty((5, STRIP))
    quantity[:] = 0.0
    table[classes.WHOLE] = 1.0
    for first in range(0, fits.size, STRIP):
        n = min(STRIP, fits.size - first)
        slots[:] = 1.0
        for s in range(4):
            slots[(s * ROWS + MOVES) * STRIP : (s + 1) * ROWS * STRIP] = 0.0
        use[:] = 1.0
        bad = 0
        for d in range(8):
            if t.rows[d, 0] >= 0:
                bad += blocks(t, d, times, tiles, first, n, slots, use, tile, link[d])
        rows[:] = 1.0
        for axis in range(2):
            windows(t, axis, times, n, tile, link, rows[axis], work)
        for j in range(times):
            bad += classes.inside(n, codes[j, first:], order)
            if j == 0:
                begin(n, slots, often)
            classes.fetch(n, j, order, slots, often[0], often[1])
            at = j * STRIP
            classes.move(n, often[0], rows[0, at:], rows[1, at:], t.moved, quantity[3 * at :])
        if bad > 0:
            return first
        at = 3 * STRIP
        classes.move(n, often[1], rows[0, at:], rows[1, at:], t.moved, quantity[classes.DOWN * STRIP :])
        positions = work[0]
        positions[:n] = 1.0
        for axis in range(t.axis_size.size):
            strips.multiply(positions, use[axis], n)
        classes.take(n, slots, t.taken, quantity[classes.TAKEN * STRIP :])
        strips.alone(slots[(2 * ROWS + chains.SPREAD) * STRIP :], table[classes.ALONE], n)
        check(t, times, n, tile, use, volume, work, fits[first : first + n])
        charge(t, n, quantity, slots, positions, work, cycles[first : first + n], energy[first : first + n])
        if counts.shape[1] > 0:
            counts[:, first : first + n] = table[:, :n]
    return -1


@njit(cache=True, error_model="numpy")
def begin(n, slots, often):  # type: ignore[no-untyped-def]
    """Before any loop in time: one fetch at the parent, one by each element of the array."""
    often[0] = 1.0
    for tensor in range(3):
        row = (tensor * ROWS + chains.SPREAD) * STRIP
        often[1, tensor * STRIP : tensor * STRIP + n] = slots[row : row + n]


@njit(cache=True, error_model="numpy")
def blocks(t, d, times, tiles, first, n, slots, use, tile, link):  # type: ignore[no-untyped-def]
    """One dimension; returns how many of its tiles are impossible."""
    slot = slots[t.slot[d] * STRIP :]
    own = tile[4 * d * STRIP :]
    gap = t.gaps[d & 1, (d >= 6) * 1]
    trips = use[t.place[d]]
    a = tiles[t.rows[d, 0], first:]
    b = tiles[t.rows[d, 1], first:]
    c = tiles[t.rows[d, 2], first:]
    if times == 2 and t.windowed[d]:
        return chains.two_windowed(n, t.bounds[d], gap, a, b, c, slot, trips, own, link)
    if times == 2:
        return chains.two(n, t.bounds[d], gap, a, b, c, slot, trips, own, link)
    e = tiles[t.rows[d, 3], first:]
    if t.windowed[d]:
        return chains.three_windowed(n, t.bounds[d], gap, a, b, c, e, slot, trips, own, link)
    return chains.three(n, t.bounds[d], gap, a, b, c, e, slot, trips, own, link)


@njit(cache=True, error_model="numpy")
def windows(t, axis, times, n, tile, link, rows, work):  # type: ignore[no-untyped-def]
    """Rows (or columns) read, at the parent of each cut in time and, last, by all elements of the array."""
    p, r = 4 + axis, 6 + axis
    if not t.windowed[p]:
        rows[:] = t.inside[axis]
        return
    for cut in range(4):
        if cut < times or cut == 3:
            at = cut * STRIP
            strips.overlap(t.inside[axis], link[p, at:], link[r, at:], rows[at:], n)
    for k in range(t.outside.shape[1]):
        if t.outside[axis, k, 0] < 0:
            break
        padding.start(n, work[0], work[1], float(t.outside[axis, k, 0]), t.bounds[p])
        padding.start(n, work[2], work[3], float(t.outside[axis, k, 1]), t.bounds[r])
        for cut in range(4):
            if cut < times or cut == 3:
                at = cut * STRIP
                padding.descend(n, work[0], work[1], tile[4 * p * STRIP + at :])
                padding.descend(n, work[2], work[3], tile[4 * r * STRIP + at :])
                padding.give_back(n, work[0], work[1], t.gaps[axis, 0], work[2], t.gaps[axis, 1], rows[at:])


@njit(cache=True, error_model="numpy")
def check(t, times, n, tile, use, volume, work, fits):  # type: ignore[no-untyped-def]
    """Whether every memory has room for its tiles, and every axis as many positions as are used."""
    misses = work[1]
    misses[:n] = 0.0
    for cut in range(4):
        if cut < times or cut == 3:
            classes.volumes(n, tile, cut, t.gaps, t.size, volume[3 * cut * STRIP :])
    for m in range(t.free.size):
        if t.free[m] == np.inf:
            continue
        bits = work[2]
        bits[:n] = 0.0
        classes.add_tensors(n, volume, t.room[m], bits)
        strips.mark_above(bits, t.free[m], misses, n)
    for axis in range(t.axis_size.size):
        strips.mark_above(use[axis], t.axis_size[axis], misses, n)
    for i in range(n):
        fits[i] = misses[i] == 0.0


@njit(cache=True, error_model="numpy")
def charge(t, n, quantity, slots, positions, work, cycles, energy):  # type: ignore[no-untyped-def]
    """Energy, and cycles of the busiest of the units and the ports."""
    classes.weigh(n, quantity, t.energy, energy)
    strips.compute_cycles(
        slots[chains.STEPS * STRIP :], slots[(ROWS + chains.STEPS) * STRIP :],
        slots[(2 * ROWS + chains.STEPS) * STRIP :], slots[(3 * ROWS + chains.STEPS) * STRIP :],
        t.compute, cycles, n,
    )  # fmt: skip
    one = quantity[classes.WHOLE * STRIP :]
    for m in range(t.port.shape[0]):
        if t.port[m, 0] == 0.0 and t.port[m, 1] == 0.0:
            continue
        for way in range(2):
            classes.weigh(n, quantity, t.bits[m, way], work[2 + way])
        if t.spread[m]:
            strips.port_cycles(work[2], work[3], t.port[m], positions, cycles, n)
        else:
            strips.port_cycles(work[2], work[3], t.port[m], one, cycles, n)
