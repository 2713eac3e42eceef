"""The exact cost of one aligned mapping, compiled; the same definition as ``cost.evaluate``.

A mapping is ``tiles`` (rows: the layer itself, the tile of each level above the array, the block of the whole
array, the tiles of levels inside a processing element but the outermost of them), ``own`` (what a processing
element takes of the array's block) and an order class per gap: class X has the loops that do not index tensor
X innermost. Since tiles are nested multiples, all blocks of one level are equal but the last.
"""

import numpy as np

from accelsim.mapper.compiled import compiled
from accelsim.mapper.problem import Floats, Ints, Mapping, Node, Problem
from accelsim.mapper.window import block_rows

OTHER_PARENT, OTHER_CHILD, SAME_PARENT, SAME_CHILD = range(4)
LATENCY, ENERGY, EDP = range(3)
SLACK = 1e-12
"""Relative difference below which two energies (sums in another order) are the same."""


@compiled
def better(cycles: float, energy: float, than_cycles: float, than_energy: float, goal: Ints) -> bool:
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


@compiled
def rows_of(p: Problem, table: Floats, axis: int, a: int, b: int) -> float:
    """Rows (columns) read with tiles of ``a`` positions and ``b`` taps."""
    if table.size:
        return float(table[axis, a, b])
    return block_rows(
        p.bounds[4 + axis], p.bounds[6 + axis], a, b,
        p.stride[axis], p.dilation[axis], p.pad[axis], p.extent[axis], p.skip,
    )  # fmt: skip


@compiled
def spread(bound: int, outer: int, block: int, own: int) -> int:
    """Processing elements that have a part of the first array block, summed over blocks of ``outer``."""
    full = bound // outer
    rest = bound - full * outer
    copies = full * -(-min(block, outer) // own)
    return copies - (-min(block, rest) // own) if rest else copies


@compiled
def count_boundaries(p: Problem, table: Floats, n: Node) -> None:
    """Elements on both sides of every boundary, if the deciding gap is of another class or of the same one.

    ``gap[tensor, boundary]``: the innermost gap above the child in which a loop that indexes the tensor
    moves, 0 if none does. Its class decides whether the other loops of that gap bring the tile again.
    """
    tiles, own, amount, gap = n.tiles, n.own, n.amount, n.gap
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
                    up *= rows_of(p, table, axis, tiles[child, a], tiles[child, r])
                    if child == array:
                        down *= rows_of(p, table, axis, own[a], own[r])
                    else:
                        down *= rows_of(p, table, axis, tiles[child, a], tiles[child, r])
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


@compiled
def port_cycles(p: Problem, n: Node, classes: Ints) -> float:
    """Cycles of the busiest port or network."""
    bits = n.bits
    for m in range(p.ports):
        bits[0, m] = bits[1, m] = 0.0
    for t in range(3):
        width = p.width[t]
        unseen = p.outputs
        for b in range(p.boundaries[t]):
            side = 2 if n.gap[t, b] and classes[n.gap[t, b]] == t else 0
            up, down = n.amount[t, b, side], n.amount[t, b, side + 1]
            parent, child = p.memory[p.above[t, b], t], p.memory[p.below[t, b], t]
            network = p.network[t] if p.above[t, b] <= p.shared < p.below[t, b] else -1
            if t < 2:
                bits[0, parent] += up * width
                if network >= 0:
                    bits[0, network] += up * width
                bits[1, child] += down * width
                continue
            back = up - unseen
            unseen = down - back
            bits[0, parent] += back * width
            bits[1, child] += back * width
            bits[1, parent] += up * width
            bits[0, child] += down * width
            if network >= 0:
                bits[0, network] += back * width
                bits[1, network] += up * width + p.outputs * p.done_bits
            if not (p.per_pe[parent] and n.split):
                bits[1, parent] += p.outputs * p.done_bits
            if not (p.per_pe[child] and n.split):
                bits[0, child] += p.outputs * p.done_bits
        last = p.memory[p.innermost[t], t]
        if t < 2:
            bits[0, last] += n.units[t] * width
        else:
            bits[0, last] += (n.units[t] - unseen) * width
            bits[1, last] += n.units[t] * width
    most = 0.0
    for m in range(p.ports):
        copies = n.pes if p.per_pe[m] else 1.0
        most = max(most, port(p, m, bits[0, m] / copies, bits[1, m] / copies))
    return float(np.ceil(most))


@compiled
def port(p: Problem, m: int, read: float, write: float) -> float:
    """Cycles, not rounded, in which a memory gives and takes so many bits."""
    read = read / p.read_bits[m] if p.read_bits[m] > 0 else 0.0
    write = write / p.write_bits[m] if p.write_bits[m] > 0 else 0.0
    return read + write if p.one_port[m] else max(read, write)


@compiled
def energy_of(p: Problem, n: Node, classes: Ints) -> float:
    """Energy of all boundaries, joules."""
    total = 0.0
    for t in range(3):
        for b in range(p.boundaries[t]):
            side = 2 if n.gap[t, b] and classes[n.gap[t, b]] == t else 0
            total += p.parent_cost[t, b] * n.amount[t, b, side]
            total += p.child_cost[t, b] * n.amount[t, b, side + 1]
    return total


@compiled
def cheapest_classes(p: Problem, n: Node) -> None:
    """The class of each gap that saves most energy: gaps do not influence each other."""
    for g in range(1, p.levels + 1):
        best = -np.inf
        for t in range(3):
            saving = 0.0
            for b in range(p.boundaries[t]):
                if n.gap[t, b] == g:
                    saving += p.parent_cost[t, b] * (n.amount[t, b, 0] - n.amount[t, b, 2])
                    saving += p.child_cost[t, b] * (n.amount[t, b, 1] - n.amount[t, b, 3])
            if saving > best:
                best = saving
                n.classes[g] = t


@compiled
def judge(p: Problem, table: Floats, n: Node, goal: Ints, best: Mapping) -> None:
    """Put the mapping of ``n``, with the best order class in every gap, in place of ``best`` if it is
    better.
    """
    count_boundaries(p, table, n)
    cheapest_classes(p, n)
    energy = n.fixed + energy_of(p, n, n.classes)
    if not better(n.steps, energy, best.cycles, best.energy, goal):
        return
    cycles = max(n.steps, port_cycles(p, n, n.classes))
    if better(cycles, energy, best.cycles, best.energy, goal):
        keep(p, n, n.classes, cycles, energy, best)
    if cycles <= n.steps:
        return
    number = 1
    for _ in range(p.levels):
        number *= 3
    for code in range(number):
        rest = code
        for g in range(1, p.levels + 1):
            n.trial[g] = rest % 3
            rest //= 3
        energy = n.fixed + energy_of(p, n, n.trial)
        if better(n.steps, energy, best.cycles, best.energy, goal):
            cycles = max(n.steps, port_cycles(p, n, n.trial))
            if better(cycles, energy, best.cycles, best.energy, goal):
                keep(p, n, n.trial, cycles, energy, best)


@compiled
def keep(p: Problem, n: Node, classes: Ints, cycles: float, energy: float, best: Mapping) -> None:
    """Copy a mapping."""
    best.cycles = cycles
    best.energy = energy
    for i in range(p.levels + 2):
        best.classes[i] = classes[i]
        for d in range(8):
            best.tiles[i, d] = n.tiles[i, d]
    for d in range(8):
        best.own[d] = n.own[d]
