"""Networks on several sub-accelerators: assignment, schedule, and one program in which the parts contend.

A layer runs on one part, a part runs one layer at a time, the layers of a network run in order. The schedule
is made from closed forms, as if every part had the shared memory to itself; the events then say what
contention makes of it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from accelsim.components.link import Link
from accelsim.errors import AccelsimError
from accelsim.graph.layer_graph import LayerGraph
from accelsim.kernel import Flat, Program, Resource, Serial
from accelsim.mapper.assignment import Assignment, Schedule
from accelsim.mapping.asic.energy import area_mm2
from accelsim.mapping.asic.family import Lowering
from accelsim.mapping.asic.fusion import Turn, turns
from accelsim.mapping.asic.options import AsicOptions
from accelsim.mapping.asic.plan import Ints
from accelsim.mapping.asic.problems import MOST_PROBLEMS
from accelsim.mapping.asic.schedule import BARRIER_KIND, best_schedule, chains_of, one_block
from accelsim.mapping.asic.sharing import Chip, chip
from accelsim.mapping.asic.timing import to_ps
from accelsim.mapping.family import Kind, Lowered, Work
from accelsim.spec.architecture import Architecture

Choice = tuple[Flat | Serial, Work]


def lower_chip(graph: LayerGraph, architecture: Architecture, options: AsicOptions) -> Lowered:
    """Assign, schedule and lower.

    Raises
    ------
    AccelsimError
        If parts cannot share, a layer fits on no part, or no schedule meets the deadline.
    """
    if options.dataflow is not None:
        first = next(iter(architecture.parts))
        raise AccelsimError(
            f"{architecture.name}: switch dataflow is for one array; set parts.{first}.dataflow instead"
        )
    if options.depth_first:
        raise AccelsimError(
            f"{architecture.name}: switch depth_first is for one array, not for a chip of parts"
        )
    return _ChipLowering(graph, chip(architecture), architecture, options).lower()


class _ChipLowering:
    def __init__(
        self, graph: LayerGraph, shared: Chip, architecture: Architecture, options: AsicOptions
    ) -> None:
        self.graph, self.chip, self.architecture, self.options = graph, shared, architecture, options
        self.parts = {name: Lowering(graph, part, options, shared.noc) for name, part in shared.parts.items()}
        self.resources: list[Resource] = []
        self.kinds: list[Kind] = [BARRIER_KIND]
        self._number: dict[str, int] = {}
        self._number_of = {name: self._numbers(name, part) for name, part in self.parts.items()}

    def lower(self) -> Lowered:
        order, host, free = turns(self.graph, self.options.fuse)
        chains = chains_of(self.graph, order, lambda turn: turn.operator.name)
        choices = [self._choices(turn) for chain in chains for turn in chain]
        schedule = self._schedule(chains, choices)
        works = {}
        blocks = []
        layers = [turn for chain in chains for turn in chain]
        names = list(self.parts)
        for index in schedule.order:
            part = names[int(schedule.unit[index])]
            node, work = choices[index][part]
            blocks.append((self._flats(part, node), part, index))
            works[layers[index].operator.name] = replace(
                self._renamed(part, work),
                unit=part,
                part=None,
                planned_ps=(int(schedule.start[index]), int(schedule.end[index])),
            )
        flat, spans = one_block(blocks, schedule.problem)
        for (_, _, index), span in zip(blocks, spans, strict=True):
            name = layers[index].operator.name
            works[name] = replace(works[name], tasks=span)
        for operator in self.graph.operators:
            if operator.name not in works:
                works[operator.name] = Work(
                    operator.name, operator.type, 0, operator.parameters, fused_into=host.get(operator.name)
                )
        periods = {part.period for part in self.parts.values()}
        notes = list(self.graph.notes)
        if free:
            notes.append(
                "operators that only rename or place data (reshape, concatenation, split) take no time:"
                f" {len(free)}"
            )
        notes.append(f"schedule: {self.options.scheduler}, goal {self.options.goal}, {len(chains)} chains")
        return Lowered(
            program=Program(self.resources, flat, len(self.kinds)),
            works=tuple(works[o.name] for o in self.graph.operators),
            kinds=tuple(self.kinds),
            cycle_ps=periods.pop() if len(periods) == 1 else None,
            area_mm2=self._area(),
            peak_macs_per_s=sum(
                p.machine.array.macs_per_cycle * p.machine.array.clock for p in self.parts.values()
            ),
            memory_B_per_s=next(iter(self.parts.values())).memory_B_per_s(),
            component_of={
                f"{name} {way}": name
                for part, lowering in self.parts.items()
                for name, component in (
                    (self._name(part, n), c) for n, c in lowering.machine.components.items()
                )
                if isinstance(component, Link) and component.separate_directions
                for way in ("in", "out")
            },
            deadline_s=self.options.deadline,
            notes=tuple(notes),
            sources=tuple(dict.fromkeys(s for s in self._sources() if s)),
        )

    def _sources(self) -> list[str | None]:
        found: list[str | None] = []
        for name, part in self.parts.items():
            machine = self.chip.parts[name]
            found += [machine.source, *(c.source for c in machine.components.values())]
            found += [dataflow.source for dataflow in part.dataflows]
        return found

    def _choices(self, turn: Turn) -> dict[str, Choice]:
        """The layer on every part that it fits on."""
        found: dict[str, Choice] = {}
        problems: list[str] = []
        for name, part in self.parts.items():
            try:
                found[name] = part.turn(turn, 0)
            except AccelsimError as error:
                problems += [f"{turn.operator.name} on parts.{name}: {p}" for p in error.problems]
        if not found:
            raise AccelsimError(*problems[:MOST_PROBLEMS])
        return found

    def _schedule(self, chains: Sequence[Sequence[Turn]], choices: Sequence[dict[str, Choice]]) -> Schedule:
        names = list(self.parts)
        time = np.full((len(choices), len(names)), -1, np.int64)
        energy = np.zeros(time.shape)
        for i, found in enumerate(choices):
            for name, (_, work) in found.items():
                u = names.index(name)
                cycles = np.array([work.closed_form_cycles or 0], np.int64)
                part = self.parts[name]
                clock = f"parts.{name}.components.{part.machine.array_name}.clock"
                time[i, u] = to_ps(cycles, part.period, clock)[0]
                energy[i, u] = sum(e or 0.0 for e in work.energy_J.values())
        problem = Assignment(
            tuple(map(len, chains)),
            time,
            energy,
            tuple(names),
            tuple(turn.operator.name for chain in chains for turn in chain),
        )
        return best_schedule(problem, self.options, f"{self.graph.name} on {self.architecture.name}")

    def _numbers(self, part: str, lowering: Lowering) -> Ints:
        """Number of each of the part's resources among the chip's; -1 (a pure delay) stays."""
        numbers = []
        for resource in lowering.wiring.resources:
            name = self._name(part, resource.name)
            if name not in self._number:
                self._number[name] = len(self.resources)
                self.resources.append(replace(resource, name=name))
            numbers.append(self._number[name])
        return np.array([*numbers, -1], np.int64)

    def _name(self, part: str, name: str) -> str:
        return name if name in self.chip.shared else f"{part}.{name}"

    def _flats(self, part: str, node: Flat | Serial) -> list[Flat]:
        """The layer's blocks with the chip's numbers of resources and kinds."""
        lowering = self.parts[part]
        to_resource = self._number_of[part]
        to_kind = np.array([self._kind(part, k) for k in lowering.wiring.kinds], np.int64)
        flats = [node] if isinstance(node, Flat) else [f for f in node.children if isinstance(f, Flat)]
        return [
            Flat(
                to_resource[f.resource],
                f.duration,
                f.edges(),
                kind=to_kind[f.kinds()],
            )
            for f in flats
        ]

    def _kind(self, part: str, kind: Kind) -> int:
        found = Kind(kind.action, None if kind.resource is None else self._name(part, kind.resource))
        if found not in self.kinds:
            self.kinds.append(found)
        return self.kinds.index(found)

    def _renamed(self, part: str, work: Work) -> Work:
        """Bytes and energy under the chip's names; what crosses the chip's link is what DRAM moves."""
        moved = {self._name(part, k): v for k, v in work.bytes.items()}
        energy = {self._name(part, k): v for k, v in work.energy_J.items()}
        if self.chip.noc is not None and self.chip.noc_name is not None:
            crossing = work.bytes.get(self.parts[part].machine.dram_name, 0)
            moved[self.chip.noc_name] = crossing
            energy[self.chip.noc_name] = self.chip.noc.transfer_energy_J(crossing)
        return replace(work, bytes=moved, energy_J=energy)

    def _area(self) -> dict[str, float | None]:
        area: dict[str, float | None] = {}
        for name, part in self.parts.items():
            for key, value in area_mm2(part.machine).items():
                if key in self.chip.shared:
                    # a share of the chip's buffer: the shares add up to it
                    known = area.get(key, 0.0)
                    area[key] = None if value is None or known is None else known + value
                else:
                    area[f"{name}.{key}"] = value
        if self.chip.noc is not None and self.chip.noc_name is not None:
            area[self.chip.noc_name] = self.chip.noc.area_mm2()
        return area
