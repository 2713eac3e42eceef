"""Improve a schedule step by step: take one layer out and put it back elsewhere, on any unit (compiled)."""

import numpy as np
from numba import njit

from accelsim.mapper.assignment.problem import Goal, Schedule

WINDOW = 24
"""Places earlier and later in the order that a layer may move to."""

MOST_PASSES = 50
"""Passes over all layers after which the descent ends, improved or not."""


def improve(schedule: Schedule, goal: Goal, deadline: int | None) -> Schedule:
    """Return a schedule in which no single move helps; the same one if none did."""
    problem = schedule.problem
    order = np.array(schedule.order, np.int64)
    unit = schedule.unit.copy()
    chain = np.repeat(np.arange(len(problem.chains)), problem.chains)
    limit = -1 if deadline is None else deadline
    _descend(order, unit, chain, problem.time, problem.energy, limit, goal == "energy", WINDOW, MOST_PASSES)
    return problem.schedule(unit, order.tolist())


@njit(cache=True)
def _descend(order, unit, chain, time, price, limit, by_energy, window, passes):  # type: ignore[no-untyped-def]
    n = order.size
    chains = chain[-1] + 1
    ready = np.empty(chains, np.int64)
    free = np.empty(time.shape[1], np.int64)
    best_late, best_a, best_b = _judge(order, unit, chain, time, price, limit, by_energy, ready, free)
    trial = np.empty(n, np.int64)
    for _ in range(passes):
        improved = False
        for layer in range(n):
            at = 0
            while order[at] != layer:
                at += 1
            low, high = at, at
            while low > 0 and at - low < window and chain[order[low - 1]] != chain[layer]:
                low -= 1
            while high + 1 < n and high - at < window and chain[order[high + 1]] != chain[layer]:
                high += 1
            was = unit[layer]
            chosen_place, chosen_unit = at, was
            for place in range(low, high + 1):
                _moved(order, at, place, trial)
                for u in range(time.shape[1]):
                    if time[layer, u] < 0 or (place == at and u == was):
                        continue
                    unit[layer] = u
                    late, a, b = _judge(trial, unit, chain, time, price, limit, by_energy, ready, free)
                    if late < best_late or (
                        late == best_late and (a < best_a or (a == best_a and b < best_b))
                    ):
                        best_late, best_a, best_b = late, a, b
                        chosen_place, chosen_unit = place, u
                        improved = True
            unit[layer] = chosen_unit
            if chosen_place != at:
                _moved(order, at, chosen_place, trial)
                order[:] = trial
        if not improved:
            break


@njit(cache=True)
def _moved(order, at, place, out):  # type: ignore[no-untyped-def]
    """``order`` with the entry of ``at`` at ``place``."""
    out[:] = order
    step = 1 if place > at else -1
    for i in range(at, place, step):
        out[i] = order[i + step]
    out[place] = order[at]


@njit(cache=True)
def _judge(order, unit, chain, time, price, limit, by_energy, ready, free):  # type: ignore[no-untyped-def]
    """(lateness, first criterion, second criterion) of starting everything as soon as it can."""
    ready[:] = 0
    free[:] = 0
    makespan, energy = 0, 0.0
    for layer in order:
        u = unit[layer]
        end = max(ready[chain[layer]], free[u]) + time[layer, u]
        ready[chain[layer]] = end
        free[u] = end
        makespan = max(makespan, end)
        energy += price[layer, u]
    late = max(makespan - limit, 0) if limit >= 0 else 0
    if by_energy:
        return late, energy, float(makespan)
    return late, float(makespan), energy
