"""Equal tiles in equal periods, and the stalls that follow: small cases worked by hand."""

import pytest

from accelsim.cost.hierarchy import Hierarchy, Memory
from accelsim.cost.nest import TENSORS, Level, Loop, LoopNest
from accelsim.cost.periodic import points, used_bits, word_energy_J
from accelsim.cost.stalls import stalled_latency
from accelsim.graph.shape import ConvShape

SHAPE = ConvShape(K=4, C=8)
BUFFERS = ("buffer_i", "buffer_w", "buffer_o")
BITS = {"inputs": 8, "weights": 8, "outputs": 8, "partial": 16}


def machine(width=16, buffer=1 << 20, shared_port=False):
    return Hierarchy(
        "dram and buffers",
        levels=(
            (Memory("dram", TENSORS, None, read_J=1, write_J=2, read_bits=width, write_bits=width,
                    shared_port=shared_port),),
            tuple(
                Memory(name, (tensor,), buffer, read_bits=1024, write_bits=1024)
                for name, tensor in zip(BUFFERS, TENSORS, strict=True)
            ),
        ),
        axes=(),
        bits=BITS,
    )  # fmt: skip


def nest(weights=0, outputs=0, inputs=0):
    """K outside, C inside; each tensor kept inside so many of the two loops."""
    depths = sorted(
        (depth, t) for t, depth in (("weights", weights), ("outputs", outputs), ("inputs", inputs))
    )
    levels = (Level(f"buffer_{t[0]}", depth, (t,)) for depth, t in depths)
    return LoopNest(SHAPE, (Loop("K", 1), Loop("C", 1)), (Level("dram", 0), *levels))


def test_points_of_a_stationary_tensor_have_one_period():
    units, buffer, dram = points(nest(), "weights")
    assert (units.period, units.count, units.tile) == (1, 32, 1)
    assert (buffer.memory, buffer.period, buffer.count, buffer.tile) == ("buffer_w", 32, 1, 32)
    assert (dram.memory, dram.count, dram.tile) == ("dram", 1, 32)


def test_points_of_a_tensor_that_moves():
    _, buffer, _ = points(nest(weights=1), "weights")
    assert (buffer.period, buffer.count, buffer.tile, buffer.turning) == (8, 4, 8, 8)
    _, buffer, _ = points(nest(inputs=1), "inputs")
    assert (buffer.count, buffer.still) == (1, 4), "the loop over K outside does not move inputs"


def test_sums_are_partial_until_the_reduction_ends():
    units, buffer, dram = points(nest(outputs=1), "outputs")
    assert (units.partial, buffer.partial, dram.partial) == (True, False, False)
    swapped = LoopNest(
        SHAPE, (Loop("C", 1), Loop("K", 1)), (Level("dram", 0), Level("buffer_o", 2, ("outputs",)))
    )
    assert [p.partial for p in points(swapped, "outputs")] == [True, True, False]


def test_room_of_finished_outputs_has_their_own_width():
    assert used_bits(nest(), machine())["buffer_o"] == 4 * 8
    swapped = LoopNest(
        SHAPE, (Loop("C", 1), Loop("K", 1)), (Level("dram", 0), Level("buffer_o", 1, ("outputs",)))
    )
    assert used_bits(swapped, machine())["buffer_o"] == 4 * 8, "the loop over C leaves them where they are"
    split = LoopNest(
        SHAPE,
        (Loop("C", 4), Loop("K", 1), Loop("C", 1)),
        (Level("dram", 0), Level("buffer_o", 2, ("outputs",))),
    )
    assert used_bits(split, machine())["buffer_o"] == 16


def test_energy_in_whole_words():
    # Each of 32 weights takes a word of 16 bits on its own; inputs and outputs fill theirs.
    whole = word_energy_J(nest(weights=2), machine())
    assert whole == 32 * 16 * 1 + 8 * 8 * 1 + 4 * 8 * 2
    assert word_energy_J(nest(), machine()) == 32 * 8 * 1 + 8 * 8 * 1 + 4 * 8 * 2


def test_loading_comes_first_and_storing_last():
    # A weight a cycle: the first one before, together with the 64 bits of inputs (4 cycles); an output after.
    latency = stalled_latency(nest(weights=2, outputs=1), machine(width=16), four_ports=("buffer_o",))
    assert (latency.compute, latency.stall, latency.loading, latency.storing) == (32, 0, 4, 1)
    assert latency.cycles == 37
    # With one port for both, reading three results gets in the way of reading sums: 31 + 3 - 32 cycles.
    assert stalled_latency(nest(weights=2, outputs=1), machine(width=16)).stall == 2


def test_a_narrow_port_stalls_the_array():
    # 16 cycles for each weight of 8 bits, 31 times while the array computes one cycle each.
    latency = stalled_latency(nest(weights=2), machine(width=0.5))
    assert latency.stall == 31 * (16 - 1)


def test_a_shared_port_is_never_faster():
    apart = stalled_latency(nest(weights=2, inputs=2, outputs=2), machine(width=8))
    together = stalled_latency(nest(weights=2, inputs=2, outputs=2), machine(width=8, shared_port=True))
    assert together.cycles >= apart.cycles


@pytest.mark.parametrize("width", [4, 8, 16, 64])
def test_a_wider_port_is_never_slower(width):
    case = nest(weights=1, inputs=2, outputs=1)
    assert stalled_latency(case, machine(2 * width)).cycles <= stalled_latency(case, machine(width)).cycles
