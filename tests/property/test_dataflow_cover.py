"""Does a template do every multiply-accumulate of a layer exactly once?

A walker of its own runs the directives as written, in input coordinates: a loop over Y hands windows of
input rows, and the output rows of a window are those that all kernel rows at hand reach inside it. It shares
no code with the mapping, which rewrites such loops over P. Whatever the mapping accepts must cover the layer
once.
"""

from collections import Counter
from itertools import product

import numpy as np
import pytest

from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapping.asic.template import array_loops
from accelsim.spec.catalog import names
from accelsim.spec.dataflow import Dataflow, load_dataflow

AXIS = {"Y": ("P", "R", 0), "X": ("Q", "S", 1)}


class Walk:
    """Runs the loops of a dataflow on a layer with unlimited units and counts every product."""

    def __init__(self, dataflow, shape):
        self.shape = shape
        self.loops = [loop for cluster in dataflow.clusters for loop in cluster.loops]
        self.done = Counter()
        block = {d: range(shape[d]) for d in DIMS}
        self.run(0, block)

    def value(self, size, dim):
        shape = self.shape
        known = shape.bounds | {"rows": 4, "columns": 4}
        if dim in AXIS:
            for tap, axis in (("R", 0), ("S", 1)):
                known[tap] = (shape[tap] - 1) * shape.dilation[axis] + 1
        return size.evaluate(known)

    def windows(self, loop, block, beside=False):
        """For each iteration of one loop: dim -> positions, in its own coordinates.

        ``beside``: the rows lie beside kernel rows, which are ``dilation`` apart.
        """
        dim = loop.dims[0]
        if dim in AXIS:
            p, r, axis = AXIS[dim]
            u, d = self.shape.stride[axis], self.shape.dilation[axis]
            rows = range(block[p][0] * u + block[r][0] * d, block[p][-1] * u + block[r][-1] * d + 1)
        else:
            rows = block[dim]
        if loop.size.full:
            yield {dim: rows}
            return
        size = self.value(loop.size, dim)
        offset = size if loop.offset is None else self.value(loop.offset, dim)
        if beside and dim in AXIS:
            offset *= d
        elif dim in AXIS:
            # what corresponds at stride 1 stands for as many outputs at any stride
            reach = (block[r][-1] - block[r][0]) * d + 1
            if offset == size - reach + 1:
                size, offset = (offset - 1) * u + reach, offset * u
        start = rows[0]
        while True:
            window = [row for row in rows if start <= row < start + size]
            yield {dim: range(window[0], window[-1] + 1)}
            if start + size > rows[-1]:
                return
            start += offset

    def run(self, index, block):
        if index == len(self.loops):
            for point in product(*(block[d] for d in DIMS)):
                self.done[point] += 1
            return
        loop = self.loops[index]
        if loop.together:
            steps = [self.windows(single, block, beside=True) for single in (loop, *loop.together)]
            for cuts in zip(*steps, strict=True):
                self.run(index + 1, self.cut(block, {k: v for cut in cuts for k, v in cut.items()}))
            return
        if len(loop.dims) > 1:  # joined dims: any split covers them, one position at a time will do
            for point in product(*(block[d] for d in loop.dims)):
                self.run(
                    index + 1, block | {d: range(i, i + 1) for d, i in zip(loop.dims, point, strict=True)}
                )
            return
        for cut in self.windows(loop, block):
            self.run(index + 1, self.cut(block, cut))

    def cut(self, block, cut):
        block = block | {d: rows for d, rows in cut.items() if d not in AXIS}
        for dim, rows in cut.items():
            if dim in AXIS:
                p, r, axis = AXIS[dim]
                u, d = self.shape.stride[axis], self.shape.dilation[axis]
                complete = [
                    i for i in block[p]
                    if rows[0] <= i * u + block[r][0] * d and i * u + block[r][-1] * d <= rows[-1]
                ]  # fmt: skip
                block = block | {p: range(complete[0], complete[-1] + 1) if complete else range(0)}
        return block


def once(dataflow, shape):
    done = Walk(dataflow, shape).done
    return len(done) == shape.macs and set(done.values()) == {1}


def layer(rng):
    size = {d: int(rng.integers(1, 5)) for d in "KCPQRS"}
    stride, dilation = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    return ConvShape(**size, stride=(stride, stride), dilation=(dilation, dilation), size=(40, 40))


@pytest.mark.parametrize("name", names("dataflows"))
def test_shipped_templates_cover_every_layer_once(name):
    rng = np.random.default_rng(11)
    dataflow = load_dataflow(name)
    accepted = 0
    for _ in range(25):
        shape = layer(rng)
        try:
            loops = array_loops(
                dataflow, PEArray(pes=64 * 3, clock="1 GHz", dataflow=name), shape, lambda _: ()
            )
        except AccelsimError:
            continue
        accepted += 1
        assert once(dataflow, shape), shape
        LoopNest(shape, (*loops.outer, *loops.inner), (level(),))
    assert accepted >= 10


def level():
    from accelsim.cost.nest import Level

    return Level("memory", 0)


SIZES = ("1", "2", "3", "R", "1+S", "full")


def random_template(rng):
    """K and C in time or space; rows and columns as P, as windows of Y, or on the diagonal."""
    outer = [f"K:{rng.integers(1, 4)}", f"C:{rng.integers(1, 3)}"]
    inner = []
    for axis in ("PRY", "QSX"):
        p, r, y = axis
        size = rng.choice(SIZES)
        window = y if size == "full" else f"{y}:{size}/{rng.choice(['1', '2', '3'])}"
        outer.append(str(rng.choice([p, f"{p}:2", window, window])))
        if rng.random() < 0.3:
            inner.append(f"{y}@&{r}@" if not inner else f"{r}")
        outer.insert(int(rng.integers(2, len(outer) + 1)), f"{r}:{rng.choice(['full', '1', '2'])}")
    clusters = [{"loops": outer}]
    if inner:
        clusters.append({"size": 4, "loops": inner})
    return clusters


def test_whatever_is_accepted_covers_every_layer_once():
    rng = np.random.default_rng(5)
    accepted = windows = refused_rightly = refused = 0
    for _ in range(600):
        try:
            dataflow = Dataflow(name="random", clusters=random_template(rng))
        except ValueError:
            continue
        shape = layer(rng)
        try:
            array_loops(dataflow, PEArray(pes=16, clock="1 GHz", dataflow="random"), shape, lambda _: ())
        except AccelsimError as error:
            refused += 1
            refused_rightly += not any("/" in str(p) for p in error.problems) or not covers(dataflow, shape)
            continue
        accepted += 1
        windows += any(d in "YX" for c in dataflow.clusters for loop in c.loops for d in loop.all_dims)
        assert once(dataflow, shape), (dataflow.clusters, shape)
    assert accepted > 100
    assert windows > 50
    assert refused > 100
    assert refused_rightly > 0.9 * refused


def covers(dataflow, shape):
    try:
        return once(dataflow, shape)
    except (ValueError, IndexError):
        return False
