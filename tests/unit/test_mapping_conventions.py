"""Padding, first sums, codes and turns: what each switch adds to the bytes and cycles of one layer."""

import pytest

import accelsim as acs
from accelsim.graph.layers import from_layers

CONV = {
    "name": "conv", "type": "convolution", "in_channels": 8, "input": [13, 13], "out_channels": 32,
    "kernel": 3, "padding": 1,
}  # fmt: skip
NEST = """\
kind: mapping
name: mine
layers:
  conv:
    - {memory: dram}
    - G N K:16
    - {memory: glb, holds: [outputs]}
    - C:4
    - {memory: glb, holds: [inputs]}
    - N Q
    - P@ R@rows
    - {memory: filter_spad}
    - {memory: ifmap_spad}
    - {memory: psum_spad}
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "m.yaml").write_text(NEST, encoding="utf-8")

    def simulate(graph=None, settings=None, **options):
        graph = graph or from_layers("net", [CONV])
        fields = {"components.glb.padded": False, "components.pe.first_sums": "zero", **(settings or {})}
        options = {"memory": "overlapped", "settings": fields, **options}
        return acs.simulate(graph, "eyeriss", mapping=str(tmp_path / "m.yaml"), **options).operators[0]

    return simulate


def test_zeros_that_are_inserted_cost_on_chip_and_not_off_chip(run):
    skip, count = run(), run(padding="count")
    insert = run(settings={"components.glb.padded": True})
    image, padded = 2 * 2 * 8 * 13 * 13, 2 * 2 * 8 * 15 * 15  # two blocks of filters read 16-bit inputs each
    assert (skip.bytes["ifmap_noc"], insert.bytes["ifmap_noc"], count.bytes["ifmap_noc"]) == (
        image,
        padded,
        padded,
    )
    assert insert.bytes["dram"] == skip.bytes["dram"]
    assert count.bytes["dram"] - skip.bytes["dram"] == padded - image
    assert insert.held_B["glb inputs"] == 2 * 4 * 15 * 15
    assert skip.held_B["glb inputs"] == 2 * 4 * 13 * 13


def test_an_array_that_reads_its_first_sums_reads_as_much_as_it_writes(run):
    zero, read = run(), run(settings={"components.pe.first_sums": "read"})
    outputs = 2 * 32 * 13 * 13
    assert (zero.bytes["psum_noc in"], zero.bytes["psum_noc out"]) == (outputs, 2 * outputs)
    assert (read.bytes["psum_noc in"], read.bytes["psum_noc out"]) == (2 * outputs, 2 * outputs)
    assert read.bytes["dram"] == zero.bytes["dram"]


def test_a_code_shrinks_feature_maps_in_dram_and_never_makes_them_larger(run):
    graph = from_layers("net", [CONV])
    inputs, weights, outputs = 2 * 2 * 8 * 13 * 13, 2 * 32 * 8 * 9, 2 * 32 * 13 * 13
    assert run(graph).bytes["dram"] == inputs + weights + outputs
    half = graph.with_zeros({"conv": {"inputs": 0.5, "outputs": 0.1}})
    assert run(half).bytes["dram"] == inputs + weights + outputs
    coded = run(half, coding="run_length").bytes["dram"]
    assert (
        inputs * 2 / 3 + weights + outputs <= coded <= inputs * 2 / 3 + weights + outputs + 4
    )  # 4 tiles, rounded up


def test_a_code_that_the_dram_does_not_have():
    with pytest.raises(acs.AccelsimError) as caught:
        acs.simulate(from_layers("net", [CONV]), "pe-array", coding="run_length")
    assert caught.value.problems == (
        "conv: coding=run_length needs components.dram.run_length, e.g. [8 B, 3]",
    )


def test_loads_in_turn_are_exposed_one_after_the_other(run):
    """Two blocks of filters by two of channels: 4 x 15 x 3 inputs wait for 16 x 4 x 9 filters."""
    together = run(padding="count")
    settings = {"components.pe.loads": "together"}
    side_by_side = run(padding="count", settings=settings)
    assert together.cycles - side_by_side.cycles == 4 * min(4 * 15 * 3, 16 * 4 * 9 // 4)


def test_dram_that_is_overlapped_takes_no_time_but_counts(run):
    hidden, shown = run(memory="overlapped"), run(memory="contended")
    assert hidden.bytes == shown.bytes
    assert hidden.cycles < shown.cycles


def test_zeros_of_an_operator_that_is_not_there(tmp_path):
    file = tmp_path / "w.yaml"
    file.write_text(
        "kind: workload\nname: w\nbuilder: alexnet\nzeros:\n  conv9: {inputs: 0.5}\n", encoding="utf-8"
    )
    with pytest.raises(acs.AccelsimError) as caught:
        acs.load_workload(file)
    assert [p.partition("w.yaml")[2] for p in caught.value.problems] == [
        ":4: zeros.conv9: w has no such operator; did you mean 'conv5'?"
    ]
