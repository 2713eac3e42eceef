"""Which memory keeps which tensors at which point between the loops."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from accelsim.cost.hierarchy import Hierarchy, Memory
from accelsim.cost.nest import TENSORS, Level
from accelsim.errors import AccelsimError


@dataclass(frozen=True)
class Layout:
    """Storage points, outermost first; at each the memories and what they keep there.

    ``shared`` is the number of points above the array besides the outermost.
    """

    points: tuple[tuple[tuple[Memory, tuple[str, ...]], ...], ...]
    shared: int

    def levels(self, point: int, depth: int) -> list[Level]:
        """Levels of a nest at one point; a memory that appears more than once is told apart by its
        tensors.
        """
        often = [m.name for p in self.points for m, _ in p]
        return [
            Level(m.name if often.count(m.name) == 1 else f"{m.name}.{'-'.join(held)}", depth, held)
            for m, held in self.points[point]
        ]


def by_level(hierarchy: Hierarchy) -> Layout:
    """One point per level."""
    points = tuple(tuple((m, m.tensors) for m in level) for level in hierarchy.levels)
    return Layout(points, sum(not any(m.per_pe for m in level) for level in hierarchy.levels) - 1)


def by_tensor(hierarchy: Hierarchy) -> Iterator[Layout]:
    """Two points for the level above the array, every tensor at either, not all at the same.

    Raises
    ------
    AccelsimError
        Unless there is exactly one level between the outermost and the array.
    """
    whole = by_level(hierarchy)
    if whole.shared != 1:
        raise AccelsimError(
            f"{hierarchy.name}: storage='tensor' needs one level of memory between the outermost and the"
            f" array, not {whole.shared}; use storage='level'"
        )
    middle = whole.points[1]
    tensors = [t for t in TENSORS if any(t in held for _, held in middle)]
    for outer in product((True, False), repeat=len(tensors)):
        if len(set(outer)) < 2:
            continue
        sides = [{t for t, o in zip(tensors, outer, strict=True) if o is side} for side in (True, False)]
        split = tuple(
            tuple((m, kept) for m, held in middle if (kept := tuple(t for t in held if t in side)))
            for side in sides
        )
        yield Layout((whole.points[0], *split, *whole.points[2:]), 2)
