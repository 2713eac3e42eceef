"""The compiled engines' priority structure and sort, inlined by the compiler where they are called.

The heap is binary, smallest key first, in two arrays that are as long as the engine can ever need:
growing an array inside a compiled event loop costs a factor of three.
"""

from numba import njit


@njit(cache=True)
def sift_down(keys, who, size, key, item):  # type: ignore[no-untyped-def]
    """Put (key, item) at the root of a heap of ``size`` entries whose root is a hole."""
    hole = 0
    child = 1
    while child < size:
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[hole] = keys[child]
        who[hole] = who[child]
        hole = child
        child = 2 * hole + 1
    keys[hole] = key
    who[hole] = item


@njit(cache=True)
def sift_up(keys, who, size, key, item):  # type: ignore[no-untyped-def]
    """Add (key, item) to a heap of ``size`` entries; the caller counts the new one."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 1
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
