"""What a run returns: figures of the whole and of each part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from accelsim.errors import AccelsimError
from accelsim.kernel.flat import Flat
from accelsim.kernel.resource import Resource
from accelsim.kernel.timing import Ints, Jump, Route, Timing


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the tasks of a node, whatever their times; integers, per resource or per kind."""

    tasks: int
    tasks_per_resource: Ints
    busy_ps: Ints
    kind_count: Ints
    kind_busy_ps: Ints

    @classmethod
    def of(cls, flat: Flat, n_resources: int, kinds: int) -> Self:
        """Sum over one block, once. Barriers (kind -1) are not counted."""
        key = ("totals", n_resources, kinds)
        if key not in flat.derived:
            flat.derived[key] = cls._of(flat, n_resources, kinds)
        known = flat.derived[key]
        assert isinstance(known, cls)
        return known

    @classmethod
    def _of(cls, flat: Flat, n_resources: int, kinds: int) -> Self:
        from accelsim.kernel.sums import kind_sums, resource_sums

        tasks, busy = resource_sums(flat, n_resources)
        count, kind_busy = kind_sums(flat, kinds)
        return cls(int(count[:-1].sum()), tasks[:-1], busy[:-1], count[:-1], kind_busy[:-1])

    @classmethod
    def sum(cls, parts: Sequence[tuple["Totals", int]], n_resources: int, kinds: int) -> Self:
        """Add totals, each a number of times."""
        names = ("tasks_per_resource", "busy_ps", "kind_count", "kind_busy_ps")
        sums = [np.zeros(size, np.int64) for size in (n_resources, n_resources, kinds, kinds)]
        for total, times in parts:
            for column, name in zip(sums, names, strict=True):
                column += getattr(total, name) * times
        return cls(sum(t.tasks * times for t, times in parts), *sums)


@dataclass(frozen=True, slots=True)
class Part:
    """Figures of one part of a run; times in integer picoseconds from the start of the run.

    ``busy_ps`` and ``tasks_per_resource`` have one entry per resource, ``kind_*`` and ``critical_*``
    one per kind. ``critical_ps`` adds up to the part's makespan: the time each kind is on the
    critical path, which ``critical_count`` counts in tasks. Both are None where a long repeat was
    run in full without keeping its path.
    """

    name: str
    start_ps: int
    end_ps: int
    lower_ps: int
    upper_ps: int
    tasks: int
    simulated: int
    route: Route
    tasks_per_resource: Ints
    busy_ps: Ints
    kind_count: Ints
    kind_busy_ps: Ints
    critical_ps: Ints | None
    critical_count: Ints | None

    @property
    def makespan_ps(self) -> int:
        """Time from start to end."""
        return self.end_ps - self.start_ps


@dataclass(frozen=True, slots=True)
class Shown:
    """A leaf of the tree as it ran: what traces and paths are read from."""

    part: int
    start_ps: int
    flats: tuple[Flat, ...]
    timing: Timing
    again: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """Tasks of a run, in no particular order, one array entry each; ``part`` is the child of the root."""

    start_ps: Ints
    end_ps: Ints
    resource: Ints
    kind: Ints
    part: Ints


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """Tasks of a run each of which let the next one start; ``end_ps`` equals the next one's start."""

    task: Ints
    start_ps: Ints
    end_ps: Ints
    kind: Ints
    part: Ints


@dataclass(frozen=True, slots=True)
class Result(Part):
    """Figures of a whole run; ``parts`` are those of the children of a Serial root, in order."""

    resources: tuple[Resource, ...]
    parts: tuple[Part, ...]
    shown: tuple[Shown, ...]
    kept: bool

    @property
    def jumps(self) -> tuple[Jump, ...]:
        """Stretches a trace leaves out, because the same was simulated before."""
        return tuple(self._jumps())

    def _jumps(self) -> Iterator[Jump]:
        for leaf in self.shown:
            if leaf.again:
                yield Jump(leaf.start_ps, leaf.start_ps + leaf.timing.makespan_ps, "as an equal part before")
            else:
                for jump in leaf.timing.jumps:
                    yield Jump(jump.start_ps + leaf.start_ps, jump.end_ps + leaf.start_ps, jump.label)

    def trace(self) -> Trace:
        """Return the simulated tasks; repeated and equal parts are shown once (see ``jumps``).

        Raises
        ------
        AccelsimError
            If the run did not keep starts.
        """
        if not self.kept:
            raise AccelsimError("trace: the run kept no start times; pass keep_starts=True to run()")
        columns: list[list[Ints]] = [[] for _ in range(5)]
        for leaf in self.shown:
            if leaf.again:
                continue
            for which, tasks, starts in leaf.timing.shown:
                flat = leaf.flats[which]
                kind = flat.kinds()[tasks]
                real = kind >= 0
                tasks, start = tasks[real], starts[real] + leaf.start_ps
                row = start, start + flat.duration[tasks], flat.resource[tasks], kind[real]
                for column, values in zip(columns, row, strict=False):
                    column.append(values)
                columns[4].append(np.full(start.size, leaf.part, np.int32))
        return Trace(*(np.concatenate(c) if c else np.zeros(0, np.int64) for c in columns))

    def critical_path(self) -> CriticalPath:
        """Return the critical path in order of time; its durations add up to the makespan.

        ``task`` counts inside each Flat (or expanded Parallel) of the tree.

        Raises
        ------
        AccelsimError
            If a repeat was not run flat: there only ``critical_ps`` per kind is known.
        """
        if any(leaf.timing.path is None for leaf in self.shown):
            raise AccelsimError(
                "critical_path: a repeated block was not run task by task; use critical_ps per kind"
            )
        columns: list[list[Ints]] = [[] for _ in range(5)]
        for leaf in self.shown:
            (flat, *_), path = leaf.flats, leaf.timing.path
            assert path is not None
            real = path[flat.kinds()[path] >= 0]
            end = leaf.start_ps + np.cumsum(flat.duration[real])
            row = (
                real,
                end - flat.duration[real],
                end,
                flat.kinds()[real],
                np.full(real.size, leaf.part, np.int32),
            )
            for column, values in zip(columns, row, strict=True):
                column.append(values)
        return CriticalPath(*(np.concatenate(c) if c else np.zeros(0, np.int64) for c in columns))
