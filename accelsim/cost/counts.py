"""How many elements every memory gives and takes in a loop nest, in closed form.

Definition (static hoisting): a tile is fetched at the innermost loop in time that indexes its tensor and
nominally has more than one trip; loops inside that one leave it where it is, whatever level they belong to.
Everything counted follows exactly, ragged edges, halos with stride and dilation, padding, groups and spatial
copies included.

Named approximations:

- static hoisting itself: a tile that happens to equal the last one (an edge block with one trip of a loop
  that nominally has more) is moved again; an upper bound on a machine that notices;
- a sliding level with a spatial loop over the same rows (P, R) or columns (Q, S) between it and its parent:
  the elements read from the parent are the union over the copies *and* the sweep, as if neighbours passed the
  overlap on; a lower bound on copies that each keep their own span. Fills are exact;
- ``steps`` waits at every iteration for the largest block, one multiply-accumulate per cycle.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.nest import TENSORS, LoopNest, Padding
from accelsim.cost.pairs import Factor, check_padding, pairs, work
from accelsim.graph.shape import RELEVANT

Amount = TypeVar("Amount", int, NDArray[np.int64])


@dataclass(frozen=True, slots=True)
class Traffic(Generic[Amount]):
    """Elements of one tensor that move between a level and the next one that holds it.

    ``reads`` leave the parent (a multicast counts once), ``fills`` are written into children (each copy
    counts). Of outputs these are the partial sums read back: all but the first visit of a parent's copy to an
    element, each written into one of the children that add to it. ``partials`` leave the children,
    ``updates`` are written to the parent after the spatial reduction; both are 0 for inputs and weights.
    ``tiles`` is the number of tiles moved down (of outputs: up), one for all children that share it; tiles
    that lie wholly in the padding count too.
    """

    tensor: str
    parent: str
    child: str
    reads: Amount
    fills: Amount
    updates: Amount
    partials: Amount
    tiles: Amount


@dataclass(frozen=True, slots=True)
class Counts:
    """Everything counted in a nest: elements moved, multiply-accumulates, cycles, busy elements.

    ``steps`` are the compute cycles at one multiply-accumulate per element and cycle: at each iteration of
    the loops in time, what remains for the element with the largest block. That is always the first one of
    the array, so the sum does not depend on how often the elements wait for each other. ``iterations`` is the
    number of iterations of the loops in time, ``active_pes`` the sum over them of the elements that have a
    block, ``pes`` the nominal number.
    """

    traffic: tuple[Traffic[int], ...]
    macs: int
    steps: int
    iterations: int
    active_pes: int
    pes: int

    @property
    def utilisation(self) -> float:
        """Multiply-accumulates over the cycles of all nominal elements."""
        return self.macs / (self.steps * self.pes)

    @property
    def mean_pes(self) -> float:
        """Mean number of elements with a block, over the iterations."""
        return self.active_pes / self.iterations

    def at(self, tensor: str, child: str) -> Traffic[int]:
        """Traffic of a tensor into and out of the level called ``child``; KeyError if there is none."""
        for traffic in self.traffic:
            if traffic.tensor == tensor and traffic.child == child:
                return traffic
        raise KeyError((tensor, child))


def count(nest: LoopNest, padding: Padding = "skip") -> Counts:
    """Count a nest; ``padding="count"`` reads positions outside the input like any other.

    Positions outside ``shape.size`` are padding also in a matrix product: its size is (M, 1).
    A level's own accesses by what it feeds directly are not listed: a processing element reads one input and
    one weight per multiply-accumulate from the innermost level that holds them.

    Raises
    ------
    AccelsimError
        For an unknown padding.
    """
    check_padding(padding)
    bounds = nest.shape.bounds
    whole = {dim: (0, bound) for dim, bound in bounds.items()}

    def product(factors: Iterable[Factor]) -> int:
        return prod(f.of(*(whole[d] for d in f.dims)) for f in factors)

    traffic: list[Traffic[int]] = []
    for tensor in TENSORS:
        unvisited = prod(bounds[d] for d in RELEVANT["outputs"])
        for pair in pairs(nest, tensor):
            at_parent, at_children, tiles = (
                product(pair.factors(side, 0, padding)) for side in ("parent", "children", "tiles")
            )
            names = (tensor, nest.levels[pair.parent].name, nest.levels[pair.child].name)
            if tensor == "outputs":
                back = at_parent - unvisited
                unvisited = at_children - back
                traffic.append(Traffic(*names, back, back, at_parent, at_children, tiles))
            else:
                traffic.append(Traffic(*names, at_parent, at_children, 0, 0, tiles))
    done = {name: product(factors) for name, factors in work(nest, 0).items()}
    return Counts(tuple(traffic), pes=nest.pes, **done)
