"""A block of tasks in arrays: the leaf of every Program."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from accelsim.errors import AccelsimError

Array = npt.ArrayLike
Edges = tuple[Array, Array] | Sequence[Array]
LIMIT_PS = 2**62


class Flat:
    """A directed acyclic graph of tasks, one array entry per task.

    Parameters
    ----------
    resource : int[n]
        Index into the program's resources; -1 is a pure delay, which needs no server.
    duration : int[n]
        Service time in picoseconds, 0 or more.
    edges : (int[e], int[e])
        Sources and targets: a target waits until its source has ended.
    priority : int[n], optional
        Smaller first, small dense integers; read by resources of order ``priority`` only.
    kind : int[n], optional
        What a task is counted as; 0 for all if left out.

    Raises
    ------
    AccelsimError
        With every problem found: lengths, ranges, negative durations, a cycle.
    """

    __slots__ = (
        "derived",
        "duration",
        "follow",
        "kind",
        "numbered",
        "offsets",
        "priority",
        "resource",
        "waits",
        "work_ps",
    )

    def __init__(
        self,
        resource: Array,
        duration: Array,
        edges: Edges = ((), ()),
        priority: Array | None = None,
        kind: Array | None = None,
    ) -> None:
        problems: list[str] = []
        n = int(np.size(resource))
        self.resource = integers("resource", resource, n, np.int32, problems, low=-1)
        self.duration = integers("duration", duration, n, np.int64, problems, low=0)
        optional = (("priority", priority), ("kind", kind))
        self.priority, self.kind = (
            None if given is None else integers(name, given, n, np.int32, problems, low=None)
            for name, given in optional
        )
        source, target = edge_arrays(edges, n, problems)
        self.work_ps = total_ps(self.duration)
        if self.work_ps >= LIMIT_PS:
            problems.append(
                f"flat: the durations add up to {self.work_ps} ps; "
                "a program must stay below 2^62 ps (53 days)"
            )
        if problems:
            raise AccelsimError(*problems)
        self.derived: dict[object, object] = {}
        """What was worked out from the block alone (bounds, sums), for the next run of it."""
        from accelsim.kernel.adjacency import successors

        self.offsets, self.follow, self.waits, self.numbered = successors(n, source, target)
        if not self.numbered:
            self.order()

    def __len__(self) -> int:
        return self.resource.size

    def __repr__(self) -> str:
        return f"Flat({len(self)} tasks, {self.follow.size} edges)"

    def order(self) -> npt.NDArray[np.int32]:
        """Return the task numbers in an order in which no task stands before one it waits for."""
        if self.numbered:
            return np.arange(len(self), dtype=np.int32)
        from accelsim.kernel.adjacency import cycle, topological

        order, size = topological(self.offsets, self.follow, self.waits)
        if size < len(self):
            loop = " -> ".join(map(str, cycle(self.offsets, self.follow, order[:size])))
            raise AccelsimError(f"flat: tasks wait for each other in a cycle: {loop}")
        return np.asarray(order)

    def edges(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return (source, target), by source."""
        source = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.offsets))
        return source, self.follow

    def kinds(self) -> npt.NDArray[np.int32]:
        """Return the kind of every task."""
        return np.zeros(len(self), np.int32) if self.kind is None else self.kind

    def same_timing(self, other: object) -> bool:
        """Whether the two run alike whatever the resources; kinds do not matter."""
        if self is other:
            return True
        if not isinstance(other, Flat):
            return False
        if (len(self), self.follow.size, self.work_ps) != (len(other), other.follow.size, other.work_ps):
            return False
        if (self.priority is None) != (other.priority is None):
            return False
        names = ["duration", "resource", "offsets", "follow"] + ["priority"] * (self.priority is not None)
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)


def integers(
    name: str,
    given: Array,
    n: int,
    dtype: type,
    problems: list[str],
    low: int | None,
    high: int | None = None,
) -> npt.NDArray[Any]:
    """Return ``given`` as a contiguous array of ``dtype``; on a problem say so and return zeros."""
    array = np.asarray(given)
    if array.size == 0:
        array = array.reshape(-1).astype(dtype)
    if array.dtype.kind not in "iu":
        problems.append(f"flat: {name} must hold integers, not {array.dtype}")
    elif array.ndim != 1:
        problems.append(f"flat: {name} must have one dimension, not {array.ndim}")
    elif array.size != n:
        problems.append(f"flat: {name} has {array.size} entries, not {n}; every array has one entry per task")
    else:
        info = np.iinfo(dtype)
        lowest = info.min if low is None else low
        highest = info.max if high is None else high
        if n == 0 or (array.min() >= lowest and array.max() <= highest):
            return np.ascontiguousarray(array, dtype=dtype)
        at = int(np.flatnonzero((array < lowest) | (array > highest))[0])
        limit = f"at least {lowest}" if array[at] < lowest else f"at most {highest}"
        problems.append(f"flat: {name} of task {at} must be {limit}, not {array[at]}")
    return np.zeros(n, dtype)


def edge_arrays(
    edges: Edges, n: int, problems: list[str]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return (source, target) of edges between ``n`` tasks; on a problem say so and return none."""
    none = np.zeros(0, np.int32)
    if len(edges) != 2:
        problems.append(f"flat: edges must be (source, target), not {len(edges)} arrays")
        return none, none
    ends = []
    for name, given in zip(("source", "target"), edges, strict=True):
        array = np.asarray(given).reshape(-1)
        if array.size == 0:
            array = none
        if array.dtype.kind not in "iu":
            problems.append(f"flat: edge {name}s must be integers, not {array.dtype}")
            return none, none
        if array.size and not (array.min() >= 0 and array.max() < n):
            at = int(np.flatnonzero((array < 0) | (array >= n))[0])
            problems.append(f"flat: edge {at} names task {array[at]} as {name}, but there are {n} tasks")
            return none, none
        ends.append(np.ascontiguousarray(array, dtype=np.int32))
    if ends[0].size != ends[1].size:
        problems.append(f"flat: edges have {ends[0].size} sources and {ends[1].size} targets")
        return none, none
    if ends[0].size and (ends[0] == ends[1]).any():
        at = int(ends[0][np.flatnonzero(ends[0] == ends[1])[0]])
        problems.append(f"flat: task {at} waits for itself")
        return none, none
    return ends[0], ends[1]


def total_ps(duration: npt.NDArray[np.int64]) -> int:
    """Return the exact sum, as a Python integer: int64 could overflow before the limit is checked."""
    if duration.size == 0:
        return 0
    if int(duration.max()) < 2**62 // duration.size:
        return int(duration.sum())
    return sum(duration.tolist())
