"""The compiled event engine for repeated blocks: iterations live in a ring, made when first pointed at.

Everything counts simulated iterations: a jump over periods only lowers a group's n, so nothing here
knows of it. Each start is logged with its cause until the log is full.
"""

import numpy as np
from numba import njit

from accelsim.kernel.heap import sift_down, sift_up
from accelsim.kernel.layout import (
    ASCENDING,
    AT,
    BATCH,
    DONE,
    ENDED,
    ENDED_TASK,
    FINAL,
    FINAL_NUMBER,
    FULL,
    HEAP,
    IN_ORDER,
    LEVELS,
    LOGGED,
    NOW,
    ONE_QUEUE,
    PENDING,
    PRIMARY,
    READY,
    RECURRED,
    SEARCH,
    STARTS,
    STATUS,
    ZERO,
    index,
)
from accelsim.kernel.ring import (
    enqueue,
    in_turn,
    later_of,
    log_start,
    make,
    next_turn,
    retire,
    sort_by_number,
    take,
)
from accelsim.kernel.snapshot import recurs


@njit(cache=True)
def advance(  # type: ignore[no-untyped-def]
    groups, slots, records, locals_, steps, lags, cross, first_of, queues, resources, turns, keys, who, ready,
    starts, batch, log, saved, state,
):  # fmt: skip
    """Run until everything has ended, a ring is full, or the state recurs (see STATUS)."""
    now = state[NOW]
    heap = state[HEAP]
    n_ready = state[READY]
    n_starts = state[STARTS]
    n_batch = state[BATCH]
    at = state[AT]
    ascending = state[ASCENDING]
    pending = state[PENDING]
    zero_round = state[ZERO]
    done = state[DONE]
    final = state[FINAL]
    final_number = state[FINAL_NUMBER]
    logged = state[LOGGED]
    status = ENDED
    retired = False
    hole = False  # at the root of the heap, for the next task that starts
    n_dirty = 0
    dirty = np.empty(resources.size, np.int32)
    for r in range(resources.size):
        if resources[r].dirty:
            dirty[n_dirty] = r
            n_dirty += 1
    while True:
        if pending == 0:
            if hole:
                heap -= 1
                sift_down(keys, who, heap, keys[heap], who[heap])
                hole = False
            if retired and state[SEARCH]:
                retired = False
                state[NOW] = now
                if recurs(groups, slots, records, locals_, queues, resources, turns, saved, state):
                    status = RECURRED
                    break
            retired = False
            if heap == 0:
                break
            now = keys[0]
            zero_round = 0
            final_number = -1
            at = 0
            batch[0] = who[0]
            n_batch = 1
            hole = True
            while heap > 1 and (keys[1] == now or (heap > 2 and keys[2] == now)):
                heap -= 1
                sift_down(keys, who, heap, keys[index(heap)], who[index(heap)])
                batch[index(n_batch)] = who[0]
                n_batch += 1
            if n_batch > 1:
                sort_by_number(batch, n_batch, records, slots)
            ascending = n_batch
            pending = 1
        # A
        while at < n_batch:
            record = batch[index(at)]
            task = records[index(record)]
            slot = slots[index(task.slot)]
            group = groups[index(task.group)]
            edge = task.first
            last_edge = task.last
            crossing = 0
            last_crossing = 0
            if slot.iteration + task.reach >= group.horizon:
                # make what it points at before anything changes: a full ring stops here and goes on here
                last = group.n - 1
                needed = min(slot.iteration + task.reach, last)
                while group.made <= needed and group.made - group.retired <= group.mask:
                    make(task.group, groups, slots, records)
                if group.made <= needed:
                    status = FULL
                    break
                while last_edge > edge and slot.iteration + lags[last_edge - 1] > last:
                    last_edge -= 1
                if slot.iteration == last:
                    crossing = locals_[task.local].cross_first
                    last_crossing = locals_[task.local].cross_last
            late = at >= ascending
            at += 1
            done += 1
            entry = task.log
            own = slot.number + task.local
            if own > final_number:
                final_number = own
                final = entry
            task.log = -1
            task.waits = ENDED_TASK
            if task.queue >= 0:
                resource = resources[index(task.resource)]
                resource.free += 1
                if not zero_round:
                    resource.freed = entry
                if resource.dirty == 0 and (
                    resource.order != ONE_QUEUE or queues[index(task.queue)].head >= 0
                ):
                    resource.dirty = 1
                    dirty[index(n_dirty)] = task.resource
                    n_dirty += 1
            while True:
                if edge < last_edge:
                    later = record + steps[index(edge)]
                    if later >= group.end:
                        later -= (group.mask + 1) * group.m
                    edge += 1
                elif crossing < last_crossing:
                    target = cross[crossing]
                    other = groups[locals_[target].group]
                    later = other.record0 + target - other.local0
                    crossing += 1
                else:
                    break
                follower = records[index(later)]
                left = follower.waits - 1
                follower.waits = left
                if late:
                    follower.log = later_of(follower.log, entry, now, log, groups, locals_)
                else:
                    follower.log = entry
                if left > 0:
                    continue
                if follower.queue >= 0:
                    ready[index(n_ready)] = later
                    n_ready += 1
                elif follower.duration > 0:
                    starts[index(n_starts)] = later
                    n_starts += 1
                else:
                    log_start(later, now, logged, records, slots, log)
                    logged += 1
                    follower.time = now
                    if n_batch == batch.size:
                        # zero delays run through many iterations at one instant: drop what has ended
                        for i in range(at, n_batch):
                            batch[i - at] = batch[i]
                        n_batch -= at
                        ascending = max(ascending - at, 0)
                        at = 0
                    batch[n_batch] = later
                    n_batch += 1
            slot.left -= 1
            if slot.left == 0 and retire(task.group, groups, slots):
                retired = retired or task.group == state[PRIMARY]
        if status == FULL:
            break
        n_batch = 0
        at = 0
        # B
        if n_ready > 1:
            sort_by_number(ready, n_ready, records, slots)
        for i in range(n_ready):
            record = ready[i]
            task = records[index(record)]
            resource = resources[index(task.resource)]
            if resource.order == ONE_QUEUE:
                if resource.free > 0 and queues[index(task.queue)].head < 0:
                    # nothing can come between: what phase C would do
                    resource.free -= 1
                    starts[index(n_starts)] = record
                    n_starts += 1
                    continue
                task.time = now
                enqueue(record, now, records, slots, queues)
                continue
            task.time = now
            if resource.dirty == 0:
                resource.dirty = 1
                dirty[n_dirty] = task.resource
                n_dirty += 1
            if resource.order == LEVELS:
                enqueue(record, now, records, slots, queues)
                resource.low = min(resource.low, task.queue)
        n_ready = 0
        # C
        for i in range(n_dirty):
            r = dirty[i]
            resource = resources[index(r)]
            resource.dirty = 0
            free = resource.free
            low = resource.low
            while free > 0:
                if resource.order == IN_ORDER:
                    record = in_turn(r, groups, records, turns)
                    if record < 0:
                        break
                    task = records[index(record)]
                    if task.time != now:
                        # it waited: for the task in front of it if that starts now too, else for a server
                        task.log = resource.cause if queues[low].mark == now else resource.freed
                    resource.cause = task.log
                    queues[low].mark = now
                    next_turn(r, groups, locals_, first_of, turns)
                else:
                    while queues[index(low)].head < 0 and low < resource.high:
                        low += 1
                    record = queues[index(low)].head
                    if record < 0:
                        break
                    task = records[index(record)]
                    take(record, now, records, queues)
                    if task.time != now:
                        task.log = resource.freed
                starts[index(n_starts)] = record
                n_starts += 1
                free -= 1
            resource.free = free
            resource.low = low
        n_dirty = 0
        # start what B and C took, and the pure delays of A
        for i in range(n_starts):
            record = starts[i]
            task = records[index(record)]
            log_start(record, now, logged, records, slots, log)
            logged += 1
            task.time = now + task.duration
            if task.duration == 0:
                batch[index(n_batch)] = record
                n_batch += 1
            elif hole:
                sift_down(keys, who, heap, task.time, record)
                hole = False
            else:
                sift_up(keys, who, heap, task.time, record)
                heap += 1
        n_starts = 0
        zero_round = 1
        ascending = 0
        if n_batch == 0:
            pending = 0
        elif n_batch > 1:
            sort_by_number(batch, n_batch, records, slots)
    if hole:
        heap -= 1
        sift_down(keys, who, heap, keys[heap], who[heap])
    state[NOW] = now
    state[HEAP] = heap
    state[READY] = n_ready
    state[STARTS] = n_starts
    state[BATCH] = n_batch
    state[AT] = at
    state[ASCENDING] = ascending
    state[PENDING] = pending
    state[ZERO] = zero_round
    state[DONE] = done
    state[FINAL] = final
    state[FINAL_NUMBER] = final_number
    state[LOGGED] = logged
    state[STATUS] = status
