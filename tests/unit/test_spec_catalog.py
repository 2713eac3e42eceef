"""Where files are found, and what registered names lead to."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

from pathlib import Path

import pytest

from accelsim.errors import AccelsimError
from accelsim.spec import catalog, registry
from accelsim.spec.component import Component
from accelsim.spec.dataflow import load_dataflow


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("kind", catalog.FOLDERS)
def test_every_shipped_file_is_found_by_its_name(kind):
    assert catalog.names(kind)
    for name in catalog.names(kind):
        file = catalog.find(kind, name)
        assert f"name: {name}\n" in file.read_text(encoding="utf-8")
        assert catalog.display(file, kind) == f"{kind}/{name}.yaml"


@pytest.mark.parametrize("kind", catalog.FOLDERS)
def test_every_shipped_file_names_its_schema_and_its_source(kind):
    for name in catalog.names(kind):
        text = catalog.find(kind, name).read_text(encoding="utf-8")
        up = "../.." if kind in ("mappings", "calibrations", "technologies") else ".."
        schema = f"# yaml-language-server: $schema={up}/schemas/{catalog.FOLDERS[kind]}.json"
        assert text.splitlines()[0] == schema
        assert "\nsource: " in text


def test_beside_comes_before_the_working_directory_before_the_shipped(tmp_path):
    (tmp_path / "inner").mkdir()
    assert catalog.find("dataflows", "ws").name == "ws.yaml"
    (tmp_path / "ws.yaml").write_text("kind: dataflow\n")
    assert catalog.find("dataflows", "ws") == Path("ws.yaml")
    (tmp_path / "inner" / "ws.yaml").write_text("kind: dataflow\n")
    assert catalog.find("dataflows", "ws", tmp_path / "inner") == tmp_path / "inner" / "ws.yaml"


def test_a_file_of_another_kind_does_not_hide_a_shipped_one(tmp_path):
    (tmp_path / "ws.yaml").write_text("kind: run\nworkload: x\narchitecture: y\n")
    assert load_dataflow("ws").path == "dataflows/ws.yaml"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("wss", "no dataflow named 'wss'; did you mean 'ws'?"),
        ("nonsense", "no dataflow named 'nonsense'; 'accelsim list dataflows' shows the shipped ones"),
        ("eyeriss", "no dataflow named 'eyeriss': that is an architecture"),
        ("resnet8", "no dataflow named 'resnet8': that is a workload"),
        ("./ws.yaml", "ws.yaml: there is no such file"),
        ("a\0b", "no dataflow named 'a\\x00b'; 'accelsim list dataflows' shows the shipped ones"),
        ("a\0b.yaml", "a\0b.yaml: there is no such file"),
    ],
)
def test_what_is_not_there(name, sentence):
    with pytest.raises(AccelsimError) as caught:
        load_dataflow(name)
    assert caught.value.problems == (sentence,)


def test_built_in_classes_come_through_the_entry_points():
    assert "pe_array" in registry.component_names()
    for name in registry.component_names():
        assert issubclass(registry.component_class(name), Component)
    with pytest.raises(AccelsimError) as caught:
        registry.component_class("pe_arrray")
    assert caught.value.problems == ("unknown component class 'pe_arrray'; did you mean 'pe_array'?",)


class Entry:
    def __init__(self, name, value, error=None):
        self.name, self.value, self.error = name, value, error

    def load(self):
        if self.error:
            raise self.error
        return self.value


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ([Entry("a", "p:A"), Entry("a", "q:A")], "accelsim.components: 'a' is registered twice, as p:A and as q:A"),
        ([Entry("a", "p:A", ImportError("no p"))], "component class 'a' cannot be loaded from p:A: no p"),
        ([Entry("a", int)], "component class 'a' is not a subclass of accelsim.spec.component.Component"),
    ],
)  # fmt: skip
def test_plug_ins_that_do_not_work(monkeypatch, entries, sentence):
    monkeypatch.setattr(registry, "entry_points", lambda group: entries)
    registry.registered.cache_clear()
    try:
        with pytest.raises(AccelsimError) as caught:
            registry.component_class("a")
    finally:
        registry.registered.cache_clear()
    assert caught.value.problems == (sentence,)
