"""A second implementation of the cost of a mapping, by walking the loop nest; shares nothing with the first.

Written from the definitions: nested ragged tiles; a tile is fetched when a loop in time advances that lies at
or outside the innermost one which indexes the tensor and nominally has more than one trip (static hoisting);
parents are read once for all copies that want an element (multicast) and written once after the sums of all
copies are added up; what a memory has seen of an output is read back at the next visit. Every element is
touched one by one and every partial sum is really added up. No formula, no numbers of blocks, no halo.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
from numba import njit

DIMS = ("N", "G", "K", "C", "P", "Q", "R", "S")
TENSORS = ("inputs", "weights", "outputs")
N, G, K, C, P, Q, R, S = range(8)
INDEXES = np.array(
    [[d in dims for d in DIMS] for dims in ("NGCPQRS", "GKCRS", "NGKPQ")], np.bool_
)  # tensor x dim

READS, FILLS, UPDATES, PARTIALS, DONE_ABOVE, DONE_BELOW, FIRST = range(7)


@njit(cache=True)
def block(bounds, dims, tiles, index, depth, low, high):
    """Ranges of all dims inside the outermost ``depth`` loops; False if nothing is left."""
    for d in range(8):
        low[d] = 0
        high[d] = bounds[d]
    for i in range(depth):
        d = dims[i]
        low[d] += index[i] * tiles[i]
        high[d] = min(high[d], low[d] + tiles[i])
        if low[d] >= high[d]:
            return False
    return True


@njit(cache=True)
def element(tensor, at, geometry, bounds):
    """Number of the element of a tensor at a point of the iteration space; -1 in padding that is not read."""
    if tensor == 1:
        return (((at[G] * bounds[K] + at[K]) * bounds[C] + at[C]) * bounds[R] + at[R]) * bounds[S] + at[S]
    if tensor == 2:
        return (((at[N] * bounds[G] + at[G]) * bounds[K] + at[K]) * bounds[P] + at[P]) * bounds[Q] + at[Q]
    row = at[P] * geometry[0, 0] + at[R] * geometry[0, 1]
    column = at[Q] * geometry[1, 0] + at[S] * geometry[1, 1]
    for axis, x in enumerate((row, column)):
        inside = 0 <= x - geometry[axis, 2] < geometry[axis, 3]
        if geometry[2, 0] == 1 and not inside:
            return -1
    width = (bounds[Q] - 1) * geometry[1, 0] + (bounds[S] - 1) * geometry[1, 1] + 1
    height = (bounds[P] - 1) * geometry[0, 0] + (bounds[R] - 1) * geometry[0, 1] + 1
    return (((at[N] * bounds[G] + at[G]) * bounds[C] + at[C]) * height + row) * width + column


@njit(cache=True)
def tile_elements(tensor, low, high, geometry, bounds, indexes, stamp, mark, found, at, top):
    """List the distinct elements of a tensor in a block; returns how many."""
    for d in range(8):
        at[d] = low[d]
        top[d] = high[d] if indexes[tensor, d] else low[d] + 1
    count = 0
    while True:
        e = element(tensor, at, geometry, bounds)
        if e >= 0 and stamp[e] != mark:
            stamp[e] = mark
            found[count] = e
            count += 1
        d = 7
        while d >= 0:
            at[d] += 1
            if at[d] < top[d]:
                break
            at[d] = low[d]
            d -= 1
        if d < 0:
            return count


@njit(cache=True)
def walk(bounds, geometry, dims, tiles, spatial, depths, holds, indexes, sizes):
    """(levels, 3, 7) counts of the traffic between a level and the next above that holds the tensor, (3,)
    elements taken by the units from above the array, and steps.
    """
    loops, levels = dims.size, depths.size
    trips = np.empty(loops, np.int64)
    extent = bounds.copy()
    for i in range(loops):
        trips[i] = (extent[dims[i]] + tiles[i] - 1) // tiles[i]
        extent[dims[i]] = tiles[i]
    pes = 1
    for i in range(loops):
        if spatial[i]:
            pes *= trips[i]
    frontier = np.full((levels, 3), -1, np.int64)
    own_copy = np.zeros(levels, np.bool_)  # a copy for each element of the array
    split = np.zeros(levels, np.bool_)  # whose copies hold parts of one sum: what they hold is never finished
    for v in range(levels):
        for i in range(depths[v]):
            own_copy[v] |= spatial[i] and trips[i] > 1
            split[v] |= spatial[i] and trips[i] > 1 and not indexes[2, dims[i]]
            for t in range(3):
                if not spatial[i] and trips[i] > 1 and indexes[t, dims[i]]:
                    frontier[v, t] = i
    total = np.zeros((levels, 3, 7), np.int64)
    taken = np.zeros(3, np.int64)
    steps = 0
    most = sizes.max()
    stamp = np.zeros((5, most), np.int64)
    found = np.empty(most, np.int64)
    mark = 0
    sums = np.zeros((levels, pes, sizes[2]), np.int64)  # products added up so far, where the sum now lives
    seen = np.zeros((levels, pes, sizes[2]), np.bool_)  # what a copy has handed out before
    has = np.zeros((levels, pes, sizes[2]), np.bool_)  # in the copy's tile
    whole = bounds[C] * bounds[R] * bounds[S]
    low = np.empty(8, np.int64)
    high = np.empty(8, np.int64)
    at = np.empty(8, np.int64)
    top = np.empty(8, np.int64)
    index = np.zeros((pes, loops), np.int64)
    alive = np.zeros(pes, np.bool_)
    for pe in range(pes):
        left = pe
        for i in range(loops - 1, -1, -1):
            if spatial[i]:
                index[pe, i] = left % trips[i]
                left //= trips[i]
    now = np.zeros(loops, np.int64)
    last = np.full(loops, -1, np.int64)
    started = False
    running = True
    while True:
        if running:
            for pe in range(pes):
                for i in range(loops):
                    if not spatial[i]:
                        index[pe, i] = now[i]
                alive[pe] = block(bounds, dims, tiles, index[pe], loops, low, high)
        if not running or alive[0]:
            changed = loops
            for i in range(loops - 1, -1, -1):
                if not spatial[i] and now[i] != last[i]:
                    changed = i
            if not running or not started:
                changed = -1
            for step in range(2 * levels):  # partial sums go up from the inside, then tiles come down
                up = step < levels
                v = levels - 1 - step if up else step - levels
                for t in range(3):
                    if v == 0 or not holds[v, t] or changed > frontier[v, t]:
                        continue
                    above = v - 1
                    while not holds[above, t]:
                        above -= 1
                    if up:
                        if t == 2 and started:
                            flush(v, above, own_copy, split, sums, has, total, pes, whole)
                        continue
                    if not running:
                        continue
                    for port in range(pes if own_copy[above] else 1):
                        mark += pes + 2
                        for pe in range(pes):
                            if not alive[pe] or (own_copy[above] and pe != port):
                                continue
                            if not own_copy[v] and pe > 0:
                                continue
                            block(bounds, dims, tiles, index[pe], depths[v], low, high)
                            count = tile_elements(
                                t, low, high, geometry, bounds, indexes, stamp[0], mark + 1 + pe, found, at,
                                top,
                            )  # fmt: skip
                            for k in range(count):
                                e = found[k]
                                first = stamp[1, e] != mark
                                stamp[1, e] = mark
                                if t < 2:
                                    total[v, t, READS] += first
                                    total[v, t, FILLS] += 1
                                    continue
                                has[v, pe, e] = True
                                sums[v, pe, e] = 0
                                seen[v, pe, e] = False
                                if first and seen[above, port, e]:
                                    total[v, t, READS] += 1
                                    total[v, t, FILLS] += 1
                                    sums[v, pe, e] = sums[above, port, e]
                                    sums[above, port, e] = 0
                                    seen[v, pe, e] = True
                                elif first:
                                    seen[above, port, e] = True
            if not running:
                break
            biggest = 0
            for pe in range(pes):
                if alive[pe]:
                    block(bounds, dims, tiles, index[pe], loops, low, high)
                    work = 1
                    for d in range(8):
                        work *= high[d] - low[d]
                    biggest = max(biggest, work)
            steps += biggest
            mark = compute(
                bounds, geometry, dims, tiles, index, alive, holds, own_copy, sums, seen, stamp, mark, taken,
                total, low, high, at,
            )  # fmt: skip
            for i in range(loops):
                last[i] = now[i]
            started = True
        i = loops - 1
        while i >= 0:
            if not spatial[i]:
                now[i] += 1
                if now[i] < trips[i]:
                    break
                now[i] = 0
            i -= 1
        if i < 0:
            running = False
    for e in range(sizes[2]):
        if sums[0, 0, e] != whole:
            steps = -1
    return total, taken, steps


@njit(cache=True)
def flush(v, above, own_copy, split, sums, has, total, pes, whole):
    """Partial sums of a level leave its copies and are added up at the level above."""
    for port in range(pes if own_copy[above] else 1):
        for e in range(sums.shape[2]):
            arrived = 0
            some = False
            for pe in range(pes):
                if not has[v, pe, e] or (own_copy[above] and pe != port):
                    continue
                some = True
                has[v, pe, e] = False
                total[v, 2, PARTIALS] += 1
                total[v, 2, DONE_BELOW] += sums[v, pe, e] == whole and not split[v]
                arrived += sums[v, pe, e]
            if some:
                total[v, 2, UPDATES] += 1
                sums[above, port, e] += arrived
                total[v, 2, DONE_ABOVE] += sums[above, port, e] == whole and not split[above]


@njit(cache=True)
def compute(
    bounds, geometry, dims, tiles, index, alive, holds, own_copy, sums, seen, stamp, mark, taken, total,
    low, high, at,
):  # fmt: skip
    """All elements of the array work through their blocks in step; returns the next mark."""
    levels, pes = sums.shape[0], alive.size
    inner = np.zeros(3, np.int64)
    for t in range(3):
        for v in range(levels):
            if holds[v, t]:
                inner[t] = v
    ranges = np.empty((pes, 2, 8), np.int64)
    for pe in range(pes):
        if alive[pe]:
            block(bounds, dims, tiles, index[pe], dims.size, low, high)
            ranges[pe, 0] = low
            ranges[pe, 1] = high
    offset = np.zeros(8, np.int64)
    while True:
        mark += 1
        for pe in range(pes):
            active = alive[pe]
            for d in range(8):
                at[d] = ranges[pe, 0, d] + offset[d]
                active = active and at[d] < ranges[pe, 1, d]
            if not active:
                continue
            for t in range(3):
                e = element(t, at, geometry, bounds)
                if e >= 0 and stamp[2 + t, e] != mark:
                    stamp[2 + t, e] = mark
                    taken[t] += 1
            e = element(2, at, geometry, bounds)
            copy = pe if own_copy[inner[2]] else 0
            sums[inner[2], copy, e] += 1
            if not seen[inner[2], copy, e]:
                seen[inner[2], copy, e] = True
                total[inner[2], 2, FIRST] += 1
        d = 7
        while d >= 0:
            offset[d] += 1
            if offset[d] < ranges[0, 1, d] - ranges[0, 0, d]:
                break
            offset[d] = 0
            d -= 1
        if d < 0:
            return mark


@dataclass(frozen=True)
class Second:
    """Cycles, joules, whether everything fits, and bits per (memory, read or write)."""

    cycles: int
    energy_J: float
    fits: bool
    bits: dict


class Judge:
    """Costs of mappings of one layer on one hierarchy; only plain attributes of both are read."""

    def __init__(self, shape, hierarchy):
        self.hierarchy, self.bounds = hierarchy, np.array([shape[d] for d in DIMS])
        clip = [hierarchy.padding == "skip"] + [0] * 3
        geometry = [[shape.stride[a], shape.dilation[a], shape.pad[a], shape.size[a]] for a in (0, 1)]
        self.geometry = np.array([*geometry, clip], np.int64)
        b = dict(zip(DIMS, self.bounds.tolist(), strict=True))
        spans = [
            (b[p] - 1) * shape.stride[a] + (b[r] - 1) * shape.dilation[a] + 1
            for a, (p, r) in enumerate(("PR", "QS"))
        ]
        self.sizes = np.array(
            [b["N"] * b["G"] * b["C"] * spans[0] * spans[1], b["G"] * b["K"] * b["C"] * b["R"] * b["S"],
             b["N"] * b["G"] * b["K"] * b["P"] * b["Q"]]
        )  # fmt: skip
        self.macs = int(np.prod(self.bounds))
        memories = [m for level in hierarchy.levels for m in level]
        self.memory = {m.name: m for m in memories}

    def room(self, memory, held, extent):
        """Bits that full tiles of these extents take."""
        bits = self.hierarchy.bits
        total = 0
        for tensor in held:
            width = max(bits["outputs"], bits["partial"]) if tensor == "outputs" else bits[tensor]
            if tensor == "inputs":
                elements = extent["N"] * extent["G"] * extent["C"]
                for axis, (p, r) in enumerate(("PR", "QS")):
                    stride, dilation, _, size = self.geometry[axis].tolist()
                    rows = {i * stride + j * dilation for i in range(extent[p]) for j in range(extent[r])}
                    elements *= min(len(rows), size) if self.hierarchy.padding == "skip" else len(rows)
            else:
                elements = 1
                for d in "GKCRS" if tensor == "weights" else "NGKPQ":
                    elements *= extent[d]
            total += elements * width * memory.buffers
        return total

    def cost(self, loops, levels):
        """``loops``: (dim, tile, axis or None), outermost first; ``levels``: (memory, depth, tensors)."""
        total, taken, steps = walk(
            self.bounds, self.geometry,
            np.array([DIMS.index(d) for d, _, _ in loops], np.int64),
            np.array([t for _, t, _ in loops], np.int64),
            np.array([a is not None for _, _, a in loops], np.bool_),
            np.array([depth for _, depth, _ in levels], np.int64),
            np.array([[t in held for t in TENSORS] for _, _, held in levels], np.bool_),
            INDEXES, self.sizes,
        )  # fmt: skip
        assert steps > 0, "every output must end with all its products"
        return self._charge(loops, levels, total, taken, steps)

    def _charge(self, loops, levels, total, taken, steps):
        hierarchy, width = self.hierarchy, self.hierarchy.bits
        moved = {(name, way): 0 for name in self.memory for way in ("read", "write")}
        used, copies, axes, fits = dict.fromkeys(self.memory, 0), {}, {}, True
        for t, tensor in enumerate(TENSORS):
            chain = [v for v, level in enumerate(levels) if tensor in level[2]]
            for parent, v in pairwise(chain):
                above, below = levels[parent][0].split(".")[0], levels[v][0].split(".")[0]
                reads, fills, updates, partials, done_above, done_below = total[v, t, :6].tolist()
                each = width["partial"] if tensor == "outputs" else width[tensor]
                extra = width["outputs"] - width["partial"]
                moved[above, "read"] += reads * each
                moved[below, "write"] += fills * each
                moved[above, "write"] += updates * each + done_above * extra
                moved[below, "read"] += partials * each + done_below * extra
            inner = levels[chain[-1]][0].split(".")[0]
            number = self.macs if self.memory[inner].per_pe else int(taken[t])
            each = width["partial"] if tensor == "outputs" else width[tensor]
            if tensor == "outputs":
                moved[inner, "write"] += number * each
                moved[inner, "read"] += (number - int(total[chain[-1], 2, FIRST])) * each
            else:
                moved[inner, "read"] += number * each
        extent = dict(zip(DIMS, self.bounds.tolist(), strict=True))
        spread = 1
        for depth in range(len(loops) + 1):
            for name, at, held in levels:
                if at == depth:
                    memory = self.memory[name.split(".")[0]]
                    used[memory.name] += self.room(memory, held, extent)
                    copies[memory.name] = spread
            if depth < len(loops):
                dim, tile, axis = loops[depth]
                trips = ceil(extent[dim] / tile)
                extent[dim] = tile
                if axis is not None:
                    spread *= trips
                    axes[axis] = axes.get(axis, 1) * trips
        cycles = ceil(steps / hierarchy.macs_per_pe)
        energy = self.macs * hierarchy.mac_J
        for memory in self.memory.values():
            read, write = (moved[memory.name, way] for way in ("read", "write"))
            energy += read * memory.read_J + write * memory.write_J
            if memory.name not in copies:
                continue
            each = copies[memory.name]
            busy = [read / (memory.read_bits * each) if memory.read_bits else 0.0,
                    write / (memory.write_bits * each) if memory.write_bits else 0.0]  # fmt: skip
            cycles = max(cycles, ceil(sum(busy) if memory.shared_port else max(busy)))
            fits = fits and (memory.size_bits is None or used[memory.name] <= memory.size_bits)
        fits = fits and all(axes.get(a.name, 1) <= a.size for a in hierarchy.axes)
        return Second(cycles, energy, fits, moved)
