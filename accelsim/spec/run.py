"""Run files: a workload on an architecture, with everything that the command line could say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from accelsim.spec.base import FileSpec
from accelsim.spec.documents import open_document
from accelsim.spec.sentences import explain
from accelsim.spec.settings import apply
from accelsim.spec.tree import Document, Problems
from accelsim.spec.units import PositiveCount

_NOTHING: Mapping[str, object] = {}


class Run(FileSpec):
    """One simulation; names are looked up beside this file, in the current folder, then among the shipped."""

    kind: Literal["run"] = "run"
    name: str | None = None
    description: str | None = None
    workload: Annotated[str, Field(min_length=1)]
    """name or file of a workload"""
    architecture: Annotated[str, Field(min_length=1)]
    """name or file of an architecture"""
    engine: Literal["compiled", "simpy", "closed-form"] = "compiled"
    """what runs the program"""
    preset: str = "physical"
    """named set of switches of the architecture"""
    options: Annotated[dict[str, Any], Field(alias="set")] = Field(default_factory=dict)
    """switches of the machine family, and fields of the architecture by dotted path"""
    precision: str | None = None
    """number format, instead of the one in the workload and architecture"""
    batch: PositiveCount | None = None
    """inputs processed together, instead of the number in the workload and architecture"""
    output: str | None = None
    """file the result is written to, as JSON"""

    @property
    def folder(self) -> Path | None:
        """Folder that the names in it are looked up in first."""
        return self._document.folder if self._document else None


def load_run(path: str | Path, settings: Mapping[str, object] = _NOTHING) -> Run:
    """Read a run file, ``file.yaml`` or ``file.yaml#name``.

    Raises
    ------
    AccelsimError
        with every problem of the file and of the settings.
    """
    document = open_document("run", path)
    problems = Problems()
    root = apply(document.root, settings, problems)
    run: Run | None = None
    try:
        run = Run.model_validate(root.plain())
    except ValidationError as error:
        explain(error, Run, root, (), problems)
    problems.raise_any()
    assert run is not None
    run._document = Document(root, document.file, document.folder)
    return run
