"""Whether a repeated program is in a state it was in before, relative to its oldest iterations (compiled).

The full state is compared, not a hash of it, with one saved at power-of-two checks (Brent): what every
live task and every task outside waits for or how long it still runs, and each queue's content in order.
Nothing else influences the future.
"""

import numpy as np
from numba import njit

from accelsim.kernel.layout import CHECKS, IN_ORDER, NOW, PRIMARY, RUNNING, SAVED, SAVED_NOW, SEARCH


@njit(cache=True)
def differs(out, at, value, keep):  # type: ignore[no-untyped-def]
    """Whether a value is another one than that saved before, which it replaces if ``keep``."""
    if out[at] == value:
        return False
    if keep:
        out[at] = value
    return True


@njit(cache=True)
def relative(groups, slots, records, locals_, queues, resources, turns, out, now, keep):  # type: ignore[no-untyped-def]
    """Whether the relative state equals the one in ``out``; write it there if ``keep``, else stop early."""
    at = 0
    same = True
    for g in range(groups.size):
        group = groups[g]
        if differs(out, at, group.made - group.retired, keep):
            same = False
        at += 1
        for iteration in range(group.retired, group.made):
            if not (same or keep):
                return False
            first = group.record0 + (iteration & group.mask) * group.m
            for record in range(first, first + group.m):
                task = records[record]
                value = np.int64(task.waits)
                if value == RUNNING:
                    value = RUNNING - 1 - (task.time - now)
                if differs(out, at, value, keep):
                    same = False
                    if not keep:
                        return False
                at += 1
    for q in range(queues.size):
        record = queues[q].head
        while record >= 0 and (same or keep):
            task = records[record]
            ahead = slots[task.slot].iteration - groups[task.group].retired
            if differs(out, at, ahead * locals_.size + task.local, keep):
                same = False
            at += 1
            record = task.link
        if differs(out, at, np.int64(-1), keep):
            same = False
        at += 1
    for r in range(resources.size):
        if resources[r].order == IN_ORDER:
            turn = turns[r]
            ahead = turn.iteration - groups[turn.group].retired if turn.group >= 0 else 0
            if differs(out, at, ahead * locals_.size + turn.local, keep):
                same = False
            at += 1
    return same


@njit(cache=True)
def recurs(groups, slots, records, locals_, queues, resources, turns, saved, state):  # type: ignore[no-untyped-def]
    """Check the state after an instant that retired an iteration of the primary group; save it at times."""
    g = state[PRIMARY]
    if groups[g].made >= groups[g].n:
        # all of it exists, so there is nothing to jump: go on with the next repeated group
        state[CHECKS] = 0
        state[SAVED] = 0
        while g < groups.size and (groups[g].m == 0 or groups[g].made >= groups[g].n):
            g += 1
        state[PRIMARY] = g
        state[SEARCH] = g < groups.size
        return False
    checks = state[CHECKS] + 1
    keep = checks & (checks - 1) == 0
    same = relative(groups, slots, records, locals_, queues, resources, turns, saved, state[NOW], keep)
    if same and state[SAVED]:
        return True
    state[CHECKS] = checks
    if keep:
        state[SAVED] = 1
        state[SAVED_NOW] = state[NOW]
        for other in range(groups.size):
            groups[other].saved = groups[other].retired
    return False
