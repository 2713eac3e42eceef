"""Mapping files: their grammar, what they refuse, and what a machine refuses of them, sentence by sentence."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import pytest

import accelsim as acs
from accelsim.cost.written import read_nest, write_nest
from accelsim.graph.layers import from_layers
from accelsim.graph.shape import ConvShape
from accelsim.spec.mapping import load_mapping
from accelsim.spec.writer import resolved, write

LAYER = {
    "name": "conv", "type": "convolution", "in_channels": 8, "input": [13, 13], "out_channels": 32,
    "kernel": 3, "padding": 1,
}  # fmt: skip
GOOD = """\
kind: mapping
name: mine
layers:
  conv:
    - {memory: dram}
    - G N P:13 K:32
    - {memory: glb, holds: [outputs]}
    - C:4
    - {memory: glb, holds: [inputs]}
    - K:16 N Q
    - P@ R@rows
    - {memory: filter_spad}
    - {memory: ifmap_spad}
    - {memory: psum_spad}
"""


def written(tmp_path, text, name="mine.yaml"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def net(**changes):
    return from_layers("net", [LAYER | changes])


def refusal(tmp_path, text):
    with pytest.raises(acs.AccelsimError) as caught:
        load_mapping(written(tmp_path, text))
    return [str(p).replace(f"{tmp_path}/", "") for p in caught.value.problems]


def on_eyeriss(tmp_path, text, graph=None, **options):
    with pytest.raises(acs.AccelsimError) as caught:
        acs.simulate(graph or net(), "eyeriss", mapping=written(tmp_path, text), **options)
    return [str(p).replace(f"{tmp_path}/", "") for p in caught.value.problems]


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ("holds: [outputs]", "hold: [outputs]", ["mine.yaml:7: layers.conv.2.hold: unknown field; did you mean 'holds'?"]),
        ("[outputs]", "[output]", ["mine.yaml:7: layers.conv.2.holds.0 must be 'inputs', 'weights' or 'outputs', not 'output'; did you mean 'outputs'?"]),
        ("K:16", "K:0", ["mine.yaml:10: layers.conv.5: 'K:0': the tile must be a whole number of at least 1"]),
        ("K:16", "Y:3", ["mine.yaml:10: layers.conv.5: 'Y:3': unknown dimension 'Y'; known are N, G, K, C, P, Q, R, S"]),
        ("R@rows", "R@row s", ["mine.yaml:11: layers.conv.6: 's': unknown dimension 's'; did you mean 'S'?"]),
        ("R@rows", "R@1", ["mine.yaml:11: layers.conv.6: 'R@1': an axis is named by letters and digits, e.g. R@rows"]),
        ("- {memory: dram}", "- 3", ["mine.yaml:5: layers.conv.0 must be text such as 'K:16 C:4@rows P@', not 3"]),
        ("- C:4", "- ''", ["mine.yaml:8: layers.conv.3 must be loops such as 'K:16 C:4@rows P@', not ''"]),
        ("{memory: dram}", "{holds: [inputs]}", ["mine.yaml:5: layers.conv.0 needs one of loops and memory"]),
        ("{memory: dram}", "{loops: K, sliding: true}", ["mine.yaml:5: layers.conv.0 needs memory for holds and sliding; loops take neither"]),
        ("  conv:", "  'K:3 K:4':", ["mine.yaml:4: layers.K:3 K:4 is no shape: give every dim once, as in 'K:96 C:3 P:55 Q:55 R:11 S:11'"]),
        ("layers:", "layer:", ["mine.yaml:3: layer: unknown field; did you mean 'layers'?"]),
    ],
)  # fmt: skip
def test_one_mistake_one_sentence(tmp_path, old, new, sentences):
    assert refusal(tmp_path, GOOD.replace(old, new, 1)) == sentences


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ("  conv:", "  conv1:", ["mine.yaml:4: layers.conv1: net has no operator 'conv1'; did you mean 'conv'?"]),
        ("  conv:", "  'K:9 C:9':", ["conv: mapping 'mine' does not cover the layer; list it below 'layers:' as 'conv' or as 'K:32 C:8 P:13 Q:13 R:3 S:3', or name a dataflow for all that are not listed, e.g. 'others: rs'"]),
        ("K:32", "K:64", ["conv: mine.yaml:6: layers.conv.1: 'K:64' is larger than the 32 positions of K that are left here; the largest that works is 'K:32'"]),
        ("memory: dram", "memory: glb", ["conv: mine.yaml:5: layers.conv.0 must be {memory: dram}: dram holds the whole layer"]),
        ("filter_spad", "filters", ["conv: mine.yaml:12: layers.conv.7.memory: eyeriss has no memory 'filters'; did you mean 'filter_spad'?"]),
        ("holds: [outputs]", "holds: [weights]", ["conv: mine.yaml:7: layers.conv.2.holds: glb cannot hold weights; it holds inputs and outputs"]),
        ("    - {memory: psum_spad}\n", "", ["conv: mine.yaml:4: layers.conv: no register_file keeps outputs; add {memory: psum_spad, holds: [outputs]} at the end"]),
        ("    - {memory: glb, holds: [outputs]}\n", "", ["conv: mine.yaml:4: layers.conv: no buffer keeps outputs on their way to the dram; add {memory: glb}"]),
        ("{memory: psum_spad}", "{memory: psum_spad, sliding: true}", ["conv: mine.yaml:14: layers.conv.9.sliding: only inputs slide, and psum_spad holds none here"]),
        ("holds: [inputs]", "holds: [outputs]", ["conv: mine.yaml:9: layers.conv.4: glb keeps outputs already further out"]),
        ("R@rows", "R@sides", ["conv: mine.yaml:4: layers.conv: unknown axis 'sides'; the array has rows and columns, and '@' alone is any of its elements"]),
        ("P@ R@rows", "P@rows R@columns", ["conv: mine.yaml:4: layers.conv: P@rows R@columns spans 13 rows, and the array has 12"]),
        ("P@ R@rows", "P@ K:1@ R@rows", ["conv: mine.yaml:4: layers.conv: P@ K@ R@rows needs 208 processing elements for '@', and 56 sets of them fit the array of 12 x 14; unroll at most 56, e.g. by a larger tile in 'K@'"]),
    ],
)  # fmt: skip
def test_a_machine_says_what_does_not_suit_it(tmp_path, old, new, sentences):
    assert on_eyeriss(tmp_path, GOOD.replace(old, new, 1)) == sentences


def test_a_buffer_that_is_too_small_names_the_smallest_that_works(tmp_path):
    settings = {"components.glb.size": "10 KiB"}
    (sentence,) = on_eyeriss(tmp_path, GOOD, settings=settings)
    assert sentence == (
        "conv: mine.yaml:4: layers.conv: components.glb.size of 10240 B is too small for the tiles kept there:"
        " outputs need most (inputs 1800 B, outputs 10816 B; one buffer); the smallest size that works is 12616 B"
    )
    file = written(tmp_path, GOOD)
    acs.simulate(net(), "eyeriss", mapping=file, settings={"components.glb.size": "12616 B"})
    with pytest.raises(acs.AccelsimError):
        acs.simulate(net(), "eyeriss", mapping=file, settings={"components.glb.size": "12615 B"})


def test_registers_and_buffers_on_the_wrong_side_of_the_array(tmp_path):
    text = GOOD.replace("    - {memory: filter_spad}\n", "").replace(
        "    - P@", "    - {memory: filter_spad}\n    - P@"
    )
    assert on_eyeriss(tmp_path, text) == [
        "conv: mine.yaml:4: layers.conv: filter_spad belongs to one element: it must stand inside the loops with '@'"
    ]
    text = GOOD.replace("    - C:4\n", "    - C:4@\n")
    assert on_eyeriss(tmp_path, text)[0] == (
        "conv: mine.yaml:4: layers.conv: glb is shared by the array: it must stand outside the loops with '@'"
    )


def test_elements_left_beside_named_sides(tmp_path):
    """13 columns and 3 rows of 12 x 14 leave four sets, which two blocks of filters fit and five do not."""
    fits = GOOD.replace("P@ R@rows", "P@columns R@rows K:8@")
    assert acs.simulate(net(), "eyeriss", mapping=written(tmp_path, fits)).operators[0].pes == 78
    (sentence,) = on_eyeriss(tmp_path, GOOD.replace("P@ R@rows", "P@columns R@rows K:3@"))
    assert sentence == (
        "conv: mine.yaml:4: layers.conv: P@columns R@rows K:3@ needs 6 processing elements for '@', and 4 sets of"
        " them fit the array of 12 x 14; unroll at most 4, e.g. by a larger tile in 'K:3@'"
    )


def test_the_batch_is_not_part_of_a_layer(tmp_path):
    text = GOOD.replace("G N P:13", "G N:4 P:13")
    one = acs.simulate(net(), "eyeriss", mapping=written(tmp_path, text))
    assert one.latency_s == acs.simulate(net(), "eyeriss", mapping=written(tmp_path, GOOD)).latency_s


def test_a_mapping_is_for_a_pe_array(tmp_path):
    with pytest.raises(
        acs.AccelsimError, match=r"^systolic-16x16: a mapping file is for a pe_array, not a systolic_array$"
    ):
        acs.simulate(net(), "systolic-16x16", mapping=written(tmp_path, GOOD))


def test_a_layer_is_found_by_its_shape_too(tmp_path):
    by_shape = GOOD.replace("  conv:", "  'K:32 C:8 P:13 Q:13 R:3 S:3':")
    first = acs.simulate(net(), "eyeriss", mapping=written(tmp_path, GOOD))
    second = acs.simulate(net(), "eyeriss", mapping=written(tmp_path, by_shape, "shape.yaml"))
    assert first.latency_s == second.latency_s


def test_layers_that_are_not_listed_go_to_the_dataflow_of_others(tmp_path):
    graph = from_layers(
        "net", [LAYER, {"name": "next", "type": "convolution", "out_channels": 8, "kernel": 1}]
    )
    text = GOOD.replace("layers:", "others: ws\nlayers:")
    result = acs.simulate(graph, "eyeriss", mapping=written(tmp_path, text))
    alone = acs.simulate(graph, "eyeriss", dataflow="ws")
    assert result.operators[1].cycles == alone.operators[1].cycles
    assert result.operators[0].mapping.startswith(
        "[dram inputs weights outputs] G N P:13 K:32 [glb outputs] C:4"
    )


def test_what_is_written_reads_back_as_itself(tmp_path):
    mapping = load_mapping("eyeriss-alexnet")
    again = load_mapping(written(tmp_path, write(resolved(mapping))))
    assert again == mapping
    shape = ConvShape(K=96, C=3, P=55, Q=55, R=11, S=11, stride=(4, 4), size=(227, 227))
    nest = read_nest(
        mapping.layers["conv1"],
        shape,
        {"filter_spad": ["weights"], "ifmap_spad": ["inputs"], "psum_spad": ["outputs"]},
    )
    assert [level.name for level in nest.levels] == [
        "dram", "glb.outputs", "glb.inputs", "filter_spad", "ifmap_spad", "psum_spad"
    ]  # fmt: skip
    assert read_nest(write_nest(nest), shape) == nest


def test_both_engines_run_a_given_nest_alike():
    fast = acs.simulate("alexnet", "eyeriss", mapping="eyeriss-alexnet")
    slow = acs.simulate("alexnet", "eyeriss", mapping="eyeriss-alexnet", engine="simpy")
    assert fast.latency_s == slow.latency_s
