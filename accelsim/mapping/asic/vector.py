"""Operators without MACs: their data passes through the array's lanes in chunks, in, once, and out."""

import numpy as np

from accelsim.graph.operator import Operator
from accelsim.graph.vocabulary import TYPES
from accelsim.mapping.asic.layer import check_rows
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.plan import Ints, LayerPlan, LevelTiles, TileMoves


def shares(total: int, parts: int) -> Ints:
    """``total`` cut into ``parts`` nearly equal whole numbers that add up to it."""
    # The i-th edge is i * total // parts, with factors that stay small.
    whole, rest = divmod(total, parts)
    edges = np.arange(parts + 1, dtype=np.int64)
    return np.diff(edges * whole + edges * rest // parts)


def read_bytes(operator: Operator) -> int:
    """Bytes an operator reads; a lookup reads the rows that it returns, not its table."""
    if TYPES[operator.type].family == "lookup":
        return operator.bytes_in + operator.bytes_out
    return operator.bytes_in + operator.bytes_weights


def vector_plan(operator: Operator, stored_bytes: int, machine: Machine) -> LayerPlan:
    """Chunks of at most half of the smallest first-level memory, one pass each.

    A chunk takes ``operations / lanes`` cycles, at least one per element that only moves.
    """
    room = min(int(m.size) for m in machine.buffers[0].memories.values()) // 2
    loaded = read_bytes(operator)
    chunks = max(1, -(-(loaded + stored_bytes) // max(room, 1)))
    check_rows(chunks, machine.buffers[0].name)
    work = max(operator.operations, sum(t.elements for t in operator.outputs))
    lanes = machine.array.elements_per_cycle()
    rows = np.arange(chunks, dtype=np.int64)
    flags = np.ones(chunks, bool)
    nothing = np.zeros(chunks, np.int64)
    moves = {
        "inputs": TileMoves(flags, shares(loaded, chunks), nothing, rows),
        "outputs": TileMoves(flags, nothing, shares(stored_bytes, chunks), rows),
    }
    tiles = LevelTiles(1, nothing, moves, {"inputs": 0, "outputs": 0})
    return LayerPlan(
        levels=(tiles,),
        parent=rows,
        cycles=-(-shares(work, chunks) // lanes),
        moves={},
        buffers={(1, "inputs"): 2, (1, "outputs"): 2},
        register_buffers={},
    )
