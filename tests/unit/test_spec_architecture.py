"""Architecture files: classes, parameters, parts, settings, and the sentences about each."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

from typing import Literal

import pytest
from pydantic import Field, model_validator

from accelsim.errors import AccelsimError
from accelsim.spec import registry
from accelsim.spec.architecture import load_architecture
from accelsim.spec.base import Rejected
from accelsim.spec.component import Component
from accelsim.spec.units import Bytes, BytesPerSecond, Fraction, Joules, PositiveCount
from accelsim.spec.writer import resolved, write


class Array(Component):
    """An array made up for these tests."""

    rows: PositiveCount
    columns: PositiveCount = 4
    dataflow: str = "ws"
    order: Literal["fifo", "priority"] = "fifo"
    sliding: bool = False
    mac_energy: dict[str, Joules] = Field(default_factory=dict)


class Memory(Component):
    """A memory made up for these tests."""

    size: Bytes
    bandwidth: BytesPerSecond
    holds: tuple[Literal["inputs", "weights"], ...] = ("inputs",)
    efficiency: tuple[tuple[Bytes, Fraction], ...] = ()

    @model_validator(mode="after")
    def _holds_once(self):
        if len(set(self.holds)) < len(self.holds):
            raise Rejected([(("holds",), "must name each tensor once")])
        return self


class Entry:
    value = "made up"

    def __init__(self, thing):
        self.thing = thing

    def load(self):
        return self.thing


@pytest.fixture(autouse=True)
def registered(monkeypatch, tmp_path):
    groups = {
        registry.COMPONENTS: {"array": Entry(Array), "memory": Entry(Memory)},
        registry.MAPPINGS: {"asic": Entry(object), "gpu": Entry(object)},
    }
    monkeypatch.setattr(registry, "registered", groups.__getitem__)
    monkeypatch.chdir(tmp_path)


GOOD = """\
kind: architecture
name: mine
mapping: asic
components:
  hbm: {class: memory, size: 2 GB, bandwidth: 40 GB/s}
  pe:
    class: array
    rows: 16
"""


def written(tmp_path, text, name="mine"):
    path = tmp_path / f"{name}.yaml"
    path.write_text(text)
    return path.name


def problems(tmp_path, text, settings=None):
    with pytest.raises(AccelsimError) as caught:
        load_architecture(written(tmp_path, text), settings or {})
    return list(caught.value.problems)


def test_a_machine(tmp_path):
    machine = load_architecture(written(tmp_path, GOOD))
    assert machine.name == "mine"
    assert machine.components["pe"] == Array(class_="array", rows=16)
    assert machine.components["hbm"].bandwidth == 40e9
    assert machine.presets == {"physical": {}}
    assert machine.path == "mine.yaml"
    assert machine.where("components", "pe", "rows") == "mine.yaml:8: components.pe.rows"


def test_a_name_is_found_in_the_working_directory(tmp_path):
    written(tmp_path, GOOD)
    assert load_architecture("mine").path == "mine.yaml"


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        ("bandwidth:", "bandwith:", ["mine.yaml:5: components.hbm.bandwith: unknown field; did you mean 'bandwidth'?"]),
        ("rows: 16", "rows: 0", ["mine.yaml:8: components.pe.rows must be at least 1, not 0"]),
        ("rows: 16", "rows: -3", ["mine.yaml:8: components.pe.rows must be at least 1, not -3"]),
        ("rows: 16", "rows: 1.5", ["mine.yaml:8: components.pe.rows must be a whole number, not 1.5"]),
        ("rows: 16", "rows: many", ["mine.yaml:8: components.pe.rows must be a whole number, not 'many'"]),
        ("rows: 16", "rows: true", ["mine.yaml:8: components.pe.rows must be a whole number, not true"]),
        ("rows: 16", "rows: .inf", ["mine.yaml:8: components.pe.rows must be a whole number, not '.inf'"]),
        ("rows: 16", "rows: [16]", ["mine.yaml:8: components.pe.rows must be a whole number, not a list"]),
        ("rows: 16", "rows: ", ["mine.yaml:8: components.pe.rows is empty; give a value or leave the line out"]),
        ("rows: 16", "columns: 16", ["mine.yaml:6: components.pe: 'rows' is missing"]),
        ("rows: 16", "dataflow: 12", [
            "mine.yaml:6: components.pe: 'rows' is missing",
            "mine.yaml:8: components.pe.dataflow must be text, not 12; put it in quotes",
        ]),
        ("rows: 16", "rows: 16\n    order: prio", ["mine.yaml:9: components.pe.order must be 'fifo' or 'priority', not 'prio'; did you mean 'priority'?"]),
        ("rows: 16", "rows: 16\n    sliding: maybe", ["mine.yaml:9: components.pe.sliding must be true or false, not 'maybe'"]),
        ("rows: 16", "rows: 16\n    mac_energy: {int8: 3}", ["mine.yaml:9: components.pe.mac_energy.int8 needs a unit such as '3 pJ'"]),
        ("rows: 16", "rows: 16\n    mac_energy: 3", ["mine.yaml:9: components.pe.mac_energy must be a mapping, not 3"]),
        ("40 GB/s", "40", ["mine.yaml:5: components.hbm.bandwidth needs a unit such as '40 GB/s'"]),
        ("40 GB/s", "40 GB", ["mine.yaml:5: components.hbm.bandwidth must be a bandwidth such as '64 GB/s', not '40 GB', which is a size"]),
        ("40 GB/s}", "40 GB/s, efficiency: [[64 B, 2]]}", ["mine.yaml:5: components.hbm.efficiency.0.1 must be between 0 and 1 or a percentage such as '85 %', not 2"]),
        ("40 GB/s}", "40 GB/s, holds: [inputs, inputs]}", ["mine.yaml:5: components.hbm.holds must name each tensor once"]),
        ("40 GB/s}", "40 GB/s, holds: [weihgts]}", ["mine.yaml:5: components.hbm.holds.0 must be 'inputs' or 'weights', not 'weihgts'; did you mean 'weights'?"]),
        ("40 GB/s}", "40 GB/s, per: pee}", ["mine.yaml:5: components.hbm.per names no component: 'pee'; did you mean 'pe'?"]),
        ("rows: 16", "rows: 16\n    per: pe", ["mine.yaml:9: components.pe.per goes in a circle: pe per pe"]),
        ("rows: 16", "rows: 16\n    count: 0", ["mine.yaml:9: components.pe.count must be at least 1, not 0"]),
        ("class: array", "class: arry", ["mine.yaml:7: components.pe.class: unknown component class 'arry'; did you mean 'array'?"]),
        ("class: array", "class: [x]", ["mine.yaml:7: components.pe.class: unknown component class \"['x']\"; known are array, memory"]),
        ("class: array\n    ", "", ["mine.yaml:6: components.pe: 'class' is missing; write it, or name the file that has it by 'base'"]),
        ("  pe:\n    class: array\n    rows: 16\n", "  pe: 16\n", ["mine.yaml:6: components.pe must be a mapping, not 16"]),
        ("  pe:\n    class: array\n    rows: 16\n", "  pe:\n", ["mine.yaml:6: components.pe is empty; give a value or leave the line out"]),
        ("  pe:\n", "  p.e:\n", ["mine.yaml:6: components.p.e has a bad name: use up to 64 letters, digits, - and _, starting with a letter"]),
        ("mapping: asic", "mapping: asci", ["mine.yaml:3: mapping: unknown machine family 'asci'; did you mean 'asic'?"]),
        ("name: mine", "nmae: mine", ["mine.yaml:2: nmae: unknown field; did you mean 'name'?"]),
        ("mapping: asic", "defaults: {batch: 0}", ["mine.yaml:3: defaults.batch must be at least 1, not 0"]),
        ("mapping: asic", "defaults: {precison: int8}", ["mine.yaml:3: defaults.precison: unknown field; did you mean 'precision'?"]),
        ("mapping: asic", "presets: {published: {calibration: [1]}}", ["mine.yaml:3: presets.published.calibration must be a single value, not a list"]),
        ("mapping: asic", "presets: 3", ["mine.yaml:3: presets must be a mapping, not 3"]),
        ("mapping: asic", "components: {}", ["mine.yaml:4: components is given twice, first on line 3"]),
        ("kind: architecture", "kind: architectur", ["mine.yaml:1: kind must be one of architecture, dataflow, mapping, workload, calibration, technology, run, sweep, search, campaign, not 'architectur'; did you mean 'architecture'?"]),
        ("kind: architecture", "kind: workload", ["mine.yaml:1: kind is 'workload', not 'architecture'; 'accelsim run --workload' takes it"]),
        ("kind: architecture", "kind: dataflow", ["mine.yaml:1: kind is 'dataflow', not 'architecture'; an architecture's components name it"]),
        ("kind: architecture\n", "", ["mine.yaml:1: 'kind' is missing; start the file with 'kind: architecture' or another kind"]),
        ("40 GB/s", "$bandwidth", ["mine.yaml:5: components.hbm.bandwidth: unknown parameter '$bandwidth' (no parameters.bandwidth); 'parameters:' lists what $ can stand for"]),
    ],
)  # fmt: skip
def test_one_mistake_one_sentence(tmp_path, old, new, sentences):
    assert problems(tmp_path, GOOD.replace(old, new, 1)) == sentences


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path):
    text = (
        GOOD.replace("asic", "nope").replace("40 GB/s", "40").replace("rows: 16", "rowz: 0\n    columns: x")
    )
    assert problems(tmp_path, text) == [
        "mine.yaml:3: mapping: unknown machine family 'nope'; known are asic, gpu",
        "mine.yaml:5: components.hbm.bandwidth needs a unit such as '40 GB/s'",
        "mine.yaml:8: components.pe.rowz: unknown field; did you mean 'rows'?",
        "mine.yaml:9: components.pe.columns must be a whole number, not 'x'",
    ]


def test_components_that_own_each_other(tmp_path):
    text = GOOD.replace("40 GB/s", "40 GB/s, per: pe").replace("rows: 16", "rows: 16\n    per: hbm")
    assert problems(tmp_path, text) == [
        "mine.yaml:5: components.hbm.per goes in a circle: hbm per pe per hbm",
    ]


def test_an_empty_machine(tmp_path):
    assert problems(tmp_path, "kind: architecture\nname: mine\n") == [
        "mine.yaml:1: has neither components, parts nor a base"
    ]
    assert problems(tmp_path, "kind: architecture\nname: mine\ncomponents: [1]\n") == [
        "mine.yaml:3: components must be a mapping, not a list"
    ]
    assert problems(tmp_path, "- 1\n") == [
        "mine.yaml:1: must be a mapping that starts with 'kind: ...', not a list"
    ]


def test_yes_and_no_where_a_person_means_them(tmp_path):
    for word, value in (("yes", True), ("no", False), ("on", True), ("off", False), ("true", True)):
        machine = load_architecture(written(tmp_path, GOOD + f"    sliding: {word}\n"))
        assert machine.components["pe"].sliding is value


PARAMETRISED = """\
kind: architecture
name: base
parameters: {pes: 256, bandwidth: 16 GB/s, flow: dla}
components:
  hbm: {class: memory, size: 2 GB, bandwidth: $bandwidth}
  pe: {class: array, rows: $pes, dataflow: "my-$flow"}
"""


def test_parameters(tmp_path):
    machine = load_architecture(written(tmp_path, PARAMETRISED))
    assert machine.components["pe"].rows == 256
    assert machine.components["pe"].dataflow == "my-dla"
    assert machine.components["hbm"].bandwidth == 16e9


def test_setting_a_parameter(tmp_path):
    machine = load_architecture(written(tmp_path, PARAMETRISED), {"parameters.pes": 8})
    assert machine.components["pe"].rows == 8
    assert machine.parameters["pes"] == 8


def test_a_parameter_does_not_refer_to_another(tmp_path):
    text = PARAMETRISED.replace("flow: dla", "flow: $pes")
    assert problems(tmp_path, text) == [
        "mine.yaml:3: parameters.flow cannot refer to another parameter ('$pes')"
    ]


def test_a_bad_parameter_is_reported_where_it_is_used_and_where_it_is_set(tmp_path):
    assert problems(tmp_path, PARAMETRISED.replace("pes: 256", "pes: 0")) == [
        "mine.yaml:6: components.pe.rows must be at least 1, not 0 (pes is set at mine.yaml:3: parameters.pes)"
    ]


def test_a_bad_setting_of_a_parameter_names_the_setting(tmp_path):
    assert problems(tmp_path, PARAMETRISED, {"parameters.pes": 0}) == [
        "mine.yaml:6: components.pe.rows must be at least 1, not 0 (pes is set by setting parameters.pes=0)"
    ]


PARTS = """\
kind: architecture
name: two
mapping: asic
parts:
  a: {architecture: base, pes: 8}
  b: {architecture: ./base.yaml, bandwidth: 1 GB/s}
  c:
    components:
      pe: {class: array, rows: 2}
"""


def test_parts(tmp_path):
    written(tmp_path, PARAMETRISED, "base")
    machine = load_architecture(written(tmp_path, PARTS))
    assert machine.parts["a"].components["pe"].rows == 8
    assert machine.parts["b"].components["hbm"].bandwidth == 1e9
    assert machine.parts["c"].components["pe"].rows == 2
    assert machine.parts["a"].digest != machine.parts["b"].digest
    assert machine.where("parts", "a", "components", "hbm") == "base.yaml:5: parts.a.components.hbm"


def test_settings_reach_into_parts(tmp_path):
    written(tmp_path, PARAMETRISED, "base")
    machine = load_architecture(
        written(tmp_path, PARTS),
        {"parts.a.pes": 3, "parts.b.components.hbm.size": "1 GB", "parts.c.components.pe.rows": 5},
    )
    assert machine.parts["a"].components["pe"].rows == 3
    assert machine.parts["b"].components["hbm"].size == 10**9
    assert machine.parts["c"].components["pe"].rows == 5


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("pes: 8", "pez: 8", "mine.yaml:5: parts.a.pez: unknown parameter; did you mean 'pes'?"),
        ("pes: 8", "pes: 0", "base.yaml:6: components.pe.rows must be at least 1, not 0 (pes is set at mine.yaml:5: parts.a.pes)"),
        ("base, ", "basis, ", "mine.yaml:5: parts.a.architecture: no architecture named 'basis'; 'accelsim list arch' shows the shipped ones"),
        ("base, ", "mine, ", "mine.yaml:5: parts.a.architecture contains itself: mine.yaml > mine.yaml"),
        ("architecture: base, ", "", "mine.yaml:5: parts.a needs 'architecture', or components of its own"),
        ("./base.yaml", "./nope.yaml", "mine.yaml:6: parts.b.architecture: nope.yaml: there is no such file"),
        ("architecture: base", "architecture: 3", "mine.yaml:5: parts.a.architecture must be text, not 3"),
    ],
)  # fmt: skip
def test_mistakes_in_parts(tmp_path, old, new, sentence):
    written(tmp_path, PARAMETRISED, "base")
    assert problems(tmp_path, PARTS.replace(old, new)) == [sentence]


def test_parts_that_contain_each_other(tmp_path):
    written(tmp_path, "kind: architecture\nname: q\nparts: {x: {architecture: mine}}\n", "other")
    text = "kind: architecture\nname: mine\nparts: {x: {architecture: other}}\n"
    assert problems(tmp_path, text) == [
        "other.yaml:3: parts.x.architecture contains itself: mine.yaml > other.yaml > mine.yaml"
    ]


def test_parts_that_multiply_are_bounded(tmp_path):
    for level in range(15):
        inner = "".join(f"  p{i}: {{architecture: m{level + 1}}}\n" for i in range(9))
        written(tmp_path, f"kind: architecture\nname: m{level}\nparts:\n{inner}", f"m{level}")
    written(tmp_path, GOOD, "m15")
    with pytest.raises(AccelsimError) as caught:
        load_architecture("m0")
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].endswith(" goes beyond 2,000 parts in all")


def test_parts_nest_only_so_deep(tmp_path):
    for level in range(20):
        text = f"kind: architecture\nname: m{level}\nparts: {{p: {{architecture: m{level + 1}}}}}\n"
        written(tmp_path, text, f"m{level}")
    files = " > ".join(f"m{level}.yaml" for level in range(17))
    with pytest.raises(AccelsimError) as caught:
        load_architecture("m0")
    assert caught.value.problems == (
        f"m15.yaml:3: parts.p.architecture is nested more than 16 files deep: {files}",
    )


def test_a_long_chain_of_owners_is_checked_quickly(tmp_path):
    chain = "".join(f"  c{i}: {{class: array, rows: 1, per: c{i + 1}}}\n" for i in range(2000))
    text = f"kind: architecture\nname: mine\ncomponents:\n{chain}  c2000: {{class: array, rows: 1}}\n"
    assert len(load_architecture(written(tmp_path, text)).components) == 2001


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"components.pe.rows": 0}, "setting components.pe.rows=0: components.pe.rows must be at least 1, not 0"),
        ({"components.pe.rowz": 4}, "setting components.pe.rowz=4: components.pe.rowz: unknown field; did you mean 'rows'?"),
        ({"components.pee.rows": 4}, "setting components.pee.rows=4: there is no components.pee; did you mean 'pe'?"),
        ({"componets.pe": 4}, "setting componets.pe=4: componets: unknown field; did you mean 'components'?"),
        ({"components.pe.rows.x": 4}, "setting components.pe.rows.x=4: components.pe.rows is 16, it has no field 'x'"),
        ({"components.pe": 4}, "setting components.pe=4: components.pe must be a mapping, not 4"),
        ({"components..rows": 4}, "setting components..rows=4: must name a field, such as components.pe.rows"),
        ({"kind": "run"}, "setting kind=run: the kind of a file cannot be set"),
        ({"components.hbm.bandwidth": 64}, "setting components.hbm.bandwidth=64: components.hbm.bandwidth needs a unit such as '64 GB/s'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_setting_names_the_setting(tmp_path, settings, sentence):
    assert problems(tmp_path, GOOD, settings) == [sentence]


def test_settings(tmp_path):
    name = written(tmp_path, GOOD)
    settings = {"components.pe.rows": 3, "defaults.batch": 2, "components.hbm.bandwidth": "1 TB/s"}
    machine = load_architecture(name, settings)
    assert (machine.components["pe"].rows, machine.defaults.batch) == (3, 2)
    assert machine.components["hbm"].bandwidth == 1e12
    assert machine.where("defaults", "batch") == "setting defaults.batch=2: defaults.batch"


def test_the_resolved_text_reads_back_as_the_same_machine(tmp_path):
    written(tmp_path, PARAMETRISED, "base")
    machine = load_architecture(written(tmp_path, PARTS))
    text = write(resolved(machine))
    again = load_architecture(written(tmp_path, text, "again"))
    assert again == machine
    assert again.digest == machine.digest
    assert write(resolved(again)) == text


def test_one_of_several_documents(tmp_path):
    text = GOOD + "---\n" + GOOD.replace("name: mine", "name: other").replace("rows: 16", "rows: 2")
    name = written(tmp_path, text)
    assert load_architecture(f"{name}#other").components["pe"].rows == 2
    assert problems(tmp_path, text) == [
        "mine.yaml: holds 2 architectures; pick one with mine.yaml#mine or mine.yaml#other"
    ]
    with pytest.raises(AccelsimError) as caught:
        load_architecture(f"{name}#othr")
    assert caught.value.problems == ("mine.yaml: holds no architecture named 'othr'; did you mean 'other'?",)


def test_what_resolved_text_looks_like(tmp_path):
    machine = load_architecture(written(tmp_path, GOOD))
    assert write(resolved(machine)) == LOOK


LOOK = """\
kind: architecture
name: mine
mapping: asic
technology: cmos
defaults: {}
presets: {physical: {}}
components:
  hbm: {class: memory, count: 1, size: 2 GB, bandwidth: 40 GB/s, holds: [inputs], efficiency: []}
  pe:
    class: array
    count: 1
    rows: 16
    columns: 4
    dataflow: ws
    order: fifo
    sliding: false
    mac_energy: {}
"""
