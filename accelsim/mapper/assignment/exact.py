"""The proven best schedule of a small problem: all undominated partial schedules, level by level."""

from dataclasses import dataclass

import numpy as np

from accelsim.errors import AccelsimError
from accelsim.mapper.assignment.beam import search
from accelsim.mapper.assignment.labels import Labels, Tables, expand, rebuild, root, undominated
from accelsim.mapper.assignment.problem import Assignment, Goal, Schedule, check_goal

MOST_LABELS = 2_000_000
"""Labels of one level beyond which the proof is given up: about 1 GB."""


@dataclass(frozen=True)
class Proven:
    """The best schedule, None if no schedule meets the deadline; ``labels`` looked at on the way."""

    schedule: Schedule | None
    labels: int


def solve(problem: Assignment, goal: Goal = "latency", deadline: int | None = None) -> Proven:
    """Return the best schedule with a proof by exhaustion of labels (one chain: the exact dynamic program).

    ``goal`` latency: least makespan, then energy. ``goal`` energy: least energy among makespans up to
    ``deadline`` (None: any), then least makespan.

    Raises
    ------
    AccelsimError
        If the problem has too many undominated partial schedules to be proven.
    """
    check_goal(goal, deadline)
    tables = Tables.of(problem)
    known = search(problem, goal, deadline)
    most_time = np.iinfo(np.int64).max // 4 if deadline is None else deadline
    late = deadline is not None and known.makespan > deadline
    if goal == "latency" and not late:
        most_time = min(most_time, known.makespan)
    # a little above, so that rounding in another order of additions does not cut the incumbent off
    most_energy = known.energy_J * (1 + 1e-12) if goal == "energy" and not late else np.inf
    levels, looked = [root(problem)], 1
    for _ in problem.layers:
        grown = expand(levels[-1], tables, most_time, most_energy)
        grown = grown.take(undominated(grown, problem))
        looked += len(grown)
        if len(grown) > MOST_LABELS:
            raise AccelsimError(
                f"assignment: more than {MOST_LABELS:,} partial schedules after {len(levels)} of"
                f" {len(problem.layers)} layers cannot be told apart; use the heuristic (search)"
            )
        levels.append(grown)
    last = levels[-1]
    if not len(last):
        return Proven(None, looked)
    return Proven(problem.schedule(*rebuild(problem, levels, best(last, goal))), looked)


def best(complete: Labels, goal: Goal) -> int:
    """Index of the best complete label; ties by index."""
    keys = (complete.energy, complete.latest) if goal == "latency" else (complete.latest, complete.energy)
    return int(np.lexsort(keys)[0])
