"""Shipped files with one thing changed: each answer names the changed path, or the file still loads.

A path counts as named if it stands there whole, or its parent does and the field beside it.

A mutation deletes, renames, retypes, rescales or duplicates one field. Files are written as flow YAML, in
which a field can stand twice.
"""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelsim.errors import AccelsimError
from accelsim.spec import catalog
from accelsim.spec.architecture import load_architecture
from accelsim.spec.dataflow import load_dataflow
from accelsim.spec.mapping import load_mapping
from accelsim.spec.reader import read_file
from accelsim.spec.run import load_run
from accelsim.spec.workload import load_workload_spec

LOADERS = {
    "arch": load_architecture,
    "dataflows": load_dataflow,
    "mappings": load_mapping,
    "workloads": load_workload_spec,
    "run": load_run,
}
RUNS = {"example": {
    "kind": "run", "name": "r", "workload": "resnet18", "architecture": "eyeriss", "engine": "simpy",
    "preset": "physical", "set": {"memory": "unlimited", "components.pe.rows": 4}, "precision": "int8",
    "batch": 2,
}}  # fmt: skip
MUTATIONS = ("delete", "rename", "retype", "rescale", "duplicate")
SCALES = ("-1", "0", "1e-30", "1e30", "0.5", "1024", "1e12", "1e15", "1e18", "")


def shipped(kind):
    if kind == "run":
        return RUNS
    return {name: read_file(file)[0].data for name, file in catalog.shipped(kind).items()}


def paths(data, path=()):
    """Every path below the top, mappings and lists alike."""
    children = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, child in children:
        yield (*path, step)
        yield from paths(child, (*path, step))


class Twice:
    """Two values under one name."""

    def __init__(self, value):
        self.value = value


def emit(data):
    """Flow YAML of plain data; text is quoted as in JSON."""
    if isinstance(data, dict):
        pairs = []
        for key, value in data.items():
            values = [value.value, value.value] if isinstance(value, Twice) else [value]
            pairs += [f"{json.dumps(key)}: {emit(v)}" for v in values]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(map(emit, data)) + "]"
    return json.dumps(data, ensure_ascii=False)


def changed(data, path, change):
    """A copy in which ``change(container, step)`` was applied to the container of the last step."""
    data = json.loads(json.dumps(data))
    container = data
    for step in path[:-1]:
        container = container[step]
    change(container, path[-1])
    return data


def rescaled(value, scale):
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return value * float(scale) if scale else -value
    return re.sub(r"[0-9.]+", scale or "7", value, count=1)


def mutate(draw, data):
    """One mutation: the new data, its path, and the words of which an answer must hold all of one tuple."""
    path = draw(st.sampled_from(list(paths(data))))
    kind = draw(st.sampled_from(MUTATIONS))
    step = path[-1]
    names = [(".".join(map(str, path)),), (".".join(map(str, path[:-1])), str(step))]
    value = draw(st.sampled_from([None, True, 3, -1, 0.5, "text", [], {}, [1], {"a": 1}, "$x", "9" * 60, ""]))
    scale = draw(st.sampled_from(SCALES))
    letter = draw(st.sampled_from("xyz_-.$ "))

    def delete(container, step):
        del container[step]
        if not container:
            names.append((".".join(map(str, path[:-1])),))

    def rename(container, step):
        if isinstance(container, dict):
            items = list(container.items())
            container.clear()
            container.update({(f"{k}{letter}" if k == step else k): v for k, v in items})
            names.append((".".join(map(str, path[:-1])), f"{step}{letter}"))

    def retype(container, step):
        container[step] = value

    def rescale(container, step):
        if not isinstance(container[step], dict | list):
            container[step] = rescaled(container[step], scale)

    def duplicate(container, step):
        if isinstance(container, dict):
            container[step] = Twice(container[step])
        else:
            container.append(container[step])
            names.append((".".join(map(str, (*path[:-1], len(container) - 1))),))

    change = {
        "delete": delete,
        "rename": rename,
        "retype": retype,
        "rescale": rescale,
        "duplicate": duplicate,
    }
    return changed(data, path, change[kind]), kind, path, names


def check(kind, draw, folder):
    files = shipped(kind)
    name = draw(st.sampled_from(sorted(files)))
    data, mutation, path, names = mutate(draw, files[name])
    file = folder / "mutant.yaml"
    file.write_text(emit(data), encoding="utf-8")
    try:
        LOADERS[kind](file)
    except AccelsimError as error:
        answer = "\n".join(error.problems)
        assert any(all(word in answer for word in words) for words in names), (mutation, path, answer)
        assert len(answer) < 20_000
    else:
        assert mutation != "duplicate" or isinstance(path[-1], int) or not isinstance(data, dict)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("kind", LOADERS)
def test_a_changed_file_is_answered(kind, folder):
    @settings(deadline=None, derandomize=True, max_examples=300, database=None)
    @given(st.data())
    def run(data):
        check(kind, data.draw, folder)

    run()


@pytest.mark.slow
@pytest.mark.parametrize("kind", LOADERS)
def test_two_thousand_changed_files_are_answered(kind, folder):
    @settings(deadline=None, derandomize=True, max_examples=2000, database=None)
    @given(st.data())
    def run(data):
        check(kind, data.draw, folder)

    run()
