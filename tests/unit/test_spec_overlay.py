"""Architectures with a base: what is merged, what is refused."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import pytest

from accelsim.errors import AccelsimError
from accelsim.spec.architecture import load_architecture
from accelsim.spec.writer import resolved


def machine(tmp_path, text, name="mine"):
    (tmp_path / f"{name}.yaml").write_text(f"kind: architecture\nname: {name}\n{text}", encoding="utf-8")
    return tmp_path / f"{name}.yaml"


def refusal(tmp_path, text):
    with pytest.raises(AccelsimError) as caught:
        load_architecture(machine(tmp_path, text))
    return [str(p).replace(f"{tmp_path}/", "") for p in caught.value.problems]


def test_what_a_file_does_not_say_is_its_base_s(tmp_path):
    base = load_architecture("pe-array")
    mine = load_architecture(machine(tmp_path, "base: pe-array\n"))
    assert mine.name == "mine"
    assert mine.components == base.components
    assert mine.source == base.source


def test_parameters_and_single_fields_of_components_differ(tmp_path):
    text = "base: pe-array\nparameters: {pes: 64}\ncomponents: {dram: {latency: 5 ns}}\npresets: {ideal: {memory: unlimited}}\n"
    mine = load_architecture(machine(tmp_path, text))
    assert mine.components["pe"].units == 64
    assert mine.components["dram"].latency == 5e-9
    assert mine.components["dram"].bandwidth == 16e9
    assert set(mine.presets) >= {"physical", "ideal"}


def test_a_base_may_have_a_base_and_settings_reach_what_is_merged(tmp_path):
    machine(tmp_path, "base: pe-array\nparameters: {pes: 64}\n", "first")
    mine = load_architecture(
        machine(tmp_path, "base: first\nparameters: {clock: 2 GHz}\n"), {"components.glb.size": "1 MiB"}
    )
    assert (mine.components["pe"].units, mine.components["pe"].clock) == (64, 2e9)
    assert mine.components["glb"].size == 1 << 20


def test_what_is_shown_needs_no_base(tmp_path):
    shown = resolved(load_architecture("nvdla-256"))
    assert "base" not in shown
    assert shown["components"]["mac"]["rows"] == 32


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("base: pe-arra\n", ["mine.yaml:3: base: no architecture named 'pe-arra'; did you mean 'pe-array'?", "mine.yaml:1: has neither components, parts nor a base"]),
        ("base: 3\n", ["mine.yaml:3: base must be the name or file of an architecture, not 3", "mine.yaml:1: has neither components, parts nor a base"]),
        ("base: mine.yaml\n", ["mine.yaml:3: base: leads back to itself: mine.yaml > mine.yaml", "mine.yaml:1: has neither components, parts nor a base"]),
        ("base: pe-array\nparameters: {pess: 3}\n", ["mine.yaml:4: parameters.pess is no parameter of pe-array; did you mean 'pes'?"]),
    ],
)  # fmt: skip
def test_one_mistake_one_sentence(tmp_path, text, sentences):
    assert sorted(refusal(tmp_path, text)) == sorted(sentences)
