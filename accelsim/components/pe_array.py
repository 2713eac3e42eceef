"""PE array: processing elements with registers of their own, fed over a network."""

from math import isqrt
from typing import Literal, Self

from pydantic import model_validator

from accelsim.components.compute import ComputeArray, Side, Units


class PEArray(ComputeArray):
    """``rows`` x ``columns`` processing elements, or ``pes`` of them that a dataflow may cluster freely.

    Where a dataflow asks for rows, ``pes`` count as the squarest rectangle that holds exactly them.
    Each does ``macs_per_pe`` multiply-accumulates per cycle of the same operand tile. ``loads`` says
    whether tiles that stay and the first windows of those that stream enter together, each over its own
    link, or tensor after tensor (``in_turn``) before the array starts; ``first_sums`` whether sums start
    at ``zero`` in the array or are ``read`` like any other, from a buffer that holds zeros.
    """

    pes: Units | None = None
    rows: Side | None = None
    columns: Side | None = None
    macs_per_pe: Units = 1
    loads: Literal["together", "in_turn"] = "together"
    first_sums: Literal["zero", "read"] = "zero"

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if (self.rows is None) != (self.columns is None):
            raise ValueError("rows and columns go together")
        if (self.pes is None) == (self.rows is None):
            raise ValueError("give either pes or rows and columns")
        return self

    @property
    def units(self) -> int:
        """Number of processing elements."""
        return self.pes if self.pes is not None else (self.rows or 0) * (self.columns or 0)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        if self.rows is not None and self.columns is not None:
            return self.rows, self.columns
        rows = next(r for r in range(isqrt(self.units), 0, -1) if self.units % r == 0)
        return rows, self.units // rows

    @property
    def macs_per_cycle(self) -> int:
        """Multiply-accumulates per cycle at full utilisation."""
        return self.units * self.macs_per_pe
