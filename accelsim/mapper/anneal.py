"""Local search over loop nests under any judgement: for cost formulas that the exact search cannot bound.

Simulated annealing. A state is the order of the prime factors of all loops in time, of the storage points
between them, and of the array among both; a step moves one factor or one point elsewhere. What it finds is
the best seen, without proof.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp, log

import numpy as np

from accelsim.cost.hierarchy import Hierarchy
from accelsim.cost.nest import TENSORS, Level, Loop, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape

Way = tuple[tuple[str, int, str], ...]
"""Dims unrolled over the array: (dim, positions, axis), outermost first."""

Judge = Callable[[LoopNest], float]
"""What is to be made small, more than 0; infinite for a nest that cannot run."""

HOT, COLD = 0.3, 1e-6
"""First and last temperature, in natural logarithms of the judgement."""


@dataclass(frozen=True, slots=True)
class _Factor:
    """A loop in time with so many trips."""

    dim: str
    trips: int


@dataclass(frozen=True, slots=True)
class _Point:
    """Where a memory keeps a tensor; ``rank`` orders the memories of a tensor from the outside in."""

    memory: str
    tensor: str
    rank: int
    per_pe: bool


@dataclass(frozen=True, slots=True)
class _Array:
    """The loops unrolled over the array."""

    loops: Way


_Item = _Factor | _Point | _Array


def anneal(
    shape: ConvShape,
    hierarchy: Hierarchy,
    way: Way,
    judge: Judge,
    *,
    steps: int = 5000,
    seed: int = 0,
) -> tuple[float, LoopNest]:
    """Best judgement and nest seen with a given filling of the array.

    Parameters
    ----------
    way : dims unrolled over the array as (dim, positions, axis), outermost first
    steps : nests that are judged

    Raises
    ------
    AccelsimError
        If no nest that was tried can run.
    """
    rng = np.random.default_rng(seed)
    state = _start(shape, hierarchy, way, rng)
    nest = _nest(shape, hierarchy, state)
    value = judge(nest)
    best = value, nest
    for step in range(steps):
        heat = HOT * (COLD / HOT) ** (step / steps)
        candidate = _moved(state, rng)
        if candidate is None:
            continue
        nest = _nest(shape, hierarchy, candidate)
        found = judge(nest)
        if found <= value or (found < float("inf") and rng.random() < exp(-log(found / value) / heat)):
            state, value = candidate, found
            if value < best[0]:
                best = value, nest
    if best[0] == float("inf"):
        raise AccelsimError(
            f"{hierarchy.name}: no mapping that was tried fits; evaluate one to see what does not"
        )
    return best


def _primes(number: int) -> list[int]:
    found, divisor = [], 2
    while number > 1:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return found


def _start(shape: ConvShape, hierarchy: Hierarchy, way: Way, rng: np.random.Generator) -> list[_Item]:
    """A random order with every tile as small as it gets, which fits if anything does."""
    used = dict.fromkeys(DIMS, 1)
    for dim, size, _ in way:
        used[dim] *= size
    factors: list[_Item] = [
        _Factor(dim, prime) for dim in DIMS for prime in _primes(-(-shape[dim] // used[dim]))
    ]
    order = [factors[i] for i in rng.permutation(len(factors))]
    points = [
        _Point(m.name, tensor, rank, m.per_pe)
        for rank, level in enumerate(hierarchy.levels[1:])
        for m in level
        for tensor in m.tensors
    ]
    shared = [p for p in points if not p.per_pe]
    return [*order, *shared, _Array(way), *(p for p in points if p.per_pe)]


def _moved(state: list[_Item], rng: np.random.Generator) -> list[_Item] | None:
    """The state after one step; None if the step is not allowed."""
    index = int(rng.integers(len(state)))
    item = state[index]
    if isinstance(item, _Array):
        return None
    rest = [*state[:index], *state[index + 1 :]]
    place = int(rng.integers(len(rest) + 1))
    new = [*rest[:place], item, *rest[place:]]
    return new if _allowed(new) else None


def _allowed(state: list[_Item]) -> bool:
    """Memories of a tensor in their order, those of single elements inside the array, the others outside."""
    inside = False
    last: dict[str, int] = {}
    for item in state:
        if isinstance(item, _Array):
            inside = True
        elif isinstance(item, _Point):
            if item.per_pe != inside or item.rank < last.get(item.tensor, -1):
                return False
            last[item.tensor] = item.rank
    return True


def _nest(shape: ConvShape, hierarchy: Hierarchy, state: list[_Item]) -> LoopNest:
    inner = dict.fromkeys(DIMS, 1)
    loops: list[Loop] = []
    for item in reversed(state):
        if isinstance(item, _Factor):
            loops.append(Loop(item.dim, min(inner[item.dim], shape[item.dim])))
            inner[item.dim] *= item.trips
        elif isinstance(item, _Array):
            for dim, size, axis in reversed(item.loops):
                loops.append(Loop(dim, min(inner[dim], shape[dim]), axis))
                inner[dim] *= size
    loops.reverse()
    outermost = hierarchy.levels[0][0].name
    return LoopNest(shape, tuple(loops), (Level(outermost, 0), *_levels(state)))


def _levels(state: list[_Item]) -> Iterator[Level]:
    depth = 0
    kept: dict[tuple[str, int], list[str]] = {}
    for item in state:
        if isinstance(item, _Factor):
            depth += 1
        elif isinstance(item, _Array):
            depth += len(item.loops)
        else:
            kept.setdefault((item.memory, depth), []).append(item.tensor)
    names = [memory for memory, _ in kept]
    for (memory, at), tensors in kept.items():
        own = tuple(t for t in TENSORS if t in tensors)
        name = memory if names.count(memory) == 1 else f"{memory}.{'+'.join(own)}"
        yield Level(name, at, own)
