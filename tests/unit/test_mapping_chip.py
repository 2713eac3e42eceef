"""Chips of several parts: what is shared, who runs what, planned times and contention, sentences."""

import itertools

import pytest

import accelsim as acs
from accelsim.errors import AccelsimError
from accelsim.graph.join import join
from accelsim.graph.layers import from_layers

CONV = {
    "type": "convolution",
    "in_channels": 16,
    "input": [16, 16],
    "out_channels": 32,
    "kernel": 3,
    "padding": 1,
}


def network(name, layers=3):
    rest = [{"name": f"c{i}", "type": "convolution", "out_channels": 32, "kernel": 3, "padding": 1}
            for i in range(1, layers)]  # fmt: skip
    return from_layers(name, [{"name": "c0", **CONV}, *rest, {"name": "act", "type": "relu"}])


CHIP = """
kind: architecture
name: pair
mapping: asic
{components}
parts:
  a: {{architecture: pe-array, dataflow: ws, pes: 64, bandwidth: 16 GB/s{more}}}
  b: {{architecture: pe-array, dataflow: rs, pes: 128, bandwidth: 8 GB/s}}
"""


def chip(tmp_path, components="", more=""):
    path = tmp_path / "pair.yaml"
    path.write_text(CHIP.format(components=components, more=more), encoding="utf-8")
    return str(path)


def both():
    return join([network("one"), network("two", 2)])


def test_two_networks_on_two_parts(tmp_path):
    result = acs.simulate(both(), chip(tmp_path))
    timed = [o for o in result.operators if o.start_s is not None]
    assert {o.unit for o in timed} <= {"a", "b"}
    assert len(timed) == 5
    for name in ("one", "two"):
        mine = [o for o in timed if o.name.startswith(name)]
        assert all(x.end_s <= y.start_s for x, y in itertools.pairwise(mine))
        assert all(x.planned_end_s <= y.planned_start_s for x, y in itertools.pairwise(mine))
    for unit in ("a", "b"):
        mine = sorted((o for o in timed if o.unit == unit), key=lambda o: o.start_s)
        assert all(x.end_s <= y.start_s for x, y in itertools.pairwise(mine))
    assert result.latency_s == max(o.end_s for o in timed)
    assert result.closed_form_s == max(o.planned_end_s for o in timed)
    assert result.lower_bound_s <= result.latency_s <= result.upper_bound_s
    names = [r.name for r in result.resource_results]
    assert names.count("dram") == 1
    assert {"a.pe", "b.pe", "a.noc", "b.noc"} <= set(names)
    assert sum(e for e in result.energy_by_component_J.values()) == pytest.approx(result.energy_J, rel=1e-12)
    assert sum(o.energy_J or 0 for o in result.operators) == pytest.approx(result.energy_J, rel=1e-12)
    assert "pair" in str(result)
    assert list(result.to_frame()["unit"].dropna()) == [o.unit for o in timed]


def test_both_engines_agree_and_the_closed_form_is_the_schedule(tmp_path):
    file = chip(tmp_path)
    fast, slow = (acs.simulate(both(), file, engine=e) for e in ("compiled", "simpy"))
    assert fast.latency_s == slow.latency_s
    assert [o.end_s for o in fast.operators] == [o.end_s for o in slow.operators]
    assert acs.simulate(both(), file, engine="closed-form").latency_s == fast.closed_form_s


def test_one_network_alone_takes_as_long_as_its_layers_on_the_parts_alone(tmp_path):
    """Without anything to contend with, the chip is as fast as single machines, layer by layer."""
    result = acs.simulate(network("one"), chip(tmp_path))
    alone = {
        "a": acs.simulate(network("one"), "pe-array", settings=settings(64, 16, "ws")),
        "b": acs.simulate(network("one"), "pe-array", settings=settings(128, 8, "rs")),
    }
    for operator in result.operators:
        if operator.unit is not None:
            single = next(o for o in alone[operator.unit].operators if o.name == operator.name)
            assert operator.latency_s == pytest.approx(single.latency_s, rel=1e-9)


def settings(pes, bandwidth, dataflow):
    return {
        "parameters.pes": pes,
        "parameters.bandwidth": f"{bandwidth} GB/s",
        "parameters.dataflow": dataflow,
    }


def test_the_exact_schedule_is_never_longer_and_energy_within_a_deadline_never_higher(tmp_path):
    file = chip(tmp_path)
    quick = acs.simulate(both(), file, engine="closed-form")
    exact = acs.simulate(both(), file, engine="closed-form", scheduler="exact")
    assert exact.latency_s <= quick.latency_s
    relaxed = acs.simulate(
        both(), file, engine="closed-form", goal="energy", deadline="1 s", scheduler="exact"
    )
    assert relaxed.energy_J <= exact.energy_J
    with pytest.raises(
        AccelsimError, match=r"^one\+two on pair: no schedule meets the deadline of 1 us; the sh"
    ):
        acs.simulate(both(), file, goal="energy", deadline="1 us")


def test_contention_for_the_memory_shows(tmp_path):
    """A slower shared link stretches the events beyond the schedule, never below it."""
    slow = chip(tmp_path, "components:\n  ring: {class: link, bandwidth: 1 GB/s, energy: 1 pJ/B}")
    result = acs.simulate(both(), slow)
    free = acs.simulate(both(), chip(tmp_path))
    assert result.latency_s > free.latency_s
    assert result.latency_s > result.closed_form_s
    crossing = sum(o.bytes.get("ring", 0) for o in result.operators)
    assert crossing == sum(o.bytes.get("dram", 0) for o in result.operators) > 0
    assert result.energy_by_component_J["ring"] == pytest.approx(crossing * 1e-12)


def test_a_deadline_that_contention_breaks_is_said(tmp_path):
    slow = chip(tmp_path, "components:\n  ring: {class: link, bandwidth: 1 GB/s, energy: 1 pJ/B}")
    planned = acs.simulate(both(), slow, goal="energy").closed_form_s
    result = acs.simulate(both(), slow, goal="energy", deadline=f"{planned * 1e6 + 0.001:.6f} us")
    assert result.latency_s > planned
    assert any(note.startswith("with contention the deadline of ") for note in result.notes)
    loose = acs.simulate(both(), slow, goal="energy", deadline="1 s")
    assert not any("deadline of" in note for note in loose.notes)


def test_a_global_buffer_is_shared_out(tmp_path):
    components = (
        "components:\n  pool: {class: sram, size: 128 KiB, bandwidth: 8 GB/s, read_energy: 1 pJ/B,"
        " write_energy: 1 pJ/B, area_per_byte: 1 um2/B}"
    )
    result = acs.simulate(both(), chip(tmp_path, components))
    assert [r.name for r in result.resource_results].count("pool") == 1
    assert sum(o.bytes.get("pool", 0) for o in result.operators) > 0
    assert result.area_by_component_mm2["pool"] == pytest.approx(128 * 1024 * 1e-6)


@pytest.mark.parametrize(
    ("components", "more", "sentence"),
    [
        ("", ", dram_bandwidth: 1 GB/s", "pair: parts.a.components.dram and parts.b.components.dram differ,"
         " but the parts share one memory; make them equal or give the chip a dram"),
        ("components:\n  noc: {class: link, bandwidth: 1 GB/s}", "",
         "pair: parts.a.components.noc: the chip has a component of this name; rename one"),
        ("components:\n  x: {class: pe_array, pes: 4, clock: 1 GHz, dataflow: ws}", "",
         "pair: components.x: an array belongs to a part, not to the chip"),
    ],
)  # fmt: skip
def test_what_cannot_be_shared_is_said(tmp_path, components, more, sentence):
    with pytest.raises(AccelsimError) as raised:
        acs.simulate(both(), chip(tmp_path, components, more))
    assert raised.value.problems[0] == sentence


def test_the_dataflow_switch_belongs_to_parts(tmp_path):
    with pytest.raises(
        AccelsimError, match=r"^pair: switch dataflow is for one array; set parts\.a\.dataflow"
    ):
        acs.simulate(both(), chip(tmp_path), dataflow="os")


def test_the_gantt_chart_has_a_row_per_part(tmp_path):
    result = acs.simulate(both(), chip(tmp_path))
    ax = result.plot_gantt()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["b", "a"] or len(ax.get_yticklabels()) == 2
    with pytest.raises(AccelsimError, match="is no chip of several parts; use plot_timeline"):
        acs.simulate(network("one"), "pe-array").plot_gantt()


def test_the_trace_names_the_layers(tmp_path):
    import json

    result = acs.simulate(both(), chip(tmp_path))
    path = tmp_path / "t.json"
    result.write_trace(path)
    events = json.loads(path.read_text())["traceEvents"]
    named = {e["args"]["operator"] for e in events if "operator" in e.get("args", {})}
    assert {"one.c0", "one.c2", "two.c1"} <= named
