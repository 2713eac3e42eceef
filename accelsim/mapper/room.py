"""Whether anything fits at all, and if not, what would."""

from accelsim.cost.hierarchy import Hierarchy
from accelsim.cost.nest import Level, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape


def refuse_if_nothing_fits(shape: ConvShape, hierarchy: Hierarchy) -> None:
    """Raise unless the smallest tile, one element of every tensor, fits everywhere and all of it outermost.

    Raises
    ------
    AccelsimError
        One sentence per memory: which tensor needs most, by how much it is too small, what would do.
    """
    problems = []
    whole = LoopNest(shape, (), (Level("whole", 0),))
    for index, level in enumerate(hierarchy.levels):
        for memory in level:
            needs = {
                t: (1 if index else whole.tile(0, t, hierarchy.padding))
                * hierarchy.room_bits(t)
                * memory.buffers
                for t in memory.tensors
            }
            total = sum(needs.values())
            if memory.size_bits is None or total <= memory.size_bits:
                continue
            most = max(needs, key=lambda t: needs[t])
            parts = ", ".join(f"{t} {bits}" for t, bits in needs.items())
            tile = "one element of each tensor" if index else "the whole layer"
            copies = "" if memory.buffers == 1 else ", two buffers"
            problems.append(
                f"{hierarchy.name}: no mapping fits: memory {memory.name} of {memory.size_bits} bits is"
                f" {total - memory.size_bits} bits too small for {tile}; {most} need most ({parts}{copies});"
                f" {total} bits would do"
            )
    if problems:
        raise AccelsimError(*problems)
