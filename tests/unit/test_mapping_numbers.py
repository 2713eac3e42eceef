"""Numbers that a machine or a layer brings: countable and exact, or one sentence."""

import numpy as np
import pytest

import accelsim as acs
from accelsim.graph.elementary import elementary, pooling
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.layers import from_layers
from accelsim.graph.matrix import gemm
from accelsim.graph.tensor import Tensor
from accelsim.mapping.asic.timing import cycle_ps, to_ps
from accelsim.mapping.asic.vector import shares

CONV = {
    "name": "c",
    "type": "convolution",
    "in_channels": 16,
    "input": [14, 14],
    "out_channels": 32,
    "kernel": 3,
}
CLOCK = "components.array.clock"


def refused(call, *args, **kwargs):
    with pytest.raises(acs.AccelsimError) as caught:
        call(*args, **kwargs)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("chip", "field", "value", "most"),
    [
        ("systolic-16x16", "components.array.rows", 14757395258967642, 10**6),
        ("systolic-16x16", "components.array.columns", 10**17, 10**6),
        ("systolic-16x16", "components.array.vector_lanes", 10**18, 10**9),
        ("eyeriss", "components.pe.rows", 9 * 10**18, 10**6),
        ("eyeriss", "components.pe.columns", 10**6 + 1, 10**6),
        ("eyeriss", "components.pe.macs_per_pe", 10**12, 10**9),
    ],
)
def test_an_array_has_a_size_that_can_be_counted(chip, field, value, most):
    (sentence,) = refused(acs.simulate, from_layers("net", [CONV]), chip, settings={field: value})
    assert sentence == f"setting {field}={value}: {field} must be at most {most}, not {value}"


def test_so_does_one_that_a_parameter_sizes():
    (sentence,) = refused(
        acs.simulate, from_layers("net", [CONV]), "pe-array", settings={"parameters.pes": 10**15}
    )
    assert sentence.split(": ", 1)[1] == (
        f"components.pe.pes must be at most 1000000000, not {10**15}"
        f" (pes is set by setting parameters.pes={10**15})"
    )


@pytest.mark.parametrize("chip", ["systolic-16x16", "eyeriss", "pe-array"])
def test_the_largest_arrays_run(chip):
    sides = {"systolic-16x16": "array", "eyeriss": "pe"}
    fields = {"parameters.pes": 10**9}
    if chip in sides:
        fields = {f"components.{sides[chip]}.{side}": 10**6 for side in ("rows", "columns")}
    result = acs.simulate(from_layers("net", [CONV]), chip, settings=fields)
    assert result.lower_bound_s <= result.latency_s <= result.upper_bound_s
    assert result.metrics["utilisation"] <= 1


def test_a_task_whose_picoseconds_cannot_be_counted_is_refused():
    assert refused(to_ps, np.array([5, 10**13]), (10**6, 1), CLOCK) == [
        "one task would take 10000000000000 cycles or 1e+07 s, more than the 1e+06 s that can be counted in"
        " picoseconds: is components.array.clock off by its unit?"
    ]
    assert to_ps(np.array([10**12]), (10**6, 1), CLOCK).tolist() == [10**18]
    assert to_ps(np.zeros(0, np.int64), (10**6, 1), CLOCK).size == 0


@pytest.mark.parametrize("clock_Hz", [999_999_999.0, 1_333_333_333.0, 800e6, 3e8, 123456789.125])
def test_picoseconds_are_exact_for_every_clock(clock_Hz):
    """The period of 999,999,999 Hz is 10^12 / 999,999,999 ps: products of the two parts exceed 64 bits."""
    numerator, denominator = cycle_ps(clock_Hz)
    cycles = np.array([0, 1, 2, 999, 123456, 999_999_998, 5, 5])
    exact = [-(-int(c) * numerator // denominator) for c in cycles]
    assert to_ps(cycles, (numerator, denominator), CLOCK).tolist() == exact


def test_the_share_of_a_chunk_is_exact_for_large_tensors():
    total, parts = 2**50 + 12345, 9_999_991
    got = shares(total, parts)
    assert int(got.sum()) == total
    assert set(got.tolist()) == {total // parts, total // parts + 1}
    assert got[:3].tolist() == [(i + 1) * total // parts - i * total // parts for i in range(3)]


def test_a_transfer_that_cannot_be_counted_names_its_resource():
    layers = from_layers("net", [CONV])
    (sentence,) = refused(acs.simulate, layers, "pe-array", settings={"components.dram.latency": "1e7 s"})
    assert sentence == (
        "c: one transfer of dram would take 1e+07 s, more than the 1e+06 s that can be counted in"
        " picoseconds: is a bandwidth or latency off by its unit?"
    )


@pytest.mark.parametrize("chip", ["systolic-16x16", "pe-array"])
def test_an_operator_that_cannot_be_counted_is_refused(chip):
    """Sizes are multiplied as 64-bit integers; beyond their range the answer would be wrong, not large."""
    image, side = Tensor("x", (1, 1, 10**9, 10**9), "int8"), 10**9
    vast = gemm(
        "v", Tensor("a", (1, side), "int8"), Tensor("w", (side, side), "int8"), None,
        Tensor("b", (1, side), "int8"), rows=1, inner=side, columns=side,
    )  # fmt: skip
    pool = pooling("p", "max_pool", image, Tensor("y", (1, 1, 10**9, 10**9), "int8"), (2, 2))
    view = elementary("r", "softmax", [image], [Tensor("z", (10**18,), "int8")])
    graph = LayerGraph.from_operators("net", [vast, pool, view])
    most, hint = "7.21e+16", ": is a size off by orders of magnitude?"
    assert refused(acs.compile, graph, chip, memory="unlimited") == [
        f"v: gemm of 1e+18 MACs, more than the {most} that one operator may have{hint}",
        f"p: max_pool of 4e+18 operations, more than the {most} that one operator may have{hint}",
        f"r: softmax of 5e+18 operations, more than the {most} that one operator may have{hint}",
    ]
