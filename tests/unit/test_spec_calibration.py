"""Calibration files: read, shown, and wrong in every way that has a rule."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import pytest

from accelsim.errors import AccelsimError
from accelsim.spec.calibration import NEEDED, load_calibration
from accelsim.spec.catalog import find, names
from accelsim.spec.writer import resolved, write

TEXT = find("calibrations", "maestro2019").read_text(encoding="utf-8")


def problems(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(AccelsimError) as caught:
        load_calibration("mine.yaml")
    return list(caught.value.problems)


@pytest.mark.parametrize("name", names("calibrations"))
def test_every_constant_has_a_source_and_is_one_of_the_model_s(name):
    calibration = load_calibration(name)
    assert set(calibration.constants) == set(NEEDED[calibration.model])
    assert all(constant.source and constant.unit for constant in calibration.constants.values())


def test_what_is_shown_reads_back(tmp_path):
    calibration = load_calibration("maestro2019")
    again = tmp_path / "again.yaml"
    again.write_text(write(resolved(calibration)), encoding="utf-8")
    assert load_calibration(again) == calibration
    assert (calibration["mac_energy"], calibration.whole("l1_cells")) == (0.904, 11)


def test_an_unknown_constant_and_the_missing_one_it_was_meant_for(tmp_path, monkeypatch):
    line = TEXT.splitlines().index(next(t for t in TEXT.splitlines() if t.startswith("  mac_area"))) + 1
    found = problems(tmp_path, monkeypatch, TEXT.replace("  mac_area:", "  mac_aera:"))
    assert (
        f"mine.yaml:{line}: constants.mac_aera: unknown constant of model 'data-centric'; did you mean"
        in found[-1]
    )
    assert "constants needs mac_area as well" in found[0]


@pytest.mark.parametrize(
    ("old", "new", "end"),
    [
        ("value: 11\n", "value: 0.5\n", "constants.l1_cells.value must be a whole number from 1, not 0.5"),
        ("mac_energy: {value: 0.904", "mac_energy: {value: -1", "constants.mac_energy.value must be at least 0, not -1"),
        ("shi_halo: double", "shi_halo: triple", "switches.shi_halo must be 'unique' or 'double', not 'triple'"),
        ("model: data-centric", "model: other", "model must be 'data-centric', not 'other'"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, monkeypatch, old, new, end):
    assert old in TEXT
    (found,) = problems(tmp_path, monkeypatch, TEXT.replace(old, new))
    assert found.endswith(end)


def test_another_kind_of_file(tmp_path, monkeypatch):
    (found,) = problems(tmp_path, monkeypatch, "kind: dataflow\nname: x\nclusters: []\n")
    assert found == "mine.yaml:1: kind is 'dataflow', not 'calibration'; an architecture's components name it"
