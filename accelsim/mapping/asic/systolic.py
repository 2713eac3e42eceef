"""A layer on a systolic array: the matrix product that a convolution becomes, cut into folds."""

from dataclasses import dataclass
from math import gcd, prod

from accelsim.components.systolic_array import SystolicArray
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.spec.dataflow import Dataflow

GROUPS = {"M": ("N", "P", "Q"), "K": ("K",), "W": ("C", "R", "S")}
"""A convolution as a matrix product (im2col): M output positions, K output channels, W products per
output.
"""

STATIONARY = {"M": "weights", "K": "inputs", "W": "outputs"}
"""The matrix that does not have the streamed dimension stays in the array."""


@dataclass(frozen=True, slots=True)
class FoldShape:
    """Which dimension of the matrix product lies on rows, on columns, and streams through."""

    rows: str
    columns: str
    stream: str
    order: tuple[str, ...]

    @property
    def stationary(self) -> str:
        """The tensor that stays in the array during a fold."""
        return STATIONARY[self.stream]


def fold_shape(dataflow: Dataflow) -> FoldShape:
    """Read a template as a systolic dataflow.

    Raises
    ------
    AccelsimError
        If it does not put one whole dimension of the matrix product on columns (outer cluster) and another on
        rows (inner cluster of size ``rows``).
    """
    by_dims = {frozenset(dims): group for group, dims in GROUPS.items()}
    axes = []
    for cluster in dataflow.clusters:
        spatial = [loop for loop in cluster.loops if loop.spatial]
        groups = [by_dims.get(frozenset(loop.dims)) for loop in spatial]
        axes.append(groups[0] if len(groups) == 1 else None)
    found = [axis for axis in axes if axis is not None]
    inner = str(dataflow.clusters[-1].size)
    if len(axes) != 2 or len(set(found)) != 2 or inner != "rows":
        raise AccelsimError(
            f"dataflow {dataflow.name!r} does not fit a systolic_array: it needs two of N*P*Q, K and"
            " C*R*S as spatial loops, the first over clusters of size 'rows', the second inside them"
            " (as in 'ws', 'os' and 'is')"
        )
    columns, rows = found
    (stream,) = set(GROUPS) - {columns, rows}
    named = [d for loop in dataflow.clusters[0].loops for d in loop.dims]
    order = tuple(dict.fromkeys([*(d for d in ("N", "G") if d not in named), *named]))
    return FoldShape(rows, columns, stream, order)


def grains(fold: FoldShape, array: SystolicArray, shape: ConvShape) -> dict[str, int]:
    """Multiples in which tiles may grow so that cutting a layer into tiles does not add folds.

    An axis of n units takes n positions of the flattened dims; a tile that is a multiple of n of them ends
    where a fold ends. Only the outermost dim of a flattened group is cut, the others stay whole.
    """
    grain = dict.fromkeys(DIMS, 1)
    for axis, units in ((fold.rows, array.rows), (fold.columns, array.columns)):
        if axis == "K":
            grain["K"] = units
        else:
            cut, inner = ("C", shape.R * shape.S) if axis == "W" else ("P", shape.Q)
            grain[cut] = units // gcd(units, inner)
    for whole in ("R", "S", "Q"):
        grain[whole] = shape[whole]
    return {d: min(g, shape[d]) for d, g in grain.items()}


def flattened(shape: ConvShape | dict[str, int], group: str) -> int:
    """Positions of a dimension of the matrix product."""
    return prod(shape[d] for d in GROUPS[group])
