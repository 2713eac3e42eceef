"""Shipped chips and dataflows with one thing changed, run on a small network: an answer or a sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_spec_fuzz import emit, mutate, shipped

import accelsim as acs
from accelsim.graph.layers import from_layers

CONV = {"type": "convolution", "in_channels": 3, "input": [9, 9], "out_channels": 20, "kernel": 3}
NETWORK = from_layers(
    "small",
    [
        {"name": "conv", **CONV},
        {"name": "act", "type": "relu"},
        {"name": "pool", "type": "max_pool", "kernel": 2},
        {"name": "fc", "type": "gemm", "out_features": 10},
    ],
)


def check(kind, draw, folder):
    files = shipped(kind)
    name = draw(st.sampled_from(sorted(files)))
    data, _, _, _ = mutate(draw, files[name])
    file = folder / "mutant.yaml"
    file.write_text(emit(data), encoding="utf-8")
    engine = draw(st.sampled_from(["compiled", "closed-form"]))
    try:
        if kind == "arch":
            preset = draw(st.sampled_from(["physical", "published"]))
            result = acs.simulate(NETWORK, str(file), engine=engine, preset=preset)
        elif kind == "calibrations":
            result = acs.simulate(NETWORK, "pe-array", calibration=str(file), engine=engine)
        elif draw(st.booleans()):
            result = acs.simulate(NETWORK, "pe-array", dataflow=str(file), engine=engine, preset="published")
        else:
            chip = draw(st.sampled_from(["pe-array", "systolic-16x16", "eyeriss"]))
            result = acs.simulate(NETWORK, chip, dataflow=str(file), engine=engine)
    except acs.AccelsimError as error:
        assert error.problems
        assert all(problem.strip() and "\n" not in problem for problem in error.problems)
        return
    assert result.latency_s > 0
    assert str(result)


@pytest.mark.parametrize("kind", ["arch", "dataflows", "calibrations"])
def test_a_changed_file_runs_or_is_answered(kind, tmp_path_factory):
    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(st.data())
    def cases(data):
        check(kind, data.draw, tmp_path_factory.getbasetemp())

    cases()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["arch", "dataflows", "calibrations"])
def test_two_thousand_changed_files_run_or_are_answered(kind, tmp_path_factory):
    @settings(max_examples=2000, deadline=None, database=None)
    @given(st.data())
    def cases(data):
        check(kind, data.draw, tmp_path_factory.getbasetemp())

    cases()
