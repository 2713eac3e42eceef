"""The exact cost of one aligned mapping, compiled; the same definition as ``cost.evaluate``.

A mapping is ``tiles`` (rows: the layer itself, the tile of each level above the array, the block of the whole
array, the tiles of levels inside a processing element but the outermost of them), ``own`` (what a processing
element takes of the array's block) and an order class per gap: class X has the loops that do not index tensor X
innermost. Since tiles are nested multiples, all blocks of one level are equal but the last.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from accelsim.mapper.problem import Floats, Ints, Problem
from accelsim.mapper.window import block_rows

OTHER_PARENT, OTHER_CHILD, SAME_PARENT, SAME_CHILD = range(4)
LATENCY, ENERGY, EDP = range(3)
SLACK = 1e-12
"""Relative difference below which two energies (sums in another order) are the same."""


@njit(cache=True)
def better(
    cycles: float, energy: float, than_cycles: float, than_energy: float, goal: Ints
) -> bool:
    """Whether the first is strictly better in lexicographic order of the goal."""
    for metric in goal:
        if metric == LATENCY:
            a, b = cycles, than_cycles
        elif metric == ENERGY:
            a, b = energy, than_energy
        else:
            a, b = cycles * energy, than_cycles * than_energy
        if a < b - SLACK * abs(b) or (b == np.inf and a < b):
            return True
        if a > b + SLACK * abs(b):
            return False
    return False


@njit(cache=True)
def rows_of(p: Problem, axis: int, a: int, b: int) -> float:
    """Rows (columns) read with tiles of ``a`` positions and ``b`` taps."""
    table = p.rows0 if axis == 0 else p.rows1
    if table.size:
        return float(table[a, b])
    return block_rows(
        p.bounds[4 + axis], p.bounds[6 + axis], a, b,
        p.stride[axis], p.dilation[axis], p.pad[axis], p.extent[axis], p.skip,
    )  # fmt: skip


@njit(cache=True)
def spread(bound: int, outer: int, block: int, own: int) -> int:
    """Processing elements that have a part of the first array block, summed over blocks of ``outer``."""
    full = bound // outer
    rest = bound - full * outer
    copies = full * -(-min(block, outer) // own)
    return copies - (-min(block, rest) // own) if rest else copies


@njit(cache=True)
def count_boundaries(p: Problem, tiles: Ints, own: Ints, amount: Floats, gap: Ints) -> None:
    """Elements on both sides of every boundary, if the deciding gap is of another class or of the same one.

    ``gap[tensor, boundary]``: the innermost gap above the child in which a loop that indexes the tensor moves,
    0 if none does. Its class decides whether the other loops of that gap bring the tile again.
    """
    array = p.shared + 1
    for t in range(3):
        for b in range(p.boundaries[t]):
            child, parent = p.below[t, b], p.above[t, b]
            g = child
            while g > 0:
                moves = False
                for d in range(8):
                    outer = own[d] if g == array + 1 else tiles[g - 1, d]
                    if p.relevant[t, d] and tiles[g, d] < outer:
                        moves = True
                        break
                if moves:
                    break
                g -= 1
            gap[t, b] = g
            up = down = 1.0
            if t == 0:
                up = float(p.bounds[0] * p.bounds[1] * p.bounds[3])
                down = up
                for axis in range(2):
                    a, r = 4 + axis, 6 + axis
                    up *= rows_of(p, axis, tiles[child, a], tiles[child, r])
                    if child == array:
                        down *= rows_of(p, axis, own[a], own[r])
                    else:
                        down *= rows_of(p, axis, tiles[child, a], tiles[child, r])
            else:
                for d in range(8):
                    if p.relevant[t, d]:
                        up *= p.bounds[d]
                down = up
            for same in range(2):
                j = max(g - same, 0)
                above = below = 1.0
                for d in range(8):
                    if p.relevant[t, d] or p.bounds[d] == 1:
                        continue
                    bound = p.bounds[d]
                    blocks = -(-bound // tiles[j, d])
                    copies = blocks
                    if child >= array:
                        if j < array:
                            copies = spread(bound, tiles[j, d], tiles[array, d], own[d])
                        elif j == array:
                            copies = -(-bound // own[d])
                    above *= copies if parent >= array else blocks
                    below *= copies
                amount[t, b, 2 * same] = up * above
                amount[t, b, 2 * same + 1] = down * below


@njit(cache=True)
def port_cycles(
    p: Problem, amount: Floats, gap: Ints, classes: Ints, units: Floats, pes: float, split: bool, bits: Floats
) -> float:
    """Cycles of the busiest port; ``split``: parts of one sum lie in several processing elements."""
    bits[:] = 0.0
    for t in range(3):
        width = p.width[t]
        unseen = p.outputs
        for b in range(p.boundaries[t]):
            side = 2 if gap[t, b] and classes[gap[t, b]] == t else 0
            up, down = amount[t, b, side], amount[t, b, side + 1]
            parent, child = p.memory[p.above[t, b], t], p.memory[p.below[t, b], t]
            if t < 2:
                bits[0, parent] += up * width
                bits[1, child] += down * width
                continue
            back = up - unseen
            unseen = down - back
            bits[0, parent] += back * width
            bits[1, child] += back * width
            bits[1, parent] += up * width
            bits[0, child] += down * width
            if not (p.per_pe[parent] and split):
                bits[1, parent] += p.outputs * p.done_bits
            if not (p.per_pe[child] and split):
                bits[0, child] += p.outputs * p.done_bits
        last = p.memory[p.innermost[t], t]
        if t < 2:
            bits[0, last] += units[t] * width
        else:
            bits[0, last] += (units[t] - unseen) * width
            bits[1, last] += units[t] * width
    most = 0.0
    for m in range(p.size.size):
        copies = pes if p.per_pe[m] else 1.0
        read = bits[0, m] / (p.read_bits[m] * copies) if p.read_bits[m] > 0 else 0.0
        write = bits[1, m] / (p.write_bits[m] * copies) if p.write_bits[m] > 0 else 0.0
        most = max(most, read + write if p.one_port[m] else max(read, write))
    return np.ceil(most)


@njit(cache=True)
def energy_of(p: Problem, amount: Floats, gap: Ints, classes: Ints) -> float:
    """Energy of all boundaries, joules."""
    total = 0.0
    for t in range(3):
        for b in range(p.boundaries[t]):
            side = 2 if gap[t, b] and classes[gap[t, b]] == t else 0
            total += p.parent_cost[t, b] * amount[t, b, side] + p.child_cost[t, b] * amount[t, b, side + 1]
    return total


@njit(cache=True)
def cheapest_classes(p: Problem, amount: Floats, gap: Ints, classes: Ints) -> None:
    """The class of each gap that saves most energy: gaps do not influence each other."""
    for g in range(1, p.levels + 1):
        best = -np.inf
        for t in range(3):
            saving = 0.0
            for b in range(p.boundaries[t]):
                if gap[t, b] == g:
                    saving += p.parent_cost[t, b] * (amount[t, b, 0] - amount[t, b, 2])
                    saving += p.child_cost[t, b] * (amount[t, b, 1] - amount[t, b, 3])
            if saving > best:
                best = saving
                classes[g] = t


@njit(cache=True)
def judge(
    p: Problem, tiles: Ints, own: Ints, steps: float, fixed: float, units: Floats, pes: float, split: bool,
    goal: Ints, best: Floats, amount: Floats, gap: Ints, classes: Ints, trial: Ints, bits: Floats,
) -> tuple[float, float]:  # fmt: skip
    """Cycles and joules with the best order class in every gap, which is left in ``classes``.

    Infinite if even the least of both would not be better than ``best``.
    """
    count_boundaries(p, tiles, own, amount, gap)
    cheapest_classes(p, amount, gap, classes)
    energy = fixed + energy_of(p, amount, gap, classes)
    if not better(steps, energy, best[0], best[1], goal):
        return np.inf, np.inf
    cycles = max(steps, port_cycles(p, amount, gap, classes, units, pes, split, bits))
    if cycles <= steps:
        return cycles, energy
    number = 3**p.levels
    for code in range(number):
        rest = code
        for g in range(1, p.levels + 1):
            trial[g] = rest % 3
            rest //= 3
        e = fixed + energy_of(p, amount, gap, trial)
        c = max(steps, port_cycles(p, amount, gap, trial, units, pes, split, bits))
        if better(c, e, cycles, energy, goal):
            cycles, energy = c, e
            classes[:] = trial
    return cycles, energy


