"""The analysis of ``cost.cases`` in two compiled steps, for many layers and many hardware points.

Which elements a step moves depends on the loops alone; how long it lasts depends on the network too. So the
steps of a layer are *tallied* once, equal ones together with how often they occur, and the tally is *priced*
for any number of networks. A tally is a list of blocks, each the work of one (sub-)cluster at one level;
block 0 is the layer, and a block comes before those that its steps wait for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from accelsim.cost.cases import LARGEST, Rules, levels_of
from accelsim.cost.nest import Loop
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape

Ints = NDArray[np.int64]

INPUTS, WEIGHTS, OUTPUTS = (
    np.array([d in RELEVANT[t] for d in DIMS]) for t in ("inputs", "weights", "outputs")
)
N, G, K, C, P, Q, R, S = range(8)

INTO, OUT, TIMES, FIRST, BELOW, SUMS, COLUMNS = range(7)
"""Columns of a step: elements in and out, occurrences, whether nothing came before (see below), and what it
works on: the block ``BELOW``, or, if that is -1, ``SUMS`` sums of a processing element."""

OUTERMOST, INNER = 1, 2
"""Values of ``FIRST``: the first step of the layer, and that of a sub-cluster's block; 0 is any other."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Steps of a layer's loops.

    ``steps``: one row per distinct step, see the columns above; ``first``: where the steps of each block
    begin, and their end. ``shared`` and ``private`` are elements of one tile, ``reads`` of inputs and of
    weights.
    """

    steps: Ints
    first: Ints
    reads: tuple[int, int]
    writes: int
    shared: int
    private: int


def tally(shape: ConvShape, loops: Sequence[Loop], rules: Rules) -> Tally:
    """Count the steps of one layer, loops outermost first.

    Raises
    ------
    AccelsimError
        If the layer is too large to be counted.
    """
    if shape.macs > LARGEST:
        raise AccelsimError(
            f"a layer of {shape.macs} multiply-accumulates is more than the {LARGEST} counted"
        )
    levels = levels_of(loops)
    time = [(DIMS.index(loop.dim), loop.tile) for level in levels for loop in level.time]
    begin = np.cumsum([0, *(len(level.time) for level in levels)])
    lanes = np.array([[level.lanes.get(d, 0) for d in DIMS] for level in levels], np.int64)
    steps, first, totals = _tally(
        np.array([shape[d] for d in DIMS], np.int64),
        np.array([*shape.stride, *shape.dilation], np.int64),
        np.array(time, np.int64).reshape(-1, 2),
        begin.astype(np.int64),
        lanes,
        rules.shi_halo == "double",
        rules.rs_loop_cycles == "one",
    )
    inputs, weights, writes, shared, private = totals.tolist()
    return Tally(steps, first, (inputs, weights), writes, shared, private)


def join(tallies: Sequence[Tally]) -> tuple[Ints, Ints, Ints]:
    """Steps of all tallies in one table, where their blocks begin, and the first block of each tally."""
    steps = np.concatenate([t.steps for t in tallies])
    rows = np.cumsum([0, *(len(t.steps) for t in tallies)])
    roots = np.cumsum([0, *(len(t.first) - 1 for t in tallies)])
    for t, row, root in zip(tallies, rows, roots, strict=False):
        below = steps[row : row + len(t.steps), BELOW]
        below[below >= 0] += root
    first = np.concatenate([*(t.first[:-1] + row for t, row in zip(tallies, rows, strict=False)), rows[-1:]])
    return steps, first, roots[:-1]


@njit(cache=True)
def _gcd(a, b):  # type: ignore[no-untyped-def]
    while b:
        a, b = b, a % b
    return a


@njit(cache=True)
def _distinct(positions, taps, stride, dilation):  # type: ignore[no-untyped-def]
    """Distinct rows that so many neighbouring positions and taps read (see ``cost.halo``)."""
    common = _gcd(stride, dilation)
    return positions * taps - max(positions - dilation // common, 0) * max(taps - stride // common, 0)


@njit(cache=True)
def _after_leap(p, r, dim, tile, block, stride, dilation, along_p):  # type: ignore[no-untyped-def]
    """New rows of a unit whose block moves on by those of all units."""
    if along_p:
        before = (block - 1) * stride + (r - 1) * dilation
        kept = before + 1 - tile * stride
    else:
        before = (p - 1) * stride + (block - 1) * dilation
        kept = before + 1 - tile * dilation
    return max(_distinct(p, r, stride, dilation) - max(kept, 0), 0)


@njit(cache=True)
def _parts(extent, lane, per_unit):  # type: ignore[no-untyped-def]
    """(extent, units that have it) of all but the last unit, and of the last."""
    if not per_unit or lane == 0:
        return extent, 0, extent, 1
    block = min(lane, extent)
    units = -(-extent // block)
    return block, units - 1, extent - (units - 1) * block, 1


@njit(cache=True)
def _rows(extent, lanes, axis, window, dim, tile, per_unit):  # type: ignore[no-untyped-def]
    """Rows of one axis that a step brings in; ``dim`` -1 is a whole block, else the loop that slides it."""
    position, tap = P + axis, R + axis
    stride, dilation = window[axis], window[2 + axis]
    p0, p0_units, p1, p1_units = _parts(extent[position], lanes[position], per_unit)
    r0, r0_units, r1, r1_units = _parts(extent[tap], lanes[tap], per_unit)
    total = 0
    for i in range(4):
        p, p_units = (p0, p0_units) if i < 2 else (p1, p1_units)
        r, r_units = (r0, r0_units) if i % 2 == 0 else (r1, r1_units)
        if p_units * r_units == 0:
            continue
        if dim not in (position, tap):
            rows = _distinct(p, r, stride, dilation)
        elif per_unit and lanes[dim] != 0 and lanes[dim] < tile:
            rows = _after_leap(p, r, dim, tile, lanes[dim], stride, dilation, dim == position)
        elif dim == position:
            rows = _distinct(p + tile, r, stride, dilation) - _distinct(tile, r, stride, dilation)
        else:
            rows = _distinct(p, r + tile, stride, dilation) - _distinct(p, tile, stride, dilation)
        total += rows * p_units * r_units
    return total


@njit(cache=True)
def _inputs(extent, lanes, window, dim, tile, per_unit):  # type: ignore[no-untyped-def]
    volume = extent[N] * extent[G] * extent[C]
    for axis in range(2):
        volume *= _rows(extent, lanes, axis, window, dim, tile, per_unit)
    return volume


@njit(cache=True)
def _product(extent, used):  # type: ignore[no-untyped-def]
    volume = 1
    for d in range(8):
        if used[d]:
            volume *= extent[d]
    return volume


@njit(cache=True)
def _room(extent, window):  # type: ignore[no-untyped-def]
    none = np.zeros(8, np.int64)
    inputs = _inputs(extent, none, window, -1, 0, False)
    return inputs + _product(extent, WEIGHTS) + _product(extent, OUTPUTS)


@njit(cache=True)
def _moved(extent, lanes, window, loops, trips, advanced, double):  # type: ignore[no-untyped-def]
    """Elements of (inputs, weights, outputs) that the step moves, the last of them out."""
    first = advanced < 0
    back = np.zeros(3, np.bool_)
    for index in range(advanced + 1, len(loops)):
        if trips[index] > 1:
            dim = loops[index, 0]
            back[0] |= INPUTS[dim]
            back[1] |= WEIGHTS[dim]
            back[2] |= OUTPUTS[dim]
    dim = -1 if first else loops[advanced, 0]
    inputs = weights = outputs = 0
    if first:
        inputs = _inputs(extent, lanes, window, -1, 0, True)
    elif not back[0] and dim >= P:
        inputs = _inputs(extent, lanes, window, dim, loops[advanced, 1], double)
    elif back[0] or INPUTS[dim]:
        inputs = _inputs(extent, lanes, window, -1, 0, False)
    if first or back[1] or WEIGHTS[dim]:
        weights = _product(extent, WEIGHTS)
    if first or back[2] or OUTPUTS[dim]:
        outputs = _product(extent, OUTPUTS)
    return inputs, weights, outputs


@njit(cache=True)
def _step(loops, index, state, extent, trips, times, advanced, saved):  # type: ignore[no-untyped-def]
    """Put loop ``index`` at its first (0), a middle (1) or its last (2) iteration; False if it has none."""
    dim, tile = loops[index]
    whole = saved[index]
    block = min(tile, whole)
    n = -(-whole // block)
    trips[index] = n
    times[index + 1], advanced[index + 1] = times[index], advanced[index]
    extent[dim] = block
    if state == 0:
        return True
    advanced[index + 1] = index
    if state == 1:
        times[index + 1] *= n - 2
        return n > 2
    extent[dim] = whole - (n - 1) * block
    return n > 1


@njit(cache=True)
def _find(rows, count, row):  # type: ignore[no-untyped-def]
    """Index of the row that equals ``row`` but for its occurrences, ``count`` if there is none."""
    for i in range(count - 1, -1, -1):
        if (
            rows[i, INTO] == row[INTO]
            and rows[i, OUT] == row[OUT]
            and rows[i, FIRST] == row[FIRST]
            and rows[i, BELOW] == row[BELOW]
            and rows[i, SUMS] == row[SUMS]
        ):
            return i
    return count


@njit(cache=True)
def _block(blocks, level_of, count, since, unit, level):  # type: ignore[no-untyped-def]
    """Number of the block of that extent at a level, ``count`` if it is new."""
    for b in range(since, count):
        if level_of[b] == level and (blocks[b] == unit).all():
            return b
    return count


@njit(cache=True)
def _tally(bounds, window, loops, begin, lanes, double, one):  # type: ignore[no-untyped-def]
    levels = len(lanes)
    deepest = 0
    for level in range(levels):
        deepest = max(deepest, begin[level + 1] - begin[level])
    blocks = np.empty((16, 8), np.int64)
    level_of = np.zeros(16, np.int64)
    blocks[0] = bounds
    count = 1
    steps = np.empty((64, COLUMNS), np.int64)
    first = np.zeros(17, np.int64)
    used = 0
    totals = np.zeros(5, np.int64)
    trips, saved = np.zeros(deepest + 1, np.int64), np.zeros(deepest + 1, np.int64)
    state = np.zeros(deepest + 1, np.int64)
    times, advanced = np.ones(deepest + 2, np.int64), np.full(deepest + 2, -1, np.int64)
    row = np.zeros(COLUMNS, np.int64)
    unit = np.empty(8, np.int64)
    done = 0
    while done < count:
        level = level_of[done]
        own = loops[begin[level] : begin[level + 1]]
        n = len(own)
        extent = blocks[done].copy()
        start = used
        index = 0
        state[0] = 0
        if n:
            saved[0] = extent[own[0, 0]]
        while True:
            if index == n:
                inputs, weights, outputs = _moved(
                    extent, lanes[level], window, own, trips, advanced[n], double
                )
                for d in range(8):
                    unit[d] = extent[d] if lanes[level, d] == 0 else min(extent[d], lanes[level, d])
                row[INTO], row[OUT], row[TIMES] = inputs + weights, outputs, times[n]
                row[FIRST], row[BELOW], row[SUMS] = 0, -1, 0
                if advanced[n] < 0:
                    row[FIRST] = OUTERMOST if level == 0 else INNER
                if level + 1 == levels:
                    row[SUMS] = unit[:R].prod() if one else unit.prod()
                else:
                    below = _block(blocks, level_of, count, done + 1, unit, level + 1)
                    row[BELOW] = below
                    if below == count:
                        if count == len(blocks):
                            blocks = np.concatenate((blocks, np.empty_like(blocks)))
                            level_of = np.concatenate((level_of, np.empty_like(level_of)))
                        blocks[count] = unit
                        level_of[count] = level + 1
                        count += 1
                if done == 0:
                    totals[0] += inputs * times[n]
                    totals[1] += weights * times[n]
                    totals[2] += outputs * times[n]
                    if advanced[n] < 0:
                        totals[3] = _room(extent, window)
                at = start + _find(steps[start:used], used - start, row)
                if at < used:
                    steps[at, TIMES] += times[n]
                else:
                    if used == len(steps):
                        steps = np.concatenate((steps, np.empty_like(steps)))
                    steps[used] = row
                    used += 1
                index -= 1
            elif state[index] < 3:
                there = _step(own, index, state[index], extent, trips, times, advanced, saved)
                state[index] += 1
                if there:
                    index += 1
                    if index < n:
                        state[index] = 0
                        saved[index] = extent[own[index, 0]]
            else:
                extent[own[index, 0]] = saved[index]
                index -= 1
            if index < 0:
                break
        done += 1
        if done == len(first):
            first = np.concatenate((first, np.empty_like(first)))
        first[done] = used
    inner = bounds.copy()
    for level in range(levels):
        for index in range(begin[level], begin[level + 1]):
            inner[loops[index, 0]] = min(inner[loops[index, 0]], loops[index, 1])
        for d in range(8):
            if lanes[level, d]:
                inner[d] = min(inner[d], lanes[level, d])
    totals[4] = _room(inner, window)
    return steps[:used].copy(), first[: done + 1].copy(), totals


@njit(cache=True)
def price(steps, first, roots, bandwidth, delay, lanes, exposed, buffers):  # type: ignore[no-untyped-def]
    """Cycles of every layer on every network, (networks, layers).

    Parameters
    ----------
    steps, first, roots : tallies, see ``join``
    bandwidth, delay, lanes : per network: elements per cycle, cycles of its hops, multiply-accumulates of a
        processing element and cycle
    exposed : whether the very first step of a layer adds compute to ingress
    """
    cycles = np.empty((len(bandwidth), len(roots)), np.int64)
    known = np.empty(len(first) - 1, np.int64)
    for point in range(len(bandwidth)):
        for block in range(len(known) - 1, -1, -1):
            total = 0
            for i in range(first[block], first[block + 1]):
                into, out = steps[i, INTO], steps[i, OUT]
                if into > 0:
                    into = delay[point] + np.int64(np.ceil(into / bandwidth[point])) - 1
                if out > 0:
                    out = delay[point] + np.int64(np.ceil(out / bandwidth[point])) - 1
                work = known[steps[i, BELOW]] if steps[i, BELOW] >= 0 else -(-steps[i, SUMS] // lanes[point])
                if buffers == 1:
                    length = work + into + out
                elif steps[i, FIRST] == INNER or (exposed and steps[i, FIRST] == OUTERMOST):
                    length = work + into
                else:
                    length = max(work, into, out)
                total += length * steps[i, TIMES]
            known[block] = total
        for layer in range(len(roots)):
            cycles[point, layer] = known[roots[layer]]
    return cycles
