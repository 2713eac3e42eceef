"""A file's content as a tree in which every value knows the place it was written at."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from accelsim.errors import AccelsimError

Step: TypeAlias = str | int
Children: TypeAlias = "dict[str, Node] | list[Node]"


@dataclass(frozen=True, slots=True)
class Node:
    """One value: text, a number, true/false, nothing, or a mapping or list of further nodes.

    ``file`` and ``line`` say where it was written; ``line`` is 0 for a value that came from a setting, whose
    ``file`` then reads ``setting path=value``. ``note`` is appended to sentences about the value (where the
    parameter it came from was set).
    """

    value: Any
    file: str
    line: int = 0
    note: str = ""

    @classmethod
    def of(cls, value: Any, file: str, line: int = 0) -> "Node":
        """Tree of plain Python data whose nodes all claim the same place."""
        if isinstance(value, Mapping):
            return cls({str(k): cls.of(v, file, line) for k, v in value.items()}, file, line)
        if isinstance(value, list | tuple):
            return cls([cls.of(v, file, line) for v in value], file, line)
        return cls(value, file, line)

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def plain(self) -> Any:
        """Dicts, lists and scalars without places."""
        if isinstance(self.value, dict):
            return {k: v.plain() for k, v in self.value.items()}
        if isinstance(self.value, list):
            return [v.plain() for v in self.value]
        return self.value

    def get(self, step: Step) -> "Node | None":
        """Child of that key or index, None if there is none."""
        if isinstance(self.value, dict):
            child: Node | None = self.value.get(step)
            return child
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            item: Node = self.value[step]
            return item
        return None

    def items(self) -> Iterator[tuple[str, "Node"]]:
        """Entries of a mapping; nothing for any other value."""
        return iter(self.value.items() if isinstance(self.value, dict) else ())

    def walk(self, path: Iterable[Step]) -> tuple["Node", int]:
        """The deepest node that exists along ``path``, and how many steps led to it."""
        node, depth = self, 0
        for step in path:
            child = node.get(step)
            if child is None:
                break
            node, depth = child, depth + 1
        return node, depth

    def noted(self, note: str) -> "Node":
        """The same tree with ``note`` on every node."""
        value: Any = self.value
        if isinstance(value, dict):
            value = {k: v.noted(note) for k, v in value.items()}
        elif isinstance(value, list):
            value = [v.noted(note) for v in value]
        return replace(self, value=value, note=note)


def dotted(path: Iterable[Step]) -> str:
    """``components.pe.rows``."""
    return ".".join(str(step) for step in path)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, ordered by its place."""

    file: str
    line: int
    path: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        if not self.path:
            return f"{place}: {self.text}"
        joined = " " if self.text.partition(" ")[0] in _PREDICATES else ": "
        return f"{place}: {self.path}{joined}{self.text}"


_PREDICATES = {"must", "needs", "is", "has", "holds", "cannot", "names", "goes", "contains"}
"""A rule that starts with one of these words continues the path as a sentence; others follow a colon."""


class Problems(list[Problem]):
    """What is wrong with one or several files, collected so that all of it is answered at once."""

    def __init__(self) -> None:
        super().__init__()
        self._settled: set[tuple[str, int, str]] = set()

    def add(self, node: Node, path: Iterable[Step], text: str, settles: bool = False) -> None:
        """Note that ``text`` is wrong with the value at ``path``, which ``node`` holds.

        One that ``settles`` its value keeps later ones about that value away, because they follow from it.
        """
        place = (node.file, node.line, dotted(path))
        if place not in self._settled:
            self.append(Problem(*place, text + node.note))
        if settles:
            self._settled.add(place)

    def raise_any(self) -> None:
        """Raise all problems as one AccelsimError, in the order of the files and their lines."""
        if self:
            files = {problem.file: i for i, problem in reversed(list(enumerate(self)))}
            ordered = sorted(self, key=lambda p: (files[p.file], p.line))
            raise AccelsimError(*dict.fromkeys(str(problem) for problem in ordered))


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its tree, its file as sentences name it, the folder its own paths start from."""

    root: Node
    file: str
    folder: Path | None = None

    @property
    def data(self) -> Any:
        """The content as plain dicts, lists and scalars."""
        return self.root.plain()

    def where(self, path: Iterable[Step]) -> str:
        """``file:line: a.b.c`` for a path, on the line of its nearest ancestor that exists."""
        steps = tuple(path)
        node, _ = self.root.walk(steps)
        return f"{node.place}: {dotted(steps)}" if steps else node.place
