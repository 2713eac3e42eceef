"""A graph on one or several sub-accelerators under a calibration: time, energy and area all come from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np

from accelsim.errors import AccelsimError
from accelsim.graph.dtypes import check_precision
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.operator import Operator
from accelsim.kernel import Flat, Program, Resource, Serial
from accelsim.mapper.assignment import Assignment
from accelsim.mapping.asic.calibrated import CalibratedModel, LayerCost, SubAccelerator, sub_accelerators
from accelsim.mapping.asic.options import AsicOptions
from accelsim.mapping.asic.problems import sentences
from accelsim.mapping.asic.schedule import BARRIER_KIND, best_schedule, chains_of, one_block
from accelsim.mapping.asic.timing import cycle_ps, to_ps
from accelsim.mapping.family import Kind, Lowered, Work
from accelsim.spec.architecture import Architecture
from accelsim.spec.calibration import Calibration

PER_MM2 = 1e6
READINGS = {"nJ": 1e-9, "pJ": 1e-12}
"""Joules of the calibration's unit in the two readings of its sources."""

Subs = tuple[SubAccelerator, ...]
Costs = Mapping[str, Sequence[LayerCost | None]]
"""Operator -> its cost on each sub-accelerator, None where it cannot run."""


def layer_costs(graph: LayerGraph, subs: Subs, model: CalibratedModel, where: str) -> Costs:
    """Cost of every operator with multiply-accumulates on every sub-accelerator.

    Raises
    ------
    AccelsimError
        If one runs on none; all of them at once.
    """
    costs: dict[str, list[LayerCost | None]] = {}
    problems: list[tuple[str, str]] = []
    for operator in graph.operators:
        if not operator.shapes:
            continue
        found: list[LayerCost | None] = []
        faults: list[str] = []
        for sub in subs:
            try:
                found.append(LayerCost.total([model.cost(shape, sub) for shape in operator.shapes]))
            except AccelsimError as error:
                found.append(None)
                faults += error.problems
        if not any(found):
            problems += [(operator.name, text) for text in dict.fromkeys(faults)]
        costs[operator.name] = found
    if problems:
        raise AccelsimError(*sentences(problems, where))
    return costs


def lower_calibrated(
    graph: LayerGraph, architecture: Architecture, calibration: Calibration, options: AsicOptions
) -> Lowered:
    """Lower a graph; on several sub-accelerators by the schedule for the goal of the options.

    Raises
    ------
    AccelsimError
        If a part is not what the model knows, a layer fits none, or no schedule meets the deadline.
    """
    where = f"{graph.name} on {architecture.name}"
    if options.dataflow is not None and architecture.parts:
        first = next(iter(architecture.parts))
        raise AccelsimError(
            f"{architecture.name}: switch dataflow is for one array; set parts.{first}.dataflow instead"
        )
    precision = check_precision(architecture.defaults.precision)
    subs = sub_accelerators(architecture, precision, options.dataflow)
    model = CalibratedModel(calibration, calibration.switches.model_copy(update=options.readings))
    costs = layer_costs(graph, subs, model, where)
    if not costs:
        raise AccelsimError(
            f"{graph.name}: calibration {calibration.name!r} counts multiply-accumulates, and it has none"
        )
    period = cycle_ps(subs[0].array.clock)
    if len(subs) == 1:
        program, placed = _one_by_one(subs[0], costs, period)
        kinds, notes = [Kind("compute", subs[0].name)], []
    else:
        program, placed, chains = _scheduled(graph, subs, costs, period, options, where)
        kinds = [BARRIER_KIND, *(Kind("compute", sub.name) for sub in subs)]
        notes = [f"schedule: {options.scheduler}, goal {options.goal}, {chains} chains"]
    energy = fsum(layer.cost.energy for layer in placed.values())
    area = {sub.name: fsum(model.area_um2(sub).values()) for sub in subs}
    return Lowered(
        program=program,
        works=tuple(_work(operator, placed.get(operator.name), calibration) for operator in graph.operators),
        kinds=tuple(kinds),
        cycle_ps=period,
        area_mm2={name: value / PER_MM2 for name, value in area.items()},
        peak_macs_per_s=_peak(subs, model),
        metrics={
            f"energy_{calibration.units.energy}": energy,
            **{f"energy_if_{name}_J": energy * joules for name, joules in READINGS.items()},
        },
        notes=(*graph.notes, *notes, *_notes(len(graph.operators) - len(costs))),
        assumptions=calibration.assumptions,
        sources=_sources(subs, calibration),
    )


@dataclass(frozen=True, slots=True)
class _Placed:
    """A layer where it runs: its serial part, or its tasks in the block and its place in the schedule."""

    cost: LayerCost
    sub: SubAccelerator
    part: int | None = None
    tasks: tuple[int, int] | None = None
    planned_ps: tuple[int, int] | None = None


def _one_by_one(
    sub: SubAccelerator, costs: Costs, period: tuple[int, int]
) -> tuple[Program, dict[str, _Placed]]:
    """Every layer in its turn."""
    placed: dict[str, _Placed] = {}
    nodes: list[Flat] = []
    for name, (cost,) in costs.items():
        assert cost is not None
        placed[name] = _Placed(cost, sub, part=len(nodes))
        nodes.append(Flat([0], to_ps(np.array([cost.cycles], np.int64), period), kind=[0]))
    resources = [Resource(sub.name, order="in_order")]
    return Program(resources, Serial(*nodes, names=list(costs)), 1), placed


def _scheduled(
    graph: LayerGraph, subs: Subs, costs: Costs, period: tuple[int, int], options: AsicOptions, where: str
) -> tuple[Program, dict[str, _Placed], int]:
    """Layers where and when the schedule puts them, and the number of chains."""
    chains = chains_of(graph, list(costs), lambda name: name)
    names = [name for chain in chains for name in chain]
    time = np.full((len(names), len(subs)), -1, np.int64)
    energy = np.zeros(time.shape)
    for row, name in enumerate(names):
        for column, cost in enumerate(costs[name]):
            if cost is not None:
                time[row, column] = to_ps(np.array([cost.cycles], np.int64), period)[0]
                energy[row, column] = cost.energy
    units = tuple(sub.name for sub in subs)
    problem = Assignment(tuple(map(len, chains)), time, energy, units, tuple(names))
    schedule = best_schedule(problem, options, where)
    unit = [int(u) for u in schedule.unit]
    blocks = [
        ([Flat([unit[i]], [int(time[i, unit[i]])], kind=[1 + unit[i]])], units[unit[i]], int(i))
        for i in schedule.order
    ]
    flat, spans = one_block(blocks, problem)
    placed = {}
    for (_, _, i), span in zip(blocks, spans, strict=True):
        cost = costs[names[i]][unit[i]]
        assert cost is not None
        planned = int(schedule.start[i]), int(schedule.end[i])
        placed[names[i]] = _Placed(cost, subs[unit[i]], tasks=span, planned_ps=planned)
    resources = [Resource(name, order="in_order") for name in units]
    return Program(resources, flat, 1 + len(subs)), placed, len(chains)


def _work(operator: Operator, layer: _Placed | None, calibration: Calibration) -> Work:
    if layer is None:
        return Work(operator.name, operator.type, operator.macs, operator.parameters)
    cost, sub = layer.cost, layer.sub
    return Work(
        name=operator.name,
        type=operator.type,
        macs=cost.macs,
        parameters=operator.parameters,
        part=layer.part,
        energy_J={sub.name: None},
        closed_form_cycles=cost.cycles,
        ideal_cycles=-(-cost.macs // sub.array.macs_per_cycle),
        mapping=f"{cost.description}; energy {cost.energy:.4g} {calibration.units.energy}",
        tasks=layer.tasks,
        unit=sub.name,
        planned_ps=layer.planned_ps,
    )


def _peak(subs: Subs, model: CalibratedModel) -> float | None:
    """MACs per second of all PEs; none where a kernel window counts as one cycle, whatever its size."""
    if model.rules.rs_loop_cycles == "one":
        return None
    return sum(sub.array.units * sub.array.clock for sub in subs) * model.rules.lanes


def _notes(idle: int) -> list[str]:
    notes = ["energy is in the calibration's unit and has no joules; metrics give both readings of its label"]
    if idle:
        notes.append(f"operators without MACs take no time and no energy in this model: {idle}")
    return notes


def _sources(subs: Subs, calibration: Calibration) -> tuple[str, ...]:
    found = [
        calibration.source,
        *(constant.source for constant in calibration.constants.values()),
        *(sub.dataflow.source for sub in subs),
    ]
    return tuple(dict.fromkeys(source for source in found if source))
