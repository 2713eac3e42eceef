"""Workload files: a network from a builder, ONNX file, SCALE-Sim table or layers, or several at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from accelsim.spec.base import FileSpec, Rejected
from accelsim.spec.documents import open_document
from accelsim.spec.machine import Defaults
from accelsim.spec.sentences import explain
from accelsim.spec.settings import apply
from accelsim.spec.tree import Document, Node, Problems, Step
from accelsim.spec.units import Fraction, PositiveCount

__all__ = ["Workload", "load_workload_spec"]

FORMS = ("networks", "builder", "onnx", "topology", "layers")
_COMMON = ("kind", "name", "description", "source", "defaults", "zeros")
_NOTHING: Mapping[str, object] = {}


class Workload(FileSpec):
    """A network, or several, from one of ``networks``, ``builder``, ``onnx``, ``topology``, ``layers``.

    Fields beside ``builder:`` that are not listed here are parameters of the builder, as are those below
    ``parameters:``; the builder checks them and asks ``where_parameter`` for their lines.
    """

    kind: Literal["workload"] = "workload"
    name: str
    description: str | None = None
    source: str | None = None
    """where the network is described"""
    defaults: Defaults = Defaults()
    networks: tuple[str, ...] | None = Field(default=None, min_length=1)
    """names or files of workloads that run at once"""
    builder: str | None = None
    """family of networks that accelsim can build"""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """parameters of the builder"""
    onnx: str | None = None
    """ONNX file, relative to this one"""
    topology: str | None = None
    """SCALE-Sim topology CSV, relative to this file"""
    layers: tuple[dict[str, Any], ...] | None = Field(default=None, min_length=1)
    """one layer after the other, each with a name, a type and its dimensions"""
    zeros: dict[str, dict[Literal["inputs", "outputs"], Fraction]] = Field(default_factory=dict)
    """operator -> share of zeros in what it reads and writes, as measured; codes of feature maps use it"""
    dims: dict[str, PositiveCount] = Field(default_factory=dict)
    """values of the symbolic dimensions of an ONNX file"""

    @model_validator(mode="before")
    @classmethod
    def _parameters_beside_builder(cls, data: Any) -> Any:
        if (
            not isinstance(data, dict)
            or "builder" not in data
            or not isinstance(data.get("parameters", {}), dict)
        ):
            return data
        known = {*_COMMON, "builder", "parameters", "networks", "onnx", "topology"}
        beside = {k: v for k, v in data.items() if k not in known}
        own = {k: v for k, v in data.items() if k in known}
        return {**own, "parameters": {**beside, **data.get("parameters", {})}}

    @model_validator(mode="after")
    def _one_form(self) -> "Workload":
        given = [form for form in FORMS if getattr(self, form) is not None]
        problems: list[tuple[tuple[Step, ...], str]] = []
        if len(given) != 1:
            found = f"it gives {' and '.join(given)}" if given else "it gives none of them"
            problems.append(((), f"needs one of {', '.join(FORMS)}; {found}"))
        if self.dims and self.onnx is None:
            problems.append((("dims",), "must go with onnx: only ONNX files have symbolic dimensions"))
        if self.parameters and self.builder is None:
            problems.append((("parameters",), "must go with builder: nothing else takes parameters"))
        if problems:
            raise Rejected(problems)
        return self

    @property
    def folder(self) -> Path | None:
        """Folder that ``onnx``, ``topology`` and the files of ``networks`` are relative to."""
        return self._document.folder if self._document else None

    def file(self, text: str) -> Path:
        """A path written in this file, resolved against its folder."""
        return (self.folder or Path()) / Path(text).expanduser()

    def where_parameter(self, name: str) -> str:
        """``file:line: name`` of a builder parameter, wherever it stands."""
        root = self._document.root if self._document else None
        below = root.walk(("parameters", name))[1] == 2 if root else False
        return self.where("parameters", name) if below else self.where(name)


def load_workload_spec(
    name_or_path: str | Path, settings: Mapping[str, object] = _NOTHING, beside: Path | None = None
) -> Workload:
    """Read a workload by shipped name, file, or ``file.yaml#name``.

    Parameters
    ----------
    settings : values by dotted path, e.g. ``{"parameters.depth": 4}``
    beside : folder of the file that names this one, searched first

    Raises
    ------
    AccelsimError
        with every problem of the file and of the settings.
    """
    document = open_document("workload", name_or_path, beside)
    problems = Problems()
    root = apply(document.root, settings, problems)
    workload: Workload | None = None
    try:
        workload = Workload.model_validate(root.plain())
    except ValidationError as error:
        explain(error, Workload, root, (), problems)
    _parameters_once(root, problems)
    problems.raise_any()
    assert workload is not None
    workload._document = Document(root, document.file, document.folder)
    return workload


def _parameters_once(root: Node, problems: Problems) -> None:
    """A builder parameter that stands both beside and below ``parameters:`` would silently lose one value."""
    below = root.get("parameters")
    if below is None or root.get("builder") is None:
        return
    for name, node in below.items():
        other = root.get(name)
        if other is not None and name not in _COMMON:
            problems.add(node, ("parameters", name), f"is given twice, also as {name} at {other.place}")
