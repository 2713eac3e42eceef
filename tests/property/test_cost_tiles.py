"""Tile by tile equals the total, and every row equals what a walk moves at that iteration."""

import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from math import prod

import numpy as np
import pytest
from test_cost_walk import coordinates, frontier_of, moments, random_nest, upto

from accelsim.cost.counts import count
from accelsim.cost.nest import LoopNest
from accelsim.cost.transfers import inner, transfers
from accelsim.graph.shape import DIMS

AMOUNTS = ("reads", "fills", "updates", "partials", "tiles")
WORK = ("macs", "steps", "iterations", "active_pes")


def single_copy(nest):
    """Indices of the levels without a spatial loop above them."""
    return [
        i
        for i, level in enumerate(nest.levels)
        if all(loop.axis is None for loop in nest.loops[: level.depth])
    ]


def nests(part, n):
    rng = random.Random(1000 + part)
    for index in range(n):
        yield random_nest(rng.randint), ("skip", "count")[index % 4 == 0]


@pytest.mark.parametrize("part", range(4))
def test_rows_and_inside_sum_to_the_counts(part):
    """Every level of 1,000 nests: transfers to it plus everything inside its blocks is the whole nest."""
    looked_at = Counter()
    for nest, padding in nests(part, 250):
        counts = count(nest, padding)
        for level in single_copy(nest):
            rows = transfers(nest, level, padding)
            name = nest.levels[level].name
            for tensor in nest.levels[level].tensors if level else ():
                whole = counts.at(tensor, name)
                if tensor == "outputs":
                    assert (rows.read_back.sum(), rows.written.sum()) == (whole.reads, whole.updates)
                else:
                    assert getattr(rows, tensor).sum() == whole.reads == whole.fills
            below = inner(nest, level, rows, padding)
            inside = [t for t in counts.traffic if [v.name for v in nest.levels].index(t.child) > level]
            assert [
                (t.tensor, t.parent, t.child, *(int(getattr(t, a).sum()) for a in AMOUNTS))
                for t in below.traffic
            ] == [(t.tensor, t.parent, t.child, *(getattr(t, a) for a in AMOUNTS)) for t in inside]
            assert [int(getattr(below, w).sum()) for w in WORK] == [getattr(counts, w) for w in WORK]
            for t in below.traffic:
                assert min(int(getattr(t, a).min()) for a in AMOUNTS) >= 0
            looked_at[level] += len(inside) > 0
    assert min(looked_at[level] for level in (0, 1, 2)) >= 10


@pytest.mark.parametrize("part", range(2))
def test_each_row_is_what_the_walk_moves_then(part):
    """Blocks, tiles brought and taken, first visits: iteration by iteration, 300 nests."""
    for nest, padding in nests(10 + part, 150):
        for level in single_copy(nest)[1:]:
            check_rows(nest, level, padding)


def check_rows(nest, level, padding):
    depth = nest.levels[level].depth
    rows = transfers(nest, level, padding)
    steps = [(now, copies[0][1]) for now, copies in moments(nest, depth)]
    assert rows.extents.tolist() == [[len(ranges[d]) for d in DIMS] for _, ranges in steps]
    assert rows.starts.tolist() == [[ranges[d].start for d in DIMS] for _, ranges in steps]
    above = nest.levels[level - 1].depth - 1
    outer = [upto(now, above) for now, _ in steps]
    assert rows.parent.tolist() == np.cumsum([0, *(a != b for a, b in pairwise(outer))]).tolist()
    want = {name: [0] * len(steps) for name in ("inputs", "weights", "read_back", "written")}
    for tensor in ("inputs", "weights", "outputs"):
        frontier = frontier_of(nest, tensor, depth)
        when = [upto(now, frontier) for now, _ in steps]
        begins = [i == 0 or when[i] != when[i - 1] for i in range(len(steps))]
        assert rows.begins[tensor].tolist() == begins
        if tensor not in nest.levels[level].tensors:
            continue
        slides = tensor == "inputs" and nest.levels[level].sliding and frontier >= 0
        slides = slides and nest.loops[frontier].dim in "PQRS"
        visited, span, sweep = set(), set(), None
        for i, (now, ranges) in enumerate(steps):
            if not begins[i]:
                continue
            tile = coordinates(nest, tensor, ranges, padding)
            if tensor == "outputs":
                want["read_back"][i] = len(tile & visited)
                visited |= tile
                last = next((j for j in range(i + 1, len(steps)) if begins[j]), len(steps)) - 1
                want["written"][last] = len(tile)
                continue
            if slides:
                if upto(now, frontier - 1) != sweep:
                    sweep, span = upto(now, frontier - 1), set()
                tile, span = tile - span, span | tile
            want[tensor][i] = len(tile)
    assert {name: getattr(rows, name).tolist() for name in want} == want


@pytest.mark.parametrize("part", range(2))
def test_a_block_alone_is_a_nest_of_its_own(part):
    """Extents without a place: counted like an operator of that size without padding."""
    for nest, _ in nests(20 + part, 100):
        for level in single_copy(nest):
            depth = nest.levels[level].depth
            extents = np.unique(transfers(nest, level).extents, axis=0)
            below = inner(nest, level, extents)
            for row, extent in enumerate(extents.tolist()):
                alone = alone_nest(nest, level, dict(zip(DIMS, extent, strict=True)))
                assert int(below.macs[row]) == prod(extent)
                if alone is None:
                    continue
                counts = count(alone, "count")
                assert [int(getattr(below, w)[row]) for w in WORK] == [getattr(counts, w) for w in WORK]
                names = {v.name for v in nest.levels[level + 1 :]}
                held = set(nest.levels[level].tensors)
                got = [t for t in below.traffic if t.tensor in held and t.child in names]
                assert [tuple(int(getattr(t, a)[row]) for a in AMOUNTS) for t in got] == [
                    tuple(getattr(t, a) for a in AMOUNTS) for t in counts.traffic if t.tensor in held
                ], (nest, level, depth)


def alone_nest(nest, level, extent):
    """The loops below a level as a nest over one full block; None for a short one (other frontiers)."""
    depth = nest.levels[level].depth
    if extent != nest.extents(depth):
        return None
    shape = replace(nest.shape, **extent)
    levels = [replace(nest.levels[level], depth=0, tensors=("inputs", "weights", "outputs"), sliding=False)]
    levels += [replace(v, depth=v.depth - depth) for v in nest.levels[level + 1 :]]
    return LoopNest(shape, nest.loops[depth:], tuple(levels))
