"""Loop nests as mapping files write them, and back."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from accelsim.cost.nest import TENSORS, Level, Loop, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape
from accelsim.spec.mapping import Entry, MappingFile, NestLoop

APART = "."
"""Between a memory and the tensors it keeps, in the name of a level, where it keeps others elsewhere."""


def memory_of(level: Level) -> str:
    """The memory that a level belongs to."""
    return level.name.partition(APART)[0]


def point_name(memory: str, tensors: Sequence[str]) -> str:
    """Name of the level of a memory that keeps other tensors elsewhere."""
    return f"{memory}{APART}{'+'.join(tensors)}"


def read_nest(
    entries: Sequence[Entry],
    shape: ConvShape,
    holds: Mapping[str, Sequence[str]] | None = None,
    sliding: Collection[str] = (),
) -> LoopNest:
    """The nest that entries describe for a layer of this shape.

    A memory with several points becomes several levels, named ``memory.tensor+tensor``. The batch is not part
    of a layer, so a tile of N that is larger than it is a block that is not full.

    Parameters
    ----------
    holds : tensors per memory, which a point without ``holds`` stands for; all three if it is not listed
    sliding : memories that keep the overlap of windows also where the entry does not say so

    Raises
    ------
    AccelsimError
        Everything that is wrong, each sentence beginning with the place in the list.
    """
    problems: list[str] = []
    left = shape.bounds
    loops: list[Loop] = []
    points: list[tuple[str, int, tuple[str, ...], bool]] = []
    for place, entry in enumerate(entries):
        for loop in entry.loops:
            tile = min(loop.tile, left["N"]) if loop.dim == "N" else loop.tile
            if tile > left[loop.dim]:
                most = NestLoop(loop.dim, left[loop.dim], loop.axis)
                problems.append(
                    f"{place}: '{loop}' is larger than the {left[loop.dim]} positions of {loop.dim} that are"
                    f" left here; the largest that works is '{most}'"
                )
            left[loop.dim] = min(tile, left[loop.dim])
            loops.append(Loop(loop.dim, tile, loop.axis))
        if entry.memory is not None:
            tensors = entry.holds or (holds or {}).get(entry.memory, TENSORS)
            kept = tuple(t for t in TENSORS if t in tensors)
            problems += [
                f"{place}: {entry.memory} keeps {tensor} already further out"
                for tensor in kept
                if any(name == entry.memory and tensor in others for name, _, others, _ in points)
            ]
            if entry.sliding and "inputs" not in kept:
                problems.append(f"{place}.sliding: only inputs slide, and {entry.memory} holds none here")
            slides = "inputs" in kept and (entry.sliding or entry.memory in sliding)
            points.append((entry.memory, len(loops), kept, slides))
    if not points or points[0][1] or set(points[0][2]) != set(TENSORS):
        problems.insert(0, "0 must be the outermost memory, which holds inputs, weights and outputs")
    if problems:
        raise AccelsimError(*problems)
    names = [name for name, *_ in points]
    levels = [
        Level(name if names.count(name) == 1 else point_name(name, kept), depth, kept, slides)
        for name, depth, kept, slides in points
    ]
    return LoopNest(shape, tuple(loops), tuple(levels))


def write_nest(nest: LoopNest) -> tuple[Entry, ...]:
    """Entries that ``read_nest`` turns into the same nest; loops that change nothing are kept."""
    return tuple(_entries(nest))


def _entries(nest: LoopNest) -> Iterator[Entry]:
    depth = 0
    for level in nest.levels:
        if not level.tensors:
            continue  # a boundary for counting, not a memory
        if level.depth > depth:
            yield _group(nest.loops[depth : level.depth])
            depth = level.depth
        yield Entry(memory=memory_of(level), holds=level.tensors, sliding=level.sliding)
    if depth < len(nest.loops):
        yield _group(nest.loops[depth:])


def _group(loops: Sequence[Loop]) -> Entry:
    return Entry(loops=tuple(NestLoop(loop.dim, loop.tile, loop.axis) for loop in loops))


def write_mapping(name: str, nests: Mapping[str, LoopNest], architecture: str | None = None) -> MappingFile:
    """A mapping file of nests by operator name; ``spec.writer`` turns it into YAML."""
    layers = {operator: write_nest(nest) for operator, nest in nests.items()}
    return MappingFile(name=name, architecture=architecture, layers=layers)
