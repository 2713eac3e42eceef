"""Sums over the tasks of a block that do not depend on when they run, worked out once per block."""

from typing import Any

import numpy as np
from numba import njit

from accelsim.kernel.flat import Flat
from accelsim.kernel.timing import Ints


@njit(cache=True)
def tally(group, duration, tasks, busy):  # type: ignore[no-untyped-def]
    """Count every task and add up the durations, per group; the last entry is for group -1."""
    rest = tasks.size - 1
    for i in range(np.uint64(duration.size)):
        g = np.uint64(group[i] if group[i] >= 0 else rest)
        tasks[g] += 1
        busy[g] += duration[i]


def resource_sums(flat: Flat, n_resources: int) -> tuple[Ints, Ints]:
    """Return (tasks, summed durations in picoseconds) per resource; the last entry is of pure delays."""
    key = ("sums", n_resources)
    if key not in flat.derived:
        flat.derived[key] = _sums(flat.resource, flat.duration, n_resources)
    known: Any = flat.derived[key]
    return known[0], known[1]


def kind_sums(flat: Flat, kinds: int) -> tuple[Ints, Ints]:
    """Return the same per kind; the last entry is of barriers (kind -1)."""
    if flat.kind is not None:
        return _sums(flat.kind, flat.duration, kinds)
    count, busy = np.zeros((2, kinds + 1), np.int64)
    count[0], busy[0] = len(flat), flat.work_ps
    return count, busy


def _sums(group: Ints, duration: Ints, size: int) -> tuple[Ints, Ints]:
    tasks, busy = np.zeros((2, size + 1), np.int64)
    tally(group, duration, tasks, busy)
    return tasks, busy
