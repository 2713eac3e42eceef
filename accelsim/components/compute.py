"""What every array of MAC units has: a clock, a dataflow, energy per MAC, area per unit."""

from abc import abstractmethod
from typing import Annotated, TypeAlias

from pydantic import Field, field_validator

from accelsim.kernel import Resource
from accelsim.spec.component import Component
from accelsim.spec.units import Hertz, Joules, SquareMillimetres

Side: TypeAlias = Annotated[int, Field(ge=1, le=10**6)]
"""Units along one edge of an array. The bound keeps cycles and areas countable and is far beyond any chip."""

Units: TypeAlias = Annotated[int, Field(ge=1, le=10**9)]
"""Units that are counted together: processing elements, lanes."""


class ComputeArray(Component):
    """An array of MAC units behind one clock.

    ``mac_energy`` gives joules per multiply-accumulate by precision ('int8': 0.5 pJ); energy at a precision
    that is not listed is unknown (null). ``mac_area`` is the area of one unit. ``vector_lanes`` elements of a
    pooling or element-wise operator are done per cycle; None means one per MAC unit.
    """

    clock: Hertz
    dataflow: str
    mac_energy: dict[str, Joules] = Field(default_factory=dict)
    mac_area: SquareMillimetres | None = None
    vector_lanes: Units | None = None

    @field_validator("clock")
    @classmethod
    def _period_is_countable(cls, clock: float) -> float:
        # Time is whole picoseconds: a faster clock has no period, and a slower one is a slip of the unit.
        if not 1 <= clock <= 1e12:
            raise ValueError("must lie between 1 Hz and 1 THz")
        return clock

    @property
    @abstractmethod
    def units(self) -> int:
        """Number of processing elements."""

    @property
    def macs_per_cycle(self) -> int:
        """Multiply-accumulates per cycle at full utilisation."""
        return self.units

    def elements_per_cycle(self) -> int:
        """Elements of a non-MAC operator per cycle."""
        return self.vector_lanes or self.units

    def resource(self, name: str) -> Resource:
        """The kernel resource: the array does one tile after the other, in program order."""
        return Resource(name, order="in_order")

    def area_mm2(self) -> float | None:
        """Area in mm² of all MAC units, None if unknown."""
        return None if self.mac_area is None else self.macs_per_cycle * self.mac_area
