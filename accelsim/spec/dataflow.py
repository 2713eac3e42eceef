"""Dataflow files: templates that say how the loops of a layer run over an array."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError, WithJsonSchema, model_validator

from accelsim.spec.base import FileSpec, Rejected, Spec
from accelsim.spec.documents import open_document
from accelsim.spec.expressions import SizeExpr, parse_size
from accelsim.spec.loops import ONE, LoopSpec
from accelsim.spec.maestro_dataflow import dataflow_document, is_directive_file
from accelsim.spec.sentences import explain
from accelsim.spec.tree import Problems, Step
from accelsim.spec.units import shown

__all__ = ["Cluster", "Dataflow", "LoopSpec", "SizeExpr", "load_dataflow"]


def _cluster_size(value: object) -> SizeExpr:
    if isinstance(value, SizeExpr):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(
            f"must be a whole number, an expression such as 2*R, rows or columns, not {shown(value)}"
        )
    size = parse_size(str(value))
    if size.full or size.never_positive:
        raise ValueError(f"must be at least 1, rows or columns, not {shown(value)}")
    return size


ClusterSize = Annotated[
    SizeExpr,
    BeforeValidator(_cluster_size),
    PlainSerializer(lambda size: size.constant or str(size), when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}),
]


class Cluster(Spec):
    """One level of the array: loops from the outside in, spread over the units of this level."""

    size: ClusterSize | None = None
    """processing elements per cluster: a number, an expression over layer dimensions, rows or columns"""
    loops: Annotated[tuple[LoopSpec, ...], Field(min_length=1)]
    """loops from the outside in: dim[:size[/offset]][@]"""


class Dataflow(FileSpec):
    """Clusters from the whole array (which has no size of its own) inwards."""

    kind: Literal["dataflow"] = "dataflow"
    name: str
    description: str | None = None
    source: str | None = None
    """where the template comes from"""
    clusters: Annotated[tuple[Cluster, ...], Field(min_length=1)]
    """the whole array first, then the clusters inside it"""

    @model_validator(mode="after")
    def _is_sound(self) -> "Dataflow":
        problems: list[tuple[tuple[Step, ...], str]] = []
        spent: dict[str, int] = {}
        for index, cluster in enumerate(self.clusters):
            path: tuple[Step, ...] = ("clusters", index)
            if index == 0 and cluster.size is not None:
                problems.append(
                    ((*path, "size"), "must be left out: the outermost cluster is the whole array")
                )
            elif index > 0 and cluster.size is None:
                problems.append((path, "'size' is missing; only the outermost cluster goes without"))
            unrolled: set[str] = set()
            for place, loop in enumerate(cluster.loops):
                if not loop.spatial:
                    continue
                twice = sorted(unrolled & set(loop.all_dims))
                if twice:
                    text = f"{str(loop)!r} unrolls {', '.join(twice)} a second time in this cluster"
                    problems.append(((*path, "loops", place), text))
                unrolled |= set(loop.all_dims)
                problems += [
                    (
                        (*path, "loops", place),
                        f"{str(loop)!r} unrolls {dim} a second time: clusters.{spent[dim]} leaves one"
                        f" position of it to each unit; give the loop there a size, or leave {dim} out here",
                    )
                    for dim in loop.all_dims
                    if dim in spent and dim not in twice
                ]
            for loop in cluster.loops:
                if loop.spatial and not loop.together and loop.size == ONE and not self._sized(index, loop):
                    spent |= {dim: spent.get(dim, index) for dim in loop.dims}
        if problems:
            raise Rejected(problems)
        return self

    def _sized(self, index: int, loop: LoopSpec) -> bool:
        """Whether a loop in time further in decides how much each unit gets."""
        inner = (below for cluster in self.clusters[index + 1 :] for below in cluster.loops)
        return any(
            set(below.dims) & set(loop.dims) and not below.spatial and below.size != ONE for below in inner
        )


def load_dataflow(name_or_path: str | Path) -> Dataflow:
    """Read a dataflow by shipped name, file, or ``file.yaml#name``; ``file.m`` holds MAESTRO directives.

    Raises
    ------
    AccelsimError
        with every problem of the file.
    """
    if is_directive_file(name_or_path):
        document = dataflow_document(name_or_path)
    else:
        document = open_document("dataflow", name_or_path)
    problems = Problems()
    try:
        dataflow = Dataflow.model_validate(document.data)
    except ValidationError as error:
        explain(error, Dataflow, document.root, (), problems)
        problems.raise_any()
        raise
    dataflow._document = document
    return dataflow
