"""Calibration files: the constants and readings of a named cost model, each with its source."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from accelsim.errors import did_you_mean
from accelsim.spec.base import FileSpec, Rejected, Spec
from accelsim.spec.documents import open_document
from accelsim.spec.sentences import explain
from accelsim.spec.tree import Problems, Step
from accelsim.spec.units import PositiveCount

PHYSICAL = "physical"
"""The calibration that needs no file: constants are those of the architecture, in SI units."""

NEEDED = {
    "data-centric": (
        "mac_energy", "l1_access", "l2_access", "mac_area", "l1_cell_area", "l1_cell_size", "l1_cells",
        "l2_cell_area", "l2_cell_size", "l2_cells", "bus_area", "bus_per_pe", "bus_fixed", "arbiter_area",
        "arbiter_square", "arbiter_per_pe", "arbiter_fixed", "lanes", "hops", "hop_latency",
    ),
    "conv-buffer": (
        "c_round", "k_least", "k_most", "macs_per_k", "kernels", "winograd_gain", "winograd_bytes",
        "channel_atom", "weight_atom", "sheet_KiB",
    ),
}  # fmt: skip
"""Cost model -> names of the constants it takes."""

_WHOLE = (
    "l1_cells", "l1_cell_size", "l2_cells", "l2_cell_size", "lanes", "hops", "hop_latency",
    "c_round", "k_least", "k_most", "macs_per_k", "kernels", "channel_atom", "weight_atom", "sheet_KiB",
)  # fmt: skip
MOST = 1e9
"""Largest constant: more is a slip of the unit, and counts would leave the range of whole numbers."""

_POSITIVE = ("winograd_gain", "winograd_bytes")


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


class BufferSwitches(Spec):
    """Readings of the model of a convolution buffer; those of a run replace them."""

    winograd: Literal["on", "off"]
    """whether 3 x 3 kernels of stride 1 are transformed, in time and in bytes"""
    k_round: PositiveCount | Literal["clamp"]
    """kernels are rounded up to a multiple of this; clamp: of MACs / macs_per_k within its limits"""
    fc_batch: PositiveCount
    """images that share one read of a fully connected layer's weights"""


class _Constants(FileSpec):
    """A cost model's constants and readings under one name."""

    kind: Literal["calibration"] = "calibration"
    name: str
    description: str | None = None
    source: str | None = None
    """where the model is described"""
    assumptions: tuple[str, ...] = ()
    """what had to be assumed, and which readings were chosen"""
    model: str
    """which cost model takes the constants"""
    constants: Annotated[dict[str, Constant], Field(min_length=1)]
    """the numbers of the model by name"""

    @model_validator(mode="after")
    def _constants_are_those_of_the_model(self) -> Self:
        needed = NEEDED.get(self.model, ())
        problems: list[tuple[tuple[Step, ...], str]] = [
            (("constants", name), f"unknown constant of model {self.model!r}{did_you_mean(name, needed)}")
            for name in self.constants
            if name not in needed
        ]
        missing = [name for name in needed if name not in self.constants]
        if missing:
            problems.append((("constants",), f"needs {', '.join(missing)} as well"))
        for name in (*_WHOLE, *_POSITIVE, "mac_energy", "l1_access", "l2_access"):
            constant = self.constants.get(name)
            if constant is None:
                continue
            if abs(constant.value) > MOST:
                problems.append((("constants", name, "value"), f"must be at most {MOST:g}"))
            elif name in _WHOLE and (constant.value < 1 or constant.value % 1):
                problems.append(
                    (("constants", name, "value"), f"must be a whole number from 1, not {constant.value:g}")
                )
            elif name in _POSITIVE and constant.value <= 0:
                problems.append(
                    (("constants", name, "value"), f"must be more than 0, not {constant.value:g}")
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


class Calibration(_Constants):
    """The data-centric model: time by cases of the steps of a dataflow, with energy and area."""

    model: Literal["data-centric"]
    """which cost model takes the constants"""
    units: Units
    switches: Switches


class BufferCalibration(_Constants):
    """The rules of a performance sheet for MAC units behind one convolution buffer; time and bytes only."""

    model: Literal["conv-buffer"]
    """which cost model takes the constants"""
    switches: BufferSwitches


def load_calibration(name_or_path: str | Path) -> Calibration | BufferCalibration:
    """Read a calibration by shipped name, file, or ``file.yaml#name``.

    Raises
    ------
    AccelsimError
        with every problem of the file.
    """
    document = open_document("calibration", name_or_path)
    problems = Problems()
    buffered = document.data.get("model") == "conv-buffer"
    kind: type[Calibration] | type[BufferCalibration] = BufferCalibration if buffered else Calibration
    try:
        calibration = kind.model_validate(document.data)
    except ValidationError as error:
        explain(error, kind, document.root, (), problems)
        problems.raise_any()
        raise
    calibration._document = document
    return calibration
