"""The roofline: what a peak rate and a bandwidth allow an operator of given work and traffic."""

from dataclasses import dataclass
from math import inf
from typing import Literal

from accelsim.errors import AccelsimError


@dataclass(frozen=True, slots=True)
class Roofline:
    """Limits of one operator on one machine.

    ``ridge_ops_per_B`` is the intensity at which both limits meet; below it memory binds. An operator without
    traffic has infinite intensity.
    """

    attainable_ops_per_s: float
    intensity_ops_per_B: float
    ridge_ops_per_B: float
    time_s: float
    bound_by: Literal["compute", "memory"]


def bound(ops: float, bytes: float, peak: float, bandwidth: float) -> Roofline:
    """Attainable rate = min(peak, intensity x bandwidth), after Williams et al., CACM 52(4), 2009.

    Parameters
    ----------
    ops, bytes : work and traffic of the operator, in the unit of ``peak`` and in bytes
    peak : ops/s
    bandwidth : bytes/s

    Raises
    ------
    AccelsimError
        If peak or bandwidth is not positive, or ops or bytes is negative.
    """
    problems = [
        f"{n} must be greater than 0, not {v}"
        for n, v in (("peak", peak), ("bandwidth", bandwidth))
        if not v > 0
    ]
    problems += [
        f"{n} must not be negative, not {v}" for n, v in (("ops", ops), ("bytes", bytes)) if not v >= 0
    ]
    if problems:
        raise AccelsimError(*problems)
    compute_s, memory_s = ops / peak, bytes / bandwidth
    intensity = ops / bytes if bytes else inf
    return Roofline(
        attainable_ops_per_s=min(peak, intensity * bandwidth),
        intensity_ops_per_B=intensity,
        ridge_ops_per_B=peak / bandwidth,
        time_s=max(compute_s, memory_s),
        bound_by="compute" if compute_s >= memory_s else "memory",
    )
