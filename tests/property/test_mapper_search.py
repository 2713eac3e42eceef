"""The search against an enumeration of its own: every aligned mapping, judged one by one by ``evaluate``.

The enumeration knows neither classes nor bounds nor dominance. For the larger half of the spaces it tries one
order per class in each gap, for the smaller ones every permutation.
"""

import random
from dataclasses import replace
from itertools import islice, permutations, product
from math import isclose, prod

import pytest

from accelsim.cost.evaluate import evaluate
from accelsim.cost.hierarchy import Axis, Hierarchy, Memory, Network
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapper import Space, best_mapping

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


EVEN = [(1, 1), (1, 1), (2, 0), (1, 0), (0, 1), (2, 1), (1, 2)]
"""Levels above the array and inside its elements."""


def random_hierarchy(rng, shape, depths):
    moving = [d for d in DIMS if shape[d] > 1]
    above, inside = rng.choice(depths)
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
    return Hierarchy(
        "any",
        tuple(levels),
        axes,
        bits,
        mac_J=0.1,
        macs_per_pe=rng.choice([1, 1, 2]),
        padding=rng.choice(["skip", "count"]),
        networks=random_networks(rng, levels),
    )


def random_networks(rng, levels):
    inside = [t for t in TENSORS if any(m.per_pe and t in m.tensors for level in levels for m in level)]
    carried = [t for t in inside if rng.random() < 0.4]
    groups = [carried] if rng.random() < 0.5 else [[t] for t in carried]
    return tuple(
        Network(f"net{i}", tuple(group), rng.choice([None, 8, 40]), rng.choice([0.0, 1.0, 5.0]),
                rng.random() < 0.5)
        for i, group in enumerate(groups) if group
    )  # fmt: skip


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


def storage(hierarchy, uneven):
    """Storage points to try: of each a list of (level name, tensors), and how many lie above the array."""
    above = sum(not any(m.per_pe for m in level) for level in hierarchy.levels) - 1
    whole = [[(m.name, m.tensors) for m in level] for level in hierarchy.levels]
    yield whole, above
    if not uneven:
        return
    for outer in product((True, False), repeat=3):
        side = dict(zip(TENSORS, outer, strict=True))
        split = [
            [(f"{name}.{t}", (t,)) for name, held in whole[1] for t in held if side[t] is first]
            for first in (True, False)
        ]
        yield [whole[0], *split, *whole[2:]], above + 1


def points(shape, hierarchy, every_order, uneven=False):
    """Every nest of the space."""
    kept = {t for m in hierarchy.memories if m.per_pe for t in m.tensors}
    for held, above in storage(hierarchy, uneven):
        inside = len(held) - 1 - above
        ways = []
        for dim in DIMS:
            axes = [range(1, min(a.size, shape[dim]) + 1) if dim in a.dims else (1,) for a in hierarchy.axes]
            tiled = any(dim in INDEXED_BY[t] for t in kept)
            ways.append(
                [
                    (parts, chain)
                    for parts in product(*axes)
                    for chain in chains(shape[dim], parts, above, inside, tiled)
                ]
            )
        for choice in product(*ways):
            if any(prod(w[0][a] for w in choice) > axis.size for a, axis in enumerate(hierarchy.axes)):
                continue
            yield from nests(shape, hierarchy, held, above, choice, every_order)


def nests(shape, hierarchy, held, above, choice, every_order):
    """Nests of one choice of unrolling and tiles: the orders of every gap."""
    left = shape.bounds
    inside = len(held) - 1 - above
    segments = []  # (orders to try, storage point after them)
    for gap in range(1, max(len(held), above + 2)):
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
        segments.append((sorted(orders, key=str), None if gap == above + 1 else gap))
        if gap == above + 1:
            spatial = []
            for a, axis in enumerate(hierarchy.axes):
                for dim, (parts, chain) in zip(DIMS, choice, strict=True):
                    tile = chain[above + 1] * prod(parts[a + 1 :])
                    if tile < left[dim]:
                        spatial.append(Loop(dim, tile, axis.name))
                        left[dim] = tile
            segments.append(([tuple(spatial)], gap if inside else None))
    first = [Level(name, 0, tensors) for name, tensors in held[0]]
    for orders in product(*(s[0] for s in segments)):
        loops, levels = [], list(first)
        for order, (_, point) in zip(orders, segments, strict=True):
            loops += order
            if point is not None:
                levels += [Level(name, len(loops), tensors) for name, tensors in held[point]]
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


def spaces(seed, number, kinds, most, uneven=False):
    rng = random.Random(seed)
    while number:
        shape = random_shape(rng, kinds)
        try:
            hierarchy = random_hierarchy(rng, shape, [(1, 1), (1, 0)] if uneven else EVEN)
            best_mapping(shape, hierarchy)
        except AccelsimError as error:
            assert "further in" in str(error) or "no mapping fits" in str(error)
            continue
        size = sum(1 for _ in islice(points(shape, hierarchy, False, uneven), most + 1))
        if 20 < size <= most:
            number -= 1
            yield shape, hierarchy


def check(shape, hierarchy, every_order, goals, space=None):
    best = dict.fromkeys(goals)
    for nest in points(shape, hierarchy, every_order, space is not None):
        cost = evaluate(nest, hierarchy)
        if cost.faults:
            continue
        for goal in goals:
            value = key(cost, goal)
            if best[goal] is None or not same_or_less(best[goal], value):
                best[goal] = value
    for goal in goals:
        mapped = best_mapping(shape, hierarchy, goal, space)
        assert mapped.cost.faults == ()
        assert mapped.certificate.optimal
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


@pytest.mark.parametrize("seed", range(3))
def test_uneven_search_equals_enumeration(seed):
    """A storage point per tensor: eight ways to give three tensors to two points."""
    goals = (("latency", "energy"), ("energy",), ("edp",))
    for shape, hierarchy in spaces(200 + seed, 4, ("conv", "depthwise", "product", "window"), 2500, True):
        check(shape, hierarchy, False, goals, Space("tensor"))


def grown(rng, hierarchy):
    """A machine whose mappings contain the smaller one's: one axis longer or one memory larger."""
    if hierarchy.axes and rng.random() < 0.5:
        axis = rng.choice(hierarchy.axes)
        axes = tuple(replace(a, size=a.size + rng.randint(1, 3)) if a is axis else a for a in hierarchy.axes)
        return replace(hierarchy, axes=axes)
    memory = rng.choice(hierarchy.memories[1:])
    size = None if memory.size_bits is None or rng.random() < 0.2 else memory.size_bits + rng.randint(1, 200)
    levels = tuple(
        tuple(replace(m, size_bits=size) if m is memory else m for m in level) for level in hierarchy.levels
    )
    return replace(hierarchy, levels=levels)


@pytest.mark.parametrize("seed", range(4))
def test_a_larger_machine_is_never_worse(seed):
    """At equal cost per access; per-element ports are left out, since more elements share their work."""
    rng = random.Random(seed)
    for shape, hierarchy in spaces(300 + seed, 12, ("conv", "window", "product", "depthwise"), 10**4):
        larger = grown(rng, hierarchy)
        for goal in (("latency",), ("energy",), ("edp",)):
            small, large = (key(best_mapping(shape, h, goal).cost, goal) for h in (hierarchy, larger))
            assert same_or_less(large, small), (shape, hierarchy, larger)


@pytest.mark.parametrize("seed", range(4))
def test_more_work_never_costs_less(seed):
    """One more of any dim; the input grows with the outputs."""
    rng = random.Random(seed)
    for shape, hierarchy in spaces(400 + seed, 12, ("conv", "window", "product", "batch", "groups"), 10**4):
        dim = rng.choice("NGKCPQ")
        more = {dim: shape[dim] + 1}
        if dim in "PQ":
            axis = "PQ".index(dim)
            size = list(shape.size)
            size[axis] += shape.stride[axis]
            more["size"] = tuple(size)
        larger = replace(shape, **more)
        for goal in (("latency",), ("energy",), ("edp",)):
            less, more_cost = (key(best_mapping(s, hierarchy, goal).cost, goal) for s in (shape, larger))
            assert same_or_less(less, more_cost), (shape, larger, hierarchy)
