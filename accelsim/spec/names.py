"""What things in a file, and the files themselves, may be called."""

import re

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def name_problem(name: str) -> str | None:
    """Rest of a sentence about a bad name of a component or part, whose names are steps of a dotted path."""
    if _NAME.fullmatch(name):
        return None
    return "has a bad name: use up to 64 letters, digits, - and _, starting with a letter"


def file_name_problem(name: str) -> str | None:
    """Sentence about a bad name of a spec file, None for a good one."""
    if _FILE_NAME.fullmatch(name) and not name.endswith((".", ".yaml", ".yml")):
        return None
    rule = "use up to 64 letters, digits, -, _ and ., starting with a letter or digit"
    return f"{name[:60]!r} cannot name a spec: {rule}"
