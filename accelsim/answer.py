"""From a run of the kernel, or from the closed form alone, to a Result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from accelsim.errors import AccelsimError
from accelsim.kernel import run
from accelsim.mapping.family import Lowered, Work
from accelsim.results.result import OperatorResult, ResourceResult, Result
from accelsim.results.trace import Jump, Timeline

if TYPE_CHECKING:
    from accelsim.graph.layer_graph import LayerGraph
    from accelsim.kernel.result import Part
    from accelsim.kernel.result import Result as Run
    from accelsim.spec.architecture import Architecture

PER_SECOND = 10**12


@dataclass(frozen=True)
class Compiled:
    """A workload lowered onto a machine.

    ``lowered`` holds the program and the figures that do not depend on events; ``switches`` are those of the
    preset and those given beside it, ``batch`` the inputs processed together.
    """

    graph: "LayerGraph"
    architecture: "Architecture"
    lowered: "Lowered"
    preset: str
    switches: Mapping[str, Any]
    batch: int


def _total(values: Sequence[float | None]) -> float | None:
    """Sum, or None if any part is unknown.

    Raises
    ------
    AccelsimError
        If it is no finite number.
    """
    if not isfinite(sum(v for v in values if v is not None)):
        raise AccelsimError("an energy or area is too large to be a number: is a price off by its unit?")
    return None if any(v is None for v in values) else float(sum(v for v in values if v is not None))


def _by_component(works: Sequence[Work]) -> dict[str, float | None]:
    names = dict.fromkeys(name for work in works for name in work.energy_J)
    return {n: _total([w.energy_J[n] for w in works if n in w.energy_J]) for n in names}


def _clock_Hz(model: "Compiled") -> float | None:
    period = model.lowered.cycle_ps
    return None if period is None else 1e12 * period[1] / period[0]


def _seconds(model: "Compiled", cycles: int | None) -> float | None:
    period = model.lowered.cycle_ps
    return None if cycles is None or period is None else cycles * period[0] / period[1] / PER_SECOND


def _common(model: "Compiled", latency_s: float) -> dict[str, Any]:
    """Figures that do not depend on how the latency was found."""
    lowered, machine = model.lowered, model.architecture
    macs = sum(w.macs for w in lowered.works)
    energy = _by_component(lowered.works)
    total = _total(list(energy.values()))
    peak = lowered.peak_macs_per_s
    sources = [machine.source, *(c.source for c in machine.components.values())]
    return {
        "workload": model.graph.name,
        "architecture": machine.name,
        "energy_J": total,
        "energy_by_component_J": energy,
        "area_mm2": _total(list(lowered.area_mm2.values())),
        "area_by_component_mm2": dict(lowered.area_mm2),
        "metrics": {
            "inferences_per_s": model.batch / latency_s if latency_s else None,
            "macs_per_s": macs / latency_s if latency_s else None,
            "utilisation": macs / latency_s / peak if latency_s and peak else None,
            "average_power_W": total / latency_s if latency_s and total is not None else None,
            **lowered.metrics,
        },
        "preset": model.preset,
        "switches": dict(model.switches),
        "sources": tuple(dict.fromkeys(s for s in (*sources, *lowered.sources) if s)),
        "assumptions": tuple(
            dict.fromkeys(
                [*machine.assumptions, *(a for c in machine.components.values() for a in c.assumptions)]
                if lowered.assumptions is None
                else lowered.assumptions
            )
        ),
        "notes": lowered.notes,
        "clock_Hz": _clock_Hz(model),
        "peak_macs_per_s": peak,
        "memory_B_per_s": lowered.memory_B_per_s,
    }


def _noted(model: "Compiled", latency_s: float) -> dict[str, Any]:
    """The common figures, with a word on a deadline that only the schedule meets."""
    common = _common(model, latency_s)
    deadline = model.lowered.deadline_s
    if deadline is not None and latency_s > deadline:
        text = (
            f"with contention the deadline of {deadline * 1e6:g} us is missed by"
            f" {(latency_s - deadline) * 1e6:.3g} us; the schedule alone meets it"
        )
        common["notes"] = (*common["notes"], text)
    return common


def closed_form_result(model: "Compiled") -> Result:
    """The answer without events: operators one after the other, each as long as its estimate; or as
    scheduled.
    """
    now = 0
    operators = []
    scheduled = any(work.planned_ps is not None for work in model.lowered.works)
    for work in model.lowered.works:
        if scheduled:
            start, end = _planned(work)
            operators.append(_operator(model, work, work.closed_form_cycles, start, end, None))
            continue
        cycles = work.closed_form_cycles
        start, end = (None, None) if cycles is None else (_seconds(model, now), _seconds(model, now + cycles))
        now += cycles or 0
        operators.append(_operator(model, work, cycles, start, end, None))
    latency = max(o.end_s or 0.0 for o in operators) if scheduled else _seconds(model, now) or 0.0
    return Result(
        engine="closed-form",
        latency_s=latency,
        lower_bound_s=None,
        upper_bound_s=None,
        cycles=None if scheduled else now,
        closed_form_s=latency,
        operators=tuple(operators),
        resource_results=(),
        critical_s={},
        route={"kind": "closed-form", "period": None, "transient": None},
        counts={"tasks": 0, "simulated": 0},
        **_common(model, latency),
    )


def event_result(model: "Compiled", engine: str, fast_forward: bool) -> Result:
    """Run the program and attribute its time."""
    lowered = model.lowered
    overlapping = any(work.tasks is not None for work in lowered.works)
    ran = run(lowered.program, engine=engine, fast_forward=fast_forward, keep_starts=overlapping)
    latency = ran.makespan_ps / PER_SECOND
    operators = _overlapping(model, ran) if overlapping else []
    for work in () if overlapping else lowered.works:
        if work.part is None:
            operators.append(_operator(model, work, None, None, None, None))
            continue
        part = ran.parts[work.part]
        cycles = _cycles(model, part)
        bound = _bound_by(model, part)
        operators.append(
            _operator(model, work, cycles, part.start_ps / PER_SECOND, part.end_ps / PER_SECOND, bound)
        )
    closed = [w.closed_form_cycles for w in lowered.works if w.part is not None]
    estimate = None if any(c is None for c in closed) else sum(c for c in closed if c is not None)
    closed_form = _seconds(model, estimate)
    if overlapping:
        closed_form = max(_planned(work)[1] or 0.0 for work in lowered.works)
    return Result(
        engine=engine,
        latency_s=latency,
        lower_bound_s=ran.lower_ps / PER_SECOND,
        upper_bound_s=ran.upper_ps / PER_SECOND,
        cycles=_cycles(model, ran) if overlapping else _sum([_cycles(model, part) for part in ran.parts]),
        closed_form_s=closed_form,
        operators=tuple(operators),
        resource_results=_resources(model, ran),
        critical_s=_critical(model, ran),
        route={"kind": ran.route.kind, "period": ran.route.period, "transient": ran.route.transient},
        counts={"tasks": ran.tasks, "simulated": ran.simulated},
        timeline=lambda everything: _timeline(model, engine, everything),
        **_noted(model, latency),
    )


def _planned(work: Work) -> tuple[float | None, float | None]:
    """Start and end that the schedule gives an operator, in seconds."""
    if work.planned_ps is None:
        return None, None
    return work.planned_ps[0] / PER_SECOND, work.planned_ps[1] / PER_SECOND


def _overlapping(model: "Compiled", ran: "Run") -> list[OperatorResult]:
    """Operators of one block in which several run at a time: from the barriers around their tasks."""
    (leaf,) = ran.shown
    flat = leaf.flats[0]
    start = np.zeros(len(flat), np.int64)
    for _, tasks, starts in leaf.timing.shown:
        start[tasks] = starts
    found = []
    for work in model.lowered.works:
        if work.tasks is None:
            found.append(_operator(model, work, None, None, None, None))
            continue
        first, last = work.tasks
        own = slice(first, last + 1)
        real = flat.resource[own] >= 0
        busy = np.bincount(flat.resource[own][real], flat.duration[own][real], len(ran.resources))
        bound = ran.resources[int(np.argmax(busy))].name if busy.any() else None
        # barriers take no time: their starts are the operator's own limits
        limits = int(start[first]) / PER_SECOND, int(start[last]) / PER_SECOND
        found.append(_operator(model, work, None, *limits, bound))
    return found


def _sum(values: Sequence[int | None]) -> int | None:
    return None if any(v is None for v in values) else sum(v for v in values if v is not None)


def _operator(
    model: "Compiled",
    work: Work,
    cycles: int | None,
    start: float | None,
    end: float | None,
    bound: str | None,
) -> OperatorResult:
    duration = 0.0 if start is None or end is None else end - start
    peak = model.lowered.peak_macs_per_s
    return OperatorResult(
        name=work.name,
        type=work.type,
        macs=work.macs,
        parameters=work.parameters,
        bytes=dict(work.bytes),
        cycles=cycles,
        start_s=start,
        end_s=end,
        utilisation=work.macs / duration / peak if duration and peak else None,
        bound_by=bound,
        energy_J=_total(list(work.energy_J.values())) if work.energy_J else None,
        closed_form_s=_seconds(model, work.closed_form_cycles),
        fused_into=work.fused_into,
        mapping=work.mapping,
        certificate=work.certificate,
        pes=work.pes,
        held_B=dict(work.held_B),
        unit=work.unit,
        planned_start_s=_planned(work)[0],
        planned_end_s=_planned(work)[1],
    )


def _cycles(model: "Compiled", part: "Part | Run") -> int | None:
    """Cycles of the tasks on the critical path; each task's picoseconds were its cycles, rounded up once."""
    period = model.lowered.cycle_ps
    if period is None or part.critical_ps is None or part.critical_count is None:
        return None
    numerator, denominator = period
    if denominator == 1:
        return int(part.critical_ps.sum()) // numerator
    # A task of c cycles lasts ceil(c * period); with fewer tasks than picoseconds in a cycle the excess of
    # all of them together is below one cycle.
    if int(part.critical_count.sum()) * denominator >= numerator:
        return None
    return int(part.critical_ps.sum()) * denominator // numerator


def _bound_by(model: "Compiled", part: "Part") -> str | None:
    """The resource with the largest share of the critical path."""
    if part.critical_ps is None:
        return None
    share: dict[str, int] = {}
    for kind, time in zip(model.lowered.kinds, part.critical_ps.tolist(), strict=True):
        if kind.resource is not None:
            share[kind.resource] = share.get(kind.resource, 0) + time
    return max(share, key=lambda name: share[name]) if any(share.values()) else None


def _critical(model: "Compiled", ran: "Run") -> dict[str, float]:
    """Critical time per activity over all operators."""
    total = np.zeros(len(model.lowered.kinds), np.int64)
    for part in ran.parts or (ran,):
        if part.critical_ps is None:
            return {}
        total += part.critical_ps
    return {
        f"{kind.action} ({kind.resource})" if kind.resource else kind.action: time / PER_SECOND
        for kind, time in zip(model.lowered.kinds, total.tolist(), strict=True)
        if time
    }


def _resources(model: "Compiled", ran: "Run") -> tuple[ResourceResult, ...]:
    """One row per resource of the kernel, then one per component that has bytes or energy without being one.

    Their energies add up to the run's; that of a component in parts is split by the bytes they moved.
    """
    energy = _by_component(model.lowered.works)
    moved: dict[str, int] = {}
    for work in model.lowered.works:
        for name, size in work.bytes.items():
            moved[name] = moved.get(name, 0) + size
    owner = {r.name: model.lowered.component_of.get(r.name, r.name) for r in ran.resources}
    rows = []
    for resource, busy in zip(ran.resources, ran.busy_ps.tolist(), strict=True):
        capacity = ran.makespan_ps * resource.servers
        parts = [name for name, component in owner.items() if component == owner[resource.name]]
        total, whole = sum(moved.get(part, 0) for part in parts), energy.get(owner[resource.name])
        share = moved.get(resource.name, 0) / total if len(parts) > 1 and total else 1 / len(parts)
        rows.append(
            ResourceResult(
                name=resource.name,
                servers=resource.servers,
                busy_s=busy / PER_SECOND,
                utilisation=busy / capacity if capacity else 0.0,
                bytes=moved.get(resource.name),
                energy_J=None if whole is None else whole * share,
            )
        )
    without = [n for n in dict.fromkeys((*moved, *energy)) if n not in owner and n not in owner.values()]
    rows += [ResourceResult(name, None, None, None, moved.get(name), energy.get(name)) for name in without]
    return tuple(rows)


def _timeline(model: "Compiled", engine: str, everything: bool) -> Timeline:
    """Run again and keep every start; equal layers are shown once and then as jumps, or every time."""
    ran = run(model.lowered.program, engine=engine, fast_forward=not everything, keep_starts=True)
    trace = ran.trace()
    names = tuple(p.name for p in ran.parts)
    operator = trace.part.astype(np.int64)
    spans = sorted((w.tasks[0], w.name) for w in model.lowered.works if w.tasks is not None)
    if spans:
        # one block: operators are runs of task numbers
        names = tuple(name for _, name in spans)
        tasks = np.concatenate([tasks for _, tasks, _ in ran.shown[0].timing.shown])
        operator = np.searchsorted([first for first, _ in spans], tasks, side="right") - 1
    return Timeline(
        resources=tuple(r.name for r in ran.resources),
        kinds=tuple(k.action for k in model.lowered.kinds),
        operators=names,
        start_ps=trace.start_ps.astype(np.int64),
        end_ps=trace.end_ps.astype(np.int64),
        resource=trace.resource.astype(np.int64),
        kind=trace.kind.astype(np.int64),
        operator=operator,
        jumps=tuple(Jump(j.start_ps, j.end_ps, j.label) for j in ran.jumps),
    )
