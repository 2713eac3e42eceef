"""Templates over input rows and columns: what they become, and every sentence about those that cannot."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import pytest

import accelsim as acs
from accelsim.components.pe_array import PEArray
from accelsim.cost.nest import Level, LoopNest
from accelsim.errors import AccelsimError
from accelsim.graph.layers import from_layers
from accelsim.graph.shape import ConvShape
from accelsim.mapping.asic.template import array_loops
from accelsim.spec.dataflow import Dataflow, load_dataflow
from accelsim.spec.nest_text import loop_nest

LAYER = ConvShape(K=32, C=16, P=12, Q=12, R=3, S=3, size=(14, 14))
STRIDED = ConvShape(K=8, C=8, P=6, Q=6, R=3, S=3, stride=(2, 2), size=(13, 13))


def loops(dataflow, shape=LAYER, pes=64):
    found = array_loops(dataflow, PEArray(pes=pes, clock="1 GHz", dataflow="x"), shape, lambda _: ())
    return found.outer, found.inner


def text(dataflow, shape=LAYER, pes=64):
    outer, inner = loops(dataflow, shape, pes)
    moving = LoopNest(shape, (*outer, *inner), (Level("memory", 0),)).moving
    return " ".join(f"{loop.dim}:{loop.tile}{'@' if loop.axis else ''}" for _, loop in moving)


def mine(*clusters):
    return Dataflow(
        name="mine",
        clusters=[{"loops": c} if i == 0 else {"size": 4, "loops": c} for i, c in enumerate(clusters)],
    )


@pytest.mark.parametrize(
    ("name", "nest"),
    [
        ("dla", "K:1 P:1 Q:1 C:1@"),
        ("dla-ckp", "C:1 P:1 Q:1 K:1@"),
        ("shi", "K:1 C:1 P:6 Q:8 P:1@ Q:1@"),
        ("rs-k16", "Q:1 C:1 K:16 P:1@ R:1@"),
        ("rs-k2c3", "K:2 C:3 Q:1 P:1@ R:1@"),
        ("xp-ws", "K:1 C:1 P:1 Q:1@"),
        ("ykp-os", "P:4 Q:1 K:16 C:1 P:1@ K:1@"),
        ("nlr", "K:1 P:1 Q:1 R:1 S:1 C:1@"),
    ],
)
def test_what_the_shipped_templates_become(name, nest):
    assert text(load_dataflow(name)) == nest


def test_a_window_of_stride_1_stands_for_outputs_and_any_other_for_input_rows():
    rest = ["K", "C", "R:full", "S:full", "Q"]
    assert (
        text(mine([*rest, "Y:R/1"]), STRIDED)
        == text(mine([*rest, "Y:R/2"]), STRIDED)
        == text(mine([*rest, "P"]), STRIDED)
    )
    assert "P:3" in text(mine([*rest, "Y:R+4/6"]), STRIDED)


def test_a_kernel_that_registers_cut_leaves_the_windows_alone():
    """Two tiles of a 7x7 kernel do not fit 64 B of registers; its rows still slide by one output row."""
    conv = {
        "name": "conv",
        "type": "convolution",
        "in_channels": 3,
        "input": [32, 32],
        "out_channels": 8,
        "kernel": 7,
    }
    result = acs.simulate(
        from_layers("net", [conv | {"stride": 2}]), "pe-array", dataflow="dla", engine="closed-form"
    )
    assert "P13 Q13 R7 S7; array K4; pe R2 S7" in result.operators[0].mapping


def refused(dataflow, shape=LAYER, pes=64):
    with pytest.raises(AccelsimError) as caught:
        loops(dataflow, shape, pes)
    return list(caught.value.problems)


REST = ("K", "C", "R:full", "S:full", "X:S/1")


@pytest.mark.parametrize(
    ("clusters", "sentence"),
    [
        (
            ([*REST, "Y:2/1"],),
            "dataflow 'mine': clusters.0: loop 'Y:2/1': 2 input rows hold no complete output row of a kernel that spans 3; the smallest size that works is 3",
        ),
        (
            ([*REST, "Y:R/2"],),
            "dataflow 'mine': clusters.0: loop 'Y:R/2': 3 input rows hold 1 output row at stride 1, so the offset must be 1, not 2; 'P:1' says so at any stride",
        ),
        (
            ([*REST, "Y:5"],),
            "dataflow 'mine': clusters.0: loop 'Y:5': 5 input rows hold 3 output rows at stride 1, so the offset must be 3, not 5; 'P:3' says so at any stride",
        ),
        (
            (["K", "C", "R", "S:full", "X:S/1", "Y:R/1"],),
            "dataflow 'mine': clusters.0: loop 'Y:R/1': 3 input rows hold 3 output rows at stride 1, so the offset must be 3, not 1; 'P:3' says so at any stride",
        ),
        (
            ([*REST, "Y:full"], ["Y@&R@"]),
            "dataflow 'mine': clusters.1: loop 'Y@&R@': Y and R advance together inside one output row, but there are 12 here; put 'P:1' or 'P@' before it",
        ),
        (
            ([*REST, "Y:R/1"], ["Y@&R:2@"]),
            "dataflow 'mine': clusters.1: loop 'Y@&R:2@': 1 input rows do not hold the 2 kernel rows beside them; the smallest size that works is 2",
        ),
        (
            ([*REST, "Y:R/1"], ["Y:2/1@&R:2@"]),
            "dataflow 'mine': clusters.1: loop 'Y:2/1@&R:2@': the kernel moves on by 2 rows and the input by 1; together they must move by the same",
        ),
        (
            ([*REST, "P"], ["K@&C@"]),
            "dataflow 'mine': clusters.1: loop 'K@&C@' covers only the diagonal of K and C; dims that may advance together are Y&R or X&S, all combinations are 'K*C@'",
        ),
        (
            ([*REST, "P"], ["X@&R@"]),
            "dataflow 'mine': clusters.1: loop 'X@&R@' covers only the diagonal of X and R; dims that may advance together are Y&R or X&S, all combinations are 'X*R@'",
        ),
        (
            ([*REST, "N*Y@"],),
            "dataflow 'mine': clusters.0: loop 'N*Y@' joins input rows or columns with others; write 'N*P'",
        ),
        (
            ([*REST, "P", "K:4/2"],),
            "dataflow 'mine': clusters.0: loop 'K:4/2': offset 2 under size 4 would do positions of K twice; only windows of Y and X overlap, write 'K:4'",
        ),
        ((["K@", "C", "R", "X:S/1"],), "dataflow 'mine': no loop over P; add e.g. 'P:full'"),
    ],
)  # fmt: skip
def test_windows_that_do_not_correspond(clusters, sentence):
    assert sentence in refused(mine(*clusters))


def test_a_cluster_larger_than_the_array_says_what_would_work():
    assert refused(load_dataflow("dla"), pes=32) == [
        "dataflow 'dla': a cluster of 64 does not fit an array of 32 pes; the smallest that works has 64"
    ]
    loops(load_dataflow("dla"), pes=64)


def test_layers_with_the_same_fault_share_a_sentence():
    conv = {"type": "convolution", "out_channels": 16, "kernel": 3, "padding": 1}
    graph = from_layers(
        "net",
        [conv | {"name": "a", "in_channels": 3, "input": [8, 8]}, conv | {"name": "b"}, conv | {"name": "c"}],
    )
    with pytest.raises(AccelsimError) as caught:
        acs.simulate(graph, "pe-array", dataflow="dla", settings={"parameters.pes": 32})
    assert list(caught.value.problems) == [
        "a: dataflow 'dla': a cluster of 64 does not fit an array of 32 pes; the smallest that works has 64",
        "b, c: the same as a",
    ]


def test_a_layer_with_a_zero_dimension():
    with pytest.raises(AccelsimError, match=r"^dimension C of a layer must be at least 1, not 0$"):
        ConvShape(K=4, C=0)


def test_a_bandwidth_of_zero():
    with pytest.raises(AccelsimError) as caught:
        acs.simulate("resnet9", "pe-array", settings={"parameters.bandwidth": "0 GB/s"})
    assert "components.noc.bandwidth must be more than 0, not '0 GB/s'" in str(caught.value)


OWN = """\
kind: dataflow
name: own
description: Four filters at a time, three output rows to a cluster, channels side by side inside
clusters:
  - {loops: [K:4, Y:R+2/3@, X:S/1, C:8, R:full, S:full]}
  - {size: 4, loops: [C@]}
"""


def test_a_dataflow_of_one_s_own_runs_like_a_shipped_one(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(OWN, encoding="utf-8")
    physical = acs.simulate("resnet9", "pe-array", dataflow=str(file), engine="closed-form")
    published = acs.simulate("resnet9", "pe-array", dataflow=str(file), preset="published")
    assert physical.energy_J > 0
    assert published.metrics["energy_unit"] > 0
    assert text(load_dataflow(file)) == "K:4 Q:1 C:8 P:3@ C:4 C:1@"


def test_the_loop_nest_as_text():
    assert loop_nest(load_dataflow("rs-k16")) == [
        "for n in N:                                                                  # batch, one at a time",
        "  for g in G:                                                                # groups, one at a time",
        "    for p in P by 1 x PEs/R:                                                 # output rows; PEs/R clusters at once",
        "      for q in Q by 1:                                                       # output columns",
        "        for c in C by 1:                                                     # input channels",
        "          for k in K by 16:                                                  # output channels",
        "            for r in R by all:                                               # kernel rows",
        "              for s in S by all:                                             # kernel columns",
        "                parallel for p in block by 1:                                # over PEs/R clusters",
        "                  for y&r in block&R by 1 x R:                               # input rows and kernel rows in step; R PEs at once",
        "                    for s in S by all:                                       # kernel columns",
        "                      parallel for y&r in block&block by 1:                  # over R PEs",
        "                        O[n,g,k,p,q] += I[n,g,c,p*u+r,q*u+s] * W[g,k,c,r,s]  # over what is left, in one processing element",
    ]
