"""The compiled engines' priority structure and sort, inlined by the compiler where they are called.

The heap is binary, smallest key first, in two arrays that are as long as the engine can ever need:
growing an array inside a compiled event loop costs a factor of three. Indices are unsigned, because
the compiler then leaves out the test for counting from the end.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def sift_down(keys, who, size, key, item):  # type: ignore[no-untyped-def]
    """Put (key, item) at the root of a heap of ``size`` entries whose root is a hole.

    The hole falls to the bottom along the smaller children and the entry rises from there: which child
    is smaller is then added, not branched on, and the entry, as a rule a late one, rises but little.
    """
    one = np.uint64(1)
    size = np.uint64(size)
    hole = np.uint64(0)
    child = one
    while child + one < size:
        child += np.uint64(keys[child + one] < keys[child])
        keys[hole] = keys[child]
        who[hole] = who[child]
        hole = child
        child = hole + hole + one
    if child < size:
        keys[hole] = keys[child]
        who[hole] = who[child]
        hole = child
    rise(keys, who, hole, key, item)


@njit(cache=True)
def sift_up(keys, who, size, key, item):  # type: ignore[no-untyped-def]
    """Add (key, item) to a heap of ``size`` entries; the caller counts the new one."""
    rise(keys, who, np.uint64(size), key, item)


@njit(cache=True)
def rise(keys, who, hole, key, item):  # type: ignore[no-untyped-def]
    """Put (key, item) at ``hole`` or, while its parent is later, above."""
    one = np.uint64(1)
    while hole:
        parent = (hole - one) >> one
        if keys[parent] <= key:
            break
        keys[hole] = keys[parent]
        who[hole] = who[parent]
        hole = parent
    keys[hole] = key
    who[hole] = item


@njit(cache=True)
def sort_prefix(values, size):  # type: ignore[no-untyped-def]
    """Sort the first ``size`` values in place (Shell's sort: batches are short or almost sorted)."""
    for i in range(1, size):
        if values[i - 1] > values[i]:
            break
    else:
        return
    gap = 1
    while gap < size // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, size):
            value = values[i]
            j = i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 3
