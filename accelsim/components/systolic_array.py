"""Systolic array: operands enter at the edges and move one unit per cycle."""

from dataclasses import dataclass

from accelsim.components.compute import ComputeArray, Side


@dataclass(frozen=True, slots=True)
class Fold:
    """Cycles of one fold: load the stationary operand, stream the other, drain the skew."""

    fill: int
    stream: int
    drain: int

    @property
    def cycles(self) -> int:
        """All cycles of the fold."""
        return self.fill + self.stream + self.drain


class SystolicArray(ComputeArray):
    """``rows`` x ``columns`` MAC units without addressable registers.

    A fold keeps one matrix in the array. Its operand is shifted in row by row (``rows`` cycles, none if the
    stationary matrix is the output); the moving operand enters skewed, one vector per cycle; the last vector
    needs ``rows + columns - 2`` more cycles to cross the array. A partly filled array takes as long as a full
    one. Source: Samajdar et al., "SCALE-Sim: Systolic CNN Accelerator Simulator", arXiv 1811.02883; checked
    against the cycles that SCALE-Sim 3.0.0 prints.
    """

    rows: Side
    columns: Side

    @property
    def units(self) -> int:
        """Number of MAC units."""
        return self.rows * self.columns

    def fold(self, stream: int, *, stationary_operand: bool) -> Fold:
        """Cycles of one fold that streams ``stream`` vectors; ``stationary_operand`` if an input is shifted
        in first.
        """
        return Fold(self.rows if stationary_operand else 0, stream, self.rows + self.columns - 2)
