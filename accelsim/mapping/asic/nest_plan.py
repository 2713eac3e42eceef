"""A loop nest on an array of processing elements with registers, as a plan of tiles and passes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.cost.transfers import Inner, inner, transfers
from accelsim.cost.written import memory_of, point_name
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapping.asic.layer import (
    Access,
    Conventions,
    MappedLayer,
    Widths,
    buffer_depths,
    level_tiles,
    parents,
    tile_access,
    to_bytes,
)
from accelsim.mapping.asic.machine import Machine, StorageLevel
from accelsim.mapping.asic.plan import Ints, LayerPlan, LevelTiles, PassMoves
from accelsim.spec.mapping import ANYWHERE

MOST_PASSES = 2_000_000
"""Passes of one layer beyond which a pass takes in more loops."""

PASS = "pass"


def with_pass(
    shape: ConvShape, loops: Sequence[Loop], shared: Sequence[Level], registers: Sequence[Level], bottom: int
) -> tuple[LoopNest, int]:
    """A nest with the boundary of a pass between its shared levels and its registers, and that level's index.

    A pass is the loops over which at least one tensor stays in the array. ``bottom`` loops at most are
    outside.
    """
    probe = LoopNest(shape, tuple(loops), (*shared, *registers))
    top = shared[-1].depth
    stays = min(probe.frontier(t, level.depth) + 1 for level in registers for t in level.tensors)
    depth = min(max(top, stays), bottom)
    while depth > top and prod(probe.trips[:depth]) > MOST_PASSES:
        depth -= 1
    return LoopNest(shape, tuple(loops), (*shared, Level(PASS, depth, ()), *registers)), len(shared)


def points_of(machine: Machine, nest: LoopNest, pass_level: int) -> Machine:
    """The machine as the nest sees it: one storage level for each point above the array."""
    levels = []
    for level in nest.levels[1:pass_level]:
        name = memory_of(level)
        memory = next(b.memories[name] for b in machine.buffers if name in b.memories)
        levels.append(StorageLevel(dict.fromkeys(level.tensors, name), {name: memory}))
    return machine.with_buffers(tuple(levels))


def plan_nest(
    machine: Machine,
    array: PEArray,
    nest: LoopNest,
    pass_level: int,
    step: Mapping[str, int],
    widths: Widths,
    conventions: Conventions,
    description: str,
) -> MappedLayer:
    """Plan a nest whose shared levels are those of the machine, in number and order.

    ``step`` is the extent of each dim that the array covers at once at the start of a pass.
    """
    registers = machine.registers
    if registers is None:
        raise AccelsimError(f"{machine.name}: a pe_array needs registers")
    levels: list[LevelTiles] = []
    for index in range(1, pass_level):
        tiles_here, _ = level_tiles(nest, index, parents(nest, index), widths, conventions)
        levels.append(tiles_here)
    padding = conventions.on_chip
    rows = transfers(nest, pass_level, padding)
    below = inner(nest, pass_level, rows, padding)
    at_once = np.minimum(rows.extents, np.array([step[d] for d in DIMS], np.int64))
    first = inner(nest, pass_level, at_once, padding)
    bits = widths.on_chip
    moves = _pass_moves(nest, pass_level, rows.begins, below, first, bits, conventions)
    access = tile_access(machine, tuple(levels))
    _array_access(machine, below, bits, access, moves, conventions)
    macs = int(below.macs.sum())
    for tensor, times in (("inputs", (1, 0)), ("weights", (1, 0)), ("outputs", (1, 1))):
        name, size = registers.holders[tensor], -(-macs * bits[tensor] // 8)
        access[name] = access.get(name, Access()) + Access(times[0] * size, times[1] * size)
    plan = LayerPlan(
        levels=tuple(levels),
        parent=rows.parent,
        cycles=-(-below.steps // array.macs_per_pe),
        moves=moves,
        buffers=buffer_depths(machine),
        register_buffers={t: registers.memories[registers.holders[t]].buffers for t in registers.tensors},
        in_turn=array.loads == "in_turn",
    )
    held = _held(machine, nest, pass_level, bits, padding)
    return MappedLayer(plan, access, macs, description, nest.pes, held, _named(machine, nest, pass_level))


def _named(machine: Machine, nest: LoopNest, pass_level: int) -> LoopNest:
    """The nest with a level per memory, and spatial loops anywhere on the array."""
    named = []
    for index, level in enumerate(nest.levels):
        owner = machine.shared[index] if index < pass_level else machine.registers
        assert owner is not None
        for memory in dict.fromkeys(owner.holders[t] for t in level.tensors):
            kept = tuple(t for t in level.tensors if owner.holders[t] == memory)
            named.append((memory, level.depth, kept, level.sliding and "inputs" in kept))
    names = [memory for memory, *_ in named]
    levels = [
        Level(memory if names.count(memory) == 1 else point_name(memory, kept), depth, kept, slides)
        for memory, depth, kept, slides in named
    ]
    sides = ("rows", "columns")
    loops = [
        replace(loop, axis=loop.axis if loop.axis is None or loop.axis in sides else ANYWHERE)
        for loop in nest.loops
    ]
    return LoopNest(nest.shape, tuple(loops), tuple(levels))


def _held(
    machine: Machine, nest: LoopNest, pass_level: int, bits: Mapping[str, int], padding: str
) -> dict[str, int]:
    """Bytes of one full tile by memory and tensor, in buffers and in the registers of one element."""
    held: dict[str, int] = {}
    for index, level in enumerate(nest.levels):
        if index in (0, pass_level):
            continue
        for tensor in level.tensors:
            owner = machine.shared[index] if index < pass_level else machine.registers
            assert owner is not None
            elements = nest.tile(index, tensor, "count" if padding == "count" else "skip")
            held[f"{owner.holders[tensor]} {tensor}"] = -(-elements * bits[tensor] // 8)
    return held


def _pass_moves(
    nest: LoopNest,
    pass_level: int,
    begins: Mapping[str, "np.typing.NDArray[np.bool_]"],
    below: Inner,
    first: Inner,
    bits: Mapping[str, int],
    conventions: Conventions,
) -> dict[str, PassMoves]:
    """Split what crosses into the array: before, at the head of, and during each pass, in bytes."""
    depth = nest.levels[pass_level].depth
    names = [level.name for level in nest.levels]
    moves = {}
    for traffic, head_traffic in zip(below.traffic, first.traffic, strict=True):
        tensor = traffic.tensor
        reads = to_bytes(conventions.reads(traffic), bits[tensor])
        updates = to_bytes(traffic.updates, bits[tensor])
        nothing = np.zeros(len(reads), np.int64)
        parent = names.index(traffic.parent)
        if nest.frontier(tensor, nest.levels[names.index(traffic.child)].depth) < depth:  # it stays
            moves[tensor] = PassMoves(begins[tensor], reads, nothing, nothing, nothing, updates, parent)
            continue
        head = nothing
        if tensor != "outputs":
            head = np.minimum(reads, to_bytes(head_traffic.reads, bits[tensor]))
        every = np.ones(len(reads), np.bool_)
        moves[tensor] = PassMoves(every, nothing, head, reads - head, updates, nothing, parent)
    return moves


def _array_access(
    machine: Machine,
    below: Inner,
    bits: Mapping[str, int],
    access: dict[str, Access],
    moves: Mapping[str, PassMoves],
    conventions: Conventions,
) -> None:
    """Bytes between the innermost buffers, the links and the registers."""
    registers = machine.registers
    assert registers is not None
    for traffic in below.traffic:
        tensor = traffic.tensor

        def total(elements: Ints, width: int = bits[tensor]) -> int:
            return int(to_bytes(elements, width).sum())

        reads = conventions.reads(traffic)
        fills = traffic.fills + (reads - traffic.reads)
        above = machine.shared[moves[tensor].parent_level].holders[tensor]
        here = registers.holders[tensor]
        access[above] = access.get(above, Access()) + Access(total(reads), total(traffic.updates))
        access[here] = access.get(here, Access()) + Access(total(traffic.partials), total(fills))
        if tensor in machine.links:
            link = machine.links[tensor]
            access[link] = access.get(link, Access()) + Access(total(reads), total(traffic.updates))
