"""The compiled event engine for one flat block: exact, resumable, in whole instants."""

import numpy as np
from numba import njit

from accelsim.kernel.heap import sift_down, sift_up, sort_prefix
from accelsim.kernel.prefetch import prefetch
from accelsim.kernel.records import (
    BATCH,
    DONE,
    FINAL,
    GATE,
    HEAP,
    NOBODY,
    NOW,
    PENDING,
    REACHED,
    READY,
    UNORDERED,
    ZERO,
)  # fmt: skip

AHEAD = 64  # tasks of an instant whose successors are asked for in advance


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
    begun = np.empty(AHEAD, np.uint32)
    n_begun = 0
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
        # In a wide block every record is far away by the time it is needed. A task that started asked for
        # its list of successors; the list has come by the next instant and can be asked for the records.
        for i in range(n_begun):
            record = records[begun[i]]
            for e in range(record.first, record.last):
                prefetch(records, follow[e])
        n_begun = 0
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
                    prefetch(records, record.link)
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
                prefetch(follow, record.first)
                if n_begun < AHEAD:
                    begun[n_begun] = task
                    n_begun += 1
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
