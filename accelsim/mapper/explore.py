"""One node of the array solved outwards, and lower bounds of the boundaries above the array, compiled."""

import numpy as np

from accelsim.mapper.array import set_features, take_units
from accelsim.mapper.compiled import compiled
from accelsim.mapper.judge import better, rows_of
from accelsim.mapper.outer import solve
from accelsim.mapper.problem import Floats, Ints, Mapping, Node, Problem


@compiled
def rows_floor(p: Problem, table: Floats) -> Floats:
    """Least rows and columns that any tiles read."""
    least = np.full(2, np.inf)
    for axis in range(2):
        a, r = p.bounds[4 + axis], p.bounds[6 + axis]
        if r == 1 or a == 1:
            least[axis] = rows_of(p, table, axis, a, r)
            continue
        for b in range(1, r + 1):
            for t in range(1, a + 1):
                least[axis] = min(least[axis], rows_of(p, table, axis, t, b))
    return least


@compiled
def explore(
    p: Problem, table: Floats, roots: Ints, chosen: Ints, bound: Floats, begin: int, end: int, floors: Floats,
    above: float, n: Node, goal: Ints, best: Mapping, fuel: int, each: int, bottom: int,
) -> int:  # fmt: skip
    """Solve nodes ``begin`` to ``end`` (sorted by bound) outwards; number of the first one left undone.

    ``each`` is the fuel for one node; ``bottom`` is 0.
    """
    feature = np.ones((7, 8))
    block = np.ones(8, np.int64)
    for i in range(begin, end):
        if not better(bound[i, 0], bound[i, 1], best.cycles, best.energy, goal):
            continue
        if fuel <= 0:
            return i
        parts = roots[chosen[i, 0]]
        n.pes = 1.0
        for d in range(8):
            n.own[d] = chosen[i, 1 + d]
            n.pes *= parts[d]
            set_features(p, d, parts[d], n.own[d], chosen[i, 9 + d], feature, block)
            n.tiles[0, d] = p.bounds[d]
            n.tiles[p.shared + 1, d] = block[d]
            if p.levels > p.shared + 1:
                n.tiles[p.shared + 2, d] = chosen[i, 9 + d]
        take_units(p, feature, block, n.own, n.units)
        n.split = 1 if parts[3] * parts[6] * parts[7] > 1 else 0
        n.fixed = p.fixed_cost if n.split else p.fixed_cost + p.done_cost
        for t in range(3):
            n.fixed += n.units[t] * p.unit_cost[t]
        n.steps = np.ceil(n.units[3] / p.macs_per_pe)
        n.low_cycles, n.low_energy = bound[i, 0], bound[i, 1] - above
        before, before_energy = best.cycles, best.energy
        n.fuel = each
        solve(p, table, p.shared, bottom, n, floors, goal, best)
        fuel -= each - n.fuel
        if best.cycles != before or best.energy != before_energy:
            best.root = chosen[i, 0]
        if n.fuel <= 0:
            return i
    return end
