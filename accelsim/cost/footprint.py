"""Elements of each tensor that blocks of a layer touch, for many blocks at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import gcd

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
            if sweep is None or sweep.dim not in dims:
                rows = _distinct(p, r, stride, dilation)
            elif per_unit and self.lanes.get(sweep.dim, sweep.tile) < sweep.tile:
                rows = self._after_leap(p, r, sweep, (stride, dilation), sweep.dim == dims[0])
            elif sweep.dim == dims[0]:
                rows = _distinct(p + sweep.tile, r, stride, dilation) - _distinct(
                    np.full_like(p, sweep.tile), r, stride, dilation
                )
            else:
                rows = _distinct(p, r + sweep.tile, stride, dilation) - _distinct(
                    p, np.full_like(r, sweep.tile), stride, dilation
                )
            total = total + rows * p_units * r_units
        return total

    def _after_leap(self, p: Ints, r: Ints, sweep: Loop, step: tuple[int, int], along_p: bool) -> Ints:
        """New rows of a unit whose block moves on by those of all units; the window is taken as unbroken."""
        stride, dilation = step
        block = self.lanes[sweep.dim]
        before = (
            (block - 1) * stride + (r - 1) * dilation
            if along_p
            else (p - 1) * stride + (block - 1) * dilation
        )
        kept = np.maximum(before + 1 - sweep.tile * (stride if along_p else dilation), 0)
        fresh: Ints = np.maximum(_distinct(p, r, stride, dilation) - kept, 0)
        return fresh

    def _parts(self, dim: str, per_unit: bool) -> Parts:
        extent = self.of(dim)
        if not per_unit or dim not in self.lanes:
            return [(extent, np.ones_like(extent))]
        block = np.minimum(self.lanes[dim], extent)
        units = -(-extent // block)
        return [(block, units - 1), (extent - (units - 1) * block, np.ones_like(extent))]


def _distinct(positions: Ints, taps: Ints, stride: int, dilation: int) -> Ints:
    """Distinct rows that so many neighbouring positions and taps read (see ``cost.halo``)."""
    common = gcd(stride, dilation)
    shared = np.maximum(positions - dilation // common, 0) * np.maximum(taps - stride // common, 0)
    rows: Ints = positions * taps - shared
    return rows
