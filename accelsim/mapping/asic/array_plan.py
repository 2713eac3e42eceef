"""A layer on an array of processing elements with registers, as a plan of tiles and passes."""

from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapping.asic.layer import Conventions, MappedLayer, Widths, burden
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.nest_plan import plan_nest, with_pass
from accelsim.mapping.asic.template import ArrayLoops, array_loops
from accelsim.mapping.asic.tiling import Tile, TooSmall, choose, grow, overflow
from accelsim.spec.dataflow import Dataflow

REGISTERS = "registers"


def map_layer(
    machine: Machine,
    array: PEArray,
    dataflow: Dataflow,
    shape: ConvShape,
    widths: Widths,
    conventions: Conventions,
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
    held = conventions.in_buffers(shape)

    def overflowing(pe_tile: Tile) -> set[str]:
        names = {fault.memory for fault in overflow(registers, held, pe_tile, bits)}
        return {tensor for tensor, name in registers.holders.items() if name in names}

    loops = array_loops(dataflow, array, shape, overflowing)
    faults = overflow(registers, held, loops.pe_tile, bits)
    if faults:  # the buffers' own, too, so that one answer holds all that is to be changed
        buffers = [] if unlimited else machine.buffers
        raise TooSmall(faults + [f for level in buffers for f in overflow(level, held, loops.step, bits)])
    order = list(dict.fromkeys(loop.dim for loop in loops.outer))
    unit = dict.fromkeys(DIMS, 1)
    tiles = choose(
        order,
        lambda growth, part: grow(machine.buffers, held, growth, loops.step, unit, bits, unlimited, part),
        lambda tiles: burden(machine, _nest(machine, shape, loops, order, tiles)[0], widths, conventions),
    )
    nest, pass_level = _nest(machine, shape, loops, order, tiles)
    description = _describe(nest, tiles, loops)
    return plan_nest(machine, array, nest, pass_level, loops.step, widths, conventions, description)


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
    nest_loops += loops.outer
    bottom = len(nest_loops)
    nest_loops += loops.inner
    registers = machine.registers
    assert registers is not None
    sliding = any(m.sliding and "inputs" in m.holds for m in registers.memories.values())
    last = Level(REGISTERS, len(nest_loops), registers.tensors, sliding)
    return with_pass(shape, nest_loops, levels, [last], bottom)


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
