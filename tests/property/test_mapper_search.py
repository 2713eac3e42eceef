"""The search against an enumeration of its own: every aligned mapping, judged one by one by ``evaluate``.

The enumeration knows neither classes nor bounds nor dominance. For the larger half of the spaces it tries one
order per class in each gap, for the smaller ones every permutation.
"""

import random
from itertools import permutations, product
from math import inf, isclose, prod

import pytest

from accelsim.cost.evaluate import evaluate
from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapper import best_mapping

TENSORS = ("inputs", "weights", "outputs")
INDEXED_BY = {"inputs": "NGCPQRS", "weights": "GKCRS", "outputs": "NGKPQ"}
GOALS = (
    ("latency", "energy"), ("energy", "latency"), ("edp", "latency"), ("energy",), ("latency",), ("edp",),
    ("latency", "edp"), ("energy", "edp", "latency"),
)  # fmt: skip


def random_shape(rng, kinds):
    kind = rng.choice(kinds)
    dims = {
        "conv": ("K", "C", "P", "R"), "groups": ("G", "K", "C"), "depthwise": ("G", "P", "R"),
        "product": ("K", "C", "P"), "batch": ("N", "K", "C"), "window": ("P", "R", "Q", "S"),
    }[kind]  # fmt: skip
    bounds = dict.fromkeys(DIMS, 1)
    for dim in rng.sample(dims, min(3, len(dims))):
        bounds[dim] = rng.randint(2, 3 if dim in "RS" else 5)
    while prod(bounds.values()) > 48:
        dim = max(bounds, key=lambda d: bounds[d])
        bounds[dim] -= 1
    stride, dilation = rng.choice([1, 1, 2, 3]), rng.choice([1, 1, 2])
    size, pad = [], []
    for position, tap in ("PR", "QS"):
        reach = (bounds[position] - 1) * stride + (bounds[tap] - 1) * dilation + 1
        pad.append(rng.choice([0, 0, 1]) if bounds[tap] > 1 else 0)
        size.append(max(1, reach - pad[-1] - rng.choice([0, pad[-1]])))
    return ConvShape(
        **bounds, stride=(stride,) * 2, dilation=(dilation,) * 2, pad=tuple(pad), size=tuple(size)
    )


def random_level(rng, index, per_pe, tight):
    held = [t for t in TENSORS if rng.random() < 0.75] or [rng.choice(TENSORS)]
    groups = [held] if rng.random() < 0.5 else [[t] for t in held]
    return tuple(
        Memory(
            f"m{index}{g[0][0]}", tuple(g), rng.choice([None, *tight]), per_pe, rng.choice([1, 1, 2]),
            rng.choice([0.0, 1.0, 0.3, 2.0]), rng.choice([0.5, 1.5]),
            rng.choice([None, None, 8, 24]), rng.choice([None, None, 8, 20]), rng.random() < 0.2,
        )
        for g in groups
    )  # fmt: skip


def random_hierarchy(rng, shape):
    moving = [d for d in DIMS if shape[d] > 1]
    above, inside = rng.choice([(1, 1), (1, 1), (2, 0), (1, 0), (0, 1), (2, 1), (1, 2)])
    dram = Memory("dram", TENSORS, None, read_J=rng.choice([3.0, 20.0]), write_J=10.0,
                  read_bits=rng.choice([None, 8, 64]), write_bits=rng.choice([None, 8, 32]),
                  shared_port=rng.random() < 0.3)  # fmt: skip
    levels = [(dram,)]
    levels += [random_level(rng, i + 1, False, [100, 200, 400]) for i in range(above)]
    levels += [random_level(rng, i + 1 + above, True, [50, 100, 200]) for i in range(inside)]
    axes = tuple(
        Axis(name, rng.choice([2, 3, 4]), tuple(rng.sample(moving, min(len(moving), rng.choice([1, 2])))))
        for name in rng.choice([(), ("x",), ("x", "y")])
    )
    bits = {"inputs": 8, "weights": rng.choice([4, 8]), "outputs": 8, "partial": rng.choice([8, 16])}
    return Hierarchy("any", tuple(levels), axes, bits, mac_J=0.1, macs_per_pe=rng.choice([1, 1, 2]),
                     padding=rng.choice(["skip", "count"]))  # fmt: skip


def multiples(inner, outer):
    return sorted({min(outer, n * inner) for n in range(1, outer + 1)})


def chains(bound, parts, above, inside, kept):
    """All (tiles of levels above, block, own, inner tiles) of one dim; parts per axis."""
    count = prod(parts)
    for own in range(1, bound + 1 if inside and kept else 2):
        if any((q - 1) * prod(parts[i + 1 :]) * own >= bound for i, q in enumerate(parts) if q > 1):
            continue
        block = min(bound, own * count)
        outers = [()]
        for _ in range(above):
            outers = [(t, *o) for o in outers for t in multiples(o[0] if o else block, bound)]
        inners = [()]
        for _ in range(inside - 1):
            inners = [
                (*i, t)
                for i in inners
                for t in range(1, (i[-1] if i else own) + 1)
                if (i[-1] if i else own) % t == 0
                or (i[-1] if i else own) == (i[-2] if len(i) > 1 else own if i else bound)
            ]
        for o, i in product(outers, inners):
            yield (*o, block, own, *i)


def points(shape, hierarchy, every_order):
    """Every nest of the space."""
    above = sum(not any(m.per_pe for m in level) for level in hierarchy.levels) - 1
    inside = len(hierarchy.levels) - 1 - above
    kept = {t for m in hierarchy.memories if m.per_pe for t in m.tensors}
    ways = []
    for dim in DIMS:
        axes = [range(1, min(a.size, shape[dim]) + 1) if dim in a.dims else (1,) for a in hierarchy.axes]
        ways.append(
            [
                (parts, chain)
                for parts in product(*axes)
                for chain in chains(shape[dim], parts, above, inside, any(dim in INDEXED_BY[t] for t in kept))
            ]
        )
    for choice in product(*ways):
        if any(prod(w[0][a] for w in choice) > axis.size for a, axis in enumerate(hierarchy.axes)):
            continue
        yield from nests(shape, hierarchy, above, inside, choice, every_order)


def nests(shape, hierarchy, above, inside, choice, every_order):
    left = shape.bounds
    segments = []  # (orders to try, level after it)
    for gap in range(1, max(len(hierarchy.levels), above + 2)):
        column = gap - 1 if gap <= above + 1 else gap
        loops = {}
        for dim, (_, chain) in zip(DIMS, choice, strict=True):
            if chain[column] < left[dim]:
                loops[dim] = Loop(dim, chain[column])
                left[dim] = chain[column]
        if every_order:
            orders = list(permutations(loops.values()))
        else:
            orders = {
                tuple(sorted(loops.values(), key=lambda loop: loop.dim not in INDEXED_BY[t])) for t in TENSORS
            }
        segments.append((sorted(orders, key=str), gap))
        if gap == above + 1:
            spatial = []
            for a, axis in enumerate(hierarchy.axes):
                for dim, (parts, chain) in zip(DIMS, choice, strict=True):
                    tile = chain[above + 1] * prod(parts[a + 1 :])
                    if tile < left[dim]:
                        spatial.append(Loop(dim, tile, axis.name))
                        left[dim] = tile
            segments.append(([tuple(spatial)], None))
    first = [Level(m.name, 0, m.tensors) for m in hierarchy.levels[0]]
    for orders in product(*(s[0] for s in segments)):
        loops, levels = [], list(first)
        for order, (_, gap) in zip(orders, segments, strict=True):
            loops += order
            after_array = gap is None and inside
            at = above + 1 if after_array else gap
            if at is not None and at < len(hierarchy.levels) and (gap is None or gap != above + 1):
                levels += [Level(m.name, len(loops), m.tensors) for m in hierarchy.levels[at]]
        yield LoopNest(shape, tuple(loops), tuple(levels))


def key(cost, goal):
    value = {"latency": cost.cycles, "energy": cost.energy_J, "edp": cost.cycles * cost.energy_J}
    return tuple(value[m] for m in goal)


def same_or_less(a, b):
    """Lexicographic comparison with energies equal up to rounding."""
    for x, y in zip(a, b, strict=True):
        if isclose(x, y, rel_tol=1e-11):
            continue
        return x < y
    return True


def spaces(seed, number, kinds, most):
    rng = random.Random(seed)
    while number:
        shape = random_shape(rng, kinds)
        try:
            hierarchy = random_hierarchy(rng, shape)
            best_mapping(shape, hierarchy)
        except AccelsimError as error:
            assert "further in" in str(error) or "no mapping fits" in str(error)  # noqa: PT017
            continue
        size = 0
        for _ in points(shape, hierarchy, False):
            size += 1
            if size > most:
                break
        if 20 < size <= most:
            number -= 1
            yield shape, hierarchy


def check(shape, hierarchy, every_order, goals):
    best = dict.fromkeys(goals)
    for nest in points(shape, hierarchy, every_order):
        cost = evaluate(nest, hierarchy)
        if cost.faults:
            continue
        for goal in goals:
            value = key(cost, goal)
            if best[goal] is None or not same_or_less(best[goal], value):
                best[goal] = value
    for goal in goals:
        mapped = best_mapping(shape, hierarchy, goal)
        assert mapped.cost.faults == ()
        got = key(mapped.cost, goal)
        assert best[goal] is not None
        assert same_or_less(best[goal], got), (shape, hierarchy, mapped.nest, got, best[goal])
        assert same_or_less(got, best[goal]), (shape, hierarchy, mapped.nest, got, best[goal])


@pytest.mark.parametrize("seed", range(10))
def test_search_equals_enumeration(seed):
    """100 spaces, eight goals each: no mapping is better, and the one found exists."""
    kinds = ("conv", "groups", "depthwise", "product", "batch", "window")
    for shape, hierarchy in spaces(seed, 10, kinds, 1200):
        check(shape, hierarchy, False, GOALS)


@pytest.mark.parametrize("seed", range(3))
def test_classes_dominate_every_permutation(seed):
    """Orders collapse to three classes per gap, grouped and depthwise layers included."""
    for shape, hierarchy in spaces(100 + seed, 5, ("conv", "groups", "depthwise"), 300):
        check(shape, hierarchy, True, (("energy", "latency"), ("latency", "energy")))
