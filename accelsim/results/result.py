"""The answer of a run: totals, bounds, one row per operator and per resource."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes
    from pandas import DataFrame

    from accelsim.results.trace import Timeline


@dataclass(frozen=True, slots=True)
class OperatorResult:
    """One operator. Times in seconds from the start of the run; None where the model has no such number.

    ``utilisation`` is MACs over what the array could have done in that time, ``bound_by`` the resource that
    the critical path spends most time on (where operators overlap: that its own tasks occupy longest),
    ``bytes`` what each memory and link moved, ``fused_into`` the operator that this one rides on. On a chip
    of several parts ``unit`` names the part that runs it; ``planned_start_s`` and ``planned_end_s`` are the
    schedule's, before contention. ``certificate`` says what the search of its mapping has
    proven. ``pes`` are the processing elements in use, ``held_B`` the bytes of one
    full tile by memory and tensor.
    """

    name: str
    type: str
    macs: int
    parameters: int
    bytes: Mapping[str, int]
    cycles: int | None
    start_s: float | None
    end_s: float | None
    utilisation: float | None
    bound_by: str | None
    energy_J: float | None
    closed_form_s: float | None = None
    fused_into: str | None = None
    mapping: str = ""
    certificate: str = ""
    pes: int | None = None
    held_B: Mapping[str, int] = field(default_factory=dict)
    unit: str | None = None
    planned_start_s: float | None = None
    planned_end_s: float | None = None

    @property
    def latency_s(self) -> float:
        """Seconds from start to end; 0 for an operator that takes none."""
        return 0.0 if self.start_s is None or self.end_s is None else self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class ResourceResult:
    """One resource: how long its servers were busy, the bytes it moved, its energy.

    A memory that never makes anything wait (registers, a buffer without a port of its own) has no servers.
    """

    name: str
    servers: int | None
    busy_s: float | None
    utilisation: float | None
    bytes: int | None
    energy_J: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of ``simulate``; every name carries its unit, None stands where a model has no number.

    ``lower_bound_s`` and ``upper_bound_s`` hold for every order in which the queues could have been served.
    ``critical_s`` splits the latency over what the critical path was doing. ``closed_form_s`` is the family's
    estimate of the same thing without events.
    """

    workload: str
    architecture: str
    engine: str
    latency_s: float
    energy_J: float | None
    area_mm2: float | None
    lower_bound_s: float | None
    upper_bound_s: float | None
    cycles: int | None
    closed_form_s: float | None
    metrics: Mapping[str, float | None]
    operators: tuple[OperatorResult, ...]
    resource_results: tuple[ResourceResult, ...]
    critical_s: Mapping[str, float]
    energy_by_component_J: Mapping[str, float | None]
    area_by_component_mm2: Mapping[str, float | None]
    route: Mapping[str, Any]
    counts: Mapping[str, int]
    preset: str
    switches: Mapping[str, Any]
    sources: tuple[str, ...]
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    clock_Hz: float | None = None
    peak_macs_per_s: float | None = None
    memory_B_per_s: float | None = None
    timeline: "Callable[[bool], Timeline] | None" = field(default=None, repr=False, compare=False)

    @property
    def queues(self) -> tuple[ResourceResult, ...]:
        """The resources that tasks wait for, in the order of the timeline's indices."""
        return tuple(r for r in self.resource_results if r.servers is not None)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, in the form that ``accelsim run --json`` prints."""
        row = {
            name: getattr(self, name)
            for name in self.__slots__
            if name not in ("timeline", "operators", "resource_results")
        }
        row["operators"] = [
            {**asdict(o), "bytes": dict(o.bytes), "held_B": dict(o.held_B)} for o in self.operators
        ]
        row["resources"] = [asdict(r) for r in self.resource_results]
        for name in (
            "metrics",
            "critical_s",
            "energy_by_component_J",
            "area_by_component_mm2",
            "route",
            "counts",
        ):
            row[name] = dict(row[name])
        row["switches"] = dict(self.switches)
        for name in ("sources", "assumptions", "notes"):
            row[name] = list(row[name])
        return row

    def to_frame(self) -> "DataFrame":
        """One row per operator; bytes per memory in columns ``bytes_<memory>``."""
        from accelsim.results.tables import operator_frame

        return operator_frame(self)

    def resources(self) -> "DataFrame":
        """One row per resource; a memory without servers has no busy time. Energies add up to the run's."""
        from accelsim.results.tables import resource_frame

        return resource_frame(self)

    def bottlenecks(self) -> "DataFrame":
        """What the critical path spent its time on, largest share first; the shares add up to 1."""
        from accelsim.results.tables import bottleneck_frame

        return bottleneck_frame(self)

    def write_trace(self, path: "str | PathLike[str]") -> None:
        """Write the timeline as Chrome trace JSON, which Perfetto opens."""
        from accelsim.results.trace import write_trace

        write_trace(self, path)

    def plot_roofline(self, ax: "Axes | None" = None) -> "Axes":
        """Operators under the roofline of the machine (needs the ``plot`` extra)."""
        from accelsim.results.plots import plot_roofline

        return plot_roofline(self, ax)

    def plot_timeline(self, ax: "Axes | None" = None) -> "Axes":
        """Busy time of each resource over the run (needs the ``plot`` extra)."""
        from accelsim.results.plots import plot_timeline

        return plot_timeline(self, ax)

    def plot_gantt(self, ax: "Axes | None" = None) -> "Axes":
        """Which part runs which layer when, planned and with contention (needs the ``plot`` extra)."""
        from accelsim.results.gantt import plot_gantt

        return plot_gantt(self, ax)

    def __str__(self) -> str:
        from accelsim.results.summary import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from accelsim.results.html import result_html

        return result_html(self)
