"""All mappings of a small layer on a small machine, judged one by one by the second cost implementation.

Knows no order classes, no dominance and no bounds: every permutation of the loops that move in every gap
between memories, every tile, every way to unroll. ``aligned``: a tile is the whole extent or a multiple of
the one inside it; otherwise any tile no larger than the one around it (a superset).
"""

from itertools import permutations, product
from math import ceil, prod

from second_cost import DIMS, Judge

INDEXED_BY = {"inputs": "NGCPQRS", "weights": "GKCRS", "outputs": "NGKPQ"}


def unrollings(bounds, axes):
    """Per axis {dim: number of parts}, the product within its size."""
    choices = []
    for axis in axes:
        dims = [d for d in axis.dims if bounds[d] > 1]
        parts = product(*(range(1, min(axis.size, bounds[d]) + 1) for d in dims))
        choices.append([dict(zip(dims, p, strict=True)) for p in parts if prod(p) <= axis.size])
    return product(*choices)


def outward(inner, bound, levels, aligned):
    """Chains of tiles around a block of ``inner``, innermost first."""
    if levels == 0:
        yield ()
        return
    for tile in range(inner, bound + 1):
        if not aligned or tile % inner == 0 or tile == bound:
            for rest in outward(tile, bound, levels - 1, aligned):
                yield (tile, *rest)


def chains(dim, bound, parts, kept, above, inside, aligned):
    """(tiles above the array outermost first, tile after each axis, tiles inside an element): one dim."""
    whole = prod(parts)
    for own in range(1, bound + 1) if kept else (1,):
        steps, block = [], own * whole
        for count in parts:
            block //= count
            steps.append(block)
        array = min(bound, own * whole)
        if _used(bound, array, steps) != tuple(parts):
            continue  # an element would never have a block
        for outer in outward(array, bound, above, aligned):
            tops = (*reversed(outer), array)
            for inner in inward(own, inside, bound, aligned):
                yield tops, tuple(min(s, array) for s in steps), inner


def _used(bound, array, steps):
    used, left = [], array
    for tile in steps:
        used.append(ceil(left / min(tile, left)))
        left = min(tile, left)
    return tuple(used)


def inward(own, levels, bound, aligned):
    """Chains of tiles inside the tile of an element, outermost first."""
    if levels == 0:
        yield ()
        return
    for tile in range(1, own + 1):
        if not aligned or own % tile == 0 or own == bound:
            for rest in inward(tile, levels - 1, own, aligned):
                yield (tile, *rest)


def layouts(hierarchy, uneven):
    """Ways to place what memories keep: per storage point [(level name, tensors)], outermost first.

    One point per level of memory; ``uneven``: also two for the level above the array, every tensor at either.
    """
    points = [[(m.name, m.tensors) for m in level] for level in hierarchy.levels]
    yield points
    if uneven:
        kept = [(m.name, t) for m in hierarchy.levels[1] for t in m.tensors]
        for outer in product((True, False), repeat=len(kept)):
            if len(set(outer)) == 2:
                split = [
                    [(f"{name}.{t}", (t,)) for (name, t), o in zip(kept, outer, strict=True) if o is side]
                    for side in (True, False)
                ]
                yield [points[0], *split, *points[2:]]


def mappings(shape, hierarchy, aligned=True, uneven=False):
    """(loops, levels) of every mapping, in the terms of ``Judge.cost``."""
    bounds = {d: shape[d] for d in DIMS}
    moving = [d for d in DIMS if bounds[d] > 1]
    inside = sum(any(m.per_pe for m in level) for level in hierarchy.levels)
    kept = {
        d for level in hierarchy.levels for m in level if m.per_pe for t in m.tensors for d in INDEXED_BY[t]
    }
    for points in layouts(hierarchy, uneven):
        above = len(points) - inside - 1
        for unrolling in unrollings(bounds, hierarchy.axes):
            per_dim = []
            for d in moving:
                parts = [u.get(d, 1) for u in unrolling]
                per_dim.append(
                    list(chains(d, bounds[d], parts, d in kept, above, max(0, inside - 1), aligned))
                )
            for chosen in product(*per_dim):
                yield from _orders(bounds, moving, chosen, hierarchy.axes, points, inside)


def _orders(bounds, moving, chosen, axes, points, inside):
    """Every order of the loops in time, outermost group first."""
    above = len(points) - inside - 1
    left = dict(bounds)
    groups = [(None, _moving(moving, [c[0][gap] for c in chosen], left)) for gap in range(above + 1)]
    groups += [(axis.name, _moving(moving, [c[1][a] for c in chosen], left)) for a, axis in enumerate(axes)]
    groups += [(None, _moving(moving, [c[2][gap] for c in chosen], left)) for gap in range(inside - 1)]
    last = None if inside else above  # loops inside all memories: without reuse in time order is no matter
    options = [
        list(permutations(loops)) if axis is None and index != last else [tuple(loops)]
        for index, (axis, loops) in enumerate(groups)
    ]
    for orders in product(*options):
        loops, ends = [], [0]
        for (axis, _), order in zip(groups, orders, strict=True):
            loops += [(dim, tile, axis) for dim, tile in order]
            ends.append(len(loops))
        depths = [*ends[: above + 1], *ends[above + 1 + len(axes) :][:inside]]
        yield (
            loops,
            [
                (name, depth, held)
                for point, depth in zip(points, depths, strict=True)
                for name, held in point
            ],
        )


def _moving(dims, tiles, left):
    found = [(d, t) for d, t in zip(dims, tiles, strict=True) if t < left[d]]
    left.update(found)
    return found


def optima(shape, hierarchy, aligned=True, uneven=False):
    """Least (latency then energy, energy, energy-delay) over all that fit, and the number of mappings."""
    judge = Judge(shape, hierarchy)
    lexicographic, energy, edp, count = (float("inf"),) * 2, float("inf"), float("inf"), 0
    for loops, levels in mappings(shape, hierarchy, aligned, uneven):
        count += 1
        cost = judge.cost(loops, levels)
        if cost.fits:
            lexicographic = min(lexicographic, (cost.cycles, cost.energy_J))
            energy = min(energy, cost.energy_J)
            edp = min(edp, cost.cycles * cost.energy_J / hierarchy.clock_Hz)
    return lexicographic, energy, edp, count
