"""Sentences about layers that do not fit, each said once."""

from collections.abc import Sequence

MOST_PROBLEMS = 20
"""Sentences about layers that do not fit, before the rest is counted."""


def sentences(problems: Sequence[tuple[str, str]], where: str) -> list[str]:
    """(operator, what is wrong) as sentences; operators with the same fault share one."""
    operators: dict[str, list[str]] = {}
    for name, text in problems:
        operators.setdefault(text, []).append(name)
    said = [
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}: {text}"
        for text, names in operators.items()
    ]
    more = len(said) - MOST_PROBLEMS
    return [*said[:MOST_PROBLEMS], *([f"and {more} more of {where}"] if more > 0 else [])]
