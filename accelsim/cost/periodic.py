"""A loop nest as equal tiles that move in equal periods, as ZigZag counts it.

Against ``counts``, which is exact: a tile is the full one at every iteration, zeros of the padding are read,
and

- where a dimension does not fill its part of the array, every tile has the *mean* unrolling (``whole`` False)
  or that mean rounded down (``whole`` True, which leaves part of the operands out);
- copies of a tile that overlap (a halo) are told apart by single positions, not by the tiles;
- a sum that is not finished is read back as often as it is written, its first visit included.

Source: zigzag-dse 3.9.1 (mapping.py, mapping_assist_funcs.py), read and reproduced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, prod
from typing import Literal

from accelsim.cost.hierarchy import Hierarchy, Memory
from accelsim.cost.nest import TENSORS, WINDOWS, LoopNest
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape

Way = Literal["read_down", "write_down", "read_up", "write_up"]
"""At one memory: read for what is below, written from above, read for what is above, written from below."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where a tensor is kept: a storage point, or the multiply-accumulate units (``memory`` empty).

    memory : its name
    period, count : cycles from one tile to the next, and how many there are
    tile : elements of the tile of one copy
    distinct : tiles that differ among the copies below one copy of the next memory out
    copies : of the memory, over the array
    partial : whether sums leave it unfinished
    still, turning : trips of the outermost loops of a period that do not index the tensor, and that do
    """

    memory: str
    period: int
    count: int
    tile: int
    distinct: int
    copies: int
    partial: bool
    still: int = 1
    turning: int = 1


@dataclass(frozen=True, slots=True)
class Move:
    """What passes a memory one way: ``count`` times ``elements`` of ``bits``, every ``period`` cycles."""

    tensor: str
    level: int
    way: Way
    elements: int
    bits: int
    period: int
    count: int

    def cycles(self, width: float) -> int:
        """Cycles of one transfer through a port of so many bits."""
        return ceil(self.elements * self.bits / width)


def unrolling(nest: LoopNest, whole: bool) -> dict[int, float]:
    """Spatial loop -> mean number of positions in use, or that rounded down."""
    factors = {}
    for index, loop in enumerate(nest.loops):
        if loop.axis is not None:
            rest = prod(t for i, t in enumerate(nest.trips) if nest.loops[i].dim == loop.dim and i != index)
            mean = nest.shape[loop.dim] / rest
            factors[index] = max(1, int(mean + 1e-9)) if whole else mean
    return factors


def points(nest: LoopNest, tensor: str, whole: bool = False) -> list[Point]:
    """The units and the storage points of a tensor, innermost first."""
    used = unrolling(nest, whole)
    moving = [(i, loop.dim) for i, loop in nest.moving if loop.axis is None]
    total = prod(nest.trips[i] for i, _ in moving)
    chain = [(level.name.partition(".")[0], level.depth) for level in nest.levels if tensor in level.tensors]
    places = [*chain, ("", len(nest.loops))]
    found: list[Point] = []
    inner_frontier = len(nest.loops)
    for place in range(len(places) - 1, -1, -1):
        memory, depth = places[place]
        units = place == len(places) - 1
        frontier = nest.frontier(tensor, depth)
        if units and tensor == "outputs":
            frontier = max((i for i, _ in moving), default=-1)
        count = prod(nest.trips[i] for i, _ in moving if i <= frontier)
        outside = [dim for i, dim in moving if i <= frontier]
        outside += [nest.loops[i].dim for i in used if units and used[i] > 1]
        above = places[place - 1][1] if place else depth
        last = len(nest.loops) if place == len(places) - 2 else inner_frontier
        own = [] if units else [(i, dim) for i, dim in moving if frontier < i <= last]
        side_by_side = dict.fromkeys(DIMS, 1.0)
        for i, factor in used.items():
            if above <= i < depth:
                side_by_side[nest.loops[i].dim] *= factor
        found.append(
            Point(
                memory=memory,
                period=total // count,
                count=count,
                tile=round(_elements(nest.shape, tensor, _extents(nest, depth, used))),
                distinct=round(_elements(nest.shape, tensor, side_by_side)),
                copies=round(round(prod(f for i, f in used.items() if i < depth), 3)),
                partial=tensor == "outputs" and any(dim in "CRS" for dim in outside),
                still=_leading(nest, own, {d for d in DIMS if d not in RELEVANT[tensor]}),
                turning=_leading(
                    nest, own, set(RELEVANT[tensor]) - set("PQRS" if tensor == "inputs" else "")
                ),
            )
        )
        inner_frontier = frontier
    return found


def moves(chains: Mapping[str, list[Point]], bits: Mapping[str, int]) -> list[Move]:
    """All moves of all tensors; ``level`` counts the points of ``points``, so 1 is the innermost memory."""
    found: list[Move] = []
    for tensor, chain in chains.items():
        for level in range(1, len(chain)):
            here, below, top = chain[level], chain[level - 1], level == len(chain) - 1
            fed = (below.tile * below.distinct, below.period, below.count)
            full = (here.tile, here.period, here.count)
            if tensor != "outputs":
                found.append(_move(tensor, level, "read_down", fed, bits[tensor]))
                if not top:
                    found.append(_move(tensor, level, "write_down", full, bits[tensor]))
                continue
            found.append(_move(tensor, level, "write_up", fed, _sum_bits(below, bits)))
            if below.partial:
                found.append(_move(tensor, level, "read_down", fed, bits["partial"]))
            if not top:
                found.append(_move(tensor, level, "read_up", full, _sum_bits(here, bits)))
                if here.partial:
                    found.append(_move(tensor, level, "write_down", full, bits["partial"]))
    return found


def word_energy_J(nest: LoopNest, hierarchy: Hierarchy) -> float:
    """Energy in joules when every transfer takes whole words of its port; ports must have a width."""
    memories = {m.name: m for m in hierarchy.memories}
    chains = {tensor: points(nest, tensor) for tensor in TENSORS}
    energy = nest.shape.macs * hierarchy.mac_J
    for move in moves(chains, hierarchy.bits):
        point = chains[move.tensor][move.level]
        memory = memories[point.memory]
        width, per_bit_J = port(memory, move.way)
        energy += move.cycles(width) * move.count * point.copies * width * per_bit_J
    return energy


def used_bits(nest: LoopNest, hierarchy: Hierarchy) -> dict[str, int]:
    """Memory -> bits of one tile of each tensor in one copy; finished outputs take their own width."""
    used = dict.fromkeys((m.name for m in hierarchy.memories), 0)
    for tensor in TENSORS:
        for point in points(nest, tensor)[1:]:
            bits = hierarchy.bits["partial" if point.partial else tensor]
            used[point.memory] += point.tile * bits
    return used


def port(memory: Memory, way: Way) -> tuple[float, float]:
    """Width in bits and energy in joules per bit of the port that a move takes."""
    width, per_bit_J = (
        (memory.read_bits, memory.read_J) if way[0] == "r" else (memory.write_bits, memory.write_J)
    )
    return width or float("inf"), per_bit_J


def _move(tensor: str, level: int, way: Way, what: tuple[int, int, int], bits: int) -> Move:
    elements, period, count = what
    return Move(tensor, level, way, elements, bits, period, count)


def _sum_bits(point: Point, bits: Mapping[str, int]) -> int:
    return bits["partial"] if point.partial else bits["outputs"]


def _extents(nest: LoopNest, depth: int, used: Mapping[int, float]) -> dict[str, float]:
    extent = dict.fromkeys(DIMS, 1.0)
    for index, loop in enumerate(nest.loops):
        if loop.axis is None and index >= depth:
            extent[loop.dim] *= nest.trips[index]
        elif index >= depth:
            extent[loop.dim] *= used[index]
    return extent


def _elements(shape: ConvShape, tensor: str, extent: Mapping[str, float]) -> float:
    """Elements of a tile; of inputs the distinct rows and columns that whole positions and taps touch."""
    if tensor != "inputs":
        return prod(extent[d] for d in RELEVANT[tensor])
    elements = extent["N"] * extent["G"] * extent["C"]
    for axis, (position, tap) in enumerate(WINDOWS):
        a, b = int(extent[position] + 1e-9), int(extent[tap] + 1e-9)
        elements *= a * b - max(0, a - shape.dilation[axis]) * max(0, b - shape.stride[axis])
    return elements


def _leading(nest: LoopNest, loops: list[tuple[int, str]], dims: set[str]) -> int:
    """Trips of the first loops, as long as they run over one of ``dims``."""
    trips = 1
    for index, dim in loops:
        if dim not in dims:
            break
        trips *= nest.trips[index]
    return trips
