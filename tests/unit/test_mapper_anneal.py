"""Local search over nests: does it find what enumeration finds, and the same every time."""

from itertools import permutations

import pytest

from accelsim.cost.evaluate import evaluate
from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.cost.nest import TENSORS, Level, Loop, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape
from accelsim.mapper.anneal import anneal

SHAPE = ConvShape(K=4, C=2, P=3)


def machine(buffer_bits=64, axes=()):
    return Hierarchy(
        "small",
        levels=(
            (Memory("dram", TENSORS, None, read_J=100, write_J=100),),
            (Memory("buffer", TENSORS, buffer_bits, read_J=1, write_J=1),),
        ),
        axes=axes,
        bits=dict.fromkeys((*TENSORS, "partial"), 8),
    )


def energy(hierarchy):
    def judge(nest):
        cost = evaluate(nest, hierarchy)
        return float("inf") if cost.faults else cost.energy_J

    return judge


def every_nest(shape):
    """All orders of the prime factors and all places of one storage point."""
    factors = [("K", 2), ("K", 2), ("C", 2), ("P", 3)]
    for order in set(permutations(factors)):
        left, loops = dict(shape.bounds), []
        for dim, trips in order:
            left[dim] //= trips
            loops.append(Loop(dim, left[dim]))
        for depths in permutations(range(len(loops) + 1), 3):
            points = sorted(zip(depths, TENSORS, strict=True))
            levels = [Level(f"buffer.{tensor}", depth, (tensor,)) for depth, tensor in points]
            yield LoopNest(shape, tuple(loops), (Level("dram", 0), *levels))


def test_it_finds_the_least_energy_of_all_nests():
    hierarchy = machine()
    least = min(energy(hierarchy)(nest) for nest in every_nest(SHAPE))
    value, nest = anneal(SHAPE, hierarchy, (), energy(hierarchy), steps=3000)
    assert value == evaluate(nest, hierarchy).energy_J
    assert value <= least
    assert not evaluate(nest, hierarchy).faults


def test_the_same_seed_gives_the_same_nest():
    hierarchy = machine(axes=(Axis("rows", 4, ("K", "C")),))
    way = (("K", 2, "rows"), ("C", 2, "rows"))
    first, second = (anneal(SHAPE, hierarchy, way, energy(hierarchy), steps=300, seed=3) for _ in range(2))
    assert first == second


def test_the_array_is_used_as_asked():
    hierarchy = machine(buffer_bits=128, axes=(Axis("rows", 4, ("K",)),))
    _, nest = anneal(SHAPE, hierarchy, (("K", 4, "rows"),), energy(hierarchy), steps=200)
    assert nest.axes == {"rows": 4}


def test_nothing_fits():
    hierarchy = machine(buffer_bits=16)
    with pytest.raises(AccelsimError) as refusal:
        anneal(SHAPE, hierarchy, (), energy(hierarchy), steps=50)
    assert refusal.value.problems == (
        "small: no mapping that was tried fits; evaluate one to see what does not",
    )
