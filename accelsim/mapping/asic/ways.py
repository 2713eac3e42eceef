"""The ways to map one layer of a network on one array: a given nest, dataflow templates, the mapper."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Literal

from accelsim.components.pe_array import PEArray
from accelsim.components.sram import SRAM
from accelsim.components.systolic_array import SystolicArray
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape
from accelsim.mapping.asic import array_plan, fold_plan
from accelsim.mapping.asic.choice import Way, best_way
from accelsim.mapping.asic.energy import energy_J
from accelsim.mapping.asic.estimate import closed_form_cycles
from accelsim.mapping.asic.events import layer_tasks
from accelsim.mapping.asic.flat_machine import unrolled_dims
from accelsim.mapping.asic.given import map_given
from accelsim.mapping.asic.layer import Conventions, MappedLayer, Widths, resident
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.options import AsicOptions
from accelsim.mapping.asic.searched import KEPT, Mapper
from accelsim.mapping.asic.timing import to_ps
from accelsim.mapping.asic.wiring import Wiring
from accelsim.spec.dataflow import Dataflow
from accelsim.spec.mapping import MappingFile


class Ways:
    """How a layer may be mapped on a machine under the switches; ``best`` picks for their goal.

    ``inside``: every tensor is in the buffer next to DRAM already, which has room for all of it.
    """

    def __init__(
        self,
        machine: Machine,
        dataflows: tuple[Dataflow, ...],
        mapping: MappingFile | None,
        options: AsicOptions,
        widths: Widths,
        precision: str,
        wiring: Wiring,
        period: tuple[int, int],
        inside: bool = False,
    ) -> None:
        self.machine, self.dataflows, self.mapping, self.options = machine, dataflows, mapping, options
        self.widths, self.precision, self.wiring, self.period = widths, precision, wiring, period
        self.inside = inside
        self.mapper = self._mapper()
        self.chosen: list[MappedLayer] = []

    def best(self, key: str | None, shape: ConvShape, stored: Mapping[str, float]) -> Way:
        """The best way that fits; ``key`` names the nest in the mapping file, ``stored`` is the code of DRAM.

        Raises
        ------
        AccelsimError
            If none fits, with what is wrong with each.
        """
        found = best_way(
            (partial(self._way, way) for way in self._ways(key, shape, stored)), self.options.goal
        )
        if self.mapper is not None and key is None and not found.layer.certificate:
            found = replace(found, layer=replace(found.layer, certificate=self.mapper.why_template(shape)))
        self.chosen.append(found.layer)
        return found

    def conventions(self, stored: Mapping[str, float]) -> Conventions:
        """What is counted as moved, with the code of feature maps in DRAM."""
        array = self.machine.array
        padded = any(
            isinstance(memory, SRAM) and memory.padded
            for level in self.machine.buffers
            for memory in level.memories.values()
        )
        padding: Literal["skip", "count", "insert"] = "insert" if padded else "skip"
        return Conventions(
            padding="count" if self.options.padding == "count" else padding,
            first_sums=array.first_sums if isinstance(array, PEArray) else "zero",
            stored=stored,
        )

    def notes(self) -> list[str]:
        """What was chosen by the switches dataflow and mapper."""
        notes = []
        if len(self.dataflows) > 1:
            chosen = [layer.description.partition(":")[0] for layer in self.chosen]
            counted = [f"{d.name} {chosen.count(d.name)}" for d in self.dataflows if d.name in chosen]
            notes.append(
                f"dataflow: the best for {self.options.goal} of {', '.join(d.name for d in self.dataflows)};"
                f" layer shapes that take each: {', '.join(counted) or 'none'}"
            )
        if self.mapper is not None and self.mapper.certificates:
            notes.append(self.mapper.note())
            kept = sum(layer.certificate == KEPT for layer in self.chosen)
            if kept:
                notes.append(
                    f"layer shapes that keep a template, better once filling and draining count: {kept}"
                )
        return notes

    def _way(self, way: Callable[[], tuple[MappedLayer, Machine]]) -> Way:
        """A layer lowered in one way, with the figures that ways are compared by."""
        layer, seen = way()
        if self.inside:
            layer = resident(seen, layer)
        view = self.wiring.at(seen)
        tasks = layer_tasks(layer.plan, view)
        clock = f"components.{self.machine.array_name}.clock"
        flat = tasks.flat(lambda cycles: to_ps(cycles, self.period, clock))
        energy = energy_J(self.machine, layer.access, layer.macs, 0, self.precision).values()
        known = [e for e in energy if e is not None]
        total = sum(known) if len(known) == len(energy) else None
        if total is None and self.options.goal != "latency" and (len(self.dataflows) > 1 or self.mapper):
            raise AccelsimError(
                f"goal={self.options.goal} needs the energy of every component of {self.machine.name}, and"
                " one has no price; give it one or take goal=latency"
            )
        wiring = self.wiring
        cycles = closed_form_cycles(layer.plan, tasks, flat, wiring.resources, wiring.array, self.period)
        return Way(layer, view, flat, cycles, total)

    def _ways(
        self, key: str | None, shape: ConvShape, stored: Mapping[str, float]
    ) -> Iterator[Callable[[], tuple[MappedLayer, Machine]]]:
        machine, array = self.machine, self.machine.array
        conventions, unlimited = self.conventions(stored), self.options.memory == "unlimited"
        if key is not None and self.mapping is not None:
            assert isinstance(array, PEArray)
            where = (shape, self.widths, conventions, unlimited)
            yield partial(map_given, machine, array, self.mapping, key, *where)
            return
        for dataflow in self.dataflows:
            yield partial(self._by_dataflow, dataflow, shape, conventions, unlimited)
        if self.mapper is not None:
            yield partial(self.mapper.map_layer, shape, conventions, self.inside)

    def _by_dataflow(
        self, dataflow: Dataflow, shape: ConvShape, conventions: Conventions, unlimited: bool
    ) -> tuple[MappedLayer, Machine]:
        machine, array = self.machine, self.machine.array
        where = (dataflow, shape, self.widths, conventions, unlimited)
        if isinstance(array, SystolicArray):
            layer = fold_plan.map_layer(machine, array, *where)
        elif isinstance(array, PEArray):
            layer = array_plan.map_layer(machine, array, *where)
        else:
            raise AccelsimError(f"{machine.name}: mapping 'asic' does not know class {array.class_!r}")
        if len(self.dataflows) > 1:
            layer = replace(layer, description=f"{dataflow.name}: {layer.description}")
        return layer, machine

    def _mapper(self) -> Mapper | None:
        """The mapper, if the switches ask for it."""
        options, array = self.options, self.machine.array
        if options.mapper == "template":
            return None
        if not isinstance(array, PEArray):
            raise AccelsimError(
                f"{self.machine.name}: mapper=best is for a pe_array, whose elements have registers, not a"
                f" {array.class_}; its mapping follows from the dataflow, and dataflow=best tries them all"
            )
        return Mapper(
            self.machine, array, unrolled_dims(self.dataflows), self.widths, self.precision, options.goal,
            options.mapper_budget, options.free,
        )  # fmt: skip
