"""The mapper's loop nest for a layer, lowered like one from a mapping file."""

import os
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import LoopNest
from accelsim.cost.written import memory_of
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape
from accelsim.mapper import Certificate, Mapped, Metric, best_mapping
from accelsim.mapping.asic.flat_machine import hierarchy_of
from accelsim.mapping.asic.given import lower_nest
from accelsim.mapping.asic.layer import Conventions, MappedLayer, Widths
from accelsim.mapping.asic.machine import Machine

GOALS: Mapping[str, tuple[Metric, Metric]] = {
    "latency": ("latency", "energy"),
    "energy": ("energy", "latency"),
    "edp": ("edp", "latency"),
}
"""The order of metrics that a goal stands for: the second one decides between equals."""


KEPT = "the template, better than the mapping found once filling and draining count"


class Mapper:
    """The best mappings of layers on one machine; equal shapes are solved once.

    ``certificates`` collects what was proven, by shape.
    """

    def __init__(
        self,
        machine: Machine,
        array: PEArray,
        dims: Collection[str],
        widths: Widths,
        precision: str,
        goal: str,
        budget_s: float | None,
        free: str = "none",
    ) -> None:
        self.machine, self.array = machine, array
        self.dims, self.widths, self.precision = dims, widths, precision
        self.goal, self.budget_s, self.free = goal, budget_s, free
        self.certificates: dict[ConvShape, Certificate] = {}
        self._found: dict[ConvShape, Mapped] = {}

    def map_layer(
        self, shape: ConvShape, conventions: Conventions, inside: bool = False
    ) -> tuple[MappedLayer, Machine]:
        """Search, lower, and attach the certificate; also the machine with the storage points of the nest.

        ``inside``: the buffer next to DRAM keeps everything whole.

        Raises
        ------
        AccelsimError
            If nothing fits: which memory, which tensor, by how much.
        """
        found = self._search(shape, conventions)
        nest = self._sliding(found.nest)
        if inside:
            outer = self.machine.buffers[0].memories
            levels = (replace(v, depth=0) if memory_of(v) in outer else v for v in nest.levels)
            nest = LoopNest(shape, nest.loops, tuple(levels))
        layer, seen = lower_nest(
            self.machine, self.array, nest, self.widths, conventions, self.free == "all", "the mapping found"
        )
        self.certificates[shape] = found.certificate
        return replace(layer, certificate=in_short(found.certificate)), seen

    def prepare(self, shapes: Iterable[ConvShape], conventions: Conventions) -> None:
        """Search shapes side by side, a thread per core; ``map_layer`` says of those that fit nowhere why."""

        def search(shape: ConvShape) -> None:
            with suppress(AccelsimError):
                self._search(shape, conventions)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(search, dict.fromkeys(shapes)))

    def _search(self, shape: ConvShape, conventions: Conventions) -> Mapped:
        if shape not in self._found:
            hierarchy = hierarchy_of(
                self.machine, self.array, self.dims, self.widths, conventions, self.precision, self.free
            )
            self._found[shape] = best_mapping(shape, hierarchy, GOALS[self.goal], budget_s=self.budget_s)
        return self._found[shape]

    def _sliding(self, nest: LoopNest) -> LoopNest:
        """The nest with the line buffers of the machine, which the search does without."""
        assert self.machine.registers is not None
        levels = (*self.machine.buffers, self.machine.registers)
        slides = {name for level in levels for name, memory in level.memories.items() if memory.sliding}
        kept = [
            replace(level, sliding=memory_of(level) in slides and "inputs" in level.tensors)
            for level in nest.levels
        ]
        return LoopNest(nest.shape, nest.loops, tuple(kept))

    def why_template(self, shape: ConvShape) -> str:
        """Why a layer runs under a template."""
        return KEPT if shape in self.certificates else "the template, because no searched mapping fits"

    def note(self) -> str:
        """One line on what was proven."""
        known = self.certificates.values()
        proven = sum(c.optimal for c in known)
        order = " then ".join(GOALS[self.goal])
        text = (
            f"mapper: {proven} of {len(known)} layer shapes are proven optimal for {order}, as the search"
            f" counts (one tile per level, {' '.join(self.dims) or 'nothing'} unrolled, no fill and drain)"
        )
        worst = max((c.gap for c in known), default=0.0)
        return text if proven == len(known) else f"{text}; the worst gap of the others is {worst:.2%}"


def in_short(certificate: Certificate) -> str:
    """A certificate in a few words."""
    order = " then ".join(certificate.goal)
    if certificate.optimal:
        return f"optimal for {order}"
    return f"within {certificate.gap:.2%} of the best for {order} (in {certificate.metric})"
