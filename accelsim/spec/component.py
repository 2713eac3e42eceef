"""What every kind of hardware has in common."""

from typing import Annotated

from pydantic import Field

from accelsim.spec.base import Spec
from accelsim.spec.units import PositiveCount


class Component(Spec):
    """Base of the hardware classes that the entry-point group ``accelsim.components`` names.

    A subclass adds fields of ``accelsim.spec.units`` types; defaults are numbers in base units. A rule over
    several fields is a validator that raises ValueError, or ``Rejected`` to name the field at fault.
    """

    class_: Annotated[str, Field(alias="class")] = ""
    """kind of hardware, a name that ``accelsim.components`` lists"""
    per: str | None = None
    """the component that has ``count`` of this one each; None for the machine as a whole"""
    count: PositiveCount = 1
    """how many there are, per ``per``"""
    source: str | None = None
    """where the numbers come from"""
    assumptions: tuple[str, ...] = ()
    """what had to be assumed because no source says it"""
