"""One run of the ring engine: its tables, rings that grow, and jumps over whole periods."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accelsim.errors import AccelsimError
from accelsim.kernel import layout as at
from accelsim.kernel import ring, stream
from accelsim.kernel.event_run import queue_table
from accelsim.kernel.flat import Flat
from accelsim.kernel.groups import Groups
from accelsim.kernel.resource import Resource
from accelsim.kernel.timing import Ints

LOG_LIMIT = 2**22
RECORD_LIMIT = 2**27


@dataclass(frozen=True, slots=True)
class Skip:
    """The state of ``saved_ps`` recurred at ``found_ps``; ``times`` such periods were left out.

    ``period`` is in iterations of each group, and so is ``saved`` (retired when it was saved).
    """

    saved_ps: int
    found_ps: int
    times: int
    period: Ints
    saved: Ints

    @property
    def length_ps(self) -> int:
        """Time left out."""
        return self.times * (self.found_ps - self.saved_ps)


class StreamRun:
    """Groups on the compiled ring engine."""

    def __init__(self, groups: Groups, resources: Sequence[Resource], fast_forward: bool, log: int) -> None:
        self._static(groups, resources)
        self.log = np.empty((log, 2), np.int32)
        self.log_time = np.empty((log, 2), np.int64)
        self.skips: list[Skip] = []
        self.state = np.zeros(at.STATE, np.int64)
        self.state[[at.FINAL, at.FINAL_NUMBER]] = -1
        repeated = np.flatnonzero((self.groups[:, at.N] > 1) & (self.groups[:, at.M] > 0))
        self.state[at.SEARCH] = fast_forward and repeated.size > 0
        self.state[at.PRIMARY] = repeated[0] if repeated.size else -1
        size = np.minimum(self.groups[:, at.N], np.maximum(self.groups[:, at.LAGS], 1) + 1)
        self._allocate(np.array([1 << (int(s) - 1).bit_length() if s else 1 for s in size]))
        ring.begin(
            self.groups, self._slots, self._records, self._times, self._locals, self._duration, self._steady,
            self._follow, self._lags, self._entering, self._keys, self._who, self._ready, self._batch,
            self.log, self.log_time, self.state,
        )  # fmt: skip

    def run(self) -> None:
        """Run to the end, growing rings and jumping over periods on the way."""
        while True:
            stream.advance(
                self.groups, self._slots, self._records, self._times, self._locals, self._duration,
                self._steady, self._follow, self._lags, self._cross, self._first_of, self._queues,
                self._marks, self._table, self._turns, self._keys, self._who, self._ready, self._batch,
                self.log, self.log_time, self._saved, self.state,
            )  # fmt: skip
            if self.state[at.STATUS] == at.FULL:
                self._grow()
            elif self.state[at.STATUS] == at.RECURRED:
                self._jump()
            else:
                return

    @property
    def makespan_ps(self) -> int:
        """When the last task ended."""
        return int(self.state[at.NOW]) + sum(skip.length_ps for skip in self.skips)

    def _static(self, groups: Groups, resources: Sequence[Resource]) -> None:
        """Everything that does not change: local tasks, their edges and queues."""
        flats = groups.flats
        sizes = [len(flat) for flat in flats]
        first = np.cumsum([0, *sizes])
        total = int(first[-1])
        source: list[Ints] = []
        target: list[Ints] = []
        lag: list[Ints] = []
        for group, base in zip(groups.groups, first.tolist(), strict=False):
            inside = group.flat.edges()
            source += [inside[0] + base, group.lagged[0] + base]
            target += [inside[1] + base, group.lagged[1] + base]
            lag += [np.zeros(inside[0].size, np.int64), group.lagged[2]]
        sources, targets, lags = np.concatenate(source), np.concatenate(target), np.concatenate(lag)
        order = np.argsort(sources, kind="stable")
        self._follow, self._lags = targets[order].astype(np.int32), lags[order].astype(np.int32)
        self._steady = np.bincount(targets, minlength=total).astype(np.int32)
        cross_source = first[groups.cross[0]] + groups.cross[1]
        cross_target = first[groups.cross[2]] + groups.cross[3]
        self._cross = cross_target[np.argsort(cross_source, kind="stable")].astype(np.int32)
        self._entering = np.bincount(cross_target, minlength=total).astype(np.int32)
        resource = np.concatenate([flat.resource for flat in flats])
        self._duration = np.concatenate([flat.duration for flat in flats])
        priority = [np.zeros(len(f), np.int32) if f.priority is None else f.priority for f in flats]
        joined = Flat(resource, np.zeros(total, np.int64), priority=np.concatenate(priority))
        queue, table, self._queues = queue_table(joined, resources)
        table[:, at.FREED : at.CAUSE + 1] = -1
        table[:, at.ORDERED] = [r.order == "in_order" for r in resources]
        self._table, self._marks = table, np.full(len(self._queues), -1, np.int64)
        rows = np.zeros((total, 8), np.int32)
        for column, sorted_ in ((at.FIRST, np.sort(sources)), (at.XFIRST, np.sort(cross_source))):
            rows[:, column] = np.searchsorted(sorted_, np.arange(total))
            rows[:, column + 1] = np.searchsorted(sorted_, np.arange(total), side="right")
        rows[:, at.QUEUE] = queue if queue.size else resource
        rows[:, at.GROUP] = np.repeat(np.arange(len(flats)), sizes)
        np.maximum.at(rows[:, at.REACH], sources, lags)
        self._locals = rows
        numbers = np.cumsum([0] + [s * g.n for s, g in zip(sizes, groups.groups, strict=True)])
        table64 = np.zeros((len(flats), 11), np.int64)
        table64[:, at.N] = [g.n if s else 0 for s, g in zip(sizes, groups.groups, strict=True)]
        table64[:, at.M] = sizes
        table64[:, at.LOCAL0] = first[:-1]
        table64[:, at.NUMBER0] = numbers[:-1]
        table64[:, at.LAGS] = [g.lags for g in groups.groups]
        self.groups = table64
        self._turn_table(resource, resources)

    def _turn_table(self, resource: Ints, resources: Sequence[Resource]) -> None:
        """The next local task on the same in-order resource, and where each such resource begins."""
        n_groups = len(self.groups)
        self._first_of = np.full((n_groups, len(resources)), -1, np.int32)
        self._turns = np.full((len(resources), 3), -1, np.int64)
        self._locals[:, at.CHAIN] = -1
        for r in np.flatnonzero(self._table[:, at.ORDERED]).tolist():
            mine = np.flatnonzero(resource == r)
            group = self._locals[mine, at.GROUP]
            same = group[1:] == group[:-1]
            self._locals[mine[:-1][same], at.CHAIN] = mine[1:][same]
            present, index = np.unique(group, return_index=True)
            self._first_of[present, r] = mine[index]
            runs = present[self.groups[present, at.N] > 0]
            if runs.size:
                self._turns[r] = runs[0], 0, self._first_of[runs[0], r]

    def _allocate(self, size: npt.NDArray[np.int64]) -> None:
        """Make the rings with ``size`` iterations per group, and every list at its bound."""
        m = self.groups[:, at.M]
        records = int((size * m).sum())
        if records > RECORD_LIMIT:
            raise AccelsimError(
                f"repeat: {records} tasks are alive at once, which needs {records * 100 / 2**30:.0f} GiB; "
                f"the limit is {RECORD_LIMIT} tasks. A fast stage runs ahead of a slow one: bound it with a "
                "lagged edge back, the depth of the buffer between them"
            )
        self.groups[:, at.MASK] = size - 1
        self.groups[:, at.SLOT0] = np.cumsum(size) - size
        self.groups[:, at.RECORD0] = np.cumsum(size * m) - size * m
        self._slots = np.zeros((int(size.sum()), 3), np.int64)
        self._records = np.full((records, 8), -1, np.int32)
        self._times = self._records.view(np.int64)
        for g in range(len(size)):
            rows = slice(int(self.groups[g, at.RECORD0]), int(self.groups[g, at.RECORD0] + size[g] * m[g]))
            local = self.groups[g, at.LOCAL0] + np.arange(m[g])
            self._records[rows, at.LOCAL] = np.tile(local, size[g])
            self._records[rows, at.SLOT] = np.repeat(self.groups[g, at.SLOT0] + np.arange(size[g]), m[g])
        self._keys = np.empty(records + 1, np.int64)
        self._who, self._ready, self._batch = (np.empty(records + 1, np.int32) for _ in range(3))
        self._saved = np.empty(
            2 * records + len(self._queues) + len(self.groups) + len(self._table) + 1, np.int64
        )

    def _grow(self) -> None:
        """Double the ring of every full group and move what is alive."""
        old_groups, old_slots, old_records = self.groups.copy(), self._slots, self._records
        lists = self._keys, self._who, self._ready, self._batch, self._saved
        size = self.groups[:, at.MASK] + 1
        full = self.groups[:, at.MADE] - self.groups[:, at.RETIRED] >= size
        self._allocate(np.where(full & (self.groups[:, at.M] > 0), 2 * size, size))
        moved = np.full(len(old_records) + 1, -1, np.int32)  # the last entry is for -1
        for old, new in zip(old_groups, self.groups, strict=True):
            live = np.arange(old[at.RETIRED], old[at.MADE])
            there, here = live & old[at.MASK], live & new[at.MASK]
            self._slots[new[at.SLOT0] + here] = old_slots[old[at.SLOT0] + there]
            inside = np.arange(new[at.M])
            before = (old[at.RECORD0] + there[:, None] * old[at.M] + inside).ravel()
            after = (new[at.RECORD0] + here[:, None] * new[at.M] + inside).ravel()
            moved[before] = after
            slot = self._records[after, at.SLOT]
            self._records[after] = old_records[before]
            self._records[after, at.SLOT] = slot
        queued = self._records[:, at.WAITS] == at.QUEUED
        self._records[queued, at.LINK] = moved[self._records[queued, at.LINK]]
        self._queues[:, : at.OLD + 1] = moved[self._queues[:, : at.OLD + 1]]
        heap, ready, batch = (int(self.state[i]) for i in (at.HEAP, at.READY, at.BATCH))
        self._keys[:heap], self._who[:heap] = lists[0][:heap], moved[lists[1][:heap]]
        self._ready[:ready] = moved[lists[2][:ready]]
        self._batch[:batch] = moved[lists[3][:batch]]
        self._saved[: lists[4].size] = lists[4]

    def _jump(self) -> None:
        """Leave out as many whole periods as keep the last iteration unmade, which has edges of its own."""
        groups, state = self.groups, self.state
        period = groups[:, at.RETIRED] - groups[:, at.SAVED_RETIRED]
        moving = period > 0
        times = int(((groups[:, at.N] - 1 - groups[:, at.MADE])[moving] // period[moving]).min())
        if times > 0:
            groups[:, at.N] -= times * period
            saved, found = int(state[at.SAVED_NOW]), int(state[at.NOW])
            self.skips.append(Skip(saved, found, times, period, groups[:, at.SAVED_RETIRED].copy()))
        state[at.CHECKS] = state[at.SAVED] = 0
