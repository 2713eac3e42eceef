"""Mapping files: the loop nest of each layer of a network on an array and its memories, written out."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PlainSerializer,
    ValidationError,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from accelsim.spec.base import FileSpec, Rejected, Spec
from accelsim.spec.documents import open_document
from accelsim.spec.expressions import OUTPUT_DIMS, unknown_dimension
from accelsim.spec.sentences import explain
from accelsim.spec.tree import Problems, Step
from accelsim.spec.units import shown

__all__ = ["ANYWHERE", "Entry", "MappingFile", "NestLoop", "load_mapping"]

ANYWHERE = "pes"
"""Axis of a loop that is written with a bare ``@``: wherever the array has processing elements left."""

Tensor = Literal["inputs", "weights", "outputs"]

_LOOP = re.compile(r"([^:@]*)(?::([^@]*))?(@(.*))?", re.DOTALL)
_AXIS = re.compile(r"[A-Za-z_]\w{0,31}")
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class NestLoop:
    """A loop over ``dim`` in blocks of ``tile`` positions; in time, or side by side along an ``axis``."""

    dim: str
    tile: int = 1
    axis: str | None = None

    def __str__(self) -> str:
        size = "" if self.tile == 1 else f":{self.tile}"
        axis = "" if self.axis is None else "@" if self.axis == ANYWHERE else f"@{self.axis}"
        return f"{self.dim}{size}{axis}"


def _loops(value: object) -> tuple[NestLoop, ...]:
    """Read ``K:16 C:4@rows P@``: loops from the outside in, with a space between."""
    if isinstance(value, tuple) and all(isinstance(loop, NestLoop) for loop in value):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be text such as 'K:16 C:4@rows P@', not {shown(value)}")
    problems: list[str] = []
    loops = [_loop(word, problems) for word in value.split()]
    if not loops:
        problems.append(f"must be loops such as 'K:16 C:4@rows P@', not {shown(value)}")
    if problems:
        raise Rejected([((), problem) for problem in problems])
    return tuple(loops)


def _loop(word: str, problems: list[str]) -> NestLoop:
    match = _LOOP.fullmatch(word)
    dim, size, spatial, axis = match.groups() if match else (word, None, None, None)
    tile = 1
    if dim not in OUTPUT_DIMS:
        problems.append(f"{word[:60]!r}: {unknown_dimension(dim, OUTPUT_DIMS)}")
    if size is not None:
        if size.isdecimal() and size.isascii() and 1 <= int(size[:11]) <= _LARGEST:
            tile = int(size)
        else:
            problems.append(f"{word[:60]!r}: the tile must be a whole number of at least 1")
    if axis and not _AXIS.fullmatch(axis):
        problems.append(f"{word[:60]!r}: an axis is named by letters and digits, e.g. {dim}@rows")
    return NestLoop(dim, tile, None if spatial is None else axis or ANYWHERE)


Loops = Annotated[
    tuple[NestLoop, ...],
    BeforeValidator(_loops),
    PlainSerializer(lambda loops: " ".join(map(str, loops)), when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["N:1 K:16", "K:4@ R@rows"]}),
]


class Entry(Spec):
    """A step of a nest: text is loops, ``{memory: glb, holds: [inputs]}`` a point where a tile is kept.

    The memory keeps what is left of its tensors inside the loops above it.
    """

    loops: Loops = ()
    """loops from the outside in, dim:tile[@axis] each; without a tile it is 1"""
    memory: str | None = None
    """the memory that keeps a tile here"""
    holds: Annotated[tuple[Tensor, ...], Field(min_length=1)] | None = None
    """tensors that it keeps here; all that it can hold if left out"""
    sliding: bool = False
    """keeps the overlap of windows as they slide over the inputs"""

    @model_validator(mode="wrap")
    @classmethod
    def _text_is_loops(cls, data: Any, handler: ModelWrapValidatorHandler["Entry"]) -> "Entry":
        if isinstance(data, cls):
            return data
        if not isinstance(data, dict):
            return handler({"loops": data})
        entry = handler(data)
        if (entry.memory is None) == (not entry.loops):
            raise ValueError("needs one of loops and memory")
        if entry.loops and (entry.holds is not None or entry.sliding):
            raise ValueError("holds and sliding go with memory, not with loops")
        return entry

    @model_serializer(mode="plain", when_used="json")
    def _as_written(self) -> Any:
        if self.memory is None:
            return " ".join(map(str, self.loops))
        point: dict[str, Any] = {"memory": self.memory}
        if self.holds is not None:
            point["holds"] = list(self.holds)
        return {**point, "sliding": True} if self.sliding else point


class MappingFile(FileSpec):
    """Loop nests by operator name, or by shape (``'K:96 C:3 P:55 Q:55 R:11 S:11'``, other dims being 1).

    A nest is a list from the outside in: loops, and between them the memories that keep tiles.
    """

    kind: Literal["mapping"] = "mapping"
    name: str
    description: str | None = None
    source: str | None = None
    """where the mapping comes from"""
    assumptions: tuple[str, ...] = ()
    """what had to be assumed because no source says it"""
    architecture: str | None = None
    """machine it was written for; another one with the same memories takes it, too"""
    others: str | None = None
    """dataflow of the layers that are not listed; without it every layer with MACs must be"""
    layers: Annotated[dict[str, Annotated[tuple[Entry, ...], Field(min_length=1)]], Field(min_length=1)]
    """operator name or shape -> its nest"""

    @model_validator(mode="after")
    def _shapes_are_sound(self) -> "MappingFile":
        problems: list[tuple[tuple[Step, ...], str]] = []
        for key in self.layers:
            if ":" in key and shape_of(key) is None:
                text = "is no shape: give every dim once, as in 'K:96 C:3 P:55 Q:55 R:11 S:11'"
                problems.append((("layers", key), text))
        if problems:
            raise Rejected(problems)
        return self

    def nest_for(self, operator: str, bounds: dict[str, int]) -> tuple[str, tuple[Entry, ...]] | None:
        """Key and entries for an operator: by its name, else by its shape; None if it is not listed."""
        if operator in self.layers:
            return operator, self.layers[operator]
        for key, entries in self.layers.items():
            if shape_of(key) == {dim: bound for dim, bound in bounds.items() if bound > 1}:
                return key, entries
        return None


def shape_of(key: str) -> dict[str, int] | None:
    """Bounds above 1 that a key such as ``'K:96 C:3'`` stands for; None if it is not a shape."""
    problems: list[str] = []
    loops = [_loop(word, problems) for word in key.split()]
    dims = [loop.dim for loop in loops]
    if problems or len(set(dims)) < len(dims) or any(loop.axis for loop in loops):
        return None
    return {loop.dim: loop.tile for loop in loops if loop.tile > 1}


def load_mapping(name_or_path: str | Path) -> MappingFile:
    """Read a mapping by shipped name, file, or ``file.yaml#name``.

    Raises
    ------
    AccelsimError
        with every problem of the file.
    """
    document = open_document("mapping", name_or_path)
    problems = Problems()
    try:
        mapping = MappingFile.model_validate(document.data)
    except ValidationError as error:
        explain(error, MappingFile, document.root, (), problems)
        problems.raise_any()
        raise
    mapping._document = document
    return mapping
