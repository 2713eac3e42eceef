"""A loop nest from a mapping file, held against the machine and lowered."""

from collections.abc import Sequence

from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import TENSORS, LoopNest
from accelsim.cost.written import memory_of, read_nest, write_nest
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.shape import ConvShape
from accelsim.mapping.asic.layer import Conventions, MappedLayer, Widths
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.nest_plan import plan_nest, points_of, with_pass
from accelsim.spec.mapping import ANYWHERE, Entry, MappingFile, NestLoop


def entries_for(mapping: MappingFile, operator: str, shape: ConvShape) -> tuple[str, tuple[Entry, ...]] | None:
    """Key and entries of a layer; None if the file leaves it to the dataflow of ``others``.

    Raises
    ------
    AccelsimError
        If it is neither listed nor left to one.
    """
    found = mapping.nest_for(operator, shape.bounds)
    if found is None and mapping.others is None:
        size = " ".join(f"{dim}:{bound}" for dim, bound in shape.bounds.items() if bound > 1)
        hint = did_you_mean(operator, mapping.layers)
        raise AccelsimError(
            f"mapping {mapping.name!r} does not cover the layer{hint}; list it below 'layers:' as {operator!r} or"
            f" as {size!r}, or name a dataflow for all that are not listed, e.g. 'others: rs'"
        )
    return found


def map_given(
    machine: Machine,
    array: PEArray,
    mapping: MappingFile,
    key: str,
    shape: ConvShape,
    widths: Widths,
    conventions: Conventions,
    unlimited: bool = False,
) -> tuple[MappedLayer, Machine]:
    """Lower the nest that a mapping file gives for a layer; also the machine with its storage points.

    Raises
    ------
    AccelsimError
        If the nest does not suit the layer or the machine: every problem, with its place in the file.
    """
    entries = mapping.layers[key]
    where = f"{mapping.where('layers', key)}"
    _check_points(machine, entries, where)
    memories = {name: m.holds for level in machine.shared for name, m in level.memories.items()}
    sliding = {name for level in machine.buffers for name, m in level.memories.items() if m.sliding}
    if machine.registers is not None:
        memories |= {name: m.holds for name, m in machine.registers.memories.items()}
        sliding |= {name for name, m in machine.registers.memories.items() if m.sliding}
    try:
        nest = read_nest(entries, shape, memories, sliding)
    except AccelsimError as error:
        raise AccelsimError(*(f"{where}.{problem}" for problem in error.problems)) from None
    return lower_nest(machine, array, nest, widths, conventions, unlimited, where)


def lower_nest(
    machine: Machine,
    array: PEArray,
    nest: LoopNest,
    widths: Widths,
    conventions: Conventions,
    unlimited: bool = False,
    where: str = "nest",
) -> tuple[MappedLayer, Machine]:
    """Lower a nest whose levels are named after the machine's memories; see ``map_given``."""
    registers = machine.registers
    if registers is None:
        raise AccelsimError(f"{machine.name}: a pe_array needs registers")
    spatial = [i for i, loop in enumerate(nest.loops) if loop.axis is not None]
    problems = _place_problems(machine, nest, spatial) + _array_problems(array, nest)
    if problems:
        raise AccelsimError(*(f"{where}: {problem}" for problem in problems))
    own = [level for level in nest.levels if memory_of(level) in registers.memories]
    shared = nest.levels[: len(nest.levels) - len(own)]
    bottom = min([*spatial, *(level.depth for level in own)])
    whole, pass_level = with_pass(nest.shape, nest.loops, shared, own, bottom)
    seen = points_of(machine, whole, pass_level)
    step = nest.extents(bottom)
    layer = plan_nest(seen, array, whole, pass_level, step, widths, conventions, _describe(nest))
    faults = [] if unlimited else _overflow(machine, layer)
    if faults:
        raise AccelsimError(*(f"{where}: {fault}" for fault in faults))
    return layer, seen


def _check_points(machine: Machine, entries: Sequence[Entry], where: str) -> None:
    """Refuse memories that the machine does not have, and tensors that they do not hold."""
    levels = [*machine.shared, *([machine.registers] if machine.registers else [])]
    known = {name: memory for level in levels for name, memory in level.memories.items()}
    problems = []
    if entries[0].memory != machine.dram_name:
        problems.append(f"0 must be {{memory: {machine.dram_name}}}: {machine.dram_name} holds the whole layer")
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
    if problems:
        raise AccelsimError(*(f"{where}.{problem}" for problem in problems))


def _place_problems(machine: Machine, nest: LoopNest, spatial: Sequence[int]) -> list[str]:
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
            problems.append(f"{name} belongs to one processing element: it must stand inside the loops with '@'")
        elif name not in registers.memories and level.depth > first:
            problems.append(f"{name} is shared by the whole array: it must stand outside the loops with '@'")
    for tensor in TENSORS:
        chain = [memory_of(level) for level in nest.levels if tensor in level.tensors]
        for above, below in zip(chain, chain[1:], strict=False):
            if rank[below] <= rank[above]:
                rule = "twice" if above == below else f"outside {below}, which is further out in the machine"
                problems.append(f"{above} keeps {tensor} {rule}")
        if not chain or chain[-1] not in registers.memories:
            spad = registers.holders[tensor]
            problems.append(
                f"no register_file keeps {tensor}; add {{memory: {spad}, holds: [{tensor}]}} at the end"
            )
        if tensor == "outputs" and not any(name in rank and 0 < rank[name] < max(rank.values()) for name in chain):
            holders = [name for level in machine.buffers for t, name in level.holders.items() if t == tensor]
            problems.append(f"no buffer keeps outputs on their way to the dram; add {{memory: {holders[-1]}}}")
    return problems


def _array_problems(array: PEArray, nest: LoopNest) -> list[str]:
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
        f"unknown axis {axis!r}{did_you_mean(axis, sides)}; the array has rows and columns, and '@' alone is any"
        " of its elements"
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


def _overflow(machine: Machine, layer: MappedLayer) -> list[str]:
    """One sentence for every memory whose tiles do not fit, with what would do."""
    faults = []
    levels = [*machine.buffers, *([machine.registers] if machine.registers else [])]
    for name, memory in ((n, m) for level in levels for n, m in level.memories.items()):
        held = layer.held_B
        needs = {t: held[f"{name} {t}"] for t in TENSORS if f"{name} {t}" in held}
        total = sum(needs.values()) * memory.buffers
        if total > memory.size:
            largest = max(needs, key=lambda t: needs[t])
            parts = ", ".join(f"{t} {n} B" for t, n in needs.items())
            copies = "one buffer" if memory.buffers == 1 else "two buffers"
            faults.append(
                f"components.{name}.size of {int(memory.size)} B is too small for the tiles kept there: {largest}"
                f" need most ({parts}; {copies}); the smallest size that works is {total} B"
            )
    return faults


def _describe(nest: LoopNest) -> str:
    """The nest on one line; memories in brackets with the tensors they keep."""
    parts = []
    for entry in write_nest(nest):
        if entry.memory is None:
            parts.append(" ".join(map(str, entry.loops)))
        else:
            parts.append(f"[{entry.memory} {' '.join(entry.holds or ())}]")
    return " ".join(parts)
