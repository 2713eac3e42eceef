"""Judge many mappings of one layer at once: the numbers of ``accelsim.cost.evaluate``, millions a second.

All mappings of a batch share a ``Frame``: groups of loops and the levels between them. They differ in tiles
and in the order of the loops. Counts are exact below 2^53 (refused above): ragged tiles, chains that are not
aligned, halos with stride and dilation, padding, groups and unequal storage points included.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.hierarchy import Hierarchy
from accelsim.cost.nest import TENSORS, Level, Loop, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapper.batch_charges import Charges
from accelsim.mapper.batch_classes import QUANTITIES
from accelsim.mapper.batch_kernel import evaluate_strips
from accelsim.mapper.batch_linear import crossing, is_uniform, linear
from accelsim.mapper.batch_plan import ORDERS, Plan
from accelsim.mapper.batch_uniform import evaluate_uniform
from accelsim.mapper.frame import Frame

EXACT = 2**53
"""Integers below are exact as float64."""

PER_OPERATION = 8
"""No memory gives, or takes, more elements per operation: three to the units, three down and one up."""


@dataclass(frozen=True)
class Mappings:
    """Mappings as a structure of arrays; the last axis runs over the n mappings.

    frame : what they share
    tiles : (len(frame.rows), n) integers; tile of every loop, the extent it is given where there is no loop
    orders : (len(frame.timed), n) order code 0..5 of each group of loops in time: ``ORDERS[code]`` lists sets
        of dims, outermost first (0, 1 keep inputs where they are, 2, 3 weights, 4, 5 outputs);
        or (len(frame.timed), 8, n) rank of each of ``DIMS``, 0 outermost to 7: any permutation

    Raises
    ------
    AccelsimError
        If the arrays have other shapes, or are not integers.
    """

    frame: Frame
    tiles: NDArray[np.integer[Any]]
    orders: NDArray[np.integer[Any]]

    def __post_init__(self) -> None:
        rows, times = len(self.frame.rows), len(self.frame.timed)
        for name, array in (("tiles", self.tiles), ("orders", self.orders)):
            if not np.issubdtype(array.dtype, np.integer):
                raise AccelsimError(f"{name} must be integers, not {array.dtype}")
        if self.tiles.ndim != 2 or self.tiles.shape[0] != rows:
            raise AccelsimError(f"tiles must have shape ({rows}, n), not {self.tiles.shape}")
        n = self.tiles.shape[1]
        if self.orders.shape not in ((times, n), (times, len(DIMS), n)):
            raise AccelsimError(
                f"orders must have shape ({times}, {n}) for codes or ({times}, {len(DIMS)}, {n}) for ranks,"
                f" not {self.orders.shape}"
            )

    def __len__(self) -> int:
        return int(self.tiles.shape[1])

    @property
    def permuted(self) -> bool:
        """Whether orders are ranks, not codes."""
        return self.orders.ndim == 3

    def nest(self, shape: ConvShape, index: int) -> LoopNest:
        """One mapping as a loop nest; loops with a single trip are left out.

        Raises
        ------
        AccelsimError
            If its tiles do not nest.
        """
        left = shape.bounds
        tile = dict(zip(self.frame.rows, self.tiles[:, index].tolist(), strict=True))
        loops: list[Loop] = []
        depths = [0]
        for c, cut in enumerate(self.frame.cuts):
            dims: Sequence[str] = [d for d in DIMS if d in cut.dims]
            if cut.axis is None:
                dims = self._order(self.frame.timed.index(c), index)
            for dim in dims:
                if tile[c, dim] != left[dim]:
                    loops.append(Loop(dim, tile[c, dim], cut.axis))
                    left[dim] = tile[c, dim]
            depths.append(len(loops))
        levels = tuple(Level(v.name, depths[v.depth], v.tensors) for v in self.frame.levels)
        return LoopNest(shape, tuple(loops), levels)

    def _order(self, group: int, index: int) -> list[str]:
        if self.permuted:
            ranks = self.orders[group, :, index].tolist()
            return sorted(DIMS, key=lambda d: ranks[DIMS.index(d)])
        return [d for dims in ORDERS[int(self.orders[group, index])] for d in dims]


@dataclass(frozen=True)
class BatchCost:
    """What each mapping costs.

    cycles : (n,) of the slowest resource
    energy_J : (n,) in total
    fits : (n,) whether every memory and every axis is large enough; cost figures hold regardless
    boundaries : (tensor, level above, level below) of each row of the next two; empty unless asked for
    at_parent : (boundaries, n) elements read from the level above (of outputs: written to it)
    at_children : (boundaries, n) elements written into the levels below (of outputs: leaving them)
    """

    cycles: NDArray[np.float64]
    energy_J: NDArray[np.float64]
    fits: NDArray[np.bool_]
    boundaries: tuple[tuple[str, str, str], ...]
    at_parent: NDArray[np.float64]
    at_children: NDArray[np.float64]


def evaluate_many(
    shape: ConvShape, hierarchy: Hierarchy, mappings: Mappings, counts: bool = False
) -> BatchCost:
    """Judge every mapping of a batch of one layer on one hierarchy.

    ``counts`` also lists the elements that cross every boundary; of outputs, those read back follow from the
    outermost boundary inwards: at the parent less the unvisited (all outputs at first), which inside are
    those at the children less those read back.

    Raises
    ------
    AccelsimError
        If the frame does not fit the hierarchy, a tile or an order is impossible, or the layer is too large
        for exact counts.
    """
    most = PER_OPERATION * shape.macs * max(hierarchy.bits.values())
    if most >= EXACT:
        raise AccelsimError(
            f"batch: {shape.macs} multiply-accumulates of up to {max(hierarchy.bits.values())} bits may need"
            f" sums of {most}, and they are exact only below 2^53; use accelsim.cost.evaluate"
        )
    if hierarchy.networks:
        raise AccelsimError(
            f"batch: {hierarchy.name} has networks, which are not counted here; use accelsim.cost.evaluate"
        )
    n = len(mappings)
    plan = Plan(shape, mappings.frame, hierarchy.padding, mappings.permuted)
    cycles, energy, fits = np.empty(n), np.empty(n), np.empty(n, np.bool_)
    charges = Charges(plan, hierarchy)
    if is_uniform(plan):
        quantities = np.empty((QUANTITIES, n if counts else 0))
        bad = evaluate_uniform(
            linear(plan, hierarchy), mappings.tiles, mappings.orders, cycles, energy, fits, quantities
        )
        ends = [crossing(plan, child, TENSORS.index(t)) for t, _, child in charges.boundaries]
        moved = quantities[np.array(ends, np.int64).reshape(-1, 2)]
    else:
        charging = charges.tables()
        moved = np.empty((len(charges.boundaries), 2, n if counts else 0))
        orders = mappings.orders if mappings.permuted else mappings.orders[:, None]
        bad = evaluate_strips(plan.tables(), charging, mappings.tiles, orders, cycles, energy, fits, moved)
    for row, (_, dim) in enumerate(mappings.frame.rows):
        if shape[dim] == 1 and n and not (mappings.tiles[row] == 1).all():
            bad = 0 if bad < 0 else bad
    if bad >= 0:
        raise AccelsimError(_first_fault(shape, mappings))
    levels = mappings.frame.levels
    named = tuple((t, levels[p].name, levels[c].name) for t, p, c in charges.boundaries)
    return BatchCost(cycles, energy, fits, named if counts else (), moved[:, 0], moved[:, 1])


def _first_fault(shape: ConvShape, mappings: Mappings) -> str:
    """Sentence on the first mapping with an impossible tile, or else order."""
    left = {d: np.full(len(mappings), shape[d]) for d in DIMS}
    for row, (c, dim) in enumerate(mappings.frame.rows):
        tile = mappings.tiles[row]
        wrong = np.flatnonzero((tile < 1) | (tile > left[dim]))
        if wrong.size:
            i = int(wrong[0])
            return (
                f"mapping {i}: tile of {dim} in cut {c} must be between 1 and the {left[dim][i]} positions it"
                f" divides, not {tile[i]}"
            )
        left[dim] = tile
    if mappings.permuted:
        unranked = np.argwhere((np.sort(mappings.orders, axis=1) != np.arange(8)[:, None]).any(axis=1))
        j, i = unranked[0].tolist()
        return (
            f"mapping {i}: ranks of group {j} must be 0 to 7 in some order, not"
            f" {mappings.orders[j, :, i].tolist()}"
        )
    j, i = np.argwhere((mappings.orders < 0) | (mappings.orders > 5))[0].tolist()
    return f"mapping {i}: order code of group {j} must be between 0 and 5, not {mappings.orders[j, i]}"
