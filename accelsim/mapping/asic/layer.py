"""What a layer looks like once it is mapped, before events: its plan, its traffic and what it cost to
decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal

import numpy as np

from accelsim.cost.counts import Traffic, count
from accelsim.cost.nest import WINDOWS, LoopNest, Padding
from accelsim.cost.transfers import Transfers, transfers
from accelsim.errors import AccelsimError
from accelsim.graph.operator import Operator
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.plan import Flags, Ints, LayerPlan, LevelTiles, TileMoves


@dataclass(frozen=True, slots=True)
class Widths:
    """Bits of one element: operands, finished outputs, and partial sums."""

    inputs: int
    weights: int
    outputs: int
    partial: int

    @property
    def on_chip(self) -> dict[str, int]:
        """Bits of each tensor in buffers and registers, where outputs are partial sums."""
        return {"inputs": self.inputs, "weights": self.weights, "outputs": self.partial}


@dataclass(frozen=True, slots=True)
class Conventions:
    """What is counted as moved where machines differ.

    padding : zeros outside the image are nowhere read (``skip``), read like pixels (``count``), or put into
        the buffers on the way in (``insert``): not read from DRAM, but like pixels from there on
    first_sums : an array starts its sums at ``zero``, or has to ``read`` what the buffer holds instead
    stored : tensor -> part of its bytes that remain when it is coded in DRAM; 1 where it is not listed
    """

    padding: Literal["skip", "count", "insert"] = "skip"
    first_sums: Literal["zero", "read"] = "zero"
    stored: Mapping[str, float] = field(default_factory=dict)

    @property
    def off_chip(self) -> Padding:
        """Padding as DRAM sees it."""
        return "count" if self.padding == "count" else "skip"

    @property
    def on_chip(self) -> Padding:
        """Padding as buffers and array see it."""
        return "skip" if self.padding == "skip" else "count"

    def in_buffers(self, shape: ConvShape) -> ConvShape:
        """The layer as buffers hold it: with the padding as part of the image, if they hold it."""
        if self.on_chip == "skip":
            return shape
        rows, columns = (
            (shape[position] - 1) * stride + (shape[tap] - 1) * dilation + 1
            for (position, tap), stride, dilation in zip(WINDOWS, shape.stride, shape.dilation, strict=True)
        )
        return replace(shape, pad=(0, 0), size=(rows, columns))

    def reads(self, traffic: Traffic[Ints]) -> Ints:
        """Elements that the array reads of a tensor."""
        everything = traffic.tensor == "outputs" and self.first_sums == "read"
        return traffic.updates if everything else traffic.reads

    def coded(self, size: Ints, tensor: str) -> Ints:
        """Bytes in DRAM of so many bytes."""
        part = self.stored.get(tensor, 1.0)
        return size if part == 1 else np.ceil(size * part).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Access:
    """Bytes that a memory or link takes part in moving."""

    read: int = 0
    written: int = 0

    def __add__(self, other: "Access") -> "Access":
        return Access(self.read + other.read, self.written + other.written)

    @property
    def total(self) -> int:
        """Bytes read and written."""
        return self.read + self.written


@dataclass(frozen=True, slots=True)
class MappedLayer:
    """A layer on the machine: the plan that becomes tasks, bytes per component, MACs, a line for people.

    ``pes`` is the number of processing elements in use, ``held_B`` the bytes of one full tile by
    ``memory tensor``, ``nest`` the loops in the names of mapping files; None and empty where the array has no
    elements of its own. ``certificate`` says how good a searched mapping is.
    """

    plan: LayerPlan
    access: Mapping[str, Access]
    macs: int
    description: str
    pes: int | None = None
    held_B: Mapping[str, int] = field(default_factory=dict)
    nest: LoopNest | None = None
    certificate: str = ""


MOST_ROWS = 10_000_000
"""Tiles of one layer at one level beyond which it is refused: each is a handful of tasks."""


def burden(
    machine: Machine,
    nest: LoopNest,
    widths: Widths,
    conventions: Conventions,
    compute_cycles: int | None = None,
) -> tuple[float, int]:
    """How a mapping ranks before events: (seconds, DRAM bytes), in closed form.

    The seconds lie halfway between all resources overlapping and none of them, plus the first tile's way in
    and the last one's way out, which nothing hides. ``compute_cycles`` None takes the steps of the nest.
    """
    padding = conventions.off_chip
    counts = count(nest, padding)
    dram = 0
    links: dict[tuple[str, str], float] = {}
    for traffic in counts.traffic:
        bits = widths.on_chip[traffic.tensor]
        if traffic.parent == nest.levels[0].name:
            final = nest.shape.elements("outputs") if traffic.tensor == "outputs" else 0
            dram += (traffic.reads + traffic.updates - final) * bits + final * widths.outputs
        link = machine.link(traffic.tensor)
        if link is not None and traffic.child == nest.levels[-1].name:
            name = machine.links[traffic.tensor]
            for way, moved in (("in", traffic.reads), ("out", traffic.updates)):
                key = (name, way if link.separate_directions else "")
                links[key] = links.get(key, 0.0) + moved * bits / 8 / link.bandwidth
    steps = counts.steps if compute_cycles is None else compute_cycles
    dram = -(-dram // 8)
    busy = [steps / machine.array.clock, float(machine.dram.service_s(float(dram))), *links.values()]
    first = nest.levels[1].tensors
    size = {t: nest.tile(1, t, padding) * widths.on_chip[t] / 8 for t in first}
    hidden_by_nothing = sum(float(machine.dram.service_s(s)) for s in size.values())
    return (max(busy) + sum(busy)) / 2 + hidden_by_nothing, dram


def to_bytes(elements: Ints, bits: int) -> Ints:
    """Whole bytes of so many elements."""
    return -(-elements * bits // 8)


def finished(rows: Transfers, shape: ConvShape) -> Flags:
    """Whether each row ends the reduction of the outputs it works on."""
    done = np.ones(len(rows.extents), np.bool_)
    for index, dim in enumerate(DIMS):
        if dim not in RELEVANT["outputs"]:
            done &= rows.starts[:, index] + rows.extents[:, index] == shape[dim]
    return done


def tile_identity(rows: Transfers, shape: ConvShape) -> Ints:
    """A number per row that is equal where the same outputs are worked on."""
    identity = np.zeros(len(rows.starts), np.int64)
    for index, dim in enumerate(DIMS):
        if dim in RELEVANT["outputs"]:
            identity = identity * shape[dim] + rows.starts[:, index]
    return identity


MOST_COUNTED = 2**56
"""MACs, operations or elements of one operator: times the bits of an element they still fit an int64."""


def check_countable(operator: Operator) -> None:
    """Refuse an operator whose figures would not fit the integers that they are counted in."""
    tensors = (*operator.inputs, *operator.outputs, *operator.weights, *operator.statistics)
    figures = {
        "MACs": operator.macs,
        "operations": operator.operations,
        "elements": sum(tensor.elements for tensor in tensors),
    }
    for name, amount in figures.items():
        if amount > MOST_COUNTED:
            raise AccelsimError(
                f"{operator.type} of {amount:.3g} {name}, more than the {MOST_COUNTED:.3g} that one operator"
                " may have: is a size off by orders of magnitude?"
            )


def check_rows(rows: int, where: str) -> None:
    """Refuse a layer whose tiles are too many to be simulated one by one."""
    if rows > MOST_ROWS:
        raise AccelsimError(
            f"{rows} tiles pass through {where}, more than the {MOST_ROWS} that are simulated one by one:"
            " give it more room, or take a smaller batch"
        )


def level_tiles(
    nest: LoopNest,
    level: int,
    parent_of: Mapping[str, int],
    widths: Widths,
    conventions: Conventions,
) -> tuple[LevelTiles, Transfers]:
    """Tiles of one shared level in bytes. Outputs that go to DRAM finished have their final width.

    Raises
    ------
    AccelsimError
        If there are more tiles than can be simulated one by one.
    """
    check_rows(prod(nest.trips[: nest.levels[level].depth]), nest.levels[level].name)
    from_dram = parent_of.get("inputs") == 0
    rows = transfers(nest, level, conventions.off_chip if from_dram else conventions.on_chip)
    moves = {}
    nothing = np.zeros(len(rows.parent), np.int64)
    for tensor in nest.levels[level].tensors:
        begins = rows.begins[tensor]
        if tensor != "outputs":
            elements = rows.inputs if tensor == "inputs" else rows.weights
            loaded = to_bytes(elements, widths.on_chip[tensor])
            if parent_of[tensor] == 0:
                loaded = conventions.coded(loaded, tensor)
            moves[tensor] = TileMoves(begins, loaded, nothing, tile_identity(rows, nest.shape))
            continue
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(begins)) - 1
        outgoing = to_bytes(rows.written[last], widths.partial)
        if parent_of["outputs"] == 0:
            final = conventions.coded(to_bytes(rows.written[last], widths.outputs), tensor)
            outgoing = np.where(finished(rows, nest.shape)[last], final, outgoing)
        stored = nothing.copy()
        stored[first] = outgoing
        moves[tensor] = TileMoves(
            begins, to_bytes(rows.read_back, widths.partial), stored, tile_identity(rows, nest.shape)
        )
    return LevelTiles(level, rows.parent, moves, dict(parent_of)), rows


def parents(nest: LoopNest, level: int) -> dict[str, int]:
    """For each tensor that a level holds, the index of the next level above that holds it."""
    return {
        tensor: max(i for i in range(level) if tensor in nest.levels[i].tensors)
        for tensor in nest.levels[level].tensors
    }


def resident(machine: Machine, layer: MappedLayer) -> MappedLayer:
    """A layer whose tensors are all in the buffer next to DRAM: nothing moves between the two."""
    outer, *inner = layer.plan.levels
    access = dict(layer.access)
    for name, moved in tile_access(machine, (outer,)).items():
        access[name] = Access(access[name].read - moved.read, access[name].written - moved.written)
    return replace(layer, plan=replace(layer.plan, levels=tuple(inner)), access=access)


def buffer_depths(machine: Machine) -> dict[tuple[int, str], int]:
    """Number of tiles that each shared level holds of each tensor."""
    depths: dict[tuple[int, str], int] = {}
    for index, level in enumerate(machine.shared[1:], start=1):
        for tensor in level.tensors:
            memory = level.of(tensor)
            depths[index, tensor] = 1 if memory is None else memory.buffers
    return depths


def tile_access(machine: Machine, levels: tuple[LevelTiles, ...]) -> dict[str, Access]:
    """Bytes that each memory gives and takes when tiles move between shared levels."""
    access: dict[str, Access] = {}
    for tiles in levels:
        for tensor, moves in tiles.moves.items():
            down, up = int(moves.loaded.sum()), int(moves.stored.sum())
            above = machine.shared[tiles.parent_of[tensor]].holders[tensor]
            here = machine.shared[tiles.level].holders.get(tensor)
            access[above] = access.get(above, Access()) + Access(down, up)
            if here is not None:  # data of an operator without MACs may pass the buffers by
                access[here] = access.get(here, Access()) + Access(up, down)
    return access
