"""Tiles of the memories above the array: branch and bound over levels (innermost first) and dims, compiled.

What one boundary moves is bounded below whatever lies outside it: a tile of tensor X is brought at least once;
and of all tensors at most one escapes being brought again for every block of the dims that do not index it.
(For Y to be brought less often, the loops that do not index Y must move at or inside the gap that decides Y. In
a convolution they index every other tensor, so these are decided at or inside the same gap; for two tensors at
once both gaps are the same and its innermost moving loop would have to leave both alone. A dim that indexes all
tensors, as the groups of a depthwise layer, leaves none alone and changes nothing.)
"""

import numpy as np

from accelsim.mapper.compiled import compiled
from accelsim.mapper.judge import better, judge, port, rows_of, spread
from accelsim.mapper.problem import Floats, Ints, Mapping, Node, Problem
from accelsim.mapper.window import tile_rows

ORDER = np.array([4, 6, 5, 7, 0, 1, 3, 2], np.int64)
"""Order in which dims are decided: window partners next to each other, output channels last."""
LAST = 2


@compiled
def candidates(p: Problem, table: Floats, d: int, inner: int, block: int, own: int, out: Ints) -> int:
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
                        keep = rows_of(p, table, axis, tile, other) < rows_of(p, table, axis, least, other)
                    else:
                        keep = rows_of(p, table, axis, other, tile) < rows_of(p, table, axis, other, least)
                    if keep:
                        break
            if not keep:
                continue
        out[number] = tile
        number += 1
    return number


@compiled
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


@compiled
def fits_above(p: Problem, level: int, tiles: Ints) -> bool:
    """Whether memories with tiles at a level above the array have room, those further in being known.

    A memory may keep other tensors further out; they need no less than the tile of this level.
    """
    for m in range(p.memories):
        concerned = False
        need = 0.0
        for t in range(3):
            k = p.kept[m, t]
            if k >= 0:
                concerned |= k == level
                need += elements(p, t, tiles[max(k, level)]) * p.room[t] * p.buffers[m]
        if concerned and need > p.size[m]:
            return False
    return True


@compiled
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


@compiled
def boundary_floor(p: Problem, table: Floats, level: int, n: Node, decided: int) -> None:
    """Least cost of bringing the tiles of a level of which the first ``decided`` dims of ``ORDER`` are known.

    ``n.floor[c]`` is the energy if tensor c is the one that is not brought again, ``n.floor[3 + c]`` the cycles
    of the ports above (of the outermost boundary only).
    """
    tile = n.tiles[level]
    again_inputs = again_weights = again_outputs = 1.0
    for q in range(decided):
        d = ORDER[q]
        if p.bounds[d] > tile[d] and d != 1:
            blocks = -(-p.bounds[d] // tile[d])
            if d == 2:
                again_inputs *= blocks
            elif d == 3 or d >= 6:
                again_outputs *= blocks
            else:
                again_weights *= blocks
    inputs = float(p.bounds[0] * p.bounds[1] * p.bounds[3])
    for axis in range(2):
        if decided >= 2 * axis + 2:
            inputs *= rows_of(p, table, axis, tile[4 + axis], tile[6 + axis])
        else:
            inputs *= n.rows[axis]
    one = (inputs, p.macs / (p.bounds[0] * p.bounds[4] * p.bounds[5]), p.outputs)
    again = (again_inputs, again_weights, again_outputs)
    for c in range(3):
        energy = most = 0.0
        for t in range(3):
            if p.memory[level, t] >= 0:
                moved = one[t] if t == c else one[t] * again[t]
                energy += p.entry_cost[level, t] * moved
        n.floor[c] = energy
        n.floor[3 + c] = 0.0
        if level > 1 or not p.outer_ports:
            continue
        for t in range(3):
            if p.memory[level, t] < 0:
                continue
            read = write = 0.0
            for other in range(3):
                if p.memory[0, other] == p.memory[0, t] and p.memory[level, other] >= 0:
                    moved = one[other] if other == c else one[other] * again[other]
                    if other < 2:
                        read += moved * p.width[other]
                    else:
                        read += (moved - p.outputs) * p.width[2]
                        write += moved * p.width[2] + p.outputs * p.done_bits
            most = max(most, port(p, p.memory[0, t], read, write))
        n.floor[3 + c] = np.ceil(most)


@compiled
def solve(
    p: Problem, table: Floats, top: int, bottom: int, n: Node, floors: Floats, goal: Ints, best: Mapping
) -> None:
    """Best tiles of levels ``top`` down to 1 inside which everything is given.

    ``floors[k]`` bounds the boundary into level k. With ``bottom`` > 0 nothing but the boundaries into levels
    ``top`` to ``bottom`` counts, each at its least.
    ``best`` is improved in place. Gives up when ``n.fuel`` is 0.
    """
    if top == 0:
        judge(p, table, n, goal, best)
        return
    most = 1
    for d in range(8):
        most = max(most, p.bounds[d])
    tiles, own, floor = n.tiles, n.own, n.floor
    cand = np.zeros((top + 1, 8, most), np.int64)
    number = np.zeros((top + 1, 8), np.int64)
    index = np.zeros(8 * top + 1, np.int64)
    found = np.zeros(top + 1)
    only = bottom > 0
    bottom = max(bottom, 1)
    array = p.shared + 1
    outside = np.zeros(top + 1)
    for k in range(bottom + 1, top + 1):
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
                number[k, e] = candidates(p, table, e, tiles[k + 1, e], tiles[array, e], own[e], cand[k, e])
        index[pos] += 1
        if index[pos] >= number[k, d]:
            tiles[k, d] = tiles[k + 1, d]
            pos -= 1
            continue
        tiles[k, d] = cand[k, d, index[pos]]
        if not fits_above(p, k, tiles):
            continue
        n.fuel -= 1
        if n.fuel <= 0:
            return
        boundary_floor(p, table, k, n, q + 1)
        inside = n.low_energy + found[k] + outside[k]
        hopeful = False
        for c in range(3):
            if better(max(n.low_cycles, floor[3 + c]), inside + floor[c], best.cycles, best.energy, goal):
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
                if better(floor[3 + c], inside + floor[c], best.cycles, best.energy, goal):
                    best.cycles, best.energy = floor[3 + c], inside + floor[c]
        else:
            judge(p, table, n, goal, best)
        if d == LAST and index[pos] < number[k, d] - 1:
            index[pos] = number[k, d] - 2  # larger tiles are better, but one equal to the array's may be kept
