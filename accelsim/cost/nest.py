"""The loop nest of one operator on a hierarchy of memories: what the closed forms are computed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import gcd, prod
from typing import Literal

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape

TENSORS = ("inputs", "weights", "outputs")
WINDOWS = (("P", "R"), ("Q", "S"))
"""Output position and kernel tap that together index one spatial axis of the inputs: rows, columns."""

Padding = Literal["skip", "count"]
"""Whether positions outside ``shape.size`` (zeros) are left unread or read like any other."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop over ``dim`` that hands blocks of ``tile`` positions to the loops inside; the last may be short.

    ``axis`` None is a loop in time; otherwise the blocks lie side by side along that axis of the array.
    """

    dim: str
    tile: int
    axis: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A memory that holds, of its ``tensors``, the tile left after the outermost ``depth`` loops.

    Other tensors pass it by. Spatial loops above ``depth`` mean so many copies of it. ``sliding``: a tile of
    inputs that moves along P, Q, R or S brings only what was not there yet since the sweep of that loop began
    (a line buffer that keeps the span).
    """

    name: str
    depth: int
    tensors: tuple[str, ...] = TENSORS
    sliding: bool = False


@dataclass(frozen=True)
class LoopNest:
    """Loops of one operator, outermost first, and the levels between them.

    Each loop cuts the block it is given, so several loops over one dim have tiles that never grow inwards.
    What remains inside the last loop is worked through by one processing element. Level 0 is the outermost
    memory.

    Raises
    ------
    AccelsimError
        If ``validate`` finds anything; all of it at once.
    """

    shape: ConvShape
    loops: tuple[Loop, ...]
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        problems = self.validate()
        if problems:
            raise AccelsimError(*problems)

    def validate(self) -> list[str]:
        """One sentence for each thing wrong with the nest; empty if it can be counted."""
        return [*_loop_problems(self.shape, self.loops), *_level_problems(self.levels, len(self.loops))]

    @cached_property
    def trips(self) -> tuple[int, ...]:
        """Nominal trip count of each loop: full enclosing tile over own tile, rounded up."""
        left = self.shape.bounds
        trips = []
        for loop in self.loops:
            trips.append(-(-left[loop.dim] // loop.tile))
            left[loop.dim] = loop.tile
        return tuple(trips)

    @cached_property
    def moving(self) -> tuple[tuple[int, Loop], ...]:
        """Index and loop of those with nominally more than one trip; the others change nothing."""
        return tuple((i, loop) for i, loop in enumerate(self.loops) if self.trips[i] > 1)

    @cached_property
    def pes(self) -> int:
        """Processing elements that the spatial loops nominally span."""
        return prod(self.axes.values())

    @cached_property
    def axes(self) -> Mapping[str, int]:
        """Array axis -> nominal number of positions used along it."""
        used: dict[str, int] = {}
        for loop, trips in zip(self.loops, self.trips, strict=True):
            if loop.axis is not None:
                used[loop.axis] = used.get(loop.axis, 1) * trips
        return used

    @cached_property
    def pe_steps(self) -> int:
        """Multiply-accumulates of one full block inside the last loop."""
        return prod(self.extents(len(self.loops)).values())

    def extents(self, depth: int) -> dict[str, int]:
        """Nominal extent of every dimension inside the outermost ``depth`` loops."""
        left = self.shape.bounds
        for loop in self.loops[:depth]:
            left[loop.dim] = loop.tile
        return left

    def frontier(self, tensor: str, depth: int) -> int:
        """Index of the loop at which a tile of ``tensor`` below ``depth`` is fetched; -1 if only once.

        Static hoisting: the innermost loop in time, among the outermost ``depth``, that indexes the tensor
        and nominally has more than one trip. Loops inside it leave the tile where it is.
        """
        for index, loop in reversed(self.moving):
            if index < depth and loop.axis is None and loop.dim in RELEVANT[tensor]:
                return index
        return -1

    def tile(self, level: int, tensor: str, padding: Padding = "skip") -> int:
        """Elements of the full tile of ``tensor`` that one copy of the level with this index makes room for.

        Inputs include the halo: the distinct rows and columns that the tile touches, never more than the
        input has (unless ``padding`` is ``"count"``). A sliding level keeps the whole span in its direction.
        """
        depth = self.levels[level].depth
        extent = self.extents(depth)
        if tensor != "inputs":
            return prod(extent[d] for d in RELEVANT[tensor])
        frontier = self.frontier(tensor, depth)
        slides = self.loops[frontier].dim if self.levels[level].sliding and frontier >= 0 else None
        elements = extent["N"] * extent["G"] * extent["C"]
        for axis, (position, tap) in enumerate(WINDOWS):
            a, b = extent[position], extent[tap]
            stride, dilation = self.shape.stride[axis], self.shape.dilation[axis]
            common = gcd(stride, dilation)
            rows = a * b - max(0, a - dilation // common) * max(0, b - stride // common)
            if slides in (position, tap):
                rows = (a - 1) * stride + (b - 1) * dilation + 1
            elements *= min(rows, self.shape.size[axis]) if padding == "skip" else rows
        return elements


def _loop_problems(shape: ConvShape, loops: tuple[Loop, ...]) -> list[str]:
    problems = []
    left = shape.bounds
    for index, loop in enumerate(loops):
        where = f"loop {index} over {loop.dim}"
        if loop.dim not in DIMS:
            hint = did_you_mean(loop.dim, DIMS)
            problems.append(f"loop {index}: unknown dimension {loop.dim!r}{hint}; known are {' '.join(DIMS)}")
        elif loop.tile < 1:
            problems.append(f"{where}: tile must be at least 1, not {loop.tile}")
        elif loop.tile > left[loop.dim]:
            problems.append(
                f"{where}: tile {loop.tile} is larger than the {left[loop.dim]} positions it divides"
            )
        else:
            left[loop.dim] = loop.tile
        if loop.axis == "":
            problems.append(f"{where}: the axis of a spatial loop needs a name")
    return problems


def _level_problems(levels: tuple[Level, ...], loops: int) -> list[str]:
    if not levels:
        return ["a loop nest needs at least one level"]
    problems = []
    if levels[0].depth != 0:
        problems.append(
            f"level {levels[0].name!r} is the outermost: its depth must be 0, not {levels[0].depth}"
        )
    if set(levels[0].tensors) != set(TENSORS):
        problems.append(f"level {levels[0].name!r} is the outermost: it must hold {', '.join(TENSORS)}")
    for index, level in enumerate(levels):
        where = f"level {level.name!r}"
        if level.name in {other.name for other in levels[:index]}:
            problems.append(f"{where}: another level has this name")
        if not 0 <= level.depth <= loops:
            problems.append(f"{where}: depth must be between 0 and the {loops} loops, not {level.depth}")
        if index and level.depth < levels[index - 1].depth:
            problems.append(
                f"{where}: its depth {level.depth} is less than {levels[index - 1].depth}, the one above it"
            )
        for tensor in level.tensors:
            if tensor not in TENSORS:
                hint = did_you_mean(tensor, TENSORS)
                problems.append(f"{where}: unknown tensor {tensor!r}{hint}; known are {', '.join(TENSORS)}")
        if level.sliding and "inputs" not in level.tensors:
            problems.append(f"{where}: only inputs slide, and it does not hold them")
    return problems
