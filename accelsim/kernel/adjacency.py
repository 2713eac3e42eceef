"""Successor lists, topological order and cycles of edge arrays (compiled)."""

import numpy as np
from numba import njit


@njit(cache=True)
def successors(n, source, target):  # type: ignore[no-untyped-def]
    """Return (offsets[n + 1], successors[edges], predecessor counts[n], numbered) by counting sort.

    ``numbered`` is true if every edge goes from a smaller to a larger task number.
    """
    offsets = np.zeros(n + 1, np.int32)
    waits = np.zeros(n, np.int32)
    numbered = True
    for e in range(source.size):
        offsets[source[e] + 1] += 1
        waits[target[e]] += 1
        numbered &= source[e] < target[e]
    for i in range(n):
        offsets[i + 1] += offsets[i]
    follow = np.empty(source.size, np.int32)
    for e in range(source.size):
        s = source[e]
        follow[offsets[s]] = target[e]
        offsets[s] += 1
    for i in range(n, 0, -1):
        offsets[i] = offsets[i - 1]
    offsets[0] = 0
    return offsets, follow, waits, numbered


@njit(cache=True)
def topological(offsets, follow, waits):  # type: ignore[no-untyped-def]
    """Return (order, length): a topological order of the tasks; shorter than n if there is a cycle."""
    n = waits.size
    left = waits.copy()
    order = np.empty(n, np.int32)
    size = 0
    for i in range(n):
        if left[i] == 0:
            order[size] = i
            size += 1
    at = 0
    while at < size:
        for e in range(offsets[order[at]], offsets[order[at] + 1]):
            left[follow[e]] -= 1
            if left[follow[e]] == 0:
                order[size] = follow[e]
                size += 1
        at += 1
    return order, size


def cycle(offsets, follow, order) -> list[int]:  # type: ignore[no-untyped-def]
    """Return tasks of one cycle, first one repeated at the end, given the incomplete order."""
    sorted_ = np.zeros(offsets.size - 1, bool)
    sorted_[order] = True
    # tasks left over have a left-over predecessor each, so walking predecessors must close a loop
    before: dict[int, int] = {}
    for task in np.flatnonzero(~sorted_).tolist():
        for later in follow[offsets[task] : offsets[task + 1]].tolist():
            if not sorted_[later]:
                before[later] = task
    task = min(before)
    seen: list[int] = []
    while task not in seen:
        seen.append(task)
        task = before[task]
    loop = seen[seen.index(task) :][::-1]
    start = loop.index(min(loop))
    loop = loop[start:] + loop[:start]
    return [*loop, loop[0]]
