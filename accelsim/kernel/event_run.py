"""One run of the compiled event engine: its arrays, allocated once at their known bounds."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from accelsim.kernel import events, records
from accelsim.kernel.flat import Flat
from accelsim.kernel.resource import Resource
from accelsim.kernel.sums import resource_sums

CURSOR = list(records.RESOURCE.names or ()).index("cursor")


class EventRun:
    """A flat block on the compiled event engine, advanced in whole instants.

    ``gates`` are tasks without a resource that something outside ends; their duration is not used.
    """

    def __init__(self, flat: Flat, resources: Sequence[Resource], gates: npt.ArrayLike = ()) -> None:
        n = len(flat)
        queue, table, queues = queue_table(flat, resources)
        queue = queue if queue.size else flat.resource
        self._resources = table.view(records.RESOURCE).reshape(-1)
        self._queues = queues.view(records.QUEUE).reshape(-1)
        self._marks = np.full(len(queues), -1, np.int64)
        self._records = np.empty(n, records.RECORD)
        records.load(queue, flat.duration, flat.offsets, flat.waits, self._records)
        self._records["queue"][np.asarray(gates, np.intp)] = records.GATE
        self._follow = flat.follow.view(np.uint32)
        self._chain = chains(flat, resources, table)
        self._delays = int(resource_sums(flat, len(resources))[0][-1])
        self._heap_size = self._delays + sum(min(r.servers, n) for r in resources)
        self._keys = np.empty(self._heap_size + 1, np.int64)
        self._who = np.empty(self._heap_size + 1, np.uint32)
        self._ready, self._batch = np.empty(n, np.uint32), np.empty(n, np.uint32)
        self.reached = np.empty(np.size(gates), np.int32)
        self.state = np.zeros(records.SCALARS, np.int64)
        records.begin(
            self._records, self._keys, self._who, self._ready, self._batch, self.reached, self.state
        )

    def advance(self, limit: int = records.NEVER) -> None:
        """Run every instant before ``limit``, or up to phase A of one that reaches a gate."""
        events.advance(
            self._records,
            self._follow,
            self._queues,
            self._marks,
            self._resources,
            self._chain,
            self._keys,
            self._who,
            self._ready,
            self._batch,
            self.reached,
            self._delays,
            self.state,
            limit,
        )

    def complete(self, gate: int, now: int) -> None:
        """End a gate at ``now``, which no instant that was run may be later than."""
        state = self.state
        if state[records.NOW] < now:
            state[records.NOW], state[records.FINAL], state[records.ZERO] = now, -1, 0
        self._records["time"][gate] = now
        self._batch[state[records.BATCH]] = gate
        state[records.BATCH] += 1

    def reached_since(self, told: int) -> list[int]:
        """Gates that were reached after the first ``told`` of them, in that order."""
        found: list[int] = self.reached[told : int(self.state[records.REACHED])].tolist()
        return found

    @property
    def next_end(self) -> int:
        """When the next task that runs now ends, in picoseconds; ``NEVER`` if none runs."""
        return int(self._keys[0]) if self.state[records.HEAP] else records.NEVER

    @property
    def ends(self) -> npt.NDArray[np.int64]:
        """End of every task in picoseconds, once all have ended."""
        ends: npt.NDArray[np.int64] = self._records["time"]
        return ends

    def path(self) -> npt.NDArray[np.int32]:
        """Return the critical path, first task first."""
        path = self._ready.view(np.int32)  # nobody is ready any more
        size = records.walk(self._records, self.state[records.FINAL], path)
        return path[:size][::-1].copy()


def queue_table(
    flat: Flat, resources: Sequence[Resource]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return (queue of every task, resource table, queue table); no queues where they equal the resources.

    The columns of the tables are the fields of ``records.RESOURCE`` and ``records.QUEUE``.
    """
    n_resources = len(resources)
    owner = low = high = np.arange(n_resources, dtype=np.int32)
    queue = np.zeros(0, np.int32)
    by_priority = np.array([r.order == "priority" for r in resources], bool)
    if flat.priority is not None and by_priority.any():
        # one queue per resource and distinct priority, in that order
        level = np.zeros(len(flat), np.int64)
        used = flat.resource >= 0
        used[used] = by_priority[flat.resource[used]]
        level[used] = flat.priority[used].astype(np.int64) - np.iinfo(np.int32).min
        code = (flat.resource.astype(np.int64) << 32) | level
        code[flat.resource < 0] = -1
        present = np.unique(code)
        present = present[present >= 0]
        empty = np.setdiff1d(np.arange(n_resources), present >> 32)
        present = np.sort(np.concatenate([present, empty.astype(np.int64) << 32]))
        owner = (present >> 32).astype(np.int32)
        queue = np.searchsorted(present, code).astype(np.int32)
        queue[flat.resource < 0] = records.DELAY
        low = np.searchsorted(owner, np.arange(n_resources), side="left").astype(np.int32)
        high = np.searchsorted(owner, np.arange(n_resources), side="right").astype(np.int32) - 1
    table = np.zeros(n_resources, records.RESOURCE)
    table["free"] = [min(r.servers, 2**31 - 1) for r in resources]
    table["low"], table["high"] = low, high
    table["freed"] = records.NOBODY
    table["cursor"] = records.UNORDERED
    queues = np.full((owner.size, 4), records.NOBODY, np.int32)
    queues[:, 3] = owner
    return queue, table.view(np.int32).reshape(-1, 8), queues


def chains(flat: Flat, resources: Sequence[Resource], table: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the next task on the same in-order resource, and set the cursors to the first ones."""
    in_order = [i for i, r in enumerate(resources) if r.order == "in_order"]
    if not in_order:
        return np.zeros(0, np.int32)
    source, target, first = order_edges(flat, in_order)
    chain = np.full(len(flat), -1, np.int32)
    chain[source] = target
    table[in_order, CURSOR] = first
    return chain


def order_edges(
    flat: Flat, in_order: Sequence[int]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return (source, target) of consecutive tasks on each resource, and each one's first (-1 if none)."""
    tasks = np.flatnonzero(np.isin(flat.resource, in_order)).astype(np.int32)
    tasks = tasks[np.argsort(flat.resource[tasks], kind="stable")]
    owner = flat.resource[tasks]
    same = owner[1:] == owner[:-1]
    first = np.full(len(in_order), -1, np.int32)
    at = np.searchsorted(owner, in_order)
    present = at < np.searchsorted(owner, in_order, side="right")
    first[present] = tasks[at[present]]
    return tasks[:-1][same], tasks[1:][same], first
