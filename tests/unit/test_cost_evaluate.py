"""One nest on one hierarchy: figures worked out by hand, and a sentence for everything that does not fit."""

from dataclasses import replace

import pytest

from accelsim.cost.evaluate import evaluate
from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape

BITS = {"inputs": 8, "weights": 8, "outputs": 8, "partial": 8}
ALL = ("inputs", "weights", "outputs")
DRAM = Memory("dram", ALL, None, read_J=10.0, write_J=20.0, read_bits=16, write_bits=8)
BUFFER = Memory("buffer", ALL, 4096, read_J=1.0, write_J=2.0)
REGISTER = Memory("register", ("weights",), 8, per_pe=True, read_J=0.1, write_J=0.3)
ROWS, COLS = Axis("rows", 2, ("C", "R", "S")), Axis("cols", 2, ("K",))
MACHINE = Hierarchy("toy", ((DRAM,), (BUFFER,), (REGISTER,)), (ROWS, COLS), BITS, mac_J=0.5)
PRODUCT = ConvShape(P=3, C=4, K=2, size=(3, 1))
LOOPS = (Loop("C", 2), Loop("K", 1, "cols"), Loop("C", 1, "rows"), Loop("P", 1))
LEVELS = (Level("dram", 0), Level("buffer", 0), Level("register", 3, ("weights",)))
NEST = LoopNest(PRODUCT, LOOPS, LEVELS)


def test_matrix_product_by_hand():
    """3 x 4 times 4 x 2 on 2 x 2 units that keep one weight each: two blocks of C, three rows each."""
    cost = evaluate(NEST, MACHINE)
    at = {k: (a.reads, a.writes) for k, a in cost.accesses.items()}
    assert at == {
        ("dram", "inputs"): (12, 0),
        ("dram", "weights"): (8, 0),
        ("dram", "outputs"): (0, 6),
        ("buffer", "inputs"): (12, 12),  # to two columns at once, so each element once
        ("buffer", "weights"): (8, 8),
        ("buffer", "outputs"): (6 + 6, 12),  # the second block reads six back; six go to the DRAM
        ("register", "weights"): (24, 8),
    }
    assert cost.busy == {"compute": 6, "dram read": 10, "dram write": 6}
    assert cost.cycles == 10
    assert cost.used_bits == {"dram": 208, "buffer": 208, "register": 8}
    by = {"compute": 12.0, "dram": 8 * (200 + 120), "buffer": 8 * (32 + 64), "register": 8 * (2.4 + 2.4)}
    assert cost.energy_by == pytest.approx(by)
    assert cost.energy_J == pytest.approx(sum(by.values()))
    assert (cost.latency_s, cost.edp_Js) == (1e-8, cost.energy_J * 1e-8)
    assert cost.faults == ()


def test_partial_sums_have_a_width_of_their_own():
    cost = evaluate(NEST, replace(MACHINE, bits=BITS | {"outputs": 8, "partial": 24}))
    output = cost.accesses["buffer", "outputs"]
    assert (output.write_bits, output.read_bits) == (12 * 24, 6 * 24 + 6 * 8)
    assert cost.accesses["dram", "outputs"].write_bits == 6 * 8
    assert cost.used_bits["buffer"] == 8 * (12 + 8) + 24 * 6


def test_a_sum_split_over_copies_is_never_finished_below():
    """Every copy sends partial sums; the buffer above receives three finished outputs from each pair."""
    machine = replace(
        MACHINE,
        levels=((DRAM,), (BUFFER,), (replace(REGISTER, tensors=ALL, size_bits=1024),)),
        bits=BITS | {"partial": 24},
    )
    loops = (Loop("C", 2, "rows"), Loop("K", 1, "cols"))
    nest = LoopNest(PRODUCT, loops, (Level("dram", 0), Level("buffer", 0), Level("register", 2)))
    cost = evaluate(nest, machine)
    register, buffer = cost.accesses["register", "outputs"], cost.accesses["buffer", "outputs"]
    assert (register.writes, register.reads) == (24, 24 - 12 + 12)
    assert register.read_bits == 24 * 24
    assert (buffer.writes, buffer.write_bits) == (6, 6 * 8)


def test_ports():
    machine = replace(MACHINE, levels=((replace(DRAM, shared_port=True),), (BUFFER,), (REGISTER,)))
    assert evaluate(NEST, machine).busy == {"compute": 6, "dram": 16}
    slow = replace(MACHINE, levels=((DRAM,), (BUFFER,), (replace(REGISTER, read_bits=1),)))
    assert evaluate(NEST, slow).busy["register read"] == 24 * 8 / 4  # four copies
    assert evaluate(NEST, replace(MACHINE, macs_per_pe=4)).busy["compute"] == 2


def test_tensors_of_one_memory_at_points_of_their_own():
    levels = (
        Level("dram", 0),
        Level("buffer.outputs", 0, ("outputs",)),
        Level("buffer.operands", 1, ("inputs", "weights")),
        Level("register", 3, ("weights",)),
    )
    cost = evaluate(LoopNest(PRODUCT, LOOPS, levels), MACHINE)
    assert cost.used_bits["buffer"] == 8 * (6 + 6 + 4)
    assert cost.accesses["buffer", "inputs"].writes == 12
    assert cost.faults == ()


def test_every_fault_is_a_sentence():
    small = replace(MACHINE, levels=((DRAM,), (replace(BUFFER, size_bits=100, buffers=2),), (REGISTER,)))
    assert evaluate(NEST, small).faults == (
        "memory buffer of 100 bits is 316 bits too small: inputs need most (inputs 192, weights 128, outputs"
        " 96; two buffers); 416 bits would do",
    )
    loops = (Loop("C", 2), Loop("P", 1, "cols"), Loop("K", 1, "col"), Loop("C", 1))
    levels = (
        Level("dram", 0),
        Level("bufer", 0),
        Level("register", 1, ("weights", "inputs")),
        Level("buffer", 2),
    )
    assert evaluate(LoopNest(PRODUCT, loops, levels), MACHINE).faults == (
        "level 'bufer' names no memory; did you mean 'buffer'?; known are dram, buffer, register",
        "level 'register': memory register does not hold inputs, only weights",
        "level 'register': memory register belongs to one processing element, but loops inside the level"
        " are unrolled over the array; move it inside them",
        "level 'buffer': there is one memory buffer above the array, but loops outside the level are"
        " unrolled over it; move it outside them",
        "inputs: memory buffer comes inside register in the nest but not in the hierarchy",
        "weights: memory buffer comes inside register in the nest but not in the hierarchy",
        "axis 'cols' has 2 positions, but 3 are used",
        "axis 'col' is not one of the array; did you mean 'cols'?; it has rows, cols",
        "loop 1: P cannot be unrolled over axis 'cols', only K",
        "memory register of 8 bits is 72 bits too small: inputs need most (weights 32, inputs 48; one buffer);"
        " 80 bits would do",
    )


def test_every_impossible_hierarchy_is_a_sentence():
    with pytest.raises(AccelsimError) as error:
        Hierarchy(
            "toy",
            (
                (Memory("dram", ("inputs", "weights"), 0),),
                (
                    Memory("a", ("inputs",), 8, per_pe=True),
                    Memory("a", ("inputs", "weight"), None, buffers=3),
                ),
                (Memory("b", ALL, None, read_J=-1.0, read_bits=0),),
            ),
            (Axis("x", 0, ("K", "K")), Axis("x", 2, ("k",))),
            {"inputs": 8, "weights": 0, "outputs": 8, "partials": 8},
            macs_per_pe=0,
            clock_Hz=0.0,
        )
    assert error.value.problems == (
        "toy: the outermost level must hold inputs, weights, outputs; outputs is missing",
        "toy: memory 'dram': size_bits must be at least 1, not 0",
        "toy: memory 'a': another memory has this name",
        "toy: memory 'a': inputs are held by 'a' beside it",
        "toy: memory 'a': unknown tensor 'weight'; did you mean 'weights'?; known are inputs, weights,"
        " outputs",
        "toy: memory 'a': buffers must be 1 or 2, not 3",
        "toy: memory 'b': it lies inside 'a', which is per_pe, and must be per_pe too",
        "toy: memory 'b': read_J must not be negative, not -1.0",
        "toy: memory 'b': read_bits must be greater than 0 bits per cycle, not 0",
        "toy: axis 'x': size must be at least 1, not 0",
        "toy: axis 'x': a dimension is listed twice",
        "toy: axis 'x': axes need different names",
        "toy: axis 'x': unknown dimension 'k'; did you mean 'K'?; known are N G K C P Q R S",
        "toy: bits.weights must be at least 1, not 0",
        "toy: bits.partial is missing",
        "toy: bits.partials: unknown word; did you mean 'partial'?; known are inputs, weights, outputs,"
        " partial",
        "toy: macs_per_pe must be at least 1, not 0",
        "toy: clock_Hz must be greater than 0, not 0.0",
    )
