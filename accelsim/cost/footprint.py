"""Elements of each tensor that blocks of a layer touch, for many blocks at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.nest import WINDOWS, Loop
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape

Ints = NDArray[np.int64]

Parts = list[tuple[Ints, Ints]]
"""(extent, how many units have it) of one dimension laid out over units."""


@dataclass(frozen=True)
class Footprint:
    """Blocks given by ``extent`` (one row each, dims in the order of ``DIMS``).

    ``lanes``: dim -> positions of one unit where a block lies on several units side by side.
    """

    shape: ConvShape
    extent: Ints
    lanes: Mapping[str, int]

    def of(self, dim: str) -> Ints:
        """Extents of one dimension."""
        column: Ints = self.extent[:, DIMS.index(dim)]
        return column

    def elements(self, tensor: str) -> Ints:
        """Distinct elements of a tensor, zeros of the padding included."""
        return self.inputs() if tensor == "inputs" else self._product(RELEVANT[tensor])

    def inputs(self, sweep: Loop | None = None, per_unit: bool = False) -> Ints:
        """Elements of inputs; with ``sweep``, those that its step has not had before.

        ``per_unit`` counts what neighbouring units share once for each of them.
        """
        volume = self._product("NGC")
        for axis, dims in enumerate(WINDOWS):
            volume = volume * self._rows(axis, dims, sweep, per_unit)
        return volume

    def _product(self, dims: str) -> Ints:
        volume = np.ones(len(self.extent), np.int64)
        for dim in dims:
            volume = volume * self.of(dim)
        return volume

    def _rows(self, axis: int, dims: tuple[str, str], sweep: Loop | None, per_unit: bool) -> Ints:
        """Rows (or columns) of one axis, added up over units if ``per_unit``."""
        stride, dilation = self.shape.stride[axis], self.shape.dilation[axis]
        position, tap = (self._parts(d, per_unit) for d in dims)
        total = np.zeros(len(self.extent), np.int64)
        for (p, p_units), (r, r_units) in product(position, tap):
            rows = _span(p, r, stride, dilation)
            if sweep is not None and sweep.dim in dims:
                # The step before was a full one, ``shift`` rows back.
                along_p = sweep.dim == dims[0]
                shift = sweep.tile * (stride if along_p else dilation)
                before = np.full_like(p, sweep.tile)
                if per_unit:
                    before = np.minimum(before, self.lanes.get(sweep.dim, sweep.tile))
                last = _span(before, r, stride, dilation) if along_p else _span(p, before, stride, dilation)
                rows = np.maximum(rows - np.maximum(last - shift, 0), 0)
            total = total + rows * p_units * r_units
        return total

    def _parts(self, dim: str, per_unit: bool) -> Parts:
        extent = self.of(dim)
        if not per_unit or dim not in self.lanes:
            return [(extent, np.ones_like(extent))]
        block = np.minimum(self.lanes[dim], extent)
        units = -(-extent // block)
        return [(block, units - 1), (extent - (units - 1) * block, np.ones_like(extent))]


def _span(positions: Ints, taps: Ints, stride: int, dilation: int) -> Ints:
    """Rows between the first and the last that positions and taps read, at most one for each pair."""
    rows: Ints = np.minimum((positions - 1) * stride + (taps - 1) * dilation + 1, positions * taps)
    return rows
