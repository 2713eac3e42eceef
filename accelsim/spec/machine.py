"""The record of an architecture: a machine as components, as parts that are machines themselves, or both."""

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from accelsim.errors import did_you_mean
from accelsim.spec.base import FileSpec, Rejected, Spec
from accelsim.spec.component import Component
from accelsim.spec.units import PositiveCount, shown
from accelsim.spec.writer import digest_of


def _scalar(value: object) -> object:
    if isinstance(value, str | bool | int | float):
        return value
    raise ValueError(f"must be a single value, not {shown(value)}")


Scalar = Annotated[Any, BeforeValidator(_scalar)]


class Defaults(Spec):
    """What a run uses when it is not told otherwise."""

    precision: str | None = None
    """number format of activations and weights, e.g. int8"""
    accumulator: str | None = None
    """number format of partial sums, e.g. int32"""
    batch: PositiveCount | None = None
    """inputs processed together"""


class Architecture(FileSpec):
    """One machine, with parameters filled in and parts loaded.

    ``components`` are hardware by name, ``parts`` whole machines by name. ``mapping`` names the family that
    brings work onto it. A preset is a named set of switch values; ``physical`` always exists.
    """

    kind: Literal["architecture"] = "architecture"
    name: str
    description: str | None = None
    source: str | None = None
    """where the numbers come from"""
    assumptions: tuple[str, ...] = ()
    """what had to be assumed because no source says it"""
    base: str | None = None
    """another architecture, of which this file says only what differs"""
    mapping: str | None = None
    """machine family that lowers work onto this machine"""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """values that ``$name`` stands for; whoever uses the file as a part can set them"""
    defaults: Defaults = Defaults()
    presets: dict[str, dict[str, Scalar]] = Field(default_factory=dict)
    """named sets of switch values"""
    components: dict[str, SerializeAsAny[Component]] = Field(default_factory=dict)
    parts: dict[str, SerializeAsAny["Architecture"]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _physical_always_exists(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("presets", {}), dict):
            return {**data, "presets": {"physical": {}, **data.get("presets", {})}}
        return data

    @model_validator(mode="after")
    def _per_is_sound(self) -> "Architecture":
        problems = per_problems({name: component.per for name, component in self.components.items()})
        if problems:
            raise Rejected(problems)
        return self

    @cached_property
    def digest(self) -> str:
        """Hash of the resolved text: equal for machines that are equal, wherever their files are."""
        return digest_of(self.model_dump(mode="json", by_alias=True))


def per_problems(per: dict[str, str | None]) -> list[tuple[tuple[str, ...], str]]:
    """What is wrong with who belongs to whom: an unknown owner, or components that own each other."""
    problems: list[tuple[tuple[str, ...], str]] = []
    for name, owner in per.items():
        if owner is not None and owner not in per:
            hint = did_you_mean(owner, per)
            problems.append((("components", name, "per"), f"names no component: {shown(owner)}{hint}"))
    sound: set[str] = set()
    for name in per:
        chain: dict[str, None] = {}
        step: str | None = name
        while step is not None and step not in sound and step not in chain:
            chain[step] = None
            step = per.get(step)
        if step in chain:
            steps = list(chain)
            circle = steps[steps.index(step) :]
            text = f"goes in a circle: {' per '.join([*circle, circle[0]])}"
            problems.append((("components", circle[0], "per"), text))
        sound.update(chain)
    return problems
