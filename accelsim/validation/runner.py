"""Run every row with its own preset and switches, and again as ``physical``, and compare."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from accelsim.api import simulate
from accelsim.errors import AccelsimError
from accelsim.graph.layers import from_layers
from accelsim.results import Result
from accelsim.validation.rows import Row, load_rows

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class Checked:
    """A row with its simulated number; ``error`` is relative, ``ok`` None where there is no tolerance."""

    id: str
    system: str
    what: str
    published: float
    simulated: float
    physical: float | None
    unit: str
    error: float
    tolerance: float | None
    goal: float | None
    ok: bool | None
    kind: str
    cause: str | None
    preset: str
    switches: Mapping[str, Any]
    quality: str
    source: str


@dataclass(frozen=True, slots=True)
class Validation:
    """All rows. A row outside its tolerance with a stated cause is a known deviation."""

    rows: tuple[Checked, ...]

    @property
    def failed(self) -> tuple[Checked, ...]:
        """Rows outside their tolerance without a stated cause."""
        return tuple(r for r in self.rows if r.ok is False and r.cause is None)

    @property
    def deviating(self) -> tuple[Checked, ...]:
        """Rows outside their tolerance whose cause is stated."""
        return tuple(r for r in self.rows if r.ok is False and r.cause is not None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, in the form that ``accelsim validate --json`` prints."""
        return {"rows": [asdict(row) for row in self.rows]}

    def to_frame(self) -> "DataFrame":
        """One row per published number."""
        import pandas as pd

        return pd.DataFrame(self.to_dict()["rows"])

    def __str__(self) -> str:
        from accelsim.results.layout import table

        head = ("row", "kind", "published", "simulated", "physical", "error", "tolerance", "ok")
        body = [
            (
                r.id,
                r.kind,
                _shown(r.published),
                _shown(r.simulated),
                "" if r.physical is None else _shown(r.physical),
                f"{r.error:+.2%}",
                "" if r.tolerance is None else f"{r.tolerance:.2%}",
                {True: "yes", False: "no", None: ""}[r.ok],
            )
            for r in self.rows
        ]
        lines = table([head, *body], left=(0, 1))
        lines += [f"{r.id}: {r.cause}" for r in self.deviating]
        inside = sum(r.ok is True for r in self.rows)
        reported = sum(r.ok is None for r in self.rows)
        lines.append(
            f"{len(self.rows)} rows: {inside} inside their tolerance, {len(self.deviating)} known deviations,"
            f" {len(self.failed)} failed, {reported} reported without a verdict"
        )
        return "\n".join(lines)


def _shown(number: float) -> str:
    return f"{number:,.6g}" if number % 1 else f"{number:,.0f}"


def validate(system: str | None = None) -> Validation:
    """Compare published numbers with simulated ones.

    Parameters
    ----------
    system : one system only, e.g. ``systolic``; None for all

    Raises
    ------
    AccelsimError
        For an unknown system, or a row that cannot be run.
    """
    from tqdm.auto import tqdm

    known: dict[tuple[Any, ...], Result] = {}
    rows = load_rows(system)
    return Validation(
        tuple(_check(name, row, known) for name, row in tqdm(rows, desc="validate", delay=2, disable=None))
    )


def _check(system: str, row: Row, known: dict[tuple[Any, ...], Result]) -> Checked:
    simulated = compared(row) if row.values else _simulated(row, row.preset, known)
    physical = _simulated(row, "physical", known) if row.physical and not row.values else None
    error = simulated / row.published - 1 if row.published else float(simulated != 0)
    return Checked(
        id=row.id,
        system=system,
        what=row.what,
        published=row.published,
        simulated=simulated,
        physical=physical,
        unit=row.unit,
        error=error,
        tolerance=row.tolerance,
        goal=row.goal,
        ok=None if row.tolerance is None else abs(error) <= row.tolerance,
        kind=row.kind,
        cause=row.cause,
        preset=row.preset,
        switches=row.switches,
        quality=row.quality,
        source=row.source,
    )


def compared(row: Row) -> float:
    """What a row that only compares published numbers says of them."""
    if row.measure == "mean_difference":
        return sum(first - second for first, second in row.values) / len(row.values)
    ((first, second),) = row.values
    return first / second if row.measure == "ratio" else 1 - second / first


def _simulated(row: Row, preset: str, known: dict[tuple[Any, ...], Result]) -> float:
    number = measured(row, _run(row, row.architecture or "", preset, known))
    return number / measured(row, _run(row, row.over, preset, known)) if row.over else number


def _run(row: Row, architecture: str, preset: str, known: dict[tuple[Any, ...], Result]) -> Result:
    layers = repr(row.layers)
    key = (row.workload or layers, architecture, preset, row.batch, repr(sorted(row.switches.items())))
    if key not in known:
        workload = row.workload or from_layers(row.id, row.layers or (), batch=row.batch or 1)
        batch = row.batch if row.workload else None
        try:
            known[key] = simulate(workload, architecture, preset=preset, batch=batch, settings=row.switches)
        except AccelsimError as error:
            raise AccelsimError(*(f"row {row.id}: {problem}" for problem in error.problems)) from error
    return known[key]


def measured(row: Row, result: Result) -> float:
    """The number that a row asks for.

    Raises
    ------
    AccelsimError
        If the workload has no operator of that name, or the operator no number of cycles.
    """
    if row.measure in ("energy_unit", "area_um2"):
        number = None if result.area_mm2 is None else result.area_mm2 * 1e6
        if row.measure == "energy_unit":
            number = result.metrics.get("energy_unit")
        if number is None:
            raise AccelsimError(f"row {row.id}: {result.architecture} has no {row.measure}")
        return number
    chosen = [o for o in result.operators if (o.name == row.operator if row.operator else o.macs)]
    if not chosen:
        raise AccelsimError(f"row {row.id}: {result.workload} has no operator {row.operator!r}")
    if row.measure == "latency_s":
        return sum(o.latency_s for o in chosen)
    if row.measure == "inferences_per_s":
        return result.metrics["inferences_per_s"] or 0.0
    if row.measure == "pes":
        return max(o.pes or 0 for o in chosen)
    if row.measure in ("bytes", "held_B"):
        found = [o.bytes if row.measure == "bytes" else o.held_B for o in chosen]
        strange = [name for name in row.of if not any(name in sizes for sizes in found)]
        if strange:
            raise AccelsimError(f"row {row.id}: nothing has {row.measure} of {', '.join(strange)}")
        return sum(sizes.get(name, 0) for sizes in found for name in row.of)
    cycles = [o.cycles for o in chosen]
    total = sum(c for c in cycles if c is not None)
    if None in cycles:
        raise AccelsimError(f"row {row.id}: not every operator has a number of cycles")
    # The index of the last cycle, counted from 0, is one less than the number of cycles.
    return total - len(cycles) if row.measure == "last_cycle" else total
