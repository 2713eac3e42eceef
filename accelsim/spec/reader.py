"""Safe YAML: text in, trees with line numbers out, every problem as a sentence.

The file is read through libyaml's event stream where it is available and assembled without recursion, so that
size, depth and the expansion of aliases are bounded before they cost anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from accelsim.errors import AccelsimError
from accelsim.spec.memo import Look, note
from accelsim.spec.scalars import resolve
from accelsim.spec.tree import Document, Node, Problems

MOST_BYTES = 8_000_000
MOST_VALUES = 250_000
MOST_PROBLEMS = 100
DEEPEST = 64

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TOO_DEEP = f"is nested more than {DEEPEST} levels deep"
_PARSER_DEPTH = "exceeded maximum nesting depth"
"""What newer versions of libyaml say of their own bound, which may be met before ours: they look ahead."""


def read_file(path: Path | Traversable, name: str | None = None) -> list[Document]:
    """Documents of a YAML file.

    Parameters
    ----------
    name : how sentences call the file; the path itself if None

    Raises
    ------
    AccelsimError
        if the file is missing, too large, not text, not YAML, or breaks a rule of ``read_text``.
    """
    name = name or str(path)
    return read_bytes(file_bytes(path, name), name, path.parent if isinstance(path, Path) else None)


def file_bytes(path: Path | Traversable, name: str) -> bytes:
    """Content of a file of any text format; AccelsimError if it is missing, too large or unreadable."""
    try:
        if path.is_dir():
            raise AccelsimError(f"{name}: is a folder, not a file")
        if not path.is_file():
            raise AccelsimError(f"{name}: there is no such file")
        if isinstance(path, Path) and path.stat().st_size > MOST_BYTES:
            raise AccelsimError(_too_large(name, path.stat().st_size))
        data = path.read_bytes()
        note(Look(_digest, (path,), blake2b(data).digest()))
        return data
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AccelsimError(f"{name}: cannot be read: {reason}") from None


def _digest(path: Path | Traversable) -> bytes:
    """What tells the content of a file from any other."""
    return blake2b(path.read_bytes()).digest()


def read_bytes(data: bytes, name: str, folder: Path | None = None) -> list[Document]:
    """Documents of the bytes of a YAML file; see ``read_text``."""
    return read_text(decoded(data, name), name, folder)


def decoded(data: bytes, name: str) -> str:
    """The bytes of a file as text; AccelsimError if they are too many or no UTF-8 text."""
    if len(data) > MOST_BYTES:
        raise AccelsimError(_too_large(name, len(data)))
    nul = data.find(b"\0")
    if nul >= 0:
        line = data.count(b"\n", 0, nul) + 1
        raise AccelsimError(f"{name}:{line}: holds a NUL byte; a file read here is UTF-8 text")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise AccelsimError(
            f"{name}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8 text"
        ) from None


def read_text(text: str, name: str, folder: Path | None = None) -> list[Document]:
    """Documents of YAML text, at least one.

    Raises
    ------
    AccelsimError
        with every duplicate key, leading zero and foreign tag, and the first error of syntax.
    """
    assembly = _Assembly(name)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            assembly.take(event)
    except yaml.YAMLError as error:
        assembly.problems.add(_syntax_place(error, name), (), _syntax(error, text))
    except _Enough:
        pass
    assembly.problems.raise_any()
    if not any(root.value is not None for root in assembly.roots):
        raise AccelsimError(f"{name}: is empty")
    return [Document(root, name, folder) for root in assembly.roots if root.value is not None]


def read_value(text: str) -> Any:
    """Plain value of a piece of YAML given on the command line, e.g. ``64 GB/s`` or ``[8, 12]``."""
    if not text.strip():
        return ""
    return read_text(text, repr(text[:60]))[0].data if text.strip() not in ("null", "~") else None


class _Enough(Exception):
    """A bound was passed; reading on would only cost time."""


@dataclass(slots=True)
class _Frame:
    """A mapping or list whose end has not come yet."""

    node: Node
    step: str | int
    anchor: str | None
    before: int
    deepest: int = 0
    key: str | None = None
    key_line: int = 0
    key_lines: dict[str, int] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)


class _Assembly:
    """Turns the event stream into trees, one frame per open collection."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.roots: list[Node] = []
        self.problems = Problems()
        self.frames: list[_Frame] = []
        self.anchors: dict[str, tuple[Node, int, int] | None] = {}
        self.values = 0

    def take(self, event: yaml.Event) -> None:
        mark = event.start_mark
        line = mark.line + 1 if mark else 0
        if isinstance(event, yaml.DocumentStartEvent):
            self.anchors = {}
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor or "", line)

    def _wrong(self, line: int, text: str, *steps: str | int) -> None:
        path = [*(frame.step for frame in self.frames[1:]), *steps]
        self.problems.add(Node(None, self.name, line), path, text)
        if len(self.problems) >= MOST_PROBLEMS:
            self._stop(line, f"reading stopped here, after {MOST_PROBLEMS} problems")

    def _stop(self, line: int, text: str) -> None:
        self.problems.add(Node(None, self.name, line), (), text)
        raise _Enough

    def _here(self) -> str | int:
        """Step from the innermost open collection to the value that comes next."""
        if not self.frames:
            return ""
        frame = self.frames[-1]
        return len(frame.node.value) if isinstance(frame.node.value, list) else frame.key or ""

    def _count(self, line: int, values: int = 1) -> None:
        self.values += values
        if self.values > MOST_VALUES:
            self._stop(line, f"holds more than {MOST_VALUES:,} values, counting what aliases repeat")

    def _expects_key(self) -> bool:
        frame = self.frames[-1] if self.frames else None
        return frame is not None and isinstance(frame.node.value, dict) and frame.key is None

    def _open(self, event: yaml.CollectionStartEvent, line: int) -> None:
        if self._expects_key():
            self._stop(line, "a mapping or list cannot be the name of a field")
        if len(self.frames) >= DEEPEST:
            self._stop(line, _TOO_DEEP)
        self._count(line)
        self._tag(event.tag, line)
        if event.anchor:
            self.anchors[event.anchor] = None
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self.frames.append(_Frame(Node(value, self.name, line), self._here(), event.anchor, self.values))

    def _close(self) -> None:
        frame = self.frames.pop()
        for source in frame.merged:
            for key, node in source.items():
                frame.node.value.setdefault(key, node)
        depth = frame.deepest + 1
        if frame.anchor:
            self.anchors[frame.anchor] = (frame.node, self.values - frame.before + 1, depth)
        self._deliver(frame.node, depth)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        self._count(line)
        if self._expects_key():
            self._name(event.value, line)
            return
        value: Any = event.value
        if event.tag is None and event.implicit[0]:
            try:
                value = resolve(event.value)
            except ValueError as error:
                self._wrong(line, str(error), *self._steps())
        elif event.tag != "tag:yaml.org,2002:str":
            self._tag(event.tag, line)
        node = Node(value, self.name, line)
        if event.anchor:
            self.anchors[event.anchor] = (node, 1, 0)
        self._deliver(node, 0)

    def _steps(self) -> tuple[str | int, ...]:
        return (self._here(),) if self.frames else ()

    def _tag(self, tag: str | None, line: int) -> None:
        if tag is not None and tag not in ("!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            shown = tag.replace("tag:yaml.org,2002:", "!!")[:60]
            self._wrong(
                line, f"has the tag {shown!r}, which is not read here; write the plain value", *self._steps()
            )

    def _name(self, key: str, line: int) -> None:
        frame = self.frames[-1]
        frame.key, frame.key_line = key, line
        if key == "<<":
            return
        first = frame.key_lines.setdefault(key, line)
        if first != line or key in frame.node.value:
            self._wrong(line, f"is given twice, first on line {first}", key[:60])

    def _alias(self, anchor: str, line: int) -> None:
        if self._expects_key():
            self._stop(line, "an alias cannot be the name of a field")
        if anchor not in self.anchors:
            self._stop(line, f"the alias *{anchor[:60]} has no anchor &{anchor[:60]} before it")
        target = self.anchors[anchor]
        if target is None:
            self._stop(line, f"the alias *{anchor[:60]} is inside what it stands for")
            return
        node, values, depth = target
        if len(self.frames) + depth > DEEPEST:
            self._stop(line, _TOO_DEEP)
        self._count(line, values)
        self._deliver(replace(node, line=line), depth)

    def _deliver(self, node: Node, depth: int) -> None:
        if not self.frames:
            self.roots.append(node)
            return
        frame = self.frames[-1]
        frame.deepest = max(frame.deepest, depth)
        if isinstance(frame.node.value, list):
            frame.node.value.append(node)
            return
        key = frame.key or ""
        frame.key = None
        if key == "<<":
            self._merge(frame, node)
        else:
            frame.node.value.setdefault(key, replace(node, line=frame.key_line))

    def _merge(self, frame: _Frame, node: Node) -> None:
        sources = node.value if isinstance(node.value, list) else [node]
        if all(isinstance(source.value, dict) for source in sources):
            frame.merged.extend(sources)
        else:
            self._wrong(node.line, "needs a mapping to merge", "<<")


def _marks(error: yaml.YAMLError) -> Iterator[Any]:
    yield getattr(error, "problem_mark", None)
    yield getattr(error, "context_mark", None)


def _syntax_place(error: yaml.YAMLError, name: str) -> Node:
    mark = next((m for m in _marks(error) if m is not None), None)
    return Node(None, name, mark.line + 1 if mark else 0)


def _syntax(error: yaml.YAMLError, text: str) -> str:
    """What is wrong with the syntax, in one sentence."""
    mark = next((m for m in _marks(error) if m is not None), None)
    if mark is not None:
        lines = text.split("\n", mark.line + 1)
        line = lines[mark.line] if mark.line < len(lines) else ""
        if "\t" in line[: mark.column + 1]:
            return "a tab stands where YAML needs spaces; indent with spaces"
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    if reason == _PARSER_DEPTH:
        return _TOO_DEEP
    column = f" (column {mark.column + 1})" if mark else ""
    return f"not valid YAML: {str(reason)[:120]}{column}"


def _too_large(name: str, size: int) -> str:
    return f"{name}: is {size / 1e6:,.0f} MB; a file read here may have {MOST_BYTES / 1e6:.0f} MB"
