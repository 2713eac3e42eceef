"""A result as an HTML fragment, for notebooks."""

from collections.abc import Iterable
from html import escape

from accelsim.results.result import Result
from accelsim.results.summary import operator_table, totals

LEFT = "text-align:left;padding:1px 8px"
RIGHT = "text-align:right;padding:1px 8px"


def result_html(result: Result) -> str:
    """The summary as two tables: figures of the whole, and the operators that take time (folded away)."""
    headings, rows, rest = operator_table(result)
    styles = [LEFT if heading in ("operator", "type", "bound by") else RIGHT for heading in headings]
    title = f"{result.workload} on {result.architecture}"
    about = f"{result.engine} engine, preset {result.preset}"
    figures = "".join(_line("td", row, (LEFT, RIGHT, LEFT)) for row in totals(result))
    operators = "".join(_line("td", row, styles) for row in rows)
    return (
        f"<div><p><b>{escape(title)}</b> ({escape(about)})</p><table>{figures}</table>"
        f"<details><summary>{len(rows)} operators</summary>"
        f"<table>{_line('th', headings, styles)}{operators}</table><p>{escape(rest)}</p></details></div>"
    )


def _line(tag: str, cells: Iterable[str], styles: Iterable[str]) -> str:
    """One table row, every cell escaped."""
    return (
        "<tr>"
        + "".join(
            f'<{tag} style="{style}">{escape(cell)}</{tag}>'
            for cell, style in zip(cells, styles, strict=True)
        )
        + "</tr>"
    )
