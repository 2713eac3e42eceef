"""The summary a person reads in a terminal."""

from collections.abc import Mapping

from accelsim.results.layout import UNBROKEN, fitted, labelled, shorten, table
from accelsim.results.quantity import area, figure, quantity
from accelsim.results.result import OperatorResult, Result

MOST_ROWS = 100
MOST_PARTS = 4
MOST_ACTIVITIES = 5
LEAST_SHARE = 0.01


def summary(result: Result) -> str:
    """One table of operators, the totals with their bounds, what bounds the run, and where its constants
    come from.
    """
    headings, rows, rest = operator_table(result)
    lines = [f"{result.workload} on {result.architecture}"]
    lines += labelled(
        "", ", ".join([f"{result.engine} engine", f"preset {result.preset}", *_switches(result)]), 0
    )
    lines += ["", *table(fitted([headings, *rows])), *labelled("", rest, 0), ""]
    figures = totals(result)
    indent = max(len(label) for label, _, _ in figures) + 2
    width = max(len(value) for _, value, _ in figures)
    for label, value, remark in figures:
        lines += labelled(f"{label:<{indent}}{value:>{width}}", remark, indent + width + 2)
    lines.append("")
    for label, texts in (("note", result.notes), ("assumed", result.assumptions), ("source", result.sources)):
        for text in texts:
            lines += labelled(label, text, indent)
    return "\n".join(lines).rstrip()


def operator_table(result: Result) -> tuple[list[str], list[list[str]], str]:
    """Headings, a row per operator that takes time, and what is left out; the longest if there are many."""
    timed = [o for o in result.operators if o.start_s is not None]
    longest = sorted(range(len(timed)), key=lambda i: -timed[i].latency_s)[:MOST_ROWS]
    shown = [timed[i] for i in sorted(longest)]
    memories = dict.fromkeys(memory for o in shown for memory in list(o.bytes)[:1])
    memory = next(iter(memories)) if len(memories) == 1 else "memory"
    fused = sum(o.fused_into is not None for o in result.operators)
    free = len(result.operators) - len(timed) - fused
    rest = [f"{len(timed) - len(shown)} that take less time"] if len(timed) > len(shown) else []
    rest += [f"{fused} fused into the one before"] if fused else []
    rest += [f"{free} without time or traffic"] if free else []
    # operators of a chip of parts have no cycles of their own, but a part that they run on
    second = "on" if any(o.unit for o in shown) else "cycles"
    headings = ["operator", "type", second, "time", "util", "bound by", "energy", shorten(memory, 12)]
    return headings, [_row(o) for o in shown], f"and {', '.join(rest)}" if rest else ""


def totals(result: Result) -> list[tuple[str, str, str]]:
    """Label, value and remark of each figure of the whole run."""
    rows = [("latency", quantity(result.latency_s, "s"), "; ".join([*_cycles(result), *_bounds(result)]))]
    if result.engine != "closed-form" and result.closed_form_s is not None and result.latency_s:
        error = result.closed_form_s / result.latency_s - 1
        remark = f"{error:+.1%} against the events" if abs(error) >= 0.0005 else "within 0.05% of the events"
        rows.append(("closed form", quantity(result.closed_form_s, "s"), remark))
    rows.append(
        (
            "energy",
            quantity(result.energy_J, "J"),
            _parts("energy", result.energy_J, result.energy_by_component_J),
        )
    )
    metrics = dict(result.metrics)
    power = metrics.pop("average_power_W", None)
    rows.append(("power", quantity(power, "W"), "" if power is None else "on average"))
    rows.append(
        ("area", area(result.area_mm2), _parts("area", result.area_mm2, result.area_by_component_mm2))
    )
    used, peak = metrics.pop("utilisation", None), result.peak_macs_per_s
    of_peak = "" if used is None or peak is None else f"{used:.1%} of the peak of {quantity(peak, 'MAC/s')}"
    rows.append(("rate", quantity(metrics.pop("macs_per_s", None), "MAC/s"), of_peak))
    rows += [(*figure(name, value), "") for name, value in metrics.items()]
    shares = _split(result.critical_s, MOST_ACTIVITIES)
    if shares:
        rows.append(("bound by", "", shares))
    tasks, simulated = result.counts["tasks"], result.counts["simulated"]
    if tasks:
        rows.append(("events", f"{tasks:,}", f"tasks, {simulated:,} of them simulated ({_route(result)})"))
    return rows


def _row(operator: OperatorResult) -> list[str]:
    return [
        shorten(operator.name, 28),
        operator.type,
        shorten(operator.unit, 16) if operator.unit else _count(operator.cycles),
        quantity(operator.latency_s, "s"),
        "" if operator.utilisation is None or not operator.macs else f"{operator.utilisation:.1%}",
        shorten(operator.bound_by or "", 16),
        quantity(operator.energy_J, "J"),
        quantity(next(iter(operator.bytes.values())), "B") if operator.bytes else "",
    ]


def _count(cycles: int | None) -> str:
    return "" if cycles is None else f"{cycles:,}"


def _switches(result: Result) -> list[str]:
    return [f"{name}={value}" for name, value in result.switches.items()]


def _cycles(result: Result) -> list[str]:
    if result.cycles is None or result.clock_Hz is None:
        return []
    return [f"{result.cycles:,} cycles at {quantity(result.clock_Hz, 'Hz')}"]


def _bounds(result: Result) -> list[str]:
    if result.lower_bound_s is None:
        return []
    return [f"bounds {quantity(result.lower_bound_s, 's')} to {quantity(result.upper_bound_s, 's')}"]


def _route(result: Result) -> str:
    if result.counts["simulated"] == result.counts["tasks"]:
        return "every one"
    return "equal ones once, exactly"


def _parts(what: str, whole: float | None, parts: Mapping[str, float | None]) -> str:
    """Shares of the whole; where it is unknown, the parts because of which it is."""
    if whole is not None:
        return _split(parts)
    unknown = [name for name, value in parts.items() if value is None]
    return "" if len(unknown) == len(parts) else f"no {what} for {', '.join(unknown)}"


def _split(parts: Mapping[str, float | None], most: int = MOST_PARTS) -> str:
    """Shares of the known parts, largest first; small ones together."""
    known = {k: v for k, v in parts.items() if v}
    total = sum(known.values())
    top = [
        item for item in sorted(known.items(), key=lambda i: -i[1])[:most] if item[1] >= LEAST_SHARE * total
    ]
    shown = [f"{name} {value / total:.0%}" for name, value in top]
    rest = total - sum(value for _, value in top)
    if rest > LEAST_SHARE / 2 * total:
        shown.append(f"others {rest / total:.0%}")
    return ", ".join(part.replace(" ", UNBROKEN) for part in shown)
