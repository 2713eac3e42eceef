"""The one exception a user's mistake raises, and the nearest-name hint its sentences end with."""

from collections.abc import Iterable
from difflib import get_close_matches


class AccelsimError(Exception):
    """Something a user gave is wrong.

    ``problems`` holds one sentence for each thing that is wrong; all that were found in one
    pass are reported together. On the command line it becomes exit code 2 without a traceback.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: tuple[str, ...] = problems


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name nearest to ``name``, else ``""``.

    Case and the difference between ``-`` and ``_`` do not count against a name.
    """

    def plain(text: str) -> str:
        return text.lower().replace("-", "_")

    by_plain = {plain(k): k for k in known}
    close = get_close_matches(plain(str(name)[:80]), by_plain, n=1, cutoff=0.6)
    return f"; did you mean {by_plain[close[0]]!r}?" if close else ""
