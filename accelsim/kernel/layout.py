"""The tables that the ring engine's functions share.

A *local* task is a task of a group (a block with n iterations; a block outside a repeat is a group
with n = 1). Its *record* stands in the slot of its iteration and has the size of a cache line: what
changes, and what the engine reads of the task wherever it is.
"""

import numpy as np
from numba import uint64

# the type of an index that is not negative: the compiler leaves out the test for counting from the end
index = uint64

# waits: predecessors left, or a state below; log: cause, as log entry, until the start, then its own entry;
# time: when it became ready, then its end; needs: predecessors of an iteration that all lags reach;
# edges first..last stay in the group, those with the shortest lags first; reach: its longest lag
RECORD = np.dtype(
    [(name, np.int32) for name in ("waits", "link", "log", "queue", "resource", "slot", "group", "local")]
    + [("time", np.int64), ("duration", np.int64)]
    + [(name, np.int32) for name in ("first", "last", "reach", "needs")]
)
QUEUED, RUNNING, ENDED_TASK = 0, -1, -2

# cross edges leave the group from its last iteration; chain: next task on the same in-order resource
LOCAL = np.dtype(
    [("duration", np.int64), *((name, np.int32) for name in ("group", "cross_first", "cross_last", "chain"))]
)

# n: iterations (less those jumped); local0, record0, slot0: first ones; end: after its last record;
# mask: ring size - 1; made, retired: iterations; number0: first task number; lags: longest lag;
# horizon: iterations made, but 0 once all are, so that what is special about the last ones is looked at;
# saved: iterations retired when the state was saved
GROUP = np.dtype(
    [
        (name, np.int64)
        for name in (
            "n", "m", "local0", "record0", "end", "slot0", "mask", "made", "retired", "number0", "lags",
            "horizon", "saved",
        )
    ]
)  # fmt: skip

# number: task number less local number; left: tasks that have not ended
SLOT = np.dtype([(name, np.int64) for name in ("number", "left", "iteration")])

# old: the tail when the instant ``mark`` began
QUEUE = np.dtype([("head", np.int32), ("tail", np.int32), ("old", np.int32), ("mark", np.int64)], align=True)

# low..high: its queues, low the first that may hold a task; freed: the log entry of the last task that
# freed a server; cause: that of the last task an in-order resource started
RESOURCE = np.dtype(
    [(name, np.int32) for name in ("free", "low", "high", "dirty", "freed", "order", "cause")]
)
ONE_QUEUE, LEVELS, IN_ORDER = 0, 1, 2

# where an in-order resource stands
TURN = np.dtype([(name, np.int64) for name in ("group", "iteration", "local")])

LOG = np.dtype([("start", np.int64), ("iteration", np.int64), ("local", np.int32), ("cause", np.int32)])

# state of a suspended run, int64
NOW, HEAP, READY, STARTS, BATCH, AT, ASCENDING, PENDING, ZERO = range(9)
FINAL, FINAL_NUMBER, LOGGED, DONE, STATUS, SEARCH, CHECKS, SAVED, SAVED_NOW, PRIMARY = range(9, 19)
STATE = 19
ENDED, FULL, RECURRED = 0, 1, 2
