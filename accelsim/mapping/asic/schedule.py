"""A schedule of layers on several parts, and the one block of tasks that it becomes."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import networkx
import numpy as np

from accelsim.errors import AccelsimError
from accelsim.graph.layer_graph import LayerGraph
from accelsim.kernel import Flat
from accelsim.mapper.assignment import Assignment, Schedule, search, solve
from accelsim.mapping.asic.options import AsicOptions
from accelsim.mapping.asic.plan import Ints
from accelsim.mapping.family import Kind

Layer = TypeVar("Layer")

DEADLINES = 16
"""Deadlines between the shortest makespan and that of least energy at which the product is looked at."""

BARRIER = 0
"""Kind of the tasks between layers."""

BARRIER_KIND = Kind("barrier", None)


def best_schedule(problem: Assignment, options: AsicOptions, where: str) -> Schedule:
    """The schedule for the goal of the options.

    Raises
    ------
    AccelsimError
        If none meets the deadline, or a proof is asked for a goal that has none.
    """
    deadline = None if options.deadline is None else int(options.deadline * 1e12)
    if options.goal == "edp":
        if options.scheduler == "exact":
            raise AccelsimError(
                f"{where}: scheduler=exact proves goal latency or energy, not edp; take search"
            )
        schedule = _least_product(problem, deadline)
    elif options.scheduler == "exact":
        proven = solve(problem, options.goal, deadline).schedule
        schedule = search(problem) if proven is None else proven
    else:
        schedule = search(problem, options.goal, deadline)
    if deadline is not None and schedule.makespan > deadline:
        raise AccelsimError(
            f"{where}: no schedule meets the deadline of {deadline / 1e6:g} us; the shortest found takes"
            f" {schedule.makespan / 1e6:g} us in closed form"
        )
    return schedule


def _least_product(problem: Assignment, deadline: int | None) -> Schedule:
    """The least energy-delay product among schedules of least energy within several deadlines."""
    ends = [search(problem, "latency", deadline), search(problem, "energy", deadline)]
    shortest, longest = (max(1, s.makespan) for s in ends)
    limits = np.geomspace(shortest, max(shortest, longest), DEADLINES).astype(np.int64).tolist()
    found = [*ends, *(search(problem, "energy", limit) for limit in limits)]
    allowed = [s for s in found if deadline is None or s.makespan <= deadline] or ends[:1]
    return min(allowed, key=lambda s: s.makespan * s.energy_J)


def chains_of(graph: LayerGraph, order: Sequence[Layer], name: Callable[[Layer], str]) -> list[list[Layer]]:
    """Layers of each network (component of the graph) in order; branches of one network take turns."""
    member: dict[str, int] = {}
    for number, names in enumerate(networkx.weakly_connected_components(graph.to_networkx())):
        member |= dict.fromkeys(names, number)
    chains: dict[int, list[Layer]] = {}
    for layer in order:
        chains.setdefault(member[name(layer)], []).append(layer)
    return list(chains.values())


def one_block(
    blocks: Sequence[tuple[list[Flat], str, int]], problem: Assignment
) -> tuple[Flat, list[tuple[int, int]]]:
    """All layers in one block, gated by barriers: after the layer before in its chain and on its part.

    Returns the block and, per layer, the numbers of the barriers at its beginning and end.
    """
    resource, duration, kind = [], [], []
    sources, targets = [], []
    spans: list[tuple[int, int]] = []
    count = 0
    end_on_part: dict[str, int] = {}
    end_of_layer: dict[int, int] = {}
    firsts = set(problem.first.tolist())

    def barrier() -> int:
        nonlocal count
        resource.append(np.array([-1]))
        duration.append(np.array([0]))
        kind.append(np.array([BARRIER]))
        count += 1
        return count - 1

    def edges(source: Ints, target: Ints) -> None:
        source, target = np.broadcast_arrays(source, target)
        sources.append(source)
        targets.append(target)

    for flats, part, index in blocks:
        gate = begin = barrier()
        before = [end_on_part.get(part)] + ([] if index in firsts else [end_of_layer[index - 1]])
        for waited in {b for b in before if b is not None}:
            edges(np.array([waited]), np.array([begin]))
        for flat in flats:
            source, target = flat.edges()
            edges(source.astype(np.int64) + count, target.astype(np.int64) + count)
            roots = np.flatnonzero(flat.waits == 0) + count
            leaves = np.flatnonzero(np.diff(flat.offsets) == 0) + count
            edges(np.array(gate), roots)
            resource.append(flat.resource)
            duration.append(flat.duration)
            kind.append(flat.kinds())
            count += len(flat)
            gate = barrier()
            edges(leaves, np.array(gate))
        spans.append((begin, gate))
        end_on_part[part] = end_of_layer[index] = gate
    flat = Flat(
        np.concatenate(resource).astype(np.int32),
        np.concatenate(duration),
        (np.concatenate(sources), np.concatenate(targets)),
        kind=np.concatenate(kind).astype(np.int32),
    )
    return flat, spans
