"""Unrolling over the array and tiles inside a processing element: enumeration with bounds, compiled.

A node is one choice of both. It is kept if not even the least that its mappings can cost is out of reach.
"""

import numpy as np

from accelsim.mapper.compiled import compiled
from accelsim.mapper.judge import better, port, rows_of, spread
from accelsim.mapper.outer import ORDER, fits
from accelsim.mapper.problem import Floats, Ints, Mapping, Node, Problem
from accelsim.mapper.window import side_by_side_rows

OWN, INNER = 0, 1
"""Columns of an option: what a processing element takes of the array's block, and its inner tile."""


@compiled
def options(
    p: Problem, table: Floats, d: int, parts: int, limit: int, depth: int, single: bool, out: Ints
) -> int:
    """Tiles inside a processing element of one dim unrolled ``parts`` times; number of rows in ``out``.

    ``limit``: the largest tile for which all parts have work. ``depth``: levels inside an element (0 to 2).
    ``single``: the dim indexes nothing kept there, so its tile is 1. Without inner level a tile is left out
    if a smaller one has as many blocks, busy elements and steps, and reads no more rows.
    """
    bound = p.bounds[d]
    number = 0
    axis = d % 2
    partner = 1
    if d >= 4:
        partner = p.bounds[6 + axis] if d < 6 else p.bounds[4 + axis]
    passing = p.innermost[0] <= p.shared
    trial = np.ones(8, np.int64)
    for own in range(1, 2 if single or depth == 0 else min(bound, limit) + 1):
        trial[d] = own
        if depth > 0 and not fits(p, p.shared + 1, trial):
            break
        if depth == 2:
            for inner in range(1, own + 1):
                if own % inner == 0 or own == bound:
                    out[number, OWN], out[number, INNER] = own, inner
                    number += 1
            continue
        block = min(bound, own * parts)
        useful = True
        for i in range(number):
            before = out[i, OWN]
            other = min(bound, before * parts)
            if -(-bound // block) != -(-bound // other) or -(-bound // own) != -(-bound // before):
                continue
            if steps_of(bound, block, own) < steps_of(bound, other, before):
                continue
            more = False
            if d >= 4 and partner > 1:
                more = parts > 1 and passing
                for r in range(1, partner + 1):
                    if d < 6:
                        more |= rows_of(p, table, axis, block, r) < rows_of(p, table, axis, other, r)
                        more |= rows_of(p, table, axis, own, r) < rows_of(p, table, axis, before, r)
                    else:
                        more |= rows_of(p, table, axis, r, block) < rows_of(p, table, axis, r, other)
                        more |= rows_of(p, table, axis, r, own) < rows_of(p, table, axis, r, before)
            if not more:
                useful = False
                break
        if useful:
            out[number, OWN], out[number, INNER] = own, own
            number += 1
    return number


@compiled
def steps_of(bound: int, block: int, own: int) -> int:
    """Positions that the busiest element works through, summed over the blocks of the array."""
    full = bound // block
    return full * min(block, own) + min(own, bound - full * block)


@compiled
def element_floor(p: Problem, feature: Floats, rows: Floats, units: Floats, out: Floats) -> None:
    """Least energy and cycles of everything at and inside the array.

    ``feature[0..6, d]``: blocks of the array, own tiles, elements with work in the first block, steps, inner
    tiles, whether inner loops move, at most how many own tiles. ``rows[side, axis]``: rows read with tiles of
    the array and own and inner. ``units``: what the units take.
    """
    array = p.shared + 1
    energy = p.fixed_cost + min(0.0, p.done_cost)
    for t in range(3):
        energy += units[t] * p.unit_cost[t]
    for depth in range(array, p.levels + 1):
        saved = 0.0
        for t in range(3):
            if p.memory[depth, t] < 0:
                continue
            b = 0
            while p.below[t, b] != depth:
                b += 1
            up = down = 1.0
            up_all = down_all = down_one = up_one = most = 1.0
            moves = False
            for d in range(8):
                if p.relevant[t, d]:
                    moves |= feature[5, d] > 0
                    if t > 0 or d < 4:
                        up *= p.bounds[d]
                elif depth == array:
                    up_all *= feature[0, d]
                    down_all *= feature[1, d]
                    down_one *= feature[2, d]
                    most *= feature[6, d]
            down = up
            if t == 0:
                for axis in range(2):
                    up *= rows[0, axis] if depth == array else rows[2, axis]
                    down *= rows[1, axis] if depth == array else rows[2, axis]
            if depth > array:
                for d in range(8):
                    if not p.relevant[t, d]:
                        up_one *= feature[1, d] if moves else feature[2, d]
                        up_all *= feature[4, d] if moves else feature[2, d]
                down_all, down_one = up_all, up_one
            pc, cc = p.parent_cost[t, b], p.child_cost[t, b]
            if cc < 0 and depth == array:
                down_all = down_one = most
            full = pc * up * up_all + cc * down * down_all
            one = pc * up * up_one + cc * down * down_one
            energy += full
            saved = max(saved, full - one)
        energy -= saved
    cycles = np.ceil(units[3] / p.macs_per_pe)
    for t in range(3):
        m = p.memory[p.innermost[t], t]
        if p.per_pe[m]:
            continue
        read = write = 0.0
        for other in range(3):
            if p.memory[p.innermost[other], other] == m:
                taken = units[other] - (p.outputs if other == 2 else 0.0)
                read += taken * p.width[other]
                write += units[other] * p.width[other] if other == 2 else 0.0
        cycles = max(cycles, np.ceil(port(p, m, read, write)))
    out[0], out[1] = max(cycles, network_floor(p, feature, rows)), energy


@compiled
def network_floor(p: Problem, feature: Floats, rows: Floats) -> float:
    """Least cycles of the networks into the array, and of the outermost port with what skips level 1.

    Of the tensors of one, at most one is not brought again for every block of the array; arguments as in
    ``element_floor``.
    """
    most = 0.0
    outer = p.memory[0, 0]
    for m in range(p.memories - 1, p.ports):
        direct = m < p.memories
        read = write = saved_read = saved_write = saved = 0.0
        for t in range(3):
            if p.memory[p.shared + 1, t] < 0 or (p.network[t] != m and not direct):
                continue
            if direct and (p.above[t, 0] > 0 or p.below[t, 0] <= p.shared or p.memory[0, t] != outer):
                continue
            one = again = 1.0
            for d in range(8):
                if not p.relevant[t, d]:
                    again *= feature[0, d]
                elif t > 0 or d < 4:
                    one *= p.bounds[d]
            if t == 0:
                one *= rows[0, 0] * rows[0, 1]
            more = one * (again - 1) * p.width[t]
            read += one * again * p.width[t]
            saved_read = max(saved_read, more)
            if t == 2:
                read -= p.outputs * p.width[2]
                write += one * again * p.width[2] + p.outputs * p.done_bits
                saved_write = more
            saved = max(saved, 2 * more if t == 2 else more)
        if direct:
            if p.one_port[outer]:
                beside = max(p.outer_cycles - 1, 0.0)  # it was rounded up
                most = max(most, beside + port(p, outer, read - saved_read, write - saved_write))
        elif p.one_port[m]:
            most = max(most, port(p, m, read + write - saved, 0.0))
        else:
            most = max(most, port(p, m, read - saved_read, write - saved_write))
    whole: float = np.ceil(most)
    return whole


@compiled
def take_units(p: Problem, feature: Floats, block: Ints, own: Ints, units: Floats) -> None:
    """What the units take of every tensor, and (last entry) the steps of the busiest element."""
    steps = 1.0
    for d in range(8):
        steps *= feature[3, d]
    units[3] = steps
    for t in range(3):
        if p.per_pe[p.memory[p.innermost[t], t]]:
            units[t] = p.macs
            continue
        total = 1.0
        for d in range(8):
            if not p.relevant[t, d]:
                total *= feature[3, d]
            elif t > 0 or d < 4:
                total *= p.bounds[d]
        if t == 0:
            for axis in range(2):
                a, r = 4 + axis, 6 + axis
                if block[a] == own[a] or block[r] == own[r]:
                    total *= p.unit_rows[axis]
                elif block[a] == 0 or block[r] == 0:  # not decided yet
                    total = 0.0
                else:
                    total *= side_by_side_rows(
                        p.bounds[a], p.bounds[r], block[a], own[a], block[r], own[r],
                        p.stride[axis], p.dilation[axis], p.pad[axis], p.extent[axis], p.skip,
                    )  # fmt: skip
        units[t] = total


@compiled
def set_features(p: Problem, d: int, parts: int, own: int, inner: int, feature: Floats, block: Ints) -> None:
    """Features of one dim once its tiles are known."""
    bound = p.bounds[d]
    block[d] = min(bound, own * parts)
    feature[0, d] = -(-bound // block[d])
    feature[1, d] = -(-bound // own)
    feature[2, d] = spread(bound, bound, block[d], own)
    feature[3, d] = steps_of(bound, block[d], own)
    feature[4, d] = -(-bound // inner)
    feature[5, d] = 1.0 if inner < own else 0.0
    feature[6, d] = feature[1, d]


@compiled
def root_floor(p: Problem, n: Node, parts: Ints, out: Floats) -> None:
    """``element_floor`` of an unrolling with no tile decided."""
    feature, rows, units = np.ones((7, 8)), np.zeros((3, 2)), np.zeros(4)
    block, own, inner = np.ones(8, np.int64), np.ones(8, np.int64), np.ones(8, np.int64)
    for d in range(8):
        loosest(p, d, parts[d], feature, own, inner, block)
    for axis in range(2):
        rows[0, axis] = rows[1, axis] = rows[2, axis] = n.rows[axis]
    take_units(p, feature, block, own, units)
    element_floor(p, feature, rows, units, out)


@compiled
def store(index: Ints, resume: Ints) -> None:
    """Leave the indices of the dims where the next call finds them."""
    for q in range(8):
        resume[1 + q] = index[q]


@compiled
def nodes(
    p: Problem, table: Floats, roots: Ints, steps_floor: Floats, kind: Ints, first: Ints, count: Ints,
    choices: Ints, floor: float, cycles: float, n: Node, goal: Ints, best: Mapping, resume: Ints,
    replace: bool, chosen: Ints, bound: Floats,
) -> int:  # fmt: skip
    """Nodes of all ``roots`` (parts per dim, row each) within reach; their number.

    ``kind[root, d]``: row of ``first`` and ``count``, which tell where the options of a dim lie in
    ``choices``. ``floor``: energy of the boundaries above the array, ``cycles``: of anything. Starts at, and
    leaves, root and indices in ``resume``; returns early when the fuel is gone, or ``chosen`` is full unless
    ``replace``: then the worst gives way.
    """
    levels = p.levels - p.shared
    feature = np.ones((7, 8))
    block, own, inner = np.ones(8, np.int64), np.ones(8, np.int64), np.ones(8, np.int64)
    rows = np.zeros((3, 2))
    units, result = np.zeros(4), np.zeros(2)
    reach = np.array([best.cycles, best.energy])
    index = resume[1:].copy()
    number = 0
    worst = -1
    for root in range(resume[0], len(roots)):
        s = roots[root]
        resume[0] = root
        low = max(cycles, steps_floor[root])
        pos = 0
        if index[0] >= 0:
            while pos < 7 and index[pos + 1] >= 0:
                pos += 1
        for d in range(8):
            loosest(p, d, s[d], feature, own, inner, block)
        for q in range(pos):
            d = ORDER[q]
            row = first[kind[root, d]] + index[q]
            own[d], inner[d] = choices[row, OWN], choices[row, INNER]
            set_features(p, d, s[d], own[d], inner[d], feature, block)
        root_floor(p, n, s, result)
        low = max(low, result[0])
        if better(low, floor + result[1], reach[0], reach[1], goal):
            while pos >= 0:
                d = ORDER[pos]
                index[pos] += 1
                if index[pos] >= count[kind[root, d]]:
                    index[pos] = -1
                    loosest(p, d, s[d], feature, own, inner, block)
                    pos -= 1
                    continue
                row = first[kind[root, d]] + index[pos]
                own[d], inner[d] = choices[row, OWN], choices[row, INNER]
                if (levels > 0 and not fits(p, p.shared + 1, own)) or (
                    levels > 1 and not fits(p, p.shared + 2, inner)
                ):
                    if levels == 1:
                        index[pos] = count[kind[root, d]]
                    continue
                set_features(p, d, s[d], own[d], inner[d], feature, block)
                for axis in range(2):
                    a, r = 4 + axis, 6 + axis
                    if pos >= 2 * axis + 1:
                        rows[0, axis] = rows_of(p, table, axis, block[a], block[r])
                        rows[1, axis] = rows_of(p, table, axis, own[a], own[r])
                        rows[2, axis] = rows_of(p, table, axis, inner[a], inner[r])
                    else:
                        rows[0, axis] = rows[1, axis] = rows[2, axis] = n.rows[axis]
                take_units(p, feature, block, own, units)
                element_floor(p, feature, rows, units, result)
                n.fuel -= 1
                if not better(max(low, result[0]), floor + result[1], reach[0], reach[1], goal):
                    continue
                if pos < 7:
                    pos += 1
                    index[pos] = -1
                    continue
                place = number
                if number == len(bound):
                    place = worst
                else:
                    number += 1
                chosen[place, 0] = root
                for e in range(8):
                    chosen[place, 1 + e] = own[e]
                    chosen[place, 9 + e] = inner[e]
                bound[place, 0], bound[place, 1] = max(low, result[0]), floor + result[1]
                if number == len(bound):
                    if not replace:
                        store(index, resume)
                        return number
                    worst = 0
                    for i in range(1, number):
                        if better(bound[worst, 0], bound[worst, 1], bound[i, 0], bound[i, 1], goal):
                            worst = i
                    if better(bound[worst, 0], bound[worst, 1], best.cycles, best.energy, goal):
                        reach[0], reach[1] = bound[worst, 0], bound[worst, 1]
                if n.fuel <= 0:
                    store(index, resume)
                    return number
        for q in range(8):
            index[q] = -1
    resume[0] = len(roots)
    for q in range(8):
        resume[1 + q] = -1
    return number


@compiled
def loosest(p: Problem, d: int, parts: int, feature: Floats, own: Ints, inner: Ints, block: Ints) -> None:
    """Features of a dim that is not decided yet: none can be less."""
    own[d] = inner[d] = 1
    block[d] = 1 if parts == 1 else 0
    feature[0, d] = 1.0
    feature[1, d] = feature[2, d] = feature[4, d] = 1.0
    feature[3, d] = -(-p.bounds[d] // parts)
    feature[5, d] = 0.0
    feature[6, d] = p.bounds[d]
