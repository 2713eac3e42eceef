"""Nests whose traffic is known from textbooks: the formula stands in each docstring."""

from math import ceil, prod

import pytest

from accelsim.cost.counts import count
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.graph.shape import ConvShape

DRAM = Level("dram", 0)
SIZES = [(64, 48, 32, 16, 12, 8), (65, 50, 33, 16, 12, 8), (7, 5, 3, 4, 3, 2), (100, 10, 1000, 100, 3, 7)]


def gemm(m, k, c, loops):
    shape = ConvShape(P=m, K=k, C=c, size=(m, 1))
    return count(LoopNest(shape, tuple(loops), (DRAM, Level("buffer", len(loops)))))


def moved(counts, tensor):
    traffic = counts.at(tensor, "buffer")
    return (traffic.updates, traffic.reads) if tensor == "outputs" else traffic.reads


@pytest.mark.parametrize(("m", "k", "c", "tm", "tk", "tc"), SIZES)
def test_output_stationary_product(m, k, c, tm, tk, tc):
    """A: M*C*ceil(K/Tk), B: C*K*ceil(M/Tm), result: M*K written once and never read (C innermost)."""
    counts = gemm(m, k, c, [Loop("P", tm), Loop("K", tk), Loop("C", tc)])
    assert moved(counts, "weights") == c * k * ceil(m / tm)
    assert moved(counts, "inputs") == m * c * ceil(k / tk)
    assert moved(counts, "outputs") == (m * k, 0)


@pytest.mark.parametrize(("m", "k", "c", "tm", "tk", "tc"), [s for s in SIZES if s[0] > s[3]])
def test_weight_stationary_product(m, k, c, tm, tk, tc):
    """B once, A: M*C*ceil(K/Tk), partial sums: written ceil(C/Tc) times, read once less (M innermost)."""
    counts = gemm(m, k, c, [Loop("K", tk), Loop("C", tc), Loop("P", tm)])
    assert moved(counts, "weights") == c * k
    assert moved(counts, "inputs") == m * c * ceil(k / tk)
    assert moved(counts, "outputs") == (m * k * ceil(c / tc), m * k * (ceil(c / tc) - 1))


@pytest.mark.parametrize(("m", "k", "c", "tm", "tk", "tc"), SIZES)
def test_input_stationary_product(m, k, c, tm, tk, tc):
    """A once, B: C*K*ceil(M/Tm), partial sums: written ceil(C/Tc) times, read once less (K innermost)."""
    counts = gemm(m, k, c, [Loop("P", tm), Loop("C", tc), Loop("K", tk)])
    assert moved(counts, "inputs") == m * c
    assert moved(counts, "weights") == c * k * ceil(m / tm)
    assert moved(counts, "outputs") == (m * k * ceil(c / tc), m * k * (ceil(c / tc) - 1))


@pytest.mark.parametrize("strip", [1, 7, 16, 50, 223, 224])
def test_strips_of_a_padded_3x3_convolution(strip):
    """n strips of rows of a same-size 3x3 layer read H + 2*(n - 1) rows: two more at each boundary."""
    shape = ConvShape(K=64, C=3, P=224, Q=224, R=3, S=3, pad=(1, 1), size=(224, 224))
    nest = LoopNest(shape, (Loop("P", strip),), (DRAM, Level("buffer", 1)))
    rows = 224 + 2 * (ceil(224 / strip) - 1)
    assert count(nest).at("inputs", "buffer").reads == 3 * 224 * rows
    padded = 3 * 226 * sum(min(strip, 224 - p) + 2 for p in range(0, 224, strip))
    assert count(nest, "count").at("inputs", "buffer").reads == padded


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 2), (2, 4), (3, 2), (5, 1)])
@pytest.mark.parametrize(("a", "b"), [(4, 3), (5, 2), (20, 7), (1, 1)])
def test_halo_formula(stride, dilation, a, b):
    """Rows over all tiles: P*R - F_P*F_R, F_P = sum max(0, a - d/g), F_R = sum max(0, b - s/g)."""
    p, r = 20, 7
    size = (p - 1) * stride + (r - 1) * dilation + 1
    shape = ConvShape(P=p, R=r, stride=(stride, 1), dilation=(dilation, 1), size=(size, 1))
    nest = LoopNest(shape, (Loop("P", a), Loop("R", b)), (DRAM, Level("buffer", 2)))
    touched = sum(
        len({x * stride + y * dilation for x in range(i, min(i + a, p)) for y in range(j, min(j + b, r))})
        for i in range(0, p, a)
        for j in range(0, r, b)
    )
    common = next(g for g in range(stride, 0, -1) if stride % g == 0 and dilation % g == 0)
    f_p = sum(max(0, min(a, p - i) - dilation // common) for i in range(0, p, a))
    f_r = sum(max(0, min(b, r - j) - stride // common) for j in range(0, r, b))
    assert count(nest).at("inputs", "buffer").reads == p * r - f_p * f_r == touched


def test_gaps_between_windows_are_not_read():
    """A 1x1 layer of stride 2 reads a quarter of its input: P*Q of H*W."""
    shape = ConvShape(C=8, K=16, P=28, Q=28, stride=(2, 2), size=(56, 56))
    assert count(LoopNest(shape, (), (DRAM, Level("buffer", 0)))).at("inputs", "buffer").reads == 8 * 28 * 28


@pytest.mark.parametrize(("m", "k", "c", "rows", "columns"), [(100, 32, 64, 16, 16), (49, 70, 33, 16, 12)])
def test_weight_stationary_array(m, k, c, rows, columns):
    """Steps ceil(C/r)*ceil(K/c)*M; a row of elements shares inputs, a column adds up partial sums."""
    shape = ConvShape(P=m, K=k, C=c, size=(m, 1))
    loops = (Loop("K", columns), Loop("C", rows), Loop("K", 1, "x"), Loop("C", 1, "y"), Loop("P", 1))
    counts = count(LoopNest(shape, loops, (DRAM, Level("buffer", 0), Level("pe", 5))))
    assert counts.steps == ceil(c / rows) * ceil(k / columns) * m
    assert counts.utilisation == m * k * c / (counts.steps * rows * columns)
    inputs, outputs = counts.at("inputs", "pe"), counts.at("outputs", "pe")
    assert (inputs.reads, inputs.fills) == (m * c * ceil(k / columns), m * c * k)
    assert (outputs.updates, outputs.partials) == (m * k * ceil(c / rows), m * k * c)
    assert counts.at("weights", "pe").reads == counts.at("weights", "pe").fills == k * c


def test_diagonal_multicast_of_row_stationary():
    """e rows of outputs by R taps in space: e + R - 1 input rows leave the buffer for e*R elements."""
    shape = ConvShape(P=13, Q=13, R=3, S=3, size=(15, 15))
    loops = (Loop("P", 1, "x"), Loop("R", 1, "y"), Loop("Q", 1))
    counts = count(LoopNest(shape, loops, (DRAM, Level("buffer", 0), Level("pe", 2))))
    inputs = counts.at("inputs", "pe")
    assert (inputs.reads, inputs.fills) == ((13 + 3 - 1) * 15, 13 * 3 * 15)
    assert counts.at("outputs", "pe").partials == 3 * counts.at("outputs", "pe").updates == 3 * 13 * 13


@pytest.mark.parametrize(
    ("e", "kernel", "copies", "active"), [(7, 11, 2, 154), (27, 5, 1, 135), (13, 3, 4, 156)]
)
def test_active_elements_of_the_row_stationary_chip(e, kernel, copies, active):
    """e * R * (copies): 154, 135 and 156 elements of AlexNet's layers (Chen et al., JSSC 52(1), 2017)."""
    shape = ConvShape(K=copies, P=e, R=kernel, size=(e + kernel - 1, 1))
    loops = (Loop("K", 1, "copies"), Loop("P", 1, "x"), Loop("R", 1, "y"))
    counts = count(LoopNest(shape, loops, (DRAM,)))
    assert counts.pes == counts.mean_pes == active


def test_line_buffer_reads_the_input_once():
    """A buffer of three lines sliding down the image reads H*W*C and nothing twice."""
    shape = ConvShape(K=8, C=3, P=32, Q=32, R=3, S=3, pad=(1, 1), size=(32, 32))
    slides = LoopNest(shape, (Loop("P", 1),), (DRAM, Level("lines", 1, sliding=True)))
    assert count(slides).at("inputs", "lines").reads == 3 * 32 * 32
    assert slides.tile(1, "inputs") == 3 * 3 * 32


def test_depthwise_shares_nothing_between_channels():
    """Inputs, weights and outputs each move once whatever the channel tile."""
    shape = ConvShape(G=30, P=14, Q=14, R=3, S=3, pad=(1, 1), size=(14, 14))
    counts = count(
        LoopNest(shape, (Loop("G", 8), Loop("G", 1, "x")), (DRAM, Level("buffer", 1), Level("pe", 2)))
    )
    for traffic in counts.traffic:
        assert max(traffic.reads, traffic.updates) == shape.elements(traffic.tensor)
    assert counts.steps == ceil(30 / 8) * 14 * 14 * 9


def test_compulsory_traffic_of_a_layer_held_whole():
    """With the whole layer in the buffer every tensor moves exactly once."""
    shape = ConvShape(N=2, G=2, K=3, C=4, P=6, Q=5, R=3, S=3, pad=(1, 1), size=(6, 5))
    counts = count(LoopNest(shape, (), (DRAM, Level("buffer", 0))))
    assert counts.at("inputs", "buffer").reads == shape.elements("inputs")
    assert counts.at("weights", "buffer").reads == shape.elements("weights")
    assert counts.at("outputs", "buffer").updates == shape.elements("outputs")
    assert counts.steps == counts.macs == prod(shape.bounds.values())
