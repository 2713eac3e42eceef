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
        self.log = np.empty(log, at.LOG)
        self.skips: list[Skip] = []
        self.state = np.zeros(at.STATE, np.int64)
        self.state[[at.FINAL, at.FINAL_NUMBER]] = -1
        repeated = np.flatnonzero((self.groups["n"] > 1) & (self.groups["m"] > 0))
        self.state[at.SEARCH] = fast_forward and repeated.size > 0
        self.state[at.PRIMARY] = repeated[0] if repeated.size else -1
        size = np.minimum(self.groups["n"], np.maximum(self.groups["lags"], 1) + 1)
        self._allocate(np.array([1 << (int(s) - 1).bit_length() if s else 1 for s in size]))
        ring.begin(
            self.groups, self._slots, self._records, self._steps, self._lags, self._entering, self._ready,
            self._starts, self._batch, self.log, self.state,
        )  # fmt: skip

    def run(self) -> None:
        """Run to the end, growing rings and jumping over periods on the way."""
        while True:
            stream.advance(
                self.groups, self._slots, self._records, self._locals, self._steps, self._lags, self._cross,
                self._first_of, self._queues, self._resources, self._turns, self._keys, self._who,
                self._ready, self._starts, self._batch, self.log, self._saved, self.state,
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
        """Everything that does not change: groups, local tasks, their edges and queues."""
        flats = groups.flats
        self.groups = np.zeros(len(flats), at.GROUP)
        self.groups["m"] = m = np.array([len(flat) for flat in flats])
        self.groups["n"] = n = np.array([g.n for g in groups.groups]) * (m > 0)
        self.groups["local0"] = np.cumsum(m) - m
        self.groups["number0"] = np.cumsum(n * m) - n * m
        self.groups["lags"] = [g.lags for g in groups.groups]
        total = int(m.sum())
        self._locals = np.zeros(total, at.LOCAL)
        self._locals["duration"] = np.concatenate([flat.duration for flat in flats])
        self._locals["group"] = np.repeat(np.arange(len(flats)), m)
        # what the records of every iteration start with
        self._pattern = np.full(total, -1, at.RECORD)
        for name in ("duration", "group"):
            self._pattern[name] = self._locals[name]
        self._pattern["local"] = np.arange(total)
        self._pattern["resource"] = resource = np.concatenate([flat.resource for flat in flats])
        self._edges(groups)
        priority = [np.zeros(len(f), np.int32) if f.priority is None else f.priority for f in flats]
        joined = Flat(resource, np.zeros(total, np.int64), priority=np.concatenate(priority))
        self._queue_tables(joined, resources)
        self._turn_table(resource, resources)

    def _edges(self, groups: Groups) -> None:
        """What each local task points at: a step in the ring, or a task of another group."""
        source: list[Ints] = []
        target: list[Ints] = []
        lag: list[Ints] = []
        first = self.groups["local0"]
        for group, base in zip(groups.groups, first.tolist(), strict=True):
            inside = group.flat.edges()
            source += [inside[0] + base, group.lagged[0] + base]
            target += [inside[1] + base, group.lagged[1] + base]
            # an edge that no iteration is late enough for has a step that fits all the same
            lag += [np.zeros(inside[0].size, np.int64), np.minimum(group.lagged[2], group.n)]
        sources, targets, lags = np.concatenate(source), np.concatenate(target), np.concatenate(lag)
        order = np.lexsort((lags, sources))
        sources, targets, lags = sources[order], targets[order], lags[order]
        m = self.groups["m"][self._locals["group"][sources]]
        self._steps = (lags * m + targets - sources).astype(np.int32)
        self._lags = lags.astype(np.int32)
        total = self._locals.size
        self._pattern["first"], self._pattern["last"] = spans(sources, total)
        self._pattern["needs"] = np.bincount(targets, minlength=total)
        self._pattern["reach"] = 0
        np.maximum.at(self._pattern["reach"], sources, lags)
        cross_source, cross_target = (first[groups.cross[i]] + groups.cross[i + 1] for i in (0, 2))
        order = np.argsort(cross_source, kind="stable")
        self._cross = cross_target[order].astype(np.int32)
        self._locals["cross_first"], self._locals["cross_last"] = spans(cross_source[order], total)
        self._entering = np.bincount(cross_target, minlength=total).astype(np.int32)

    def _queue_tables(self, joined: Flat, resources: Sequence[Resource]) -> None:
        """The tables of queues and resources, and the queue of every local task."""
        queue, table, queues = queue_table(joined, resources)
        free, low, high, *_ = table.T
        self._queues = np.full(len(queues), -1, at.QUEUE)
        self._resources = np.zeros(len(resources), at.RESOURCE)
        self._resources["free"], self._resources["low"], self._resources["high"] = free, low, high
        self._resources["freed"] = self._resources["cause"] = -1
        self._resources["order"] = np.where(low < high, at.LEVELS, at.ONE_QUEUE)
        self._resources["order"][[r.order == "in_order" for r in resources]] = at.IN_ORDER
        self._pattern["queue"] = queue if queue.size else joined.resource

    def _turn_table(self, resource: Ints, resources: Sequence[Resource]) -> None:
        """The next local task on the same in-order resource, and where each such resource begins."""
        self._first_of = np.full((len(self.groups), len(resources)), -1, np.int32)
        self._turns = np.full(len(resources), -1, at.TURN)
        self._locals["chain"] = -1
        for r in np.flatnonzero(self._resources["order"] == at.IN_ORDER).tolist():
            mine = np.flatnonzero(resource == r)
            group = self._locals["group"][mine]
            same = group[1:] == group[:-1]
            self._locals["chain"][mine[:-1][same]] = mine[1:][same]
            present, index = np.unique(group, return_index=True)
            self._first_of[present, r] = mine[index]
            runs = present[self.groups["n"][present] > 0]
            if runs.size:
                self._turns[r] = runs[0], 0, self._first_of[runs[0], r]

    def _allocate(self, size: npt.NDArray[np.int64]) -> None:
        """Make the rings with ``size`` iterations per group, and every list at its bound."""
        m = self.groups["m"]
        records = int((size * m).sum())
        if records > RECORD_LIMIT:
            raise AccelsimError(
                f"repeat: {records} tasks are alive at once, which needs {records * 104 / 2**30:.0f} GiB; "
                f"the limit is {RECORD_LIMIT} tasks. A fast stage runs ahead of a slow one: bound it with a "
                "lagged edge back, the depth of the buffer between them"
            )
        self.groups["mask"] = size - 1
        self.groups["slot0"] = np.cumsum(size) - size
        self.groups["end"] = np.cumsum(size * m)
        self.groups["record0"] = self.groups["end"] - size * m
        self._slots = np.zeros(int(size.sum()), at.SLOT)
        self._records = np.empty(records, at.RECORD)
        pattern = words(self._pattern)
        for group in self.groups:
            shape = int(group["mask"]) + 1, int(group["m"])
            ring = slice(int(group["record0"]), int(group["end"]))
            block = pattern[group["local0"] : group["local0"] + group["m"]]
            words(self._records)[ring].reshape(*shape, block.shape[1])[:] = block
            self._records["slot"][ring] = np.repeat(group["slot0"] + np.arange(shape[0]), shape[1])
        self._keys = np.empty(records + 1, np.int64)
        self._who, self._ready, self._starts, self._batch = (
            np.empty(records + 1, np.int32) for _ in range(4)
        )
        self._saved = np.empty(
            2 * records + len(self._queues) + len(self.groups) + len(self._resources) + 1, np.int64
        )

    def _grow(self) -> None:
        """Double the ring of every full group and move what is alive."""
        old_groups, old_slots, old_records = self.groups.copy(), self._slots, self._records
        keys, saved, lists = self._keys, self._saved, (self._who, self._ready, self._starts, self._batch)
        size = self.groups["mask"] + 1
        full = self.groups["made"] - self.groups["retired"] >= size
        self._allocate(np.where(full & (self.groups["m"] > 0), 2 * size, size))
        moved = np.full(len(old_records) + 1, -1, np.int32)  # the last entry is for -1
        for old, new in zip(old_groups, self.groups, strict=True):
            live = np.arange(old["retired"], old["made"])
            there, here = live & old["mask"], live & new["mask"]
            self._slots[new["slot0"] + here] = old_slots[old["slot0"] + there]
            inside = np.arange(new["m"])
            before = (old["record0"] + there[:, None] * old["m"] + inside).ravel()
            after = (new["record0"] + here[:, None] * new["m"] + inside).ravel()
            moved[before] = after
            slot = self._records["slot"][after]
            words(self._records)[after] = words(old_records)[before]
            self._records["slot"][after] = slot
        queued = self._records["waits"] == at.QUEUED
        self._records["link"][queued] = moved[self._records["link"][queued]]
        for column in ("head", "tail", "old"):
            self._queues[column] = moved[self._queues[column]]
        sizes = (int(self.state[i]) for i in (at.HEAP, at.READY, at.STARTS, at.BATCH))
        new_lists = (self._who, self._ready, self._starts, self._batch)
        for old_list, new_list, length in zip(lists, new_lists, sizes, strict=True):
            new_list[:length] = moved[old_list[:length]]
        heap = int(self.state[at.HEAP])
        self._keys[:heap] = keys[:heap]
        self._saved[: saved.size] = saved

    def _jump(self) -> None:
        """Leave out as many whole periods as keep the last iteration unmade, which has edges of its own."""
        groups, state = self.groups, self.state
        period = groups["retired"] - groups["saved"]
        moving = period > 0
        times = int(((groups["n"] - 1 - groups["made"])[moving] // period[moving]).min())
        if times > 0:
            groups["n"] -= times * period
            saved, found = int(state[at.SAVED_NOW]), int(state[at.NOW])
            self.skips.append(Skip(saved, found, times, period, groups["saved"].copy()))
        state[at.CHECKS] = state[at.SAVED] = 0


def spans(sorted_: Ints, total: int) -> tuple[Ints, Ints]:
    """Where each of ``total`` values begins and ends in a sorted array."""
    values = np.arange(total)
    return np.searchsorted(sorted_, values), np.searchsorted(sorted_, values, side="right")


def words(records: npt.NDArray[np.void]) -> npt.NDArray[np.int64]:
    """The same memory as whole words, which numpy copies several times faster than fields."""
    return records.view(np.int64).reshape(records.size, -1)
