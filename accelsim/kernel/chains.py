"""Longest chains of flat blocks (compiled)."""

import numpy as np
from numba import njit


@njit(cache=True)
def longest(order, resource, duration, weight, offsets, follow, reach):  # type: ignore[no-untyped-def]
    """Return the longest chain of duration x weight of the resource; the last weight is a delay's.

    ``order`` is a topological order, or empty if the task numbers already are one; ``reach`` holds a
    zero for every task.
    """
    # Unsigned indices need no test for counting from the end: that is half the time.
    top = 0
    for at in range(np.uint64(duration.size)):
        i = np.uint64(order[at]) if order.size else at
        end = reach[i] + duration[i] * weight[resource[i]]
        top = max(top, end)
        for e in range(np.uint64(offsets[i]), np.uint64(offsets[i + np.uint64(1)])):
            later = np.uint64(follow[e])
            reach[later] = max(reach[later], end)
    return top


@njit(cache=True)
def repeat_longest(  # type: ignore[no-untyped-def]
    order, plain, weighted, offsets, follow, n, source, target, lag, enter, exact
):
    """Return (longest plain and weighted chain, both at the end of each task of the last iteration).

    ``enter`` holds the chains that lead to each task of the first iteration. The lengths at the ends
    of the last ``max(lag)`` iterations, less their maximum, determine all later ones: once they recur
    (compared with those saved at powers of two), whole periods are added without walking them, but
    for the last one.
    """
    m = plain.size
    depth = 1
    for e in range(lag.size):
        depth = max(depth, lag[e])
    ring = np.zeros((depth, m, 2), np.int64)
    saved = np.zeros((depth, m, 2), np.int64)
    top = np.zeros(2, np.int64)
    saved_at = -1
    longest_plain = 0
    longest_weighted = 0
    value = np.zeros((m, 2), np.int64)
    i = 0
    checks = 0
    while i < n:
        value[:] = 0
        if i == 0:
            value[:] = enter
        for e in range(lag.size):
            if lag[e] <= i:
                for c in range(2):
                    value[target[e], c] = max(value[target[e], c], ring[(i - lag[e]) % depth, source[e], c])
        for at in range(m):
            k = order[at]
            value[k, 0] += plain[k]
            value[k, 1] += weighted[k]
            longest_plain = max(longest_plain, value[k, 0])
            longest_weighted = max(longest_weighted, value[k, 1])
            for e in range(offsets[k], offsets[k + 1]):
                for c in range(2):
                    value[follow[e], c] = max(value[follow[e], c], value[k, c])
        ring[i % depth] = value
        i += 1
        if exact or i < depth:
            continue
        recurs = saved_at >= 0
        for c in range(2):
            top[c] = ring[(i - 1) % depth, 0, c] if m else 0
        step = i - saved_at
        for back in range(depth):
            if not recurs:
                break
            for k in range(m):
                here = ring[(i - 1 - back) % depth, k]
                there = saved[back, k]
                if (
                    here[0] - top[0] != there[0] - saved[0, 0, 0]
                    or here[1] - top[1] != there[1] - saved[0, 0, 1]
                ):
                    recurs = False
                    break
        if recurs:
            periods = (n - i) // step - 1
            if periods > 0:
                for c in range(2):
                    ring[:, :, c] += periods * (top[c] - saved[0, 0, c])
                moved = np.empty_like(ring)
                for back in range(depth):
                    moved[(i - 1 - back + periods * step) % depth] = ring[(i - 1 - back) % depth]
                ring[:] = moved
                i += periods * step
            exact = True
            continue
        checks += 1
        if checks & (checks - 1) == 0:
            saved_at = i
            for back in range(depth):
                saved[back] = ring[(i - 1 - back) % depth]
    return longest_plain, longest_weighted, value
