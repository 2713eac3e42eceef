"""One loop of a dataflow: ``dim[:size[/offset]][@]``; ``*`` joins dims, ``&`` loops that advance together."""

from dataclasses import dataclass, replace
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from accelsim.spec.base import Rejected
from accelsim.spec.expressions import DIMENSIONS, SizeExpr, parse_size, unknown_dimension
from accelsim.spec.units import shown

ONE = SizeExpr("1", ((1, ()),))


@dataclass(frozen=True, slots=True)
class LoopSpec:
    """A loop over one dimension, or over several flattened into one.

    Parameters
    ----------
    dims : what is looped over; several dims (``C*R*S``) are one index running over their product
    size : positions one iteration handles (its block); 1 if not written, ``full`` for the whole
    offset : positions from one block to the next; None means ``size`` (blocks side by side)
    spatial : iterations are laid out over hardware instead of time (``@``)
    together : loops that take their step in the same iteration as this one (``Y@&R@``)
    """

    dims: tuple[str, ...]
    size: SizeExpr = ONE
    offset: SizeExpr | None = None
    spatial: bool = False
    together: tuple["LoopSpec", ...] = ()

    def __str__(self) -> str:
        size = "" if self.size == ONE and self.offset is None else f":{self.size}"
        offset = "" if self.offset is None else f"/{self.offset}"
        first = f"{'*'.join(self.dims)}{size}{offset}{'@' if self.spatial else ''}"
        return "&".join([first, *map(str, self.together)])

    @property
    def all_dims(self) -> tuple[str, ...]:
        """Its dims and those of the loops that go together with it."""
        return self.dims + tuple(d for loop in self.together for d in loop.dims)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.plain_serializer_function_ser_schema(str, when_used="json")
        return core_schema.no_info_plain_validator_function(_read, serialization=text)

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "examples": ["K@", "C:64", "R:full", "Y:7+S/7", "C*R*S@", "Y@&R@"]}


def _read(value: object) -> LoopSpec:
    if isinstance(value, LoopSpec):
        return value
    if isinstance(value, dict):
        written = ", ".join(f"'{k}:{v}'" for k, v in list(value.items())[:1])
        raise ValueError(f"must be text such as 'C:64', not a mapping; write {written} without a space")
    if not isinstance(value, str):
        raise ValueError(f"must be text such as 'C:64', not {shown(value)}")
    return parse_loop(value)


def parse_loop(text: str) -> LoopSpec:
    """Read one loop.

    Raises
    ------
    Rejected
        (a ValueError) with every problem of the loop.
    """
    if len(text) > 500:
        raise Rejected([((), f"must be a loop such as 'C:64', not {shown(text)}")])
    problems: list[str] = []
    loops = [_single(part, problems) for part in text.split("&")]
    dims = [dim for loop in loops for dim in loop.dims]
    problems += [f"{text!r} names {dim} twice" for dim in sorted(set(dims)) if dims.count(dim) > 1]
    if len({loop.spatial for loop in loops}) > 1:
        problems.append(
            f"{text!r} advances together in space and in time; write '@' on all of them or on none"
        )
    if problems:
        raise Rejected([((), problem) for problem in problems])
    return replace(loops[0], together=tuple(loops[1:]))


def _single(text: str, problems: list[str]) -> LoopSpec:
    """One loop without ``&``; what is wrong with it goes to ``problems``."""
    body = text.strip()
    spatial = body.endswith("@")
    names, colon, sizes = body.removesuffix("@").partition(":")
    dims = tuple(name.strip() for name in names.split("*"))
    for dim in dims:
        if not dim:
            problems.append(f"{text.strip()!r} must be a loop such as 'C:64', 'K@' or 'R:full'")
        elif dim not in DIMENSIONS:
            problems.append(f"{text.strip()!r}: {unknown_dimension(dim)}")
    size_text, slash, offset_text = sizes.partition("/")
    size = _size(size_text, text, problems) if colon else ONE
    offset = _size(offset_text, text, problems) if slash else None
    if offset is not None and offset.full:
        problems.append(f"{text.strip()!r}: the offset cannot be 'full'; leave it out")
    elif offset is not None and offset.exceeds(size):
        problems.append(
            f"{text.strip()!r}: offset {offset} is larger than size {size}, positions would be left out"
        )
    return LoopSpec(dims, size, offset, spatial)


def _size(text: str, loop: str, problems: list[str]) -> SizeExpr:
    try:
        size = parse_size(text)
    except ValueError as error:
        problems.append(f"{loop.strip()!r}: {error}")
        return ONE
    if size.never_positive and not size.full:
        problems.append(f"{loop.strip()!r}: size {size} is not above 0")
    return size
