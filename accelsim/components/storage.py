"""What every memory has: a size, the tensors it holds, energy per byte and area per byte."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from accelsim.spec.component import Component
from accelsim.spec.units import Bytes, JoulesPerByte, SquareMillimetresPerByte

Amount = float | NDArray[np.float64]
"""Bytes (or seconds, or joules) of one transfer, or of each of many."""

Tensor = Literal["inputs", "weights", "outputs"]
TENSORS: tuple[Tensor, ...] = ("inputs", "weights", "outputs")


class Storage(Component):
    """A memory that holds tiles.

    ``holds`` names the tensors that are kept here; the others pass it by. ``buffers`` is the number of
    tiles that must fit at once: 2 fills the next tile while this one is used. Energies are per byte
    moved through the port, area is per byte of size; a missing one makes the energy or the area of the
    machine unknown (null), never 0. ``sliding`` keeps the overlap of neighbouring input windows as they slide
    over the image (a line buffer); without it every window is fetched whole.
    """

    size: Bytes
    holds: tuple[Tensor, ...] = Field(default=TENSORS, min_length=1)
    buffers: Literal[1, 2] = 2
    sliding: bool = False
    read_energy: JoulesPerByte | None = None
    write_energy: JoulesPerByte | None = None
    area_per_byte: SquareMillimetresPerByte | None = None

    def access_energy_J(self, read_bytes: float, written_bytes: float) -> float | None:
        """Energy in joules of reading and writing so many bytes; None if either price is unknown."""
        if self.read_energy is None or self.write_energy is None:
            return None
        return read_bytes * self.read_energy + written_bytes * self.write_energy

    def area_mm2(self) -> float | None:
        """Area in mm² of one instance; None if the area per byte is unknown."""
        return None if self.area_per_byte is None else self.size * self.area_per_byte

    @property
    def tile_bytes(self) -> int:
        """Bytes that the tiles of one step may take: the size shared out over the buffers."""
        return int(self.size) // self.buffers
