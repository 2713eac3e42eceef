"""JSON Schemas: the committed ones are current, and they accept and refuse what the classes do."""

import json
from pathlib import Path

import pytest

from accelsim.spec import catalog
from accelsim.spec.json_schema import json_schema
from accelsim.spec.reader import read_file

KINDS = ("architecture", "dataflow", "mapping", "workload", "calibration", "run")
COMMITTED = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("kind", KINDS)
def test_the_committed_schema_is_current(kind):
    committed = json.loads((COMMITTED / f"{kind}.json").read_text(encoding="utf-8"))
    assert committed == json_schema(kind), f"accelsim schema {kind} > schemas/{kind}.json"


def accepts(kind, data):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(json_schema(kind))
    return jsonschema.Draft202012Validator(json_schema(kind)).is_valid(data)


@pytest.mark.parametrize("folder", catalog.FOLDERS)
def test_shipped_files_satisfy_their_schema(folder):
    for name, file in catalog.shipped(folder).items():
        assert accepts(catalog.FOLDERS[folder], read_file(file)[0].data), name


def test_an_architecture_by_class():
    def machine(**fields):
        return {"kind": "architecture", "name": "m", "components": {"pe": {"class": "pe_array", **fields}}}

    good = {"rows": 2, "columns": 2, "clock": "1 GHz", "dataflow": "ws"}
    assert accepts("architecture", machine(**good))
    assert accepts("architecture", machine(**good | {"rows": "$rows"}))
    assert not accepts("architecture", machine(**good | {"clock": 1}))
    assert not accepts("architecture", machine(**good | {"clock": "1 GB"}))
    assert not accepts("architecture", machine(**good | {"rowz": 2}))
    assert not accepts("architecture", {"kind": "architecture", "name": "m", "component": {}})


def test_a_builder_takes_more_fields_than_other_workloads():
    assert accepts("workload", {"kind": "workload", "name": "w", "builder": "b", "layers": 3, "hidden": 1})
    assert not accepts("workload", {"kind": "workload", "name": "w", "networks": ["a"], "hidden": 1})
