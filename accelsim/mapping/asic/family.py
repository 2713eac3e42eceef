"""The machine family ``asic``: every operator takes a turn on the array, tile by tile."""

from accelsim.components.link import Link
from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import LoopNest
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.dtypes import BITS, check_precision
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.operator import Operator
from accelsim.graph.shape import ConvShape
from accelsim.graph.vocabulary import TYPES
from accelsim.kernel import Flat, Program, Serial
from accelsim.mapping.asic.buffer_family import lower_on_buffer
from accelsim.mapping.asic.calibrated_family import lower_calibrated
from accelsim.mapping.asic.choice import load_dataflows
from accelsim.mapping.asic.depth_first import DepthFirst
from accelsim.mapping.asic.energy import area_mm2, energy_J
from accelsim.mapping.asic.estimate import closed_form_cycles
from accelsim.mapping.asic.estimator import Estimator, PlannedTurn
from accelsim.mapping.asic.events import Tasks, layer_tasks
from accelsim.mapping.asic.fusion import Turn, turns
from accelsim.mapping.asic.given import entries_for
from accelsim.mapping.asic.layer import Access, MappedLayer, Widths, check_countable, tile_access
from accelsim.mapping.asic.machine import Machine, machine
from accelsim.mapping.asic.options import AsicOptions
from accelsim.mapping.asic.plan import Ints, LayerPlan
from accelsim.mapping.asic.problems import sentences, smallest_sizes
from accelsim.mapping.asic.tiling import TooSmall
from accelsim.mapping.asic.timing import cycle_ps, to_ps
from accelsim.mapping.asic.vector import vector_plan
from accelsim.mapping.asic.ways import Ways
from accelsim.mapping.asic.wiring import Wiring
from accelsim.mapping.family import Lowered, Options, Work
from accelsim.spec.architecture import Architecture
from accelsim.spec.calibration import PHYSICAL, BufferCalibration, load_calibration
from accelsim.spec.dataflow import Dataflow
from accelsim.spec.mapping import load_mapping


class Lowering:
    """One graph on one machine; layers of equal shape are mapped once."""

    def __init__(
        self,
        graph: LayerGraph,
        architecture: Architecture,
        options: AsicOptions,
        behind: Link | None = None,
    ) -> None:
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
        self.dataflows: tuple[Dataflow, ...] = load_dataflows(options.dataflow or self.machine.array.dataflow)
        self.mapping = None if options.mapping is None else load_mapping(options.mapping)
        self._check_mapping()
        self.wiring = Wiring(self.machine, options.free, behind)
        self.period = cycle_ps(self.machine.array.clock)
        self.nests: dict[str, LoopNest] = {}
        self.turns: dict[str, PlannedTurn] = {}
        self.ways = self.ways_on(self.machine)
        self._mapped: dict[tuple[object, ...], tuple[MappedLayer, Flat, int]] = {}
        self._views: dict[int, Wiring] = {}
        """Wiring that a mapped layer's plan sees, by identity of the plan."""

    def ways_on(self, machine: Machine, inside: bool = False) -> Ways:
        """The ways to map a layer on this machine, or on one with other buffers."""
        return Ways(
            machine, self.dataflows, self.mapping, self.options, self.widths, self.precision, self.wiring,
            self.period, inside,
        )  # fmt: skip

    def lower(self) -> Lowered:
        """Map every operator; what does not fit is said for all of them."""
        from tqdm.auto import tqdm

        self._fits_dram()
        order, host, free = turns(self.graph, self.options.fuse)
        works: dict[str, Work] = {}
        nodes: list[Flat | Serial] = []
        names: list[str] = []
        problems: list[tuple[str, str]] = []
        if self.ways.mapper is not None and self.mapping is None:
            shapes = (shape for turn in order for shape in turn.operator.shapes)
            self.ways.mapper.prepare(shapes, self.ways.conventions({}))
        short: dict[str, list[tuple[int, str]]] = {}
        fused = DepthFirst(self, order) if self.options.depth_first else None
        inside = {t.operator.name for run in fused.runs.values() for t in run.turns} if fused else set()
        for turn in tqdm(order, desc=f"mapping {self.graph.name}", delay=2, disable=None, leave=False):
            name = turn.operator.name
            run = fused.runs.get(name) if fused else None
            if run is None and name in inside:
                continue
            try:
                if fused and run:
                    block, done = fused.lower(run, len(nodes))
                    nodes.append(block)
                else:
                    node, work = self.turn(turn, len(nodes))
                    nodes.append(node)
                    done = [work]
            except AccelsimError as error:
                problems += [(name, text) for text in error.problems]
                for shortage in error.shortages if isinstance(error, TooSmall) else ():
                    short.setdefault(shortage.memory, []).append((shortage.needed, name))
                continue
            works |= {work.name: work for work in done}
            names.append(run.name if run else name)
        if problems:
            raise AccelsimError(
                *sentences(problems, f"{self.graph.name} on {self.machine.name}"),
                *smallest_sizes(short, self.graph.name),
            )
        if not nodes:
            raise AccelsimError(f"{self.graph.name}: no operator takes time on {self.machine.name}")
        for operator in self.graph.operators:
            if operator.name not in works:
                works[operator.name] = Work(
                    operator.name, operator.type, 0, operator.parameters, fused_into=host.get(operator.name)
                )
        planned = {o.name: self.turns[o.name] for o in self.graph.operators if o.name in self.turns}

        def estimator() -> Estimator:
            return Estimator(self.machine, self.precision, self.wiring, list(planned.values()))

        notes = list(self.graph.notes)
        if free:
            notes.append(
                "operators that only rename or place data (reshape, concatenation, split) take no time:"
                f" {len(free)}"
            )
        if self.mapping is not None:
            notes += [f"assumed by mapping {self.mapping.name}: {text}" for text in self.mapping.assumptions]
        if any(not turn.operator.shapes for turn in order):
            notes.append(
                "operators without MACs run at vector_lanes per cycle; each operation is charged as one MAC"
            )
        if self.precision not in self.machine.array.mac_energy:
            notes.append(
                f"energy is unknown: components.{self.machine.array_name}.mac_energy has no price for"
                f" {self.precision}"
            )
        notes += self.ways.notes()
        if fused:
            notes += fused.notes()
        return Lowered(
            program=Program(self.wiring.resources, Serial(*nodes, names=names), len(self.wiring.kinds)),
            works=tuple(works[o.name] for o in self.graph.operators),
            kinds=tuple(self.wiring.kinds),
            cycle_ps=self.period,
            area_mm2=area_mm2(self.machine),
            nests={name: nest for name, nest in self.nests.items() if name not in inside},
            peak_macs_per_s=self.machine.array.macs_per_cycle * self.machine.array.clock,
            memory_B_per_s=self.memory_B_per_s(),
            component_of={
                f"{name} {way}": name
                for name, component in self.machine.components.items()
                if isinstance(component, Link) and component.separate_directions
                for way in ("in", "out")
            },
            estimator=None if inside else estimator,
            notes=tuple(notes),
            sources=tuple(spec.source for spec in (self.mapping, *self.dataflows) if spec and spec.source),
        )

    def memory_B_per_s(self) -> float | None:
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

    def turn(self, turn: Turn, part: int) -> tuple[Flat | Serial, Work]:
        """One operator with its riders: what runs, and the figures that do not come from events."""
        operator = turn.operator
        check_countable(operator)
        riders = sum(r.operations for r in turn.riders)
        if operator.shapes:
            mapped = [self._layer(operator, shape) for shape in operator.shapes]
            flats = [flat for _, flat, _ in mapped]
            if len(mapped) == 1 and mapped[0][0].nest is not None:
                self.nests[operator.name] = mapped[0][0].nest
            node: Flat | Serial = flats[0] if len(flats) == 1 else Serial(*flats)
            access: dict[str, Access] = {}
            for layer, _, _ in mapped:
                for name, moved in layer.access.items():
                    access[name] = access.get(name, Access()) + moved
            macs = sum(layer.macs for layer, _, _ in mapped)
            plans = tuple(layer.plan for layer, _, _ in mapped)
            pes = max((layer.pes for layer, _, _ in mapped if layer.pes is not None), default=None)
            held = {k: v for layer, _, _ in mapped for k, v in layer.held_B.items()}
            estimate = sum(cycles for _, _, cycles in mapped)
            description, certificate = mapped[0][0].description, mapped[0][0].certificate
        else:
            plan = vector_plan(operator, turn.stored_bytes, self.machine)
            plans = (plan,)
            tasks = layer_tasks(plan, self.wiring)
            flat = tasks.flat(self._to_ps)
            node = flat
            access, macs, pes, held = tile_access(self.machine, plan.levels), 0, None, {}
            estimate = self._estimate(plan, tasks, flat)
            description, certificate = f"{len(plan.cycles)} chunks", ""
            riders += operator.operations
        array = self.machine.array
        views = tuple((plan, self._views.get(id(plan), self.wiring)) for plan in plans)
        self.turns[operator.name] = PlannedTurn(views, access, macs + riders)
        return node, Work(
            name=operator.name,
            type=operator.type,
            macs=operator.macs,
            parameters=operator.parameters,
            part=part,
            bytes=self.bytes_of(access),
            energy_J=energy_J(self.machine, access, macs, riders, self.precision),
            closed_form_cycles=estimate,
            ideal_cycles=-(-operator.macs // array.macs_per_cycle),
            mapping=description,
            certificate=certificate,
            pes=pes,
            held_B=held,
        )

    def _to_ps(self, cycles: Ints) -> Ints:
        return to_ps(cycles, self.period, f"components.{self.machine.array_name}.clock")

    def bytes_of(self, access: dict[str, Access]) -> dict[str, int]:
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

    def _layer(self, operator: Operator, shape: ConvShape) -> tuple[MappedLayer, Flat, int]:
        listed = None if self.mapping is None else entries_for(self.mapping, operator.name, shape)
        key = None if listed is None else listed[0]
        stored = self.stored(operator)
        known = (shape, key, tuple(stored.items()))
        if known not in self._mapped:
            way = self.ways.best(key, shape, stored)
            self._views[id(way.layer.plan)] = way.view
            self._mapped[known] = way.layer, way.flat, way.cycles
        return self._mapped[known]

    def stored(self, operator: Operator) -> dict[str, float]:
        """Part of the bytes of each feature map that its code takes in DRAM."""
        if self.options.coding == "none":
            return {}
        if self.machine.dram.run_length is None:
            name = self.machine.dram_name
            raise AccelsimError(f"coding=run_length needs components.{name}.run_length, e.g. [8 B, 3]")
        zeros = self.graph.zeros.get(operator.name, {})
        return {t: self.machine.dram.coded(share, BITS[self.precision]) for t, share in zeros.items()}

    def _check_mapping(self) -> None:
        """Refuse a mapping whose array or layers are not there."""
        if self.mapping is None:
            return
        if self.options.depth_first:
            raise AccelsimError(
                f"mapping {self.mapping.name!r} lists whole layers, and depth_first maps strips of them;"
                " leave one of the two out"
            )
        if not isinstance(self.machine.array, PEArray):
            raise AccelsimError(
                f"{self.machine.name}: a mapping file is for a pe_array, not a {self.machine.array.class_}"
            )
        known = [o.name for o in self.graph.operators]
        strange = [name for name in self.mapping.layers if ":" not in name and name not in known]
        if strange:
            raise AccelsimError(
                *(
                    f"{self.mapping.where('layers', name)}: {self.graph.name} has no operator"
                    f" {name!r}{did_you_mean(name, known)}"
                    for name in strange
                )
            )
        if self.mapping.others is not None:
            self.dataflows = load_dataflows(self.mapping.others)

    def _estimate(self, plan: LayerPlan, tasks: Tasks, flat: Flat) -> int:
        wiring = self.wiring
        return closed_form_cycles(plan, tasks, flat, wiring.resources, wiring.array, self.period)


class ASIC:
    """A sub-accelerator, or several as ``parts:``. Each runs one operator after the other, with a barrier
    between.
    """

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
            If the architecture is neither one sub-accelerator nor parts that are, the dataflow does not fit
            its array, or a memory cannot hold one tile of a layer; every layer's problem at once.
        """
        assert isinstance(options, AsicOptions)
        if options.calibration != PHYSICAL:
            calibration = load_calibration(options.calibration)
            known = type(calibration.switches).model_fields
            strange = [name for name in options.readings if name not in known]
            if strange:
                raise AccelsimError(
                    f"{strange[0]} is no reading of calibration {calibration.name!r}; it has"
                    f" {', '.join(known)}"
                )
            if isinstance(calibration, BufferCalibration):
                return lower_on_buffer(graph, architecture, calibration, options.readings)
            return lower_calibrated(graph, architecture, calibration, options)
        if architecture.parts:
            from accelsim.mapping.asic.chip import lower_chip

            if options.mapping is not None:
                raise AccelsimError(
                    f"{architecture.name}: a mapping file is for one sub-accelerator, and this one has parts:"
                    f" {', '.join(architecture.parts)}"
                )
            return lower_chip(graph, architecture, options)
        return Lowering(graph, architecture, options).lower()
