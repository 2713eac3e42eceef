"""Calibration files: the constants and readings of a named cost model, each with its source."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from accelsim.errors import did_you_mean
from accelsim.spec.base import FileSpec, Rejected, Spec
from accelsim.spec.documents import open_document
from accelsim.spec.sentences import explain
from accelsim.spec.tree import Problems, Step

PHYSICAL = "physical"
"""The calibration that needs no file: constants are those of the architecture, in SI units."""

NEEDED = {
    "data-centric": (
        "mac_energy", "l1_access", "l2_access", "mac_area", "l1_cell_area", "l1_cell_size", "l1_cells",
        "l2_cell_area", "l2_cell_size", "l2_cells", "bus_area", "bus_per_pe", "bus_fixed", "arbiter_area",
        "arbiter_square", "arbiter_per_pe", "arbiter_fixed", "lanes", "hops", "hop_latency",
    ),
}  # fmt: skip
"""Cost model -> names of the constants it takes."""

_WHOLE = ("l1_cells", "l1_cell_size", "l2_cells", "l2_cell_size", "lanes", "hops", "hop_latency")


class Constant(Spec):
    """One number, with the unit its source gives it."""

    value: float
    unit: str
    source: str
    """where the number comes from"""
    calibrated_on: str | None = None
    """what it was set to agree with, if it was"""


class Units(Spec):
    """What the model's results are called; results of another calibration are never mixed in."""

    latency: Literal["cycles"] = "cycles"
    energy: str
    area: Literal["um2"] = "um2"


class Switches(Spec):
    """Readings of the model; those of a run replace them."""

    rs_loop_cycles: Literal["one", "full"]
    """cycles of a kernel window in a processing element: one, or one per tap"""
    shi_halo: Literal["unique", "double"]
    """whether the halo of neighbouring sub-clusters is sent once where windows slide, or to each"""
    first_step: Literal["added", "overlapped"]
    """whether the first step of a layer adds its ingress to its compute"""
    padding: Literal["same", "valid"]
    """whether zeros outside the image count as image, or outputs that need them are left out"""
    buffers: Literal[1, 2]
    """tiles held at once; 2 overlaps ingress, compute and egress"""


class Calibration(FileSpec):
    """A cost model's constants and readings under one name."""

    kind: Literal["calibration"] = "calibration"
    name: str
    description: str | None = None
    source: str | None = None
    """where the model is described"""
    assumptions: tuple[str, ...] = ()
    """what had to be assumed, and which readings were chosen"""
    model: Literal["data-centric"]
    """which cost model takes the constants"""
    units: Units
    switches: Switches
    constants: Annotated[dict[str, Constant], Field(min_length=1)]
    """the numbers of the model by name"""

    @model_validator(mode="after")
    def _constants_are_those_of_the_model(self) -> "Calibration":
        needed = NEEDED[self.model]
        problems: list[tuple[tuple[Step, ...], str]] = [
            (("constants", name), f"unknown constant of model {self.model!r}{did_you_mean(name, needed)}")
            for name in self.constants
            if name not in needed
        ]
        missing = [name for name in needed if name not in self.constants]
        if missing:
            problems.append((("constants",), f"needs {', '.join(missing)} as well"))
        for name in (*_WHOLE, "mac_energy", "l1_access", "l2_access"):
            constant = self.constants.get(name)
            if constant is None:
                continue
            if name in _WHOLE and (constant.value < 1 or constant.value % 1):
                problems.append(
                    (("constants", name, "value"), f"must be a whole number from 1, not {constant.value:g}")
                )
            elif constant.value < 0:
                problems.append((("constants", name, "value"), f"must be at least 0, not {constant.value:g}"))
        if problems:
            raise Rejected(problems)
        return self

    def __getitem__(self, name: str) -> float:
        """Value of a constant."""
        return self.constants[name].value

    def whole(self, name: str) -> int:
        """Value of a constant that is a count."""
        return int(self.constants[name].value)


def load_calibration(name_or_path: str | Path) -> Calibration:
    """Read a calibration by shipped name, file, or ``file.yaml#name``.

    Raises
    ------
    AccelsimError
        with every problem of the file.
    """
    document = open_document("calibration", name_or_path)
    problems = Problems()
    try:
        calibration = Calibration.model_validate(document.data)
    except ValidationError as error:
        explain(error, Calibration, document.root, (), problems)
        problems.raise_any()
        raise
    calibration._document = document
    return calibration
