"""Service times as whole cycles of the chip's clock, and cycles as picoseconds, each rounded up once per
task.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import AccelsimError

Ints = NDArray[np.int64]

PER_SECOND = 10**12
LARGEST = 2**63 - 1
LONGEST_S = 10**6
"""One task may take so long: its picoseconds, and the sum of a few, fit an int64."""
NOISE = 1e-9
"""Part of a cycle (relative) below which a quotient of floats counts as whole: rounding noise, not work."""


def cycle_ps(clock_Hz: float) -> tuple[int, int]:
    """Clock period in picoseconds as (numerator, denominator)."""
    period = Fraction(PER_SECOND) / Fraction(clock_Hz).limit_denominator(1000)
    return period.numerator, period.denominator


def to_cycles(service_s: NDArray[np.float64], clock_Hz: float, where: str) -> Ints:
    """Seconds of transfers over the resource ``where`` to whole cycles, rounded up.

    Raises
    ------
    AccelsimError
        If one transfer takes so long that its picoseconds cannot be counted.
    """
    seconds = np.asarray(service_s, float)
    if seconds.size and not seconds.max() < LONGEST_S:
        raise AccelsimError(
            f"one transfer of {where} would take {seconds.max():.3g} s, more than the {LONGEST_S:.0e} s that"
            " can be counted in picoseconds: is a bandwidth or latency off by its unit?"
        )
    cycles = seconds * clock_Hz
    whole: Ints = np.ceil(cycles - NOISE * np.maximum(cycles, 1.0)).astype(np.int64)
    return whole


def to_ps(cycles: Ints, period: tuple[int, int], clock: str = "the clock") -> Ints:
    """Cycles of a clock, named by its path, to picoseconds, rounded up.

    Raises
    ------
    AccelsimError
        If one task takes so long that its picoseconds cannot be counted.
    """
    numerator, denominator = period
    most = int(cycles.max(initial=0))
    if most * numerator > LONGEST_S * PER_SECOND * denominator:
        raise AccelsimError(
            f"one task would take {most} cycles or {most * numerator / denominator / PER_SECOND:.3g} s, more"
            f" than the {LONGEST_S:.0e} s that can be counted in picoseconds: is {clock} off by its unit?"
        )
    if denominator == 1:
        return cycles * numerator
    if numerator * denominator > LARGEST:  # a clock such as 999,999,999 Hz: the products need more than int64
        known, place = np.unique(cycles, return_inverse=True)
        exact = [-(-c * numerator // denominator) for c in known.tolist()]
        return np.array(exact, np.int64)[place]
    whole, rest = np.divmod(cycles, denominator)
    up: Ints = whole * numerator + -(-rest * numerator // denominator)
    return up
