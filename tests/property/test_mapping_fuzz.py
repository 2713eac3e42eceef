"""Shipped files with one thing changed, through the simulator on something small: an answer, or a sentence
that names what was changed.

The reader's refusals name the changed path, as ``test_spec_fuzz`` asks. What only the simulator can refuse
names the changed field, or the component, layer or file that it belongs to: a buffer that became too small is
a matter of its dataflow, too.
"""

import json
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_spec_fuzz import emit, mutate, shipped

import accelsim as acs
from accelsim.cli import main
from accelsim.graph.layers import from_layers

CONV = {"type": "convolution", "in_channels": 3, "input": [9, 9], "out_channels": 20, "kernel": 3}
LAYERS = [
    {"name": "conv", **CONV},
    {"name": "act", "type": "relu"},
    {"name": "up", "type": "transposed_convolution", "out_channels": 4, "kernel": 3, "stride": 2},
    {"name": "pool", "type": "max_pool", "kernel": 2},
    {"name": "fc", "type": "gemm", "out_features": 10},
]
NETWORK = from_layers("small", LAYERS)
CHIPS = ("pe-array", "systolic-16x16", "eyeriss")
RUNS = {
    "run": {
        "kind": "run", "name": "r", "workload": "resnet8", "architecture": "eyeriss", "engine": "closed-form",
        "preset": "physical", "set": {"memory": "unlimited", "components.pe.rows": 4, "fuse": False},
        "precision": "int8", "batch": 2,
    },
}  # fmt: skip


def files(kind):
    if kind == "run":
        return RUNS
    if kind == "workloads":
        table = {"kind": "workload", "name": "small", "layers": LAYERS, "defaults": {"batch": 2}}
        return {"small": table, **{name: shipped(kind)[name] for name in ("resnet8", "ds-cnn-kws")}}
    return shipped(kind)


def concerned(data, path):
    """Names of which an answer of the simulator must hold one."""
    words = {str(next(step for step in reversed(path) if isinstance(step, str)))}
    components = dict(data.get("components", {}))
    if "base" in data:
        base = shipped("arch")[data["base"]]["components"]
        components = {n: {**base.get(n, {}), **components.get(n, {})} for n in {*base, *components}}
    if path[0] == "components" and len(path) > 1:
        words |= {path[1], str(components[path[1]]["class"])}
    if path[0] == "layers" and len(path) > 1:
        words.add(data["layers"][path[1]]["name"])
    if path[0] == "parameters" and len(path) > 1:
        words |= {name for name, c in components.items() if f"${path[1]}" in c.values()}
    if path[0] in ("constants", "switches") and len(path) > 1:
        words.add(path[1])
    if path[0] == "presets":
        words.add("switch")  # which a preset sets
    if path[0] == "set":
        words |= {"switch", str(path[-1]).rpartition(".")[0] or "switch"}  # a new one; what a field is of
    if data["kind"] == "dataflow":
        words |= {"too small for one tile", "dataflow "}  # which it sizes; or by the name that was changed
    if data["kind"] in ("dataflow", "workload", "calibration"):
        words.add(data["name"])
    return words


def answer(kind, file, draw):
    """The result of the changed file, or the problems."""
    engine = draw(st.sampled_from(["compiled", "closed-form"]))
    chip = draw(st.sampled_from(CHIPS))
    try:
        if kind == "arch":
            return acs.simulate(NETWORK, str(file), engine=engine), ()
        if kind == "workloads":
            return acs.simulate(str(file), chip, engine=engine), ()
        if kind == "calibrations":
            return acs.simulate(NETWORK, "pe-array", calibration=str(file), engine=engine), ()
        if draw(st.booleans()):
            chip, preset = "pe-array", "published"
        else:
            preset = "physical"
        return acs.simulate(NETWORK, chip, dataflow=str(file), engine=engine, preset=preset), ()
    except acs.AccelsimError as error:
        return None, error.problems


def run_file(file):
    """Exit code 0 and a summary, or 2 and sentences."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["run", str(file)])
    assert code == (2 if err.getvalue() else 0), err.getvalue()
    assert code == 2 or "latency" in out.getvalue()
    return None, tuple(err.getvalue().splitlines())


def sound(result):
    """Numbers that a wrapped integer or a count made twice would break."""
    assert result.latency_s > 0
    assert str(result)
    assert all(size >= 0 for o in result.operators for size in o.bytes.values())
    assert all(o.utilisation is None or 0 <= o.utilisation <= 1 + 1e-9 for o in result.operators)
    assert all(e is None or e >= 0 for e in result.energy_by_component_J.values())
    if result.lower_bound_s is not None:
        assert result.lower_bound_s <= result.latency_s <= result.upper_bound_s
    json.dumps(result.to_dict(), allow_nan=False)


def check(kind, draw, folder):
    known = files(kind)
    original = known[draw(st.sampled_from(sorted(known)))]
    data, mutation, path, names = mutate(draw, original)
    file = folder / "mutant.yaml"
    file.write_text(emit(data), encoding="utf-8")
    result, problems = run_file(file) if kind == "run" else answer(kind, file, draw)
    if result is not None:
        sound(result)
    if problems:
        text = "\n".join(problems)
        assert all(problem.strip() and "\n" not in problem for problem in problems)
        named = any(all(word in text for word in words) for words in names)
        assert named or any(word in text for word in concerned(original, path)), (mutation, path, text)


KINDS = ("arch", "dataflows", "calibrations", "workloads", "run")


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_file_runs_or_is_answered(kind, tmp_path_factory):
    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(st.data())
    def cases(data):
        check(kind, data.draw, tmp_path_factory.getbasetemp())

    cases()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_thousand_changed_files_run_or_are_answered(kind, tmp_path_factory):
    @settings(max_examples=2000, deadline=None, derandomize=True, database=None)
    @given(st.data())
    def cases(data):
        check(kind, data.draw, tmp_path_factory.getbasetemp())

    cases()
