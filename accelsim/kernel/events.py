"""The compiled event engine for one flat block: exact, resumable, in whole instants.

It keeps one 32-byte record per task, so that a dependency costs one cache line::

    int32  0 WAITS   predecessors left; once ready, -1 - (predecessor that ended last), 0 for a root
           1 QUEUE   the queue it stands in; DELAY for a pure delay, GATE if something outside ends it
           2 FIRST   where its successors start;   3 LAST   where they end
           4 LINK    predecessor seen last, then next in the queue, then the task that freed its server
    int64  3 TIME    duration until it starts, end afterwards
"""

import numpy as np
from numba import njit

from accelsim.kernel.heap import sift_down, sift_up, sort_prefix

WAITS, QUEUE, FIRST, LAST, LINK = 0, 1, 2, 3, 4
TIME = 3
DELAY, GATE = -1, -2
NEVER = 2**62

# scalars of a suspended run
NOW, HEAP, READY, BATCH, PENDING, DONE, FINAL, REACHED, ZERO = 0, 1, 2, 3, 4, 5, 6, 7, 8
SCALARS = 9

# columns of the queue table, and of the resource table
HEAD, TAIL, OLD, OWNER = 0, 1, 2, 3
FREE, LOW, HIGH, DIRTY, FREED, CURSOR, CAUSE = 0, 1, 2, 3, 4, 5, 6
UNORDERED = -2  # in CURSOR: the resource has a queue


@njit(cache=True)
def load(resource, duration, offsets, waits, queue, records, times):  # type: ignore[no-untyped-def]
    """Fill the records of a block that has not started."""
    for i in range(resource.size):
        records[i, WAITS] = waits[i]
        records[i, QUEUE] = queue[i] if queue.size else resource[i]
        records[i, FIRST] = offsets[i]
        records[i, LAST] = offsets[i + 1]
        records[i, LINK] = -1
        times[i, TIME] = duration[i]


@njit(cache=True)
def begin(records, times, keys, who, ready, batch, reached, state):  # type: ignore[no-untyped-def]
    """Time 0: the roots are ready; a pure delay starts."""
    for i in range(records.shape[0]):
        if records[i, WAITS] > 0:
            continue
        queue = records[i, QUEUE]
        if queue >= 0:
            ready[state[READY]] = i
            state[READY] += 1
        elif queue == GATE:
            times[i, TIME] = 0
            reached[state[REACHED]] = i
            state[REACHED] += 1
        elif times[i, TIME] == 0:
            batch[state[BATCH]] = i
            state[BATCH] += 1
        else:
            sift_up(keys, who, state[HEAP], times[i, TIME], i)
            state[HEAP] += 1
    state[PENDING] = 1
    state[FINAL] = -1


@njit(cache=True)
def advance(  # type: ignore[no-untyped-def]
    records, times, follow, queues, marks, resources, chain, keys, who, ready, batch, reached, state, limit
):
    """Run whole instants before ``limit``; stop after phase A of an instant that reaches a gate.

    A gate is a task that something outside ends (by putting it into ``batch``, which is phase A for
    it). ``chain[i]`` is the next task of the same in-order resource. Everything is in ``state``
    when this returns, so it can be called again.
    """
    now = state[NOW]
    heap = state[HEAP]
    n_ready = state[READY]
    n_batch = state[BATCH]
    pending = state[PENDING]
    done = state[DONE]
    final = state[FINAL]
    n_reached = state[REACHED]
    zero_round = state[ZERO]
    hole = False
    n_dirty = 0
    dirty = np.empty(resources.shape[0], np.int32)
    for r in range(resources.shape[0]):
        if resources[r, DIRTY]:
            dirty[n_dirty] = r
            n_dirty += 1
    while True:
        if hole:
            heap -= 1
            sift_down(keys, who, heap, keys[heap], who[heap])
            hole = False
        if pending == 0 and n_batch == 0:
            if heap == 0 or keys[0] >= limit:
                break
            now = keys[0]
            final = -1
            zero_round = 0
        pending = 1
        # A: everything that ends now, in number order
        while (heap > 1 or (heap == 1 and not hole)) and not zero_round:
            if hole:
                heap -= 1
                sift_down(keys, who, heap, keys[heap], who[heap])
                hole = False
            if keys[0] != now:
                break
            batch[n_batch] = who[0]
            n_batch += 1
            hole = True
        for i in range(1, n_batch):
            if batch[i - 1] > batch[i]:
                sort_prefix(batch, n_batch)
                break
        before = n_reached
        ascending = 0 if zero_round else n_batch
        at = 0
        while at < n_batch:
            task = batch[at]
            late = at >= ascending
            at += 1
            if task > final:
                final = task
            queue = records[task, QUEUE]
            if queue >= 0:
                r = queues[queue, OWNER]
                resources[r, FREE] += 1
                if not zero_round:
                    resources[r, FREED] = task
                if resources[r, DIRTY] == 0:
                    resources[r, DIRTY] = 1
                    dirty[n_dirty] = r
                    n_dirty += 1
            for e in range(records[task, FIRST], records[task, LAST]):
                later = follow[e]
                left = records[later, WAITS] - 1
                cause = task
                if late and records[later, LINK] > task and times[records[later, LINK], TIME] == now:
                    cause = records[later, LINK]
                if left > 0:
                    records[later, WAITS] = left
                    records[later, LINK] = cause
                    continue
                records[later, WAITS] = -1 - cause
                records[later, LINK] = -1
                queue = records[later, QUEUE]
                if queue >= 0:
                    ready[n_ready] = later
                    n_ready += 1
                elif queue == DELAY:
                    times[later, TIME] += now
                    if times[later, TIME] == now:
                        batch[n_batch] = later
                        n_batch += 1
                    elif hole:
                        sift_down(keys, who, heap, times[later, TIME], later)
                        hole = False
                    else:
                        sift_up(keys, who, heap, times[later, TIME], later)
                        heap += 1
                else:
                    times[later, TIME] = now
                    reached[n_reached] = later
                    n_reached += 1
        done += n_batch
        n_batch = 0
        if n_reached > before:
            break
        # B: queue in number order, behind everything that stood there before this instant
        for i in range(1, n_ready):
            if ready[i - 1] > ready[i]:
                sort_prefix(ready, n_ready)
                break
        for i in range(n_ready):
            task = ready[i]
            queue = records[task, QUEUE]
            r = queues[queue, OWNER]
            if resources[r, DIRTY] == 0:
                resources[r, DIRTY] = 1
                dirty[n_dirty] = r
                n_dirty += 1
            if resources[r, CURSOR] != UNORDERED:
                continue
            tail = queues[queue, TAIL]
            if marks[queue] != now:
                marks[queue] = now
                queues[queue, OLD] = tail
            old = queues[queue, OLD]
            if tail == old or tail < task:
                if tail < 0:
                    queues[queue, HEAD] = task
                else:
                    records[tail, LINK] = task
                queues[queue, TAIL] = task
            else:
                # a later round of this instant: find the place among this instant's entries
                previous = old
                current = queues[queue, HEAD] if old < 0 else records[old, LINK]
                while current < task:
                    previous = current
                    current = records[current, LINK]
                if previous < 0:
                    queues[queue, HEAD] = task
                else:
                    records[previous, LINK] = task
                records[task, LINK] = current
            if queue < resources[r, LOW]:
                resources[r, LOW] = queue
        n_ready = 0
        # C: every resource starts from the head while it has a free server
        for i in range(n_dirty):
            r = dirty[i]
            resources[r, DIRTY] = 0
            free = resources[r, FREE]
            queue = resources[r, LOW]
            while free > 0:
                if resources[r, CURSOR] == UNORDERED:
                    while queues[queue, HEAD] < 0 and queue < resources[r, HIGH]:
                        queue += 1
                    task = queues[queue, HEAD]
                    if task < 0:
                        break
                    link = records[task, LINK]
                    queues[queue, HEAD] = link
                    cause = -1
                    if marks[queue] != now or queues[queue, OLD] >= 0:
                        cause = resources[r, FREED]
                        if marks[queue] == now and queues[queue, OLD] == task:
                            queues[queue, OLD] = -1
                    if link < 0:
                        queues[queue, TAIL] = -1
                else:
                    task = resources[r, CURSOR]
                    if task < 0 or records[task, WAITS] > 0:
                        break
                    resources[r, CURSOR] = chain[task]
                    before_it = -1 - records[task, WAITS]
                    cause = -1
                    if (times[before_it, TIME] if before_it >= 0 else 0) != now:
                        # it waited: for the task in front of it if that starts now too, else for a server
                        cause = resources[r, CAUSE] if marks[queue] == now else resources[r, FREED]
                    resources[r, CAUSE] = cause if cause >= 0 else before_it
                    marks[queue] = now
                records[task, LINK] = cause
                free -= 1
                times[task, TIME] += now
                if times[task, TIME] == now:
                    batch[n_batch] = task
                    n_batch += 1
                elif hole:
                    sift_down(keys, who, heap, times[task, TIME], task)
                    hole = False
                else:
                    sift_up(keys, who, heap, times[task, TIME], task)
                    heap += 1
            resources[r, FREE] = free
            resources[r, LOW] = queue
        n_dirty = 0
        zero_round = 1
        if n_batch == 0:
            pending = 0
    if hole:
        heap -= 1
        sift_down(keys, who, heap, keys[heap], who[heap])
    state[NOW] = now
    state[HEAP] = heap
    state[READY] = n_ready
    state[BATCH] = n_batch
    state[PENDING] = pending
    state[DONE] = done
    state[FINAL] = final
    state[REACHED] = n_reached
    state[ZERO] = zero_round


@njit(cache=True)
def walk(records, last):  # type: ignore[no-untyped-def]
    """Return the critical path that ends with ``last``, first task first."""
    size = 0
    task = last
    while task >= 0:
        size += 1
        task = records[task, LINK] if records[task, LINK] >= 0 else -1 - records[task, WAITS]
    path = np.empty(size, np.int32)
    task = last
    while task >= 0:
        size -= 1
        path[size] = task
        task = records[task, LINK] if records[task, LINK] >= 0 else -1 - records[task, WAITS]
    return path
