"""Chains of layers that may run depth-first: which follow one another, strip by strip, and in how much room.

Strip s of a chain takes its last layer to output row ``(s + 1) * height``; every layer before computes the
rows that this needs and were not there yet. What the next strip reads again (the halo) stays, so nothing is
computed or loaded twice. Weights of all layers stay for good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod

from accelsim.cost.halo import Span, Window, rows
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.shape import ConvShape
from accelsim.mapping.asic.fusion import Turn
from accelsim.mapping.asic.layer import Conventions, Widths

Rows = tuple[int, int]
"""First row and the one after the last."""


def chains(graph: LayerGraph, order: Sequence[Turn]) -> list[list[Turn]]:
    """Runs of two turns or more in which each layer's output, after its riders, is read by the next only."""
    leaving = {tensor.name for tensor in graph.outputs}
    found: list[list[Turn]] = []
    for before, after in pairwise(order):
        if _follows(graph, before, after, leaving):
            if not found or found[-1][-1] is not before:
                found.append([before])
            found[-1].append(after)
    return found


def _follows(graph: LayerGraph, before: Turn, after: Turn, leaving: set[str]) -> bool:
    last = before.riders[-1] if before.riders else before.operator
    if not (_is_layer(before) and _is_layer(after)) or [t for t in last.outputs if t.name in leaving]:
        return False
    if [o.name for o in graph.consumers(last.name)] != [after.operator.name]:
        return False
    one, other = before.operator.shapes[0], after.operator.shapes[0]
    images = prod(one[d] for d in "NGKPQ")
    return other.elements("inputs") == images and other.size == (one.P, one.Q) and other.N == one.N


def _is_layer(turn: Turn) -> bool:
    """One loop nest with constant weights, one computed input, and no window that lies in padding alone."""
    operator = turn.operator
    if len(operator.shapes) != 1 or len(operator.inputs) != 1 or not operator.weights:
        return False
    (shape,) = operator.shapes
    reach = (shape.R - 1) * shape.dilation[0] + 1
    inside = shape.pad[0] < reach and (shape.P - 1) * shape.stride[0] - shape.pad[0] < shape.size[0]
    return inside and operator.outputs[0].elements == shape.elements("outputs")


@dataclass(frozen=True)
class Step:
    """Rows of one layer's output computed in one strip, as a layer of their own."""

    layer: int
    strip: int
    rows: Rows
    shape: ConvShape


@dataclass(frozen=True)
class Strips:
    """A chain cut in strips: its layers for one image, and rows of the last output per strip."""

    shapes: tuple[ConvShape, ...]
    height: int

    def steps(self) -> list[Step]:
        """Every layer of every strip that has rows to compute, in order."""
        found = []
        done = [0] * len(self.shapes)
        strips = -(-self.shapes[-1].P // self.height)
        for strip in range(strips):
            for layer, end in enumerate(self.ends(strip)):
                if end > done[layer]:
                    shape = strip_shape(self.shapes[layer], (done[layer], end))
                    found.append(Step(layer, strip, (done[layer], end), shape))
                    done[layer] = end
        return found

    def ends(self, strip: int) -> list[int]:
        """Output row that each layer has come to after a strip; in the last one every row is done."""
        last = self.shapes[-1].P
        end = min(last, (strip + 1) * self.height)
        if end == last:
            return [shape.P for shape in self.shapes]
        ends = [end]
        for shape, above in zip(self.shapes[:0:-1], self.shapes[-2::-1], strict=True):
            need = (end - 1) * shape.stride[0] - shape.pad[0] + (shape.R - 1) * shape.dilation[0] + 1
            end = min(max(need, 1), above.P)
            ends.append(end)
        return ends[::-1]


def strip_shape(shape: ConvShape, done: Rows) -> ConvShape:
    """A layer that computes only some of the output rows: input rows that none of them reads are left out."""
    first = done[0] * shape.stride[0] - shape.pad[0]
    end = (done[1] - 1) * shape.stride[0] - shape.pad[0] + (shape.R - 1) * shape.dilation[0] + 1
    top = min(max(first, 0), shape.size[0] - 1)
    height = min(shape.size[0], max(end, top + 1)) - top
    values = shape.bounds | {"P": done[1] - done[0]}
    return ConvShape(
        **values,
        stride=shape.stride,
        dilation=shape.dilation,
        pad=(top - first, shape.pad[1]),
        size=(height, shape.size[1]),
    )


def one_image(shape: ConvShape) -> ConvShape:
    """The layer for a batch of one."""
    return ConvShape(
        **(shape.bounds | {"N": 1}),
        stride=shape.stride,
        dilation=shape.dilation,
        pad=shape.pad,
        size=shape.size,
    )


def input_elements(shape: ConvShape, done: Rows, conventions: Conventions) -> int:
    """Elements of the input that the given output rows read and those before them did not."""
    size = (None, None) if conventions.off_chip == "count" else shape.size
    height, width = (Window(shape.stride[a], shape.dilation[a], shape.pad[a], size[a]) for a in (0, 1))
    taps = Span(0, shape.R)
    read = rows(height, Span(0, done[1]), taps)
    if done[0]:
        read -= rows(height, Span(0, done[0]), taps)
    return shape.N * shape.G * shape.C * read * rows(width, Span(0, shape.Q), Span(0, shape.S))


def room_bytes(cut: Strips, widths: Widths, buffers: int) -> int:
    """Most bytes that the buffer holds at any time: all weights, and of every tensor the rows still needed.

    Outputs under work are partial sums. With d ``buffers``, DRAM may be ahead by d - 1 strips of the first
    input while these are read and by d while they are not, and as many strips of the last output may still be
    leaving.
    """
    shapes, steps = cut.shapes, cut.steps()
    last = len(shapes) - 1
    weights = sum(_bytes(s.elements("weights"), widths.weights) for s in shapes)
    ahead = _bytes(_tallest_load(shapes[0], steps) * _row(shapes[0]), widths.inputs)
    leaving = shapes[-1].G * shapes[-1].K * shapes[-1].Q * min(cut.height, shapes[-1].P)
    low, high = [0] * len(shapes), [0] * len(shapes)  # rows that are there of each layer's input
    peak = 0
    for step in steps:
        layer, shape = step.layer, shapes[step.layer]
        if layer == 0:
            high[0] = _rows_read(shape, step.rows[1])
        held = sum(_bytes(max(0, high[i] - low[i]) * _row(s), widths.inputs) for i, s in enumerate(shapes))
        held += (buffers - 1 if layer == 0 else buffers) * ahead
        made = _bytes(step.shape.elements("outputs"), widths.partial)
        if layer == last:
            made += (buffers - 1) * _bytes(leaving, widths.outputs)
        else:
            made += buffers * _bytes(leaving, widths.outputs)
        peak = max(peak, weights + held + made)
        low[layer] = max(low[layer], min(high[layer], step.rows[1] * shape.stride[0] - shape.pad[0]))
        if layer < last:
            high[layer + 1] = step.rows[1]
    return peak


def _rows_read(shape: ConvShape, done: int) -> int:
    """Input rows up to the last one that so many output rows read."""
    end = (done - 1) * shape.stride[0] - shape.pad[0] + (shape.R - 1) * shape.dilation[0] + 1
    return min(max(end, 0), shape.size[0])


def _tallest_load(shape: ConvShape, steps: Sequence[Step]) -> int:
    """Most rows that a strip of the first layer brings."""
    ends = [0, *(_rows_read(shape, step.rows[1]) for step in steps if step.layer == 0)]
    return max(after - before for before, after in pairwise(ends))


def _row(shape: ConvShape) -> int:
    """Elements of one row of the input."""
    return shape.G * shape.C * shape.size[1]


def _bytes(elements: int, bits: int) -> int:
    return -(-elements * bits // 8)


def tallest(
    shapes: Sequence[ConvShape], widths: Widths, buffers: int, size: int | None
) -> tuple[Strips | None, int]:
    """The tallest strips that fit, None if none do; and the bytes they need, or the least that any need."""
    least: int | None = None
    for height in range(shapes[-1].P, 0, -1):
        cut = Strips(tuple(shapes), height)
        need = room_bytes(cut, widths, buffers)
        if size is None or need <= size:
            return cut, need
        least = need if least is None else min(least, need)
    assert least is not None
    return None, least


def best_cuts(alone: Sequence[int], together: Mapping[Rows, int]) -> list[Rows]:
    """Cut a chain into runs of layers that move the least bytes: exact dynamic program over the cuts.

    ``alone`` is what each layer moves by itself, ``together`` what runs (first, one after last) that fit
    move; of equals the shorter runs are taken.
    """
    best: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(alone) + 1):
        options = [(best[end - 1][0] + alone[end - 1], end - 1)]
        options += [
            (best[first][0] + together[first, end], first)
            for first in range(end - 2, -1, -1)
            if (first, end) in together
        ]
        best.append(min(options, key=lambda option: option[0]))
    runs: list[Rows] = []
    end = len(alone)
    while end:
        runs.append((best[end][1], end))
        end = best[end][1]
    return runs[::-1]
