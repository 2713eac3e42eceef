"""Successor lists, topological order and cycles of edge arrays (compiled)."""

import numpy as np
import numpy.typing as npt
from numba import njit

Tasks = npt.NDArray[np.int32]


def successors(  # type: ignore[no-untyped-def]
    n: int, source, target
) -> tuple[Tasks, Tasks, Tasks, bool]:
    """Return (offsets[n + 1], successors[edges], predecessor counts[n], numbered) by counting sort.

    ``numbered`` is true if every edge goes from a smaller to a larger task number.
    """
    # NumPy asks for large pages, which compiled code does not: random access is much faster in them.
    offsets, waits = np.zeros(n + 1, np.int32), np.zeros(n, np.int32)
    follow = np.empty(source.size, np.int32)
    return offsets, follow, waits, bool(fill(source, target, offsets, follow, waits))


@njit(cache=True)
def fill(source, target, offsets, follow, waits):  # type: ignore[no-untyped-def]
    """Fill the arrays of ``successors``, the counts being 0; return ``numbered``."""
    numbered = True
    for e in range(source.size):
        s, t = np.uint32(source[e]), np.uint32(target[e])
        offsets[s + np.uint32(1)] += 1
        waits[t] += 1
        if s >= t:
            numbered = False
    n = waits.size
    for i in range(n):
        offsets[i + 1] += offsets[i]
    for e in range(source.size):
        s = np.uint32(source[e])
        follow[np.uint32(offsets[s])] = target[e]
        offsets[s] += 1
    for i in range(n, 0, -1):
        offsets[i] = offsets[i - 1]
    offsets[0] = 0
    return numbered


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
