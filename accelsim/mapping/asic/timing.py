"""Service times as whole cycles of the chip's clock, and cycles as picoseconds, each rounded up once per
task.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import AccelsimError

Ints = NDArray[np.int64]

LONGEST_S = 1e6
NOISE = 1e-9
"""Part of a cycle (relative) below which a quotient of floats counts as whole: rounding noise, not work."""


def cycle_ps(clock_Hz: float) -> tuple[int, int]:
    """Clock period in picoseconds as (numerator, denominator)."""
    period = Fraction(10**12) / Fraction(clock_Hz).limit_denominator(1000)
    return period.numerator, period.denominator


def to_cycles(service_s: NDArray[np.float64], clock_Hz: float) -> Ints:
    """Seconds to whole cycles, rounded up.

    Raises
    ------
    AccelsimError
        If one transfer takes so long that its picoseconds cannot be counted.
    """
    seconds = np.asarray(service_s, float)
    if seconds.size and not seconds.max() < LONGEST_S:
        raise AccelsimError(
            f"one transfer would take {seconds.max():.3g} s, more than the {LONGEST_S:.0e} s that can be"
            " counted in picoseconds: is a bandwidth or latency off by its unit?"
        )
    cycles = seconds * clock_Hz
    whole: Ints = np.ceil(cycles - NOISE * np.maximum(cycles, 1.0)).astype(np.int64)
    return whole


def to_ps(cycles: Ints, period: tuple[int, int]) -> Ints:
    """Cycles to picoseconds, rounded up."""
    numerator, denominator = period
    if denominator == 1:
        return cycles * numerator
    whole, rest = np.divmod(cycles, denominator)
    up: Ints = whole * numerator + -(-rest * numerator // denominator)
    return up
