"""Whether a loop nest suits a machine: its storage points, its spatial loops, its tiles."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import TENSORS, LoopNest
from accelsim.cost.written import memory_of, write_nest
from accelsim.errors import did_you_mean
from accelsim.mapping.asic.machine import Machine
from accelsim.spec.mapping import ANYWHERE, Entry, NestLoop


def check_points(machine: Machine, entries: Sequence[Entry]) -> list[str]:
    """Memories that the machine does not have, and tensors that they do not hold, by place of the entry."""
    levels = [*machine.shared, *([machine.registers] if machine.registers else [])]
    known = {name: memory for level in levels for name, memory in level.memories.items()}
    problems = []
    if entries[0].memory != machine.dram_name:
        top = machine.dram_name
        problems.append(f"0 must be {{memory: {top}}}: {top} holds the whole layer")
    for place, entry in enumerate(entries):
        if entry.memory is None:
            continue
        if entry.memory not in known:
            hint = did_you_mean(entry.memory, known) or f"; it has {', '.join(known)}"
            problems.append(f"{place}.memory: {machine.name} has no memory {entry.memory!r}{hint}")
            continue
        holds = known[entry.memory].holds
        problems += [
            f"{place}.holds: {entry.memory} cannot hold {tensor}; it holds {' and '.join(holds)}"
            for tensor in entry.holds or ()
            if tensor not in holds
        ]
    return problems


def place_problems(machine: Machine, nest: LoopNest, spatial: Sequence[int]) -> list[str]:
    """Storage points in the wrong order, missing, or on the wrong side of the spatial loops."""
    registers = machine.registers
    assert registers is not None
    rank = {name: i for i, level in enumerate(machine.shared) for name in level.memories}
    rank |= dict.fromkeys(registers.memories, len(rank))
    problems = []
    first, last = (spatial[0], spatial[-1] + 1) if spatial else (len(nest.loops), 0)
    for level in nest.levels:
        name = memory_of(level)
        if name in registers.memories and level.depth < last:
            problems.append(f"{name} belongs to one element: it must stand inside the loops with '@'")
        elif name not in registers.memories and level.depth > first:
            problems.append(f"{name} is shared by the array: it must stand outside the loops with '@'")
    for tensor in TENSORS:
        chain = [memory_of(level) for level in nest.levels if tensor in level.tensors]
        for above, below in pairwise(chain):
            if rank[below] <= rank[above]:
                problems.append(
                    f"{above} keeps {tensor} outside {below}, which is further out in the machine"
                )
        if not chain or chain[-1] not in registers.memories:
            spad = registers.holders[tensor]
            problems.append(
                f"no register_file keeps {tensor}; add {{memory: {spad}, holds: [{tensor}]}} at the end"
            )
        if tensor == "outputs" and not any(0 < rank[name] <= len(machine.buffers) for name in chain):
            buffer = next(level.holders[tensor] for level in machine.buffers if tensor in level.holders)
            problems.append(f"no buffer keeps outputs on their way to the dram; add {{memory: {buffer}}}")
    return problems


def array_problems(array: PEArray, nest: LoopNest) -> list[str]:
    """Axes that are longer than the array's sides, or more elements than are left beside them."""
    sides = dict(zip(("rows", "columns"), array.shape, strict=True))
    loops = [str(loop) for loop in _written_loops(nest)]
    text = " ".join(loops)
    problems = [
        f"{text} spans {used} {axis}, and the array has {sides[axis]}"
        for axis, used in nest.axes.items()
        if axis in sides and used > sides[axis]
    ]
    free = {axis: used for axis, used in nest.axes.items() if axis not in sides}
    unknown = [axis for axis in free if axis != ANYWHERE]
    problems += [
        f"unknown axis {axis!r}{did_you_mean(axis, sides)}; the array has rows and columns, and '@' alone is"
        " any of its elements"
        for axis in unknown
    ]
    if problems:
        return problems
    if not sides.keys() & nest.axes.keys():
        room, what = array.units, f"the array has {array.units}"
    else:
        room = 1
        for side, length in sides.items():
            room *= length // nest.axes.get(side, 1)
        what = f"{room} sets of them fit the array of {sides['rows']} x {sides['columns']}"
    needed = nest.axes.get(ANYWHERE, 1)
    if needed > room:
        loop = next(loop for loop in reversed(_written_loops(nest)) if loop.axis == ANYWHERE)
        problems.append(
            f"{text} needs {needed} processing elements for '@', and {what}; unroll at most {room},"
            f" e.g. by a larger tile in '{loop}'"
        )
    return problems


def _written_loops(nest: LoopNest) -> list[NestLoop]:
    return [loop for entry in write_nest(nest) for loop in entry.loops if loop.axis is not None]


def overflowing(machine: Machine, held: Mapping[str, int]) -> list[str]:
    """One sentence for every memory whose tiles do not fit, with what would do."""
    faults = []
    levels = [*machine.buffers, *([machine.registers] if machine.registers else [])]
    for name, memory in ((n, m) for level in levels for n, m in level.memories.items()):
        needs = {t: held[f"{name} {t}"] for t in TENSORS if f"{name} {t}" in held}
        total = sum(needs.values()) * memory.buffers
        if total > memory.size:
            largest = max(needs, key=lambda t: needs[t])
            parts = ", ".join(f"{t} {n} B" for t, n in needs.items())
            copies = "one buffer" if memory.buffers == 1 else "two buffers"
            faults.append(
                f"components.{name}.size of {int(memory.size)} B is too small for the tiles kept there:"
                f" {largest} need most ({parts}; {copies}); the smallest size that works is {total} B"
            )
    return faults
