"""The certificate against brute force: every mapping of small spaces, judged by an independent second cost.

Nothing here comes from ``accelsim.cost``: the walk of ``second_cost`` judges, ``brute_force`` enumerates.
"""

import random
from math import inf, isclose, prod

import pytest
from brute_force import mappings, optima
from second_cost import DIMS, Judge

from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape
from accelsim.mapper import Space, best_mapping

TENSORS = ("inputs", "weights", "outputs")
KINDS = ("conv", "depthwise", "grouped", "stride", "dilation", "product", "padded", "wide")


def layer(rng, kind, macs):
    bounds = dict.fromkeys(DIMS, 1)
    dims = {
        "conv": "KCPR", "depthwise": "GPR", "grouped": "GKCP", "stride": "CPR", "dilation": "KPR",
        "product": "KCP", "padded": "KPRS", "wide": "NKCPQR",
    }[kind]  # fmt: skip
    for dim in dims:
        bounds[dim] = 2 if kind == "wide" else rng.randint(2, 6 if len(dims) < 4 else 4)
    while prod(bounds.values()) > macs:
        dim = max(rng.sample(dims, len(dims)), key=lambda d: bounds[d])
        bounds[dim] -= 1
    stride = 2 if kind == "stride" else rng.choice([1, 1, 3])
    dilation = 2 if kind == "dilation" else 1
    pad, size = [], []
    for position, tap in ("PR", "QS"):
        reach = (bounds[position] - 1) * stride + (bounds[tap] - 1) * dilation + 1
        pad.append(1 if kind == "padded" and bounds[tap] > 1 else 0)
        size.append(max(1, reach - 2 * pad[-1]))
    return ConvShape(
        **bounds, stride=(stride,) * 2, dilation=(dilation,) * 2, pad=tuple(pad), size=tuple(size)
    )


def machine(rng, shape, seed):
    moving = [d for d in DIMS if shape[d] > 1]

    def memory(name, tensors, sizes, per_pe=False):
        return Memory(
            name, tuple(tensors), rng.choice(sizes), per_pe, 1 + (seed % 3 == 0), rng.choice([1.0, 0.4, 2.0]),
            rng.choice([0.5, 1.5]), rng.choice([None, 8, 24]), rng.choice([None, 8, 20]), rng.random() < 0.2,
        )  # fmt: skip

    levels = [(Memory("dram", TENSORS, None, read_J=rng.choice([3.0, 20.0]), write_J=10.0,
                      read_bits=rng.choice([None, 8, 64]), write_bits=rng.choice([None, 8, 32]),
                      shared_port=rng.random() < 0.3),)]  # fmt: skip
    split = [TENSORS] if seed % 2 else [(t,) for t in TENSORS]
    if seed % 5 != 4:
        levels.append(tuple(memory(f"buffer_{g[0]}", g, [None, 80, 160, 300]) for g in split))
    if seed % 4 != 3 or len(levels) == 1:
        held = [t for t in TENSORS if rng.random() < 0.7] or ["weights"]
        levels.append(tuple(memory(f"pe_{t}", (t,), [None, 24, 64], True) for t in held))
    axes = tuple(
        Axis(name, rng.choice([2, 3]), tuple(rng.sample(moving, min(len(moving), rng.choice([1, 2])))))
        for name in rng.choice([("x",), ("x",), ("x", "y")])
    )
    bits = {"inputs": 8, "weights": rng.choice([4, 8]), "outputs": 8, "partial": rng.choice([8, 16])}
    return Hierarchy("small", tuple(levels), axes, bits, mac_J=0.1, macs_per_pe=rng.choice([1, 1, 2]),
                     padding=("skip", "count")[seed % 2])  # fmt: skip


def spaces(seeds, most, macs, uneven=False):
    """(seed, layer, machine, optima) of the spaces with at most so many mappings."""
    for seed in seeds:
        rng = random.Random(seed)
        shape = layer(rng, KINDS[seed % len(KINDS)], macs)
        hierarchy = machine(rng, shape, seed)
        if uneven and (len(hierarchy.levels) < 2 or any(m.per_pe for m in hierarchy.levels[1])):
            continue
        every = mappings(shape, hierarchy, uneven=uneven)
        if sum(1 for _ in zip(range(most + 1), every, strict=False)) <= most:
            yield seed, shape, hierarchy, optima(shape, hierarchy, uneven=uneven)


def at_most(a, b):
    return a <= b * (1 + 1e-9)


def check(seed, shape, hierarchy, best, **options):
    """Compare three goals; returns (whether anything fits, how many certificates state a gap)."""
    lexicographic, energy, edp, _ = best
    gaps = 0
    if energy == inf:
        with pytest.raises(AccelsimError):
            best_mapping(shape, hierarchy, **options)
        return False, 0
    for goal, wanted in (
        (("latency", "energy"), lexicographic), (("energy",), (energy,)), (("edp",), (edp,)),
    ):  # fmt: skip
        mapped = best_mapping(shape, hierarchy, goal=goal, **options)
        certificate = mapped.certificate
        found = {"latency": mapped.cost.cycles, "energy": mapped.cost.energy_J, "edp": mapped.cost.edp_Js}
        context = (seed, goal, certificate, mapped.nest, found, wanted)
        assert not mapped.cost.faults, context
        again = Judge(shape, hierarchy).cost(
            [(v.dim, v.tile, v.axis) for v in mapped.nest.loops],
            [(v.name, v.depth, v.tensors) for v in mapped.nest.levels],
        )
        assert (again.fits, again.cycles) == (True, mapped.cost.cycles), context
        assert isclose(again.energy_J, mapped.cost.energy_J, rel_tol=1e-9), context
        gaps += not certificate.optimal
        for metric, value in zip(goal, wanted, strict=True):
            if not certificate.optimal and metric == certificate.metric:
                assert at_most(certificate.bound, value), context
                assert isclose(certificate.value, found[metric], rel_tol=1e-9), context
                assert at_most(value, certificate.value), context
                break
            assert isclose(found[metric], value, rel_tol=1e-9), (metric, context)
    return True, gaps


@pytest.mark.parametrize("part", range(2))
def test_optimum_equals_brute_force(part):
    """60 spaces each, up to 3,000 mappings: every permutation of every tiling."""
    results = [check(*space) for space in spaces(range(100 * part, 100 * part + 60), 3000, 30)]
    assert sum(fits for fits, _ in results) >= 40
    assert sum(gaps for _, gaps in results) == 0


def test_optimum_with_uneven_storage_equals_brute_force():
    """Every tensor at either of two points above the array."""
    found = spaces(range(500, 600), 4000, 16, uneven=True)
    results = [check(*space, space=Space("tensor")) for space in found]
    assert sum(fits for fits, _ in results) >= 20
    assert sum(gaps for _, gaps in results) == 0


def test_bound_of_an_unfinished_search_holds():
    """No time at all: what was found is a mapping, and no mapping is below the bound."""
    results = [check(*space, budget_s=0.0) for space in spaces(range(60), 3000, 30)]
    assert sum(gaps for _, gaps in results) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_optimum_of_larger_spaces_equals_brute_force(part):
    """Up to six dimensions and 60,000 mappings."""
    results = [check(*space) for space in spaces(range(1000 + 15 * part, 1015 + 15 * part), 60_000, 72)]
    assert sum(fits for fits, _ in results) >= 8
