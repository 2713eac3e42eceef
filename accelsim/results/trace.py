"""The timeline of a run, and its export as Chrome trace JSON (which Perfetto opens)."""

import json
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import AccelsimError

if TYPE_CHECKING:
    from accelsim.results.result import Result

PICOSECONDS_PER_MICROSECOND = 1_000_000


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
    """Write one track per resource and one for operators; ``ts`` and ``dur`` in microseconds, cycles in
    ``args``.

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
    operators = len(timeline.resources)
    name = f"{result.workload} on {result.architecture}"
    file.write('{"displayTimeUnit": "ns", "traceEvents": [\n')
    head: list[dict[str, Any]] = [{"ph": "M", "pid": 1, "name": "process_name", "args": {"name": name}}]
    for track, label in enumerate((*timeline.resources, "operators", "not simulated again")):
        for key, args in (("thread_name", {"name": label}), ("thread_sort_index", {"sort_index": track})):
            head.append({"ph": "M", "pid": 1, "tid": track, "name": key, "args": args})
    head += [
        _span(o.name, operators, o.start_s * 1e6, o.latency_s * 1e6)
        | {"args": {"type": o.type, "macs": o.macs, "cycles": o.cycles}}
        for o in result.operators
        if o.start_s is not None
    ]
    head += [
        _span(j.label, operators + 1, j.start_ps / 1e6, (j.end_ps - j.start_ps) / 1e6) for j in timeline.jumps
    ]
    file.write(",\n".join(json.dumps(event) for event in head))
    scale = (result.clock_Hz or 0.0) / 1e12
    columns = (timeline.start_ps, timeline.end_ps, timeline.resource, timeline.kind, timeline.operator)
    for start, end, resource, kind, operator_index in zip(*(c.tolist() for c in columns), strict=True):
        if resource < 0 or end == start:
            continue
        event = _span(
            timeline.kinds[kind],
            resource,
            start / PICOSECONDS_PER_MICROSECOND,
            (end - start) / PICOSECONDS_PER_MICROSECOND,
        )
        event["args"] = {"operator": timeline.operators[operator_index]}
        if scale:
            event["args"]["cycles"] = round((end - start) * scale)
        file.write(",\n" + json.dumps(event))
    file.write("\n]}\n")


def _span(name: str, track: int, start_us: float, duration_us: float) -> dict[str, Any]:
    return {"ph": "X", "pid": 1, "tid": track, "name": name, "ts": start_us, "dur": duration_us}
