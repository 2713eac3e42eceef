"""How many mappings of one layer are judged per second, and how does that fall with the storage levels?

``pytest -m benchmark tests/benchmarks/test_batch.py``; ``extra_info`` holds the rate of the median, in CPU
time of one core, and the kernel it belongs to. Mappings are random, unaligned and in memory; every evaluation
covers all tensors, reads, writes, fills, room, cycles and energy. Seeds are fixed.
"""

from statistics import median
from time import process_time

import numpy as np
import pytest

from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapper.batch import Mappings, evaluate_many
from accelsim.mapper.batch_linear import is_uniform
from accelsim.mapper.batch_plan import Plan
from accelsim.mapper.frame import Frame

pytestmark = pytest.mark.benchmark

TENSORS = ("inputs", "weights", "outputs")
LAYER = ConvShape(K=128, C=64, P=28, Q=28, R=3, S=3, stride=(2, 2), pad=(1, 1), size=(56, 56))
N = 200_000


def machine(levels, padding="count", positions=16):
    """Outermost memory, ``levels - 2`` buffers and a store in every element, all tensors in each."""
    memories = [Memory("dram", TENSORS, None, False, 1, 200e-12, 200e-12, 64, 64)]
    memories += [
        Memory(f"buffer{i}", TENSORS, 2 ** (24 - 3 * i), False, 1, 6e-12, 7e-12, 256, 256, True)
        for i in range(levels - 2)
    ]
    memories.append(Memory("pe", TENSORS, 4096, True, 1, 1e-12, 1e-12, 32, 32))
    axes = (Axis("x", positions, ("K", "P")), Axis("y", positions, ("C", "Q", "R")))
    bits = {"inputs": 8, "weights": 8, "outputs": 8, "partial": 16}
    return Hierarchy("any", tuple((m,) for m in memories), axes, bits, 1e-12, 1, padding)


def random_mappings(frame, permuted, seed=0):
    rng = np.random.default_rng(seed)
    left = {d: np.full(N, LAYER[d]) for d in DIMS}
    tiles = np.empty((len(frame.rows), N), np.int32)
    for row, (_, dim) in enumerate(frame.rows):
        whole = rng.random(N) < 0.3
        tiles[row] = left[dim] = np.where(whole, left[dim], rng.integers(1, left[dim] + 1))
    times = len(frame.timed)
    ranks = np.broadcast_to(np.arange(8, dtype=np.int8)[None, :, None], (times, 8, N))
    orders = rng.permuted(ranks, axis=1) if permuted else rng.integers(0, 6, (times, N), np.int8)
    return Mappings(frame, tiles, orders)


def measure(benchmark, hierarchy, permuted, kernel, least=None):
    frame = Frame.of(hierarchy)
    mappings = random_mappings(frame, permuted)
    assert is_uniform(Plan(LAYER, frame, hierarchy.padding, permuted)) == kernel.startswith("uniform")
    evaluate_many(LAYER, hierarchy, mappings)  # compile
    spent = []

    def run():
        begin = process_time()
        evaluate_many(LAYER, hierarchy, mappings)
        spent.append(process_time() - begin)

    benchmark.pedantic(run, rounds=9, iterations=1)
    rate = N / median(spent)
    benchmark.extra_info.update(rate=rate, unit="mappings/s", kernel=kernel)
    if least is not None:
        assert rate > least


@pytest.mark.parametrize("padding", ["count", "skip"])
@pytest.mark.parametrize("levels", [3, 4])
def test_class_ordered(benchmark, levels, padding):
    """Target 20 M/s."""
    kernel = f"uniform, {levels} levels, order classes, ragged unaligned chains"
    measure(benchmark, machine(levels, padding), False, kernel, 10e6)


@pytest.mark.parametrize("levels", [3, 4])
def test_any_permutation(benchmark, levels):
    """Target 2 M/s."""
    kernel = f"strips, {levels} levels, any permutation, ragged unaligned chains"
    measure(benchmark, machine(levels), True, kernel, 2e6)


@pytest.mark.parametrize("levels", [2, 3, 4, 5, 6])
def test_growth_with_levels(benchmark, levels):
    measure(benchmark, machine(levels), True, f"strips, {levels} levels, any permutation")


@pytest.mark.parametrize("positions", [4, 16, 256])
def test_growth_with_array(benchmark, positions):
    """Closed forms: the rate does not depend on the size of the array."""
    measure(benchmark, machine(3, positions=positions), False, "uniform, 3 levels, order classes")
