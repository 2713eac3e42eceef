"""A result as an HTML fragment, for notebooks."""

from html import escape

from accelsim.results.quantity import quantity
from accelsim.results.result import Result
from accelsim.results.summary import MOST_ROWS

STYLE = "text-align:right;padding:1px 8px"


def result_html(result: Result) -> str:
    """Totals and a table of the operators that take time."""
    timed = [o for o in result.operators if o.start_s is not None and o.fused_into is None]
    totals = [
        ("latency", quantity(result.latency_s, "s")),
        ("energy", quantity(result.energy_J, "J")),
        ("area", "unknown" if result.area_mm2 is None else f"{result.area_mm2:.3g} mm²"),
        ("tasks", f"{result.counts.get('tasks', 0):,}"),
    ]
    head = "".join(
        f"<th style='{STYLE}'>{h}</th>" for h in ("operator", "cycles", "time", "util", "bound by", "energy")
    )
    body = []
    for o in timed[:MOST_ROWS]:
        cells = (
            o.name,
            "" if o.cycles is None else f"{o.cycles:,}",
            quantity(o.latency_s, "s"),
            "" if o.utilisation is None or not o.macs else f"{o.utilisation:.1%}",
            o.bound_by or "",
            quantity(o.energy_J, "J"),
        )
        body.append("<tr>" + "".join(f"<td style='{STYLE}'>{escape(c)}</td>" for c in cells) + "</tr>")
    if len(timed) > MOST_ROWS:
        body.append(f"<tr><td colspan='6'>and {len(timed) - MOST_ROWS} more</td></tr>")
    figures = ", ".join(f"{name} <b>{escape(value)}</b>" for name, value in totals)
    title = f"{escape(result.workload)} on {escape(result.architecture)} ({escape(result.engine)})"
    return f"<div><p><b>{title}</b>: {figures}</p><table><tr>{head}</tr>{''.join(body)}</table></div>"
