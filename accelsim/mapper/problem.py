"""A layer on a hierarchy as flat arrays: everything the compiled search reads.

Level 0 is the outermost; levels 1..``shared`` lie above the array, the others inside each processing element.
Levels are storage points here: a memory that keeps its tensors at several is several levels, and ``kept[m,
t]`` is the level at which memory m keeps tensor t.
Gap g holds the loops in time above level g. Dims and tensors are numbered as in ``DIMS`` and ``TENSORS``.

Energy of a mapping is linear in the elements ``parent`` and ``child`` that cross each boundary (on the side
of the memory above and of all copies below) and in what the units take, so each boundary has two prices. For
outputs, with u the elements that a memory has not seen yet: read back = parent - u above, u below = child -
read back; the prices below are those of the sum over the chain.
"""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.hierarchy import Hierarchy, Memory, Network
from accelsim.cost.nest import TENSORS
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape
from accelsim.mapper.layout import Layout
from accelsim.mapper.window import block_rows, fill_rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

TABLE_ENTRIES = 4_000_000
"""Largest table of rows per pair of tiles; beyond it they are counted each time."""

EXACT = 2**53
"""Counts up to here are exact in the floating-point numbers of the search."""


LEVELS, MEMORIES = 6, 12
"""Most levels and memories that a flat problem has room for."""

PROBLEM = np.dtype(
    [
        ("bounds", np.int64, 8),
        ("relevant", np.int64, (3, 8)),
        ("levels", np.int64),
        ("shared", np.int64),
        ("memories", np.int64),
        ("ports", np.int64),
        ("network", np.int64, 3),
        ("memory", np.int64, (LEVELS, 3)),
        ("kept", np.int64, (MEMORIES, 3)),
        ("size", np.float64, MEMORIES),
        ("buffers", np.float64, MEMORIES),
        ("read_bits", np.float64, MEMORIES),
        ("write_bits", np.float64, MEMORIES),
        ("one_port", np.int64, MEMORIES),
        ("per_pe", np.int64, MEMORIES),
        ("room", np.float64, 3),
        ("width", np.float64, 3),
        ("done_bits", np.float64),
        ("boundaries", np.int64, 3),
        ("above", np.int64, (3, LEVELS)),
        ("below", np.int64, (3, LEVELS)),
        ("parent_cost", np.float64, (3, LEVELS)),
        ("child_cost", np.float64, (3, LEVELS)),
        ("entry_cost", np.float64, (LEVELS, 3)),
        ("outer_ports", np.int64),
        ("outer_cycles", np.float64),
        ("unit_cost", np.float64, 3),
        ("fixed_cost", np.float64),
        ("done_cost", np.float64),
        ("innermost", np.int64, 3),
        ("outputs", np.float64),
        ("macs", np.float64),
        ("macs_per_pe", np.float64),
        ("stride", np.int64, 2),
        ("dilation", np.int64, 2),
        ("pad", np.int64, 2),
        ("extent", np.int64, 2),
        ("skip", np.int64),
        ("unit_rows", np.float64, 2),
    ]
)
"""One record, so that compiled functions hand on a single pointer. ``*_cost`` are the prices of the module's
text; only ``child_cost`` of outputs may be negative. ``ports`` are those of the memories, then the networks;
``network`` is the port that a tensor takes into the array, -1 for none; ``outer_cycles`` are the least that
the tensors kept at level 1 occupy the outermost ports."""

MAPPING = np.dtype(
    [
        ("tiles", np.int64, (LEVELS + 1, 8)),
        ("own", np.int64, 8),
        ("classes", np.int64, LEVELS),
        ("root", np.int64),
        ("cycles", np.float64),
        ("energy", np.float64),
    ]
)
"""One mapping and its cost; see ``judge``. ``root`` numbers the unrolling."""

NODE = np.dtype(
    [
        ("tiles", np.int64, (LEVELS + 1, 8)),
        ("own", np.int64, 8),
        ("classes", np.int64, LEVELS),
        ("trial", np.int64, LEVELS),
        ("units", np.float64, 4),
        ("steps", np.float64),
        ("fixed", np.float64),
        ("pes", np.float64),
        ("split", np.int64),
        ("low_cycles", np.float64),
        ("low_energy", np.float64),
        ("amount", np.float64, (3, LEVELS, 4)),
        ("gap", np.int64, (3, LEVELS)),
        ("bits", np.float64, (2, MEMORIES)),
        ("rows", np.float64, 2),
        ("floor", np.float64, 6),
        ("fuel", np.int64),
    ]
)
"""What is being looked at: a mapping, and of everything at and inside the array: elements that the units take
(and their steps), cycles of the units, energy that does not depend on what lies outside, elements used,
whether parts of one sum lie in several, lower bounds; then scratch. ``rows``: least rows and columns that any
tile reads.
"""

Problem = Any
"""A record of ``PROBLEM``."""
Node = Any
"""A record of ``NODE``."""
Mapping = Any
"""A record of ``MAPPING``."""


def problem(shape: ConvShape, hierarchy: Hierarchy, layout: Layout) -> tuple[Problem, Floats]:
    """Flatten a layer and a hierarchy: the record, and rows (axis, tile of positions, tile of taps).

    Raises
    ------
    AccelsimError
        If counts may leave the exact range, or a tensor skips a memory in a way that is not counted here.
    """
    memories = hierarchy.memories
    number = {m.name: i for i, m in enumerate(memories)}
    levels = len(layout.points) - 1
    held = np.full((levels + 1, 3), -1, np.int64)
    for index, point in enumerate(layout.points):
        for memory, tensors in point:
            for tensor in tensors:
                held[index, TENSORS.index(tensor)] = number[memory.name]
    shared = layout.shared
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
        steps = list(pairwise(chain))
        boundaries[t], innermost[t] = len(steps), chain[-1]
        last = memories[held[chain[-1], t]]
        for b, (up, down) in enumerate(steps):
            above[t, b], below[t, b] = up, down
            parent, child = memories[held[up, t]], memories[held[down, t]]
            if up <= shared < down:
                parent = _with_network(parent, hierarchy.network(TENSORS[t]))
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
    networks = hierarchy.networks
    ports = len(memories) + len(networks)
    carried = {t: len(memories) + i for i, network in enumerate(networks) for t in network.tensors}
    entry = np.zeros((levels + 1, 3))
    for t in range(3):
        for b in range(boundaries[t]):
            entry[below[t, b], t] = prices[0, t, b] + prices[1, t, b]
    kept = np.full((len(memories), 3), -1, np.int64)
    for index in range(1, levels + 1):
        for t in range(3):
            if held[index, t] >= 0:
                kept[held[index, t], t] = index
    record = np.zeros(1, PROBLEM).view(np.recarray)[0]
    for name, values in {
        "memory": held,
        "above": above,
        "below": below,
        "parent_cost": prices[0],
        "child_cost": prices[1],
        "entry_cost": entry,
        "kept": kept,
    }.items():
        target = record[name]
        target[tuple(slice(n) for n in values.shape)] = values
    columns: dict[str, list[Any]] = {
        "size": [np.inf if m.size_bits is None else m.size_bits for m in memories],
        "buffers": [m.buffers for m in memories],
        "read_bits": [*(m.read_bits or 0 for m in memories), *(n.bits or 0 for n in networks)],
        "write_bits": [*(m.write_bits or 0 for m in memories), *(n.bits or 0 for n in networks)],
        "one_port": [*(m.shared_port for m in memories), *(n.shared for n in networks)],
        "per_pe": [m.per_pe for m in memories],
    }
    for name, column in columns.items():
        record[name][: len(column)] = column
    for name, value in {
        "bounds": [shape[d] for d in DIMS],
        "relevant": [[d in RELEVANT[t] for d in DIMS] for t in TENSORS],
        "levels": levels,
        "shared": shared,
        "memories": len(memories),
        "ports": ports,
        "network": [carried.get(t, -1) for t in TENSORS],
        "room": [hierarchy.room_bits(t) for t in TENSORS],
        "width": width,
        "done_bits": done,
        "boundaries": boundaries,
        "outer_ports": any(m.read_bits or m.write_bits for m in hierarchy.levels[0]),
        "unit_cost": unit_cost,
        "fixed_cost": fixed,
        "done_cost": done_in_pe,
        "innermost": innermost,
        "outputs": outputs,
        "macs": shape.macs,
        "macs_per_pe": hierarchy.macs_per_pe,
        "stride": shape.stride,
        "dilation": shape.dilation,
        "pad": shape.pad,
        "extent": shape.size,
        "skip": hierarchy.padding == "skip",
    }.items():
        record[name] = value
    entries = [max(shape.P, shape.Q) + 1, max(shape.R, shape.S) + 1]
    small = entries[0] * entries[1] <= TABLE_ENTRIES
    rows = np.zeros((2, *entries)) if small else np.zeros((0, 0, 0))
    if small:
        fill_rows(record, rows)
    for axis in range(2):
        geometry = (shape.stride[axis], shape.dilation[axis], shape.pad[axis], shape.size[axis])
        record.unit_rows[axis] = block_rows(
            int(record.bounds[4 + axis]), int(record.bounds[6 + axis]), 1, 1, *geometry, int(record.skip)
        )
    return record, rows


def _with_network(memory: Memory, network: Network | None) -> Memory:
    """The memory with the price of a network in front of it."""
    if network is None:
        return memory
    price = network.energy_J
    return replace(memory, read_J=memory.read_J + price, write_J=memory.write_J + price)


def _output_prices(
    parent: Memory, child: Memory, later: list[tuple[Memory, Memory]], last: Memory, alone: bool
) -> tuple[float, float]:
    """Prices per bit of an output that crosses a boundary.

    ``alone``: the array does not lie between, both sides see the same. Otherwise each more element above is
    one more that is not new below, and each more below is one less; that changes what is read back further
    in.
    """
    own = parent.write_J + parent.read_J + child.write_J
    after = 0.0 if alone else sum(p.read_J + c.write_J for p, c in later) + last.read_J
    return own + after, child.read_J - after


def _refuse(shape: ConvShape, hierarchy: Hierarchy, held: Ints, shared: int) -> None:
    problems = [f"{d} must be at least 1, not {shape[d]}" for d in DIMS if shape[d] < 1]
    memories = len(hierarchy.memories) + len(hierarchy.networks)
    if len(held) > LEVELS or memories > MEMORIES or len(held) > shared + 3:
        problems.append(
            f"{hierarchy.name}: the search handles {LEVELS} levels of {MEMORIES} memories and networks, two"
            f" levels inside a processing element, not {len(held)} of {memories}, {len(held) - 1 - shared}"
            " inside"
        )
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
