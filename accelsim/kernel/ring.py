"""The ring of iterations behind the engine for repeated blocks: make, start, log, take in turn (compiled)."""

from numba import njit

from accelsim.kernel.heap import sift_up
from accelsim.kernel.layout import (
    ASCENDING,
    BATCH,
    CHAIN,
    FIRST,
    GROUP,
    HEAP,
    ITERATION,
    LAGS,
    LAST,
    LEFT,
    LINK,
    LOCAL,
    LOCAL0,
    LOG,
    LOG_CAUSE,
    LOG_ITERATION,
    LOG_LOCAL,
    LOG_START,
    LOGGED,
    MADE,
    MASK,
    NUMBER,
    NUMBER0,
    PENDING,
    QUEUE,
    QUEUED,
    READY,
    RECORD0,
    RUNNING,
    SLOT,
    SLOT0,
    TIME,
    TURN_GROUP,
    TURN_ITERATION,
    TURN_LOCAL,
    WAITS,
    M,
    N,
)


@njit(inline="always")
def number(records, slots, record):  # type: ignore[no-untyped-def]
    """The task number, unique in the run."""
    return slots[records[record, SLOT], NUMBER] + records[record, LOCAL]


@njit(cache=True)
def sort_by_number(values, size, records, slots):  # type: ignore[no-untyped-def]
    """Sort the first ``size`` records by task number, in place; nothing to do in most cases."""
    ascending = True
    for i in range(1, size):
        if number(records, slots, values[i - 1]) > number(records, slots, values[i]):
            ascending = False
            break
    if ascending:
        return
    gap = 1
    while gap < size // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, size):
            value = values[i]
            key = number(records, slots, value)
            j = i
            while j >= gap and number(records, slots, values[j - gap]) > key:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 3


@njit(cache=True)
def make(group, iteration, groups, slots, records, locals_, steady):  # type: ignore[no-untyped-def]
    """Fill the slot of a new iteration of a group."""
    m = groups[group, M]
    slot = groups[group, SLOT0] + (iteration & groups[group, MASK])
    slots[slot, ITERATION] = iteration
    slots[slot, LEFT] = m
    slots[slot, NUMBER] = groups[group, NUMBER0] + iteration * m - groups[group, LOCAL0]
    first = groups[group, RECORD0] + (iteration & groups[group, MASK]) * m
    for k in range(m):
        records[first + k, WAITS] = steady[groups[group, LOCAL0] + k]
        records[first + k, LINK] = -1
        records[first + k, LOG] = -1
    groups[group, MADE] = iteration + 1


@njit(cache=True)
def begin(  # type: ignore[no-untyped-def]
    groups, slots, records, times, locals_, duration, steady, follow, lags, entering, keys, who, ready, batch,
    log, log_time, state,
):  # fmt: skip
    """Time 0: make the iterations that the longest lag spans; roots are ready, pure delays start."""
    for g in range(groups.shape[0]):
        if groups[g, M] == 0:
            continue
        for iteration in range(min(groups[g, N], max(groups[g, LAGS], 1))):
            make(g, iteration, groups, slots, records, locals_, steady)
            first = groups[g, RECORD0] + (iteration & groups[g, MASK]) * groups[g, M] - groups[g, LOCAL0]
            for k in range(groups[g, LOCAL0], groups[g, LOCAL0] + groups[g, M]):
                for e in range(locals_[k, FIRST], locals_[k, LAST]):
                    if lags[e] > iteration:
                        records[first + follow[e], WAITS] -= 1
                if iteration == 0:
                    records[first + k, WAITS] += entering[k]
    for g in range(groups.shape[0]):
        for record in range(groups[g, RECORD0], groups[g, RECORD0] + groups[g, MADE] * groups[g, M]):
            if records[record, WAITS] > 0:
                continue
            local = records[record, LOCAL]
            times[record, TIME] = 0
            if locals_[local, QUEUE] >= 0:
                ready[state[READY]] = record
                state[READY] += 1
                continue
            log_start(records, slots, record, local, -1, 0, log, log_time, state[LOGGED])
            state[LOGGED] += 1
            times[record, TIME] = duration[local]
            if duration[local] == 0:
                batch[state[BATCH]] = record
                state[BATCH] += 1
            else:
                sift_up(keys, who, state[HEAP], duration[local], record)
                state[HEAP] += 1
    state[PENDING] = 1
    state[ASCENDING] = state[BATCH]


@njit(inline="always")
def log_start(records, slots, record, local, cause, now, log, log_time, at):  # type: ignore[no-untyped-def]
    """Log that a record starts now, as entry ``at`` if the log is that long."""
    if at < log.shape[0]:
        log[at, LOG_LOCAL] = local
        log[at, LOG_CAUSE] = cause
        log_time[at, LOG_START] = now
        log_time[at, LOG_ITERATION] = slots[records[record, SLOT], ITERATION]
        records[record, LOG] = at
    else:
        records[record, LOG] = -1
    records[record, WAITS] = RUNNING


@njit(cache=True)
def later_of(seen, own, now, log, log_time, duration, groups, locals_):  # type: ignore[no-untyped-def]
    """Of two logged predecessors, the one with the larger number if both end now, else ``own``."""
    if seen < 0 or own < 0 or log_time[seen, LOG_START] + duration[log[seen, LOG_LOCAL]] != now:
        return own
    if logged_number(seen, log, log_time, groups, locals_) > logged_number(
        own, log, log_time, groups, locals_
    ):
        return seen
    return own


@njit(cache=True)
def logged_number(entry, log, log_time, groups, locals_):  # type: ignore[no-untyped-def]
    """The task number of a log entry."""
    local = log[entry, LOG_LOCAL]
    group = locals_[local, GROUP]
    return (
        groups[group, NUMBER0]
        + log_time[entry, LOG_ITERATION] * groups[group, M]
        + local
        - groups[group, LOCAL0]
    )


@njit(cache=True)
def in_turn(resource, groups, records, turns):  # type: ignore[no-untyped-def]
    """Return the record an in-order resource has to start next if it is ready, else -1."""
    g = turns[resource, TURN_GROUP]
    if g < 0 or turns[resource, TURN_ITERATION] >= groups[g, MADE]:
        return -1
    place = turns[resource, TURN_ITERATION] & groups[g, MASK]
    record = groups[g, RECORD0] + place * groups[g, M] + turns[resource, TURN_LOCAL] - groups[g, LOCAL0]
    return record if records[record, WAITS] == QUEUED else -1


@njit(cache=True)
def next_turn(resource, groups, locals_, first_of, turns):  # type: ignore[no-untyped-def]
    """Move an in-order resource on to its next task: of the iteration, the group, the groups after."""
    g = turns[resource, TURN_GROUP]
    local = locals_[turns[resource, TURN_LOCAL], CHAIN]
    if local < 0:
        turns[resource, TURN_ITERATION] += 1
        while g < groups.shape[0] and (
            turns[resource, TURN_ITERATION] >= groups[g, N] or first_of[g, resource] < 0
        ):
            g += 1
            turns[resource, TURN_ITERATION] = 0
        turns[resource, TURN_GROUP] = g if g < groups.shape[0] else -1
        local = first_of[g, resource] if g < groups.shape[0] else -1
    turns[resource, TURN_LOCAL] = local
