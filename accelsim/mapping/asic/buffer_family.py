"""A graph under the rules of a performance sheet: each layer takes its MAC cycles or its DRAM cycles."""

from collections.abc import Mapping

import numpy as np

from accelsim.cost.conv_buffer import BufferRules, LayerTime, layer_time
from accelsim.errors import AccelsimError
from accelsim.graph.dtypes import BITS
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.operator import Operator
from accelsim.graph.vocabulary import TYPES
from accelsim.kernel import Flat, Program, Resource, Serial
from accelsim.mapping.asic.machine import Machine, machine
from accelsim.mapping.asic.timing import LONGEST_S, cycle_ps, to_ps
from accelsim.mapping.family import Kind, Lowered, Work
from accelsim.spec.architecture import Architecture
from accelsim.spec.calibration import BufferCalibration


def lower_on_buffer(
    graph: LayerGraph,
    architecture: Architecture,
    calibration: BufferCalibration,
    readings: Mapping[str, object],
) -> Lowered:
    """Lower a graph; layers run one after the other, everything without MACs rides on them.

    Raises
    ------
    AccelsimError
        If the machine is not one array under one DRAM, elements are not bytes, or a layer's rows do not fit
        the buffer; every layer's problem at once.
    """
    known = machine(architecture)
    precision = architecture.defaults.precision or "int8"
    if BITS.get(precision) != 8:
        raise AccelsimError(
            f"calibration {calibration.name!r} counts elements of one byte: take precision int8, not"
            f" {precision}"
        )
    sheet = _Sheet(graph, known, calibration, readings)
    times: dict[str, list[LayerTime]] = {}
    problems: list[str] = []
    for operator in graph.operators:
        if operator.shapes:
            try:
                times[operator.name] = sheet.times(operator)
            except AccelsimError as error:
                problems += [f"{operator.name}: {problem}" for problem in error.problems]
    if problems:
        raise AccelsimError(*problems)
    if not times:
        raise AccelsimError(f"{graph.name}: no operator takes time on {architecture.name}")
    longest = max(t.cycles for found in times.values() for t in found) / known.array.clock
    if longest > LONGEST_S:
        raise AccelsimError(
            f"{architecture.name}: one layer would take {longest:.3g} s under calibration"
            f" {calibration.name!r}: is one of its constants or switches off by its unit?"
        )
    period = cycle_ps(known.array.clock)
    nodes: list[Flat] = []
    works = []
    for operator in graph.operators:
        found = times.get(operator.name, [])
        if found:
            nodes.append(_flat(found, period))
        works.append(_work(operator, found, len(nodes) - 1, sheet))
    names = (known.array_name, known.dram_name)
    return Lowered(
        program=Program([Resource(name) for name in names], Serial(*nodes, names=[*times]), 2),
        works=tuple(works),
        kinds=(Kind("compute", names[0]), Kind("load and store", names[1])),
        cycle_ps=period,
        area_mm2=dict.fromkeys(names[:1]),
        peak_macs_per_s=known.array.macs_per_cycle * known.array.clock,
        memory_B_per_s=known.dram.bandwidth * known.dram.count,
        notes=(*graph.notes, "operators without MACs ride on the layer before them and take no time"),
        assumptions=calibration.assumptions,
        sources=tuple(
            dict.fromkeys(
                s for s in (calibration.source, *(c.source for c in calibration.constants.values())) if s
            )
        ),
    )


class _Sheet:
    """Rules of a calibration on a machine."""

    def __init__(
        self,
        graph: LayerGraph,
        known: Machine,
        calibration: BufferCalibration,
        readings: Mapping[str, object],
    ) -> None:
        self.graph = graph
        self.machine = known
        self.constants = calibration
        self.switches = calibration.switches.model_copy(update=dict(readings))
        self.macs = known.array.macs_per_cycle
        self.buffer = sum(
            int(m.size) for level in known.buffers for m in level.memories.values() if "weights" in m.holds
        )
        self.bytes_per_cycle = known.dram.bandwidth * known.dram.count / known.array.clock

    def _k_round(self) -> int:
        c = self.constants
        if self.switches.k_round != "clamp":
            return self.switches.k_round
        return min(max(self.macs // c.whole("macs_per_k"), c.whole("k_least")), c.whole("k_most"))

    def times(self, operator: Operator) -> list[LayerTime]:
        """Time of each product of an operator."""
        c = self.constants
        rules = BufferRules(
            c_round=c.whole("c_round"),
            k_round=self._k_round(),
            kernels=c.whole("kernels"),
            winograd=self.switches.winograd == "on",
            winograd_gain=c["winograd_gain"],
            winograd_bytes=c["winograd_bytes"],
            channel_atom=c.whole("channel_atom"),
            weight_atom=c.whole("weight_atom"),
            weight_batch=self.switches.fc_batch if operator.type == "gemm" else 1,
            sheet_KiB=c.whole("sheet_KiB"),
        )
        stored, added = self._leaving(operator)
        return [
            layer_time(shape, self.macs, self.buffer, self.bytes_per_cycle, rules, stored, added)
            for shape in operator.shapes
        ]

    def _leaving(self, operator: Operator) -> tuple[int | None, int]:
        """Elements after a pooling that rides on the layer (None if none does), and those of an addition.

        An addition rides on the layer that its first operand comes from, and reads the other one.
        """
        last, added = operator, 0
        while True:
            readers = self.graph.consumers(last.name)
            if len(readers) != 1:
                return None, added
            (reader,) = readers
            if TYPES[reader.type].family == "pooling":
                return reader.outputs[0].elements, added
            if not TYPES[reader.type].fusible or reader.inputs[0] not in last.outputs:
                return None, added
            made = {t for p in self.graph.producers(reader.name) for t in p.outputs}
            added += sum(t.elements for t in reader.inputs[1:] if t in made)
            last = reader


def _flat(found: list[LayerTime], period: tuple[int, int]) -> Flat:
    """MAC units and DRAM side by side, one product of the operator after the other."""
    cycles = np.array([[t.mac_cycles, t.dram_cycles] for t in found], np.int64).ravel()
    place = np.tile(np.arange(2), len(found))
    before = np.arange(len(cycles) - 2)
    source = np.concatenate([before, before])
    target = np.concatenate([before - before % 2 + 2, before - before % 2 + 3])
    return Flat(place.astype(np.int32), to_ps(cycles, period), (source, target), kind=place.astype(np.int32))


def _work(operator: Operator, found: list[LayerTime], part: int, sheet: _Sheet) -> Work:
    if not found:
        return Work(operator.name, operator.type, 0, operator.parameters)
    names = ("inputs", "weights", "outputs")
    first = found[0]
    return Work(
        name=operator.name,
        type=operator.type,
        macs=operator.macs,
        parameters=operator.parameters,
        part=part,
        bytes={
            sheet.machine.dram_name: sum(t.dram_bytes for t in found),
            **{f"stored {n}": sum(int(getattr(t, n)) for t in found) for n in names},
        },
        energy_J={sheet.machine.array_name: None},
        closed_form_cycles=sum(t.cycles for t in found),
        ideal_cycles=-(-operator.macs // sheet.machine.array.macs_per_cycle),
        mapping=f"inputs read {first.input_reads}x, weights {first.weight_reads}x; "
        + ("bound by MACs" if first.mac_cycles >= first.dram_cycles else "bound by DRAM"),
    )
