"""The timeline of a run, and its export as Chrome trace JSON (which Perfetto opens)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import AccelsimError

if TYPE_CHECKING:
    from accelsim.results.result import Result

PER_MICROSECOND = 1_000_000
OPERATORS = 0
"""The track of operators, above the resources."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A stretch that was not simulated again because it repeats what stands before it."""

    start_ps: int
    end_ps: int
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Tasks of a run in arrays: times in picoseconds, indices into the name tables."""

    resources: tuple[str, ...]
    kinds: tuple[str, ...]
    operators: tuple[str, ...]
    start_ps: NDArray[np.int64]
    end_ps: NDArray[np.int64]
    resource: NDArray[np.int64]
    kind: NDArray[np.int64]
    operator: NDArray[np.int64]
    jumps: tuple[Jump, ...] = ()


def write_trace(result: "Result", path: str | PathLike[str]) -> None:
    """Write one track per server of each resource, one for operators, and one for what was not simulated.

    ``ts`` and ``dur`` are in microseconds, cycles stand in ``args``.

    Raises
    ------
    AccelsimError
        If the result has no events, or the file cannot be written.
    """
    if result.timeline is None:
        raise AccelsimError(
            f"a {result.engine} result has no timeline; run with engine 'compiled' or 'simpy'"
        )
    timeline = result.timeline(False)
    try:
        with Path(path).open("w", encoding="utf-8") as file:
            _write(result, timeline, file)
    except OSError as error:
        raise AccelsimError(f"{path}: cannot write the trace: {error.strerror}") from error


def _write(result: "Result", timeline: Timeline, file: IO[str]) -> None:
    servers = {r.name: r.servers or 1 for r in result.queues}
    counts = [servers.get(name, 1) for name in timeline.resources]
    first = np.cumsum([OPERATORS + 1, *counts])
    labels = {OPERATORS: "operators"}
    for name, track, count in zip(timeline.resources, first.tolist(), counts, strict=False):
        labels |= {track + lane: name if count == 1 else f"{name} {lane}" for lane in range(count)}
    skipped = int(first[-1])
    if timeline.jumps:
        labels[skipped] = "not simulated again"
    about = {"workload": result.workload, "architecture": result.architecture, "engine": result.engine}
    file.write(f'{{"displayTimeUnit": "ns", "otherData": {json.dumps(about)}, "traceEvents": [\n')
    head = [*_names(f"{result.workload} on {result.architecture}", labels), *_operators(result)]
    head += [
        _span(
            "jump", j.label, skipped, j.start_ps / PER_MICROSECOND, (j.end_ps - j.start_ps) / PER_MICROSECOND
        )
        for j in timeline.jumps
    ]
    file.write(",\n".join(json.dumps(event) for event in head))
    file.writelines(_tasks(result, timeline, first, counts))
    file.write("\n]}\n")


def _names(process: str, labels: dict[int, str]) -> Iterator[dict[str, Any]]:
    """Events that name the tracks and keep them in order."""
    yield {"ph": "M", "pid": 1, "tid": 0, "name": "process_name", "args": {"name": process}}
    for track, label in labels.items():
        for key, args in (("thread_name", {"name": label}), ("thread_sort_index", {"sort_index": track})):
            yield {"ph": "M", "pid": 1, "tid": track, "name": key, "args": args}


def _operators(result: "Result") -> Iterator[dict[str, Any]]:
    for o in result.operators:
        if o.start_s is not None:
            figures = {name: getattr(o, name) for name in ("type", "macs", "cycles", "bound_by", "mapping")}
            start, length = round(o.start_s * 1e6, 6), round(o.latency_s * 1e6, 6)
            yield _span("operator", o.name, OPERATORS, start, length) | {"args": figures}


def _tasks(
    result: "Result", timeline: Timeline, first: NDArray[np.int64], counts: Sequence[int]
) -> Iterator[str]:
    """One line per task that takes time on a resource."""
    # Written piece by piece: a trace may hold millions of tasks, and names repeat.
    kinds = [json.dumps(name) for name in timeline.kinds]
    operators = [json.dumps(name) for name in timeline.operators]
    mine = np.flatnonzero((timeline.resource >= 0) & (timeline.end_ps > timeline.start_ps))
    start, end = timeline.start_ps[mine], timeline.end_ps[mine]
    track = first[timeline.resource[mine]]
    for resource, count in enumerate(counts):
        if count > 1:
            here = timeline.resource[mine] == resource
            track[here] += _lanes(start[here], end[here])
    cycles = np.rint((end - start) * ((result.clock_Hz or 0.0) / 1e12)).astype(np.int64)
    columns = (start, end, track, timeline.kind[mine], timeline.operator[mine], cycles)
    for begin, finish, tid, kind, operator, length in zip(*(c.tolist() for c in columns), strict=True):
        more = f', "cycles": {length}' if result.clock_Hz else ""
        yield (
            f',\n{{"ph": "X", "pid": 1, "tid": {tid}, "cat": "task", "name": {kinds[kind]},'
            f' "ts": {begin / PER_MICROSECOND}, "dur": {(finish - begin) / PER_MICROSECOND},'
            f' "args": {{"operator": {operators[operator]}{more}}}}}'
        )


def _lanes(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Server of each task: the lowest one that is free when it starts."""
    lanes = np.zeros(len(start), np.int64)
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    for task in np.lexsort((end, start)).tolist():
        while busy and busy[0][0] <= start[task]:
            heappush(free, heappop(busy)[1])
        lane = heappop(free) if free else len(busy)
        lanes[task] = lane
        heappush(busy, (int(end[task]), lane))
    return lanes


def _span(category: str, name: str, track: int, start_us: float, duration_us: float) -> dict[str, Any]:
    return {
        "ph": "X",
        "pid": 1,
        "tid": track,
        "cat": category,
        "name": name,
        "ts": start_us,
        "dur": duration_us,
    }
