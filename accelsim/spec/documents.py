"""From a name to the one document of the asked kind, with settings put in."""

from pathlib import Path

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.spec import catalog
from accelsim.spec.reader import read_file
from accelsim.spec.tree import Document, Node, Problems
from accelsim.spec.units import shown

COMMANDS = {
    "architecture": "accelsim run --arch",
    "workload": "accelsim run --workload",
    "run": "accelsim run",
    "sweep": "accelsim sweep",
    "search": "accelsim search",
    "campaign": "accelsim faults",
}
"""Which command takes a file of each kind."""

NAMED_BY = {
    "dataflow": "an architecture's components name it",
    "calibration": "the switch 'calibration' names it",
    "technology": "the field 'technology' of an architecture names it",
    "mapping": "the switch 'mapping' names it",
}

KINDS = (
    "architecture", "dataflow", "mapping", "workload", "calibration", "technology", "run",
    "sweep", "search", "campaign",
)  # fmt: skip
_SHIPPED = {kind: folder for folder, kind in catalog.FOLDERS.items()}


def open_document(kind: str, name: str | Path, beside: Path | None = None) -> Document:
    """The document of that kind in the file that ``name`` stands for.

    ``file.yaml#name`` picks one of several documents of the kind in one file.

    Raises
    ------
    AccelsimError
        if there is no such file, it cannot be read, or it holds another kind.
    """
    text, _, wanted = str(name).partition("#")
    if kind in _SHIPPED:
        file = catalog.find(_SHIPPED[kind], Path(text) if isinstance(name, Path) else text, beside)
        label = catalog.display(file, _SHIPPED[kind])
    else:
        file, label = Path(text), text
    return _choose(read_file(file, label), kind, label, wanted)


def _choose(documents: list[Document], kind: str, label: str, wanted: str) -> Document:
    _raise_wrong_kinds(documents)
    of_kind = [d for d in documents if _kind(d) == kind]
    if not of_kind:
        node = documents[0].root.value["kind"]
        taker = COMMANDS.get(node.value)
        takes = f"'{taker}' takes it" if taker else NAMED_BY.get(node.value, NAMED_BY["dataflow"])
        problems = Problems()
        problems.add(node, ("kind",), f"is {node.value!r}, not {kind!r}; {takes}")
        problems.raise_any()
    if len(of_kind) == 1 and not wanted:
        return of_kind[0]
    by_name = {str(d.root.get("name").plain()): d for d in of_kind if d.root.get("name")}  # type: ignore[union-attr]
    if wanted in by_name:
        return by_name[wanted]
    if wanted:
        raise AccelsimError(f"{label}: holds no {kind} named {wanted[:60]!r}{did_you_mean(wanted, by_name)}")
    listed = " or ".join(f"{label}#{n}" for n in by_name)
    raise AccelsimError(f"{label}: holds {len(of_kind)} {kind}s; pick one with {listed}")


def _raise_wrong_kinds(documents: list[Document]) -> None:
    problems = Problems()
    for document in documents:
        wrong = _wrong_kind(document.root)
        if wrong is not None:
            problems.add(wrong[0], (), wrong[1])
    problems.raise_any()


def _kind(document: Document) -> object:
    return document.root.value["kind"].value


def _wrong_kind(root: Node) -> tuple[Node, str] | None:
    """What is wrong with the ``kind:`` of a document, if anything."""
    if not isinstance(root.value, dict):
        return root, f"must be a mapping that starts with 'kind: ...', not {shown(root.plain())}"
    kind = root.value.get("kind")
    if kind is None:
        hint = did_you_mean("kind", root.value)
        return root, f"'kind' is missing; start the file with 'kind: architecture' or another kind{hint}"
    if kind.value not in KINDS:
        known = ", ".join(KINDS)
        return (
            kind,
            f"kind must be one of {known}, not {shown(kind.plain())}{did_you_mean(kind.value, KINDS)}",
        )
    return None


def kinds_in(path: str) -> set[str]:
    """Kinds of the documents in a file; raises AccelsimError if it cannot be read or a kind is wrong."""
    documents = read_file(Path(path), path)
    _raise_wrong_kinds(documents)
    return {str(_kind(document)) for document in documents}
