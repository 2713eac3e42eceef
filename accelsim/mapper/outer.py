"""Tiles of the memories above the array: branch and bound over levels (innermost first) and dims, compiled.

What one boundary moves is bounded below whatever lies outside it: a tile of tensor X is brought at least once;
and of all tensors at most one escapes being brought again for every block of the dims that do not index it.
(For Y to be brought less often, the loops that do not index Y must move at or inside the gap that decides Y. In
a convolution they index every other tensor, so these are decided at or inside the same gap; for two tensors at
once both gaps are the same and its innermost moving loop would have to leave both alone. A dim that indexes all
tensors, as the groups of a depthwise layer, leaves none alone and changes nothing.)
"""

import numpy as np
from numba import njit

from accelsim.mapper.judge import better, judge, rows_of, spread
from accelsim.mapper.problem import Floats, Ints, Problem
from accelsim.mapper.window import tile_rows

ORDER = np.array([4, 6, 5, 7, 0, 1, 3, 2], np.int64)
"""Order in which dims are decided: window partners next to each other, output channels last."""
LAST = 2


@njit(cache=True)
def candidates(p: Problem, d: int, inner: int, block: int, own: int, out: Ints) -> int:
    """Tiles of one dim that are multiples of ``inner``, largest first; number of them.

    Of several with the same number of blocks the smallest is enough, unless a larger one reads fewer rows at
    its edges or leaves more processing elements without a part in the last block.
    """
    bound = p.bounds[d]
    units = -(-bound // inner)
    number = 0
    for n in range(units, 0, -1):
        tile = min(bound, n * inner)
        blocks = -(-bound // tile)
        smallest = n == 1 or -(-bound // ((n - 1) * inner)) != blocks
        if not smallest:
            least = -(-units // blocks) * inner  # of the tiles with as many blocks
            keep = own < block and spread(bound, tile, block, own) < spread(bound, least, block, own)
            if d >= 4 and not keep:
                axis = d % 2
                partner = p.bounds[6 + axis] if d < 6 else p.bounds[4 + axis]
                for other in range(1, partner + 1 if partner > 1 else 1):
                    if d < 6:
                        keep = rows_of(p, axis, tile, other) < rows_of(p, axis, least, other)
                    else:
                        keep = rows_of(p, axis, other, tile) < rows_of(p, axis, other, least)
                    if keep:
                        break
            if not keep:
                continue
        out[number] = tile
        number += 1
    return number


@njit(cache=True)
def fits(p: Problem, level: int, tile: Ints) -> bool:
    """Whether one copy of every memory of a level has room for its tiles."""
    for t in range(3):
        m = p.memory[level, t]
        if m < 0:
            continue
        need = 0.0
        for other in range(3):
            if p.memory[level, other] == m:
                need += elements(p, other, tile) * p.room[other] * p.buffers[m]
        if need > p.size[m]:
            return False
    return True


@njit(cache=True)
def elements(p: Problem, t: int, tile: Ints) -> float:
    """Elements of one full tile of a tensor."""
    total = 1.0
    for d in range(8):
        if p.relevant[t, d] and (t > 0 or d < 4):
            total *= tile[d]
    if t == 0:
        for axis in range(2):
            total *= tile_rows(
                tile[4 + axis], tile[6 + axis], p.stride[axis], p.dilation[axis], p.extent[axis], p.skip
            )
    return total


@njit(cache=True)
def boundary_floor(p: Problem, level: int, tile: Ints, decided: int, least_rows: Floats, out: Floats) -> None:
    """Least cost of bringing the tiles of a level of which the first ``decided`` dims of ``ORDER`` are known.

    ``out[c]`` is the energy if tensor c is the one that is not brought again, ``out[3 + c]`` the cycles of the
    ports above.
    """
    known = np.zeros(8, np.bool_)
    for q in range(decided):
        known[ORDER[q]] = True
    full = np.zeros(3)
    one = np.zeros(3)
    for t in range(3):
        if p.memory[level, t] < 0:
            continue
        base = again = 1.0
        for d in range(8):
            if p.relevant[t, d]:
                if t > 0 or d < 4:
                    base *= p.bounds[d]
            elif known[d]:
                again *= -(-p.bounds[d] // tile[d])
        if t == 0:
            for axis in range(2):
                if known[4 + axis] and known[6 + axis]:
                    base *= rows_of(p, axis, tile[4 + axis], tile[6 + axis])
                else:
                    base *= least_rows[axis]
        one[t], full[t] = base, base * again
    for c in range(3):
        energy = 0.0
        most = 0.0
        for t in range(3):
            if p.memory[level, t] < 0:
                continue
            moved = one[t] if t == c else full[t]
            b = 0
            while p.below[t, b] != level:
                b += 1
            energy += (p.parent_cost[t, b] + p.child_cost[t, b]) * moved
        for t in range(3):
            if p.memory[level, t] < 0:
                continue
            m = p.memory[0, t]
            if p.memory[level, t] >= 0 and level == 1:
                read = write = 0.0
                for other in range(3):
                    if p.memory[0, other] == m and p.memory[level, other] >= 0:
                        moved = one[other] if other == c else full[other]
                        if other < 2:
                            read += moved * p.width[other]
                        else:
                            read += (moved - p.outputs) * p.width[2]
                            write += moved * p.width[2] + p.outputs * p.done_bits
                read = read / p.read_bits[m] if p.read_bits[m] > 0 else 0.0
                write = write / p.write_bits[m] if p.write_bits[m] > 0 else 0.0
                most = max(most, read + write if p.one_port[m] else max(read, write))
        out[c] = energy
        out[3 + c] = np.ceil(most)


@njit(cache=True)
def solve(
    p: Problem, top: int, only: bool, tiles: Ints, own: Ints, energy: float, cycles: float, floors: Floats,
    steps: float, fixed: float, units: Floats, pes: float, split: bool, least_rows: Floats, goal: Ints,
    best: Floats, best_tiles: Ints, best_classes: Ints, fuel: int,
) -> int:  # fmt: skip
    """Best tiles of levels ``top`` down to 1 inside which everything is given.

    ``energy`` and ``cycles`` bound what lies inside from below, ``floors[k]`` the boundary into level k. With
    ``only``, nothing but the boundary into ``top`` counts. ``best`` (cycles, energy) is improved in place.
    Returns the fuel left; 0 means that it gave up.
    """
    most = 1
    for d in range(8):
        most = max(most, p.bounds[d])
    cand = np.zeros((top + 1, 8, most), np.int64)
    number = np.zeros((top + 1, 8), np.int64)
    index = np.zeros(8 * top + 1, np.int64)
    found = np.zeros(top + 1)
    floor = np.zeros(6)
    amount = np.zeros((3, max(p.levels, 1), 4))
    gap = np.zeros((3, max(p.levels, 1)), np.int64)
    classes = np.zeros(p.levels + 1, np.int64)
    trial = np.zeros(p.levels + 1, np.int64)
    bits = np.zeros((2, p.size.size))
    bottom = top if only else 1
    if top == 0:
        c, e = judge(
            p, tiles, own, steps, fixed, units, pes, split, goal, best, amount, gap, classes, trial, bits
        )
        if better(c, e, best[0], best[1], goal):
            best[0], best[1] = c, e
            best_tiles[:] = tiles
            best_classes[:] = classes
        return fuel
    array = p.shared + 1
    outside = np.zeros(top + 1)
    if not only:
        for k in range(2, top + 1):
            outside[k] = outside[k - 1] + floors[k - 1]
    last = 8 * (top - bottom + 1)
    pos = 0
    index[0] = -1
    while pos >= 0:
        k, q = top - pos // 8, pos % 8
        d = ORDER[q]
        if q == 0 and index[pos] < 0:
            for e in range(8):
                tiles[k, e] = tiles[k + 1, e]
                number[k, e] = candidates(p, e, tiles[k + 1, e], tiles[array, e], own[e], cand[k, e])
        index[pos] += 1
        if index[pos] >= number[k, d]:
            tiles[k, d] = tiles[k + 1, d]
            pos -= 1
            continue
        tiles[k, d] = cand[k, d, index[pos]]
        if not fits(p, k, tiles[k]):
            continue
        fuel -= 1
        if fuel <= 0:
            return 0
        boundary_floor(p, k, tiles[k], q + 1, least_rows, floor)
        hopeful = False
        for c in range(3):
            if better(
                max(cycles, floor[3 + c]), energy + found[k] + floor[c] + outside[k], best[0], best[1], goal
            ):
                hopeful = True
                break
        if not hopeful:
            if d < 4:  # fewer positions, more blocks: never less
                index[pos] = number[k, d]
            continue
        if pos + 1 < last:
            if q == 7:
                found[k - 1] = found[k] + min(floor[0], min(floor[1], floor[2]))
            pos += 1
            index[pos] = -1
            continue
        if only:
            for c in range(3):
                if better(floor[3 + c], floor[c], best[0], best[1], goal):
                    best[0], best[1] = floor[3 + c], floor[c]
        else:
            c, e = judge(
                p, tiles, own, steps, fixed, units, pes, split, goal, best, amount, gap, classes, trial, bits
            )
            if better(c, e, best[0], best[1], goal):
                best[0], best[1] = c, e
                best_tiles[:] = tiles
                best_classes[:] = classes
        if d == LAST and index[pos] < number[k, d] - 1:
            index[pos] = number[k, d] - 2  # larger tiles are better, but one equal to the array's may be kept
    return fuel
