"""Best mapping of a layer on a hierarchy of memories, with proof."""

from accelsim.cost.evaluate import evaluate
from accelsim.cost.hierarchy import Hierarchy
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.shape import ConvShape
from accelsim.mapper.layout import by_level, by_tensor
from accelsim.mapper.mapped import Mapped, Metric, build, certify
from accelsim.mapper.room import refuse_if_nothing_fits
from accelsim.mapper.space import Space
from accelsim.mapper.tree import METRICS, Deadline, Progress, Search


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
    refuse_if_nothing_fits(shape, hierarchy)
    layouts = [by_level(hierarchy), *(by_tensor(hierarchy) if space.storage == "tensor" else ())]
    deadline = Deadline(budget_s, progress)
    best, remaining = None, []
    for layout in layouts:
        search = Search(shape, hierarchy, layout, goal)
        if best is not None:
            search.found.cycles, search.found.energy = best.found.cycles, best.found.energy
        if search.run(deadline):
            best = search
        remaining += search.remaining
    deadline.close()
    assert best is not None
    found = best.found
    nest = build(
        shape, hierarchy, best.layout, found.tiles.tolist(), found.own.tolist(), best.roots.parts[found.root],
        found.classes.tolist(),
    )  # fmt: skip
    cost = evaluate(nest, hierarchy)
    return Mapped(nest, cost, certify(space, shape, hierarchy, goal, cost, remaining))


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
