"""Closed forms against a walk: every iteration of a nest, with sets of coordinates for every memory's copies.

The walk knows no formula. It steps through the loops in time, lets every active copy of a level take its tile
when the frontier loop moves, adds up partial sums through the levels and checks that each output ends with
all its products.
"""

import random
from collections import Counter, defaultdict
from itertools import product
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.cost.counts import count
from accelsim.cost.evaluate import operand_accesses
from accelsim.cost.hierarchy import Hierarchy, Memory
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.graph.shape import DIMS, ConvShape

INDEXED_BY = {"inputs": "NGCPQRS", "weights": "GKCRS", "outputs": "NGKPQ"}
WIDTHS = {"inputs": 8, "weights": 8, "outputs": 8, "partial": 8}


def random_nest(pick, sliding=True):
    """A small nest; ``pick(low, high)`` chooses every number."""
    kind = pick(0, 5)
    bounds = {
        "N": pick(1, 2), "G": pick(1, 3), "K": pick(1, 5), "C": pick(1, 4),
        "P": pick(1, 9), "Q": pick(1, 4), "R": pick(1, 5), "S": pick(1, 2),
    }  # fmt: skip
    if kind == 0:  # depthwise
        bounds |= {"G": pick(2, 4), "K": 1, "C": 1}
    elif kind == 1:  # a matrix product
        bounds |= dict.fromkeys("QRS", 1) | {"K": pick(1, 7), "C": pick(1, 7)}
    elif kind > 2:
        bounds["G"] = 1
    for dim in "NSQGCKRP":
        if prod(bounds.values()) > 700:
            bounds[dim] = 1
    stride, dilation, pad, size = [], [], [], []
    for position, tap in ("PR", "QS"):
        u, d, top, bottom = pick(1, 3), pick(1, 3), pick(0, 2), pick(-1, 2)
        if pick(0, 1):
            top = bottom = 0
        reach = (bounds[position] - 1) * u + (bounds[tap] - 1) * d + 1
        stride.append(u)
        dilation.append(d)
        pad.append(top)
        size.append(max(1, reach - top - bottom))
    shape = ConvShape(
        **bounds, stride=tuple(stride), dilation=tuple(dilation), pad=tuple(pad), size=tuple(size)
    )
    loops, left = [], dict(bounds)
    for _ in range(pick(2, 7)):
        dims = [d for d in DIMS if left[d] > 1]
        if not dims:
            break
        dim = dims[pick(0, len(dims) - 1)]
        halves = left[dim] % 2 == 0 and pick(0, 1)
        tile = left[dim] // 2 if halves else pick(1, left[dim])
        axis = (None, None, None, "x", "y")[pick(0, 4)]
        loops.append(Loop(dim, tile, axis))
        left[dim] = tile
    levels, depth = [Level("dram", 0)], 0
    for index in range(pick(1, 3)):
        depth = pick(depth, len(loops))
        held = tuple(t for t in INDEXED_BY if pick(0, 4)) or ("inputs",)
        slides = sliding and "inputs" in held and pick(0, 2) == 0
        levels.append(Level(f"level{index}", depth, held, slides))
    return LoopNest(shape, tuple(loops), tuple(levels))


def nominal_trips(nest):
    left = {d: nest.shape[d] for d in DIMS}
    trips = []
    for loop in nest.loops:
        trips.append((left[loop.dim] + loop.tile - 1) // loop.tile)
        left[loop.dim] = loop.tile
    return trips


def in_time(nest, depth):
    return [i for i in range(depth) if nest.loops[i].axis is None]


def in_space(nest, depth):
    return [i for i in range(depth) if nest.loops[i].axis is not None]


def frontier_of(nest, tensor, depth):
    trips = nominal_trips(nest)
    moving = [i for i in in_time(nest, depth) if trips[i] > 1 and nest.loops[i].dim in INDEXED_BY[tensor]]
    return max(moving, default=-1)


def block(nest, indices):
    """Ranges of all dims at given indices of the outermost loops; None if there is nothing left to do."""
    ranges = {d: range(nest.shape[d]) for d in DIMS}
    for loop, index in zip(nest.loops, indices, strict=False):
        ranges[loop.dim] = ranges[loop.dim][index * loop.tile : (index + 1) * loop.tile]
    return None if any(len(r) == 0 for r in ranges.values()) else ranges


def moments(nest, depth):
    """In order: {loop: index} of the loops in time, and for each active copy {loop: index} and its block."""
    trips = nominal_trips(nest)
    times, spaces = in_time(nest, depth), in_space(nest, depth)
    for when in product(*(range(trips[i]) for i in times)):
        copies = []
        for where in product(*(range(trips[i]) for i in spaces)):
            index = dict(zip(times, when, strict=True)) | dict(zip(spaces, where, strict=True))
            ranges = block(nest, [index[i] for i in range(depth)])
            if ranges is not None:
                copies.append((dict(zip(spaces, where, strict=True)), ranges))
        if copies:
            yield dict(zip(times, when, strict=True)), copies


def coordinates(nest, tensor, ranges, padding):
    if tensor != "inputs":
        return set(product(*(ranges[d] for d in INDEXED_BY[tensor])))
    axes = []
    for axis, (position, tap) in enumerate(("PR", "QS")):
        shape = nest.shape
        touched = {
            p * shape.stride[axis] + r * shape.dilation[axis] - shape.pad[axis]
            for p in ranges[position]
            for r in ranges[tap]
        }
        if padding == "skip":
            touched = {x for x in touched if 0 <= x < shape.size[axis]}
        axes.append(touched)
    return set(product(ranges["N"], ranges["G"], ranges["C"], *axes))


def upto(indices, limit):
    return tuple(sorted((i, v) for i, v in indices.items() if i <= limit))


def walk_operand(nest, tensor, parent, child, padding):
    """Counter of reads, fills, tiles, and of reads if no copy passes anything on to another."""
    depth, ports = nest.levels[child].depth, nest.levels[parent].depth - 1
    frontier = frontier_of(nest, tensor, depth)
    slides = (
        tensor == "inputs"
        and nest.levels[child].sliding
        and frontier >= 0
        and nest.loops[frontier].dim in "PQRS"
    )
    seen, total = Counter(), Counter()
    held, span, port_span = {}, defaultdict(set), defaultdict(set)
    arriving, arriving_alone = defaultdict(set), defaultdict(set)
    last = None

    def close():
        total["tiles"] += len(arriving)
        for port, elements in arriving.items():
            total["reads"] += len(elements - port_span[port])
            total["alone"] += len(arriving_alone[port])
            if slides:
                port_span[port] |= elements
        arriving.clear()
        arriving_alone.clear()

    for now, copies in moments(nest, depth):
        if last is not None and upto(now, frontier) != upto(last, frontier):
            close()
            held.clear()
        if last is not None and upto(now, frontier - 1) != upto(last, frontier - 1):
            span.clear()
            port_span.clear()
        for where, ranges in copies:
            copy, port = upto(where, depth), upto(where, ports)
            tile = coordinates(nest, tensor, ranges, padding)
            if copy in held:
                assert held[copy] == tile  # what is held through irrelevant loops is what is needed
                continue
            held[copy] = tile
            new = tile - span[copy]
            total["fills"] += len(new)
            arriving[port] |= tile
            arriving_alone[port] |= new
            if slides:
                span[copy] |= tile
        last = now
    close()
    seen.update(total)
    return seen


def walk_outputs(nest):
    """Per level (index) a Counter of reads, updates, partials and tiles; partial sums really accumulate."""
    chain = [i for i, level in enumerate(nest.levels) if "outputs" in level.tensors]
    depths = [nest.levels[i].depth for i in chain]
    frontiers = [frontier_of(nest, "outputs", d) for d in depths]
    store = [defaultdict(dict) for _ in chain]
    total = {i: Counter() for i in chain[1:]}

    def flush(k):
        arriving = defaultdict(Counter)
        for copy, sums in store[k].items():
            total[chain[k]]["partials"] += len(sums)
            arriving[upto(dict(copy), depths[k - 1] - 1)].update(sums)
        for port, sums in arriving.items():
            total[chain[k]]["updates"] += len(sums)
            total[chain[k]]["tiles"] += 1
            for at, value in sums.items():
                assert at not in store[k - 1][port] or store[k - 1][port][at] == 0
                store[k - 1][port][at] = value
        store[k].clear()

    last = None
    for now, copies in moments(nest, len(nest.loops)):
        for k in range(len(chain) - 1, 0, -1):
            if last is not None and upto(now, frontiers[k]) != upto(last, frontiers[k]):
                flush(k)
        for k in range(1, len(chain)):
            for where, _ in copies:
                copy, port = upto(where, depths[k] - 1), upto(where, depths[k - 1] - 1)
                if copy in store[k]:
                    continue
                above = store[k - 1][port]
                indices = now | where
                ranges = block(nest, [indices[i] for i in range(depths[k])])
                store[k][copy] = {}
                for at in coordinates(nest, "outputs", ranges, "skip"):
                    if above.get(at, 0) > 0:
                        total[chain[k]]["reads"] += 1
                        store[k][copy][at] = above[at]
                        above[at] = 0  # on loan to this copy; another one starts from nothing
                    else:
                        store[k][copy][at] = 0
        for where, ranges in copies:
            sums = store[-1][upto(where, depths[-1] - 1)]
            taps = len(ranges["C"]) * len(ranges["R"]) * len(ranges["S"])
            for at in coordinates(nest, "outputs", ranges, "skip"):
                sums[at] = sums.get(at, 0) + taps
        last = now
    for k in range(len(chain) - 1, 0, -1):
        flush(k)
    shape = nest.shape
    done = store[0][()]
    assert len(done) == shape.elements("outputs")
    assert set(done.values()) == {shape.C * shape.R * shape.S}
    return total


def walk_work(nest):
    work = Counter()
    for _, copies in moments(nest, len(nest.loops)):
        sizes = [prod(len(r) for r in ranges.values()) for _, ranges in copies]
        work["macs"] += sum(sizes)
        work["steps"] += max(sizes)
        work["iterations"] += 1
        work["active_pes"] += len(sizes)
    return work


def neighbours_share(nest, parent, child):
    """Whether a spatial loop between the levels splits the rows or columns along which the child slides."""
    depth = nest.levels[child].depth
    frontier = frontier_of(nest, "inputs", depth)
    if frontier < 0:
        return False
    group = next((g for g in ("PR", "QS") if nest.loops[frontier].dim in g), "")
    return any(nest.loops[i].dim in group for i in in_space(nest, depth) if i >= nest.levels[parent].depth)


def check(nest, padding):
    counts = count(nest, padding)
    names = [level.name for level in nest.levels]
    outputs = walk_outputs(nest)
    for traffic in counts.traffic:
        parent, child = names.index(traffic.parent), names.index(traffic.child)
        if traffic.tensor == "outputs":
            want = outputs[child]
            got = {k: getattr(traffic, k) for k in ("reads", "fills", "updates", "partials", "tiles")}
            assert got == {k: want[k] for k in ("reads", "updates", "partials", "tiles")} | {
                "fills": want["reads"]
            }
            continue
        want = walk_operand(nest, traffic.tensor, parent, child, padding)
        assert (traffic.reads, traffic.fills, traffic.tiles) == (want["reads"], want["fills"], want["tiles"])
        assert (traffic.updates, traffic.partials) == (0, 0)
        if (
            traffic.tensor == "inputs"
            and nest.levels[child].sliding
            and neighbours_share(nest, parent, child)
        ):
            assert traffic.reads <= want["alone"]
        else:
            assert traffic.reads == want["alone"]
    assert walk_work(nest) == {
        k: v for k in ("macs", "steps", "iterations", "active_pes") if (v := getattr(counts, k))
    }


def features(nest):
    """What a nest exercises, for the tally of the seeded run."""
    shape, loops = nest.shape, nest.loops
    left, ragged = dict(shape.bounds), False
    for loop in loops:
        ragged |= left[loop.dim] % loop.tile != 0
        left[loop.dim] = loop.tile
    far = [
        (shape["PQ"[a]] - 1) * shape.stride[a] + (shape["RS"[a]] - 1) * shape.dilation[a] - shape.pad[a] + 1
        for a in (0, 1)
    ]
    bottom = [far[a] - shape.size[a] for a in (0, 1)]
    spatial = {loop.dim for loop in loops if loop.axis}
    yield "ragged" if ragged else "aligned"
    yield f"{len(nest.levels)} levels"
    if max(shape.stride) > 1:
        yield "stride"
    if max(shape.dilation) > 1:
        yield "dilation"
    if max(shape.pad) > 0:
        yield "padding"
    if any(max(0, b) != t for b, t in zip(bottom, shape.pad, strict=True)):
        yield "asymmetric padding"
    if shape.G > 1:
        yield "depthwise" if shape.K == shape.C == 1 else "groups"
    if shape.N > 1:
        yield "batch"
    if any(len(level.tensors) < 3 for level in nest.levels):
        yield "bypass"
    if any(level.sliding for level in nest.levels):
        yield "sliding"
    if {loop.axis for loop in loops} >= {"x", "y"}:
        yield "two axes"
    if spatial & {loop.dim for loop in loops if not loop.axis}:
        yield "one dim in time and space"
    if spatial & set("CRS"):
        yield "spatial reduction"


@pytest.mark.parametrize("part", range(8))
def test_counts_equal_walk(part):
    """2,000 nests, each with padding skipped or counted, access for access."""
    tally = Counter()
    rng = random.Random(part)
    for index in range(250):
        nest = random_nest(rng.randint)
        tally.update(features(nest))
        check(nest, ("skip", "count")[index % 4 == 0])
    wanted = {
        "ragged", "aligned", "stride", "dilation", "padding", "asymmetric padding", "groups", "depthwise",
        "batch", "bypass", "sliding", "two axes", "one dim in time and space", "spatial reduction",
        "2 levels", "3 levels", "4 levels",
    }  # fmt: skip
    assert wanted == set(tally)
    assert min(tally.values()) >= 8, tally


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_counts_equal_walk_shrinking(data):
    """The same through hypothesis, so that a failure arrives small."""
    nest = random_nest(lambda low, high: data.draw(st.integers(low, high)))
    check(nest, "skip")


def walk_units(nest, tensor, padding):
    """Elements that all units take from the innermost level of a tensor: distinct ones, cycle by cycle."""
    depth = [level.depth for level in nest.levels if tensor in level.tensors][-1]
    loops = (*nest.loops, *(Loop(d, 1) for d in DIMS))
    single = LoopNest(nest.shape, loops, nest.levels)
    taken = 0
    for _, copies in moments(single, len(loops)):
        at = defaultdict(set)
        for where, ranges in copies:
            at[upto(where, depth - 1)] |= coordinates(nest, tensor, ranges, padding)
        taken += sum(len(elements) for elements in at.values())
    return taken


@pytest.mark.parametrize("part", range(4))
def test_what_the_units_take_equals_walk(part):
    """200 nests on memories above the array: multicast, spatial reduction, padding."""
    shared = 0
    rng = random.Random(100 + part)
    for _ in range(50):
        nest = random_nest(rng.randint)
        for padding in ("skip", "count"):
            machine = Hierarchy(
                "any", ((Memory("dram", tuple(INDEXED_BY), None),),), (), WIDTHS, padding=padding
            )
            for tensor in INDEXED_BY:
                depth = [level.depth for level in nest.levels if tensor in level.tensors][-1]
                shared += any(i >= depth and loop.axis for i, loop in nest.moving)
                assert operand_accesses(nest, machine, tensor) == walk_units(nest, tensor, padding)
    assert shared > 50
