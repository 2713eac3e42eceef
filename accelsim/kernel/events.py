"""The compiled event engine for one flat block: exact, resumable, in whole instants.

Task numbers are unsigned where they index, because the compiler then leaves out the test for counting
from the end; ``NOBODY`` is signed.
"""

import numpy as np
from numba import njit

from accelsim.kernel.heap import sift_down, sift_up, sort_prefix

# One record per task, so that a dependency costs one cache line.
RECORD = np.dtype(
    [
        (
            "waits",
            np.int32,
        ),  # predecessors left; once ready, -1 - (predecessor that ended last), 0 for a root
        (
            "link",
            np.int32,
        ),  # predecessor seen last, then next in the queue, then the task that freed its server
        (
            "queue",
            np.int32,
        ),  # the queue it stands in; DELAY for a pure delay, GATE if something outside ends it
        ("first", np.uint32),  # where its successors start
        ("last", np.uint32),  # where they end
        ("unused", np.int32),
        ("time", np.int64),  # duration until it starts, end afterwards
    ]
)
DELAY, GATE = -1, -2
NOBODY = -1
NEVER = 2**62

# The tasks of a queue are linked, head to tail; ``old`` is what its tail was when the instant began in which
# it last grew (its mark).
QUEUE = np.dtype([("head", np.int32), ("tail", np.int32), ("old", np.int32), ("owner", np.uint32)])

# A resource's queues are ``low`` to ``high``, the tasks stand in those from ``low`` on. ``freed`` is the task
# that freed a server last. An in-order resource has a ``cursor`` instead, its next task; ``cause`` is why the
# task in front of that started when it did.
RESOURCE = np.dtype(
    [
        ("free", np.int32),
        ("low", np.uint32),
        ("high", np.uint32),
        ("dirty", np.int32),
        ("freed", np.int32),
        ("cursor", np.int32),
        ("cause", np.int32),
        ("unused", np.int32),
    ]
)
UNORDERED = -2  # in cursor: the resource has queues

# scalars of a suspended run
NOW, HEAP, READY, BATCH, PENDING, DONE, FINAL, REACHED, ZERO = 0, 1, 2, 3, 4, 5, 6, 7, 8
SCALARS = 9


@njit(cache=True)
def load(queue, duration, offsets, waits, records):  # type: ignore[no-untyped-def]
    """Fill the records of a block that has not started."""
    for i in range(np.uint64(duration.size)):
        record = records[i]
        record.waits = waits[i]
        record.link = NOBODY
        record.queue = queue[i]
        record.first = offsets[i]
        record.last = offsets[i + np.uint64(1)]
        record.time = duration[i]


@njit(cache=True)
def begin(records, keys, who, ready, batch, reached, state):  # type: ignore[no-untyped-def]
    """Time 0: the roots are ready; a pure delay starts."""
    for i in range(records.size):
        record = records[i]
        if record.waits > 0:
            continue
        if record.queue >= 0:
            ready[state[READY]] = i
            state[READY] += 1
        elif record.queue == GATE:
            record.time = 0
            reached[state[REACHED]] = i
            state[REACHED] += 1
        elif record.time == 0:
            batch[state[BATCH]] = i
            state[BATCH] += 1
        else:
            sift_up(keys, who, state[HEAP], record.time, i)
            state[HEAP] += 1
    state[PENDING] = 1
    state[FINAL] = NOBODY


@njit(cache=True)
def advance(  # type: ignore[no-untyped-def]
    records, follow, queues, marks, resources, chain, keys, who, ready, batch, reached, delays, state, limit
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
    dirty = np.empty(resources.size + 1, np.uint32)
    for r in range(resources.size):
        dirty[n_dirty] = r
        n_dirty += resources[r].dirty
    while True:
        if hole:
            heap -= 1
            sift_down(keys, who, heap, keys[heap], who[heap])
            hole = False
        if pending == 0 and n_batch == 0:
            if heap == 0 or keys[0] >= limit:
                break
            now = keys[0]
            final = NOBODY
            zero_round = 0
        pending = 1
        # A: everything that ends now, in number order
        if not zero_round:
            while heap > 0 and keys[0] == now:
                batch[n_batch] = who[0]
                n_batch += 1
                hole = not ((heap > 1 and keys[1] == now) or (heap > 2 and keys[2] == now))
                if hole:
                    break
                heap -= 1
                sift_down(keys, who, heap, keys[heap], who[heap])
        sort_prefix(batch, n_batch)
        before = n_reached
        ascending = 0 if zero_round else n_batch
        at = 0
        while at < n_batch:
            task = batch[at]
            late = at >= ascending
            at += 1
            final = max(final, task)
            ended = records[task]
            if ended.queue >= 0:
                r = queues[np.uint32(ended.queue)].owner
                owner = resources[r]
                owner.free += 1
                if not zero_round:
                    owner.freed = task
                dirty[n_dirty] = r
                n_dirty += 1 - owner.dirty
                owner.dirty = 1
            n_known = n_ready
            for e in range(ended.first, ended.last):
                later = follow[e]
                record = records[later]
                cause = np.int32(task)
                if late and record.link > cause and records[np.uint32(record.link)].time == now:
                    cause = record.link
                record.link = cause
                left = record.waits - 1
                record.waits = left
                ready[n_ready] = later
                n_ready += left == 0
            if not delays:
                continue
            n_new = n_ready
            n_ready = n_known
            for i in range(n_known, n_new):
                later = ready[i]
                record = records[later]
                if record.queue >= 0:
                    ready[n_ready] = later
                    n_ready += 1
                    continue
                record.waits = -1 - record.link
                record.link = NOBODY
                if record.queue == GATE:
                    record.time = now
                    reached[n_reached] = later
                    n_reached += 1
                    continue
                record.time += now
                if record.time == now:
                    batch[n_batch] = later
                    n_batch += 1
                elif hole:
                    sift_down(keys, who, heap, record.time, later)
                    hole = False
                else:
                    sift_up(keys, who, heap, record.time, later)
                    heap += 1
        done += n_batch
        n_batch = 0
        if n_reached > before:
            break
        # B: queue in number order, behind everything that stood there before this instant
        sort_prefix(ready, n_ready)
        for i in range(n_ready):
            task = ready[i]
            record = records[task]
            record.waits = -1 - record.link
            record.link = NOBODY
            q = np.uint32(record.queue)
            queue = queues[q]
            r = queue.owner
            owner = resources[r]
            dirty[n_dirty] = r
            news = (owner.free > 0) & (owner.dirty == 0)
            n_dirty += news
            owner.dirty |= news
            if owner.cursor != UNORDERED:
                continue
            owner.low = min(owner.low, q)
            tail = queue.tail
            if marks[q] != now:
                marks[q] = now
                queue.old = tail
            old = queue.old
            if tail == old or tail < task:
                if tail < 0:
                    queue.head = task
                else:
                    records[np.uint32(tail)].link = task
                queue.tail = task
                continue
            # a later round of this instant: find the place among this instant's entries
            previous = old
            current = queue.head if old < 0 else records[np.uint32(old)].link
            while current < task:
                previous = current
                current = records[np.uint32(current)].link
            if previous < 0:
                queue.head = task
            else:
                records[np.uint32(previous)].link = task
            record.link = current
        n_ready = 0
        # C: every resource starts from the head while it has a free server
        for i in range(n_dirty):
            owner = resources[dirty[i]]
            owner.dirty = 0
            free = owner.free
            q = owner.low
            while free > 0:
                queue = queues[q]
                if owner.cursor == UNORDERED:
                    while queue.head < 0 and q < owner.high:
                        q += np.uint32(1)
                        queue = queues[q]
                    if queue.head < 0:
                        break
                    task = np.uint32(queue.head)
                    record = records[task]
                    queue.head = record.link
                    if record.link < 0:
                        queue.tail = NOBODY
                    cause = np.int32(NOBODY)
                    if marks[q] != now or queue.old >= 0:
                        cause = owner.freed
                        if marks[q] == now and queue.old == task:
                            queue.old = NOBODY
                else:
                    if owner.cursor < 0 or records[np.uint32(owner.cursor)].waits > 0:
                        break
                    task = np.uint32(owner.cursor)
                    record = records[task]
                    owner.cursor = chain[task]
                    before_it = -1 - record.waits
                    cause = np.int32(NOBODY)
                    if (records[np.uint32(before_it)].time if before_it >= 0 else 0) != now:
                        # it waited: for the task in front of it if that starts now too, else for a server
                        cause = owner.cause if marks[q] == now else owner.freed
                    owner.cause = cause if cause >= 0 else before_it
                    marks[q] = now
                record.link = cause
                free -= 1
                record.time += now
                if record.time == now:
                    batch[n_batch] = task
                    n_batch += 1
                elif hole:
                    sift_down(keys, who, heap, record.time, task)
                    hole = False
                else:
                    sift_up(keys, who, heap, record.time, task)
                    heap += 1
            owner.free = free
            owner.low = q
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
def walk(records, last, path):  # type: ignore[no-untyped-def]
    """Write the critical path that ends with ``last``, last task first, and return its length."""
    size = 0
    task = last
    while task >= 0:
        path[size] = task
        size += 1
        record = records[np.uint64(task)]
        task = record.link if record.link >= 0 else -1 - record.waits
    return size
