"""A machine in the plain numbers of the mapper: memories, ports, networks, axes.

What the events know and the search does not: DRAM latency and its efficiency at small accesses, feature maps
coded in DRAM, filling and draining. A port that several tensors share, or a link, becomes a network, because
that is what it is to the events: busy with what enters and leaves the array.
"""

from collections.abc import Collection, Sequence

from accelsim.components.dram import DRAM
from accelsim.components.link import Link
from accelsim.components.pe_array import PEArray
from accelsim.components.sram import SRAM
from accelsim.components.storage import TENSORS, Storage
from accelsim.cost.hierarchy import Axis, Hierarchy, Memory, Network
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS
from accelsim.mapping.asic.layer import Conventions, Widths
from accelsim.mapping.asic.machine import Machine, StorageLevel
from accelsim.mapping.asic.windows import AXES
from accelsim.spec.dataflow import Dataflow
from accelsim.spec.mapping import ANYWHERE


def unrolled_dims(dataflows: Sequence[Dataflow]) -> tuple[str, ...]:
    """Dims that any of the dataflows unrolls: what the wires of the array are there for."""
    found: set[str] = set()
    for loop in (loop for flow in dataflows for cluster in flow.clusters for loop in cluster.loops):
        if loop.spatial:
            taps = {AXES[d][1] for d in loop.all_dims if d in AXES} & set(loop.all_dims)
            found |= taps or {AXES[d][0] if d in AXES else d for d in loop.all_dims}
    return tuple(d for d in DIMS if d in found)


def hierarchy_of(
    machine: Machine,
    array: PEArray,
    dims: Collection[str],
    widths: Widths,
    conventions: Conventions,
    precision: str,
    free: str = "none",
) -> Hierarchy:
    """The machine as the mapper sees it.

    Parameters
    ----------
    dims : that may be unrolled over the array, along any of its axes
    free : whose transfers take no time: ``none``, those of the ``dram``, or ``all``; with ``all``, sizes do
        not limit either
    """
    registers = machine.registers
    if registers is None:
        raise AccelsimError(f"{machine.name}: a pe_array needs registers")
    clock, unlimited = array.clock, free == "all"
    top = machine.shared[0]
    levels = [_level(top, clock, False, timed=free == "none", unlimited=unlimited)]
    levels += [
        _level(level, clock, False, timed=not unlimited, unlimited=unlimited)
        for level in machine.buffers[:-1]
    ]
    levels.append(_level(machine.buffers[-1], clock, False, timed=False, unlimited=unlimited))
    levels.append(_level(registers, clock, True, timed=False, unlimited=unlimited))
    unrolled = tuple(d for d in DIMS if d in dims)
    if array.rows is not None and array.columns is not None:
        axes: tuple[Axis, ...] = (
            Axis("rows", array.rows, unrolled),
            Axis("columns", array.columns, unrolled),
        )
    else:
        axes = (Axis(ANYWHERE, array.units, unrolled),)
    return Hierarchy(
        machine.name,
        tuple(levels),
        axes,
        {
            "inputs": widths.inputs,
            "weights": widths.weights,
            "outputs": widths.outputs,
            "partial": widths.partial,
        },
        mac_J=array.mac_energy.get(precision) or 0.0,
        macs_per_pe=array.macs_per_pe,
        padding=conventions.on_chip,
        clock_Hz=clock,
        networks=_networks(machine, clock, timed=not unlimited),
    )


def _level(
    level: StorageLevel, clock: float, per_pe: bool, *, timed: bool, unlimited: bool
) -> tuple[Memory, ...]:
    """Memories side by side; the port of the innermost buffers is among the networks."""
    found = []
    for name, memory in level.memories.items():
        width = _port_bits(memory, clock) if timed else None
        found.append(
            Memory(
                name,
                tuple(t for t in level.tensors if level.holders[t] == name),
                None if unlimited or isinstance(memory, DRAM) else int(memory.size) * 8,
                per_pe,
                buffers=1 if isinstance(memory, DRAM) else memory.buffers,
                read_J=(memory.read_energy or 0.0) / 8,
                write_J=(memory.write_energy or 0.0) / 8,
                read_bits=width,
                write_bits=width,
                shared_port=isinstance(memory, DRAM),
            )
        )
    return tuple(found)


def _port_bits(memory: Storage, clock: float) -> float | None:
    """Bits per cycle of a memory's port."""
    if isinstance(memory, DRAM):
        best = max(part for _, part in memory.efficiency)
        return memory.bandwidth * memory.count * best * 8 / clock
    if isinstance(memory, SRAM) and memory.bandwidth is not None:
        return memory.bandwidth * 8 / clock
    return None


def _networks(machine: Machine, clock: float, timed: bool) -> tuple[Network, ...]:
    """What a tensor crosses between its innermost buffer and the array: its link, or the port if narrower."""
    innermost = {t: level.holders[t] for level in machine.buffers for t in level.tensors}
    carried: dict[tuple[str, float | None, float, bool], list[str]] = {}
    for tensor in TENSORS:
        link, buffer = machine.link(tensor), machine.components.get(innermost.get(tensor, ""))
        port = _port_bits(buffer, clock) if isinstance(buffer, SRAM) else None
        width = None if link is None else link.bandwidth * 8 / clock
        if link is None and port is None:
            continue
        if width is None or (port is not None and port < width):
            key = (f"{innermost[tensor]} port", port, _price(link), True)
        else:
            assert link is not None
            key = (machine.links[tensor], width, _price(link), not link.separate_directions)
        carried.setdefault(key, []).append(tensor)
    names = [name for name, *_ in carried]
    return tuple(
        Network(
            name if names.count(name) == 1 else f"{name} {'+'.join(tensors)}",
            tuple(tensors),
            width if timed else None,
            price,
            shared,
        )
        for (name, width, price, shared), tensors in carried.items()
    )


def _price(link: Link | None) -> float:
    """Joules per bit."""
    return 0.0 if link is None else (link.energy or 0.0) / 8
