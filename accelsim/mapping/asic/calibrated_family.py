"""A graph on one or several sub-accelerators under a calibration: time, energy and area all come from it."""

from collections.abc import Mapping
from math import fsum

import numpy as np

from accelsim.errors import AccelsimError
from accelsim.graph.dtypes import check_precision
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.operator import Operator
from accelsim.kernel import Flat, Program, Resource, Serial
from accelsim.mapping.asic.calibrated import CalibratedModel, LayerCost, SubAccelerator, sub_accelerators
from accelsim.mapping.asic.timing import cycle_ps, to_ps
from accelsim.mapping.family import Kind, Lowered, Work
from accelsim.spec.architecture import Architecture
from accelsim.spec.calibration import Calibration

PER_MM2 = 1e6
READINGS = {"nJ": 1e-9, "pJ": 1e-12}
"""Joules of the calibration's unit in the two readings of its sources."""


def lower_calibrated(
    graph: LayerGraph,
    architecture: Architecture,
    calibration: Calibration,
    readings: Mapping[str, object],
    dataflow: str | None,
) -> Lowered:
    """Lower a graph; each layer runs on the sub-accelerator that does it in the fewest cycles.

    For one chain of layers on a deadline of none that is the fastest assignment there is.

    Raises
    ------
    AccelsimError
        If a part is not what the model knows, or a layer fits none; every layer's problem at once.
    """
    precision = check_precision(architecture.defaults.precision)
    subs = sub_accelerators(architecture, precision, dataflow)
    model = CalibratedModel(calibration, calibration.switches.model_copy(update=dict(readings)))
    chosen: dict[str, tuple[int, list[LayerCost]]] = {}
    problems: list[str] = []
    for operator in graph.operators:
        if operator.shapes:
            try:
                chosen[operator.name] = _fastest(operator, subs, model)
            except AccelsimError as error:
                problems += [f"{operator.name}: {problem}" for problem in error.problems]
    if not chosen and not problems:
        problems.append(
            f"{graph.name}: calibration {calibration.name!r} counts multiply-accumulates, and it has none"
        )
    if problems:
        raise AccelsimError(*problems)
    period = cycle_ps(subs[0].array.clock)
    kinds = tuple(Kind("compute", sub.name) for sub in subs)
    works, nodes = [], []
    for operator in graph.operators:
        index, costs = chosen.get(operator.name, (0, []))
        if costs:
            duration = to_ps(np.array([c.cycles for c in costs], np.int64), period)
            place = np.full(len(costs), index)
            links = np.arange(len(costs) - 1)
            nodes.append(Flat(place, duration, (links, links + 1), kind=place))
        works.append(_work(operator, len(nodes) - 1, subs[index], costs, calibration))
    idle = len(graph.operators) - len(chosen)
    energy = fsum(cost.energy for _, costs in chosen.values() for cost in costs)
    area = {sub.name: sum(model.area_um2(sub).values()) for sub in subs}
    return Lowered(
        program=Program(
            [Resource(s.name, order="in_order") for s in subs], Serial(*nodes, names=[*chosen]), len(subs)
        ),
        works=tuple(works),
        kinds=kinds,
        cycle_ps=period,
        area_mm2={name: value / PER_MM2 for name, value in area.items()},
        peak_macs_per_s=_peak(subs, model),
        metrics={
            f"energy_{calibration.units.energy}": energy,
            **{f"energy_if_{name}_J": energy * joules for name, joules in READINGS.items()},
        },
        notes=(*graph.notes, *_notes(idle, subs)),
        assumptions=calibration.assumptions,
        sources=_sources(subs, calibration),
    )


def _fastest(
    operator: Operator, subs: tuple[SubAccelerator, ...], model: CalibratedModel
) -> tuple[int, list[LayerCost]]:
    """Index of the sub-accelerator of fewest cycles (the earlier if equal) and the costs of its shapes."""
    options: list[tuple[int, int, list[LayerCost]]] = []
    problems: list[str] = []
    for index, sub in enumerate(subs):
        try:
            costs = [model.cost(shape, sub) for shape in operator.shapes]
        except AccelsimError as error:
            problems += error.problems
            continue
        options.append((sum(cost.cycles for cost in costs), index, costs))
    if not options:
        raise AccelsimError(*dict.fromkeys(problems))
    _, index, costs = min(options, key=lambda option: option[:2])
    return index, costs


def _work(
    operator: Operator, part: int, sub: SubAccelerator, costs: list[LayerCost], calibration: Calibration
) -> Work:
    if not costs:
        return Work(operator.name, operator.type, operator.macs, operator.parameters)
    energy = fsum(cost.energy for cost in costs)
    return Work(
        name=operator.name,
        type=operator.type,
        macs=sum(cost.macs for cost in costs),
        parameters=operator.parameters,
        part=part,
        energy_J={sub.name: None},
        closed_form_cycles=sum(cost.cycles for cost in costs),
        ideal_cycles=-(-operator.macs // sub.array.macs_per_cycle),
        mapping=f"{costs[0].description}; energy {energy:.4g} {calibration.units.energy}",
    )


def _peak(subs: tuple[SubAccelerator, ...], model: CalibratedModel) -> float | None:
    """MACs per second of all PEs; none where a kernel window counts as one cycle, whatever its size."""
    if model.rules.rs_loop_cycles == "one":
        return None
    return sum(sub.array.units * sub.array.clock for sub in subs) * model.rules.lanes


def _notes(idle: int, subs: tuple[SubAccelerator, ...]) -> list[str]:
    notes = ["energy is in the calibration's unit and has no joules; metrics give both readings of its label"]
    if idle:
        notes.append(f"operators without MACs take no time and no energy in this model: {idle}")
    if len(subs) > 1:
        notes.append("each layer runs on the part that does it in the fewest cycles, one after the other")
    return notes


def _sources(subs: tuple[SubAccelerator, ...], calibration: Calibration) -> tuple[str, ...]:
    found = [
        calibration.source,
        *(constant.source for constant in calibration.constants.values()),
        *(sub.dataflow.source for sub in subs),
    ]
    return tuple(dict.fromkeys(source for source in found if source))
