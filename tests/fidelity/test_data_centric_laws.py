"""Does the analysis by cases give the laws that were probed in the model's release?

dla, 3x3, stride 1, hop latency 1: for each K tile of floor(PEs/64) and C tile of 64 with actual sizes k, c
and s = 1 + ceil(2 c R S / BW): one first step of max(s, ceil((k c R S + c R S) / BW)), P - 1 row starts of
max(s, ceil(c R S / BW)) and P (Q - 1) steady steps of max(s, ceil(c R / BW), ceil(k / BW)). Elements drawn
from the shared buffer: per tile k c R S + P c R S + P (Q - 1) c R; outputs that return: K P Q ceil(C / 64).

Expected, measured: equal. shi on maps of one tile: K C max(1 + ceil((columns + 1) R S / BW), ingress / BW),
where ingress is the halo of the map and the kernel; equal but for the first of all steps.
"""

from math import ceil

import numpy as np
import pytest

from accelsim.components.pe_array import PEArray
from accelsim.cost.cases import Pipe, Rules, analyse
from accelsim.graph.shape import ConvShape
from accelsim.mapping.asic.template import array_loops
from accelsim.spec.dataflow import load_dataflow

RULES = Rules("one", "double", "overlapped")


def timing(name, shape, pes, bandwidth, rules=RULES):
    array = PEArray(pes=pes, clock="1 GHz", dataflow=name)
    loops = array_loops(load_dataflow(name), array, shape, lambda _: (), fill=True)
    return analyse(shape, (*loops.outer, *loops.inner), Pipe(bandwidth), rules)


def layer(k, c, side):
    return ConvShape(K=k, C=c, P=side, Q=side, R=3, S=3, size=(side + 2, side + 2))


def tiles(whole, tile):
    return [min(tile, whole - i) for i in range(0, whole, tile)]


def dla_law(k_all, c_all, p, clusters, bandwidth, taps=1):
    cycles = reads = 0
    for k in tiles(k_all, clusters):
        for c in tiles(c_all, 64):
            s = taps + ceil(2 * c * 9 / bandwidth)
            cycles += max(s, ceil((k * c * 9 + c * 9) / bandwidth))
            cycles += (p - 1) * max(s, ceil(c * 9 / bandwidth))
            cycles += p * (p - 1) * max(s, ceil(c * 3 / bandwidth), ceil(k / bandwidth))
            reads += k * c * 9 + p * c * 9 + p * (p - 1) * c * 3
    return cycles, reads, k_all * p * p * ceil(c_all / 64)


@pytest.mark.parametrize(("pes", "bandwidth"), [(2112, 48), (576, 56), (1088, 24), (640, 1000)])
@pytest.mark.parametrize(("rs_loop_cycles", "taps"), [("one", 1), ("full", 9)])
def test_dla(pes, bandwidth, rs_loop_cycles, taps):
    rng = np.random.default_rng(pes)
    rules = Rules(rs_loop_cycles, "double", "overlapped")
    for _ in range(20):
        k, c, p = (int(n) for n in (rng.integers(1, 300), rng.integers(1, 300), rng.integers(2, 33)))
        found = timing("dla", layer(k, c, p), pes, bandwidth, rules)
        law = dla_law(k, c, p, pes // 64, bandwidth, taps)
        assert (found.cycles, sum(found.reads.values()), found.writes) == law


@pytest.mark.parametrize("bandwidth", [1, 8, 16, 300])
@pytest.mark.parametrize("side", [2, 5, 8])
def test_shi_on_one_tile(side, bandwidth):
    k, c = 24, 16
    step = max(
        1 + ceil((side * 9 + 9) / bandwidth),
        ceil(((side + 2) ** 2 + 9) / bandwidth),
    )
    found = timing("shi", layer(k, c, side), 512, bandwidth)
    first = max(1 + ceil((side * 9 + 9) / bandwidth), ceil((side * 3 * (side + 2) + 9) / bandwidth))
    assert found.cycles == (k * c - 1) * step + first


def test_the_halo_of_wider_maps_costs_more_when_it_is_sent_to_each_cluster():
    shape = layer(16, 16, 32)
    double = timing("shi", shape, 1984, 16)
    unique = timing("shi", shape, 1984, 16, Rules("one", "unique", "overlapped"))
    steady = 16 * 16 * 3
    assert sum(double.reads.values()) - sum(unique.reads.values()) == steady * (3 * 32 * 8 - 34 * 8)
    assert double.cycles > unique.cycles


def test_the_diagonal_shares_nothing_and_reduces_in_space():
    """rs: a unit has one input row and one kernel row; a steady step brings one column of R rows."""
    shape = ConvShape(K=16, C=1, P=1, Q=10, R=3, S=3, size=(3, 12))
    found = timing("rs-k16", shape, 3, 4)
    assert found.reads == {"inputs": 3 * 12, "weights": 16 * 9}
    assert found.writes == 16 * 10
    inner = 16 + ceil((3 * 3 + 3 * 16 * 3) / 4)  # K sums in a unit, after its rows and kernel rows came
    assert found.cycles == max(inner, ceil((9 + 144) / 4)) + 9 * max(inner, ceil(3 / 4), 16 // 4)
