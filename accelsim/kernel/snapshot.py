"""Whether a repeated program is in a state it was in before, relative to its oldest iterations (compiled).

The full state is compared, not a hash of it, with one saved at power-of-two checks (Brent): what every
live task and every task outside waits for or how long it still runs, and each queue's content in order.
Nothing else influences the future.
"""

from numba import njit

from accelsim.kernel.layout import (
    CHECKS,
    GROUP,
    HEAD,
    ITERATION,
    LINK,
    LOCAL,
    MADE,
    MASK,
    NOW,
    ORDERED,
    PRIMARY,
    RECORD0,
    RETIRED,
    RUNNING,
    SAVED,
    SAVED_NOW,
    SAVED_RETIRED,
    SEARCH,
    SLOT,
    TIME,
    TURN_GROUP,
    TURN_ITERATION,
    TURN_LOCAL,
    WAITS,
    M,
    N,
)


@njit(cache=True)
def put(out, at, value, compare):  # type: ignore[no-untyped-def]
    """Write a value, or say whether it is the one written before."""
    if compare:
        return out[at] == value
    out[at] = value
    return True


@njit(cache=True)
def relative(groups, slots, records, times, locals_, queues, resources, turns, out, now, compare):  # type: ignore[no-untyped-def]
    """Write the relative state to ``out``, or say whether it equals what stands there."""
    at = 0
    for g in range(groups.shape[0]):
        if not put(out, at, groups[g, MADE] - groups[g, RETIRED], compare):
            return False
        at += 1
    for g in range(groups.shape[0]):
        for iteration in range(groups[g, RETIRED], groups[g, MADE]):
            first = groups[g, RECORD0] + (iteration & groups[g, MASK]) * groups[g, M]
            for record in range(first, first + groups[g, M]):
                value = records[record, WAITS]
                if value == RUNNING:
                    value = RUNNING - 1 - (times[record, TIME] - now)
                if not put(out, at, value, compare):
                    return False
                at += 1
    for queue in range(queues.shape[0]):
        record = queues[queue, HEAD]
        while record >= 0:
            local = records[record, LOCAL]
            ahead = slots[records[record, SLOT], ITERATION] - groups[locals_[local, GROUP], RETIRED]
            if not put(out, at, ahead * locals_.shape[0] + local, compare):
                return False
            at += 1
            record = records[record, LINK]
        if not put(out, at, -1, compare):
            return False
        at += 1
    for r in range(resources.shape[0]):
        if resources[r, ORDERED]:
            g = turns[r, TURN_GROUP]
            ahead = turns[r, TURN_ITERATION] - groups[g, RETIRED] if g >= 0 else 0
            value = ahead * locals_.shape[0] + turns[r, TURN_LOCAL]
            if not put(out, at, value, compare):
                return False
            at += 1
    return True


@njit(cache=True)
def recurs(groups, slots, records, times, locals_, queues, resources, turns, saved, state):  # type: ignore[no-untyped-def]
    """Check the state after an instant that retired an iteration of the primary group; save it at times."""
    g = state[PRIMARY]
    if groups[g, MADE] >= groups[g, N]:
        # all of it exists, so there is nothing to jump: go on with the next repeated group
        state[CHECKS] = 0
        state[SAVED] = 0
        while g < groups.shape[0] and (groups[g, M] == 0 or groups[g, MADE] >= groups[g, N]):
            g += 1
        state[PRIMARY] = g
        state[SEARCH] = g < groups.shape[0]
        return False
    now = state[NOW]
    if state[SAVED] and relative(
        groups, slots, records, times, locals_, queues, resources, turns, saved, now, True
    ):
        return True
    state[CHECKS] += 1
    if state[CHECKS] & (state[CHECKS] - 1) == 0:
        relative(groups, slots, records, times, locals_, queues, resources, turns, saved, now, False)
        state[SAVED] = 1
        state[SAVED_NOW] = now
        for other in range(groups.shape[0]):
            groups[other, SAVED_RETIRED] = groups[other, RETIRED]
    return False
