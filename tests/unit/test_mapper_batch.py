"""What the batch evaluators refuse, and in which words."""

import numpy as np
import pytest

from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.cost.nest import Level
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape
from accelsim.mapper.batch import Mappings, evaluate_many
from accelsim.mapper.frame import Cut, Frame

TENSORS = ("inputs", "weights", "outputs")
BITS = {"inputs": 8, "weights": 8, "outputs": 8, "partial": 16}
LAYER = ConvShape(K=4, C=3, P=6, R=3, size=(8, 1))


AXES = (Axis("x", 4, ("K",)),)


def machine(*memories, axes=AXES):
    memories = memories or (Memory("pe", TENSORS, None, per_pe=True),)
    return Hierarchy("any", ((Memory("dram", TENSORS, None),), *((m,) for m in memories)), axes, BITS)


def whole(frame, shape=LAYER, n=3):
    tiles = np.array([[shape[d]] * n for _, d in frame.rows], np.int32)
    return tiles, np.zeros((len(frame.timed), n), np.int8)


def refusal(shape=LAYER, hierarchy=None, frame=None, change=None):
    hierarchy = hierarchy or machine()
    frame = frame or Frame.of(hierarchy)
    tiles, orders = whole(frame, shape)
    if change:
        change(tiles, orders)
    with pytest.raises(AccelsimError) as caught:
        evaluate_many(shape, hierarchy, Mappings(frame, tiles, orders))
    return str(caught.value)


def test_default_frame():
    frame = Frame.of(machine(Memory("buffer", TENSORS, None), Memory("pe", TENSORS, None, per_pe=True)))
    assert frame.cuts == (Cut(), Cut(), Cut("x", ("K",)))
    assert [(v.name, v.depth) for v in frame.levels] == [("dram", 0), ("buffer", 1), ("pe", 3)]
    assert frame.rows[-1] == (2, "K")


def test_too_large_for_exact_counts():
    huge = ConvShape(K=2**20, C=2**20, P=2**10, size=(2**10, 1))
    assert refusal(huge) == (
        f"batch: {2**50} multiply-accumulates of up to 16 bits may need sums of {2**57}, and they are exact"
        " only below 2^53; use accelsim.cost.evaluate"
    )


def test_impossible_tile():
    def grow(tiles, _):
        tiles[2, 1] = 5

    assert refusal(change=grow) == (
        "mapping 1: tile of K in cut 0 must be between 1 and the 4 positions it divides, not 5"
    )


def test_tile_of_a_dim_that_has_a_single_position():
    def grow(tiles, _):
        tiles[0, 2] = 2

    assert refusal(change=grow) == (
        "mapping 2: tile of N in cut 0 must be between 1 and the 1 positions it divides, not 2"
    )


def test_unknown_order():
    def spoil(_, orders):
        orders[0, 2] = 6

    assert refusal(change=spoil) == "mapping 2: order code of group 0 must be between 0 and 5, not 6"


def test_ranks_that_are_no_permutation():
    hierarchy = machine()
    frame = Frame.of(hierarchy)
    with pytest.raises(AccelsimError, match=r"mapping 0: ranks of group 0 must be 0 to 7 in some order"):
        evaluate_many(LAYER, hierarchy, Mappings(frame, whole(frame)[0], np.zeros((1, 8, 3), np.int8)))


def test_shapes_of_arrays():
    frame = Frame.of(machine())
    tiles, orders = whole(frame)
    with pytest.raises(AccelsimError, match=r"tiles must have shape \(9, n\), not \(8, 3\)"):
        Mappings(frame, tiles[:-1], orders)
    with pytest.raises(AccelsimError, match=r"orders must have shape \(1, 3\) for codes or \(1, 8, 3\)"):
        Mappings(frame, tiles, orders[:, :2])
    with pytest.raises(AccelsimError, match="tiles must be integers, not float64"):
        Mappings(frame, tiles * 1.0, orders)


def test_frame_that_does_not_fit_the_machine():
    frame = Frame((Cut("y", ("K",)),), (Level("dram", 0), Level("pee", 1)))
    assert refusal(frame=frame).split("\n") == [
        "frame on any: level 'pee' names no memory; did you mean 'pe'?; known are dram, pe",
        "frame on any: axis 'y' is not one of the array",
    ]


def test_sliding_reuse_is_not_known():
    with pytest.raises(AccelsimError, match="level 'b': batches do not know sliding reuse"):
        Frame((Cut(),), (Level("a", 0), Level("b", 1, sliding=True)))


def test_rows_taken_together_are_not_known():
    hierarchy = machine(Memory("buffer", TENSORS, None), axes=(Axis("x", 2, ("P",)), Axis("y", 2, ("R",))))
    assert refusal(hierarchy=hierarchy) == (
        "frame: inputs come from above the array, over which P and R may both be unrolled; batches cannot"
        " count rows taken together, use accelsim.cost.evaluate"
    )


def test_no_mappings_cost_nothing():
    frame = Frame.of(machine())
    tiles, orders = whole(frame, n=0)
    assert evaluate_many(LAYER, machine(), Mappings(frame, tiles, orders)).cycles.shape == (0,)
