"""What a run of one node found, kinds apart: the thing that is memoised."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Ints = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Route:
    """How a figure was obtained.

    ``kind`` is ``full`` (every task simulated), ``in_order`` (one pass without events),
    ``memoised`` (an equal part was simulated before), ``repeat`` (whole periods were jumped),
    ``streamed`` (a repeat run in full in constant memory), ``serial`` (made of parts) or ``simpy``.
    ``period`` and ``transient`` are iterations of the block; 0 unless kind is ``repeat``.
    """

    kind: str
    period: int = 0
    transient: int = 0


@dataclass(frozen=True, slots=True)
class Jump:
    """A stretch of time a trace leaves out: ``label`` says what happens in it."""

    start_ps: int
    end_ps: int
    label: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Figures of one simulated node.

    ``visits`` holds, for each Flat of the node, (tasks on the critical path, how often): a repeat
    walks the same block task many times; None if the path was not kept. ``shown`` holds what a trace
    shows: (which Flat, tasks, starts in picoseconds). ``path`` is the path in order, for one Flat.
    """

    makespan_ps: int
    lower_ps: int
    upper_ps: int
    simulated: int
    route: Route
    visits: tuple[tuple[Ints, Ints], ...] | None
    shown: tuple[tuple[int, Ints, Ints], ...] = ()
    jumps: tuple[Jump, ...] = ()
    path: Ints | None = None
