"""The summary a person reads in a terminal."""

from accelsim.results.quantity import quantity
from accelsim.results.result import OperatorResult, Result

MOST_ROWS = 60
HEADINGS = ("operator", "type", "cycles", "time", "util", "bound by", "energy", "dram")


def _bound(result: OperatorResult) -> str:
    return result.bound_by or ""


def _row(operator: OperatorResult) -> tuple[str, ...]:
    name = operator.name if len(operator.name) <= 28 else operator.name[:25] + "..."
    if operator.fused_into is not None:
        return (name, operator.type, "", f"in {operator.fused_into}"[:12], "", "", "", "")
    return (
        name,
        operator.type,
        "" if operator.cycles is None else f"{operator.cycles:,}",
        quantity(operator.latency_s, "s"),
        "" if operator.utilisation is None or not operator.macs else f"{operator.utilisation:.1%}",
        _bound(operator),
        quantity(operator.energy_J, "J"),
        quantity(next(iter(operator.bytes.values()), 0), "B"),
    )


def table(rows: list[tuple[str, ...]], left: tuple[int, ...] = (0, 1, 5)) -> list[str]:
    """Lines of a table whose columns ``left`` are flush left, the others flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def summary(result: Result) -> str:
    """One table of operators, the totals with their bounds, what bounds the run, and where the constants come
    from.
    """
    timed = [o for o in result.operators if o.start_s is not None and o.fused_into is None]
    shown = timed[:MOST_ROWS]
    lines = [f"{result.workload} on {result.architecture} ({result.engine}, preset {result.preset})"]
    if result.switches:
        lines.append("switches: " + ", ".join(f"{k}={v}" for k, v in result.switches.items()))
    lines += ["", *table([HEADINGS, *(_row(o) for o in shown)])]
    fused = sum(o.fused_into is not None for o in result.operators)
    free = len(result.operators) - len(timed) - fused
    rest = [f"{len(timed) - len(shown)} more timed"] if len(timed) > len(shown) else []
    rest += [f"{fused} fused into the one before"] if fused else []
    rest += [f"{free} without time or traffic"] if free else []
    if rest:
        lines.append(f"and {', '.join(rest)}")
    lines += ["", f"latency   {quantity(result.latency_s, 's')}" + _cycles(result) + _bounds(result)]
    if result.closed_form_s is not None and result.latency_s:
        error = result.closed_form_s / result.latency_s - 1
        lines.append(
            f"          closed form {quantity(result.closed_form_s, 's')} ({error:+.1%} against events)"
        )
    lines.append(f"energy    {quantity(result.energy_J, 'J')}" + _split(result.energy_by_component_J, "J"))
    area = "unknown" if result.area_mm2 is None else f"{result.area_mm2:.3g} mm²"
    lines.append(f"area      {area}")
    for name, value in result.metrics.items():
        lines.append(f"{name:<10}" + ("unknown" if value is None else f"{value:.4g}"))
    critical = sum(result.critical_s.values())
    if critical:
        worst = sorted(result.critical_s.items(), key=lambda item: -item[1])[:4]
        lines.append(
            "bound by  " + ", ".join(f"{name} {time / critical:.0%}" for name, time in worst if time > 0)
        )
    if result.counts:
        tasks, simulated = result.counts["tasks"], result.counts["simulated"]
        lines.append(f"events    {tasks:,} tasks, {simulated:,} simulated ({result.route['kind']})")
    lines += [f"note      {note}" for note in result.notes]
    lines += [f"assumed   {text}" for text in result.assumptions]
    lines += [f"source    {text}" for text in result.sources]
    return "\n".join(lines)


def _cycles(result: Result) -> str:
    if result.cycles is None or result.clock_Hz is None:
        return ""
    return f" = {result.cycles:,} cycles at {quantity(result.clock_Hz, 'Hz')}"


def _bounds(result: Result) -> str:
    if result.lower_bound_s is None:
        return ""
    return f" (bounds {quantity(result.lower_bound_s, 's')} to {quantity(result.upper_bound_s, 's')})"


def _split(parts: "object", unit: str) -> str:
    known = {k: v for k, v in dict(parts).items() if v}  # type: ignore[call-overload]
    total = sum(known.values())
    if not total:
        return ""
    top = sorted(known.items(), key=lambda item: -item[1])
    return " (" + ", ".join(f"{name} {value / total:.0%}" for name, value in top) + ")"
