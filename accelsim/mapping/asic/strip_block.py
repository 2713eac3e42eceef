"""The tasks of a chain of layers that runs depth-first: layers of strips in turn, DRAM beside them.

- the weights of all layers come once, those of a layer before its first strip;
- the first input comes strip by strip: with d buffers, strip i waits until strip i-d has been used; the
  strips of an image wait until the image before it has been read;
- the last output leaves strip by strip: with d buffers, strip i is made when strip i-d has left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from accelsim.kernel import Flat
from accelsim.kernel.bounds import flat_bounds
from accelsim.mapping.asic.events import PURE_DELAY
from accelsim.mapping.asic.plan import Ints
from accelsim.mapping.asic.timing import to_ps

if TYPE_CHECKING:
    from accelsim.mapping.asic.family import Lowering


@dataclass(frozen=True, slots=True)
class Block:
    """One layer of one strip: its tasks, its place in the chain, its cycles in closed form."""

    flat: Flat
    layer: int
    cycles: int


class _Program:
    """Tasks and edges under construction."""

    def __init__(self, lowering: "Lowering") -> None:
        self.lowering = lowering
        self.resource: list[Ints] = []
        self.duration: list[Ints] = []
        self.kind: list[Ints] = []
        self.sources: list[Ints] = []
        self.targets: list[Ints] = []
        self.count = 0
        self.dram_cycles = 0

    def gate(self) -> int:
        """A task that takes no time."""
        return self._add(PURE_DELAY, self.lowering.wiring.wait_kind, 0)

    def transfer(self, where: tuple[int, int], size: int) -> int:
        """A DRAM transfer of so many bytes."""
        resource, kind = where
        wiring, period = self.lowering.wiring, self.lowering.period
        cycles = wiring.cycles(resource, np.array([size], np.int64))
        self.dram_cycles = int(cycles[0])
        return self._add(resource, kind, int(to_ps(cycles, period)[0]))

    def _add(self, resource: int, kind: int, duration: int) -> int:
        for column, value in ((self.resource, resource), (self.kind, kind), (self.duration, duration)):
            column.append(np.array([value], np.int64))
        self.count += 1
        return self.count - 1

    def after(self, sources: "int | Ints", targets: "int | Ints") -> None:
        """Targets wait for sources."""
        source, target = np.broadcast_arrays(np.atleast_1d(sources), np.atleast_1d(targets))
        self.sources.append(source.astype(np.int64))
        self.targets.append(target.astype(np.int64))

    def block(self, flat: Flat) -> tuple[int, int]:
        """All tasks of a block between two gates, which are returned."""
        begin = self.gate()
        source, target = flat.edges()
        self.after(source.astype(np.int64) + self.count, target.astype(np.int64) + self.count)
        self.after(begin, np.flatnonzero(flat.waits == 0) + self.count)
        leaves = np.flatnonzero(np.diff(flat.offsets) == 0) + self.count
        self.resource.append(flat.resource.astype(np.int64))
        self.duration.append(flat.duration)
        self.kind.append(flat.kinds().astype(np.int64))
        self.count += len(flat)
        end = self.gate()
        self.after(leaves, end)
        return begin, end

    def flat(self) -> Flat:
        """The block of everything."""
        return Flat(
            np.concatenate(self.resource).astype(np.int32),
            np.concatenate(self.duration),
            (np.concatenate(self.sources), np.concatenate(self.targets)),
            kind=np.concatenate(self.kind).astype(np.int32),
        )


def strip_block(
    blocks: Sequence[Block],
    weights: Sequence[int],
    inputs: Sequence[int],
    outputs: Sequence[int],
    images: int,
    depth: int,
    lowering: "Lowering",
) -> tuple[Flat, int]:
    """All tasks of a chain, and its cycles in closed form.

    Parameters
    ----------
    blocks : layers of strips in the order in which they run
    weights : bytes by layer; ``inputs``, ``outputs``: by strip of the first and of the last layer
    depth : strips of the first input, and of the last output, that the buffer holds
    """
    wiring, program = lowering.wiring, _Program(lowering)
    last = len(weights) - 1
    per_image = len(inputs) // images
    arrived: dict[int, int] = {}
    read: list[int] = []
    left: list[int] = []
    before: int | None = None
    lead = tail = 0
    for block in blocks:
        waits = [] if before is None else [before]
        if block.layer == 0:
            strip = len(read)
            load = program.transfer(wiring.load("inputs", 0, 1), inputs[strip])
            lead += program.dram_cycles if strip == 0 else 0
            same_image = strip % per_image >= depth
            oldest = strip - (depth if same_image else strip % per_image + 1)
            if oldest >= 0:
                program.after(read[oldest], load)
            waits.append(load)
        if block.layer not in arrived:
            arrived[block.layer] = program.transfer(wiring.load("weights", 0, 1), weights[block.layer])
            lead += program.dram_cycles if block.layer == 0 else 0
            waits.append(arrived[block.layer])
        if block.layer == last and len(left) >= depth:
            waits.append(left[len(left) - depth])
        begin, before = program.block(block.flat)
        program.after(np.array(waits, np.int64), begin)
        if block.layer == 0:
            read.append(before)
        if block.layer == last:
            store = program.transfer(wiring.store(0, 1), outputs[len(left)])
            program.after(before, store)
            left.append(store)
            tail = program.dram_cycles
    flat = program.flat()
    lower_ps, _ = flat_bounds(flat, wiring.resources)
    numerator, denominator = lowering.period
    estimate = lead + sum(block.cycles for block in blocks) + tail
    return flat, max(estimate, lower_ps * denominator // numerator)
