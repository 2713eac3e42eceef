"""Where spec files are: a path, the working directory, or the ones that come with accelsim."""

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.spec.memo import Look, note

FOLDERS = {
    "arch": "architecture",
    "dataflows": "dataflow",
    "mappings": "mapping",
    "workloads": "workload",
    "calibrations": "calibration",
    "technologies": "technology",
}
"""Shipped folders, and the ``kind:`` of the files in each."""

_INSIDE = {"mappings": "dataflows", "calibrations": "arch", "technologies": "arch"}
"""Folders that lie inside another one."""

_KIND = re.compile(rb"^kind:[ \t]*['\"]?([\w-]+)", re.MULTILINE)
_SUFFIXES = (".yaml", ".yml")


def root(kind: str) -> Traversable:
    """Folder of shipped specs: 'arch', 'dataflows', 'mappings' or 'workloads'."""
    if kind in _INSIDE:
        return root(_INSIDE[kind]) / kind
    try:
        return files(f"accelsim.{kind}")
    except ModuleNotFoundError:  # a checkout that shadows the installed package has no such module
        return Path(__file__).resolve().parents[2] / kind


def names(kind: str) -> tuple[str, ...]:
    """Names of the shipped specs of a kind, sorted."""
    return tuple(sorted(shipped(kind)))


def shipped(kind: str) -> dict[str, Traversable]:
    """Shipped specs of a kind by name."""
    return {file.name.removesuffix(".yaml"): file for _, file in _placed(root(kind))}


def _placed(folder: Traversable, above: str = "") -> Iterator[tuple[str, Traversable]]:
    """Every YAML file below a folder, with its place in it."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_dir() and (above or entry.name not in _INSIDE):
            yield from _placed(entry, f"{above}{entry.name}/")
        elif entry.name.endswith(".yaml"):
            yield above + entry.name, entry


def is_path(name: str) -> bool:
    """Whether a name is written as a path rather than as the name of a spec."""
    return "/" in name or "\\" in name or name.endswith(_SUFFIXES)


def find(kind: str, name: str | Path, beside: Path | None = None) -> Path | Traversable:
    """The file that a name or path stands for.

    A path is taken as it is, relative to ``beside`` (the folder of the file that mentions it) or to the
    working directory. A name is looked up beside that file, in the working directory, then among the shipped
    specs; a file there that declares another kind does not count.

    Raises
    ------
    AccelsimError
        if nothing is found, with the nearest name.
    """
    found = _find(kind, name, beside)
    note(Look(_find, (kind, name, beside), found))
    return found


def _find(kind: str, name: str | Path, beside: Path | None) -> Path | Traversable:
    text = str(name)
    if isinstance(name, Path) or is_path(text):
        return _at_path(text, beside)
    for folder in (beside, Path()):
        path = None if folder is None else folder / f"{text}.yaml"
        if path is not None and _declares(path, FOLDERS[kind]):
            return path
    known = shipped(kind)
    if text in known:
        return known[text]
    others = [FOLDERS[k] for k in FOLDERS if k != kind and text in shipped(k)]
    if others:
        article = "an" if others[0][0] in "aeiou" else "a"
        raise AccelsimError(f"no {FOLDERS[kind]} named {text!r}: that is {article} {others[0]}")
    hint = did_you_mean(text, known) or f"; 'accelsim list {kind}' shows the shipped ones"
    raise AccelsimError(f"no {FOLDERS[kind]} named {text[:60]!r}{hint}")


def display(path: Path | Traversable, kind: str) -> str:
    """How sentences name a file: shipped ones as 'arch/eyeriss.yaml', others by their path."""
    text = str(path)
    for place, file in _placed(root(kind)):  # an installed root need not be a path with a prefix to take off
        if str(file) == text:
            return f"{kind}/{place}"
    return text


def _at_path(text: str, beside: Path | None) -> Path:
    try:
        path = Path(text).expanduser()
        if beside is not None and not path.is_absolute() and (beside / path).is_file():
            return beside / path
    except (OSError, ValueError, RuntimeError):
        raise AccelsimError(f"{text[:60]!r} cannot be the path of a file") from None
    return path


def _declares(path: Path, kind: str) -> bool:
    """Whether a file exists and does not declare other kinds only."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            declared = _KIND.findall(file.read(65536))
    except (OSError, ValueError):
        return False
    return not declared or kind.encode() in declared
