"""The shape and the number format of one array that flows through a network."""

from dataclasses import dataclass, replace
from math import prod

from accelsim.graph.dtypes import BITS


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array; its values are never held.

    Parameters
    ----------
    name : unique within a graph
    shape : elements along each axis, outermost first; images are (batch, channels, rows, columns)
    dtype : a key of ``accelsim.graph.dtypes.BITS``
    """

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def elements(self) -> int:
        """Number of elements; a scalar has one."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Stored size in bytes, packed, rounded up to a whole byte."""
        return -(-self.elements * BITS[self.dtype] // 8)

    def typed(self, dtype: str) -> "Tensor":
        """Return the same tensor in another number format."""
        return replace(self, dtype=dtype)
