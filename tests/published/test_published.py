"""Does it match silicon and papers? Runs every row of accelsim/validation."""

import pytest

from accelsim.api import simulate
from accelsim.graph.layers import from_layers
from accelsim.spec.architecture import load_architecture
from accelsim.spec.writer import resolved
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
    if row.input in row.switches:
        value = row.switches[row.input]
    else:
        _, name, field = row.input.split(".")
        value = resolved(load_architecture(row.architecture))["components"][name][field]
    if isinstance(value, str):
        amount, unit = value.split(maxsplit=1)
        moved = f"{float(amount) * 1.1} {unit}"
    else:
        moved = value + 1

    def number(settings):
        workload = row.workload or from_layers(row.id, row.layers, batch=row.batch or 1)
        result = simulate(
            workload, row.architecture, preset=row.preset, settings={**row.switches, **settings},
            batch=row.batch if row.workload else None, engine="closed-form",
        )  # fmt: skip
        return measured(row, result)

    before, after = number({}), number({row.input: moved})
    assert {"+": after > before, "-": after < before, "0": after == before}[row.sign]
