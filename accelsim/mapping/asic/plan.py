"""What a mapped layer does, as arrays: which tile moves when, and how long each pass computes.

A *pass* is the run of innermost loops over which at least one tensor stays in the array; it is the unit that
the array does in lock-step and becomes one compute task. Rows of the tables are in program order.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TileMoves:
    """Tiles of one tensor at one shared level, one row per iteration of the loops above that level.

    ``starts`` marks the rows where another tile takes the place of the last one; ``loaded`` is the bytes then
    read from the level above (0 where nothing is read, as with outputs that begin), ``stored`` the bytes
    written back when the tile leaves, ``tile`` its identity (equal numbers = the same part of the tensor).
    """

    starts: Flags
    loaded: Ints
    stored: Ints
    tile: Ints


@dataclass(frozen=True, slots=True)
class LevelTiles:
    """One shared level: for each row the row of the level above it belongs to, and its tensors' tiles.

    ``parent_of`` names the level (index into the shared levels) that a tensor comes from.
    """

    level: int
    parent: Ints
    moves: Mapping[str, TileMoves]
    parent_of: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PassMoves:
    """One tensor between its innermost shared memory and the array, one row per pass, in bytes.

    A tensor that stays through a pass is sent whole before it (``preload``, where ``starts``); one that
    changes within a pass is streamed: ``head`` must arrive before the pass begins, ``body`` flows while it
    computes.
    ``out_body`` flows back during the pass, ``drained`` leaves after the last pass of the tile that started
    there.
    """

    starts: Flags
    preload: Ints
    head: Ints
    body: Ints
    out_body: Ints
    drained: Ints
    parent_level: int


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """A layer on the machine: its shared levels below DRAM (outermost first) and its passes.

    ``parent`` maps each pass to its row of the innermost shared level; ``cycles`` is the compute time of each
    pass;
    ``moves`` is empty for arrays that are fed from their edges (systolic). ``in_turn``: what must be in the
    array before a pass begins comes tensor after tensor.
    """

    levels: tuple[LevelTiles, ...]
    parent: Ints
    cycles: Ints
    moves: Mapping[str, PassMoves]
    buffers: Mapping[tuple[int, str], int]
    register_buffers: Mapping[str, int]
    in_turn: bool = False
