"""A layer on a hierarchy as flat arrays: everything the compiled search reads.

Level 0 is the outermost; levels 1..``shared`` lie above the array, the others inside each processing element.
Gap g holds the loops in time above level g. Dims and tensors are numbered as in ``DIMS`` and ``TENSORS``.

Energy of a mapping is linear in the elements ``parent`` and ``child`` that cross each boundary (on the side of
the memory above and of all copies below) and in what the units take, so each boundary has two prices. For
outputs, with u the elements that a memory has not seen yet: read back = parent - u above, u below = child - read
back; the prices below are those of the sum over the chain.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.hierarchy import Hierarchy, Memory
from accelsim.cost.nest import TENSORS
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape
from accelsim.mapper.window import row_table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

TABLE_ENTRIES = 4_000_000
"""Largest table of rows per pair of tiles; beyond it they are counted each time."""

EXACT = 2**53
"""Counts up to here are exact in the floating-point numbers of the search."""


class Problem(NamedTuple):
    """See the module; ``*_cost`` are the prices. Only ``child_cost`` of outputs may be negative."""

    bounds: Ints
    relevant: Flags
    levels: int
    shared: int
    memory: Ints
    size: Floats
    buffers: Floats
    read_bits: Floats
    write_bits: Floats
    one_port: Flags
    per_pe: Flags
    room: Floats
    width: Floats
    done_bits: float
    boundaries: Ints
    above: Ints
    below: Ints
    parent_cost: Floats
    child_cost: Floats
    unit_cost: Floats
    fixed_cost: float
    done_cost: float
    innermost: Ints
    outputs: float
    macs: float
    macs_per_pe: float
    stride: Ints
    dilation: Ints
    pad: Ints
    extent: Ints
    skip: bool
    rows0: Floats
    rows1: Floats


def problem(shape: ConvShape, hierarchy: Hierarchy) -> Problem:
    """Flatten a layer and a hierarchy.

    Raises
    ------
    AccelsimError
        If counts may leave the exact range, or a tensor skips a memory in a way that is not counted here.
    """
    memories = hierarchy.memories
    number = {m.name: i for i, m in enumerate(memories)}
    levels = len(hierarchy.levels) - 1
    held = np.full((levels + 1, 3), -1, np.int64)
    for index, level in enumerate(hierarchy.levels):
        for memory in level:
            for tensor in memory.tensors:
                held[index, TENSORS.index(tensor)] = number[memory.name]
    shared = sum(not any(m.per_pe for m in level) for level in hierarchy.levels) - 1
    _refuse(shape, hierarchy, held, shared)
    width = [hierarchy.bits[w] for w in ("inputs", "weights", "partial")]
    outputs = shape.N * shape.G * shape.K * shape.P * shape.Q
    done = hierarchy.bits["outputs"] - hierarchy.bits["partial"]
    most = max(levels, 1)
    boundaries = np.zeros(3, np.int64)
    above, below = np.zeros((3, most), np.int64), np.zeros((3, most), np.int64)
    prices = np.zeros((2, 3, most))
    unit_cost, innermost = np.zeros(3), np.zeros(3, np.int64)
    fixed, done_in_pe = shape.macs * hierarchy.mac_J, 0.0
    for t in range(3):
        chain = [level for level in range(levels + 1) if held[level, t] >= 0]
        steps = list(zip(chain, chain[1:], strict=False))
        boundaries[t], innermost[t] = len(steps), chain[-1]
        last = memories[held[chain[-1], t]]
        for b, (up, down) in enumerate(steps):
            above[t, b], below[t, b] = up, down
            parent, child = memories[held[up, t]], memories[held[down, t]]
            if t < 2:
                prices[:, t, b] = np.array([parent.read_J, child.write_J]) * width[t]
                continue
            later = [(memories[held[u, t]], memories[held[d, t]]) for u, d in steps[b + 1 :]]
            prices[:, t, b] = _output_prices(parent, child, later, last, up > shared or down <= shared)
            prices[:, t, b] *= width[t]
            for memory, side in ((parent, parent.write_J), (child, child.read_J)):
                if memory.per_pe:
                    done_in_pe += outputs * done * side
                else:
                    fixed += outputs * done * side
            fixed -= outputs * width[t] * (parent.read_J + child.write_J)
        unit_cost[t] = width[t] * (last.read_J + (last.write_J if t == 2 else 0.0))
        fixed -= outputs * width[t] * last.read_J if t == 2 else 0.0
    tables = []
    for axis, (position, tap) in enumerate((("P", "R"), ("Q", "S"))):
        small = (shape[position] + 1) * (shape[tap] + 1) <= TABLE_ENTRIES
        geometry = (shape.stride[axis], shape.dilation[axis], shape.pad[axis], shape.size[axis])
        skip = hierarchy.padding == "skip"
        tables.append(
            row_table(shape[position], shape[tap], *geometry, skip) if small else np.zeros((0, 0))
        )
    return Problem(
        bounds=np.array([shape[d] for d in DIMS], np.int64),
        relevant=np.array([[d in RELEVANT[t] for d in DIMS] for t in TENSORS]),
        levels=levels,
        shared=shared,
        memory=held,
        size=np.array([np.inf if m.size_bits is None else float(m.size_bits) for m in memories]),
        buffers=np.array([float(m.buffers) for m in memories]),
        read_bits=np.array([float(m.read_bits or 0) for m in memories]),
        write_bits=np.array([float(m.write_bits or 0) for m in memories]),
        one_port=np.array([m.shared_port for m in memories]),
        per_pe=np.array([m.per_pe for m in memories]),
        room=np.array([float(hierarchy.room_bits(t)) for t in TENSORS]),
        width=np.array(width, np.float64),
        done_bits=float(done),
        boundaries=boundaries,
        above=above,
        below=below,
        parent_cost=prices[0],
        child_cost=prices[1],
        unit_cost=unit_cost,
        fixed_cost=fixed,
        done_cost=done_in_pe,
        innermost=innermost,
        outputs=float(outputs),
        macs=float(shape.macs),
        macs_per_pe=float(hierarchy.macs_per_pe),
        stride=np.array(shape.stride, np.int64),
        dilation=np.array(shape.dilation, np.int64),
        pad=np.array(shape.pad, np.int64),
        extent=np.array(shape.size, np.int64),
        skip=hierarchy.padding == "skip",
        rows0=tables[0],
        rows1=tables[1],
    )


def _output_prices(
    parent: Memory, child: Memory, later: list[tuple[Memory, Memory]], last: Memory, alone: bool
) -> tuple[float, float]:
    """Prices per bit of an output that crosses a boundary.

    ``alone``: the array does not lie between, both sides see the same. Otherwise each more element above is
    one more that is not new below, and each more below is one less; that changes what is read back further in.
    """
    own = parent.write_J + parent.read_J + child.write_J
    after = 0.0 if alone else sum(p.read_J + c.write_J for p, c in later) + last.read_J
    return own + after, child.read_J - after


def _refuse(shape: ConvShape, hierarchy: Hierarchy, held: Ints, shared: int) -> None:
    problems = [
        f"{d} must be at least 1, not {shape[d]}" for d in DIMS if shape[d] < 1
    ]
    widest = max(hierarchy.bits.values())
    if shape.macs * widest * 4 >= EXACT:
        problems.append(
            f"{hierarchy.name}: {shape.macs} multiply-accumulates of {widest} bits leave the range in which"
            f" counts are exact (operations x bits x 4 below 2^53); split the layer"
        )
    if shared + 2 < len(held) and (held[shared + 1] < 0).any():
        for t, tensor in enumerate(TENSORS):
            if held[shared + 1, t] < 0 and (held[shared + 2 :, t] >= 0).any():
                problems.append(
                    f"{hierarchy.name}: {tensor} pass by the outermost memory inside a processing element but"
                    " are held further in; the search does not count that; let the outer one hold them too"
                )
    if problems:
        raise AccelsimError(*problems)
