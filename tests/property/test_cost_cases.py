"""Do the cases of the data-centric analysis add up to what a walk over every step says?

The walk visits each iteration of each level in turn and holds the elements that every unit has as sets. It
shares no code with the analysis: no cases, no formula for a window.
"""

from itertools import product
from math import ceil

import numpy as np
import pytest

from accelsim.cost.cases import Pipe, Rules, analyse
from accelsim.cost.nest import Loop
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape


def split(loops):
    levels, time, lanes = [], [], []
    for loop in loops:
        if loop.axis:
            lanes.append(loop)
            continue
        if lanes:
            levels.append((time, lanes))
            time, lanes = [], []
        time.append(loop)
    return [*levels, (time, lanes)]


def cut(block, dim, tile):
    rows = block[dim]
    return [block | {dim: rows[i : i + tile]} for i in range(0, len(rows), tile)]


def steps(block, time, trail=()):
    """Every iteration: its block, and for each loop (position, trips)."""
    if not time:
        yield block, trail
        return
    parts = cut(block, time[0].dim, time[0].tile)
    for place, part in enumerate(parts):
        yield from steps(part, time[1:], (*trail, (place, len(parts))))


def spread(block, lanes):
    """Blocks of the units side by side."""
    blocks = [block]
    for lane in lanes:
        blocks = [part for one in blocks for part in cut(one, lane.dim, lane.tile)]
    return blocks


def elements(shape, block, tensor):
    if tensor != "inputs":
        return set(product(*(block[d] for d in RELEVANT[tensor])))
    rows = {p * shape.stride[0] + r for p in block["P"] for r in block["R"]}
    columns = {q * shape.stride[1] + s for q in block["Q"] for s in block["S"]}
    return set(product(block["N"], block["G"], block["C"], rows, columns))


class Walk:
    def __init__(self, shape, loops, bandwidth, rules):
        self.shape, self.levels, self.bandwidth, self.rules = shape, split(loops), bandwidth, rules
        self.reads, self.writes = 0, 0
        whole = {d: tuple(range(shape[d])) for d in DIMS}
        self.total = self.level(0, whole)

    def level(self, level, block):
        time, lanes = self.levels[level]
        cycles, before = 0, {}
        for part, trail in steps(block, time):
            moved = [i for i, (place, _) in enumerate(trail) if place]
            last = moved[-1] if moved else -1
            units = spread(part, lanes)
            read = sum(
                self.fresh(t, time, lanes, trail, last, part, units, before) for t in ("inputs", "weights")
            )
            outputs = elements(self.shape, part, "outputs")
            written = len(outputs) if outputs != before.get("outputs") else 0
            before["outputs"] = outputs
            compute = max(self.work(level, unit) for unit in units)
            into, out = ceil(read / self.bandwidth), ceil(written / self.bandwidth)
            if last < 0 and (level or self.rules.first_step == "added"):
                cycles += compute + into
            else:
                cycles += max(compute, into, out)
            if level == 0:
                self.reads += read
                self.writes += written
        return cycles

    def fresh(self, tensor, time, lanes, trail, last, part, units, before):
        own = [lane.dim in RELEVANT[tensor] for lane in lanes]
        # Units that differ only in lanes which do not index the tensor get the same elements, sent once.
        sets = {}
        for unit in units:
            sets[tuple(unit[lane.dim] for lane, used in zip(lanes, own, strict=True) if used)] = elements(
                self.shape, unit, tensor
            )
        held = list(sets.values())
        together = set().union(*held)
        had = before.get(tensor)
        before[tensor] = (held, together)
        again = any(
            loop.dim in RELEVANT[tensor] and trips > 1
            for i, (loop, (_, trips)) in enumerate(zip(time, trail, strict=True))
            if i > last
        )
        if had is None:
            return sum(map(len, held)) if tensor == "inputs" else len(together)
        if again:
            return len(together)
        if time[last].dim not in RELEVANT[tensor]:
            return 0
        if tensor == "inputs" and self.rules.shi_halo == "double" and time[last].dim in "PQRS":
            return sum(len(now - then) for now, then in zip(held, had[0], strict=False))
        return len(together - had[1])

    def work(self, level, block):
        if level + 1 < len(self.levels):
            return self.level(level + 1, block)
        dims = "NGKCPQ" if self.rules.rs_loop_cycles == "one" else DIMS
        return int(np.prod([len(block[d]) for d in dims]))


def random_nest(rng):
    size = {d: int(rng.integers(1, 6)) for d in "KCPQ"} | {d: int(rng.integers(1, 4)) for d in "RS"}
    stride = tuple(int(n) for n in rng.integers(1, 3, 2))
    shape = ConvShape(**size, stride=stride, size=(20, 20))
    left, loops = shape.bounds, []
    for level in range(int(rng.integers(1, 3))):
        for dim in rng.permutation(list("KCPQRS"))[: rng.integers(1, 6)]:
            loops.append(Loop(str(dim), int(rng.integers(1, left[dim] + 1))))
            left[dim] = loops[-1].tile
        dim = str(rng.choice(list("KCPQ")))
        # The lanes cover the block: units times their share reach over it.
        loops.append(Loop(dim, int(rng.integers(1, left[dim] + 1)), f"level{level}"))
        left[dim] = loops[-1].tile
    return shape, loops


@pytest.mark.parametrize("rs_loop_cycles", ["one", "full"])
@pytest.mark.parametrize("shi_halo", ["unique", "double"])
@pytest.mark.parametrize("first_step", ["added", "overlapped"])
def test_cases_add_up_to_a_walk(rs_loop_cycles, shi_halo, first_step):
    rng = np.random.default_rng(7)
    rules = Rules(rs_loop_cycles, shi_halo, first_step)
    for _ in range(40):
        shape, loops = random_nest(rng)
        bandwidth = int(rng.integers(1, 9))
        timing = analyse(shape, loops, Pipe(bandwidth), rules)
        walk = Walk(shape, loops, bandwidth, rules)
        found = (timing.cycles, sum(timing.reads.values()), timing.writes)
        assert found == (walk.total, walk.reads, walk.writes), (shape, loops, bandwidth)


def test_more_bandwidth_is_never_slower():
    rng = np.random.default_rng(9)
    for _ in range(60):
        shape, loops = random_nest(rng)
        cycles = [analyse(shape, loops, Pipe(b), Rules()).cycles for b in (1, 2, 5, 100)]
        assert cycles == sorted(cycles, reverse=True)
