"""The loop bounds of one MAC operator, in the form that closed forms and mappings work on."""

from dataclasses import dataclass

from accelsim.errors import AccelsimError

DIMS = ("N", "G", "K", "C", "P", "Q", "R", "S")
"""Loop dimensions: batch, group, output and input channel (of one group), output row and column,
kernel row and column."""

RELEVANT = {"inputs": "NGCPQRS", "weights": "GKCRS", "outputs": "NGKPQ"}
"""Which dimensions index which tensor of a convolution."""


@dataclass(frozen=True, slots=True)
class ConvShape:
    """Bounds of the loop nest ``O[n,g,k,p,q] += I[n,g,c,p*u+r*d-pad,...] * W[g,k,c,r,s]``.

    A matrix product of M x C with C x K is ``P=M, Q=R=S=1``; a batch of products whose second
    factor differs is ``G``. K and C count the channels of *one* group.

    Parameters
    ----------
    stride, dilation : (rows, columns)
    pad : (top, left); rows and columns beyond the bottom and right edge follow from ``size``
    size : (H, W) of the input without padding; a position outside it is a zero that is not read
    """

    N: int = 1
    G: int = 1
    K: int = 1
    C: int = 1
    P: int = 1
    Q: int = 1
    R: int = 1
    S: int = 1
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    size: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        for dim in DIMS:
            if self[dim] < 1:
                raise AccelsimError(f"dimension {dim} of a layer must be at least 1, not {self[dim]}")

    def __getitem__(self, dim: str) -> int:
        """Bound of one of ``DIMS``."""
        bound: int = getattr(self, dim)
        return bound

    @property
    def bounds(self) -> dict[str, int]:
        """Bound of every dimension, in the order of ``DIMS``."""
        return {d: self[d] for d in DIMS}

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the whole nest; products with padded zeros count."""
        return self.N * self.G * self.K * self.C * self.P * self.Q * self.R * self.S

    def elements(self, tensor: str) -> int:
        """Elements of ``inputs`` (without padding), ``weights`` or ``outputs``."""
        if tensor == "inputs":
            return self.N * self.G * self.C * self.size[0] * self.size[1]
        if tensor == "weights":
            return self.G * self.K * self.C * self.R * self.S
        if tensor == "outputs":
            return self.N * self.G * self.K * self.P * self.Q
        raise KeyError(tensor)
