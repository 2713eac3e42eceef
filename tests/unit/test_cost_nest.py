import numpy as np
import pytest

from accelsim.cost.counts import count
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.cost.transfers import inner, transfers
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape

DRAM = Level("dram", 0)
CONV = ConvShape(K=10, C=4, P=8, R=3, pad=(1, 0), size=(8, 1))


def problems(*loops, levels=(DRAM,)):
    with pytest.raises(AccelsimError) as error:
        LoopNest(CONV, loops, levels)
    return error.value.problems


def test_every_loop_problem_is_a_sentence():
    assert problems(
        Loop("k", 2), Loop("K", 20), Loop("P", 0), Loop("C", 2), Loop("C", 3), Loop("R", 1, "")
    ) == (
        "loop 0: unknown dimension 'k'; did you mean 'K'?; known are N G K C P Q R S",
        "loop 1 over K: tile 20 is larger than the 10 positions it divides",
        "loop 2 over P: tile must be at least 1, not 0",
        "loop 4 over C: tile 3 is larger than the 2 positions it divides",
        "loop 5 over R: the axis of a spatial loop needs a name",
    )


def test_every_level_problem_is_a_sentence():
    assert problems(levels=()) == ("a loop nest needs at least one level",)
    levels = (
        Level("dram", 1, ("inputs", "weights")),
        Level("glb", 0, ("input",)),
        Level("glb", 3, ("weights",), sliding=True),
    )
    assert problems(Loop("K", 2), levels=levels) == (
        "level 'dram' is the outermost: its depth must be 0, not 1",
        "level 'dram' is the outermost: it must hold inputs, weights, outputs",
        "level 'glb': its depth 0 is less than 1, the one above it",
        "level 'glb': unknown tensor 'input'; did you mean 'inputs'?; known are inputs, weights, outputs",
        "level 'glb': another level has this name",
        "level 'glb': depth must be between 0 and the 1 loops, not 3",
        "level 'glb': only inputs slide, and it does not hold them",
    )


def nest(sliding=False):
    loops = (Loop("K", 4), Loop("P", 3), Loop("K", 2, "x"), Loop("R", 1, "y"), Loop("K", 2))
    return LoopNest(CONV, loops, (DRAM, Level("glb", 2, sliding=sliding), Level("rf", 4)))


def test_nominal_figures():
    n = nest()
    assert n.trips == (3, 3, 2, 3, 1)
    assert (dict(n.axes), n.pes, n.pe_steps) == ({"x": 2, "y": 3}, 6, 2 * 4 * 3)
    assert n.extents(2) == {"N": 1, "G": 1, "K": 4, "C": 4, "P": 3, "Q": 1, "R": 3, "S": 1}
    assert [n.frontier(t, 2) for t in ("inputs", "weights", "outputs")] == [1, 0, 1]
    assert [n.frontier(t, 0) for t in ("inputs", "weights", "outputs")] == [-1, -1, -1]
    assert [n.tile(1, t) for t in ("inputs", "weights", "outputs")] == [4 * 5, 4 * 4 * 3, 4 * 3]
    assert [n.tile(2, t) for t in ("inputs", "weights", "outputs")] == [4 * 3, 2 * 4, 2 * 3]


def test_a_tile_never_holds_more_than_the_input():
    assert nest().tile(0, "inputs") == 4 * 8
    assert nest().tile(0, "inputs", "count") == 4 * 10


def test_a_sliding_tile_keeps_its_span():
    shape = ConvShape(P=9, R=2, dilation=(4, 1), size=(13, 1))
    loops = (Loop("P", 1),)
    assert LoopNest(shape, loops, (DRAM, Level("buffer", 1))).tile(1, "inputs") == 2
    assert LoopNest(shape, loops, (DRAM, Level("buffer", 1, sliding=True))).tile(1, "inputs") == 5


def test_counts_of_a_small_convolution():
    counts = count(nest())
    rows = (4 + 5 + 3) * 3  # rows of three blocks of positions, for each of three blocks of output channels
    glb = counts.at("inputs", "glb")
    assert (glb.reads, glb.fills, glb.tiles, glb.updates, glb.partials) == (4 * rows, 4 * rows, 9, 0, 0)
    assert counts.at("weights", "glb").reads == 10 * 4 * 3
    outputs = counts.at("outputs", "rf")
    assert (outputs.updates, outputs.partials, outputs.reads) == (80, 3 * 80, 0)
    assert (counts.macs, counts.steps, counts.iterations) == (960, (2 + 2 + 2) * 8 * 4, 9)
    assert (counts.active_pes, counts.pes) == ((6 + 6 + 3) * 3, 6)
    assert counts.mean_pes == 5
    assert counts.utilisation == 960 / (192 * 6)


def test_unknown_names():
    with pytest.raises(KeyError):
        count(nest()).at("inputs", "l2")
    with pytest.raises(AccelsimError, match=r"^padding must be 'skip' or 'count', not 'read'$"):
        count(nest(), "read")


def test_transfers_of_a_small_convolution():
    rows = transfers(nest(), 1)
    assert rows.extents[:, 2].tolist() == [4, 4, 4, 4, 4, 4, 2, 2, 2]
    assert rows.starts[:, 4].tolist() == [0, 3, 6] * 3
    assert rows.inputs.tolist() == [16, 20, 12] * 3
    assert rows.weights.tolist() == [48, 0, 0, 48, 0, 0, 24, 0, 0]
    assert rows.written.tolist() == [12, 12, 8, 12, 12, 8, 6, 6, 4]
    assert rows.read_back.tolist() == [0] * 9
    assert rows.parent.tolist() == [0] * 9
    assert inner(nest(), 1, rows).steps.tolist() == [24, 24, 16] * 3


def test_a_line_buffer_brings_each_row_once_per_sweep():
    assert transfers(nest(sliding=True), 1).inputs.tolist() == [16, 12, 4] * 3


def test_a_written_tile_leaves_after_its_last_iteration():
    shape = ConvShape(K=2, C=4)
    n = LoopNest(shape, (Loop("C", 2), Loop("K", 1), Loop("C", 1)), (DRAM, Level("glb", 3)))
    rows = transfers(n, 1)
    assert rows.written.tolist() == [0, 1] * 4
    assert rows.read_back.tolist() == [0, 0, 0, 0, 1, 0, 1, 0]


def test_levels_that_cannot_be_listed():
    with pytest.raises(AccelsimError) as error:
        transfers(nest(), 2)
    assert error.value.problems == (
        "level 'rf': loop 2 over K above it is unrolled over axis 'x'; only a level with a single copy can be"
        " listed iteration by iteration",
    )
    with pytest.raises(AccelsimError, match=r"^level index 3: the nest has levels 0 to 2$"):
        inner(nest(), 3, np.ones((1, 8), np.int64))


def test_extents_must_fit_the_level():
    for wrong in (
        np.zeros((1, 8), np.int64),
        np.full((1, 8), 5),
        np.ones((1, 7), np.int64),
        np.ones(8, np.int64),
    ):
        with pytest.raises(AccelsimError) as error:
            inner(nest(), 1, wrong)
        assert error.value.problems == (
            "level 'glb': extents must be rows of 8, from 1 to [1, 1, 4, 4, 3, 1, 3, 1]",
        )
