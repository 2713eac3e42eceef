"""One pass without events, for blocks whose resources all take their tasks in number order (compiled).

A task starts at the latest of: its last predecessor's end, the start of the task in front of it on its
resource, and the first moment a server is free. Every start is a maximum of sums, hence monotone.
"""

import numpy as np
from numba import njit

PREDECESSOR = -2


@njit(cache=True)
def replace_first(free, holder, base, servers, end, task):  # type: ignore[no-untyped-def]
    """Replace the earliest server of a heap; of equally early ones the one with the latest task is first."""
    one = np.uint64(1)
    hole = base
    child = one
    while child < servers:
        a = base + child
        if child + one < servers and (
            free[a + one] < free[a] or (free[a + one] == free[a] and holder[a + one] > holder[a])
        ):
            a += one
            child += one
        if free[a] > end or (free[a] == end and holder[a] < task):
            break
        free[hole] = free[a]
        holder[hole] = holder[a]
        hole = a
        child += child + one
    free[hole] = end
    holder[hole] = task


@njit(cache=True)
def run_in_order(  # type: ignore[no-untyped-def]
    resource, duration, offsets, follow, first_server, n_servers, ends, cause, reach
):
    """Fill end and cause per task and return the longest chain; ``ends`` and ``reach`` hold zeros.

    Resource r's servers stand at ``first_server[r]`` in one table.
    """
    # Unsigned indices need no test for counting from the end: that is a third of the time.
    free = np.zeros(n_servers, np.int64)
    holder = np.full(n_servers, -1, np.int32)
    front = np.zeros(first_server.size, np.int64)
    front_cause = np.full(first_server.size, -1, np.int32)
    cause[:] = -1
    longest = 0
    for i in range(np.uint64(resource.size)):
        start = ends[i]
        if resource[i] >= 0:
            r = np.uint64(resource[i])
            base = first_server[r]
            if front[r] > start:
                start = front[r]
                cause[i] = front_cause[r]
            if free[base] > start:
                start = free[base]
                cause[i] = holder[base]
            front[r] = start
            front_cause[r] = cause[i]
            replace_first(
                free, holder, base, first_server[r + np.uint64(1)] - base, start + duration[i], np.int64(i)
            )
        end = start + duration[i]
        ends[i] = end
        chain = reach[i] + duration[i]
        longest = max(longest, chain)
        for e in range(offsets[i], offsets[i + np.uint64(1)]):
            later = follow[e]
            reach[later] = max(reach[later], chain)
            if end >= ends[later]:
                ends[later] = end
                cause[later] = i
    return longest


@njit(cache=True)
def run_single_servers(  # type: ignore[no-untyped-def]
    resource, duration, offsets, follow, server, ends, cause, reach
):
    """The same where every resource has one server; causes are those that ``walk_single_servers`` reads.

    A task that waited for its server has the task that freed it, or the cause of a zero-duration task in
    front of it; any other has ``PREDECESSOR - (the task whose predecessor it was)``, which only a walk needs
    to look up. ``server`` has a row for each resource, one cache line: free from, start of the task in
    front, that task, its cause.
    """
    # Unsigned indices need no test for counting from the end, and selects no branch: both halve the time.
    low = offsets[0]
    longest = 0
    for i in range(np.uint64(resource.size)):
        high = offsets[i + np.uint64(1)]
        ready = ends[i]
        reason = PREDECESSOR - np.int64(i)
        r = resource[i]
        if r < 0:
            end = ready + duration[i]
        else:
            q = np.uint64(r)
            free = server[q, 0]
            waited = server[q, 3] if server[q, 1] == free else server[q, 2]
            start = max(ready, free)
            reason = waited if free > ready else reason
            end = start + duration[i]
            server[q, 0] = end
            server[q, 1] = start
            server[q, 2] = np.int64(i)
            server[q, 3] = reason
        cause[i] = reason
        ends[i] = end
        chain = reach[i] + duration[i]
        longest = max(longest, chain)
        for e in range(low, high):
            later = follow[e]
            ends[later] = max(ends[later], end)
            reach[later] = max(reach[later], chain)
        low = high
    return longest


@njit(cache=True)
def walk_single_servers(cause, ends, duration, offsets, follow, last):  # type: ignore[no-untyped-def]
    """Return the chain of causes that ends with ``last``, first task first."""
    path = np.empty(cause.size, np.int32)
    size = 0
    task = last
    while task >= 0:
        path[size] = task
        size += 1
        task = cause[task]
        if task > PREDECESSOR:
            continue
        waiting = PREDECESSOR - task
        start = ends[waiting] - duration[waiting]
        task = waiting - 1
        while task >= 0:
            if ends[task] == start:
                found = False
                for e in range(offsets[task], offsets[task + 1]):
                    found = found or follow[e] == waiting
                if found:
                    break
            task -= 1
    return path[:size][::-1].copy()


@njit(cache=True)
def walk_back(cause, last):  # type: ignore[no-untyped-def]
    """Return the chain of causes that ends with ``last``, first task first."""
    size = 0
    task = last
    while task >= 0:
        size += 1
        task = cause[task]
    path = np.empty(size, np.int32)
    task = last
    while task >= 0:
        size -= 1
        path[size] = task
        task = cause[task]
    return path
