"""Switches of the machine family ``asic``."""

from typing import Literal, Self

from pydantic import model_validator

from accelsim.mapping.family import Options
from accelsim.spec.calibration import PHYSICAL
from accelsim.spec.units import Seconds

READINGS = ("rs_loop_cycles", "shi_halo", "first_step", "buffers")
"""Switches that are readings of a calibration."""


class AsicOptions(Options):
    """Switches of the family.

    ``memory: unlimited`` gives every memory the size of the layer and no service time, so that what remains
    is the array's own (the stall-free count of SCALE-Sim). ``padding: count`` reads zeros outside the image
    like pixels.
    ``fuse: false`` gives every element-wise operator a turn of its own.
    ``calibration`` names a file whose cost model and constants replace those of the architecture; the
    switches after it are readings of that model, explained where ``cost.cases`` takes them.

    For a chip of several parts: ``goal`` is what the assignment of layers to parts strives for, ``latency``
    (then energy) or ``energy`` within ``deadline`` (then latency); ``scheduler`` is ``search``, fast, or
    ``exact``, with proof, for small cases.
    """

    dataflow: str | None = None
    memory: Literal["contended", "unlimited"] = "contended"
    fuse: bool = True
    padding: Literal["skip", "count", "same", "valid"] = "skip"
    calibration: str = PHYSICAL
    rs_loop_cycles: Literal["one", "full"] | None = None
    shi_halo: Literal["unique", "double"] | None = None
    first_step: Literal["added", "overlapped"] | None = None
    buffers: Literal[1, 2] | None = None
    goal: Literal["latency", "energy"] = "latency"
    deadline: Seconds | None = None
    scheduler: Literal["search", "exact"] = "search"

    @model_validator(mode="after")
    def _switches_belong_to_the_calibration(self) -> Self:
        given = {name: getattr(self, name) for name in self.model_fields_set} | {
            "calibration": self.calibration
        }
        physical = self.calibration == PHYSICAL
        for name, value in given.items():
            if value is None:
                continue
            if name in READINGS and physical:
                raise ValueError(
                    f"{name} is a reading of another calibration than {PHYSICAL!r};"
                    " 'accelsim list calibrations' shows them"
                )
            if name in ("memory", "fuse") and not physical:
                raise ValueError(f"{name} belongs to calibration {PHYSICAL!r}; {self.calibration!r} has none")
        paddings = ("skip", "count") if physical else ("same", "valid")
        if "padding" in given and self.padding not in paddings:
            known = " or ".join(paddings)
            raise ValueError(f"padding of calibration {self.calibration!r} is {known}, not {self.padding!r}")
        return self

    @property
    def readings(self) -> dict[str, object]:
        """The readings of the calibration that are given here."""
        names = [*READINGS, *(["padding"] if "padding" in self.model_fields_set else [])]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}
