"""Quantities with units: the one place where text such as ``64 GB/s`` becomes a number, and back.

The vocabulary is closed. ``B`` is a byte and ``b`` a bit, ``kB`` is 1000 bytes and ``KiB`` 1024, a MAC is not
a FLOP. A schema field is annotated with one of the types at the end; its value is a number in the SI base
unit that the type names (bytes, seconds, joules, ...; areas in mm²), read exactly and rounded once.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction as Exact
from typing import Annotated, Any, TypeAlias, get_args

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from accelsim.spec.vocabulary import DIMENSIONS, OPERATIONS, UNITS, Unit

LARGEST_WHOLE = 2**63 - 1
LONGEST_EXPONENT = 4
"""Characters; 10 to the power of a longer one would take more memory than it is worth."""

_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_TEXT = re.compile(rf"\s*({_NUMBER})\s*(\S.*?)?\s*")


@dataclass(frozen=True)
class Quantity:
    """How a field of one dimension is read and written.

    Parameters
    ----------
    dimension : key of ``vocabulary.DIMENSIONS``
    unit : the unit that sentences suggest
    whole : the value is an integer
    positive : zero is refused as well as negative values
    """

    dimension: str
    unit: str
    whole: bool = False
    positive: bool = False

    @property
    def name(self) -> str:
        """What the dimension is called in a sentence, with its article."""
        return DIMENSIONS[self.dimension]

    def read(self, value: object) -> float:
        """Number in the base unit.

        Raises
        ------
        ValueError
            with the rest of a sentence that starts with the field's path.
        """
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"must be {self.name} such as '64 {self.unit}', not {shown(value)}")
        match = (
            _TEXT.fullmatch(value if isinstance(value, str) else repr(value))
            if len(str(value)) <= 100
            else None
        )
        if match is None:
            raise ValueError(f"must be {self.name} such as '64 {self.unit}', not {shown(value)}")
        number, unit = match[1], match[2]
        if unit is None:
            written = f"{value:.12g}" if isinstance(value, float) else number
            raise ValueError(f"needs a unit such as '{written} {self.unit}'")
        if len(number.lower().rpartition("e")[2]) > LONGEST_EXPONENT and "e" in number.lower():
            raise ValueError(f"is out of range: {shown(value)}")
        return self._checked(Exact(number) * self._known(unit, str(value)).factor, value)

    def _known(self, unit: str, text: str) -> Unit:
        if unit in OPERATIONS:
            raise ValueError(f"cannot be read in {unit}: one MAC is two operations; write MAC/s or FLOP/s")
        known = UNITS.get(unit)
        if known is None:
            raise ValueError(f"has an unknown unit in {shown(text)}{nearest_unit(unit, self.dimension)}")
        if known.dimension != self.dimension:
            other = DIMENSIONS[known.dimension]
            raise ValueError(
                f"must be {self.name} such as '64 {self.unit}', not {shown(text)}, which is {other}"
            )
        return known

    def _checked(self, exact: Exact, value: object) -> float:
        if exact < 0 or (self.positive and exact == 0):
            least = "more than 0" if self.positive else "at least 0"
            raise ValueError(f"must be {least}, not {shown(value)}")
        if self.whole:
            if exact.denominator != 1:
                raise ValueError(f"must be a whole number of bytes, not {shown(value)}")
            if exact > LARGEST_WHOLE:
                raise ValueError(f"must be less than 2**63 bytes, not {shown(value)}")
            return int(exact)
        try:
            number = float(exact)
        except OverflowError:
            raise ValueError(f"is too large: {shown(value)}") from None
        if number == 0 and exact > 0:
            raise ValueError(f"is too small: {shown(value)}")
        return number

    def format(self, value: float) -> str:
        """Shortest text with a unit that reads back as exactly ``value``."""
        if value == 0:
            return f"0 {BASE[self.dimension]}"
        best: tuple[bool, int, str] | None = None
        for name, unit in UNITS.items():
            if unit.dimension != self.dimension or not unit.shown:
                continue
            ratio = Exact(repr(value)) / unit.factor
            if not 1e-6 < ratio < 1e15:
                continue
            scaled = float(ratio)
            number = str(int(scaled)) if scaled.is_integer() else repr(scaled)
            exact = Exact(number) * unit.factor
            same = exact == value if self.whole else float(exact) == value
            if same:
                rank = (not 1 <= scaled < 1000, len(number + name), f"{number} {name}")
                best = min(best or rank, rank)
        return best[2] if best else f"{value!r} {BASE[self.dimension]}"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.plain_serializer_function_ser_schema(self.format, when_used="json")
        return core_schema.no_info_plain_validator_function(self.read, serialization=text)

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        units = [re.escape(name) for name, unit in UNITS.items() if unit.dimension == self.dimension]
        pattern = rf"^\s*{_NUMBER}\s*({'|'.join(units)})\s*$"
        return {"type": "string", "pattern": pattern, "examples": [f"64 {self.unit}"]}


@dataclass(frozen=True)
class Share:
    """A part of a whole: a number from 0 to 1, or a percentage."""

    def read(self, value: object) -> float:
        """Number from 0 to 1; raises ValueError with the rest of a sentence."""
        rule = f"must be between 0 and 1 or a percentage such as '85 %', not {shown(value)}"
        match = _TEXT.fullmatch(value) if isinstance(value, str) and len(value) <= 100 else None
        if match is not None and match[2] in (None, "%") and not re.search("[eE]", match[1]):
            number = float(Exact(match[1]) / (100 if match[2] else 1))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number = float(value)
        else:
            raise ValueError(rule)
        if not 0 <= number <= 1:
            raise ValueError(rule)
        return number

    def format(self, value: float) -> str:
        """The number itself; a share needs no unit."""
        return repr(value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        percent = {"type": "string", "pattern": rf"^\s*{_NUMBER}\s*%\s*$"}
        return {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, percent], "examples": ["85 %"]}


def shown(value: object) -> str:
    """A value as a sentence shows it: text in quotes, cut at about 60 characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def nearest_unit(unit: str, dimension: str | None = None) -> str:
    """``"; did you mean 'GB/s' or 'Gb/s'?"``: every unit that differs in case only, else the nearest one."""
    names = [n for n, u in UNITS.items() if dimension in (None, u.dimension)]
    sizes = {UNITS[n].factor: n for n in reversed(names) if n.lower() == unit.lower()}
    alike = list(sizes.values())[::-1]
    if not alike:
        alike = get_close_matches(unit[:20], names, n=1, cutoff=0.5)
    if not alike and dimension is not None:
        return nearest_unit(unit)
    return f"; did you mean {' or '.join(repr(n) for n in alike)}?" if alike else ""


def quantity(kind: object) -> Quantity | Share:
    """How a type of this module reads and writes, e.g. ``quantity(BytesPerSecond)``."""
    found = kind if isinstance(kind, Quantity | Share) else get_args(kind)[-1]
    assert isinstance(found, Quantity | Share)
    return found


def read(value: object, kind: object) -> float:
    """Number in the base unit of a type of this module, e.g. ``read('64 GB/s', BytesPerSecond)``."""
    return quantity(kind).read(value)


def format(value: float, kind: object) -> str:
    """Text for display that reads back exactly, e.g. ``format(64e9, BytesPerSecond) == '64 GB/s'``."""
    return quantity(kind).format(value)


BASE = {unit.dimension: name for name, unit in reversed(UNITS.items()) if unit.factor == 1}

Bytes: TypeAlias = Annotated[int, Quantity("size", "KiB", whole=True)]
BytesPerSecond: TypeAlias = Annotated[float, Quantity("bandwidth", "GB/s", positive=True)]
Seconds: TypeAlias = Annotated[float, Quantity("time", "ns")]
Hertz: TypeAlias = Annotated[float, Quantity("frequency", "MHz", positive=True)]
Joules: TypeAlias = Annotated[float, Quantity("energy", "pJ")]
JoulesPerByte: TypeAlias = Annotated[float, Quantity("energy per byte", "pJ/B")]
SquareMillimetresPerByte: TypeAlias = Annotated[float, Quantity("area per byte", "um2/B")]
Watts: TypeAlias = Annotated[float, Quantity("power", "W")]
SquareMillimetres: TypeAlias = Annotated[float, Quantity("area", "mm2")]
MacsPerSecond: TypeAlias = Annotated[float, Quantity("MAC rate", "GMAC/s", positive=True)]
FlopsPerSecond: TypeAlias = Annotated[float, Quantity("FLOP rate", "TFLOP/s", positive=True)]
Metres: TypeAlias = Annotated[float, Quantity("length", "um")]
Volts: TypeAlias = Annotated[float, Quantity("voltage", "V")]
Fraction: TypeAlias = Annotated[float, Share()]
Count: TypeAlias = Annotated[int, Field(ge=0, le=LARGEST_WHOLE)]
PositiveCount: TypeAlias = Annotated[int, Field(ge=1, le=LARGEST_WHOLE)]
