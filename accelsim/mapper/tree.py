"""Two-stage branch and bound over one tile per level.

Stage 1 lists nodes (unrolling, tiles inside an element) whose lower bound is within reach, stage 2 solves
them outwards in order of their bound. Deterministic unless a deadline ends it.
"""

import time
from collections.abc import Callable

import numpy as np
from tqdm import tqdm

from accelsim.cost.hierarchy import Hierarchy
from accelsim.graph.shape import ConvShape
from accelsim.mapper.array import nodes, root_floor
from accelsim.mapper.explore import explore, rows_floor
from accelsim.mapper.judge import ENERGY, LATENCY, better, port
from accelsim.mapper.layout import Layout
from accelsim.mapper.mapped import Metric
from accelsim.mapper.outer import solve
from accelsim.mapper.problem import MAPPING, NODE, Floats, Ints, Mapping, Node, Problem, problem
from accelsim.mapper.roots import list_roots

METRICS: tuple[Metric, ...] = ("latency", "energy", "edp")
FIRST_NODES = 64
"""Nodes of least bound that are solved first, for something to compare the others with."""
NODES = 1 << 16
"""Nodes listed before they are solved."""
FUEL = 1 << 20
"""Steps of compiled search between two looks at the clock."""
FIRST_FUEL = 1 << 22
"""Steps that may be spent on finding the first nodes."""
FLOOR_FUEL = 1 << 18
"""Steps that may be spent on the least energy of several levels together."""
UNLIMITED = 1 << 62
PATIENCE_S = 2.0
"""Searches shorter than this show no progress."""

Progress = Callable[[float, str], None]
"""Called with the share of unrollings done (0 to 1) and a line of text."""


class Deadline:
    """Time of a search and what it shows meanwhile; without a budget it looks at the clock just as often."""

    def __init__(self, budget_s: float | None, progress: Progress | None) -> None:
        self.started = time.perf_counter()
        self.budget_s = budget_s
        self.progress = progress
        self.bar: tqdm[None] | None = None

    def over(self) -> bool:
        """Whether the budget is spent."""
        return self.budget_s is not None and time.perf_counter() - self.started > self.budget_s

    def show(self, share: float, text: str) -> None:
        """Tell the caller, or a bar if the search takes long."""
        if self.progress is not None:
            self.progress(share, text)
        elif time.perf_counter() - self.started > PATIENCE_S:
            if self.bar is None:
                self.bar = tqdm(total=100, unit="%", disable=None, leave=False)
            self.bar.update(int(100 * share) - self.bar.n)
            self.bar.set_postfix_str(text)

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()


class Search:
    """One search: the incumbent in ``found``; ``remaining`` bounds (cycles, energy) what was left undone."""

    def __init__(
        self, shape: ConvShape, hierarchy: Hierarchy, layout: Layout, goal: tuple[Metric, ...]
    ) -> None:
        self.layout = layout
        self.p, self.table = problem(shape, hierarchy, layout)
        self.goal = goal
        self.order = np.array([METRICS.index(m) for m in goal], np.int64)
        self.roots = list_roots(shape, hierarchy, self.p, self.table)
        self.node = np.zeros(1, NODE).view(np.recarray)[0]
        self.node.rows[:] = rows_floor(self.p, self.table)
        self.floors, self.above, self.cycles = level_floors(self.p, self.table, self.node)
        self.found = np.zeros(1, MAPPING).view(np.recarray)[0]
        self.found.cycles = self.found.energy = np.inf
        self.chosen = np.zeros((NODES, 17), np.int64)
        self.bound = np.zeros((NODES, 2))
        self.remaining: list[tuple[float, float]] = []

    def run(self, deadline: Deadline) -> bool:
        """Search until everything is covered or the deadline is over; whether the incumbent was improved."""
        before = (float(self.found.cycles), float(self.found.energy))
        if not deadline.over() or self.found.cycles == np.inf:
            self.solve_nodes(self.list_nodes(fresh(), FIRST_NODES, FIRST_FUEL), deadline)
        resume = fresh()
        total = len(self.roots.parts)
        while resume[0] < total:
            if deadline.over() and self.found.cycles < np.inf:
                self.leave_roots(int(resume[0]))
                break
            deadline.show(resume[0] / total, f"{self.found.cycles:.0f} cycles, {self.found.energy:.4g} J")
            self.solve_nodes(self.list_nodes(resume, NODES, FUEL), deadline)
        return before != (float(self.found.cycles), float(self.found.energy))

    def list_nodes(self, resume: Ints, size: int, fuel: int) -> int:
        """Fill ``chosen`` and ``bound``, best bound first; number of nodes."""
        self.node.fuel = fuel
        roots, chosen, bound = self.roots, self.chosen, self.bound
        number = int(
            nodes(
                self.p, self.table, roots.counts, roots.steps, roots.kind, roots.first, roots.number,
                roots.choices, self.above, self.cycles, self.node, self.order, self.found, resume,
                size == FIRST_NODES, chosen[:size], bound[:size],
            )
        )  # fmt: skip
        by = {"latency": bound[:number, 0], "energy": bound[:number, 1], "edp": bound[:number].prod(axis=1)}
        rank = np.lexsort([by[m] for m in (*self.goal, *METRICS)[::-1]])
        chosen[:number], bound[:number] = chosen[rank], bound[rank]
        return number

    def solve_nodes(self, number: int, deadline: Deadline) -> None:
        """Solve the listed nodes, or note the bounds of those for which there is no time."""
        begin, each = 0, FUEL
        while begin < number:
            end = explore(
                self.p, self.table, self.roots.counts, self.chosen, self.bound, begin, number, self.floors,
                self.above, self.node, self.order, self.found, FUEL, each, 0,
            )  # fmt: skip
            each = 2 * each if end == begin else FUEL
            begin = int(end)
            if deadline.over() and self.found.cycles < np.inf:
                self.remaining += [(float(c), float(e)) for c, e in self.bound[begin:number]]
                return

    def leave_roots(self, first: int) -> None:
        """Note bounds of the unrollings that were not looked at, unless they are out of reach anyway."""
        out = np.zeros(2)
        for root in range(first, len(self.roots.parts)):
            root_floor(self.p, self.node, self.roots.counts[root], out)
            cycles = max(self.cycles, float(self.roots.steps[root]), float(out[0]))
            energy = self.above + float(out[1])
            if better(cycles, energy, float(self.found.cycles), float(self.found.energy), self.order):
                self.remaining.append((cycles, energy))


def fresh() -> Ints:
    """Where a listing of nodes begins: the first root, no dim decided."""
    return np.array([0] + [-1] * 8, np.int64)


def level_floors(p: Problem, table: Floats, node: Node) -> tuple[Floats, float, float]:
    """Least energy of the boundary into every level above the array and of all together, and least cycles of
    the outermost ports.

    Over all tiles that fit, aligned or not.
    """
    floors = np.zeros(p.shared + 1)
    for level in range(1, p.shared + 1):
        floors[level] = _least(p, table, node, level, level, floors, [ENERGY], UNLIMITED).energy
    cycles = compulsory_cycles(p, node)
    if p.shared:
        p.outer_cycles = _least(p, table, node, 1, 1, floors, [LATENCY, ENERGY], UNLIMITED).cycles
        cycles = max(cycles, float(p.outer_cycles))
    above = float(floors.sum())
    if p.shared > 1:
        together = _least(p, table, node, p.shared, 1, floors, [ENERGY], FLOOR_FUEL)
        above = max(above, float(together.energy)) if node.fuel > 0 else above
    return floors, above, float(cycles)


def _least(
    p: Problem, table: Floats, node: Node, top: int, bottom: int, floors: Floats, goal: list[int], fuel: int
) -> Mapping:
    """Least cost of the boundaries into some levels, whatever lies inside and outside."""
    node.tiles[:] = 1
    node.tiles[0] = p.bounds
    node.own[:] = 1
    node.low_cycles = node.low_energy = 0.0
    node.fuel = fuel
    least = np.zeros(1, MAPPING).view(np.recarray)[0]
    least.cycles = least.energy = np.inf
    solve(p, table, top, bottom, node, floors, np.array(goal, np.int64), least)
    return least


def compulsory_cycles(p: Problem, node: Node) -> float:
    """Cycles in which the outermost ports bring every operand once and take every output once."""
    inputs = float(p.bounds[0] * p.bounds[1] * p.bounds[3] * node.rows.prod())
    weights = float(p.macs / (p.bounds[0] * p.bounds[4] * p.bounds[5]))
    most = 0.0
    for m in set(p.memory[0].tolist()):
        held = [t for t in range(3) if p.memory[0, t] == m and p.boundaries[t] > 0]
        read = sum((inputs, weights)[t] * p.width[t] for t in held if t < 2)
        write = p.outputs * (p.width[2] + p.done_bits) if 2 in held else 0.0
        most = max(most, float(port(p, m, read, write)))
    return float(np.ceil(most))
