"""Switches mapper, dataflow, goal and depth_first: what they choose, what they say, what they refuse."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import pytest

import accelsim as acs
from accelsim.graph.layers import from_layers
from accelsim.mapping.asic.chains import Strips, best_cuts, room_bytes
from accelsim.mapping.asic.layer import Widths

CONV = {
    "name": "a", "type": "convolution", "in_channels": 8, "input": [16, 16], "out_channels": 16, "kernel": 3,
    "padding": 1,
}  # fmt: skip


def net(*more, batch=1):
    return from_layers("net", [CONV, *more], batch=batch)


def conv(name, **changes):
    return {"name": name, "type": "convolution", "out_channels": 16, "kernel": 3, "padding": 1} | changes


def refusal(graph, architecture, **options):
    with pytest.raises(acs.AccelsimError) as caught:
        acs.simulate(graph, architecture, **options)
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("architecture", "goal"), [("pe-array", "latency"), ("pe-array", "edp"), ("eyeriss", "energy")]
)
def test_the_mapping_found_is_never_worse_than_the_template(architecture, goal):
    graph = net(conv("b", out_channels=24, stride=2), conv("c", out_channels=24, groups=4))
    one, other = (acs.simulate(graph, architecture, goal=goal, mapper=m) for m in ("template", "best"))
    for old, new in zip(one.operators, other.operators, strict=True):
        figure = {
            "latency": (old.closed_form_s, new.closed_form_s),
            "energy": (old.energy_J, new.energy_J),
            "edp": (old.closed_form_s * old.energy_J, new.closed_form_s * new.energy_J),
        }[goal]
        assert figure[1] <= figure[0] * (1 + 1e-12)
        order = {"latency": "latency then energy", "energy": "energy then latency", "edp": "edp then latency"}
        assert new.certificate in (
            f"optimal for {order[goal]}",
            "the template, better than the mapping found once filling and draining count",
        )
        assert old.certificate == ""
    assert other.lower_bound_s <= other.latency_s <= other.upper_bound_s
    assert any(n.startswith("mapper: 3 of 3 layer shapes are proven optimal") for n in other.notes)
    assert list(other.to_frame().certificate) == [o.certificate for o in other.operators]


def test_mappings_found_are_written_and_evaluated_again(tmp_path):
    graph = net(conv("b", out_channels=24), conv("c", out_channels=24))
    model = acs.compile(graph, "pe-array", mapper="best")
    found = model.run()
    model.write_mapping(tmp_path / "found.yaml")
    again = acs.simulate(graph, "pe-array", mapping=str(tmp_path / "found.yaml"))
    assert again.latency_s == found.latency_s
    assert again.energy_J == found.energy_J
    assert [o.bytes for o in again.operators] == [o.bytes for o in found.operators]


def test_a_budget_that_is_too_small_leaves_a_gap():
    graph = from_layers("net", [CONV | {"in_channels": 96, "out_channels": 120, "input": [27, 27]}])
    result = acs.simulate(
        graph,
        "pe-array",
        mapper="best",
        mapper_budget="1 ns",
        settings={"components.noc.bandwidth": "1 GB/s"},
    )
    (note,) = [n for n in result.notes if n.startswith("mapper:")]
    assert "0 of 1 layer shapes" in note or "1 of 1 layer shapes" in note
    if "0 of 1" in note:
        assert "the worst gap of the others is" in note


def test_each_layer_takes_the_best_of_the_dataflows():
    graph = net(conv("b", out_channels=64, kernel=1, padding=0), conv("c", out_channels=8, stride=2))
    alone = {d: acs.simulate(graph, "pe-array", dataflow=d) for d in ("ws", "os", "is")}
    best = acs.simulate(graph, "pe-array", dataflow="is,ws,os")
    for index, operator in enumerate(best.operators):
        figures = {d: r.operators[index].closed_form_s for d, r in alone.items()}
        assert operator.closed_form_s == min(figures.values())
        assert figures[operator.mapping.partition(":")[0]] == min(figures.values())
    (note,) = [n for n in best.notes if n.startswith("dataflow:")]
    assert note.startswith("dataflow: the best for latency of is, ws, os; layer shapes that take each: ")


def test_ties_go_to_the_dataflow_named_first(tmp_path):
    shipped = (acs.load_dataflow("ws"), "ws")[0]
    assert shipped.name == "ws"
    text = "kind: dataflow\nname: NAME\nclusters:\n  - {loops: ['K@', 'C*R*S:rows', 'N:1', 'P:1', 'Q:1']}\n  - {size: rows, loops: ['C*R*S@']}\n"
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(text.replace("NAME", name), encoding="utf-8")
    one, two = (str(tmp_path / f"{n}.yaml") for n in ("one", "two"))
    assert acs.simulate(net(), "pe-array", dataflow=f"{one},{two}").operators[0].mapping.startswith("one: ")
    assert acs.simulate(net(), "pe-array", dataflow=f"{two},{one}").operators[0].mapping.startswith("two: ")


def test_every_shipped_dataflow_that_fits_may_be_tried():
    best = acs.simulate(net(), "systolic-16x16", dataflow="best")
    alone = [acs.simulate(net(), "systolic-16x16", dataflow=d).closed_form_s for d in ("ws", "os", "is")]
    assert best.closed_form_s == min(alone)


@pytest.mark.parametrize(
    ("architecture", "options", "sentences"),
    [
        ("pe-array", {"dataflow": "ws,ws,os"}, ["dataflow 'ws,ws,os' lists 'ws' twice"]),
        ("pe-array", {"dataflow": "ws,"}, ["dataflow 'ws,' has a comma with no name beside it"]),
        ("pe-array", {"dataflow": "ws,best"}, ["dataflow 'ws,best': 'best' stands alone: it means every shipped dataflow"]),
        ("pe-array", {"dataflow": "wss,oss"}, ["no dataflow named 'wss'; did you mean 'ws'?", "no dataflow named 'oss'; did you mean 'os'?"]),
        ("pe-array", {"mapper": "bset"}, ["pe-array: switch mapper must be 'template' or 'best', not 'bset'; did you mean 'best'?"]),
        ("systolic-16x16", {"mapper": "best"}, ["systolic-16x16: mapper=best is for a pe_array, whose elements have registers, not a systolic_array; its mapping follows from the dataflow, and dataflow=best tries them all"]),
        ("eyeriss", {"mapping": "eyeriss-alexnet", "depth_first": True}, ["mapping 'eyeriss-alexnet' lists whole layers, and depth_first maps strips of them; leave one of the two out"]),
        ("nasaic-w1", {"depth_first": True}, ["nasaic-w1: switch depth_first is for one array, not for a chip of parts"]),
        ("nasaic-w1", {"goal": "edp", "scheduler": "exact"}, ["net on nasaic-w1: scheduler=exact proves goal latency or energy, not edp; take search"]),
        ("pe-array", {"calibration": "maestro2019", "mapper": "best"}, ["pe-array: switch mapper belongs to calibration 'physical'; 'maestro2019' has none"]),
    ],
)  # fmt: skip
def test_one_mistake_one_sentence(architecture, options, sentences):
    assert refusal(net(), architecture, **options) == sentences


def test_a_chip_strives_for_the_product():
    graph = net(conv("b"), conv("c"))
    figures = {}
    for goal in ("latency", "energy", "edp"):
        result = acs.simulate(graph, "nasaic-w1", goal=goal, engine="closed-form")
        figures[goal] = result.closed_form_s * result.energy_J
    assert figures["edp"] <= min(figures["latency"], figures["energy"]) * (1 + 1e-12)


def test_a_chain_in_strips():
    """8 -> 16 -> 16 channels of 16 x 16: the ends are 2048 and 4096 B, the weights 1152 and 2304 B."""
    graph = net({"name": "r", "type": "relu"}, conv("b"))
    fields = {"components.glb.size": "12 KiB"}
    alone, fused = (acs.simulate(graph, "pe-array", settings=fields, depth_first=d) for d in (False, True))
    first, second = (o for o in fused.operators if o.macs)
    assert first.bytes["dram"] == 2048 + 1152
    assert second.bytes["dram"] == 2304 + 4096
    assert (first.start_s, first.end_s) == (second.start_s, second.end_s)
    assert fused.operators[1].fused_into == "a"
    assert fused.latency_s == first.end_s
    assert fused.cycles == first.cycles
    before = sum(o.bytes.get("dram", 0) for o in alone.operators)
    notes = [n for n in fused.notes if n.startswith("depth-first")]
    assert notes[0].startswith("depth-first: a+b in ")
    assert notes[0].endswith(f" of 12288 B of glb; dram moves 9600 B instead of {before} B layer by layer")
    assert notes[1] == f"depth-first saves {before - 9600} B of dram traffic against layer by layer"
    strips = int(notes[0].split()[3])
    assert strips > 1
    assert first.mapping.startswith(
        f"depth-first in a+b, strips of {-(-16 // strips)} rows of b; the first: "
    )


@pytest.mark.parametrize(
    ("graph", "architecture", "size", "note"),
    [
        (net(conv("b")), "eyeriss", None, "depth-first: nothing is fused: no memory next to dram holds inputs, weights and outputs together"),
        (net(), "pe-array", None, "depth-first: nothing is fused: no layer with MACs is the only reader of the one before it"),
        (net({"name": "p", "type": "max_pool", "kernel": 2, "stride": 2}, conv("b")), "pe-array", None, "depth-first: nothing is fused: no layer with MACs is the only reader of the one before it"),
        (net(conv("b"), {"name": "s", "type": "add", "inputs": ["a", "b"]}), "pe-array", None, "depth-first: nothing is fused: no layer with MACs is the only reader of the one before it"),
        (net(conv("b")), "pe-array", "4 KiB", "depth-first: nothing is fused: b after a needs 6784 B of glb, 2688 B more than it has"),
    ],
)  # fmt: skip
def test_why_nothing_is_fused(graph, architecture, size, note):
    fields = {} if size is None else {"components.glb.size": size}
    result = acs.simulate(graph, architecture, depth_first=True, settings=fields)
    assert [n for n in result.notes if n.startswith("depth-first")] == [note]
    assert result.latency_s == acs.simulate(graph, architecture, settings=fields).latency_s


def test_strips_and_the_mapper_together():
    graph = net(conv("b"), conv("c"), batch=2)
    result = acs.simulate(graph, "pe-array", depth_first=True, mapper="best", dataflow="ws,os")
    moved = sum(o.bytes["dram"] for o in result.operators)
    assert moved == 2 * 2048 + 1152 + 2304 + 2304 + 2 * 4096
    assert result.lower_bound_s <= result.latency_s <= result.upper_bound_s


def test_room_of_a_chain():
    """In the first strip of one row: 3456 B of weights, 3 rows of input (384 B) and 3 more that DRAM brings ahead,
    2 rows of 32-bit sums (2048 B), two rows of output (256 B each) on their way out.
    """
    shapes = [operator.shapes[0] for operator in net(conv("b")).operators]
    assert room_bytes(Strips(tuple(shapes), 1), Widths(8, 8, 8, 32), 2) == 3456 + 2 * 384 + 2048 + 2 * 256


def test_cuts_move_least():
    """Three layers, any two or all three together: the pair that saves most, shorter runs among equals."""
    assert best_cuts([10, 10, 10], {}) == [(0, 1), (1, 2), (2, 3)]
    assert best_cuts([10, 10, 10], {(0, 2): 15, (1, 3): 14}) == [(0, 1), (1, 3)]
    assert best_cuts([10, 10, 10], {(0, 2): 15, (1, 3): 14, (0, 3): 23}) == [(0, 3)]
    assert best_cuts([10, 10, 10], {(0, 3): 30}) == [(0, 1), (1, 2), (2, 3)]
