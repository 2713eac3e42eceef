"""A workload under one dataflow and one calibration, for any number of hardware points: the compiled model.

What the loops of a layer move depends on the array, not on its network: it is tallied once per array and
layer shape (``cost.cases_compiled``), and every point then only prices the tallies. Results equal those of
``calibrated.CalibratedModel`` bit for bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from accelsim.components.pe_array import PEArray
from accelsim.cost.cases_compiled import Tally, join, price, tally
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.shape import ConvShape
from accelsim.mapping.asic.calibrated import CalibratedModel
from accelsim.mapping.asic.problems import sentences
from accelsim.mapping.asic.template import array_loops
from accelsim.spec.calibration import Calibration, Switches, load_calibration
from accelsim.spec.dataflow import Dataflow

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST_BANDWIDTH = 1e-3
"""Elements per cycle from which the cycles of every layer that is counted fit 64 bits."""


@dataclass(frozen=True, slots=True)
class HardwarePoint:
    """One array and its network.

    Parameters
    ----------
    pes : processing elements, or (rows, columns) of them
    bandwidth : elements per cycle of the network
    lanes, hops, hop_latency : multiply-accumulates per element and cycle, hops of the network and cycles of
        each; None takes the calibration's
    """

    pes: int | tuple[int, int]
    bandwidth: float
    lanes: int | None = None
    hops: int | None = None
    hop_latency: int | None = None

    def problems(self) -> list[str]:
        """What is wrong with the numbers."""
        sizes = self.pes if isinstance(self.pes, tuple) else (self.pes,)
        found = [f"pes must be at least 1, not {self.pes}"] if min(sizes) < 1 else []
        if not (self.bandwidth > 0 and isfinite(self.bandwidth)):
            found.append(f"bandwidth must be more than 0, not {self.bandwidth}")
        elif self.bandwidth < LEAST_BANDWIDTH:
            found.append(
                f"bandwidth must be at least {LEAST_BANDWIDTH} elements per cycle, not {self.bandwidth}"
            )
        for name in ("lanes", "hops", "hop_latency"):
            value = getattr(self, name)
            if value is not None and value < 1:
                found.append(f"{name} must be at least 1, not {value}")
        return found


@dataclass(frozen=True, slots=True)
class PointCosts:
    """Costs of all points (rows) and distinct layer shapes (columns).

    ``energy`` is in the calibration's unit; ``counts`` says how often each shape occurs in the network.
    ``total_cycles`` and ``total_energy`` are those of the whole network, one per point.
    """

    cycles: Ints
    energy: Floats
    reads: Ints
    writes: Ints
    counts: Ints
    total_cycles: Ints
    total_energy: Floats


@dataclass(frozen=True, slots=True)
class _OnArray:
    """All shapes on one array: tallies in one table, and what does not depend on the network."""

    steps: Ints
    first: Ints
    roots: Ints
    energy: Floats
    reads: Ints
    writes: Ints
    total_energy: float


class CompiledDataflow:
    """A workload under one dataflow; ``evaluate`` takes the hardware.

    Parameters
    ----------
    graph : network
    dataflow : template
    calibration : shipped name, file, or a loaded calibration with the data-centric model
    readings : switches that replace the calibration's

    Raises
    ------
    AccelsimError
        If the calibration has another model, or the network no multiply-accumulates.
    """

    def __init__(
        self,
        graph: LayerGraph,
        dataflow: Dataflow,
        calibration: str | Calibration = "maestro2019",
        readings: Mapping[str, object] | None = None,
    ) -> None:
        found = load_calibration(calibration) if isinstance(calibration, str) else calibration
        if not isinstance(found, Calibration):
            raise AccelsimError(
                f"calibration {found.name!r} has model {found.model!r}; a dataflow is compiled for"
                " 'data-centric'"
            )
        self.graph, self.dataflow = graph, dataflow
        self.model = CalibratedModel(found, _switches(found, readings or {}))
        index: dict[ConvShape, int] = {}
        self.operators: dict[str, tuple[int, ...]] = {}
        """Operator -> columns of its shapes."""
        for operator in graph.operators:
            if operator.shapes:
                seen = [self.model.as_seen(shape) for shape in operator.shapes]
                self.operators[operator.name] = tuple(index.setdefault(s, len(index)) for s in seen)
        if not index:
            raise AccelsimError(
                f"{graph.name}: calibration {found.name!r} counts multiply-accumulates, and it has none"
            )
        self.shapes = tuple(index)
        used = [column for columns in self.operators.values() for column in columns]
        self.counts = np.bincount(used, minlength=len(index)).astype(np.int64)
        self._arrays: dict[int | tuple[int, int], _OnArray] = {}

    def evaluate(self, points: Sequence[HardwarePoint]) -> PointCosts:
        """Costs on every point.

        Raises
        ------
        AccelsimError
            If a point is none, or the dataflow cannot run a layer on it; all of them at once.
        """
        self._check(points)
        rows: dict[int | tuple[int, int], list[int]] = {}
        for row, point in enumerate(points):
            rows.setdefault(point.pes, []).append(row)
        constants = self.model.calibration
        lanes, hops, latency = (constants.whole(n) for n in ("lanes", "hops", "hop_latency"))
        bandwidth = np.array([p.bandwidth for p in points], np.float64)
        delay = np.array([(p.hops or hops) * (p.hop_latency or latency) for p in points], np.int64)
        lane = np.array([p.lanes or lanes for p in points], np.int64)
        shape = (len(points), len(self.shapes))
        cycles, reads, writes = (np.empty(shape, np.int64) for _ in range(3))
        energy, total = np.empty(shape), np.empty(len(points))
        rules = self.model.rules
        for pes, own in rows.items():
            on = self._on(pes)
            cycles[own] = price(
                on.steps, on.first, on.roots, bandwidth[own], delay[own], lane[own],
                rules.first_step == "added", rules.buffers,
            )  # fmt: skip
            energy[own], reads[own], writes[own], total[own] = (
                on.energy, on.reads, on.writes, on.total_energy
            )  # fmt: skip
        return PointCosts(cycles, energy, reads, writes, self.counts, cycles @ self.counts, total)

    def _check(self, points: Sequence[HardwarePoint]) -> None:
        problems = [f"points.{row}: {text}" for row, point in enumerate(points) for text in point.problems()]
        if problems:
            raise AccelsimError(*problems)
        faults: list[str] = []
        for pes in dict.fromkeys(point.pes for point in points):
            try:
                self._on(pes)
            except AccelsimError as error:
                faults += error.problems
        if faults:
            raise AccelsimError(*faults)

    def _on(self, pes: int | tuple[int, int]) -> _OnArray:
        """All shapes on one array, tallied the first time."""
        if pes not in self._arrays:
            self._arrays[pes] = self._tallied(pes)
        return self._arrays[pes]

    def _tallied(self, pes: int | tuple[int, int]) -> _OnArray:
        size = {"rows": pes[0], "columns": pes[1]} if isinstance(pes, tuple) else {"pes": pes}
        data = {"class": "pe_array", "clock": "1 GHz", "dataflow": self.dataflow.name, **size}
        array = PEArray.model_validate(data)
        tallies: list[Tally] = []
        problems: list[tuple[str, str]] = []
        names: dict[int, str] = {}
        for name, columns in self.operators.items():
            for column in columns:
                names.setdefault(column, name)
        for column, shape in enumerate(self.shapes):
            try:
                loops = array_loops(self.dataflow, array, shape, lambda _: (), fill=True)
                tallies.append(tally(shape, (*loops.outer, *loops.inner), self.model.rules))
            except AccelsimError as error:
                problems += [(names[column], text) for text in error.problems]
        if problems:
            raise AccelsimError(*sentences(problems, f"{self.graph.name} on {array.units} PEs"))
        reads, writes = [sum(t.reads) for t in tallies], [t.writes for t in tallies]
        energy = [self.model.energy(*of) for of in zip(self.shapes, reads, writes, strict=True)]
        total = fsum(fsum(energy[column] for column in columns) for columns in self.operators.values())
        return _OnArray(
            *join(tallies), np.array(energy), np.array(reads, np.int64), np.array(writes, np.int64), total
        )


def _switches(calibration: Calibration, readings: Mapping[str, object]) -> Switches:
    """The calibration's readings with others in their place."""
    known = Switches.model_fields
    strange = [name for name in readings if name not in known]
    if strange:
        name = strange[0]
        hint = did_you_mean(name, known) or f"; it has {', '.join(known)}"
        raise AccelsimError(f"{name} is no reading of calibration {calibration.name!r}{hint}")
    try:
        return Switches.model_validate({**calibration.switches.model_dump(), **readings})
    except ValidationError as error:
        raise AccelsimError(
            *(f"{fault['loc'][0]}: {fault['msg']}, not {fault['input']!r}" for fault in error.errors())
        ) from None
