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
def repeat_longest(order, plain, weighted, offsets, follow, n, source, target, lag, enter):  # type: ignore[no-untyped-def]
    """Return (longest plain and weighted chain, both at the end of each task of the last iteration).

    ``enter`` holds the chains that lead to each task of the first iteration. The lengths at the ends
    of the last ``max(lag)`` iterations, less their maximum, determine all later ones: once they recur
    (compared with those saved at powers of two), whole periods are added without walking them, but
    for the last one.
    """
    m = plain.size
    depth = 1
    for e in range(lag.size):
        depth = max(depth, min(lag[e], n))
    # plain loops: assigning to a slice would take longer to compile than all the rest
    ring = np.zeros((depth, m, 2), np.int64)
    saved = np.zeros((depth, m, 2), np.int64)
    value = np.zeros((m, 2), np.int64)
    longest_plain = 0
    longest_weighted = 0
    saved_at = -1
    checks = 0
    searching = m > 0
    i = 0
    while i < n:
        for k in range(m):
            for c in range(2):
                value[k, c] = enter[k, c] if i == 0 else 0
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
        for k in range(m):
            for c in range(2):
                ring[i % depth, k, c] = value[k, c]
        i += 1
        if not searching or i < depth:
            continue
        if saved_at >= 0 and grown_alike(ring, saved, i):
            step = i - saved_at
            periods = (n - i) // step - 1
            if periods > 0:
                n -= periods * step
                for c in range(2):
                    grown = periods * (ring[(i - 1) % depth, 0, c] - saved[0, 0, c])
                    for row in range(depth):
                        for k in range(m):
                            ring[row, k, c] += grown
            searching = False
            continue
        checks += 1
        if checks & (checks - 1) == 0:
            saved_at = i
            for back in range(depth):
                for k in range(m):
                    for c in range(2):
                        saved[back, k, c] = ring[(i - 1 - back) % depth, k, c]
    return longest_plain, longest_weighted, value


@njit(cache=True)
def grown_alike(ring, saved, i):  # type: ignore[no-untyped-def]
    """Whether the last iterations before ``i`` exceed the saved ones by the same lengths everywhere."""
    depth, m, _ = ring.shape
    for c in range(2):
        grown = ring[(i - 1) % depth, 0, c] - saved[0, 0, c]
        for back in range(depth):
            for k in range(m):
                if ring[(i - 1 - back) % depth, k, c] - saved[back, k, c] != grown:
                    return False
    return True
