"""The ring of iterations behind the engine for repeated blocks: make, retire, log, queue, take (compiled)."""

from numba import njit

from accelsim.kernel.layout import (
    ASCENDING,
    BATCH,
    LOGGED,
    PENDING,
    QUEUED,
    READY,
    RUNNING,
    STARTS,
    index,
)


@njit(cache=True)
def number(records, slots, record):  # type: ignore[no-untyped-def]
    """The task number, unique in the run."""
    task = records[index(record)]
    return slots[index(task.slot)].number + task.local


@njit(cache=True)
def sort_by_number(values, size, records, slots):  # type: ignore[no-untyped-def]
    """Sort the first ``size`` records by task number, in place (Shell's sort: mostly nothing to do)."""
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
def make(g, groups, slots, records):  # type: ignore[no-untyped-def]
    """Fill the slot of the next iteration of a group."""
    group = groups[g]
    place = group.made & group.mask
    slot = slots[group.slot0 + place]
    slot.iteration = group.made
    slot.left = group.m
    slot.number = group.number0 + group.made * group.m - group.local0
    first = group.record0 + place * group.m
    for record in range(first, first + group.m):
        task = records[index(record)]
        task.waits = task.needs
    group.made += 1
    group.horizon = group.made if group.made < group.n else 0


@njit(cache=True)
def begin(  # type: ignore[no-untyped-def]
    groups, slots, records, steps, lags, entering, ready, starts, batch, log, state
):
    """Time 0: make the iterations that the longest lag spans; roots are ready, pure delays start."""
    for g in range(groups.size):
        group = groups[g]
        for iteration in range(min(group.n, max(group.lags, 1))):
            make(g, groups, slots, records)
            first = group.record0 + iteration * group.m
            for record in range(first, first + group.m):
                task = records[record]
                if iteration == 0:
                    task.waits += entering[task.local]
                for e in range(task.first, task.last):
                    if lags[e] > iteration:
                        # a predecessor before the first iteration: its target is what the lag leads back to
                        records[record + steps[e] - lags[e] * group.m].waits -= 1
    for g in range(groups.size):
        for record in range(groups[g].record0, groups[g].record0 + groups[g].made * groups[g].m):
            task = records[record]
            if task.waits > 0:
                continue
            task.time = 0
            if task.queue >= 0:
                ready[state[READY]] = record
                state[READY] += 1
            elif task.duration > 0:
                starts[state[STARTS]] = record
                state[STARTS] += 1
            else:
                log_start(record, 0, state[LOGGED], records, slots, log)
                state[LOGGED] += 1
                batch[state[BATCH]] = record
                state[BATCH] += 1
    state[PENDING] = 1
    state[ASCENDING] = state[BATCH]


@njit(cache=True)
def log_start(record, now, entry, records, slots, log):  # type: ignore[no-untyped-def]
    """Log that a record starts now, as ``entry`` if the log is that long."""
    task = records[index(record)]
    task.waits = RUNNING
    if entry < log.size:
        line = log[index(entry)]
        line.start = now
        line.iteration = slots[index(task.slot)].iteration
        line.local = task.local
        line.cause = task.log
        task.log = entry
    else:
        task.log = -1


@njit(cache=True)
def later_of(seen, own, now, log, groups, locals_):  # type: ignore[no-untyped-def]
    """Of two logged predecessors, the one with the larger number if both end now, else ``own``."""
    if seen < 0 or own < 0 or log[seen].start + locals_[log[seen].local].duration != now:
        return own
    later = logged_number(seen, log, groups, locals_) > logged_number(own, log, groups, locals_)
    return seen if later else own


@njit(cache=True)
def logged_number(entry, log, groups, locals_):  # type: ignore[no-untyped-def]
    """The task number of a log entry."""
    line = log[entry]
    group = groups[locals_[line.local].group]
    return group.number0 + line.iteration * group.m + line.local - group.local0


@njit(cache=True)
def retire(g, groups, slots):  # type: ignore[no-untyped-def]
    """Retire the iterations of a group that have ended, oldest first; return whether there were any."""
    group = groups[g]
    oldest = group.retired
    while oldest < group.made and slots[group.slot0 + (oldest & group.mask)].left == 0:
        oldest += 1
    moved = oldest > group.retired
    group.retired = oldest
    return moved


@njit(cache=True)
def enqueue(record, now, records, slots, queues):  # type: ignore[no-untyped-def]
    """Put a record that became ready now into its queue: by number among those of this instant."""
    task = records[index(record)]
    queue = queues[index(task.queue)]
    tail = queue.tail
    if queue.mark != now:
        queue.mark = now
        queue.old = tail
    own = number(records, slots, record)
    if tail == queue.old or number(records, slots, tail) < own:
        task.link = -1
        queue.tail = record
        if tail < 0:
            queue.head = record
        else:
            records[index(tail)].link = record
        return
    previous = queue.old
    current = queue.head if previous < 0 else records[previous].link
    while number(records, slots, current) < own:
        previous = current
        current = records[current].link
    task.link = current
    if previous < 0:
        queue.head = record
    else:
        records[previous].link = record


@njit(cache=True)
def take(record, now, records, queues):  # type: ignore[no-untyped-def]
    """Take the head out of its queue."""
    task = records[index(record)]
    queue = queues[index(task.queue)]
    queue.head = task.link
    if task.link < 0:
        queue.tail = -1
    if queue.mark == now and queue.old == record:
        queue.old = -1


@njit(cache=True)
def in_turn(r, groups, records, turns):  # type: ignore[no-untyped-def]
    """Return the record an in-order resource has to start next if it is ready, else -1."""
    turn = turns[r]
    if turn.group < 0 or turn.iteration >= groups[turn.group].made:
        return -1
    group = groups[turn.group]
    record = group.record0 + (turn.iteration & group.mask) * group.m + turn.local - group.local0
    return record if records[index(record)].waits == QUEUED else -1


@njit(cache=True)
def next_turn(r, groups, locals_, first_of, turns):  # type: ignore[no-untyped-def]
    """Move an in-order resource on to its next task: of the iteration, the group, the groups after."""
    turn = turns[r]
    g = turn.group
    local = locals_[turn.local].chain
    if local < 0:
        turn.iteration += 1
        while g < groups.size and (turn.iteration >= groups[g].n or first_of[g, r] < 0):
            g += 1
            turn.iteration = 0
        turn.group = g if g < groups.size else -1
        local = first_of[g, r] if g < groups.size else -1
    turn.local = local
