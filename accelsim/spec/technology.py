"""Technology files: energy and area of arithmetic, SRAM, wires and DRAM at a process node."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from accelsim.spec.base import FileSpec, Spec
from accelsim.spec.documents import open_document
from accelsim.spec.sentences import explain
from accelsim.spec.tree import Problems
from accelsim.spec.units import (
    Bytes,
    Joules,
    JoulesPerByte,
    Metres,
    SquareMillimetres,
    SquareMillimetresPerByte,
)

Factor = Annotated[float, Field(ge=1e-6, le=1e6)]
"""A ratio; beyond these limits it is a slip."""


class Node(Spec):
    """Factors on the energies and areas of the reference node."""

    area: Factor
    energy: Factor
    source: str
    """how the factors were found"""


class Arithmetic(Spec):
    """One adder and one multiplier of a number format."""

    add_energy: Joules
    multiply_energy: Joules
    add_area: SquareMillimetres
    multiply_area: SquareMillimetres


class Memory(Spec):
    """An SRAM with one port; energy per byte grows with its size to the power of ``exponent``."""

    energy: JoulesPerByte
    """of a read, at the size ``at_size``"""
    at_size: Annotated[Bytes, Field(ge=1)]
    exponent: Annotated[float, Field(ge=0, le=1)]
    write_factor: Factor
    """energy of a write over that of a read"""
    area: SquareMillimetresPerByte
    port_energy: Annotated[float, Field(ge=0, le=1e6)]
    """share by which each further port raises the energy"""
    port_area: Annotated[float, Field(ge=0, le=1e6)]
    """share by which each further port raises the area"""


class Registers(Spec):
    """Registers beside a processing element."""

    energy: JoulesPerByte
    area: SquareMillimetresPerByte


class Wire(Spec):
    """Wires of a network on chip; energy is per byte and millimetre."""

    energy: JoulesPerByte
    pitch: Metres


class OffChip(Spec):
    """Memory beside the chip, which does not scale with the node."""

    energy: JoulesPerByte


class Technology(FileSpec):
    """Prices of components at a reference node, and factors for other nodes."""

    kind: Literal["technology"] = "technology"
    name: str
    description: str | None = None
    source: str | None = None
    """where the numbers come from"""
    assumptions: tuple[str, ...] = ()
    """what had to be assumed"""
    nodes: Annotated[dict[str, Node], Field(min_length=1)]
    """by name, such as 28 nm"""
    arithmetic: Annotated[dict[str, Arithmetic], Field(min_length=1)]
    """by number format"""
    sram: Memory
    registers: Registers
    wire: Wire
    dram: OffChip


def load_technology(name_or_path: str | Path) -> Technology:
    """Read a technology by shipped name, file, or ``file.yaml#name``.

    Raises
    ------
    AccelsimError
        with every problem of the file.
    """
    document = open_document("technology", name_or_path)
    problems = Problems()
    try:
        technology = Technology.model_validate(document.data)
    except ValidationError as error:
        explain(error, Technology, document.root, (), problems)
        problems.raise_any()
        raise
    technology._document = document
    return technology
