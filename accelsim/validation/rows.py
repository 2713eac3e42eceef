"""The rows of ``accelsim/validation/*.yaml``: one published number each."""

from importlib.resources import files
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, model_validator

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.spec.base import FileSpec, Spec
from accelsim.spec.reader import read_file
from accelsim.spec.sentences import explain
from accelsim.spec.tree import Problems
from accelsim.spec.units import PositiveCount

System = Literal[
    "systolic", "eyeriss", "nvdla", "shidiannao", "nasaic", "llm", "gpu", "long-context",
    "inflash", "rdu", "coe", "graphics", "ethos-u55", "soft-errors",
]  # fmt: skip


Measure = Literal[
    "cycles", "last_cycle", "latency_s", "inferences_per_s", "energy_unit", "area_um2", "bytes", "held_B",
    "pes",
]  # fmt: skip
"""Cycles, the sum over operators of the index of the last cycle (counted from 0), seconds, inferences per
second of the whole workload, energy in the unit of the row's calibration, area, bytes that ``of`` moves,
bytes of one tile in ``of``, or elements in use."""

Comparison = Literal["reduction", "ratio", "mean_difference"]
"""One less the second over the first; the first over the second; the mean of first less second."""


class Row(Spec):
    """One published number and how to get the simulated one."""

    id: str
    what: str
    """what the number is, in words"""
    published: float
    unit: str
    tolerance: Annotated[float | None, Field(ge=0)] = None
    """largest relative error that counts as agreement; None: reported without a verdict"""
    goal: Annotated[float | None, Field(ge=0)] = None
    """relative error that would be wished for"""
    kind: Literal["arithmetic", "calibrated", "predicted"]
    """whether it follows from the inputs alone, was used to set a constant, or is predicted"""
    quality: Literal["measured", "paper", "vendor", "secondary", "recalled", "derived"]
    """how the published number is known"""
    cause: str | None = None
    """why a row outside its tolerance is where it is"""
    source: str
    architecture: str | None = None
    preset: str = "physical"
    switches: dict[str, Any] = Field(default_factory=dict)
    """switches of the machine family, and fields of the architecture by dotted path"""
    workload: str | None = None
    layers: tuple[dict[str, Any], ...] | None = None
    """the workload written out, instead of a name"""
    batch: PositiveCount | None = None
    """inputs processed together, instead of the default"""
    measure: Measure | Comparison
    """what is simulated, or which comparison of ``values``"""
    of: tuple[str, ...] = ()
    """memories and links whose bytes are added up, or ``memory tensor`` of a tile"""
    over: str | None = None
    """another architecture, whose number this one is divided by"""
    values: tuple[tuple[float, float], ...] = ()
    """pairs of published numbers that an arithmetic row compares, instead of a simulation"""
    physical: bool = True
    """whether the number has a meaning in preset physical, which is then printed beside it"""
    operator: str | None = None
    """one operator of the workload; None: all that have MACs"""
    input: str | None = None
    """field of the architecture that the number depends on"""
    sign: Literal["+", "-", "0"] | None = None
    """which way the number moves when that field grows by a tenth, or by one where it is a count"""

    @model_validator(mode="after")
    def _one_origin(self) -> "Row":
        if self.values:
            if self.measure != "mean_difference" and len(self.values) > 1:
                raise ValueError(f"measure {self.measure} compares one pair of values")
            if self.measure not in get_args(Comparison) or self.architecture or self.workload or self.layers:
                raise ValueError("values go with a comparison as measure, and without a simulation")
        elif self.measure in get_args(Comparison):
            raise ValueError(f"measure {self.measure} needs values")
        elif self.architecture is None:
            raise ValueError("needs an architecture")
        elif (self.workload is None) == (self.layers is None):
            raise ValueError("give either workload or layers")
        if (self.measure in ("bytes", "held_B")) != bool(self.of):
            raise ValueError("'of' goes with the measures bytes and held_B")
        return self


class RowFile(FileSpec):
    """A file of rows about one system."""

    kind: Literal["validation"]
    system: System
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]


def load_rows(system: str | None = None) -> list[tuple[str, Row]]:
    """(system, row) of all shipped rows, or of one system.

    Raises
    ------
    AccelsimError
        For a system that has no rows, or a file that is wrong.
    """
    found: list[tuple[str, Row]] = []
    problems = Problems()
    folder = files("accelsim.validation")
    for file in sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name):
        for document in read_file(file, f"accelsim/validation/{file.name}"):
            try:
                rows = RowFile.model_validate(document.data)
            except ValidationError as error:
                explain(error, RowFile, document.root, (), problems)
                continue
            found += [(rows.system, row) for row in rows.rows]
    problems.raise_any()
    if system is not None:
        known = tuple(dict.fromkeys(name for name, _ in found))
        if system not in known:
            hint = did_you_mean(system, known) or f"; there are {', '.join(known)}"
            raise AccelsimError(f"no published numbers of a system {system[:60]!r}{hint}")
        found = [(name, row) for name, row in found if name == system]
    return found
