"""What one loop nest costs on one hierarchy: cycles, energy, accesses, room, and what does not fit.

Definition, on top of that of ``counts``:

- between a memory and the next one that holds the tensor, the parent is read ``reads`` and written
  ``updates`` times, the child is written ``fills`` and read ``partials`` times;
- the multiply-accumulate units take from the innermost memory that holds a tensor: one element per operation
  where the memory is per_pe; from a memory above the array once per cycle and distinct element over the array
  (multicast, spatial reduction), with no reuse in time. Outputs are written as often and read back as often
  less the first visits of that memory to an element;
- an output is ``outputs`` bits wide in the transfer that finishes it and ``partial`` bits in every other one
  and at the units; memories make room for the wider;
- a network carries what the memory above the array gives and takes, so a multicast once;
- energy = every access x bits x energy per bit + operations x energy of one;
- cycles = those of the slowest resource, each busy with all its work at its full rate (perfect overlap): a
  lower bound on any schedule. A port's cycles are its bits over its width, rounded up once; of a memory with
  several copies the mean of the copies that the nest nominally uses;
- a memory needs ``buffers`` times the sum of its full tiles.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, prod

from accelsim.cost.blocks import longest
from accelsim.cost.counts import Counts, count
from accelsim.cost.halo import Span, Window, rows
from accelsim.cost.hierarchy import Hierarchy, Memory
from accelsim.cost.nest import TENSORS, WINDOWS, LoopNest
from accelsim.errors import did_you_mean
from accelsim.graph.shape import DIMS, RELEVANT

REDUCED = tuple(d for d in DIMS if d not in RELEVANT["outputs"])
"""Dims over which products are added up."""


@dataclass(slots=True)
class Access:
    """Elements that a memory (all copies) gives and takes, and the bits these are."""

    reads: int = 0
    writes: int = 0
    read_bits: int = 0
    write_bits: int = 0


@dataclass(frozen=True)
class Cost:
    """Judgement of one nest.

    cycles : of the slowest resource
    busy : cycles of ``compute`` and of every port or network with a width (``name read``, ``name write``, or
        ``name`` if both ways share one)
    energy_J, energy_by : in total; by memory, network and ``compute``
    accesses : (memory, tensor) -> what it gives and takes
    used_bits : memory -> bits that one copy needs, all its buffers
    faults : one sentence for each reason why the nest cannot run; cost figures hold regardless
    """

    cycles: int
    busy: Mapping[str, int]
    energy_J: float
    energy_by: Mapping[str, float]
    accesses: Mapping[tuple[str, str], Access]
    used_bits: Mapping[str, int]
    counts: Counts
    clock_Hz: float
    faults: tuple[str, ...] = ()

    @property
    def latency_s(self) -> float:
        """Seconds of the slowest resource."""
        return self.cycles / self.clock_Hz

    @property
    def edp_Js(self) -> float:
        """Energy-delay product, joule seconds."""
        return self.energy_J * self.latency_s


def evaluate(nest: LoopNest, hierarchy: Hierarchy) -> Cost:
    """Judge a nest whose levels are named after the memories.

    A memory that keeps its tensors at points of their own appears as several levels called ``memory.tensor``
    (anything after the dot is free). A level that names no memory is a fault and costs nothing.
    """
    names = {m.name: m for m in hierarchy.memories}
    memory_of = {level.name: names.get(level.name.split(".")[0]) for level in nest.levels}
    counts = count(nest, hierarchy.padding)
    accesses = {(m.name, t): Access() for m in hierarchy.memories for t in m.tensors}
    carried = {network.name: Access() for network in hierarchy.networks}

    def access(level: str, tensor: str) -> Access:
        memory = memory_of[level]
        return accesses.setdefault((memory.name, tensor), Access()) if memory else Access()

    finished = prod(nest.shape[d] for d in RELEVANT["outputs"])
    unvisited = finished
    for traffic in counts.traffic:
        tensor, width = traffic.tensor, hierarchy.bits[traffic.tensor]
        parent, child = access(traffic.parent, tensor), access(traffic.child, tensor)
        network = hierarchy.network(tensor) if _enters(memory_of, traffic.parent, traffic.child) else None
        over = carried[network.name] if network else Access()
        parent.reads += traffic.reads
        child.writes += traffic.fills
        if tensor != "outputs":
            parent.read_bits += traffic.reads * width
            over.read_bits += traffic.reads * width
            child.write_bits += traffic.fills * width
            continue
        unvisited = traffic.partials - traffic.reads
        partial = hierarchy.bits["partial"]
        parent.writes += traffic.updates
        child.reads += traffic.partials
        parent.read_bits += traffic.reads * partial
        child.write_bits += traffic.fills * partial
        parent.write_bits += traffic.updates * partial
        over.read_bits += traffic.reads * partial
        over.write_bits += traffic.updates * partial
        child.read_bits += traffic.partials * partial
        for end, level in ((parent, traffic.parent), (child, traffic.child)):
            done = 0 if _reduced_above(nest, level) else finished * (width - partial)
            if end is parent:
                end.write_bits += done
                over.write_bits += done
            else:
                end.read_bits += done
    for tensor in TENSORS:
        innermost = [level.name for level in nest.levels if tensor in level.tensors][-1]
        taken = operand_accesses(nest, hierarchy, tensor)
        at = access(innermost, tensor)
        width = hierarchy.bits["partial" if tensor == "outputs" else tensor]
        reads = taken - unvisited if tensor == "outputs" else taken
        at.reads += reads
        at.read_bits += reads * width
        if tensor == "outputs":
            at.writes += taken
            at.write_bits += taken * width
    busy = _busy(nest, hierarchy, memory_of, accesses, counts.steps)
    for network in hierarchy.networks:
        way = carried[network.name]
        if network.bits and network.shared:
            busy[network.name] = ceil((way.read_bits + way.write_bits) / network.bits)
        elif network.bits:
            busy[f"{network.name} read"] = ceil(way.read_bits / network.bits)
            busy[f"{network.name} write"] = ceil(way.write_bits / network.bits)
    energy = {"compute": counts.macs * hierarchy.mac_J}
    for memory in hierarchy.memories:
        own = [a for (name, _), a in accesses.items() if name == memory.name]
        energy[memory.name] = (
            sum(a.read_bits for a in own) * memory.read_J + sum(a.write_bits for a in own) * memory.write_J
        )
    for network in hierarchy.networks:
        way = carried[network.name]
        energy[network.name] = (way.read_bits + way.write_bits) * network.energy_J
    used = used_bits(nest, hierarchy, memory_of)
    faults = (
        *_placing_faults(nest, hierarchy, memory_of),
        *_axis_faults(nest, hierarchy),
        *_room_faults(used),
    )
    return Cost(
        cycles=max(busy.values()),
        busy=busy,
        energy_J=sum(energy.values()),
        energy_by=energy,
        accesses=accesses,
        used_bits={name: sum(parts.values()) for name, (_, parts) in used.items()},
        counts=counts,
        clock_Hz=hierarchy.clock_Hz,
        faults=tuple(faults),
    )


def operand_accesses(nest: LoopNest, hierarchy: Hierarchy, tensor: str) -> int:
    """Elements that the units take from the innermost level that holds the tensor."""
    level = [level for level in nest.levels if tensor in level.tensors][-1]
    own = any(m.per_pe for m in hierarchy.memories if m.name == level.name.split(".")[0])
    if own and not any(i >= level.depth and loop.axis for i, loop in nest.moving):
        return nest.shape.macs
    cuts: dict[str, tuple[tuple[int, bool], ...]] = dict.fromkeys(DIMS, ())
    for index, loop in nest.moving:
        cuts[loop.dim] = (*cuts[loop.dim], (loop.tile, loop.axis is None or index < level.depth))
    total = 1
    for dim in DIMS:
        if dim not in RELEVANT[tensor]:
            total *= longest(nest.shape[dim], cuts[dim])
        elif tensor != "inputs" or dim in "NGC":
            total *= nest.shape[dim]
    if tensor == "inputs":
        for axis, (position, tap) in enumerate(WINDOWS):
            size = nest.shape.size[axis] if hierarchy.padding == "skip" else None
            window = Window(nest.shape.stride[axis], nest.shape.dilation[axis], nest.shape.pad[axis], size)
            spans = [Span(0, nest.shape[d], (*cuts[d], (1, True))) for d in (position, tap)]
            total *= rows(window, *spans)
    return total


def used_bits(
    nest: LoopNest, hierarchy: Hierarchy, memory_of: Mapping[str, Memory | None]
) -> dict[str, tuple[Memory, dict[str, int]]]:
    """Memory -> itself and the bits of one copy that each of its tensors needs."""
    used: dict[str, tuple[Memory, dict[str, int]]] = {m.name: (m, {}) for m in hierarchy.memories}
    for index, level in enumerate(nest.levels):
        memory = memory_of[level.name]
        if memory is None:
            continue
        parts = used[memory.name][1]
        for tensor in level.tensors:
            tile = nest.tile(index, tensor, hierarchy.padding)
            parts[tensor] = parts.get(tensor, 0) + tile * hierarchy.room_bits(tensor) * memory.buffers
    return used


def _enters(memory_of: Mapping[str, Memory | None], parent: str, child: str) -> bool:
    """Whether what moves between two levels enters the array."""
    above, below = memory_of[parent], memory_of[child]
    return above is not None and below is not None and below.per_pe and not above.per_pe


def _reduced_above(nest: LoopNest, name: str) -> bool:
    """Whether copies of a level hold parts of one sum."""
    depth = next(level.depth for level in nest.levels if level.name == name)
    return any(i < depth and loop.axis and loop.dim in REDUCED for i, loop in nest.moving)


def _busy(
    nest: LoopNest,
    hierarchy: Hierarchy,
    memory_of: Mapping[str, Memory | None],
    accesses: Mapping[tuple[str, str], Access],
    steps: int,
) -> dict[str, int]:
    busy = {"compute": -(-steps // hierarchy.macs_per_pe)}
    for memory in hierarchy.memories:
        depths = [level.depth for level in nest.levels if memory_of[level.name] is memory]
        if not depths:
            continue
        copies = prod(
            trips
            for trips, loop in zip(nest.trips[: max(depths)], nest.loops, strict=False)
            if loop.axis is not None
        )
        own = [a for (name, _), a in accesses.items() if name == memory.name]
        read = sum(a.read_bits for a in own) / (memory.read_bits * copies) if memory.read_bits else 0.0
        write = sum(a.write_bits for a in own) / (memory.write_bits * copies) if memory.write_bits else 0.0
        if memory.shared_port:
            if memory.read_bits or memory.write_bits:
                busy[memory.name] = ceil(read + write)
            continue
        if memory.read_bits:
            busy[f"{memory.name} read"] = ceil(read)
        if memory.write_bits:
            busy[f"{memory.name} write"] = ceil(write)
    return busy


def _placing_faults(
    nest: LoopNest, hierarchy: Hierarchy, memory_of: Mapping[str, Memory | None]
) -> list[str]:
    faults = []
    order = [m.name for m in hierarchy.memories]
    depth_in = {m.name: i for i, level in enumerate(hierarchy.levels) for m in level}
    for level in nest.levels:
        memory = memory_of[level.name]
        if memory is None:
            hint = did_you_mean(level.name.split(".")[0], order)
            faults.append(f"level {level.name!r} names no memory{hint}; known are {', '.join(order)}")
            continue
        faults += [
            f"level {level.name!r}: memory {memory.name} does not hold {tensor},"
            f" only {', '.join(memory.tensors)}"
            for tensor in level.tensors
            if tensor not in memory.tensors
        ]
        if memory.per_pe and any(i >= level.depth and loop.axis for i, loop in nest.moving):
            faults.append(
                f"level {level.name!r}: memory {memory.name} belongs to one processing element, but loops"
                " inside the level are unrolled over the array; move it inside them"
            )
        if not memory.per_pe and any(i < level.depth and loop.axis for i, loop in nest.moving):
            faults.append(
                f"level {level.name!r}: there is one memory {memory.name} above the array, but loops outside"
                " the level are unrolled over it; move it outside them"
            )
    for tensor in TENSORS:
        chain = [m for level in nest.levels if tensor in level.tensors and (m := memory_of[level.name])]
        for above, below in pairwise(chain):
            if depth_in[above.name] >= depth_in[below.name]:
                faults.append(
                    f"{tensor}: memory {below.name} comes inside {above.name} in the nest but not in the"
                    " hierarchy"
                )
    return faults


def _axis_faults(nest: LoopNest, hierarchy: Hierarchy) -> list[str]:
    faults = []
    axes = {axis.name: axis for axis in hierarchy.axes}
    for name, used in nest.axes.items():
        if name not in axes:
            hint = did_you_mean(name, axes)
            faults.append(f"axis {name!r} is not one of the array{hint}; it has {', '.join(axes) or 'none'}")
        elif used > axes[name].size:
            faults.append(f"axis {name!r} has {axes[name].size} positions, but {used} are used")
    for index, loop in nest.moving:
        if loop.axis in axes and loop.dim not in axes[loop.axis].dims:
            dims = " ".join(axes[loop.axis].dims) or "none"
            faults.append(f"loop {index}: {loop.dim} cannot be unrolled over axis {loop.axis!r}, only {dims}")
    return faults


def _room_faults(used: Mapping[str, tuple[Memory, dict[str, int]]]) -> list[str]:
    faults = []
    for memory, parts in used.values():
        total = sum(parts.values())
        if memory.size_bits is None or total <= memory.size_bits:
            continue
        most = max(parts, key=lambda t: parts[t])
        split = ", ".join(f"{t} {bits}" for t, bits in parts.items())
        faults.append(
            f"memory {memory.name} of {memory.size_bits} bits is {total - memory.size_bits} bits too small:"
            f" {most} need most ({split}; {'one buffer' if memory.buffers == 1 else 'two buffers'});"
            f" {total} bits would do"
        )
    return faults
