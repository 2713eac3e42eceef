"""Which sub-accelerator runs which layer, and when: the heterogeneous assignment problem and its answers.

Shao, Zhuge, Xue, Sha, IEEE TPDS 16(6):516-525, 2005: every node has a time and a cost per type of unit; given
a deadline, choose a type per node with the least total cost. Here nodes are the layers of several chains, a
unit runs one layer at a time, and the time is the makespan of a schedule.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import AccelsimError, did_you_mean

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

Goal = Literal["latency", "energy"]
GOALS: tuple[Goal, ...] = ("latency", "energy")
"""Least makespan, then least energy; or least energy within the deadline, then least makespan."""

LONGEST = 2**48
"""Largest time of one layer: sums of 2^14 of them still fit 63 bits."""


@dataclass(frozen=True)
class Assignment:
    """Layers in chains on units.

    Parameters
    ----------
    chains : layers of each chain, which run in this order
    time : (layers, units) whole time units of each layer on each unit, chain after chain; -1 where the unit
        cannot run the layer
    energy : (layers, units) joules
    units, layers : names; numbers where left out

    Raises
    ------
    AccelsimError
        For shapes that do not match, negative numbers, or a layer that no unit can run; all of it at once.
    """

    chains: tuple[int, ...]
    time: Ints
    energy: Floats
    units: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        total = sum(self.chains)
        problems = []
        if self.time.ndim != 2 or self.time.shape != self.energy.shape or self.time.shape[0] != total:
            raise AccelsimError(
                f"assignment: time {self.time.shape} and energy {self.energy.shape} must both be"
                f" ({total} layers, units)"
            )
        if min(self.chains, default=0) < 1 or self.time.shape[1] < 1:
            problems.append("assignment: needs at least one unit, and one layer in every chain")
        units = tuple(self.units) or tuple(f"unit{u}" for u in range(self.time.shape[1]))
        layers = tuple(self.layers) or tuple(f"layer{i}" for i in range(total))
        object.__setattr__(self, "units", units)
        object.__setattr__(self, "layers", layers)
        if (self.time < -1).any() or (self.time > LONGEST).any():
            problems.append(f"assignment: times must lie between 0 and {LONGEST}, or be -1 for 'cannot run'")
        able = self.time >= 0
        if not np.isfinite(self.energy[able]).all() or (self.energy[able] < 0).any():
            problems.append("assignment: energies must be finite and not negative")
        problems += [
            f"assignment: no unit can run {layers[i]}" for i in np.flatnonzero(~able.any(axis=1)).tolist()
        ]
        if problems:
            raise AccelsimError(*problems)

    @cached_property
    def first(self) -> Ints:
        """Index of the first layer of every chain, and the total."""
        return np.concatenate([[0], np.cumsum(self.chains)]).astype(np.int64)

    def schedule(self, unit: Ints, order: Sequence[int]) -> "Schedule":
        """Start every layer of ``order`` once its unit and the layer before it in its chain are free."""
        start, end = (np.zeros(len(self.layers), np.int64) for _ in range(2))
        free = [0] * len(self.units)
        previous = {int(a): None for a in self.first[:-1]}
        for layer in order:
            u = int(unit[layer])
            ready = 0 if layer in previous else int(end[layer - 1])
            start[layer] = max(ready, free[u])
            end[layer] = free[u] = int(start[layer]) + int(self.time[layer, u])
        return Schedule(self, unit, start, end)


@dataclass(frozen=True)
class Schedule:
    """Unit, start and end of every layer of a problem."""

    problem: Assignment
    unit: Ints
    start: Ints
    end: Ints

    @property
    def makespan(self) -> int:
        """End of the last layer, in the problem's time unit."""
        return int(self.end.max())

    @cached_property
    def energy_J(self) -> float:
        """Sum over the layers, in joules."""
        return float(self.problem.energy[np.arange(len(self.unit)), self.unit].sum())

    @property
    def order(self) -> list[int]:
        """Layers by start; equal starts by end, then by number (a layer of length 0 goes first)."""
        order: list[int] = np.lexsort((np.arange(len(self.unit)), self.end, self.start)).tolist()
        return order

    def validate(self) -> list[str]:
        """One sentence for each rule that is broken; empty for a schedule that can be run."""
        problem, broken = self.problem, []
        took = problem.time[np.arange(len(self.unit)), self.unit]
        names = problem.layers
        for i in np.flatnonzero((took < 0) | (self.end - self.start != took) | (self.start < 0)).tolist():
            broken.append(f"{names[i]}: runs from {self.start[i]} to {self.end[i]} but needs {took[i]}")
        firsts = set(problem.first.tolist())
        for i in range(1, len(names)):
            if i not in firsts and self.start[i] < self.end[i - 1]:
                broken.append(f"{names[i]}: starts before {names[i - 1]} has ended")
        order = self.order
        for u, name in enumerate(problem.units):
            mine = [i for i in order if self.unit[i] == u]
            broken += [
                f"{name}: {names[b]} starts before {names[a]} has ended"
                for a, b in itertools.pairwise(mine)
                if self.start[b] < self.end[a]
            ]
        return broken


def check_goal(goal: str, deadline: int | None) -> None:
    """Refuse an unknown goal, or a deadline that is no time."""
    problems = []
    if goal not in GOALS:
        problems.append(f"goal must be latency or energy, not {goal!r}{did_you_mean(goal, GOALS)}")
    if deadline is not None and deadline < 0:
        problems.append(f"deadline must be at least 0, not {deadline}")
    if problems:
        raise AccelsimError(*problems)
