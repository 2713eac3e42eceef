"""One node of the array solved outwards, and lower bounds of the boundaries above the array, compiled."""

import numpy as np
from numba import njit

from accelsim.mapper.array import set_features, take_units
from accelsim.mapper.judge import better, rows_of
from accelsim.mapper.outer import solve
from accelsim.mapper.problem import Floats, Ints, Problem


@njit(cache=True)
def rows_floor(p: Problem) -> Floats:
    """Least rows and columns that any tiles read."""
    least = np.full(2, np.inf)
    for axis in range(2):
        a, r = p.bounds[4 + axis], p.bounds[6 + axis]
        if r == 1 or a == 1:
            least[axis] = rows_of(p, axis, a, r)
            continue
        for b in range(1, r + 1):
            for t in range(1, a + 1):
                least[axis] = min(least[axis], rows_of(p, axis, t, b))
    return least


@njit(cache=True)
def level_floor(p: Problem, level: int, goal: Ints, least_rows: Floats, out: Floats) -> None:
    """Least cycles and energy of the boundary into a level above the array, any tiles that fit."""
    tiles = np.ones((max(p.levels, p.shared + 1) + 1, 8), np.int64)
    tiles[0] = p.bounds
    own = np.ones(8, np.int64)
    out[:] = np.inf
    solve(
        p, level, True, tiles, own, 0.0, 0.0, np.zeros(level + 1), 0.0, 0.0, np.zeros(4), 1.0, False,
        least_rows, goal, out, tiles.copy(), np.zeros(p.levels + 1, np.int64), 2**62,
    )  # fmt: skip


@njit(cache=True)
def explore(
    p: Problem, roots: Ints, chosen: Ints, bound: Floats, begin: int, end: int, floors: Floats, above: float,
    cycles: float, least_rows: Floats, goal: Ints, best: Floats, best_tiles: Ints, best_own: Ints,
    best_parts: Ints, best_classes: Ints, fuel: int, fuel_each: int,
) -> int:  # fmt: skip
    """Solve nodes ``begin`` to ``end`` (sorted by bound) outwards; number of the first one left undone."""
    rows = max(p.levels, p.shared + 1) + 1
    tiles = np.ones((rows, 8), np.int64)
    scratch = np.ones((rows, 8), np.int64)
    feature = np.ones((6, 8))
    block, own = np.ones(8, np.int64), np.ones(8, np.int64)
    units = np.zeros(4)
    classes = np.zeros(p.levels + 1, np.int64)
    for i in range(begin, end):
        if not better(bound[i, 0], bound[i, 1], best[0], best[1], goal):
            continue
        if fuel <= 0:
            return i
        parts = roots[chosen[i, 0]]
        pes = 1.0
        for d in range(8):
            own[d] = chosen[i, 1 + d]
            pes *= parts[d]
            set_features(p, d, parts[d], own[d], chosen[i, 9 + d], feature, block)
            tiles[0, d] = p.bounds[d]
            tiles[p.shared + 1, d] = block[d]
            if p.levels > p.shared + 1:
                tiles[p.shared + 2, d] = chosen[i, 9 + d]
        take_units(p, feature, block, own, True, units)
        split = parts[3] * parts[6] * parts[7] > 1
        fixed = p.fixed_cost + (0.0 if split else p.done_cost)
        for t in range(3):
            fixed += units[t] * p.unit_cost[t]
        before, before_energy = best[0], best[1]
        steps = np.ceil(units[3] / p.macs_per_pe)
        left = solve(
            p, p.shared, False, tiles, own, bound[i, 1] - above, bound[i, 0], floors, steps, fixed, units, pes,
            split, least_rows, goal, best, scratch, classes, min(fuel_each, 2**62),
        )  # fmt: skip
        fuel -= fuel_each - left
        if best[0] != before or best[1] != before_energy:
            best_tiles[:] = scratch
            best_own[:] = own
            best_parts[:] = parts
            best_classes[:] = classes
        if left <= 0:
            return i
    return end
