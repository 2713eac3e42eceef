"""Does it match silicon and papers? Runs every row of accelsim/validation."""

import pytest

from accelsim.api import simulate
from accelsim.graph.layers import from_layers
from accelsim.spec.architecture import load_architecture
from accelsim.validation import validate
from accelsim.validation.rows import load_rows
from accelsim.validation.runner import measured

ROWS = load_rows()


@pytest.fixture(scope="module")
def checked():
    return {row.id: row for row in validate().rows}


@pytest.mark.parametrize("row", [row.id for _, row in ROWS])
def test_row_is_inside_its_tolerance_or_states_why_not(checked, row):
    result = checked[row]
    assert result.ok is not False or result.cause, f"{row}: {result.simulated} against {result.published}"


def test_ids_are_unique():
    ids = [row.id for _, row in ROWS]
    assert len(ids) == len(set(ids))


def test_every_row_that_has_a_tolerance_could_fail():
    for _, row in ROWS:
        assert row.tolerance is None or row.tolerance <= 0.2


@pytest.mark.parametrize("row", [row for _, row in ROWS if row.input], ids=lambda row: row.id)
def test_the_input_of_a_row_moves_its_number(row):
    """Nothing is typed in: a physical input that grows by one step moves the number as the row says."""
    steps = row.input.split(".")
    if steps[0] == "parameters":
        value = float(row.switches[row.input].split()[0])
        moved = f"{value * 1.1} GB/s"
        assert row.switches[row.input].endswith(" GB/s")
    else:
        value = getattr(load_architecture(row.architecture).components[steps[1]], steps[2])
        moved = value + 1 if isinstance(value, int) else value * 1.1
    workload = row.workload or from_layers(row.id, row.layers)

    def number(settings):
        result = simulate(
            workload, row.architecture, preset=row.preset, settings={**row.switches, **settings},
            engine="closed-form",
        )  # fmt: skip
        return measured(row, result)

    before, after = number({}), number({row.input: moved})
    assert {"+": after > before, "-": after < before, "0": after == before}[row.sign]
