"""The summary a person reads in a terminal."""

from collections.abc import Mapping

from accelsim.results.quantity import quantity
from accelsim.results.result import OperatorResult, Result

MOST_ROWS = 60
MOST_PARTS = 4
HEADINGS = ("operator", "type", "cycles", "time", "util", "bound by", "energy", "dram")


def _row(operator: OperatorResult) -> tuple[str, ...]:
    name = operator.name if len(operator.name) <= 28 else f"{operator.name[:12]}...{operator.name[-13:]}"
    return (
        name,
        operator.type,
        "" if operator.cycles is None else f"{operator.cycles:,}",
        quantity(operator.latency_s, "s"),
        "" if operator.utilisation is None or not operator.macs else f"{operator.utilisation:.1%}",
        operator.bound_by or "",
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
    lines.append(f"energy    {quantity(result.energy_J, 'J')}" + _split(result.energy_by_component_J))
    area = "unknown" if result.area_mm2 is None else f"{result.area_mm2:.3g} mm²"
    lines.append(f"area      {area}" + _split(result.area_by_component_mm2))
    lines += _rates(result)
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


def _rates(result: Result) -> list[str]:
    """Throughput and power, where they are known."""
    metrics = dict(result.metrics)
    rate = quantity(metrics.pop("macs_per_s", None), "MAC/s")
    used = metrics.pop("utilisation", None)
    lines = [f"rate      {rate}" + ("" if used is None else f" = {used:.1%} of peak")]
    inferences = metrics.pop("inferences_per_s", None)
    if inferences is not None:
        lines[0] += f", {inferences:.4g} inferences/s"
    power = metrics.pop("average_power_W", None)
    if power is not None:
        lines[0] += f", {quantity(power, 'W')} on average"
    return lines + [
        f"{name} {'unknown' if value is None else f'{value:.4g}'}" for name, value in metrics.items()
    ]


def _split(parts: Mapping[str, float | None]) -> str:
    """Shares of the known parts, largest first; small ones together."""
    known = {k: v for k, v in parts.items() if v}
    total = sum(known.values())
    if not total:
        return ""
    top = sorted(known.items(), key=lambda item: -item[1])
    shown = [f"{name} {value / total:.0%}" for name, value in top[:MOST_PARTS]]
    rest = sum(value for _, value in top[MOST_PARTS:])
    return " (" + ", ".join([*shown, *([f"others {rest / total:.0%}"] if rest else [])]) + ")"
