"""A fast heuristic: beams of partial schedules, each with its rate of time for energy, then descent."""

import numpy as np

from accelsim.mapper.assignment.labels import Labels, Tables, expand, rebuild, root, undominated
from accelsim.mapper.assignment.local import improve
from accelsim.mapper.assignment.problem import Assignment, Floats, Goal, Ints, Schedule, check_goal

WIDTH = 96
"""Partial schedules that a beam keeps."""

RATES: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Weights of energy against time, both relative to the least possible; one beam each."""


def search(
    problem: Assignment, goal: Goal = "latency", deadline: int | None = None, width: int = WIDTH
) -> Schedule:
    """Return a good schedule; if no beam meets the deadline, the one of least makespan that was found.

    Deterministic. Time grows with layers x chains x units x ``width``.
    """
    check_goal(goal, deadline)
    tables = Tables.of(problem)
    found = [_beam(problem, tables, rate, width, None) for rate in RATES]
    if goal == "energy" and deadline is not None:
        found += [s for rate in RATES if (s := _beam(problem, tables, rate, width, deadline)) is not None]
    schedules = [improve(s, goal, deadline) for s in found if s is not None]
    in_time = [s for s in schedules if deadline is None or s.makespan <= deadline]
    if goal == "energy" and in_time:
        return min(in_time, key=lambda s: (s.energy_J, s.makespan))
    return min(schedules, key=lambda s: (s.makespan, s.energy_J))


def _beam(
    problem: Assignment, tables: Tables, rate: float, width: int, deadline: int | None
) -> Schedule | None:
    most_time = np.iinfo(np.int64).max // 4 if deadline is None else deadline
    scale_time = max(float(tables.rest_time[problem.first[:-1]].sum()) / len(problem.units), 1.0)
    scale_energy = float(tables.rest_energy[problem.first[:-1]].sum()) or 1.0
    levels = [root(problem)]
    for _ in problem.layers:
        grown = expand(levels[-1], tables, most_time, np.inf)
        if not len(grown):
            return None
        merit = _merit(grown, problem, tables, scale_time) + rate * grown.energy_bound / scale_energy
        # of many children only those with a chance are compared with each other
        index = np.argsort(merit, kind="stable")[: 4 * width]
        grown, merit = grown.take(index), merit[index]
        kept = undominated(grown, problem)
        kept = kept[np.argsort(merit[kept], kind="stable")][:width]
        levels.append(grown.take(kept))
    last = levels[-1]
    choice = np.lexsort((last.energy, last.latest))[0] if rate == 0 else np.argmin(
        last.latest / scale_time + rate * last.energy / scale_energy
    )  # fmt: skip
    return problem.schedule(*rebuild(problem, levels, int(choice)))


def _merit(labels: Labels, problem: Assignment, tables: Tables, scale: float) -> Floats:
    """Least makespan of the rest, then how much of it is behind: relative to ``scale``, small is good."""
    at = problem.first[:-1] + labels.done
    left = np.where(at < problem.first[1:], tables.rest_time[np.minimum(at, len(tables.rest_time) - 1)], 0)
    ahead: Ints = (labels.ready + left).sum(axis=1) + labels.free.sum(axis=1)
    share = ahead / (labels.ready.shape[1] + labels.free.shape[1])
    merit: Floats = (labels.time_bound + 0.1 * share) / scale
    return merit
