"""Workload and run files: their forms, their lines, and what is refused."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import pytest

from accelsim.errors import AccelsimError
from accelsim.spec.run import load_run
from accelsim.spec.workload import load_workload_spec


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def written(tmp_path, text, kind="workload"):
    (tmp_path / "mine.yaml").write_text(f"kind: {kind}\nname: mine\n{text}")
    return "mine.yaml"


def problems(tmp_path, text, settings=None, kind="workload"):
    load = load_run if kind == "run" else load_workload_spec
    with pytest.raises(AccelsimError) as caught:
        load(written(tmp_path, text, kind), settings or {})
    return list(caught.value.problems)


def test_builder_parameters_beside_and_below(tmp_path):
    text = "builder: transformer\nlayers: 32\nparameters:\n  hidden: 4096\ndefaults: {batch: 2}\n"
    workload = load_workload_spec(written(tmp_path, text))
    assert workload.parameters == {"layers": 32, "hidden": 4096}
    assert workload.where_parameter("layers") == "mine.yaml:4: layers"
    assert workload.where_parameter("hidden") == "mine.yaml:6: parameters.hidden"
    assert workload.where_parameter("heads") == "mine.yaml:1: heads"
    assert (workload.defaults.batch, workload.layers) == (2, None)


def test_settings_of_builder_parameters(tmp_path):
    name = written(tmp_path, "builder: transformer\nlayers: 32\nparameters: {hidden: 4096}\n")
    workload = load_workload_spec(name, {"layers": 2, "parameters.hidden": 8})
    assert workload.parameters == {"layers": 2, "hidden": 8}
    assert workload.where_parameter("layers") == "setting layers=2: layers"


def test_the_other_forms(tmp_path):
    assert load_workload_spec(written(tmp_path, "networks: [a, b]")).networks == ("a", "b")
    onnx = load_workload_spec(written(tmp_path, "onnx: nets/a.onnx\ndims: {batch: 4}"))
    assert (onnx.file(onnx.onnx), onnx.dims) == (type(onnx.folder)("nets/a.onnx"), {"batch": 4})
    assert load_workload_spec(written(tmp_path, "topology: a.csv")).topology == "a.csv"
    layers = load_workload_spec(written(tmp_path, "layers: [{name: a, type: gemm, in: 3}]"))
    assert layers.layers == ({"name": "a", "type": "gemm", "in": 3},)
    assert layers.where("layers", 0, "type") == "mine.yaml:3: layers.0.type"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ["mine.yaml:1: needs one of networks, builder, onnx, topology, layers; it gives none of them"]),
        ("networks: [a]\nonnx: x", ["mine.yaml:1: needs one of networks, builder, onnx, topology, layers; it gives networks and onnx"]),
        ("bilder: cnn", [
            "mine.yaml:3: bilder: unknown field; did you mean 'builder'?",
        ]),
        ("networks: []", ["mine.yaml:3: networks must hold at least 1, not 0"]),
        ("networks: [1]", ["mine.yaml:3: networks.0 must be text, not 1; put it in quotes"]),
        ("topology: a.csv\ndims: {b: 1}", ["mine.yaml:4: dims must go with onnx: only ONNX files have symbolic dimensions"]),
        ("onnx: a\ndims: {b: 0}", ["mine.yaml:4: dims.b must be at least 1, not 0"]),
        ("onnx: a\nparameters: {b: 0}", ["mine.yaml:4: parameters must go with builder: nothing else takes parameters"]),
        ("layers: [a]", ["mine.yaml:3: layers.0 must be a mapping, not 'a'"]),
        ("layers: 3", ["mine.yaml:3: layers must be a list, not 3"]),
        ("builder: a\nparameters: 3", ["mine.yaml:4: parameters must be a mapping, not 3"]),
        ("builder: a\ndepth: 1\nparameters: {depth: 2}", ["mine.yaml:5: parameters.depth is given twice, also as depth at mine.yaml:4"]),
        ("builder: [a]", ["mine.yaml:3: builder must be text, not a list"]),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, text, sentences):
    assert problems(tmp_path, text) == sentences


def test_a_long_list_of_layers(tmp_path):
    layers = "".join(f"  - {{name: l{i}, type: gemm, in: {i}, out: 8}}\n" for i in range(5000))
    assert len(load_workload_spec(written(tmp_path, "layers:\n" + layers)).layers) == 5000


def test_a_run(tmp_path):
    text = "workload: w\narchitecture: a\nengine: simpy\nset: {phase: decode}\nbatch: 4\n"
    run = load_run(written(tmp_path, text, "run"), {"set.context": 500})
    assert (run.engine, run.preset, run.options, run.batch) == (
        "simpy",
        "physical",
        {"phase": "decode", "context": 500},
        4,
    )
    assert str(run.folder) == "."


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("architecture: a", ["mine.yaml:1: 'workload' is missing"]),
        ("workload: w\narchitecture: a\nengine: simp", ["mine.yaml:5: engine must be 'compiled', 'simpy' or 'closed-form', not 'simp'; did you mean 'simpy'?"]),
        ("workload: w\narch: a", ["mine.yaml:4: arch: unknown field; did you mean 'architecture'?"]),
        ("workload: w\narchitecture: a\nset: 3", ["mine.yaml:5: set must be a mapping, not 3"]),
    ],
)  # fmt: skip
def test_mistakes_in_a_run(tmp_path, text, sentences):
    assert problems(tmp_path, text, kind="run") == sentences
