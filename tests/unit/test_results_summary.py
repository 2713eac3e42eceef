"""The text and the tables that a person reads."""

from dataclasses import replace

import pytest

import accelsim as acs
from accelsim.results.layout import WIDTH, fitted, labelled, shorten, table
from accelsim.results.quantity import figure


@pytest.fixture(scope="module")
def result():
    return acs.simulate("resnet8", "eyeriss")


def value(result, label):
    line = next(text for text in str(result).splitlines() if text.startswith(label))
    return line.removeprefix(label).strip()


@pytest.mark.parametrize(
    ("name", "width", "text"),
    [
        ("conv1", 8, "conv1"),
        ("layer4.0.downsample", 12, "layer…sample"),
        ("abcdefgh", 3, "a…h"),
        ("abcd", 4, "abcd"),
    ],
)
def test_names_are_cut_in_the_middle(name, width, text):
    assert shorten(name, width) == text
    assert len(text) <= width


def test_columns_line_up():
    assert table([["operator", "cycles"], ["a", "1"], ["long name", "1,000"]], left=(0,)) == [
        "operator   cycles",
        "a               1",
        "long name   1,000",
    ]


def test_the_first_column_gives_way():
    rows = fitted([["x" * 200, "y" * 50]])
    assert len(table(rows)[0]) == WIDTH
    assert fitted([["x" * 200, "y" * 500]])[0][0] == "xxxxx…xxxxxx"


def test_a_long_text_goes_on_below_its_own_beginning():
    lines = labelled("source", "word " * 40, 10)
    assert lines[0].startswith("source    word")
    assert lines[1].startswith(" " * 10 + "word")
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize(
    ("name", "amount", "shown"),
    [
        ("tokens_per_s", 1250.4, ("tokens per s", "1,250")),
        ("tokens_per_s", 0.0123, ("tokens per s", "0.0123")),
        ("tokens_per_s", None, ("tokens per s", "unknown")),
        ("average_power_W", 0.0542, ("average power", "54.2 mW")),
        ("die_area_mm2", 2.5, ("die area", "2.50 mm²")),
        ("utilisation", 0.148, ("utilisation", "14.8%")),
        ("utilisation", None, ("utilisation", "unknown")),
    ],
)
def test_the_name_of_a_figure_says_its_unit(name, amount, shown):
    assert figure(name, amount) == shown


@pytest.mark.parametrize("engine", ["compiled", "simpy", "closed-form"])
@pytest.mark.parametrize("workload", ["resnet8", "ds-cnn-kws"])
def test_no_line_is_wider_than_a_terminal(workload, engine):
    lines = str(acs.simulate(workload, "eyeriss", engine=engine)).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert not any(line != line.rstrip() for line in lines)


def test_head_names_engine_preset_and_switches(result):
    assert str(result).splitlines()[:2] == [
        "resnet8 on eyeriss",
        "compiled engine, preset physical, precision=int16",
    ]


def test_every_constant_names_its_source(result):
    text = " ".join(str(result).split())
    assert all(" ".join(source.split()) in text for source in (*result.sources, *result.assumptions))


def test_closed_form_does_not_compare_itself_with_events(result):
    estimate = acs.simulate("resnet8", "eyeriss", engine="closed-form")
    assert "against the events" in str(replace(result, closed_form_s=result.latency_s * 1.1))
    assert "the events" not in str(estimate)
    assert "bounds" not in str(estimate)


def test_an_estimate_that_is_the_event_count_has_no_signed_zero(result):
    same = replace(result, closed_form_s=result.latency_s * 0.9999)
    assert value(same, "closed form").endswith("within 0.05% of the events")


def test_small_parts_stand_together(result):
    energy = {"a": 60.0, "b": 20.0, "c": 10.0, "d": 5.0, "e": 4.0, "f": 1.0, "g": None, "h": 0.0}
    assert value(replace(result, energy_by_component_J=energy), "energy").endswith(
        "a 60%, b 20%, c 10%, d 5%, others 5%"
    )
    assert value(replace(result, energy_by_component_J={"a": 999.0, "b": 1.0}), "energy").endswith("a 100%")


def test_an_unknown_total_says_because_of_which_parts(result):
    """Shares of an unknown whole would be shares of something else."""
    one = replace(result, area_mm2=None, area_by_component_mm2={"glb": 5.8, "pe": 3.8, "noc": None})
    assert value(one, "area") == "unknown  no area for noc"
    none = replace(result, area_mm2=None, area_by_component_mm2={"glb": None, "noc": None})
    assert value(none, "area") == "unknown"
    dark = replace(result, energy_J=None, energy_by_component_J={"pe": None, "dram": 1.0, "noc": None})
    assert value(dark, "energy") == "unknown  no energy for pe, noc"


def test_a_long_network_shows_what_takes_longest_in_order(result):
    one = result.operators[0]
    many = tuple(
        replace(one, name=f"n{i}", start_s=0.0, end_s=1e-3 * (1 + i % 3), bytes={"dram": 1})
        for i in range(240)
    )
    lines = str(replace(result, operators=many)).splitlines()
    names = [line.split()[0] for line in lines if line.startswith("n") and "convolution" in line]
    assert len(names) == 100
    assert [int(n[1:]) for n in names] == sorted(int(n[1:]) for n in names)
    assert sum(int(n[1:]) % 3 == 2 for n in names) == 80
    assert "and 140 that take less time" in lines


def test_operators_with_other_memories_get_a_neutral_heading(result):
    first = replace(result.operators[0], bytes={"hbm": 8})
    assert " dram" in str(result).splitlines()[3]
    assert str(replace(result, operators=(first, *result.operators[1:]))).splitlines()[3].endswith("memory")


def test_cycles_stay_whole_numbers_in_the_table(result):
    frame = result.to_frame()
    assert str(frame["cycles"].dtype) == "Int64"
    assert int(frame["cycles"].sum()) == result.cycles
    assert (frame["end_s"] - frame["start_s"]).sum() == pytest.approx(result.latency_s)


def test_tables_of_a_result_without_events_are_empty_but_named():
    estimate = acs.simulate("resnet8", "eyeriss", engine="closed-form")
    assert list(estimate.resources().columns) == [
        "resource", "servers", "busy_s", "utilisation", "bytes", "energy_J",
    ]  # fmt: skip
    assert list(estimate.bottlenecks().columns) == ["activity", "critical_s", "share"]
    assert len(estimate.resources()) == len(estimate.bottlenecks()) == 0
