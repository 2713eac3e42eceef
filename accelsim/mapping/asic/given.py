"""A loop nest from a mapping file, held against the machine and lowered."""

from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import LoopNest
from accelsim.cost.written import memory_of, read_nest, write_nest
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.shape import ConvShape
from accelsim.mapping.asic.layer import Conventions, MappedLayer, Widths
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.nest_checks import array_problems, check_points, overflowing, place_problems
from accelsim.mapping.asic.nest_plan import plan_nest, points_of, with_pass
from accelsim.spec.mapping import Entry, MappingFile


def entries_for(
    mapping: MappingFile, operator: str, shape: ConvShape
) -> tuple[str, tuple[Entry, ...]] | None:
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
            f"mapping {mapping.name!r} does not cover the layer{hint}; list it below 'layers:' as"
            f" {operator!r} or as {size!r}, or name a dataflow for all that are not listed, e.g. 'others: rs'"
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
    where = mapping.where("layers", key)
    misplaced = check_points(machine, entries)
    if misplaced:
        raise AccelsimError(*(_at(mapping, key, problem) for problem in misplaced))
    memories = {name: m.holds for level in machine.shared for name, m in level.memories.items()}
    sliding = {name for level in machine.buffers for name, m in level.memories.items() if m.sliding}
    if machine.registers is not None:
        memories |= {name: m.holds for name, m in machine.registers.memories.items()}
        sliding |= {name for name, m in machine.registers.memories.items() if m.sliding}
    try:
        nest = read_nest(entries, shape, memories, sliding)
    except AccelsimError as error:
        raise AccelsimError(*(_at(mapping, key, problem) for problem in error.problems)) from None
    return lower_nest(machine, array, nest, widths, conventions, unlimited, where)


def _at(mapping: MappingFile, key: str, problem: str) -> str:
    """A problem that begins with the place of its entry, as a sentence with the line of that entry."""
    place = problem[: len(problem) - len(problem.lstrip("0123456789"))]
    if not place:
        return f"{mapping.where('layers', key)}: {problem}"
    return mapping.where("layers", key, int(place)) + problem.removeprefix(place)


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
    problems = place_problems(machine, nest, spatial) + array_problems(array, nest)
    if problems:
        raise AccelsimError(*(f"{where}: {problem}" for problem in problems))
    own = [level for level in nest.levels if memory_of(level) in registers.memories]
    shared = nest.levels[: len(nest.levels) - len(own)]
    bottom = min([*spatial, *(level.depth for level in own)])
    whole, pass_level = with_pass(nest.shape, nest.loops, shared, own, bottom)
    seen = points_of(machine, whole, pass_level)
    step = nest.extents(bottom)
    layer = plan_nest(seen, array, whole, pass_level, step, widths, conventions, _describe(nest))
    faults = [] if unlimited else overflowing(machine, layer.held_B)
    if faults:
        raise AccelsimError(*(f"{where}: {fault}" for fault in faults))
    return layer, seen


def _describe(nest: LoopNest) -> str:
    """The nest on one line; memories in brackets with the tensors they keep."""
    parts = []
    for entry in write_nest(nest):
        if entry.memory is None:
            parts.append(" ".join(map(str, entry.loops)))
        else:
            parts.append(f"[{entry.memory} {' '.join(entry.holds or ())}]")
    return " ".join(parts)
