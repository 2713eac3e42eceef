"""The batch kernel: many mappings of one frame, a strip at a time, one dimension after the other."""

import numpy as np
from numba import njit

from accelsim.mapper import batch_padding as padding
from accelsim.mapper import batch_strips as strips
from accelsim.mapper.batch_cost import charge, rooms

STRIP = 248
"""Mappings worked on together: their intermediate results stay in the first two caches."""

KINDS = 16


@njit(cache=True, error_model="numpy", nogil=True)
def evaluate_strips(counting, charging, tiles, orders, cycles, energy, fits, counts):  # type: ignore[no-untyped-def]
    """Fill ``cycles``, ``energy``, ``fits`` and, unless it is empty, ``counts``; -1 or the first mapping with
    an impossible tile or order.

    tiles : (rows, n); orders : (times, 1, n) codes, or (times, 8, n) ranks
    counts : (boundaries, 2, n) elements at the parent and at the children
    """
    t = counting
    live, depth = t.rows.shape
    times, slots = 0, t.relevant.shape[1]
    for c in range(t.time_of.size):
        times = max(times, t.time_of[c] + 1)
    pool = np.empty((t.pool, STRIP))
    link = np.empty((t.links + 1, STRIP))
    tile = np.empty((live, depth, STRIP))
    inverse = np.empty((live, depth, STRIP))
    extent = np.empty((depth + 1, KINDS, STRIP))
    often = np.empty((depth + 1, KINDS, STRIP))
    kinds = np.ones(depth + 1, np.int64)
    rank = np.empty((times, slots, STRIP))
    moves = np.empty((times, slots, STRIP))
    innermost = np.empty((times, 3, STRIP))
    chosen = np.empty((t.choice.shape[0], STRIP))
    rows = np.empty((t.window.shape[0], STRIP))
    element = np.empty((t.base.size, STRIP))
    work = np.empty((8, STRIP))
    account = np.empty((2, charging.size.size, STRIP))
    total = fits.size
    for first in range(0, total, STRIP):
        n = min(STRIP, total - first)
        pool[:] = 1.0
        moves[:] = 0.0
        bad = 0
        for d in range(live):
            bad += load(t, tiles, first, n, d, tile, inverse, moves, pool, charging.volumes)
            nodes(t, d, n, tile, inverse, extent, often, kinds, pool, link, work)
        bad += ranks(t, orders, first, n, rank)
        if bad > 0:
            return first
        frontier(t, n, rank, moves, innermost)
        for c in range(t.choice.shape[0]):
            tensor, slot = t.choice[c]
            chosen[c, :n] = pool[t.options[c, 0], :n]
            for j in range(t.options.shape[1] - 1):
                if t.options[c, j + 1] < 0:
                    break
                strips.choose(
                    innermost[j, tensor], rank[j, slot], pool[t.options[c, j]], pool[t.options[c, j + 1]],
                    chosen[c], n,
                )  # fmt: skip
        for w in range(t.window.shape[0]):
            window(t, w, n, tile, link, work, rows[w])
        for e in range(t.base.size):
            element[e, :n] = t.base[e]
            for k in range(t.chosen.shape[1]):
                if t.chosen[e, k] >= 0:
                    strips.multiply(element[e], chosen[t.chosen[e, k]], n)
            for k in range(t.within.shape[1]):
                if t.within[e, k] >= 0:
                    strips.multiply(element[e], rows[t.within[e, k]], n)
        if counts.shape[2] > 0:
            for b in range(charging.boundary.shape[0]):
                counts[b, 0, first : first + n] = element[charging.boundary[b, 3], :n]
                counts[b, 1, first : first + n] = element[charging.boundary[b, 4], :n]
        rooms(t, charging, n, tile, pool, account[0], work, fits[first : first + n])
        charge(
            charging, n, element, pool, account, work, cycles[first : first + n], energy[first : first + n]
        )
    return -1


@njit(cache=True, error_model="numpy")
def load(t, tiles, first, n, d, tile, inverse, moves, pool, volumes):  # type: ignore[no-untyped-def]
    """Tiles of one dim: loops that move, positions of the array, volumes. Returns how many are impossible."""
    bad = 0
    bound = t.bounds[d]
    slot = t.slot[d]
    for c in range(t.rows.shape[1]):
        if t.rows[d, c] < 0:
            break
        strips.load_tiles(tiles[t.rows[d, c], first:], n, tile[d, c], inverse[d, c])
        j = t.time_of[t.cuts[d, c]]
        if c == 0:
            pool[0, :n] = bound
        above = tile[d, c - 1] if c else pool[0]
        bad += strips.impossible(above, tile[d, c], n)
        if j >= 0:
            strips.mark_moving(above, tile[d, c], moves[j, slot], n)
        else:
            use, reduced = t.use[t.cuts[d, c]]
            strips.times_trips(above, inverse[d, c], pool[use], n)
            if t.relevant[0, slot] and t.relevant[1, slot] and not t.relevant[2, slot]:
                strips.times_trips(above, inverse[d, c], pool[reduced], n)
        if c == 0:
            pool[0, :n] = 1.0
    for v in range(volumes.shape[1]):
        cut, index = volumes[d, v]
        if index >= 0:
            strips.multiply(pool[index], tile[d, cut], n)
    return bad


@njit(cache=True, error_model="numpy")
def nodes(t, d, n, tile, inverse, extent, often, kinds, pool, link, work):  # type: ignore[no-untyped-def]
    """Blocks of every chain of cuts of one dim that something asks for."""
    extent[0, 0, :n] = t.bounds[d]
    often[0, 0, :n] = 1.0
    kinds[0] = 1
    for node in range(t.node_range[d, 0], t.node_range[d, 1]):
        level, cut, kept, linked, gap = t.nodes[node]
        if level > 0:
            above = level - 1
            if kept:
                kinds[level] = strips.keep(
                    extent[above], often[above], kinds[above], tile[d, cut], inverse[d, cut],
                    extent[level], often[level], n,
                )  # fmt: skip
            else:
                kinds[level] = kinds[above]
                strips.merge(
                    extent[above], often[above], kinds[above], tile[d, cut], extent[level], often[level], n
                )
        for k in range(t.counts.shape[1]):
            if t.counts[node, k] >= 0:
                strips.times_count(often[level], kinds[level], pool[t.counts[node, k]], n)
        for k in range(t.sums.shape[1]):
            if t.sums[node, k] >= 0:
                strips.times_sum(extent[level], often[level], kinds[level], pool[t.sums[node, k]], work[0], n)
        if linked >= 0:
            strips.linked(extent[level], often[level], kinds[level], float(gap), link[linked], n)


@njit(cache=True, error_model="numpy")
def ranks(t, orders, first, n, rank):  # type: ignore[no-untyped-def]
    """Rank of every slot in every group of loops in time. Returns how many orders are impossible."""
    bad = 0
    for j in range(rank.shape[0]):
        if orders.shape[1] == 8:
            bad += strips.load_ranks(orders[j, :, first:], n, t.slot_dims, rank[j])
        else:
            bad += strips.load_codes(orders[j, 0, first:], n, t.ranks, rank[j])
    return bad


@njit(cache=True, error_model="numpy")
def frontier(t, n, rank, moves, innermost):  # type: ignore[no-untyped-def]
    """Per group of loops and tensor the rank of the innermost loop that indexes it and moves, or -1."""
    for j in range(rank.shape[0]):
        for tensor in range(3):
            innermost[j, tensor, :n] = -1.0
            for s in range(rank.shape[1]):
                if t.relevant[tensor, s]:
                    strips.innermost_moving(rank[j, s], moves[j, s], innermost[j, tensor], n)


@njit(cache=True, error_model="numpy")
def window(t, w, n, tile, link, work, rows):  # type: ignore[no-untyped-def]
    """Rows (or columns) of the input that one chain of positions and one of taps read."""
    axis, positions, taps = t.window[w, 0], t.window[w, 1], t.window[w, 2]
    strips.overlap(t.inside[axis], link[positions], link[taps], rows, n)
    for k in range(t.outside.shape[1]):
        if t.outside[axis, k, 0] < 0:
            break
        for side in range(2):
            dim = t.window[w, 3 + side]
            place, extent = work[2 * side], work[2 * side + 1]
            padding.start(n, place, extent, float(t.outside[axis, k, side]), t.bounds[dim])
            for c in range(t.chains.shape[2]):
                if t.chains[w, side, c] < 0:
                    break
                padding.descend(n, place, extent, tile[dim, t.chains[w, side, c]])
        padding.give_back(n, work[0], work[1], t.gaps[axis, 0], work[2], t.gaps[axis, 1], rows)
