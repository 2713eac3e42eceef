"""A layer on a systolic array, as a plan of tiles and folds."""

from collections.abc import Sequence
from math import prod

import numpy as np

from accelsim.components.sram import SRAM
from accelsim.components.systolic_array import SystolicArray
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.cost.transfers import Transfers
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapping.asic.layer import (
    Access,
    Conventions,
    MappedLayer,
    Widths,
    buffer_depths,
    burden,
    check_rows,
    level_tiles,
    parents,
    tile_access,
    to_bytes,
)
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.plan import Flags, Ints, LayerPlan
from accelsim.mapping.asic.systolic import GROUPS, FoldShape, fold_shape, grains
from accelsim.mapping.asic.tiling import Tile, choose, grow
from accelsim.mapping.asic.timing import to_cycles
from accelsim.spec.dataflow import Dataflow

PRODUCT = {"inputs": "MW", "weights": "WK", "outputs": "MK"}
"""Dimensions of each matrix of the product."""


def map_layer(
    machine: Machine,
    array: SystolicArray,
    dataflow: Dataflow,
    shape: ConvShape,
    widths: Widths,
    conventions: Conventions,
    unlimited: bool = False,
) -> MappedLayer:
    """Map a layer with the tiles of its dataflow template, one pass per fold.

    Raises
    ------
    AccelsimError
        If the template is not a systolic dataflow, or a memory cannot hold one tile.
    """
    fold = fold_shape(dataflow)
    order = list(fold.order)
    tiles = choose(
        order,
        lambda growth, part: _tiles(machine, array, fold, shape, growth, widths, unlimited, part),
        lambda tiles: burden(
            machine,
            _nest(machine, shape, order, tiles),
            widths,
            conventions,
            _compute_cycles(array, fold, shape, tiles[-1]),
        ),
    )
    nest = _nest(machine, shape, order, tiles)
    levels = nest.levels
    moved = [level_tiles(nest, i, parents(nest, i), widths, conventions) for i in range(1, len(levels))]
    rows = moved[-1][1]
    size: dict[str, Ints] = {
        group: rows.extents[:, [DIMS.index(d) for d in dims]].prod(axis=1) for group, dims in GROUPS.items()
    }
    groups = rows.extents[:, DIMS.index("G")]
    trips = {
        fold.rows: -(-size[fold.rows] // array.rows),
        fold.columns: -(-size[fold.columns] // array.columns),
    }
    folds = groups * trips[fold.rows] * trips[fold.columns]
    check_rows(int(folds.sum()), "the array as folds")
    goes_on = _continues(rows, fold, folds)
    tables = tuple(t for t, _ in moved)
    access = tile_access(machine, tables)
    ports = _edge_access(machine, fold, rows, size, groups, trips, goes_on, widths, access)
    per_fold = _cycles(array, fold, size[fold.stream], goes_on)
    if not unlimited:
        for name, moved_bytes in ports.items():
            memory = machine.components[name]
            if isinstance(
                memory, SRAM
            ):  # a port that is narrower than the edge of the array slows the fold down
                feed = to_cycles(np.asarray(memory.service_s(moved_bytes.astype(float))), array.clock, name)
                per_fold = np.maximum(per_fold, -(-feed // folds))
    cycles = np.repeat(per_fold, folds)
    plan = LayerPlan(
        levels=tables,
        parent=np.repeat(np.arange(len(folds), dtype=np.int64), folds),
        cycles=cycles,
        moves={},
        buffers=buffer_depths(machine),
        register_buffers={},
    )
    parts = [" ".join(f"{d}{tile[d]}" for d in DIMS if shape[d] > 1) for tile in tiles]
    return MappedLayer(plan, access, shape.macs, f"tile {' > '.join(parts)}; {int(folds.sum())} folds")


def _nest(machine: Machine, shape: ConvShape, order: Sequence[str], tiles: list[Tile]) -> LoopNest:
    """Loops above each buffer, in the template's order."""
    loops: list[Loop] = []
    levels = [Level(machine.dram_name, 0)]
    for level, tile in zip(machine.buffers, tiles, strict=True):
        loops += [Loop(dim, tile[dim]) for dim in order]
        sliding = any(m.sliding and "inputs" in m.holds for m in level.memories.values())
        levels.append(Level(level.name, len(loops), level.tensors, sliding))
    return LoopNest(shape, tuple(loops), tuple(levels))


def _tiles(
    machine: Machine,
    array: SystolicArray,
    fold: FoldShape,
    shape: ConvShape,
    order: Sequence[str],
    widths: Widths,
    unlimited: bool,
    part: int,
) -> list[Tile]:
    """Tiles that end where folds end; where not even the smallest of those fits, any tile."""
    grain = grains(fold, array, shape)
    try:
        return grow(machine.buffers, shape, order, grain, grain, widths.on_chip, unlimited, part)
    except AccelsimError:
        step = dict.fromkeys(DIMS, 1) | {"R": shape.R, "S": shape.S}
        return grow(machine.buffers, shape, order, step, step, widths.on_chip, unlimited, part)


def _compute_cycles(array: SystolicArray, fold: FoldShape, shape: ConvShape, tile: Tile) -> int:
    """Cycles of all folds when tiles end where folds end: a tile of several folds drains after each strip."""
    units = {fold.rows: array.rows, fold.columns: array.columns}
    folds, inside = shape.G, tile["G"]
    for group, size in units.items():
        folds *= -(-prod(shape[d] for d in GROUPS[group]) // size)
        inside *= -(-prod(tile[d] for d in GROUPS[group]) // size)
    strips = prod(-(-shape[d] // tile[d]) for d in GROUPS[fold.stream]) if inside > 1 else 1
    timing = array.fold(0, stationary_operand=fold.stationary != "outputs")
    return folds * (prod(shape[d] for d in GROUPS[fold.stream]) + strips * timing.cycles)


def _continues(rows: Transfers, fold: FoldShape, folds: Ints) -> Flags:
    """Whether a row goes on streaming through the one fold of the row before: the array neither drains nor
    refills.
    """
    fixed = [DIMS.index(d) for d in DIMS if d not in GROUPS[fold.stream]]
    same = (rows.starts[1:, fixed] == rows.starts[:-1, fixed]).all(axis=1)
    return np.concatenate([[False], same & (folds[1:] == 1) & (folds[:-1] == 1)])


def _cycles(array: SystolicArray, fold: FoldShape, stream: Ints, goes_on: Flags) -> Ints:
    """Cycles of a fold of each row; all folds of a row stream the same number of vectors."""
    timing = array.fold(0, stationary_operand=fold.stationary != "outputs")
    last = ~np.append(goes_on[1:], False)
    per_fold: Ints = stream + np.where(goes_on, 0, timing.fill) + np.where(last, timing.drain, 0)
    return per_fold


def _edge_access(
    machine: Machine,
    fold: FoldShape,
    rows: Transfers,
    size: dict[str, Ints],
    groups: Ints,
    trips: dict[str, Ints],
    goes_on: Flags,
    widths: Widths,
    access: dict[str, Access],
) -> dict[str, Ints]:
    """Bytes that enter and leave the array at its edges: a moving matrix once per fold that it crosses.

    The convolution is fed as a matrix product, so overlapping windows are read again for every product
    (im2col).
    """
    fresh = (rows.starts[:, [DIMS.index(d) for d in GROUPS["W"]]] == 0).all(axis=1)
    inner = len(machine.shared) - 1
    ports: dict[str, Ints] = {}
    for tensor, dims in PRODUCT.items():
        holder = max(i for i in range(inner + 1) if tensor in machine.shared[i].holders)
        name = machine.shared[holder].holders[tensor]
        matrix = groups * size[dims[0]] * size[dims[1]]
        (crossed,) = set(GROUPS) - set(dims)
        moved = matrix * trips.get(crossed, np.ones(1, np.int64))
        bits = widths.on_chip[tensor]
        if tensor == fold.stationary:
            moved = np.where(goes_on, 0, moved)
        ports[name] = ports.get(name, np.zeros(1, np.int64)) + to_bytes(moved, bits)
        if tensor != "outputs":
            access[name] = access.get(name, Access()) + Access(int(to_bytes(moved, bits).sum()), 0)
            continue
        again = np.where(fresh, np.maximum(moved - matrix, 0), moved)
        access[name] = access.get(name, Access()) + Access(
            int(to_bytes(again, bits).sum()), int(to_bytes(moved, bits).sum())
        )
        ports[name] = ports[name] + to_bytes(again, bits)
    return ports
