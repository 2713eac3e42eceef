"""Layer-fused (depth-first) execution: strips of rows go through a chain of layers and skip DRAM in between.

The layers of a strip run one after the other on the array. DRAM brings the weights once, the first input and
takes the last output strip by strip, beside the array's work. Within a strip every layer is mapped as usual,
with all its tensors in the buffer already.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accelsim.components.storage import TENSORS, Storage
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape
from accelsim.kernel import Flat
from accelsim.mapping.asic.chains import (
    Rows,
    Strips,
    best_cuts,
    chains,
    input_elements,
    one_image,
    tallest,
)
from accelsim.mapping.asic.energy import energy_J
from accelsim.mapping.asic.fusion import Turn
from accelsim.mapping.asic.layer import Access, MappedLayer, to_bytes
from accelsim.mapping.asic.machine import Machine, StorageLevel
from accelsim.mapping.asic.strip_block import Block, strip_block
from accelsim.mapping.family import Work

if TYPE_CHECKING:
    from accelsim.mapping.asic.family import Lowering

ROOMY = 1 << 50
"""Bytes of a buffer that holds whatever a strip needs; what it needs was checked before."""


@dataclass(frozen=True)
class Run:
    """Layers that run depth-first: their turns, the strips, the room these take, and what DRAM moves.

    ``alone_B`` is what the layers move one by one.
    """

    turns: tuple[Turn, ...]
    cut: Strips
    images: int
    room_B: int
    dram_B: int
    alone_B: int

    @property
    def name(self) -> str:
        """The layers, joined."""
        return "+".join(turn.operator.name for turn in self.turns)


class DepthFirst:
    """Which layers of a graph run depth-first on a machine, and what they become."""

    def __init__(self, lowering: "Lowering", order: Sequence[Turn]) -> None:
        self.lowering = lowering
        self.machine, self.widths = lowering.machine, lowering.widths
        self.ways = lowering.ways_on(_with_room(lowering.machine), inside=True)
        self.conventions = self.ways.conventions({})
        self.buffer = _common_buffer(self.machine)
        self.runs: dict[str, Run] = {}
        self._why_not: list[tuple[int, str]] = []
        self._blocks: dict[ConvShape, tuple[MappedLayer, Flat, int]] = {}
        self._chains = chains(lowering.graph, order)
        if self.buffer is not None:
            for chain in self._chains:
                self._cut(chain, *self.buffer)

    def _cut(self, chain: list[Turn], name: str, memory: Storage) -> None:
        """Find the runs of a chain that move least."""
        shapes = [one_image(turn.operator.shapes[0]) for turn in chain]
        unlimited = self.lowering.options.memory == "unlimited"
        alone = []
        for turn in chain:
            try:
                alone.append(self.lowering.turn(turn, 0)[1].bytes[self.machine.dram_name])
            except AccelsimError:  # said by the layer itself, which cannot run alone either
                return
        fitting: dict[Rows, Run] = {}
        for first in range(len(chain) - 1):
            for end in range(first + 2, len(chain) + 1):
                part = tuple(chain[first:end])
                cut, need = tallest(
                    shapes[first:end], self.widths, memory.buffers, None if unlimited else int(memory.size)
                )
                if cut is None:
                    lacking = need - int(memory.size)
                    here, before = (t.operator.name for t in (part[-1], part[0]))
                    self._why_not.append(
                        (
                            lacking,
                            f"{here} after {before} needs {need} B of {name}, {lacking} B more than it has",
                        )
                    )
                    break
                images = part[0].operator.shapes[0].N
                moved = sum(map(sum, self._dram_bytes(part, cut, images)))
                fitting[first, end] = Run(part, cut, images, need, moved, sum(alone[first:end]))
        for span in best_cuts(alone, {span: run.dram_B for span, run in fitting.items()}):
            if span in fitting:
                self.runs[chain[span[0]].operator.name] = fitting[span]

    def _dram_bytes(self, turns: Sequence[Turn], cut: Strips, images: int) -> tuple[list[int], ...]:
        """Bytes of the weights by layer, and of first input and last output by strip of all images."""
        first, last = turns[0].operator, turns[-1].operator
        bits, shape = self.widths, cut.shapes[0]
        weights = [-(-s.elements("weights") * bits.weights // 8) for s in cut.shapes]
        read, written = [], []
        for step in cut.steps():
            if step.layer == 0:
                read.append(input_elements(shape, step.rows, self.conventions))
            if step.layer == len(cut.shapes) - 1:
                written.append(step.shape.elements("outputs"))
        coded = self.ways.conventions
        inputs = coded(self.lowering.stored(first)).coded(
            to_bytes(np.array(read, np.int64), bits.inputs), "inputs"
        )
        outputs = coded(self.lowering.stored(last)).coded(
            to_bytes(np.array(written, np.int64), bits.outputs), "outputs"
        )
        return weights, inputs.tolist() * images, outputs.tolist() * images

    def lower(self, run: Run, part: int) -> tuple[Flat, list[Work]]:
        """One block of tasks for all layers of a run, and the figures of each."""
        weights, inputs, outputs = self._dram_bytes(run.turns, run.cut, run.images)
        blocks: list[Block] = []
        layers: list[list[MappedLayer]] = [[] for _ in run.turns]
        cycles = [0] * len(run.turns)
        for step in (step for _ in range(run.images) for step in run.cut.steps()):
            layer, flat, estimate = self._block(step.shape)
            layers[step.layer].append(layer)
            cycles[step.layer] += estimate
            blocks.append(Block(flat, step.layer, estimate))
        depth = 1 if self.buffer is None else self.buffer[1].buffers
        flat, estimate = strip_block(blocks, weights, inputs, outputs, run.images, depth, self.lowering)
        cycles[0] += estimate - sum(cycles)
        works = []
        for i, turn in enumerate(run.turns):
            access = self._access(
                layers[i], weights[i], inputs if i == 0 else (), outputs, turn is run.turns[-1]
            )
            works.append(self._work(run, i, part, layers[i], access, cycles[i]))
        return flat, works

    def _block(self, shape: ConvShape) -> tuple[MappedLayer, Flat, int]:
        """One layer of one strip, everything being in the buffer; equal ones are mapped once."""
        if shape not in self._blocks:
            way = self.ways.best(None, shape, {})
            self._blocks[shape] = way.layer, way.flat, way.cycles
        return self._blocks[shape]

    def _access(
        self,
        layers: Sequence[MappedLayer],
        weights: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        last: bool,
    ) -> dict[str, Access]:
        """Bytes of a layer in all its strips, and those that DRAM and buffer exchange for it."""
        access: dict[str, Access] = {}
        for layer in layers:
            for name, moved in layer.access.items():
                access[name] = access.get(name, Access()) + moved
        assert self.buffer is not None
        down, up = weights + sum(inputs), sum(outputs) if last else 0
        for name, moved in ((self.machine.dram_name, Access(down, up)), (self.buffer[0], Access(up, down))):
            access[name] = access.get(name, Access()) + moved
        return access

    def _work(
        self,
        run: Run,
        index: int,
        part: int,
        layers: Sequence[MappedLayer],
        access: dict[str, Access],
        cycles: int,
    ) -> Work:
        lowering, turn = self.lowering, run.turns[index]
        operator = turn.operator
        riders = sum(r.operations for r in turn.riders)
        strips = f"strips of {run.cut.height} rows of {run.turns[-1].operator.name}"
        return Work(
            name=operator.name,
            type=operator.type,
            macs=operator.macs,
            parameters=operator.parameters,
            part=part,
            bytes=lowering.bytes_of(access),
            energy_J=energy_J(
                self.machine, access, sum(layer.macs for layer in layers), riders, lowering.precision
            ),
            closed_form_cycles=cycles,
            ideal_cycles=-(-operator.macs // self.machine.array.macs_per_cycle),
            mapping=f"depth-first in {run.name}, {strips}; the first: {layers[0].description}",
            certificate=layers[0].certificate and f"first strip: {layers[0].certificate}",
            pes=max((layer.pes for layer in layers if layer.pes is not None), default=None),
            held_B=layers[0].held_B,
        )

    def notes(self) -> Iterator[str]:
        """What was fused and what it saves; or why nothing was."""
        dram = self.machine.dram_name
        for run in self.runs.values():
            count = -(-run.cut.shapes[-1].P // run.cut.height) * run.images
            strips = f"{count} strips of {run.cut.height} rows" if count > 1 else "one strip"
            size = "" if self.buffer is None else f" of {int(self.buffer[1].size)} B of {self.buffer[0]}"
            yield (
                f"depth-first: {run.name} in {strips}, {run.room_B}{size};"
                f" {dram} moves {run.dram_B} B instead of {run.alone_B} B layer by layer"
            )
        if self.runs:
            saved = sum(run.alone_B - run.dram_B for run in self.runs.values())
            yield f"depth-first saves {saved} B of {dram} traffic against layer by layer"
        elif self.buffer is None:
            yield (
                f"depth-first: nothing is fused: no memory next to {dram} holds inputs, weights and outputs"
                " together"
            )
        elif not self._chains:
            yield "depth-first: nothing is fused: no layer with MACs is the only reader of the one before it"
        elif self._why_not:
            yield f"depth-first: nothing is fused: {min(self._why_not)[1]}"
        else:
            yield f"depth-first: nothing is fused: no run of layers moves less of {dram} than layer by layer"


def _common_buffer(machine: Machine) -> tuple[str, Storage] | None:
    """The memory next to DRAM, if one holds everything."""
    memories = machine.buffers[0].memories
    if len(memories) > 1 or set(machine.buffers[0].holders) != set(TENSORS):
        return None
    return next(iter(memories.items()))


def _with_room(machine: Machine) -> Machine:
    """The machine with room for everything next to DRAM."""
    top = machine.buffers[0]
    memories = {name: memory.model_copy(update={"size": ROOMY}) for name, memory in top.memories.items()}
    return machine.with_buffers((StorageLevel(top.holders, memories), *machine.buffers[1:]))
