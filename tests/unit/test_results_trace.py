"""The trace that Perfetto opens: tracks, spans and jumps."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import accelsim as acs
from accelsim.results import ResourceResult
from accelsim.results.trace import Jump, Timeline

NEEDED = {"X": {"pid", "tid", "cat", "name", "ts", "dur"}, "M": {"pid", "tid", "name", "args"}}


@pytest.fixture(scope="module")
def result():
    return acs.simulate("resnet18", "eyeriss")


def written(result, folder):
    result.write_trace(folder / "trace.json")
    return json.loads((folder / "trace.json").read_text(encoding="utf-8"))


def spans(trace, category):
    return [e for e in trace["traceEvents"] if e.get("cat") == category]


def tracks(trace):
    return {e["args"]["name"]: e["tid"] for e in trace["traceEvents"] if e["name"] == "thread_name"}


@pytest.fixture(scope="module")
def trace(result, tmp_path_factory):
    return written(result, tmp_path_factory.mktemp("trace"))


def test_every_event_has_what_its_phase_needs(trace):
    assert trace["displayTimeUnit"] == "ns"
    assert trace["otherData"] == {"workload": "resnet18", "architecture": "eyeriss", "engine": "compiled"}
    for event in trace["traceEvents"]:
        assert NEEDED[event["ph"]] <= set(event)
        if event["ph"] == "X":
            assert event["ts"] >= 0
            assert event["dur"] > 0


def test_one_track_per_resource_and_one_for_operators(result, trace):
    names = [r.name for r in result.queues]
    assert list(tracks(trace)) == ["operators", *names, "not simulated again"]


def test_spans_of_a_track_do_not_overlap(trace):
    by_track: dict[int, list[tuple[float, float]]] = {}
    for e in trace["traceEvents"]:
        if e["ph"] == "X":
            by_track.setdefault(e["tid"], []).append(
                (round(e["ts"] * 1e6), round((e["ts"] + e["dur"]) * 1e6))
            )
    for intervals in by_track.values():
        intervals.sort()
        assert all(later[0] >= earlier[1] for earlier, later in pairwise(intervals))


def test_operators_span_the_run_with_their_cycles(result, trace):
    shown = spans(trace, "operator")
    assert [e["name"] for e in shown] == [o.name for o in result.operators if o.start_s is not None]
    assert sum(e["dur"] for e in shown) == pytest.approx(result.latency_s * 1e6)
    assert sum(e["args"]["cycles"] for e in shown) == result.cycles


def test_cycles_of_a_task_are_its_duration_times_the_clock(result, trace):
    for event in spans(trace, "task"):
        assert event["args"]["cycles"] == pytest.approx(event["dur"] * 1e-6 * result.clock_Hz, abs=1e-3)


def test_what_is_simulated_and_what_is_jumped_make_the_run(result, trace):
    jumped = spans(trace, "jump")
    assert jumped
    assert {e["name"] for e in jumped} == {"as an equal part before"}
    inside = {e["args"]["operator"] for e in spans(trace, "task")}
    shown = [e for e in spans(trace, "operator") if e["name"] in inside]
    both = sum(e["dur"] for e in (*shown, *jumped))
    assert both == pytest.approx(result.latency_s * 1e6)


def small(result, servers):
    """Four tasks on one resource, two at a time, and a pure delay."""
    columns = ([0, 0, 5, 10, 0], [10, 5, 20, 20, 20], [0, 0, 0, 0, -1], [0, 1, 0, 1, 0], [0] * 5)
    arrays = [np.array(c, np.int64) * (10**6 if i < 2 else 1) for i, c in enumerate(columns)]
    timeline = Timeline(("bank",), ('read "a"', "write"), ("one\n",), *arrays, (Jump(20, 30, "again"),))
    bank = ResourceResult("bank", servers, 1.0, 0.5, None, None)
    return replace(result, resource_results=(bank,), operators=(), timeline=lambda whole: timeline)


def test_every_server_has_a_track_of_its_own(result, tmp_path):
    trace = written(small(result, 2), tmp_path)
    named = tracks(trace)
    assert list(named) == ["operators", "bank 0", "bank 1", "not simulated again"]
    where = [(e["name"], e["ts"], e["tid"] - named["bank 0"]) for e in spans(trace, "task")]
    assert where == [('read "a"', 0, 1), ("write", 0, 0), ('read "a"', 5, 0), ("write", 10, 1)]
    assert {e["args"]["operator"] for e in spans(trace, "task")} == {"one\n"}


def test_without_a_common_clock_there_are_no_cycles(result, tmp_path):
    trace = written(replace(small(result, 2), clock_Hz=None), tmp_path)
    assert all(set(e["args"]) == {"operator"} for e in spans(trace, "task"))
