"""What moves between a memory and the next one that holds the same tensor, as factors of separate dimensions.

The elements read from a parent are the distinct combinations of: a moment (the loops in time down to the
frontier loop), a copy of the parent, and an element. Those written into the children: the same with a copy of
the child. Every part depends on one dimension, or on an output position and a kernel tap together; so the
number of combinations is a product.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from accelsim.cost.blocks import Cuts, distinct_blocks, longest, place_in_block
from accelsim.cost.halo import Span, Window, rows
from accelsim.cost.nest import WINDOWS, LoopNest, Padding
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, RELEVANT

Side = Literal["parent", "children", "tiles"]
"""Elements at the parent (copies below it share), elements at all children, or tiles at the parent."""

Block = tuple[int, int]
"""(start, extent) of a block of one dimension."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A number that depends on the blocks of ``dims``; ``value`` None stands for the extent itself."""

    dims: tuple[str, ...]
    value: Callable[..., int] | None = None

    def of(self, *blocks: Block) -> int:
        """Value for one block of each of ``dims``."""
        return blocks[0][1] if self.value is None else self.value(*blocks)


@dataclass(frozen=True, slots=True)
class Pair:
    """Neighbours (level indices) in the chain of levels that hold ``tensor``.

    ``frontier`` is the loop at which a tile of the child is fetched. ``slides``: only what is new in the
    sweep of that loop is.
    """

    nest: LoopNest
    tensor: str
    parent: int
    child: int
    frontier: int
    slides: bool

    def factors(self, side: Side, outer: int, padding: Padding) -> Iterator[Factor]:
        """Factors of what one block inside the outermost ``outer`` loops moves.

        If the frontier is among those loops, the block moves it only when the tile changes there.
        """
        nest, relevant = self.nest, RELEVANT[self.tensor]
        cuts = self._cuts(side, outer)
        for dim in DIMS:
            if side == "tiles" or dim not in relevant:
                if dim in cuts:
                    yield _blocks(dim, cuts[dim])
            elif (self.tensor != "inputs" or dim in "NGC") and nest.shape[dim] > 1:
                yield Factor((dim,))
        if side != "tiles" and self.tensor == "inputs":
            for axis, dims in enumerate(WINDOWS):
                if nest.shape[dims[0]] > 1 or nest.shape[dims[1]] > 1 or padding == "skip":
                    yield self._window(axis, cuts, outer, padding)

    def _cuts(self, side: Side, outer: int) -> dict[str, Cuts]:
        """Per dimension the loops from ``outer`` down to the child, and which of them tell blocks apart."""
        levels = self.nest.levels
        copies = levels[self.child if side == "children" else self.parent].depth
        absent = self.frontier if self.slides and side != "tiles" else -1
        cuts: dict[str, Cuts] = {}
        depth = levels[self.child].depth
        for index, loop in self.nest.moving:
            if outer <= index < depth:
                kept = index < copies if loop.axis else index <= self.frontier and index != absent
                cuts[loop.dim] = (*cuts.get(loop.dim, ()), (loop.tile, kept))
        return cuts

    def _window(self, axis: int, cuts: dict[str, Cuts], outer: int, padding: Padding) -> Factor:
        shape, dims = self.nest.shape, WINDOWS[axis]
        size = shape.size[axis] if padding == "skip" else None
        window = Window(shape.stride[axis], shape.dilation[axis], shape.pad[axis], size)
        p_cuts, r_cuts = cuts.get(dims[0], ()), cuts.get(dims[1], ())

        def whole(p: Block, r: Block) -> int:
            return rows(window, Span(*p, p_cuts), Span(*r, r_cuts))

        if not self.slides or self.frontier >= outer or self.nest.loops[self.frontier].dim not in dims:
            return Factor(dims, whole)
        sweep = self.nest.loops[self.frontier]
        enclosing = tuple((o.tile, True) for o in self.nest.loops[: self.frontier] if o.dim == sweep.dim)
        along_p = sweep.dim == dims[0]

        def fresh(p: Block, r: Block) -> int:
            """What the sweep has read up to and with this block, less what it had read before."""
            start, extent = p if along_p else r
            before = place_in_block(start, enclosing)
            swept = [
                Span(start - before, upto, ((sweep.tile, False), *(p_cuts if along_p else r_cuts)))
                for upto in (before + extent, before)
            ]
            still = Span(*r, r_cuts) if along_p else Span(*p, p_cuts)
            ends = [rows(window, s, still) if along_p else rows(window, still, s) for s in swept if s.extent]
            return ends[0] - sum(ends[1:])

        return Factor(dims, fresh)


def _blocks(dim: str, cuts: Cuts) -> Factor:
    return Factor((dim,), lambda block: distinct_blocks(block[1], cuts))


def pairs(nest: LoopNest, tensor: str) -> list[Pair]:
    """All neighbours in the chain of levels that hold ``tensor``, outermost first."""
    chain = [index for index, level in enumerate(nest.levels) if tensor in level.tensors]
    found = []
    for parent, child in pairwise(chain):
        frontier = nest.frontier(tensor, nest.levels[child].depth)
        slides = nest.levels[child].sliding and tensor == "inputs" and frontier >= 0
        slides = slides and nest.loops[frontier].dim in "PQRS"
        found.append(Pair(nest, tensor, parent, child, frontier, slides))
    return found


def work(nest: LoopNest, outer: int) -> dict[str, list[Factor]]:
    """Factors of ``macs``, ``steps``, ``iterations`` and ``active_pes`` of a block inside ``outer`` loops."""
    timed: dict[str, Cuts] = {}
    every: dict[str, Cuts] = {}
    for index, loop in nest.moving:
        if index >= outer:
            timed[loop.dim] = (*timed.get(loop.dim, ()), (loop.tile, loop.axis is None))
            every[loop.dim] = (*every.get(loop.dim, ()), (loop.tile, True))
    dims = [d for d in DIMS if nest.shape[d] > 1]
    return {
        "macs": [Factor((d,)) for d in dims],
        "steps": [_longest(d, timed[d]) if d in timed else Factor((d,)) for d in dims],
        "iterations": [_blocks(d, cuts) for d, cuts in timed.items()],
        "active_pes": [_blocks(d, cuts) for d, cuts in every.items()],
    }


def _longest(dim: str, cuts: Cuts) -> Factor:
    return Factor((dim,), lambda block: longest(block[1], cuts))


def check_padding(padding: str) -> None:
    """Refuse a value of the padding switch that does not exist."""
    if padding not in ("skip", "count"):
        raise AccelsimError(f"padding must be 'skip' or 'count', not {padding!r}")
