"""Sentences about layers that do not fit, each said once."""

from collections.abc import Mapping, Sequence

MOST_PROBLEMS = 20
"""Sentences about layers that do not fit, before the rest is counted."""

MOST_NAMES = 3


def sentences(problems: Sequence[tuple[str, str]], where: str) -> list[str]:
    """(operator, what is wrong) as sentences; those with the same fault are named after it."""
    operators: dict[str, list[str]] = {}
    for name, text in problems:
        operators.setdefault(text, []).append(name)
    said = []
    for text, (first, *others) in operators.items():
        said.append(f"{first}: {text}")
        if others:
            more = f" and {len(others) - MOST_NAMES} more" if len(others) > MOST_NAMES else ""
            said.append(f"{', '.join(others[:MOST_NAMES])}{more}: the same as {first}")
    rest = len(said) - MOST_PROBLEMS
    return [*said[:MOST_PROBLEMS], *([f"and {rest} more of {where}"] if rest > 0 else [])]


def smallest_sizes(short: Mapping[str, Sequence[tuple[int, str]]], network: str) -> list[str]:
    """For every memory too small for several layers, the size that works for all of them.

    ``short``: memory -> (bytes needed, layer) of each layer that it is too small for.
    """
    found = []
    for memory, needs in short.items():
        if len(needs) > 1:
            size, name = max(needs, key=lambda need: need[0])
            found.append(
                f"the smallest components.{memory}.size that works for all of {network} is {size} B ({name})"
            )
    return found
