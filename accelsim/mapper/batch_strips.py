"""Loops over a strip of mappings, each short enough for LLVM to vectorise.

All arrays are float64 and hold integers below 2^53, so sums and products are exact. ``floor((e + 0.5) / t)``
by a reciprocal is the exact integer quotient for e below 2^50: the nearest integer is at least 0.5/t away.
"""

import numpy as np
from numba import njit

from accelsim.mapper.out_of_line import out_of_line


@njit(cache=True, error_model="numpy")
def load_tiles(tiles, n, out, inverse):  # type: ignore[no-untyped-def]
    """Tiles of one cut of one dim as floats, with their reciprocals."""
    out_of_line()
    for i in range(n):
        value = float(tiles[i])
        out[i] = value
        inverse[i] = 1.0 / value


@njit(cache=True, error_model="numpy")
def keep(extent, times, kinds, tile, inverse, out_extent, out_times, n):  # type: ignore[no-untyped-def]
    """Cut blocks of several kinds (extent, how often) into blocks of ``tile``: full ones and short ones.

    Kind 0 of the result is the full block; kind k + 1 what remains of the kind k above. Returns the kinds.
    """
    out_of_line()
    full_extent = out_extent[0]
    full = out_times[0]
    for i in range(n):
        full_extent[i] = tile[i]
        full[i] = 0.0
    used = 1
    for kind in range(kinds):
        e = extent[kind]
        m = times[kind]
        oe = out_extent[used]
        om = out_times[used]
        some = 0
        for i in range(n):
            here = m[i]
            quotient = np.floor((e[i] + 0.5) * inverse[i])
            rest = e[i] - quotient * tile[i]
            full[i] += here * quotient
            oe[i] = rest
            om[i] = here if rest > 0.0 else 0.0
            some += (rest > 0.0) & (here > 0.0)
        if some > 0:  # aligned chains have short blocks at the edge only
            used += 1
    return used


@njit(cache=True, error_model="numpy")
def merge(extent, times, kinds, tile, out_extent, out_times, n):  # type: ignore[no-untyped-def]
    """Lay the blocks of ``tile`` over each other: of every block only the first remains."""
    out_of_line()
    for kind in range(kinds):
        e = extent[kind]
        m = times[kind]
        oe = out_extent[kind]
        om = out_times[kind]
        for i in range(n):
            oe[i] = min(e[i], tile[i])
            om[i] = m[i]


@njit(cache=True, error_model="numpy")
def times_count(times, kinds, out, n):  # type: ignore[no-untyped-def]
    """Multiply by the number of blocks."""
    out_of_line()
    if kinds == 1:
        m = times[0]
        for i in range(n):
            out[i] *= m[i]
    elif kinds == 2:
        m = times[0]
        m1 = times[1]
        for i in range(n):
            out[i] *= m[i] + m1[i]
    elif kinds == 3:
        m = times[0]
        m1 = times[1]
        m2 = times[2]
        for i in range(n):
            out[i] *= m[i] + m1[i] + m2[i]
    else:
        for i in range(n):
            total = 0.0
            for kind in range(kinds):
                total += times[kind, i]
            out[i] *= total


@njit(cache=True, error_model="numpy")
def times_sum(extent, times, kinds, out, work, n):  # type: ignore[no-untyped-def]
    """Multiply by the sum of the extents of all blocks."""
    out_of_line()
    for i in range(n):
        work[i] = 0.0
    for kind in range(kinds):
        e = extent[kind]
        m = times[kind]
        for i in range(n):
            work[i] += m[i] * e[i]
    for i in range(n):
        out[i] *= work[i]


@njit(cache=True, error_model="numpy")
def linked(extent, times, kinds, gap, out, n):  # type: ignore[no-untyped-def]
    """Sum over all blocks of ``max(0, extent - gap)``: positions whose partner ``gap`` on is in the block."""
    out_of_line()
    for i in range(n):
        out[i] = 0.0
    for kind in range(kinds):
        e = extent[kind]
        m = times[kind]
        for i in range(n):
            out[i] += m[i] * max(0.0, e[i] - gap)


@njit(cache=True, error_model="numpy")
def choose(innermost, rank, outside, inside, chosen, n):  # type: ignore[no-untyped-def]
    """Blocks of a slot that a tensor is fetched for, one more group of loops in time taken into account.

    ``innermost``: rank of the innermost loop of the group that indexes the tensor and moves, -1 if there is
    none. If there is one, loops of the slot count down to it.
    """
    out_of_line()
    for i in range(n):
        now = chosen[i]
        out = outside[i]
        counted = inside[i]
        last = innermost[i]
        fetched = counted if last > rank[i] else out
        chosen[i] = fetched if last >= 0.0 else now


@njit(cache=True, error_model="numpy")
def multiply(out, by, n):  # type: ignore[no-untyped-def]
    """Element by element."""
    out_of_line()
    for i in range(n):
        out[i] *= by[i]


@njit(cache=True, error_model="numpy")
def impossible(above, tile, n):  # type: ignore[no-untyped-def]
    """How many tiles are below 1 or larger than the block they cut."""
    out_of_line()
    bad = 0
    for i in range(n):
        bad += (tile[i] < 1.0) | (tile[i] > above[i])
    return bad


@njit(cache=True, error_model="numpy")
def mark_moving(above, tile, moves, n):  # type: ignore[no-untyped-def]
    """Set to 1 where the loop nominally has more than one trip."""
    out_of_line()
    for i in range(n):
        already = moves[i]
        moves[i] = 1.0 if tile[i] < above[i] else already


@njit(cache=True, error_model="numpy")
def times_trips(above, inverse, out, n):  # type: ignore[no-untyped-def]
    """Multiply by the nominal trip count, ``ceil(above / tile)``."""
    out_of_line()
    for i in range(n):
        out[i] *= np.floor((above[i] - 0.5) * inverse[i]) + 1.0


@njit(cache=True, error_model="numpy")
def innermost_moving(rank, moves, innermost, n):  # type: ignore[no-untyped-def]
    """Raise to the rank where the loops move."""
    out_of_line()
    for i in range(n):
        place = rank[i]
        here = place if moves[i] > 0.0 else -1.0
        innermost[i] = max(innermost[i], here)


@njit(cache=True, error_model="numpy")
def overlap(pairs, positions, taps, rows, n):  # type: ignore[no-untyped-def]
    """Rows read: pairs less those whose row the next linked pair reads, too."""
    out_of_line()
    for i in range(n):
        rows[i] = pairs - positions[i] * taps[i]


@njit(cache=True, error_model="numpy")
def load_codes(codes, n, table, rank):  # type: ignore[no-untyped-def]
    """Ranks of the slots under an order code each. Returns how many codes are impossible."""
    out_of_line()
    bad = 0
    for i in range(n):
        bad += (codes[i] < 0) | (codes[i] > 5)
    if bad > 0:
        return bad
    for s in range(rank.shape[0]):
        packed = 0
        for code in range(6):
            packed |= int(table[code, s]) << (4 * code)
        for i in range(n):
            rank[s, i] = float((packed >> (4 * int(codes[i]))) & 15)
    return bad


@njit(cache=True, error_model="numpy")
def load_ranks(given, n, dims, rank):  # type: ignore[no-untyped-def]
    """Ranks of the slots' dims. Returns how many mappings do not rank the eight dims 0 to 7."""
    out_of_line()
    bad = 0
    for i in range(n):
        seen = 0
        for d in range(8):
            seen |= 1 << (int(given[d, i]) & 63)
        bad += seen != 255
    for s in range(rank.shape[0]):
        row = given[dims[s]]
        out = rank[s]
        for i in range(n):
            out[i] = float(row[i])
    return bad


@njit(cache=True, error_model="numpy")
def add_scaled(out, by, factor, n):  # type: ignore[no-untyped-def]
    """Add a multiple."""
    out_of_line()
    for i in range(n):
        out[i] += by[i] * factor


@njit(cache=True, error_model="numpy")
def remainder(place, tile, inverse, n):  # type: ignore[no-untyped-def]
    """Place in the block of ``tile``."""
    out_of_line()
    for i in range(n):
        place[i] -= np.floor((place[i] + 0.5) * inverse[i]) * tile[i]


@njit(cache=True, error_model="numpy")
def subtract_where(out, by, place, least, sign, n):  # type: ignore[no-untyped-def]
    """Subtract where the place in the block is at least so much."""
    out_of_line()
    for i in range(n):
        amount = sign * by[i]
        out[i] -= amount if place[i] >= least else 0.0


@njit(cache=True, error_model="numpy")
def times_rows(out, a, b, near, apart, most, n):  # type: ignore[no-untyped-def]
    """Multiply by the rows that ``a`` positions and ``b`` taps read, at most all there are."""
    out_of_line()
    for i in range(n):
        rows = a[i] * b[i] - max(0.0, a[i] - near) * max(0.0, b[i] - apart)
        out[i] *= min(rows, most)


@njit(cache=True, error_model="numpy")
def mark_above(amount, most, marks, n):  # type: ignore[no-untyped-def]
    """Set to 1 where there is more than allowed."""
    out_of_line()
    for i in range(n):
        already = marks[i]
        marks[i] = 1.0 if amount[i] > most else already


@njit(cache=True, error_model="numpy")
def port_cycles(read, write, port, copies, cycles, n):  # type: ignore[no-untyped-def]
    """Raise to the cycles of a port: bits each way, bits per cycle (0 unlimited), whether both share it."""
    out_of_line()
    read_bits = port[0] if port[0] > 0.0 else np.inf
    write_bits = port[1] if port[1] > 0.0 else np.inf
    together = port[2] > 0.0
    for i in range(n):
        reading = read[i] / (read_bits * copies[i])
        writing = write[i] / (write_bits * copies[i])
        busy = reading + writing if together else max(reading, writing)
        cycles[i] = max(cycles[i], np.ceil(busy))


@njit(cache=True, error_model="numpy")
def compute_cycles(a, b, c, d, rate, cycles, n):  # type: ignore[no-untyped-def]
    """Cycles of the units for a product of steps."""
    out_of_line()
    for i in range(n):
        cycles[i] = np.ceil(a[i] * b[i] * c[i] * d[i] / rate)


@njit(cache=True, error_model="numpy")
def alone(positions, out, n):  # type: ignore[no-untyped-def]
    """1 where there is a single position."""
    out_of_line()
    for i in range(n):
        out[i] = 1.0 if positions[i] == 1.0 else 0.0
