"""From a dataflow template to the loops of one layer on one array."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import Loop
from accelsim.errors import AccelsimError
from accelsim.graph.shape import RELEVANT, ConvShape
from accelsim.mapping.asic.unroll import ceil_div, unroll
from accelsim.mapping.asic.windows import AXES, in_outputs, known_sizes, window_problems
from accelsim.spec.dataflow import Dataflow, LoopSpec

OUTPUT_OF = {name: position for name, (position, _, _) in AXES.items()}

Place = tuple[int, int]
"""A loop of a template: (cluster, position in it)."""


@dataclass(frozen=True, slots=True)
class ArrayLoops:
    """A template on an array: ``outer`` temporal loops (buffer tiles split them), ``inner`` loops of the
    array.

    ``step`` is the extent of each dim that the whole array covers below the outer loops, ``pe_tile`` the one
    that a single PE works through in sequence.
    """

    outer: tuple[Loop, ...]
    inner: tuple[Loop, ...]
    step: dict[str, int]
    pe_tile: dict[str, int]


def _cluster_units(dataflow: Dataflow, array: PEArray, bounds: dict[str, int]) -> list[int]:
    """Units of each cluster level; a cluster of n stands on n consecutive PEs of one column."""
    rows, columns = array.shape
    known = bounds | {"rows": rows, "columns": columns}
    sizes = []
    for cluster in dataflow.clusters[1:]:
        if cluster.size is None:
            raise AccelsimError(f"dataflow {dataflow.name!r}: an inner cluster needs a size")
        size = cluster.size.evaluate(known)
        # A kernel that is taller than the array is done in parts: its loop folds over the rows there are.
        most = rows if array.rows is not None else array.units
        sizes.append(size if cluster.size.constant is not None else min(size, most))
    if not sizes:
        return [array.units]
    outermost = sizes[0]
    if array.rows is not None and array.columns is not None:
        count = array.rows // outermost * array.columns
        room = f"{array.rows} rows"
    else:
        count = array.units // outermost
        room = f"{array.units} pes"
    if count < 1:
        raise AccelsimError(
            f"dataflow {dataflow.name!r}: a cluster of {outermost} does not fit an array of {room};"
            f" the smallest that works has {outermost}"
        )
    units = [count]
    for size, inner in zip(sizes, [*sizes[1:], 1], strict=True):
        if inner > size:
            raise AccelsimError(f"dataflow {dataflow.name!r}: a cluster of {inner} is inside one of {size}")
        units.append(size // inner)
    return units


def _refuse(dataflow: Dataflow) -> None:
    """Say everything in the template that this mapping cannot lower, at once."""
    problems = []
    named: set[str] = set()
    for level, cluster in enumerate(dataflow.clusters):
        for loop in cluster.loops:
            where = f"dataflow {dataflow.name!r}: clusters.{level}"
            named |= {OUTPUT_OF.get(d, d) for d in loop.all_dims}
            problems += [f"{where}: {problem}" for problem in window_problems(loop)]
        if sum(loop.spatial for loop in cluster.loops) > 1:
            problems.append(
                f"dataflow {dataflow.name!r}: clusters.{level}: one spatial loop per cluster; join by '*'"
            )
    missing = [d for d in "KCPQRS" if d not in named]
    problems += [f"dataflow {dataflow.name!r}: no loop over {d}; add e.g. '{d}:full'" for d in missing]
    if problems:
        raise AccelsimError(*problems)


class _Builder:
    """Walks the template once; ``cap`` bounds numbered sizes by (cluster, position).

    ``read`` keeps what loops over input rows and columns came to mean in the first walk, without caps: a
    kernel that registers cut later does not change the windows around it.
    """

    def __init__(
        self,
        dataflow: Dataflow,
        array: PEArray,
        units: list[int],
        shape: ConvShape,
        cap: dict[Place, int],
        read: dict[Place, LoopSpec],
        fill: bool,
    ) -> None:
        self.dataflow = dataflow
        self.units = units
        rows, columns = array.shape
        self.shape = shape
        self.windows = known_sizes(shape, rows, columns)
        self.known = {**self.windows, **shape.bounds}
        self.cap = cap
        self.read = read
        self.fill = fill
        self.extent = dict(shape.bounds)
        self.sized: list[tuple[Place, str, int]] = []
        """Sizes above 1 of loops in time that took effect: place, dim, tile."""
        self.whole: set[Place] = set()
        """Those of them that are written as full."""

    def size(self, place: Place, loop: LoopSpec) -> int:
        """Positions of one iteration of a temporal loop over one dim."""
        limit = self.cap.get(place, 1 << 62)
        if loop.size.full:
            return min(self.extent[loop.dims[0]], limit)
        return min(max(1, loop.size.evaluate(self.known)), limit)

    def block(self, level: int, loop: LoopSpec, dim: str) -> int:
        """Positions of ``dim`` that one unit takes: the loop's size, or the first inner loop's over it."""
        if str(loop.size) != "1" or loop.offset is not None:
            return self.size((level, -1), loop)
        for inner in range(level + 1, len(self.dataflow.clusters)):
            for position, below in enumerate(self.dataflow.clusters[inner].loops):
                if below.dims == (dim,) and not below.spatial and not below.size.full:
                    return self.size((inner, position), below)
        return 1

    def temporal(self, place: Place, loop: LoopSpec) -> list[Loop]:
        """Loops in time; several dims joined take the best rectangular block of that many positions."""
        size = self.size(place, loop)
        if len(loop.dims) > 1:
            tiles = unroll([self.extent[d] for d in loop.dims], size)
        else:
            tiles = (min(size, self.extent[loop.dims[0]]),)
            if tiles[0] > 1:
                self.sized.append((place, loop.dims[0], tiles[0]))
                self.whole |= {place} if loop.size.full else set()
        self.extent |= dict(zip(loop.dims, tiles, strict=True))
        return [Loop(d, t) for d, t in zip(loop.dims, tiles, strict=True)]

    def spatial(self, level: int, loop: LoopSpec) -> tuple[list[Loop], list[Loop]]:
        """The fold of each dim in time, and its unrolling over the units of the cluster."""
        block = {d: self.block(level, loop, d) for d in loop.dims}
        blocks = [ceil_div(self.extent[d], block[d]) for d in loop.dims]
        folds, lanes = [], []
        factors = unroll(blocks, self.units[level])
        if self.fill and len(blocks) == 1:
            factors = (min(blocks[0], self.units[level]),)
        for dim, factor in zip(loop.dims, factors, strict=True):
            covered = min(self.extent[dim], factor * block[dim])
            folds.append(Loop(dim, covered))
            lanes.append(Loop(dim, min(block[dim], covered), f"cluster{level}"))
            self.extent[dim] = covered
        return folds, lanes

    def in_dims(self, place: Place, loop: LoopSpec) -> LoopSpec:
        """The loop over the dims of a nest, whatever it was written over."""
        if place not in self.read:
            try:
                self.read[place] = in_outputs(loop, self.shape, self.extent, self.windows)
            except AccelsimError as error:
                where = f"dataflow {self.dataflow.name!r}: clusters.{place[0]}"
                raise AccelsimError(*(f"{where}: {problem}" for problem in error.problems)) from None
        return self.read[place]

    def build(self) -> ArrayLoops:
        """All loops of the template."""
        outer: list[Loop] = []
        inner: list[Loop] = []
        named = {d for c in self.dataflow.clusters for loop in c.loops for d in loop.all_dims}
        for dim in ("N", "G"):
            if dim not in named:  # independent problems: outermost, one at a time
                outer.append(Loop(dim, 1))
                self.extent[dim] = 1
        step: dict[str, int] = {}
        for level, cluster in enumerate(self.dataflow.clusters):
            in_time = outer if level == 0 else inner
            in_space: list[Loop] = []
            for position, written in enumerate(cluster.loops):
                loop = self.in_dims((level, position), written)
                if loop.spatial:
                    folds, in_space = self.spatial(level, loop)
                    in_time += folds
                else:
                    in_time += self.temporal((level, position), loop)
            if level == 0:
                step = dict(self.extent)
            inner += in_space
            self.extent |= {lane.dim: lane.tile for lane in in_space}
        return ArrayLoops(tuple(outer), tuple(inner), step, self.extent)


def array_loops(
    dataflow: Dataflow,
    array: PEArray,
    shape: ConvShape,
    overflows: Callable[[dict[str, int]], Collection[str]],
    fill: bool = False,
) -> ArrayLoops:
    """Loops of a template for a layer on an array of processing elements.

    ``overflows(pe_tile)`` names the tensors whose registers the tile does not fit. Sizes of the
    template are upper limits: while one overflows, the outermost size that it depends on shrinks by one,
    those written as ``full`` last. ``fill`` gives a dim that is alone in its spatial loop all units there
    are, and what is left to a last fold; without it the folds are as equal as they can be.

    Raises
    ------
    AccelsimError
        If the template has loops that this mapping cannot lower or its clusters do not fit the array.
    """
    _refuse(dataflow)
    units = _cluster_units(dataflow, array, shape.bounds)
    cap: dict[Place, int] = {}
    read: dict[Place, LoopSpec] = {}
    while True:
        builder = _Builder(dataflow, array, units, shape, cap, read, fill)
        loops = builder.build()
        full = overflows(loops.pe_tile)
        for tensor in (t for t in RELEVANT if t in full):
            shrink = [
                (place in builder.whole, place, tile)
                for place, dim, tile in builder.sized
                if dim in RELEVANT[tensor]
            ]
            if shrink:
                _, place, tile = min(shrink)
                cap[place] = tile - 1
                break
        else:
            return loops
