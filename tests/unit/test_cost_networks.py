"""Networks of a hierarchy: what crosses them, what that costs, what a machine becomes, sentences."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

from dataclasses import replace

import numpy as np
import pytest

import accelsim as acs
from accelsim.components.pricing import priced
from accelsim.cost.evaluate import evaluate
from accelsim.cost.hierarchy import Axis, Hierarchy, Memory, Network
from accelsim.cost.nest import Level, Loop, LoopNest
from accelsim.graph.shape import ConvShape
from accelsim.mapper.batch import Mappings, evaluate_many
from accelsim.mapper.frame import Frame
from accelsim.mapping.asic.flat_machine import hierarchy_of, unrolled_dims
from accelsim.mapping.asic.layer import Conventions, Widths
from accelsim.mapping.asic.machine import machine
from accelsim.spec.architecture import load_architecture

ALL = ("inputs", "weights", "outputs")
BITS = {"inputs": 8, "weights": 8, "outputs": 8, "partial": 16}
TOY = Hierarchy(
    "toy",
    ((Memory("dram", ALL, None),), (Memory("buf", ALL, 10_000),), (Memory("reg", ALL, 1000, per_pe=True),)),
    (Axis("cols", 4, ("K",)),),
    BITS,
)
SHAPE = ConvShape(K=4, C=3, P=5, size=(5, 1))
NEST = LoopNest(
    SHAPE,
    (Loop("C", 1), Loop("P", 1), Loop("K", 1, "cols")),
    (Level("dram", 0, ALL), Level("buf", 0, ALL), Level("reg", 3, ALL)),
)


def test_a_multicast_crosses_once_and_sums_cross_every_time():
    """5 x 3 inputs reach four columns at once; 4 x 5 sums leave three times, come back twice, end narrow."""
    networks = (Network("in", ("inputs",), 8, 2.0), Network("out", ("outputs",), 16, 1.0, shared=False))
    cost = evaluate(NEST, replace(TOY, networks=networks))
    assert cost.energy_by["in"] == 15 * 8 * 2.0
    assert cost.busy["in"] == 15
    assert cost.busy["out read"] == 40
    assert cost.busy["out write"] == (40 * 16 + 20 * 8) // 16
    assert cost.energy_by["out"] == 40 * 16 + 40 * 16 + 20 * 8
    assert cost.energy_J == sum(cost.energy_by.values())


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (Network("buf", ("inputs",)), "network 'buf': a memory or another network has this name"),
        (Network("n", ("input",)), "network 'n': unknown tensor 'input'; did you mean 'inputs'?; known are inputs, weights, outputs"),
        (Network("n", ("inputs",), 0), "network 'n': bits must be greater than 0 per cycle, not 0"),
        (Network("n", ("inputs",), 8, -1.0), "network 'n': energy_J must not be negative, not -1.0"),
    ],
)  # fmt: skip
def test_what_a_network_may_be(network, sentence):
    with pytest.raises(acs.AccelsimError) as caught:
        replace(TOY, networks=(network,))
    assert caught.value.problems == (f"toy: {sentence}",)


def test_a_network_ends_in_a_memory_of_an_element():
    with pytest.raises(acs.AccelsimError) as caught:
        replace(TOY, levels=TOY.levels[:2], networks=(Network("n", ("inputs",)),))
    assert caught.value.problems == ("toy: network 'n': no memory of a processing element holds inputs",)
    with pytest.raises(acs.AccelsimError, match=r"^toy: network 'm': inputs are carried by 'n'$"):
        replace(TOY, networks=(Network("n", ("inputs",)), Network("m", ("inputs",))))


def test_batches_refuse_what_they_do_not_count():
    hierarchy = replace(TOY, networks=(Network("n", ("inputs",)),))
    frame = Frame.of(hierarchy)
    one = Mappings(frame, np.ones((len(frame.rows), 1), int), np.zeros((len(frame.timed), 1), int))
    with pytest.raises(acs.AccelsimError) as caught:
        evaluate_many(SHAPE, hierarchy, one)
    assert caught.value.problems == (
        "batch: toy has networks, which are not counted here; use accelsim.cost.evaluate",
    )


def flat(name, dataflows):
    architecture = load_architecture(name)
    architecture = priced(architecture, "int16", "int16")
    known = machine(architecture)
    dims = unrolled_dims([acs.load_dataflow(d) for d in dataflows])
    return hierarchy_of(known, known.array, dims, Widths(16, 16, 16, 16), Conventions("insert"), "int16")


def test_links_become_networks():
    """200 MHz: 64 bit per cycle for weights, 16 for inputs, 64 each way for sums; DRAM 480 MB/s is 19.2 bit."""
    found = flat("eyeriss", ["rs"])
    assert [(n.name, n.tensors, n.bits, n.shared) for n in found.networks] == [
        ("ifmap_noc", ("inputs",), 16, True),
        ("filter_noc", ("weights",), 64, True),
        ("psum_noc", ("outputs",), 64, False),
    ]
    assert [[m.name for m in level] for level in found.levels] == [
        ["dram"],
        ["glb"],
        ["filter_spad", "ifmap_spad", "psum_spad"],
    ]
    dram, glb = found.memories[:2]
    assert dram.read_bits == pytest.approx(19.2)
    assert (dram.shared_port, dram.size_bits, glb.tensors, glb.size_bits) == (
        True,
        None,
        ("inputs", "outputs"),
        819200,
    )
    assert found.axes == (Axis("rows", 12, tuple("KCPR")), Axis("columns", 14, tuple("KCPR")))
    assert (found.padding, found.mac_J) == ("count", pytest.approx(0.904e-12))


def test_a_narrow_port_becomes_a_network():
    found = flat("peer-nvdla32x32", ["ws"])
    assert [(n.name, n.tensors, n.bits, n.shared) for n in found.networks] == [("cbuf port", ALL, 2048, True)]


def test_dims_that_dataflows_unroll():
    assert unrolled_dims([acs.load_dataflow("shi")]) == ("P", "Q")
    assert unrolled_dims([acs.load_dataflow("dla"), acs.load_dataflow("os")]) == ("N", "K", "C", "P", "Q")
