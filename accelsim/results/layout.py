"""Text in columns, for a terminal."""

from collections.abc import Sequence
from textwrap import wrap

WIDTH = 110
"""Columns that a line may take."""
GAP = "  "
UNBROKEN = "\N{NO-BREAK SPACE}"
"""A space at which ``labelled`` does not break; it comes out as a plain one."""


def shorten(text: str, width: int) -> str:
    """Cut a text in the middle, where names of layers differ least: ``'layer4.…downsample'``."""
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"


def table(rows: Sequence[Sequence[str]], left: tuple[int, ...] = (0, 1, 5)) -> list[str]:
    """Lines of a table whose columns ``left`` are flush left, the others flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        GAP.join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def fitted(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Shorten the first column (not below 12) until a row fits the width of a terminal."""
    others = sum(max(len(row[i]) for row in rows) + len(GAP) for i in range(1, len(rows[0])))
    room = max(WIDTH - others, 12)
    return [[shorten(row[0], room), *row[1:]] for row in rows]


def labelled(label: str, text: str, indent: int) -> list[str]:
    """A label and a text beside it, broken at ``WIDTH`` and flush with its own beginning."""
    lines = wrap(text, max(WIDTH - indent, 20), break_long_words=False, break_on_hyphens=False) or [""]
    lines = [label.ljust(indent) + lines[0], *(" " * indent + line for line in lines[1:])]
    return [line.replace(UNBROKEN, " ").rstrip() for line in lines]
