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
    CAUSE,
    DIRTY,
    DONE,
    ENDED,
    ENDED_TASK,
    FINAL,
    FINAL_NUMBER,
    FIRST,
    FREE,
    FREED,
    FULL,
    GROUP,
    HEAD,
    HEAP,
    HIGH,
    ITERATION,
    LAST,
    LEFT,
    LINK,
    LOCAL,
    LOCAL0,
    LOG,
    LOGGED,
    LOW,
    MADE,
    MASK,
    NOW,
    NUMBER,
    OLD,
    ORDERED,
    OWNER,
    PENDING,
    PRIMARY,
    QUEUE,
    REACH,
    READY,
    RECORD0,
    RECURRED,
    RETIRED,
    SEARCH,
    SLOT,
    SLOT0,
    STATUS,
    TAIL,
    TIME,
    WAITS,
    XFIRST,
    XLAST,
    ZERO,
    M,
    N,
)
from accelsim.kernel.ring import in_turn, later_of, log_start, make, next_turn, number, sort_by_number
from accelsim.kernel.snapshot import recurs


@njit(cache=True)
def advance(  # type: ignore[no-untyped-def]
    groups, slots, records, times, locals_, duration, steady, follow, lags, cross, first_of, queues, marks,
    resources, turns, keys, who, ready, batch, log, log_time, saved, state,
):  # fmt: skip
    """Run until everything has ended, a ring is full, or the state recurs (see STATUS)."""
    now = state[NOW]
    heap = state[HEAP]
    n_ready = state[READY]
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
        if pending == 0:
            if retired and state[SEARCH]:
                retired = False
                state[NOW] = now
                if recurs(groups, slots, records, times, locals_, queues, resources, turns, saved, state):
                    status = RECURRED
                    break
            retired = False
            if heap == 0:
                break
            now = keys[0]
            zero_round = 0
            final_number = -1
            n_batch = 0
            at = 0
            while heap > 1 or (heap == 1 and not hole):
                if hole:
                    heap -= 1
                    sift_down(keys, who, heap, keys[heap], who[heap])
                    hole = False
                if keys[0] != now:
                    break
                batch[n_batch] = who[0]
                n_batch += 1
                hole = True
            if n_batch > 1:
                sort_by_number(batch, n_batch, records, slots)
            ascending = n_batch
            pending = 1
        # A
        while at < n_batch:
            record = batch[at]
            local = records[record, LOCAL]
            slot = records[record, SLOT]
            iteration = slots[slot, ITERATION]
            g = locals_[local, GROUP]
            # make what it points at before anything changes: a full ring stops here and goes on here
            last = groups[g, N] - 1
            needed = min(iteration + locals_[local, REACH], last)
            while groups[g, MADE] <= needed and groups[g, MADE] - groups[g, RETIRED] <= groups[g, MASK]:
                make(g, groups[g, MADE], groups, slots, records, locals_, steady)
            if groups[g, MADE] <= needed:
                status = FULL
                break
            late = at >= ascending
            at += 1
            done += 1
            own = slots[slot, NUMBER] + local
            my_log = records[record, LOG]
            if own > final_number:
                final_number = own
                final = my_log
            queue = locals_[local, QUEUE]
            if queue >= 0:
                r = queues[queue, OWNER]
                resources[r, FREE] += 1
                if not zero_round:
                    resources[r, FREED] = my_log
                if resources[r, DIRTY] == 0:
                    resources[r, DIRTY] = 1
                    dirty[n_dirty] = r
                    n_dirty += 1
            e = locals_[local, FIRST]
            end_inside = locals_[local, LAST]
            crossing = locals_[local, XFIRST] if iteration == last else locals_[local, XLAST]
            while e < end_inside or crossing < locals_[local, XLAST]:
                if e < end_inside:
                    lag = lags[e]
                    if lag == 0:
                        later = record + follow[e] - local
                    else:
                        if iteration + lag > last:
                            e += 1
                            continue
                        place = (iteration + lag) & groups[g, MASK]
                        later = groups[g, RECORD0] + place * groups[g, M] + follow[e] - groups[g, LOCAL0]
                    e += 1
                else:
                    other = locals_[cross[crossing], GROUP]
                    later = groups[other, RECORD0] + cross[crossing] - groups[other, LOCAL0]
                    crossing += 1
                cause = my_log
                if late:
                    cause = later_of(
                        records[later, LINK], my_log, now, log, log_time, duration, groups, locals_
                    )
                left = records[later, WAITS] - 1
                records[later, WAITS] = left
                if left > 0:
                    records[later, LINK] = cause
                    continue
                records[later, LINK] = -1
                target = records[later, LOCAL]
                if locals_[target, QUEUE] >= 0:
                    records[later, LOG] = cause
                    times[later, TIME] = now
                    ready[n_ready] = later
                    n_ready += 1
                    continue
                log_start(records, slots, later, target, cause, now, log, log_time, logged)
                logged += 1
                times[later, TIME] = now + duration[target]
                if duration[target] == 0:
                    if n_batch == batch.size:
                        # zero delays run through many iterations at one instant: drop what has ended
                        for i in range(at, n_batch):
                            batch[i - at] = batch[i]
                        n_batch -= at
                        ascending = max(ascending - at, 0)
                        at = 0
                    batch[n_batch] = later
                    n_batch += 1
                elif hole:
                    sift_down(keys, who, heap, times[later, TIME], later)
                    hole = False
                else:
                    sift_up(keys, who, heap, times[later, TIME], later)
                    heap += 1
            records[record, WAITS] = ENDED_TASK
            slots[slot, LEFT] -= 1
            if slots[slot, LEFT] == 0:
                oldest = groups[g, RETIRED]
                while (
                    oldest < groups[g, MADE]
                    and slots[groups[g, SLOT0] + (oldest & groups[g, MASK]), LEFT] == 0
                ):
                    oldest += 1
                if oldest > groups[g, RETIRED]:
                    groups[g, RETIRED] = oldest
                    retired = retired or g == state[PRIMARY]
        if status == FULL:
            break
        n_batch = 0
        at = 0
        # B
        if n_ready > 1:
            sort_by_number(ready, n_ready, records, slots)
        for i in range(n_ready):
            record = ready[i]
            queue = locals_[records[record, LOCAL], QUEUE]
            r = queues[queue, OWNER]
            if resources[r, DIRTY] == 0:
                resources[r, DIRTY] = 1
                dirty[n_dirty] = r
                n_dirty += 1
            if resources[r, ORDERED]:
                continue
            tail = queues[queue, TAIL]
            if marks[queue] != now:
                marks[queue] = now
                queues[queue, OLD] = tail
            old = queues[queue, OLD]
            if tail == old or number(records, slots, tail) < number(records, slots, record):
                if tail < 0:
                    queues[queue, HEAD] = record
                else:
                    records[tail, LINK] = record
                queues[queue, TAIL] = record
            else:
                own = number(records, slots, record)
                previous = old
                current = queues[queue, HEAD] if old < 0 else records[old, LINK]
                while number(records, slots, current) < own:
                    previous = current
                    current = records[current, LINK]
                if previous < 0:
                    queues[queue, HEAD] = record
                else:
                    records[previous, LINK] = record
                records[record, LINK] = current
            if queue < resources[r, LOW]:
                resources[r, LOW] = queue
        n_ready = 0
        # C
        for i in range(n_dirty):
            r = dirty[i]
            resources[r, DIRTY] = 0
            free = resources[r, FREE]
            queue = resources[r, LOW]
            while free > 0:
                if not resources[r, ORDERED]:
                    while queues[queue, HEAD] < 0 and queue < resources[r, HIGH]:
                        queue += 1
                    record = queues[queue, HEAD]
                    if record < 0:
                        break
                    link = records[record, LINK]
                    queues[queue, HEAD] = link
                    if link < 0:
                        queues[queue, TAIL] = -1
                    if marks[queue] == now and queues[queue, OLD] == record:
                        queues[queue, OLD] = -1
                    cause = records[record, LOG] if times[record, TIME] == now else resources[r, FREED]
                else:
                    record = in_turn(r, groups, records, turns)
                    if record < 0:
                        break
                    if times[record, TIME] == now:
                        cause = records[record, LOG]
                    else:
                        # it waited: for the task in front of it if that starts now too, else for a server
                        cause = resources[r, CAUSE] if marks[queue] == now else resources[r, FREED]
                    resources[r, CAUSE] = cause
                    marks[queue] = now
                    next_turn(r, groups, locals_, first_of, turns)
                local = records[record, LOCAL]
                records[record, LINK] = -1
                log_start(records, slots, record, local, cause, now, log, log_time, logged)
                logged += 1
                free -= 1
                end = now + duration[local]
                times[record, TIME] = end
                if end == now:
                    batch[n_batch] = record
                    n_batch += 1
                elif hole:
                    sift_down(keys, who, heap, end, record)
                    hole = False
                else:
                    sift_up(keys, who, heap, end, record)
                    heap += 1
            resources[r, FREE] = free
            resources[r, LOW] = queue
        n_dirty = 0
        zero_round = 1
        ascending = 0
        if n_batch == 0:
            pending = 0
        else:
            if n_batch > 1:
                sort_by_number(batch, n_batch, records, slots)
    if hole:
        heap -= 1
        sift_down(keys, who, heap, keys[heap], who[heap])
    state[NOW] = now
    state[HEAP] = heap
    state[READY] = n_ready
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
