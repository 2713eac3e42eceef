"""The sub-accelerator that an architecture file describes: one array under its storage levels."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from accelsim.components.compute import ComputeArray
from accelsim.components.dram import DRAM
from accelsim.components.link import Link
from accelsim.components.pe_array import PEArray
from accelsim.components.register_file import RegisterFile
from accelsim.components.sram import SRAM
from accelsim.components.storage import TENSORS, Storage
from accelsim.components.systolic_array import SystolicArray
from accelsim.errors import AccelsimError
from accelsim.spec.architecture import Architecture


@dataclass(frozen=True, slots=True)
class StorageLevel:
    """Memories side by side at one height: tensor -> name of the component that holds it."""

    holders: Mapping[str, str]
    memories: Mapping[str, Storage]

    def of(self, tensor: str) -> Storage | None:
        """The memory of a tensor at this level, None if the tensor passes it by."""
        name = self.holders.get(tensor)
        return None if name is None else self.memories[name]

    @property
    def name(self) -> str:
        """Names of the memories, joined."""
        return "+".join(self.memories)

    @property
    def tensors(self) -> tuple[str, ...]:
        """The tensors held here, in the usual order."""
        return tuple(t for t in TENSORS if t in self.holders)


@dataclass(frozen=True, slots=True)
class Machine:
    """One array with its memories: DRAM, shared buffers (outermost first), registers, links per tensor."""

    name: str
    array_name: str
    array: ComputeArray
    dram_name: str
    dram: DRAM
    buffers: tuple[StorageLevel, ...]
    registers: StorageLevel | None
    links: Mapping[str, str]
    components: Mapping[str, object]

    def link(self, tensor: str) -> Link | None:
        """The link that carries a tensor between the innermost buffer and the array."""
        name = self.links.get(tensor)
        link = None if name is None else self.components[name]
        return link if isinstance(link, Link) else None

    @property
    def shared(self) -> tuple[StorageLevel, ...]:
        """DRAM and the buffers, outermost first."""
        top = StorageLevel(dict.fromkeys(TENSORS, self.dram_name), {self.dram_name: self.dram})
        return (top, *self.buffers)

    def with_buffers(self, buffers: tuple[StorageLevel, ...]) -> "Machine":
        """The same machine with other levels between DRAM and array."""
        return replace(self, buffers=buffers)


def _levels(memories: list[tuple[str, Storage]]) -> list[StorageLevel]:
    """Neighbours in the file that hold different tensors stand side by side; the others stack."""
    levels: list[StorageLevel] = []
    for name, memory in memories:
        last = levels[-1] if levels else None
        if last is not None and not set(last.holders) & set(memory.holds):
            levels[-1] = StorageLevel(
                {**last.holders, **dict.fromkeys(memory.holds, name)}, {**last.memories, name: memory}
            )
        else:
            levels.append(StorageLevel(dict.fromkeys(memory.holds, name), {name: memory}))
    return levels


def machine(architecture: Architecture) -> Machine:
    """Read an architecture as one sub-accelerator.

    Raises
    ------
    AccelsimError
        If it is not one array under one DRAM with one to three levels between, all faults at once.
    """
    parts = architecture.components
    where = architecture.name
    arrays = [(n, c) for n, c in parts.items() if isinstance(c, ComputeArray)]
    drams = [(n, c) for n, c in parts.items() if isinstance(c, DRAM)]
    problems = []
    if architecture.parts:
        raise AccelsimError(f"{where}: mapping 'asic' runs one sub-accelerator; it does not run 'parts:' yet")
    problems += [
        f"{where}: components.{n}.count: mapping 'asic' knows one {n}; give it the size and bandwidth of"
        f" all {c.count}"
        for n, c in parts.items()
        if c.count != 1 and not isinstance(c, DRAM)
    ]
    if len(arrays) != 1:
        problems.append(
            f"{where}: mapping 'asic' needs exactly one pe_array or systolic_array, not {len(arrays)}"
        )
    if len(drams) != 1:
        problems.append(f"{where}: mapping 'asic' needs exactly one dram, not {len(drams)}")
    others = [
        n for n, c in parts.items() if not isinstance(c, ComputeArray | DRAM | SRAM | RegisterFile | Link)
    ]
    problems += [
        f"{where}: components.{n}: mapping 'asic' does not use class {parts[n].class_!r}" for n in others
    ]
    buffers = _levels([(n, c) for n, c in parts.items() if isinstance(c, SRAM)])
    registers = _levels([(n, c) for n, c in parts.items() if isinstance(c, RegisterFile)])
    if not 1 <= len(buffers) <= 2:
        problems.append(
            f"{where}: mapping 'asic' needs one or two levels of sram under the dram, not {len(buffers)}"
        )
    if len(registers) > 1:
        problems.append(f"{where}: mapping 'asic' knows one level of registers, not {len(registers)}")
    if drams and set(drams[0][1].holds) != set(TENSORS):
        problems.append(
            f"{where}: components.{drams[0][0]}.holds: the dram holds inputs, weights and outputs"
        )
    links: dict[str, str] = {}
    for name, link in parts.items():
        if isinstance(link, Link):
            for tensor in link.carries:
                if tensor in links:
                    problems.append(
                        f"{where}: components.{name}.carries: {links[tensor]!r} carries {tensor} already"
                    )
                links[tensor] = name
    if arrays:
        array_name, array = arrays[0]
        if isinstance(array, PEArray) and not registers:
            problems.append(f"{where}: a pe_array needs a register_file for its operands (per: {array_name})")
        if isinstance(array, SystolicArray) and registers:
            problems.append(f"{where}: a systolic_array has no register_file of its own")
        for level in registers:
            problems += [
                f"{where}: components.{n}.per must be {array_name!r}, not {m.per!r}"
                for n, m in level.memories.items()
                if m.per != array_name
            ]
            missing = [t for t in TENSORS if t not in level.holders]
            problems += [f"{where}: no register_file holds {t}" for t in missing]
    if problems:
        raise AccelsimError(*problems)
    return Machine(
        name=architecture.name,
        array_name=arrays[0][0],
        array=arrays[0][1],
        dram_name=drams[0][0],
        dram=drams[0][1],
        buffers=tuple(buffers),
        registers=registers[0] if registers else None,
        links=links,
        components=parts,
    )
