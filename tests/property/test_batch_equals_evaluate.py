"""The batch evaluators against ``evaluate``, mapping by mapping and access for access."""

import random
from collections import Counter
from math import prod

import numpy as np
import pytest

from accelsim.cost.evaluate import evaluate
from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapper.batch import Mappings, evaluate_many
from accelsim.mapper.frame import Frame

TENSORS = ("inputs", "weights", "outputs")


def random_shape(rng):
    bounds = {
        "N": rng.choice([1, 1, 2, 3]), "G": rng.choice([1, 1, 1, 3]), "K": rng.randint(1, 12),
        "C": rng.randint(1, 9), "P": rng.randint(1, 13), "Q": rng.randint(1, 9), "R": rng.randint(1, 5),
        "S": rng.randint(1, 4),
    }  # fmt: skip
    stride = (rng.randint(1, 3), rng.randint(1, 3))
    dilation = (rng.choice([1, 1, 2, 3]), rng.choice([1, 1, 2]))
    pad = (rng.choice([0, 1, 2]), rng.choice([0, 0, 1]))
    size = tuple(
        max(1, (bounds[p] - 1) * stride[a] + (bounds[r] - 1) * dilation[a] + 1 - pad[a] - rng.randint(-1, 2))
        for a, (p, r) in enumerate(("PR", "QS"))
    )
    return ConvShape(**bounds, stride=stride, dilation=dilation, pad=pad, size=size)


def random_memories(rng, index, per_pe):
    kind = rng.random()
    groups = [TENSORS] if kind < 0.6 else [("inputs",), ("weights", "outputs")]
    if kind >= 0.8:
        groups = [tuple(t for t in TENSORS if rng.random() < 0.6) or ("weights",)]
    return tuple(
        Memory(
            f"m{index}{k}", held, rng.choice([None, 200, 2000, 20000]), per_pe, rng.choice([1, 2]),
            rng.random(), rng.random(), rng.choice([None, 4, 16, 12.5]), rng.choice([None, 7, 32]),
            rng.random() < 0.3,
        )
        for k, held in enumerate(groups)
    )  # fmt: skip


def random_hierarchy(rng):
    above, inside = rng.choice([(1, 1), (1, 1), (2, 1), (2, 0), (1, 0), (0, 1), (1, 2), (3, 0), (3, 1)])
    levels = [(Memory("dram", TENSORS, rng.choice([None, None, 10**5]),
                      read_J=rng.random(), write_J=rng.random(),
                      read_bits=rng.choice([None, 8, 16]), write_bits=rng.choice([None, 24]),
                      shared_port=rng.random() < 0.3),)]  # fmt: skip
    levels += [random_memories(rng, i, i >= above) for i in range(above + inside)]
    axes = rng.choice(
        [
            (),
            (Axis("x", 4, ("K",)),),
            (Axis("x", 4, ("K", "P", "N")), Axis("y", 6, ("C", "R", "Q", "G"))),
            (Axis("x", 4, ("K", "C", "P")), Axis("y", 3, ("K", "C", "S"))),
        ]
    )
    bits = {"inputs": rng.choice([8, 16]), "weights": 8, "outputs": rng.choice([8, 16]), "partial": 16}
    return Hierarchy("any", tuple(levels), axes, bits, rng.random(), rng.choice([1, 2]),
                     rng.choice(["skip", "count"]))  # fmt: skip


def random_mappings(shape, frame, n, seed, permuted, aligned=False):
    rng = np.random.default_rng(seed)
    tiles = np.empty((len(frame.rows), n), np.int32)
    left = {d: np.full(n, shape[d]) for d in DIMS}
    inner = {d: rng.integers(1, shape[d] + 1, n) for d in DIMS}
    for row, (c, dim) in enumerate(frame.rows):
        tile = rng.integers(1, left[dim] + 1)
        if frame.cuts[c].axis:
            tile = np.maximum(tile, -(-left[dim] // 4))
        if aligned:
            tile = np.where(left[dim] > inner[dim], tile // inner[dim] * inner[dim], inner[dim])
            tile = np.where(tile < inner[dim], left[dim], tile)
        tile = np.where(rng.random(n) < 0.3, left[dim], tile)
        tiles[row] = left[dim] = tile
    times = len(frame.timed)
    if permuted:
        ranks = np.broadcast_to(np.arange(8, dtype=np.int8)[None, :, None], (times, 8, n))
        return Mappings(frame, tiles, rng.permuted(ranks, axis=1))
    return Mappings(frame, tiles, rng.integers(0, 6, (times, n), dtype=np.int8))


def check(shape, hierarchy, mappings):
    """Every boundary, cycles, energy and whether it fits, of every mapping."""
    got = evaluate_many(shape, hierarchy, mappings, counts=True)
    for i in range(len(mappings)):
        want = evaluate(mappings.nest(shape, i), hierarchy)
        for b, (tensor, _, child) in enumerate(got.boundaries):
            traffic = want.counts.at(tensor, child)
            up, down = (
                (traffic.updates, traffic.partials) if tensor == "outputs" else (traffic.reads, traffic.fills)
            )
            assert (got.at_parent[b, i], got.at_children[b, i]) == (up, down), (i, tensor, child)
        assert got.cycles[i] == want.cycles, i
        assert got.energy_J[i] == pytest.approx(want.energy_J, rel=1e-12), i
        assert got.fits[i] == (not want.faults), (i, want.faults)
    return Counter(got.fits.tolist())


@pytest.mark.parametrize("permuted", [False, True], ids=["classes", "permutations"])
def test_equal_to_evaluate_on_random_machines(permuted):
    """350 layers and machines each, 6 mappings: bypass, split and uneven memories, padding, groups."""
    fits, refused = Counter(), 0
    for seed in range(350):
        rng = random.Random(10_000 * permuted + seed)
        shape, hierarchy = random_shape(rng), random_hierarchy(rng)
        mappings = random_mappings(shape, Frame.of(hierarchy), 6, seed, permuted, seed % 4 == 0)
        try:
            fits += check(shape, hierarchy, mappings)
        except AccelsimError as error:
            assert "use accelsim.cost.evaluate" in str(error)
            refused += 1
    assert min(fits[True], fits[False]) > 400
    assert refused < 100


@pytest.mark.parametrize("levels", [3, 4])
def test_fast_kernel_equals_evaluate(levels):
    """The frames of the fast kernel: a layer of everyday size, both paddings, and one short strip."""
    rng = random.Random(levels)
    names = ("dram", "cache", "buffer", "pe") if levels == 4 else ("dram", "buffer", "pe")
    for padding in ("skip", "count"):
        memories = tuple(
            (Memory(name, TENSORS, size, name == "pe", 1, rng.random(), rng.random(), 32, 16),)
            for name, size in zip(names, (None, *(2**21, 2**18, 2**12)[3 - levels + 1 :]), strict=False)
        )
        axes = (Axis("x", 8, ("K", "P")), Axis("y", 8, ("C", "Q", "R")))
        bits = {"inputs": 8, "weights": 8, "outputs": 8, "partial": 16}
        hierarchy = Hierarchy("any", memories, axes, bits, 0.1, 1, padding)
        shape = ConvShape(K=24, C=18, P=14, Q=14, R=5, S=3, stride=(2, 1), pad=(2, 1), size=(27, 14))
        check(shape, hierarchy, random_mappings(shape, Frame.of(hierarchy), 300, levels, False))


def test_kernels_agree_beyond_one_strip():
    """The same mappings as codes and as permutations: two kernels, one answer."""
    shape = ConvShape(N=2, K=32, C=16, P=14, Q=14, R=3, S=3, pad=(1, 1), size=(14, 14))
    rng = random.Random(1)
    while True:
        hierarchy = random_hierarchy(rng)
        if len(hierarchy.levels) == 3 and len(hierarchy.axes) == 2 and hierarchy.axes[1].size == 6:
            break
    coded = random_mappings(shape, Frame.of(hierarchy), 1500, 0, False)
    ranks = np.empty((len(coded.frame.timed), 8, 1500), np.int8)
    for i in range(1500):
        for j in range(len(ranks)):
            ranks[j, [DIMS.index(d) for d in coded._order(j, i)], i] = np.arange(8)
    one = evaluate_many(shape, hierarchy, coded)
    other = evaluate_many(shape, hierarchy, Mappings(coded.frame, coded.tiles, ranks))
    assert (one.cycles == other.cycles).all()
    assert (one.fits == other.fits).all()
    np.testing.assert_allclose(one.energy_J, other.energy_J, rtol=1e-12)
    assert prod(one.cycles.shape) == 1500
