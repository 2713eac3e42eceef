"""What a search hands back: the mapping, its cost and the certificate that says how good it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from accelsim.cost.evaluate import Cost
from accelsim.cost.hierarchy import Hierarchy
from accelsim.cost.nest import TENSORS, Loop, LoopNest
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape
from accelsim.mapper.judge import SLACK
from accelsim.mapper.layout import Layout
from accelsim.mapper.space import Parts, Space, covered

Metric = Literal["latency", "energy", "edp"]


@dataclass(frozen=True)
class Certificate:
    """What was searched and what follows.

    metric, value, bound : the first metric of the goal that is not proven, else the last one: what was found
        (cycles, joules or joule seconds), and what no mapping of the space can be below (of those that are as
        good in the metrics before it)
    bound_by : what the lower bound consists of
    """

    space: Space
    shape: ConvShape
    hierarchy: Hierarchy
    goal: tuple[Metric, ...]
    optimal: bool
    metric: Metric
    value: float
    bound: float
    bound_by: str

    @property
    def gap(self) -> float:
        """(value - bound) / value; 0 if optimal."""
        return 0.0 if self.optimal or self.value == 0 else (self.value - self.bound) / self.value

    @cached_property
    def covered(self) -> int:
        """Mappings of the space: points (unrolling, tile of every dim and level, order class of every
        gap).
        """
        return covered(self.shape, self.hierarchy, self.space)

    def __str__(self) -> str:
        verdict = (
            "optimal in this space"
            if self.optimal
            else f"within {self.gap:.3%} in {self.metric}: {self.value:.6g} found, none below"
            f" {self.bound:.6g} ({self.bound_by})"
        )
        lines = [f"{' then '.join(self.goal)}: {verdict}"]
        lines += [f"  {line}" for line in self.space.describe(self.hierarchy)]
        lines.append(f"  {self.covered} mappings covered (unrolling x tiles x order class of every gap)")
        return "\n".join(lines)


@dataclass(frozen=True)
class Mapped:
    """The best mapping found, its cost as ``cost.evaluate`` gives it, and its certificate."""

    nest: LoopNest
    cost: Cost
    certificate: Certificate


BOUND_BY = (
    "the branches not searched, each bounded by the steps of its units, the outermost ports, and the least"
    " energy of every boundary over all tiles that fit"
)


def certify(
    space: Space,
    shape: ConvShape,
    hierarchy: Hierarchy,
    goal: tuple[Metric, ...],
    cost: Cost,
    remaining: Sequence[tuple[float, float]],
) -> Certificate:
    """Certificate of a cost, given lower bounds (cycles, joules) of everything that was not searched."""
    for metric in goal:
        value = _metric(metric, cost.cycles, cost.energy_J, hierarchy.clock_Hz)
        bounds = [_metric(metric, c, e, hierarchy.clock_Hz) for c, e in remaining]
        least = min(bounds, default=value)
        if least < value * (1 - SLACK):
            return Certificate(space, shape, hierarchy, goal, False, metric, value, least, BOUND_BY)
        remaining = [r for r, b in zip(remaining, bounds, strict=True) if b <= value * (1 + SLACK)]
    return Certificate(space, shape, hierarchy, goal, True, metric, value, value, "the mapping itself")


def _metric(metric: Metric, cycles: float, energy_J: float, clock_Hz: float) -> float:
    return {"latency": float(cycles), "energy": energy_J, "edp": cycles * energy_J / clock_Hz}[metric]


def build(
    shape: ConvShape,
    hierarchy: Hierarchy,
    layout: Layout,
    tiles: Sequence[Sequence[int]],
    own: Sequence[int],
    parts: Parts,
    classes: Sequence[int],
) -> LoopNest:
    """The loop nest of one point of the space; arguments as in ``judge`` with parts per dim and axis."""
    loops: list[Loop] = []
    levels = layout.levels(0, 0)
    left = shape.bounds

    def cut(order: Sequence[int], row: Sequence[int], axis: str | None = None) -> None:
        for d in order:
            if row[d] < left[DIMS[d]]:
                loops.append(Loop(DIMS[d], int(row[d]), axis))
                left[DIMS[d]] = int(row[d])

    for level in range(1, max(len(layout.points), layout.shared + 2)):
        inner = level < len(layout.points)
        kept = RELEVANT[TENSORS[classes[level] if inner else 0]]
        order = sorted(range(8), key=lambda d: DIMS[d] not in kept)
        cut(order, tiles[level])
        if level == layout.shared + 1:
            rest = list(own)
            for axis in range(len(hierarchy.axes) - 1, -1, -1):
                rest = [r * p[axis] for r, p in zip(rest, parts, strict=True)]
            for axis, along in enumerate(hierarchy.axes):
                rest = [r // p[axis] for r, p in zip(rest, parts, strict=True)]
                cut(range(8), rest, along.name)
        if inner:
            levels += layout.levels(level, len(loops))
    return LoopNest(shape, tuple(loops), tuple(levels))
