"""The machine that a loop nest is judged on, in plain numbers: memories by level, an array, energies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite, prod

from accelsim.cost.nest import TENSORS, Padding
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.shape import DIMS

WORDS = ("inputs", "weights", "outputs", "partial")
"""What has a width of its own: the operands, finished outputs, and outputs that are not finished yet."""


@dataclass(frozen=True, slots=True)
class Memory:
    """One kind of memory.

    Parameters
    ----------
    tensors : what it holds; the others pass it by
    size_bits : of one copy; None is unlimited
    per_pe : one copy per processing element; otherwise one above the array
    buffers : how many tiles must fit at once, 1 or 2
    read_J, write_J : energy per bit, joules
    read_bits, write_bits : bits per cycle of one copy's port; None never limits
    shared_port : reads and writes take turns at one port
    """

    name: str
    tensors: tuple[str, ...]
    size_bits: int | None
    per_pe: bool = False
    buffers: int = 1
    read_J: float = 0.0
    write_J: float = 0.0
    read_bits: float | None = None
    write_bits: float | None = None
    shared_port: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """What carries ``tensors`` from the memory above the array to those of its elements, and outputs back.

    A multicast crosses it once. ``bits`` per cycle each way, ``shared``: both ways take turns; ``energy_J``
    per bit, joules.
    """

    name: str
    tensors: tuple[str, ...]
    bits: float | None = None
    energy_J: float = 0.0
    shared: bool = True


@dataclass(frozen=True, slots=True)
class Axis:
    """``size`` positions of the array side by side, and the dims that may be unrolled over them.

    Several dims may share an axis: then the product of their parts must not exceed ``size``.
    """

    name: str
    size: int
    dims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Memories and array of one accelerator.

    Parameters
    ----------
    levels : outermost first; each a tuple of memories side by side that hold different tensors
    axes : of the array; without any there is a single processing element
    bits : width of each of ``WORDS``
    mac_J : energy of one multiply-accumulate, joules
    macs_per_pe : multiply-accumulates of one processing element per cycle
    networks : into and out of the array, of different tensors; one that nothing carries enters at no cost
    padding : whether positions outside the input are left unread or read like any other
    clock_Hz : cycles per second

    Raises
    ------
    AccelsimError
        For anything impossible, all of it at once.
    """

    name: str
    levels: tuple[tuple[Memory, ...], ...]
    axes: tuple[Axis, ...]
    bits: Mapping[str, int]
    mac_J: float = 0.0
    macs_per_pe: int = 1
    padding: Padding = "skip"
    clock_Hz: float = 1e9
    networks: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        problems = [*_memory_problems(self.levels), *_axis_problems(self.axes), *self._figures()]
        problems += _network_problems(self.networks, self.memories)
        if problems:
            raise AccelsimError(*(f"{self.name}: {p}" for p in problems))

    @property
    def memories(self) -> tuple[Memory, ...]:
        """All memories, outermost level first."""
        return tuple(m for level in self.levels for m in level)

    @property
    def pes(self) -> int:
        """Processing elements of the array."""
        return prod(axis.size for axis in self.axes)

    def chain(self, tensor: str) -> tuple[Memory, ...]:
        """Memories that hold a tensor, outermost first."""
        return tuple(m for m in self.memories if tensor in m.tensors)

    def network(self, tensor: str) -> Network | None:
        """The network that carries a tensor."""
        return next((n for n in self.networks if tensor in n.tensors), None)

    def room_bits(self, tensor: str) -> int:
        """Bits that one element takes in a memory; outputs have room for the wider of the two."""
        return max(self.bits["outputs"], self.bits["partial"]) if tensor == "outputs" else self.bits[tensor]

    def _figures(self) -> Iterable[str]:
        for word in WORDS:
            if word not in self.bits:
                yield f"bits.{word} is missing"
            elif self.bits[word] < 1:
                yield f"bits.{word} must be at least 1, not {self.bits[word]}"
        for word in self.bits:
            if word not in WORDS:
                hint = did_you_mean(word, WORDS)
                yield f"bits.{word}: unknown word{hint}; known are {', '.join(WORDS)}"
        if not (self.mac_J >= 0 and isfinite(self.mac_J)):
            yield f"mac_J must not be negative, not {self.mac_J}"
        if self.macs_per_pe < 1:
            yield f"macs_per_pe must be at least 1, not {self.macs_per_pe}"
        if self.padding not in ("skip", "count"):
            yield f"padding must be 'skip' or 'count', not {self.padding!r}"
        if not (self.clock_Hz > 0 and isfinite(self.clock_Hz)):
            yield f"clock_Hz must be greater than 0, not {self.clock_Hz}"


def _memory_problems(levels: tuple[tuple[Memory, ...], ...]) -> Iterable[str]:
    if not levels:
        yield "a hierarchy needs at least one level of memory"
        return
    outermost = {t for m in levels[0] for t in m.tensors}
    for tensor in TENSORS:
        if tensor not in outermost:
            yield f"the outermost level must hold {', '.join(TENSORS)}; {tensor} is missing"
    names: set[str] = set()
    inside: str | None = None
    for level in levels:
        held: dict[str, str] = {}
        for memory in level:
            where = f"memory {memory.name!r}"
            if memory.name in names:
                yield f"{where}: another memory has this name"
            if not memory.name or "." in memory.name:
                yield f"{where}: its name must not be empty or contain a dot"
            names.add(memory.name)
            for tensor in memory.tensors:
                if tensor not in TENSORS:
                    hint = did_you_mean(tensor, TENSORS)
                    yield f"{where}: unknown tensor {tensor!r}{hint}; known are {', '.join(TENSORS)}"
                elif tensor in held:
                    yield f"{where}: {tensor} are held by {held[tensor]!r} beside it"
                held[tensor] = memory.name
            if inside and not memory.per_pe:
                yield f"{where}: it lies inside {inside!r}, which is per_pe, and must be per_pe too"
            yield from (f"{where}: {p}" for p in _port_problems(memory))
        inside = next((m.name for m in level if m.per_pe), inside)


def _port_problems(memory: Memory) -> Iterable[str]:
    if not memory.tensors:
        yield "it holds no tensor"
    if memory.size_bits is not None and memory.size_bits < 1:
        yield f"size_bits must be at least 1, not {memory.size_bits}"
    if memory.buffers not in (1, 2):
        yield f"buffers must be 1 or 2, not {memory.buffers}"
    for name in ("read_J", "write_J"):
        value = getattr(memory, name)
        if not (value >= 0 and isfinite(value)):
            yield f"{name} must not be negative, not {value}"
    for name in ("read_bits", "write_bits"):
        value = getattr(memory, name)
        if value is not None and not (value > 0 and isfinite(value)):
            yield f"{name} must be greater than 0 bits per cycle, not {value}"


def _network_problems(networks: tuple[Network, ...], memories: tuple[Memory, ...]) -> Iterable[str]:
    carried: dict[str, str] = {}
    names = {m.name for m in memories}
    for network in networks:
        where = f"network {network.name!r}"
        if network.name in names:
            yield f"{where}: a memory or another network has this name"
        names.add(network.name)
        for tensor in network.tensors:
            if tensor not in TENSORS:
                hint = did_you_mean(tensor, TENSORS)
                yield f"{where}: unknown tensor {tensor!r}{hint}; known are {', '.join(TENSORS)}"
            elif tensor in carried:
                yield f"{where}: {tensor} are carried by {carried[tensor]!r}"
            elif not any(m.per_pe and tensor in m.tensors for m in memories):
                yield f"{where}: no memory of a processing element holds {tensor}"
            carried[tensor] = network.name
        if network.bits is not None and not (network.bits > 0 and isfinite(network.bits)):
            yield f"{where}: bits must be greater than 0 per cycle, not {network.bits}"
        if not (network.energy_J >= 0 and isfinite(network.energy_J)):
            yield f"{where}: energy_J must not be negative, not {network.energy_J}"


def _axis_problems(axes: tuple[Axis, ...]) -> Iterable[str]:
    names = [axis.name for axis in axes]
    for index, axis in enumerate(axes):
        if not axis.name or axis.name in names[:index]:
            yield f"axis {axis.name!r}: axes need different names"
        if axis.size < 1:
            yield f"axis {axis.name!r}: size must be at least 1, not {axis.size}"
        for dim in axis.dims:
            if dim not in DIMS:
                hint = did_you_mean(dim, DIMS)
                yield f"axis {axis.name!r}: unknown dimension {dim!r}{hint}; known are {' '.join(DIMS)}"
        if len(set(axis.dims)) < len(axis.dims):
            yield f"axis {axis.name!r}: a dimension is listed twice"
