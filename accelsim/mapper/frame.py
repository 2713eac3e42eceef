"""What all mappings of a batch share: where loops may be, in time or over the array, and the memories."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from accelsim.cost.hierarchy import Hierarchy
from accelsim.cost.nest import TENSORS, Level
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS


@dataclass(frozen=True, slots=True)
class Cut:
    """A group of loops next to each other, at most one for each of ``dims``.

    ``axis`` None: in time, in an order of the mapping's own. Otherwise side by side along that axis.
    """

    axis: str | None = None
    dims: tuple[str, ...] = DIMS


@dataclass(frozen=True)
class Frame:
    """Groups of loops, outermost first, and the levels between them.

    ``levels`` are those of a loop nest, but their ``depth`` counts cuts, not loops.

    Raises
    ------
    AccelsimError
        For anything that no mapping could have; all of it at once.
    """

    cuts: tuple[Cut, ...]
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise AccelsimError(*(f"frame: {p}" for p in problems))

    @classmethod
    def of(cls, hierarchy: Hierarchy) -> "Frame":
        """One tile per level: loops in time above every level but the outermost, the array above the first
        level that is per_pe, or innermost where there is none.
        """
        cuts: list[Cut] = []
        levels: list[Level] = []
        array = [Cut(axis.name, axis.dims) for axis in hierarchy.axes]
        for index, memories in enumerate(hierarchy.levels):
            if index:
                cuts.append(Cut())
            if index and array and any(m.per_pe for m in memories):
                cuts += array
                array = []
            levels += [Level(m.name, len(cuts), m.tensors) for m in memories]
        return cls((*cuts, *((Cut(), *array) if array else ())), tuple(levels))

    @cached_property
    def rows(self) -> tuple[tuple[int, str], ...]:
        """(index of the cut, dim) of every loop that a mapping may have: the rows of its tiles."""
        return tuple((c, dim) for c, cut in enumerate(self.cuts) for dim in DIMS if dim in cut.dims)

    @cached_property
    def timed(self) -> tuple[int, ...]:
        """Indices of the cuts in time, outermost first."""
        return tuple(c for c, cut in enumerate(self.cuts) if cut.axis is None)

    def chain(self, tensor: str) -> list[int]:
        """Indices of the levels that hold a tensor, outermost first."""
        return [i for i, level in enumerate(self.levels) if tensor in level.tensors]

    def _problems(self) -> Iterable[str]:
        for c, cut in enumerate(self.cuts):
            for dim in cut.dims:
                if dim not in DIMS:
                    yield f"cut {c}: unknown dimension {dim!r}; known are {' '.join(DIMS)}"
            if cut.axis is None and set(cut.dims) != set(DIMS):
                yield f"cut {c}: loops in time may be over every dimension"
        if not self.levels or self.levels[0].depth != 0 or set(self.levels[0].tensors) != set(TENSORS):
            yield f"the first level must have depth 0 and hold {', '.join(TENSORS)}"
        for above, level in pairwise(self.levels):
            if not above.depth <= level.depth <= len(self.cuts):
                yield (
                    f"level {level.name!r}: depth must be between {above.depth}, the one above it, and the"
                    f" {len(self.cuts)} cuts, not {level.depth}"
                )
        for level in self.levels:
            if level.sliding:
                yield f"level {level.name!r}: batches do not know sliding reuse; use accelsim.cost.evaluate"
