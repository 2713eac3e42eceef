"""The tables that the batch kernel steps through; ``plan`` and ``charges`` write them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]


class Counting(NamedTuple):
    """How elements are counted. *Live* dims have a bound above 1; -1 fills tables up.

    pool : arrays that start at 1 and are multiplied into; the first stays 1
    bounds, slot : (live,) bound, and slot of every live dim
    rows, cuts : (live, cuts) row of the tiles, and cut, of its loops
    time_of : (cuts,) place among the cuts in time, -1 for the array's
    links : arrays of linked positions
    use : (cuts, 2) arrays of the pool: positions used by an array's cut, and those along reduced dims
    node_range : (live, 2) first node of a dim and the one past the last
    nodes : (nodes, 5) depth in the tree, cut (place in ``cuts``), kept, array of linked positions, gap
    counts, sums : (nodes, most) arrays of the pool to multiply the blocks, or their extents, into
    ranks : (6, slots) rank of a slot in a group of loops of each order code
    slot_dims : (slots,) dim of a slot, if every dim is one
    relevant : (3, slots) whether a tensor depends on the slot
    window : (windows, 5) axis, linked positions, linked taps, live dims of positions and of taps
    chains : (windows, 2, cuts) cuts (place in ``cuts``) of positions and of taps
    outside : (2, most, 2) linked pairs of position and tap that read outside the input
    inside : (2,) pairs of position and tap that read a row of the input
    gaps : (2, 2) distance in positions, and in taps, of two pairs that read the same row
    choice : (choices, 2) tensor, slot
    options : (choices, times + 1) array of the pool if so many groups of loops are outside the frontier
    base, chosen, within : (elements, ...) factor, choices and windows of the elements moved
    """

    pool: int
    links: int
    bounds: Float
    slot: Int
    rows: Int
    cuts: Int
    time_of: Int
    use: Int
    node_range: Int
    nodes: Int
    counts: Int
    sums: Int
    ranks: Float
    slot_dims: Int
    relevant: NDArray[np.bool_]
    window: Int
    chains: Int
    outside: Int
    inside: Float
    gaps: Float
    choice: Int
    options: Int
    base: Float
    chosen: Int
    within: Int


class Charging(NamedTuple):
    """What the elements cost.

    boundary : (boundaries, 7) tensor, memories of parent and child, elements at the parent and at the
        children, levels of parent and child
    width : (4,) bits of inputs, weights, outputs, partial sums
    taken : (3, 2) per tensor the memory that the units take it from, array of the pool with the steps;
        -1 for one element per operation
    taken_base : (3,) factor of these
    macs, outputs : multiply-accumulates and output elements of the layer
    reduced : (levels, cuts) arrays of the pool with the positions along reduced dims outside a level
    copies : (memories, cuts) arrays of the pool with the positions used outside a memory
    energy : (memories, 2) joules per bit read and written
    port : (memories, 3) bits per cycle read and written, 0 unlimited; 1 if both share the port
    axis : (axes, cuts) arrays of the pool with the positions used along an axis
    axis_size : (axes,)
    mac_J, macs_per_pe, steps, steps_base : of the array; array of the pool with the steps, and factor
    room : (rooms, 2) memory, array of the pool with the elements of a tile
    room_bits : (rooms,) bits per element of it, all buffers
    room_window : (rooms, 4, 2) live dim and cut of the rows, taps, columns, taps of an input tile, -1 the
        whole dim; axis 0 is -2 where the tile has none
    volumes : (live, most, 2) cut (place in ``cuts``) and array of the pool to multiply its tile into
    size : (memories,) bits, inf if unlimited
    rows : (2,) rows and columns of the input, inf if padding is read
    """

    boundary: Int
    width: Float
    taken: Int
    taken_base: Float
    macs: float
    outputs: float
    reduced: Int
    copies: Int
    energy: Float
    port: Float
    axis: Int
    axis_size: Float
    mac_J: float
    macs_per_pe: float
    steps: int
    steps_base: float
    room: Int
    room_bits: Float
    room_window: Int
    volumes: Int
    size: Float
    rows: Float


def padded(rows: Sequence[Sequence[int]], width: int = 1) -> Int:
    """Rows of different lengths, filled up with -1."""
    width = max([width, *(len(r) for r in rows)])
    table = np.full((len(rows), width), -1, np.int64)
    for place, row in zip(table, rows, strict=True):
        place[: len(row)] = row
    return table
