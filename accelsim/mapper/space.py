"""The mappings that a search declares to cover, and how many there are."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from math import prod
from typing import Literal

from accelsim.cost.hierarchy import Hierarchy
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape
from accelsim.mapper.layout import Layout, by_level, by_tensor

Parts = tuple[tuple[int, ...], ...]
"""For each dim of ``DIMS`` the number of parts along each axis of the array."""


@dataclass(frozen=True, slots=True)
class Space:
    """What the search ranges over.

    Parameters
    ----------
    storage : ``"level"``: all tensors of a level share one tile. ``"tensor"``: the level above the array has
        two storage points between the loops, and each tensor is kept at either (uneven)
    """

    storage: Literal["level", "tensor"] = "level"

    def describe(self, hierarchy: Hierarchy) -> tuple[str, ...]:
        """The declared space in words, one sentence each."""
        axes = "; ".join(f"{a.name} {a.size}: {' '.join(a.dims) or 'nothing'}" for a in hierarchy.axes)
        doubled = [m.name for m in hierarchy.memories if m.buffers == 2]
        kept = indexed(hierarchy)
        return (
            f"array: {axes or 'one processing element'}; a dim may be cut in any number of parts, several"
            " share an axis as long as their product fits",
            "tiles: aligned and ragged: each is the whole extent or a multiple of the one inside it; the last"
            " may be short; tiles that are no such multiples are not covered",
            "one tile per level of memory"
            if self.storage == "level"
            else "above the array two storage points between the loops, every tensor kept at either of them",
            f"inside a processing element tiles of {' '.join(kept)} only"
            if kept
            else "nothing is kept inside a processing element",
            "orders: all permutations in every gap between memories, by three classes (inputs, weights or"
            " outputs stay longest), which dominate them",
            "every memory keeps all its tensors; no sliding reuse of inputs",
            f"two tiles at once in {', '.join(doubled)}" if doubled else "one tile at a time in every memory",
        )


def indexed(hierarchy: Hierarchy) -> tuple[str, ...]:
    """Dims that index a tensor kept inside processing elements: only these have tiles there."""
    kept = {t for m in hierarchy.memories if m.per_pe for t in m.tensors}
    return tuple(d for d in DIMS if any(d in RELEVANT[t] for t in kept))


@lru_cache(maxsize=1 << 16)
def limit(bound: int, parts: tuple[int, ...]) -> int:
    """Largest tile of one element for which all parts along all axes (outer first) have work."""
    most = bound
    inside = 1
    for count in reversed(parts):
        if count > 1:
            most = min(most, (bound - 1) // ((count - 1) * inside))
        inside *= count
    return most


def unrollings(shape: ConvShape, hierarchy: Hierarchy) -> Iterator[Parts]:
    """All ways to unroll the dims over the axes."""
    axes = hierarchy.axes

    def of_axis(dims: tuple[str, ...], left: int) -> Iterator[dict[str, int]]:
        if not dims:
            yield {}
            return
        for count in range(1, min(left, shape[dims[0]]) + 1):
            for rest in of_axis(dims[1:], left // count):
                yield {dims[0]: count, **rest}

    per_axis = []
    for axis in axes:
        ways = of_axis(tuple(d for d in axis.dims if shape[d] > 1), axis.size)
        per_axis.append([tuple(way.get(d, 1) for d in DIMS) for way in ways])
    bounds = tuple(shape[d] for d in DIMS)
    shared = any(sum(d in axis.dims for axis in axes) > 1 for d in DIMS)
    for choice in product(*per_axis):
        parts: Parts = tuple(zip(*choice, strict=True)) or ((),) * len(DIMS)
        if not shared or all(map(limit, bounds, parts)):
            yield parts


def covered(shape: ConvShape, hierarchy: Hierarchy, space: Space) -> int:
    """Points (unrolling, tile of every dim at every level, order class of every gap), fitting or not.

    With a storage point per tensor: for each way to give the tensors to the points.
    """
    layouts = [by_level(hierarchy), *(by_tensor(hierarchy) if space.storage == "tensor" else ())]
    return sum(_points(shape, hierarchy, layout) for layout in layouts)


def _points(shape: ConvShape, hierarchy: Hierarchy, layout: Layout) -> int:
    levels, above = len(layout.points) - 1, layout.shared
    inside = levels - above
    kept = indexed(hierarchy)

    @cache
    def outer(blocks: int, depth: int) -> int:
        """Chains of ``depth`` nested multiples over so many blocks."""
        if depth == 0:
            return 1
        return sum(outer(-(-blocks // n), depth - 1) for n in range(1, blocks + 1)) if depth > 1 else blocks

    @cache
    def inner(own: int, bound: int, depth: int) -> int:
        """Chains of ``depth`` tiles inside the tile of an element."""
        if depth == 0:
            return 1
        return sum(inner(t, own, depth - 1) for t in range(1, own + 1) if own % t == 0 or own == bound)

    @cache
    def chains(d: str, parts: tuple[int, ...]) -> int:
        bound = shape[d]
        most = limit(bound, parts) if inside and d in kept else 1
        return sum(
            outer(-(-bound // min(bound, own * prod(parts))), above) * inner(own, bound, inside - 1)
            if inside
            else outer(-(-bound // min(bound, own * prod(parts))), above)
            for own in range(1, most + 1)
        )

    total = 0
    for parts in unrollings(shape, hierarchy):
        total += prod(chains(d, q) for d, q in zip(DIMS, parts, strict=True))
    return int(total * 3**levels)
