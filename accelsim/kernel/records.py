"""The tables of the compiled event engine, how they begin, and the path they end with.

Task numbers are unsigned where they index, because the compiler then leaves out the test for counting
from the end; where ``NOBODY`` is possible they are signed.
"""

import numpy as np
from numba import njit

from accelsim.kernel.heap import sift_up

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
