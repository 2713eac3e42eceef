"""A layer on an array of processing elements with registers, as a plan of tiles and passes."""

from math import prod

import numpy as np

from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import Level, Loop, LoopNest, Padding
from accelsim.cost.transfers import Inner, Transfers, inner, transfers
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapping.asic.layer import (
    Access,
    MappedLayer,
    Widths,
    buffer_depths,
    burden,
    level_tiles,
    parents,
    tile_access,
    to_bytes,
)
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.plan import LayerPlan, LevelTiles, PassMoves
from accelsim.mapping.asic.template import ArrayLoops, array_loops
from accelsim.mapping.asic.tiling import Tile, TooSmall, choose, grow, overflow
from accelsim.spec.dataflow import Dataflow

MOST_PASSES = 2_000_000
"""Passes of one layer beyond which a pass takes in more loops (the result says so)."""

REGISTERS = "registers"
PASS = "pass"


def map_layer(
    machine: Machine,
    array: PEArray,
    dataflow: Dataflow,
    shape: ConvShape,
    widths: Widths,
    padding: Padding = "skip",
    unlimited: bool = False,
) -> MappedLayer:
    """Map a layer with the tiles of its dataflow template.

    Raises
    ------
    AccelsimError
        If the template does not fit the array, or a memory cannot hold one tile.
    """
    registers = machine.registers
    if registers is None:
        raise AccelsimError(f"{machine.name}: a pe_array needs registers")
    bits = widths.on_chip

    def overflowing(pe_tile: Tile) -> set[str]:
        names = {fault.memory for fault in overflow(registers, shape, pe_tile, bits)}
        return {tensor for tensor, name in registers.holders.items() if name in names}

    loops = array_loops(dataflow, array, shape, overflowing)
    faults = overflow(registers, shape, loops.pe_tile, bits)
    if faults:  # the buffers' own, too, so that one answer holds all that is to be changed
        buffers = [] if unlimited else machine.buffers
        raise TooSmall(faults + [f for level in buffers for f in overflow(level, shape, loops.step, bits)])
    order = list(dict.fromkeys(loop.dim for loop in loops.outer))
    unit = dict.fromkeys(DIMS, 1)
    tiles = choose(
        order,
        lambda growth, part: grow(machine.buffers, shape, growth, loops.step, unit, bits, unlimited, part),
        lambda tiles: burden(machine, _nest(machine, shape, loops, order, tiles)[0], widths, padding),
    )
    nest, pass_level = _nest(machine, shape, loops, order, tiles)
    levels: list[LevelTiles] = []
    for index in range(1, pass_level):
        tiles_here, _ = level_tiles(nest, index, parents(nest, index), widths, padding)
        levels.append(tiles_here)
    rows = transfers(nest, pass_level, padding)
    below = inner(nest, pass_level, rows, padding)
    first = inner(nest, pass_level, _first_step(rows, loops), padding)
    moves = _pass_moves(nest, pass_level, rows, below, first, widths)
    access = tile_access(machine, tuple(levels))
    _array_access(machine, nest, below, widths, access, moves)
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
    )
    return MappedLayer(plan, access, macs, _describe(nest, tiles, loops))


def _nest(
    machine: Machine, shape: ConvShape, loops: ArrayLoops, order: list[str], tiles: list[Tile]
) -> tuple[LoopNest, int]:
    """Loops above each buffer from its tile, then the template's own; the pass where a tensor starts to
    stay.
    """
    nest_loops: list[Loop] = []
    levels = [Level(machine.dram_name, 0)]
    for level, tile in zip(machine.buffers, tiles, strict=True):
        nest_loops += [Loop(dim, tile[dim]) for dim in order]
        sliding = any(m.sliding and "inputs" in m.holds for m in level.memories.values())
        levels.append(Level(level.name, len(nest_loops), level.tensors, sliding))
    top = len(nest_loops)
    nest_loops += loops.outer
    bottom = len(nest_loops)
    nest_loops += loops.inner
    registers = machine.registers
    assert registers is not None
    sliding = any(m.sliding and "inputs" in m.holds for m in registers.memories.values())
    last = Level(REGISTERS, len(nest_loops), registers.tensors, sliding)
    probe = LoopNest(shape, tuple(nest_loops), (*levels, last))
    stays = min(probe.frontier(tensor, len(nest_loops)) + 1 for tensor in registers.tensors)
    depth = min(max(top, stays), bottom)
    while depth > top and prod(probe.trips[:depth]) > MOST_PASSES:
        depth -= 1
    nest = LoopNest(shape, tuple(nest_loops), (*levels, Level(PASS, depth, ()), last))
    return nest, len(levels)


def _first_step(rows: Transfers, loops: ArrayLoops) -> "np.typing.NDArray[np.int64]":
    """Extents of what the array covers at once at the start of each pass."""
    return np.minimum(rows.extents, np.array([loops.step[d] for d in DIMS], np.int64))


def _pass_moves(
    nest: LoopNest, pass_level: int, rows: Transfers, below: Inner, first: Inner, widths: Widths
) -> dict[str, PassMoves]:
    """Split what crosses into the array: before, at the head of, and during each pass, in bytes."""
    depth = nest.levels[pass_level].depth
    count = len(rows.parent)
    nothing = np.zeros(count, np.int64)
    names = [level.name for level in nest.levels]
    moves = {}
    for traffic, head_traffic in zip(below.traffic, first.traffic, strict=True):
        tensor = traffic.tensor
        bits = widths.on_chip[tensor]
        reads, updates = to_bytes(traffic.reads, bits), to_bytes(traffic.updates, bits)
        stays = nest.frontier(tensor, len(nest.loops)) < depth
        if stays:
            moves[tensor] = PassMoves(
                rows.begins[tensor], reads, nothing, nothing, nothing, updates, names.index(traffic.parent)
            )
        else:
            head = np.minimum(reads, to_bytes(head_traffic.reads, bits)) if tensor != "outputs" else nothing
            moves[tensor] = PassMoves(
                np.ones(count, np.bool_),
                nothing,
                head,
                reads - head,
                updates,
                nothing,
                names.index(traffic.parent),
            )
    return moves


def _array_access(
    machine: Machine,
    nest: LoopNest,
    below: Inner,
    widths: Widths,
    access: dict[str, Access],
    moves: dict[str, PassMoves],
) -> None:
    """Bytes between the innermost buffers, the links and the registers."""
    registers = machine.registers
    assert registers is not None
    for traffic in below.traffic:
        tensor = traffic.tensor
        bits = widths.on_chip[tensor]
        reads, fills, updates, partials = (
            int(to_bytes(amount, bits).sum())
            for amount in (traffic.reads, traffic.fills, traffic.updates, traffic.partials)
        )
        above = machine.shared[moves[tensor].parent_level].holders[tensor]
        here = registers.holders[tensor]
        access[above] = access.get(above, Access()) + Access(reads, updates)
        access[here] = access.get(here, Access()) + Access(partials, fills)
        if tensor in machine.links:
            link = machine.links[tensor]
            access[link] = access.get(link, Access()) + Access(reads, updates)


def _describe(nest: LoopNest, tiles: list[Tile], loops: ArrayLoops) -> str:
    """One line: the tile of each buffer and how the array is unrolled."""
    lanes = [
        f"{loop.dim}{trips}"
        for loop, trips in zip(nest.loops, nest.trips, strict=True)
        if loop.axis is not None and trips > 1
    ]
    shape = nest.shape
    parts = [" ".join(f"{d}{tile[d]}" for d in DIMS if shape[d] > 1) for tile in tiles]
    pe = " ".join(f"{d}{n}" for d, n in loops.pe_tile.items() if n > 1)
    return f"tile {' > '.join(parts)}; array {' x '.join(lanes) or '1'}; pe {pe or '1'}"
