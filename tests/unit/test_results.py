"""What a result says, and in which form."""

import json
from itertools import pairwise

import pytest

import accelsim as acs
from accelsim.results.quantity import quantity

JSON_OF_THE_DESIGN = {
    "workload", "architecture", "engine", "latency_s", "energy_J", "area_mm2", "lower_bound_s",
    "upper_bound_s", "metrics", "operators", "resources", "cycles", "closed_form_s", "route",
    "counts", "preset", "switches", "sources",
}  # fmt: skip
OPERATOR_OF_THE_DESIGN = {
    "name", "type", "macs", "parameters", "bytes", "cycles", "start_s", "end_s", "utilisation", "bound_by",
    "energy_J",
}  # fmt: skip
ADDED = {
    "critical_s", "energy_by_component_J", "area_by_component_mm2", "assumptions", "notes", "clock_Hz",
    "peak_macs_per_s", "memory_B_per_s",
}  # fmt: skip
ADDED_TO_OPERATORS = {
    "closed_form_s",
    "fused_into",
    "mapping",
    "certificate",
    "pes",
    "held_B",
    "unit",
    "planned_start_s",
    "planned_end_s",
}


@pytest.fixture(scope="module")
def result():
    return acs.simulate("resnet8", "eyeriss")


@pytest.fixture(scope="module")
def estimate():
    return acs.simulate("resnet8", "eyeriss", engine="closed-form")


def test_json_has_the_names_that_other_scripts_rely_on(result):
    data = json.loads(json.dumps(result.to_dict()))
    assert set(data) == JSON_OF_THE_DESIGN | ADDED
    assert set(data["operators"][0]) == OPERATOR_OF_THE_DESIGN | ADDED_TO_OPERATORS
    assert set(data["resources"][0]) == {"name", "servers", "busy_s", "utilisation", "bytes", "energy_J"}
    assert set(data["route"]) == {"kind", "period", "transient"}
    assert set(data["counts"]) == {"tasks", "simulated"}


def test_a_number_that_is_not_known_is_null(result):
    assert json.loads(json.dumps(result.to_dict()))["area_mm2"] is None


def test_shares_of_the_bottlenecks_add_up_to_one(result):
    frame = result.bottlenecks()
    assert frame["share"].sum() == pytest.approx(1)
    assert frame["critical_s"].sum() == pytest.approx(result.latency_s)
    assert frame["share"].is_monotonic_decreasing


def test_operators_follow_each_other_without_gap_or_overlap(result):
    timed = [o for o in result.operators if o.start_s is not None]
    for a, b in pairwise(timed):
        assert b.start_s == pytest.approx(a.end_s)
    assert timed[-1].end_s == pytest.approx(result.latency_s)


def test_frame_has_a_row_per_operator_and_units_in_its_names(result):
    frame = result.to_frame()
    assert len(frame) == len(result.operators)
    assert {"operator", "cycles", "latency_s", "energy_J", "bytes_dram"} <= set(frame.columns)


def test_resources_are_busy_for_at_most_the_run(result):
    frame = result.resources().dropna(subset="busy_s")
    assert (frame["busy_s"] <= result.latency_s * (1 + 1e-9)).all()
    assert (frame["utilisation"] <= 1 + 1e-9).all()


def test_resources_account_for_all_energy_and_all_bytes(result):
    """A link with two ways is two resources of one component; registers and a buffer without port none."""
    rows = {r.name: r for r in result.resource_results}
    assert list(rows) == [
        "dram", "ifmap_noc", "filter_noc", "psum_noc in", "psum_noc out", "pe",
        "glb", "filter_spad", "ifmap_spad", "psum_spad",
    ]  # fmt: skip
    assert sum(r.energy_J for r in rows.values()) == pytest.approx(result.energy_J, rel=1e-12)
    parts = [rows["psum_noc in"], rows["psum_noc out"]]
    whole = result.energy_by_component_J["psum_noc"]
    assert sum(p.energy_J for p in parts) == pytest.approx(whole, rel=1e-12)
    assert parts[0].energy_J / parts[1].energy_J == pytest.approx(parts[0].bytes / parts[1].bytes)
    for name in list(rows)[6:]:
        assert (rows[name].servers, rows[name].busy_s, rows[name].utilisation) == (None, None, None)
        assert rows[name].energy_J == result.energy_by_component_J[name]
        assert rows[name].bytes == sum(o.bytes.get(name, 0) for o in result.operators)
    assert json.loads(json.dumps(result.to_dict()))["resources"][6]["busy_s"] is None
    frame = result.resources().set_index("resource")
    assert frame.loc["glb", "bytes"] == rows["glb"].bytes
    assert frame.loc["dram", "servers"] == 1


@pytest.mark.parametrize("chip", ["systolic-16x16", "pe-array"])
def test_energies_of_resources_add_up_on_every_machine(chip):
    result = acs.simulate("resnet8", chip)
    assert sum(r.energy_J for r in result.resource_results) == pytest.approx(result.energy_J, rel=1e-12)


def test_a_component_without_a_price_stays_unknown_in_its_parts():
    result = acs.simulate("resnet8", "eyeriss", precision="int8")
    rows = {r.name: r.energy_J for r in result.resource_results}
    assert rows["pe"] is None
    assert rows["psum_noc in"] > 0


def test_trace_is_what_perfetto_reads(result, tmp_path):
    result.write_trace(tmp_path / "t.json")
    trace = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert trace["displayTimeUnit"] == "ns"
    tracks = {e["tid"]: e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "thread_name"}
    assert {"dram", "pe", "operators"} <= set(tracks.values())
    spans: dict[int, list[tuple[float, float]]] = {}
    for event in trace["traceEvents"]:
        if event["ph"] == "X":
            assert {"pid", "tid", "name", "ts", "dur"} <= set(event)
            spans.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
    for intervals in spans.values():  # every track has one server: spans do not overlap
        intervals.sort()
        assert all(b[0] >= a[1] - 1e-6 for a, b in pairwise(intervals))
    cycles = [
        e["args"]["cycles"]
        for e in trace["traceEvents"]
        if e["ph"] == "X" and "operator" in e.get("args", {})
    ]
    assert min(cycles) >= 1


def test_plots_draw_on_axes_that_are_given(result):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2)
    assert result.plot_timeline(ax=axes[0]) is axes[0]
    assert result.plot_roofline(ax=axes[1]) is axes[1]
    assert "time" in axes[0].get_xlabel()
    assert "MAC/s" in axes[1].get_ylabel()
    plt.close(figure)


def test_busy_share_of_the_timeline_is_the_busy_time(result):
    import matplotlib

    matplotlib.use("Agg")
    ax = result.plot_timeline()
    image = ax.images[0].get_array()
    for row, resource in zip(image, result.queues, strict=True):
        assert row.mean() == pytest.approx(resource.utilisation, rel=1e-6)
    matplotlib.pyplot.close("all")


def test_closed_form_has_no_events_and_says_so(estimate, tmp_path):
    with pytest.raises(acs.AccelsimError) as caught:
        estimate.write_trace(tmp_path / "t.json")
    assert str(caught.value) == "a closed-form result has no timeline; run with engine 'compiled' or 'simpy'"
    assert estimate.lower_bound_s is None
    assert estimate.counts == {"tasks": 0, "simulated": 0}


def test_engines_agree(result, estimate):
    reference = acs.simulate("resnet8", "eyeriss", engine="simpy")
    assert reference.latency_s == result.latency_s
    assert reference.cycles == result.cycles
    assert dict(reference.critical_s) == dict(result.critical_s)
    assert estimate.latency_s == pytest.approx(result.closed_form_s)


def test_html_is_escaped():
    from accelsim.graph.layers import from_layers

    layer = {"name": "<b>", "type": "gemm", "in_features": 4, "out_features": 4}
    html = acs.simulate(from_layers("<i>", [layer]), "pe-array")._repr_html_()
    assert "<b>&lt;i&gt; on pe-array</b>" in html
    assert ">&lt;b&gt;</td>" in html


def test_a_trace_that_cannot_be_written_is_one_sentence(result, tmp_path):
    with pytest.raises(acs.AccelsimError) as caught:
        result.write_trace(tmp_path / "no" / "t.json")
    assert str(caught.value).endswith("t.json: cannot write the trace: No such file or directory")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0123, "12.3 ms"),
        (None, "unknown"),
        (0, "0 s"),
        (1.5, "1.50 s"),
        (999.9e-6, "1.00 ms"),
        (2e-12, "2.00 ps"),
        (3e-15, "0.00300 ps"),
        (123.4e15, "123,400 Ts"),
        (-0.5, "-500 ms"),
    ],
)
def test_quantities_for_people(value, text):
    assert quantity(value, "s") == text
