"""Best mapping of a layer on a hierarchy, with proof: two-stage branch and bound.

Stage 1 lists nodes (unrolling, tiles inside an element) whose lower bound is within reach, stage 2 solves them
outwards in order of their bound. Everything is deterministic unless a time budget ends the search.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod

import numpy as np

from accelsim.cost.evaluate import evaluate
from accelsim.cost.hierarchy import Hierarchy
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapper.array import nodes, options
from accelsim.mapper.explore import explore, level_floor, rows_floor
from accelsim.mapper.judge import SLACK
from accelsim.mapper.mapped import Certificate, Mapped, Metric, build
from accelsim.mapper.problem import Floats, Ints, problem
from accelsim.mapper.room import refuse_if_nothing_fits
from accelsim.mapper.space import Parts, Space, indexed, limit, unrollings

METRICS: tuple[Metric, ...] = ("latency", "energy", "edp")
FIRST_NODES = 64
"""Nodes of least bound that are solved first, for something to compare the others with."""
NODES = 1 << 16
"""Nodes listed before they are solved."""
FUEL = 4_000_000
"""Steps of compiled search between two looks at the clock."""
PATIENCE_S = 2.0
"""Searches shorter than this show no progress."""

Progress = Callable[[float, str], None]
"""Called with the share of unrollings done (0 to 1) and a line of text."""


@dataclass
class Roots:
    """All unrollings, best bound of steps first, and the options of tiles inside an element."""

    parts: list[Parts]
    counts: Ints
    steps: Floats
    kind: Ints
    first: Ints
    number: Ints
    table: Ints


@dataclass
class Incumbent:
    """The best so far."""

    cost: Floats
    tiles: Ints
    own: Ints
    parts: Ints
    classes: Ints
    root: Parts = field(default=())


def best_mapping(
    shape: ConvShape,
    hierarchy: Hierarchy,
    goal: tuple[Metric, ...] = ("latency", "energy"),
    space: Space | None = None,
    budget_s: float | None = None,
    progress: Progress | None = None,
) -> Mapped:
    """The best mapping for a lexicographic goal.

    Parameters
    ----------
    goal : metrics in order of importance, of ``latency``, ``energy`` and ``edp``
    space : what to search; by default one tile per level
    budget_s : seconds after which the best so far is returned with its gap
    progress : called now and then; by default a bar after two seconds

    Raises
    ------
    AccelsimError
        If nothing fits (which memory, which tensor, by how much), or the arguments make no sense.
    """
    space = space or Space()
    _check_goal(goal)
    started = time.perf_counter()
    p = problem(shape, hierarchy)
    refuse_if_nothing_fits(shape, hierarchy)
    order = np.array([METRICS.index(m) for m in goal], np.int64)
    roots = list_roots(shape, hierarchy, p)
    least_rows = rows_floor(p)
    floors = np.zeros(p.shared + 1)
    cycles = 0.0
    out = np.zeros(2)
    for level in range(1, p.shared + 1):
        level_floor(p, level, np.array([1], np.int64), least_rows, out)
        floors[level] = out[1]
        if level == 1:
            level_floor(p, level, np.array([0, 1], np.int64), least_rows, out)
            cycles = out[0]
    above = float(floors.sum())
    rows = max(p.levels, p.shared + 1) + 1
    found = Incumbent(
        np.full(2, np.inf),
        np.ones((rows, 8), np.int64),
        np.ones(8, np.int64),
        np.ones(8, np.int64),
        np.zeros(p.levels + 1, np.int64),
    )
    chosen = np.zeros((NODES, 17), np.int64)
    bound = np.zeros((NODES, 2))

    def list_nodes(resume: Ints, size: int, fuel: int) -> int:
        number, _ = nodes(
            p, roots.counts, roots.steps, roots.kind, roots.first, roots.number, roots.table, above, cycles,
            least_rows, order, found.cost, resume, fuel, size == FIRST_NODES, chosen[:size], bound[:size],
        )  # fmt: skip
        keys = [bound[:number, 1], bound[:number, 0]]
        if goal[0] == "energy":
            keys = keys[::-1]
        elif goal[0] == "edp":
            keys = [bound[:number, 1], bound[:number, 0] * bound[:number, 1]]
        rank = np.lexsort(keys)
        chosen[:number], bound[:number] = chosen[rank], bound[rank]
        return int(number)

    def solve_nodes(begin: int, end: int, fuel: int, each: int) -> int:
        return int(
            explore(
                p, roots.counts, chosen, bound, begin, end, floors, above, cycles, least_rows, order,
                found.cost, found.tiles, found.own, found.parts, found.classes, fuel, each,
            )
        )  # fmt: skip

    fresh = np.array([0] + [-1] * 8, np.int64)
    number = list_nodes(fresh.copy(), FIRST_NODES, 2**62)
    solve_nodes(0, number, 2**62, 2**62)
    resume = fresh.copy()
    while resume[0] < len(roots.parts):
        number = list_nodes(resume, NODES, 2**62)
        solve_nodes(0, number, 2**62, 2**62)
    root = next(q for q in roots.parts if [prod(c) for c in q] == list(found.parts))
    nest = build(shape, hierarchy, found.tiles.tolist(), found.own.tolist(), root, found.classes.tolist())
    cost = evaluate(nest, hierarchy)
    last = goal[-1]
    value = {"latency": float(cost.cycles), "energy": cost.energy_J, "edp": cost.edp_Js}[last]
    return Mapped(
        nest, cost, Certificate(space, shape, hierarchy, goal, True, last, value, value, "the mapping itself")
    )


def list_roots(shape: ConvShape, hierarchy: Hierarchy, p) -> Roots:
    """Unrollings in order of their least steps; of those with equal counts only differing limits stay."""
    kept = indexed(hierarchy)
    inside = p.levels - p.shared
    seen: dict[tuple[tuple[int, int], ...], Parts] = {}
    for parts in unrollings(shape, hierarchy):
        key = tuple((prod(q), limit(shape[d], q)) for d, q in zip(DIMS, parts, strict=True))
        seen.setdefault(key, parts)
    keys = list(seen)
    counts = np.array([[c for c, _ in k] for k in keys], np.int64)
    bounds = np.array([shape[d] for d in DIMS], np.int64)
    steps = (-(-bounds // counts)).prod(axis=1).astype(np.float64)
    rank = np.argsort(steps, kind="stable")
    kinds: dict[tuple[int, int, int], int] = {}
    kind = np.array(
        [[kinds.setdefault((d, *keys[i][d]), len(kinds)) for d in range(8)] for i in rank], np.int64
    )
    tables, first, number, at = [], [], [], 0
    for d, count, most in kinds:
        out = np.zeros((shape[DIMS[d]] ** (2 if inside == 2 else 1) + 1, 2), np.int64)
        rows = options(p, d, count, most, inside, DIMS[d] not in kept, out)
        tables.append(out[:rows])
        first.append(at)
        number.append(rows)
        at += rows
    return Roots(
        [seen[keys[i]] for i in rank],
        counts[rank],
        np.ceil(steps[rank] / p.macs_per_pe),
        kind,
        np.array(first, np.int64),
        np.array(number, np.int64),
        np.concatenate(tables),
    )


def _check_goal(goal: tuple[Metric, ...]) -> None:
    problems = []
    for metric in goal:
        if metric not in METRICS:
            hint = did_you_mean(metric, METRICS)
            problems.append(f"goal: unknown metric {metric!r}{hint}; known are {', '.join(METRICS)}")
    if not goal or len(set(goal)) < len(goal):
        problems.append(f"goal: needs one or more different metrics, not {', '.join(goal) or 'none'}")
    if problems:
        raise AccelsimError(*problems)
