"""What a search says: certificate, count of mappings, what happens without time or room."""

import subprocess
import sys
from dataclasses import replace
from itertools import product
from math import inf
from pathlib import Path

import pytest

from accelsim.cost.evaluate import evaluate
from accelsim.cost.hierarchy import Axis, Hierarchy, Memory
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape
from accelsim.mapper import Space, best_mapping

ALL = ("inputs", "weights", "outputs")
BITS = {"inputs": 8, "weights": 8, "outputs": 8, "partial": 16}
DRAM = Memory("dram", ALL, None, read_J=10.0, write_J=10.0, read_bits=32, write_bits=32)
BUFFER = Memory("buffer", ALL, 2048, read_J=1.0, write_J=1.0)
REGISTER = Memory("register", ("weights",), 16, per_pe=True, read_J=0.1, write_J=0.1)
MACHINE = Hierarchy(
    "toy",
    ((DRAM,), (BUFFER,), (REGISTER,)),
    (Axis("x", 3, ("K",)), Axis("y", 2, ("C", "R"))),
    BITS,
    mac_J=0.5,
)
SHAPE = ConvShape(K=5, C=4, P=6, R=3, pad=(1, 0), size=(6, 1))
BIG = ConvShape(N=2, K=96, C=96, P=60, Q=60, R=3, S=3, pad=(1, 1), size=(60, 60))
ROOMY = Hierarchy(
    "roomy",
    ((DRAM,), (replace(BUFFER, size_bits=1 << 19),), (replace(REGISTER, tensors=ALL, size_bits=4096),)),
    (Axis("x", 16, ("K", "P", "Q")), Axis("y", 16, ("C", "R", "S"))),
    BITS,
    mac_J=0.5,
)


def test_certificate_states_the_space():
    text = str(best_mapping(SHAPE, MACHINE).certificate)
    assert text.splitlines()[0] == "latency then energy: optimal in this space"
    for part in (
        "array: x 3: K; y 2: C R;",
        "aligned and ragged",
        "one tile per level of memory",
        "inside a processing element tiles of G K C R S only",
        "no sliding reuse",
        "one tile at a time in every memory",
        "mappings covered",
    ):
        assert part in text
    doubled = replace(MACHINE, levels=((DRAM,), (replace(BUFFER, buffers=2),), (REGISTER,)))
    text = str(best_mapping(SHAPE, doubled, ("edp",), Space("tensor")).certificate)
    assert "edp: optimal in this space" in text
    assert "two tiles at once in buffer" in text
    assert "two storage points between the loops" in text


def test_count_of_mappings():
    """2 x 2 x 2 product on one axis of two: each dim's chains by hand, three classes in two gaps."""
    machine = replace(MACHINE, axes=(Axis("x", 2, ("K",)),))
    shape = ConvShape(P=2, K=2, C=2, size=(2, 1))
    # unrolled once: own 1 -> two blocks -> two tiles, own 2 -> one; twice: own 1 -> one block
    kernel, channel, row = 3 + 1, 3, 2
    assert best_mapping(shape, machine).certificate.covered == kernel * channel * row * 3**2
    alone = best_mapping(shape, replace(machine, axes=())).certificate.covered
    assert alone == 3 * 3 * 2 * 9


def test_a_budget_returns_the_best_so_far_with_a_valid_gap():
    full = best_mapping(BIG, ROOMY, ("energy",))
    assert full.certificate.optimal
    assert full.certificate.gap == 0
    cut = best_mapping(BIG, ROOMY, ("energy",), budget_s=0.0)
    assert cut.cost.faults == ()
    assert not cut.certificate.optimal
    assert cut.certificate.value == cut.cost.energy_J
    assert cut.certificate.bound <= full.cost.energy_J <= cut.cost.energy_J
    assert 0 < cut.certificate.gap < 1
    assert "none below" in str(cut.certificate)


def test_progress_is_reported():
    seen = []
    best_mapping(SHAPE, MACHINE, progress=lambda share, text: seen.append((share, text)))
    assert seen
    assert all(0 <= share <= 1 and "cycles" in text for share, text in seen)


def test_same_answer_in_another_process():
    code = (
        "from test_mapper import *\n"
        "m = best_mapping(SHAPE, MACHINE, ('edp',), Space('tensor'))\n"
        "print(m.nest.loops, m.nest.levels, m.cost.cycles, m.cost.energy_J)"
    )
    m = best_mapping(SHAPE, MACHINE, ("edp",), Space("tensor"))
    here = Path(__file__).parent
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=here)
    assert out.stdout.strip() == f"{m.nest.loops} {m.nest.levels} {m.cost.cycles} {m.cost.energy_J}"


def problems(shape=SHAPE, hierarchy=MACHINE, **options):
    with pytest.raises(AccelsimError) as error:
        best_mapping(shape, hierarchy, **options)
    return error.value.problems


def test_nothing_fits():
    tight = replace(
        MACHINE,
        levels=((DRAM,), (replace(BUFFER, size_bits=40, buffers=2),), (replace(REGISTER, size_bits=7),)),
    )
    assert problems(hierarchy=tight) == (
        "toy: no mapping fits: memory buffer of 40 bits is 24 bits too small for one element of each tensor;"
        " outputs need most (inputs 16, weights 16, outputs 32, two buffers); 64 bits would do",
        "toy: no mapping fits: memory register of 7 bits is 1 bits too small for one element of each tensor;"
        " weights need most (weights 8); 8 bits would do",
    )
    small = replace(MACHINE, levels=((replace(DRAM, size_bits=8),), (BUFFER,), (REGISTER,)))
    assert problems(hierarchy=small) == (
        "toy: no mapping fits: memory dram of 8 bits is 1144 bits too small for the whole layer; weights need"
        " most (inputs 192, weights 480, outputs 480); 1152 bits would do",
    )


def test_the_smallest_size_named_works():
    tight = replace(MACHINE, levels=((DRAM,), (replace(BUFFER, size_bits=64, buffers=2),), (REGISTER,)))
    assert best_mapping(SHAPE, tight).cost.faults == ()


@pytest.mark.parametrize("sizes", [(120, 120), (120, 300), (300, 120), (600, 200), (200, 80)])
@pytest.mark.parametrize("bounds", [{"K": 5, "C": 7}, {"K": 7, "C": 5}])
def test_two_levels_above_the_array_against_every_aligned_tiling(sizes, bounds):
    """One class may spare a tensor at both levels; a bound that forgets one of them prunes the optimum."""
    memories = (
        (Memory("dram", ALL, None, read_J=3, write_J=3),),
        (Memory("outer", ALL, sizes[0], read_J=1, write_J=0.5),),
        (Memory("inner", ALL, sizes[1], read_J=0.5, write_J=0.5),),
    )
    machine = Hierarchy("two", memories, (), BITS | {"partial": 32}, mac_J=0.1)
    shape = ConvShape(**bounds)
    found = best_mapping(shape, machine, ("energy",))
    chains = {
        d: {(outer, inner) for inner in range(1, n + 1) for outer in {*range(inner, n + 1, inner), n}}
        for d, n in bounds.items()
    }
    least = inf
    for k, c in product(chains["K"], chains["C"]):
        tile = {"K": (*k, 1), "C": (*c, 1)}
        for orders in product((("K", "C"), ("C", "K")), repeat=3):
            loops = tuple(Loop(d, tile[d][i]) for i, order in enumerate(orders) for d in order)
            levels = (Level("dram", 0), Level("outer", 2), Level("inner", 4))
            cost = evaluate(LoopNest(shape, loops, levels), machine)
            if not cost.faults:
                least = min(least, cost.energy_J)
    assert found.certificate.optimal
    assert found.cost.energy_J == pytest.approx(least, rel=1e-12)


def test_sentences():
    assert problems(goal=("latncy",)) == (
        "goal: unknown metric 'latncy'; did you mean 'latency'?; known are latency, energy, edp",
    )
    assert problems(goal=()) == ("goal: needs one or more different metrics, not none",)
    assert problems(goal=("edp", "edp")) == ("goal: needs one or more different metrics, not edp, edp",)
    huge = ConvShape(K=2**20, C=2**20, P=2**10, size=(2**10, 1))
    assert problems(shape=huge) == (
        "toy: 1125899906842624 multiply-accumulates of 16 bits leave the range in which counts are exact"
        " (operations x bits x 4 below 2^53); split the layer",
    )
    deep = replace(MACHINE, levels=((DRAM,), (replace(BUFFER, name="a"),), (BUFFER,)))
    assert problems(hierarchy=deep, space=Space("tensor")) == (
        "toy: storage='tensor' needs one level of memory between the outermost and the array, not 2; use"
        " storage='level'",
    )
