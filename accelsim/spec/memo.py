"""Answers that are kept for as long as everything that was read for them stays as it was.

While an answer is made, the reader notes every look at the file system with what it found. A kept answer
counts only if each of these looks finds the same again: the same file under a name, the same content in it.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from accelsim.errors import AccelsimError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Look:
    """A question to the file system and its answer."""

    ask: Callable[..., object]
    about: tuple[object, ...]
    found: object

    def holds(self) -> bool:
        """Whether the answer still is the same."""
        try:
            return self.ask(*self.about) == self.found
        except (AccelsimError, OSError, ValueError):
            return False


@dataclass(slots=True)
class _Record:
    """Looks so far; ``complete`` is lost where something is read in another way."""

    looks: list[Look] = field(default_factory=list)
    complete: bool = True


_records: ContextVar[tuple[_Record, ...]] = ContextVar("records", default=())


def note(look: Look) -> None:
    """Note a look for all answers that are being made."""
    for record in _records.get():
        record.looks.append(look)


def not_noted() -> None:
    """Say that something is read whose change would not be seen: no answer that is being made is kept."""
    for record in _records.get():
        record.complete = False


@contextmanager
def _recording() -> Iterator[_Record]:
    record = _Record()
    token = _records.set((*_records.get(), record))
    try:
        yield record
    finally:
        _records.reset(token)


class Memo(Generic[T]):
    """The last ``size`` answers by key; an exception is no answer and is not kept."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, tuple[T, tuple[Look, ...]]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T], keep: Callable[[T], bool] = lambda _: True) -> T:
        """The answer of that key, made if it is not kept or what it was read from has changed."""
        kept = self._kept.get(key)
        if kept is not None and all(look.holds() for look in kept[1]):
            for look in kept[1]:
                note(look)
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
            return kept[0]
        with _recording() as record:
            made = make()
        if record.complete and keep(made):
            with self._lock:
                self._kept[key] = made, tuple(dict.fromkeys(record.looks))
                self._kept.move_to_end(key)
                while len(self._kept) > self._size:
                    self._kept.popitem(last=False)
        return made

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()


def frozen(value: object) -> Hashable:
    """A key that is equal only for equal plain data of equal types.

    Raises
    ------
    TypeError
        If it is no plain data.
    """
    if isinstance(value, dict):
        return ("dict", tuple((frozen(k), frozen(v)) for k, v in value.items()))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(frozen(v) for v in value))
    if value is None or isinstance(value, str | bool | int | float):
        return (type(value).__name__, repr(value) if isinstance(value, float) else value)
    raise TypeError(f"{type(value).__name__} is no plain data")
