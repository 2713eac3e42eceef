"""What every machine family takes and gives: the contract between mappings and the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from accelsim.cost.nest import LoopNest
from accelsim.graph.layer_graph import LayerGraph
from accelsim.kernel import Program
from accelsim.spec.architecture import Architecture


class Options(BaseModel):
    """Base of a family's switches: frozen, and an unknown switch is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a task does: ``action`` ('load weights') on ``resource`` (None for a pure delay)."""

    action: str
    resource: str | None


@dataclass(frozen=True, slots=True)
class Work:
    """One operator as lowered: the figures that do not come from events.

    ``part`` is its index in the program's serial parts (None if it takes no time); ``fused_into`` names the
    operator that it rides on. ``bytes`` counts what each memory and link moves; ``energy_J`` is the energy
    per component (None = unknown), ``closed_form_cycles`` the estimate without events, ``ideal_cycles`` the
    MACs over the peak rate, ``mapping`` a line that says how it was mapped, ``certificate`` one on how good
    that is, ``pes`` the elements of the array in use, ``held_B`` the bytes of one full tile by memory and
    tensor.

    Where operators overlap there are no serial parts: ``tasks`` are then the numbers of the operator's first
    and last task in the one flat block of the program, ``unit`` is what runs it, and ``planned_ps`` the
    (start, end) that the schedule without events gives it.
    """

    name: str
    type: str
    macs: int
    parameters: int
    part: int | None = None
    fused_into: str | None = None
    bytes: Mapping[str, int] = field(default_factory=dict)
    energy_J: Mapping[str, float | None] = field(default_factory=dict)
    closed_form_cycles: int | None = None
    ideal_cycles: int | None = None
    mapping: str = ""
    certificate: str = ""
    pes: int | None = None
    held_B: Mapping[str, int] = field(default_factory=dict)
    tasks: tuple[int, int] | None = None
    unit: str | None = None
    planned_ps: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Lowered:
    """A graph on a machine, ready to run.

    ``program``'s root is serial, or flat if operators overlap; ``works`` lists every operator of the graph in
    order. ``cycle_ps`` is the clock period in picoseconds as (numerator, denominator), None if the parts have
    different clocks. ``nests`` are the loops of operators by name, where the family has them.
    ``peak_macs_per_s`` and ``memory_B_per_s`` are the two roofs of the machine, None if it has no single
    pair. ``metrics`` are figures of the family's own, with their unit in the name; ``assumptions`` replace
    those of the machine where its constants were not used. ``component_of`` names the component of each
    resource that is only a part of one, such as one direction of a link. ``deadline_s`` is what the schedule
    was made for.
    """

    program: Program
    works: tuple[Work, ...]
    kinds: tuple[Kind, ...]
    cycle_ps: tuple[int, int] | None
    area_mm2: Mapping[str, float | None]
    nests: Mapping[str, LoopNest] = field(default_factory=dict)
    peak_macs_per_s: float | None = None
    memory_B_per_s: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    component_of: Mapping[str, str] = field(default_factory=dict)
    deadline_s: float | None = None
    notes: tuple[str, ...] = ()
    assumptions: tuple[str, ...] | None = None
    sources: tuple[str, ...] = ()
    estimator: Callable[[], "Estimator"] | None = field(default=None, compare=False)
    """makes the means to estimate other clocks, bandwidths and energies under the same mapping"""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Closed-form figures of a whole network."""

    cycles: int
    latency_s: float
    energy_J: float | None
    energy_by_component_J: Mapping[str, float | None]


class Estimator(Protocol):
    """A lowered graph whose clocks, bandwidths and energies can still be set."""

    def estimate(self, settings: Mapping[str, object]) -> Estimate:
        """Figures under other values of fields; AccelsimError for a field that may change the mapping."""
        ...


class MappingFamily(Protocol):
    """A machine family, registered in the entry-point group ``accelsim.mappings``."""

    name: str
    options: type[Options]

    def operators(self) -> frozenset[str]:
        """Operator types that this family can run."""
        ...

    def lower(self, graph: LayerGraph, architecture: Architecture, options: Options) -> Lowered:
        """Lower a graph whose operator types are all listed by ``operators``."""
        ...
