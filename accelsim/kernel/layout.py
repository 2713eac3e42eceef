"""Columns of the tables that the ring engine's functions share.

A *local* task is a task of a group (a block with n iterations; a block outside a repeat is a group
with n = 1). Its *record* stands in the slot of its iteration.
"""

# records, int32; TIME is int64: when it became ready, then its end. LOG is its cause until it starts
WAITS, LINK, LOCAL, SLOT, LOG = 0, 1, 2, 3, 4
TIME = 3
# in WAITS, where it is not a number of predecessors
QUEUED, RUNNING, ENDED_TASK = 0, -1, -2

# local tasks, int32; edges FIRST..LAST stay in the group, XFIRST..XLAST leave its last iteration
QUEUE, FIRST, LAST, XFIRST, XLAST, GROUP, CHAIN, REACH = 0, 1, 2, 3, 4, 5, 6, 7

# groups, int64: iterations (less those jumped), tasks, first local task, record and slot, ring size - 1,
# iterations made and retired, first task number, longest lag,
# iterations retired when the state was saved
N, M, LOCAL0, RECORD0, SLOT0, MASK, MADE, RETIRED, NUMBER0, LAGS = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
SAVED_RETIRED = 10

# slots, int64: task number less local number, tasks left, iteration
NUMBER, LEFT, ITERATION = 0, 1, 2

# queues and resources, int32; FREED is the log entry of the last task that freed a server
HEAD, TAIL, OLD, OWNER = 0, 1, 2, 3
FREE, LOW, HIGH, DIRTY, FREED, ORDERED, CAUSE = 0, 1, 2, 3, 4, 5, 6
# cursors of in-order resources, int64
TURN_GROUP, TURN_ITERATION, TURN_LOCAL = 0, 1, 2

# state of a suspended run, int64
NOW, HEAP, READY, BATCH, AT, ASCENDING, PENDING, ZERO, FINAL, FINAL_NUMBER, LOGGED, DONE, STATUS = range(13)
SEARCH, CHECKS, SAVED, SAVED_NOW, PRIMARY = range(13, 18)
STATE = 18
ENDED, FULL, RECURRED = 0, 1, 2

# the log: int32 local task and cause, int64 start and iteration
LOG_LOCAL, LOG_CAUSE = 0, 1
LOG_START, LOG_ITERATION = 0, 1
