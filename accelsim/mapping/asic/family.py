"""The machine family ``asic``: every operator takes a turn on the array, tile by tile."""

from typing import Literal

from accelsim.components.compute import ComputeArray
from accelsim.components.link import Link
from accelsim.components.pe_array import PEArray
from accelsim.components.systolic_array import SystolicArray
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.dtypes import BITS, check_precision
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.shape import ConvShape
from accelsim.graph.vocabulary import TYPES
from accelsim.kernel import Flat, Program, Serial
from accelsim.mapping.asic import array_plan, fold_plan
from accelsim.mapping.asic.energy import area_mm2, energy_J
from accelsim.mapping.asic.estimate import closed_form_cycles
from accelsim.mapping.asic.events import Tasks, layer_tasks
from accelsim.mapping.asic.fusion import Turn, turns
from accelsim.mapping.asic.layer import Access, MappedLayer, Widths, check_countable, tile_access
from accelsim.mapping.asic.machine import Machine, machine
from accelsim.mapping.asic.plan import Ints, LayerPlan
from accelsim.mapping.asic.tiling import TooSmall
from accelsim.mapping.asic.timing import cycle_ps, to_ps
from accelsim.mapping.asic.vector import vector_plan
from accelsim.mapping.asic.wiring import Wiring
from accelsim.mapping.family import Lowered, Options, Work
from accelsim.spec.architecture import Architecture
from accelsim.spec.dataflow import Dataflow, load_dataflow

MOST_PROBLEMS = 20
"""Sentences about layers that do not fit, before the rest is counted."""


class AsicOptions(Options):
    """Switches of the family.

    ``memory: unlimited`` gives every memory the size of the layer and no service time, so that what remains
    is the array's own (the stall-free count of SCALE-Sim). ``padding: count`` reads zeros outside the image
    like pixels.
    ``fuse: false`` gives every element-wise operator a turn of its own.
    """

    dataflow: str | None = None
    memory: Literal["contended", "unlimited"] = "contended"
    fuse: bool = True
    padding: Literal["skip", "count"] = "skip"


class _Lowering:
    """One graph on one machine; layers of equal shape are mapped once."""

    def __init__(self, graph: LayerGraph, architecture: Architecture, options: AsicOptions) -> None:
        self.graph = graph
        self.options = options
        self.machine: Machine = machine(architecture)
        self.precision = check_precision(architecture.defaults.precision)
        accumulator = architecture.defaults.accumulator or self.precision
        if accumulator not in BITS:
            hint = did_you_mean(accumulator, BITS)
            raise AccelsimError(
                f"{architecture.name}: defaults.accumulator: unknown number format {accumulator!r}{hint}"
            )
        bits = BITS[self.precision]
        self.widths = Widths(bits, bits, bits, max(bits, BITS[accumulator]))
        self.dataflow: Dataflow = load_dataflow(options.dataflow or self.machine.array.dataflow)
        self.wiring = Wiring(self.machine, options.memory == "unlimited")
        self.period = cycle_ps(self.machine.array.clock)
        self._mapped: dict[ConvShape, tuple[MappedLayer, Flat, int]] = {}

    def lower(self) -> Lowered:
        """Map every operator; what does not fit is said for all of them."""
        from tqdm.auto import tqdm

        self._fits_dram()
        order, host, free = turns(self.graph, self.options.fuse)
        works: dict[str, Work] = {}
        nodes: list[Flat | Serial] = []
        problems: list[str] = []
        short: dict[str, list[tuple[int, str]]] = {}
        for turn in tqdm(order, desc=f"mapping {self.graph.name}", delay=2, disable=None, leave=False):
            try:
                node, work = self._turn(turn, len(nodes))
            except AccelsimError as error:
                problems += [f"{turn.operator.name}: {p}" for p in error.problems]
                for shortage in error.shortages if isinstance(error, TooSmall) else ():
                    short.setdefault(shortage.memory, []).append((shortage.needed, turn.operator.name))
                continue
            works[turn.operator.name] = work
            nodes.append(node)
        if problems:
            more = len(problems) - MOST_PROBLEMS
            rest = [f"and {more} more of {self.graph.name} on {self.machine.name}"] if more > 0 else []
            for memory, needs in short.items():
                if len(needs) > 1:
                    size, name = max(needs, key=lambda need: need[0])
                    rest.append(
                        f"the smallest components.{memory}.size that works for all of {self.graph.name} is"
                        f" {size} B ({name})"
                    )
            raise AccelsimError(*problems[:MOST_PROBLEMS], *rest)
        if not nodes:
            raise AccelsimError(f"{self.graph.name}: no operator takes time on {self.machine.name}")
        for operator in self.graph.operators:
            if operator.name not in works:
                works[operator.name] = Work(
                    operator.name, operator.type, 0, operator.parameters, fused_into=host.get(operator.name)
                )
        names = [turn.operator.name for turn in order]
        notes = list(self.graph.notes)
        if free:
            notes.append(
                "operators that only rename or place data (reshape, concatenation, split) take no time:"
                f" {len(free)}"
            )
        if any(not turn.operator.shapes for turn in order):
            notes.append(
                "operators without MACs run at vector_lanes per cycle; each operation is charged as one MAC"
            )
        if self.precision not in self.machine.array.mac_energy:
            notes.append(
                f"energy is unknown: components.{self.machine.array_name}.mac_energy has no price for"
                f" {self.precision}"
            )
        return Lowered(
            program=Program(self.wiring.resources, Serial(*nodes, names=names), len(self.wiring.kinds)),
            works=tuple(works[o.name] for o in self.graph.operators),
            kinds=tuple(self.wiring.kinds),
            cycle_ps=self.period,
            area_mm2=area_mm2(self.machine),
            peak_macs_per_s=self.machine.array.macs_per_cycle * self.machine.array.clock,
            memory_B_per_s=self._memory_B_per_s(),
            component_of={
                f"{name} {way}": name
                for name, component in self.machine.components.items()
                if isinstance(component, Link) and component.separate_directions
                for way in ("in", "out")
            },
            notes=tuple(notes),
            sources=tuple(s for s in (self.dataflow.source,) if s),
        )

    def _memory_B_per_s(self) -> float | None:
        """The roof that the DRAM sets; memory without limits sets none."""
        dram = self.machine.dram
        return None if self.options.memory == "unlimited" else dram.bandwidth * dram.count

    def _fits_dram(self) -> None:
        """Weights, and the tensors of the operator that has most, must fit the DRAM."""
        weights = sum(
            {t.name: t.bytes for o in self.graph.operators for t in (*o.weights, *o.statistics)}.values()
        )
        data = max((o.bytes_in + o.bytes_out for o in self.graph.operators), default=0)
        size = int(self.machine.dram.size)
        if weights + data > size and self.options.memory != "unlimited":
            raise AccelsimError(
                f"components.{self.machine.dram_name}.size of {size} B is too small for {self.graph.name}:"
                f" weights {weights} B and at most {data} B of data at once; the smallest size that works is"
                f" {weights + data} B"
            )

    def _turn(self, turn: Turn, part: int) -> tuple[Flat | Serial, Work]:
        operator = turn.operator
        check_countable(operator)
        riders = sum(r.operations for r in turn.riders)
        if operator.shapes:
            mapped = [self._layer(shape) for shape in operator.shapes]
            flats = [flat for _, flat, _ in mapped]
            node: Flat | Serial = flats[0] if len(flats) == 1 else Serial(*flats)
            access: dict[str, Access] = {}
            for layer, _, _ in mapped:
                for name, moved in layer.access.items():
                    access[name] = access.get(name, Access()) + moved
            macs = sum(layer.macs for layer, _, _ in mapped)
            estimate = sum(cycles for _, _, cycles in mapped)
            description = mapped[0][0].description
        else:
            plan = vector_plan(operator, turn.stored_bytes, self.machine)
            tasks = layer_tasks(plan, self.wiring)
            flat = tasks.flat(self._to_ps)
            node = flat
            access, macs = tile_access(self.machine, plan.levels), 0
            estimate = self._estimate(plan, tasks, flat)
            description = f"{len(plan.cycles)} chunks"
            riders += operator.operations
        array = self.machine.array
        return node, Work(
            name=operator.name,
            type=operator.type,
            macs=operator.macs,
            parameters=operator.parameters,
            part=part,
            bytes=self._bytes(access),
            energy_J=energy_J(self.machine, access, macs, riders, self.precision),
            closed_form_cycles=estimate,
            ideal_cycles=-(-operator.macs // array.macs_per_cycle),
            mapping=description,
        )

    def _to_ps(self, cycles: Ints) -> Ints:
        return to_ps(cycles, self.period, f"components.{self.machine.array_name}.clock")

    def _bytes(self, access: dict[str, Access]) -> dict[str, int]:
        """Bytes per memory and link in the order of the file, DRAM first; a link with two ways has both."""
        names = [self.machine.dram_name, *(n for n in self.machine.components if n != self.machine.dram_name)]
        moved: dict[str, int] = {}
        for name in (n for n in names if n in access):
            component = self.machine.components[name]
            if isinstance(component, Link) and component.separate_directions:
                moved |= {f"{name} in": access[name].read, f"{name} out": access[name].written}
            else:
                moved[name] = access[name].total
        return moved

    def _layer(self, shape: ConvShape) -> tuple[MappedLayer, Flat, int]:
        if shape not in self._mapped:
            layer = self._map(self.machine.array, shape)
            tasks = layer_tasks(layer.plan, self.wiring)
            flat = tasks.flat(self._to_ps)
            self._mapped[shape] = layer, flat, self._estimate(layer.plan, tasks, flat)
        return self._mapped[shape]

    def _estimate(self, plan: LayerPlan, tasks: Tasks, flat: Flat) -> int:
        wiring = self.wiring
        return closed_form_cycles(plan, tasks, flat, wiring.resources, wiring.array, self.period)

    def _map(self, array: ComputeArray, shape: ConvShape) -> MappedLayer:
        unlimited = self.options.memory == "unlimited"
        where = (self.dataflow, shape, self.widths, self.options.padding, unlimited)
        if isinstance(array, SystolicArray):
            return fold_plan.map_layer(self.machine, array, *where)
        if isinstance(array, PEArray):
            return array_plan.map_layer(self.machine, array, *where)
        raise AccelsimError(f"{self.machine.name}: mapping 'asic' does not know class {array.class_!r}")


class ASIC:
    """A sub-accelerator. Operators run one after the other, with a barrier between."""

    name = "asic"
    options: type[Options] = AsicOptions

    def operators(self) -> frozenset[str]:
        """Every type of the vocabulary: MACs on the array, the rest on its lanes."""
        return frozenset(TYPES)

    def lower(self, graph: LayerGraph, architecture: Architecture, options: Options) -> Lowered:
        """Lower a graph.

        Raises
        ------
        AccelsimError
            If the architecture is not one sub-accelerator, the dataflow does not fit its array, or a memory
            cannot hold one tile of a layer; every layer's problem at once.
        """
        assert isinstance(options, AsicOptions)
        return _Lowering(graph, architecture, options).lower()
