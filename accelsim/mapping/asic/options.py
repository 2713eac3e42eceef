"""Switches of the machine family ``asic``."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import model_validator

from accelsim.mapping.family import Options
from accelsim.spec.calibration import PHYSICAL
from accelsim.spec.units import PositiveCount, Seconds

READINGS = ("rs_loop_cycles", "shi_halo", "first_step", "buffers", "winograd", "k_round", "fc_batch")
"""Switches that are readings of a calibration."""

PHYSICAL_ONLY = ("mapping", "mapper", "mapper_budget", "depth_first", "memory", "fuse", "coding")
"""Switches that only the calibration without a file has."""

Free = Literal["none", "dram", "all"]
_FREE: Mapping[str, Free] = {"contended": "none", "overlapped": "dram", "unlimited": "all"}


class AsicOptions(Options):
    """Switches of the family.

    ``dataflow`` names the template of all layers, several with commas between (``ws,os,is``), of which each
    layer takes the best for the ``goal`` (the earlier wins ties), or ``best``: all shipped ones.
    ``mapper: best`` searches each layer's mapping on a pe_array, with proof, and keeps the template where
    that is better once filling and draining count; the dims that the dataflows unroll may be unrolled in any
    way. ``mapper_budget`` ends the search of a layer after so many seconds. ``goal`` is ``latency`` (then
    energy), ``energy`` (then latency) or their product ``edp``.
    ``mapping`` names a file (``kind: mapping``) with the loop nests of the layers, instead of the dataflow's.
    ``memory: unlimited`` gives every memory the size of the layer and no service time, so that what remains
    is the array's own (the stall-free count of SCALE-Sim); ``overlapped`` leaves sizes and links as they are
    and hides the time of DRAM alone. ``padding: count`` reads zeros outside the image like pixels.
    ``coding: run_length`` codes feature maps in DRAM, where the workload knows their zeros.
    ``fuse: false`` gives every element-wise operator a turn of its own.
    ``depth_first: true`` takes chains of layers strip by strip through the buffer next to DRAM where they fit
    and DRAM then moves less.
    ``calibration`` names a file whose cost model and constants replace those of the architecture; the
    switches after it are readings of such models, explained where ``cost.cases`` and ``cost.conv_buffer``
    take them.

    For a chip of several parts: ``goal`` is also what the assignment of layers to parts strives for,
    ``energy`` or ``edp`` within ``deadline``; ``scheduler`` is ``search``, fast, or
    ``exact``, with proof, for small cases.
    """

    dataflow: str | None = None
    mapping: str | None = None
    mapper: Literal["template", "best"] = "template"
    mapper_budget: Seconds | None = None
    memory: Literal["contended", "overlapped", "unlimited"] = "contended"
    fuse: bool = True
    depth_first: bool = False
    padding: Literal["skip", "count", "same", "valid"] = "skip"
    coding: Literal["none", "run_length"] = "none"
    calibration: str = PHYSICAL
    rs_loop_cycles: Literal["one", "full"] | None = None
    shi_halo: Literal["unique", "double"] | None = None
    first_step: Literal["added", "overlapped"] | None = None
    buffers: Literal[1, 2] | None = None
    winograd: Literal["on", "off"] | None = None
    k_round: PositiveCount | Literal["clamp"] | None = None
    fc_batch: PositiveCount | None = None
    goal: Literal["latency", "energy", "edp"] = "latency"
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
            if name in PHYSICAL_ONLY and not physical:
                raise ValueError(f"{name} belongs to calibration {PHYSICAL!r}; {self.calibration!r} has none")
        paddings = ("skip", "count", "insert") if physical else ("same", "valid")
        if "padding" in given and self.padding not in paddings:
            known = " or ".join(paddings)
            raise ValueError(f"padding of calibration {self.calibration!r} is {known}, not {self.padding!r}")
        return self

    @property
    def free(self) -> Free:
        """Whose transfers take no time."""
        return _FREE[self.memory]

    @property
    def readings(self) -> dict[str, object]:
        """The readings of the calibration that are given here."""
        names = [*READINGS, *(["padding"] if "padding" in self.model_fields_set else [])]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}
