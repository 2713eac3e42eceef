"""Longest chains of flat blocks (compiled)."""

import numpy as np
from numba import njit


@njit(cache=True)
def longest(order, resource, duration, offsets, follow, weight, delay_weight):  # type: ignore[no-untyped-def]
    """Return (longest chain of durations, longest chain of duration x weight of the resource).

    ``order`` is a topological order, or empty if the task numbers already are one.
    """
    n = resource.size
    reach = np.zeros((n, 2), np.int64)
    plain = 0
    weighted = 0
    for at in range(n):
        i = order[at] if order.size else at
        d = duration[i]
        w = d * (weight[resource[i]] if resource[i] >= 0 else delay_weight)
        a = reach[i, 0] + d
        b = reach[i, 1] + w
        plain = max(plain, a)
        weighted = max(weighted, b)
        for e in range(offsets[i], offsets[i + 1]):
            later = follow[e]
            reach[later, 0] = max(reach[later, 0], a)
            reach[later, 1] = max(reach[later, 1], b)
    return plain, weighted
