"""Tiles of the memories above the array: branch and bound over levels (innermost first) and dims, compiled.

What one boundary moves is bounded below whatever lies outside it: a tile of tensor X is brought at least
once; and of all tensors at most one escapes being brought again for every block of the dims that do not index
it. (For Y to be brought less often, the loops that do not index Y must move at or inside the gap that decides
Y. In a convolution they index every other tensor, so these are decided at or inside the same gap; for two
tensors at once both gaps are the same and its innermost moving loop would have to leave both alone. A dim
that indexes all tensors, as the groups of a depthwise layer, leaves none alone and changes nothing.)
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

    ``n.floor[c]`` is the energy if tensor c is the one that is not brought again, ``n.floor[3 + c]`` the
    cycles of the ports above (of the outermost boundary only).
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
def gaps_floor(p: Problem, table: Floats, n: Node, top: int, bottom: int, decided: int) -> float:
    """Least energy of the boundaries into levels ``top`` to ``bottom`` from what is known of all their tiles.

    As in ``judge``: the innermost gap in which a loop that indexes the tensor moves decides, and its class
    leaves one tensor alone. What is not decided yet may only add. With all dims decided it is exact.
    """
    total = 0.0
    for g in range(top + 1):
        most = 0.0
        for t in range(3):
            saved = 0.0  # by the class that spares tensor t, at every level that this gap decides
            for k in range(max(bottom, g), top + 1):
                if p.memory[k, t] < 0:
                    continue
                deciding = 0
                for j in range(k, 0, -1):
                    for q in range(decided):
                        d = ORDER[q]
                        if p.relevant[t, d] and n.tiles[j, d] < n.tiles[j - 1, d]:
                            deciding = j
                    if deciding > 0:
                        break
                if deciding != g:
                    continue
                base = same = other = 1.0
                for d in range(8):
                    if p.relevant[t, d] and (t > 0 or d < 4):
                        base *= p.bounds[d]
                if t == 0:
                    for axis in range(2):
                        if decided >= 2 * axis + 2:
                            base *= rows_of(p, table, axis, n.tiles[k, 4 + axis], n.tiles[k, 6 + axis])
                        else:
                            base *= n.rows[axis]
                for q in range(decided):
                    d = ORDER[q]
                    if not p.relevant[t, d] and g > 0:
                        other *= -(-p.bounds[d] // n.tiles[g, d])
                        same *= -(-p.bounds[d] // n.tiles[g - 1, d])
                total += p.entry_cost[k, t] * base * other
                saved += p.entry_cost[k, t] * base * (other - same)
                most = max(most, saved)
        total -= most
    return total


@compiled
def solve(
    p: Problem, table: Floats, top: int, bottom: int, n: Node, floors: Floats, goal: Ints, best: Mapping
) -> None:
    """Best tiles of levels ``top`` down to 1 inside which everything is given.

    Dim by dim, in each from the innermost level outwards, so that what is known grows at all levels together.
    With ``bottom`` > 0 nothing but the boundaries into levels ``top`` to ``bottom`` counts, each at its
    least. ``best`` is improved in place. Gives up when ``n.fuel`` is 0.
    """
    if top == 0:
        judge(p, table, n, goal, best)
        return
    most = 1
    for d in range(8):
        most = max(most, p.bounds[d])
    tiles, own, floor = n.tiles, n.own, n.floor
    only = bottom > 0
    bottom = max(bottom, 1)
    levels = top - bottom + 1
    cand = np.zeros((top + 1, 8, most), np.int64)
    number = np.zeros((top + 1, 8), np.int64)
    index = np.zeros(8 * levels + 1, np.int64)
    array = p.shared + 1
    for k in range(bottom, top + 1):
        for d in range(8):
            tiles[k, d] = tiles[top + 1, d]
    pos = 0
    index[0] = -1
    while pos >= 0:
        q, k = pos // levels, top - pos % levels
        d = ORDER[q]
        if index[pos] < 0:
            number[k, d] = candidates(p, table, d, tiles[k + 1, d], tiles[array, d], own[d], cand[k, d])
        index[pos] += 1
        if index[pos] >= number[k, d]:
            for j in range(bottom, k + 1):
                tiles[j, d] = tiles[k + 1, d]
            pos -= 1
            continue
        fit = True
        for j in range(bottom, k + 1):
            tiles[j, d] = cand[k, d, index[pos]]
        for j in range(bottom, k + 1):
            fit &= fits_above(p, j, tiles)
        if not fit:
            continue
        n.fuel -= 1
        if n.fuel <= 0:
            return
        inside = n.low_energy
        for j in range(bottom + 1, top + 1):
            boundary_floor(p, table, j, n, q + 1 if j >= k else q)
            inside += min(floor[0], min(floor[1], floor[2]))
        decided = q + 1 if k == bottom else q
        boundary_floor(p, table, bottom, n, decided)
        together = -np.inf
        if levels > 1:
            together = n.low_energy + gaps_floor(p, table, n, top, bottom, decided)
        hopeful = False
        for c in range(3):
            energy = max(inside + floor[c], together)
            cycles = max(n.low_cycles, floor[3 + c])
            if better(cycles, energy, best.cycles, best.energy, goal):
                hopeful = True
                if only and pos + 1 == 8 * levels:
                    best.cycles, best.energy = cycles, energy
        if not hopeful:
            if d < 4 and levels == 1:  # fewer positions, more blocks: never less
                index[pos] = number[k, d]
            continue
        if pos + 1 < 8 * levels:
            pos += 1
            index[pos] = -1
            continue
        if not only:
            judge(p, table, n, goal, best)
        if d == LAST and index[pos] < number[k, d] - 1:
            index[pos] = number[k, d] - 2  # larger tiles are better, but one equal to the array's may be kept
