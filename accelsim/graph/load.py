"""Any way of naming a network as a layer graph."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from accelsim.errors import AccelsimError
from accelsim.graph.builders import build, check, joined
from accelsim.graph.dtypes import check_precision
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.layers import from_layers
from accelsim.graph.maestro_layers import load_directive_layers
from accelsim.graph.scalesim_csv import load_topology
from accelsim.spec.maestro import SUFFIX

if TYPE_CHECKING:
    from accelsim.spec.workload import Workload

Source = str | PathLike[str] | LayerGraph


def load_workload(
    source: Source,
    *,
    batch: int | None = None,
    precision: str | None = None,
    dims: Mapping[str, int] | None = None,
    unsupported: str = "error",
    settings: Mapping[str, object] | None = None,
) -> LayerGraph:
    """Return the network that ``source`` names.

    Parameters
    ----------
    source : name of a shipped workload, workload YAML, ``.onnx`` file, SCALE-Sim ``.csv`` topology,
        MAESTRO ``.m`` file, or a graph, which is returned as it is
    batch, precision : replace the workload's ``defaults:``, and those replace int8 and 1; an ONNX
        file brings its own
    dims : sizes of an ONNX file's symbolic dimensions, added to the workload's
    unsupported : ``"error"`` or ``"skip"``, for ONNX files
    settings : fields of a workload YAML by dotted path

    Raises
    ------
    AccelsimError
        whatever is wrong, all of it; also if the workload names several networks
    """
    graphs = load_workloads(
        source, batch=batch, precision=precision, dims=dims, unsupported=unsupported, settings=settings
    )
    if len(graphs) > 1:
        names = ", ".join(graph.name for graph in graphs)
        raise AccelsimError(f"{source}: is {len(graphs)} networks at once ({names}) where one is needed")
    return graphs[0]


def load_workloads(
    source: Source,
    *,
    batch: int | None = None,
    precision: str | None = None,
    dims: Mapping[str, int] | None = None,
    unsupported: str = "error",
    settings: Mapping[str, object] | None = None,
) -> tuple[LayerGraph, ...]:
    """Return all networks of a workload, those below ``networks:`` in their order, else the one it is.

    Parameters and errors are those of ``load_workload``.
    """
    loader = _Loader(batch, precision, dims or {}, unsupported)
    graphs = loader.load(source, settings or {})
    if not loader.read_onnx:
        loader.refuse_onnx_options(source if isinstance(source, str | PathLike) else source.name)
    return graphs


class _Loader:
    """What a caller asked for, applied to one source and to the networks it names in turn."""

    def __init__(
        self, batch: int | None, precision: str | None, dims: Mapping[str, int], unsupported: str
    ) -> None:
        self.batch = batch
        self.precision = None if precision is None else check_precision(precision)
        self.dims = dims
        self.unsupported = unsupported
        self.read_onnx = False
        self.open: list[str] = []

    def refuse_onnx_options(self, name: object) -> None:
        """Raise if something was asked for that only an ONNX file could have heeded."""
        problems = [f"{name} has no symbolic dimensions; --dim {d} is for ONNX files" for d in self.dims]
        if self.unsupported != "error":
            problems.append(
                f"{name} has no operators to leave out; --unsupported {self.unsupported} is for ONNX files"
            )
        if problems:
            raise AccelsimError(*problems)

    def load(
        self, source: Source, settings: Mapping[str, object], beside: Path | None = None
    ) -> tuple[LayerGraph, ...]:
        ending = "" if isinstance(source, LayerGraph) else Path(source).suffix.lower()
        if settings and (isinstance(source, LayerGraph) or ending in (".onnx", ".csv", SUFFIX)):
            raise AccelsimError(f"settings are for workload YAML files: {', '.join(map(str, settings))}")
        if isinstance(source, LayerGraph):
            if self.batch is not None:
                raise AccelsimError(
                    f"{source.name}: a graph has its batch already; build it with batch={self.batch}"
                )
            return (source if self.precision is None else source.with_precision(self.precision),)
        if ending == ".onnx":
            return (self._onnx(source, {}, None, None),)
        if ending == SUFFIX:
            return (load_directive_layers(source, batch=self.batch, precision=self.precision or "int8"),)
        if ending == ".csv":
            return (load_topology(source, batch=self.batch or 1, precision=self.precision or "int8"),)
        from accelsim.spec.workload import load_workload_spec

        name = source if isinstance(source, str | Path) else Path(source)
        return self._spec(load_workload_spec(name, settings, beside))

    def _spec(self, spec: "Workload") -> tuple[LayerGraph, ...]:
        batch = self.batch or spec.defaults.batch or 1
        precision = self.precision
        if precision is None and spec.defaults.precision is not None:
            precision = check_precision(spec.defaults.precision, spec.where("defaults", "precision"))
        if spec.networks is not None:
            return self._networks(spec)
        graphs = self._drawn(spec, batch, precision)
        if not spec.zeros:
            return graphs
        zeros = {name: {str(t): share for t, share in of.items()} for name, of in spec.zeros.items()}
        try:
            return tuple(graph.with_zeros(zeros) for graph in graphs)
        except AccelsimError as error:
            raise AccelsimError(*(f"{spec.where('zeros')}.{problem}" for problem in error.problems)) from None

    def _drawn(self, spec: "Workload", batch: int, precision: str | None) -> tuple[LayerGraph, ...]:
        if spec.builder is not None:
            return (_built(spec, batch, precision or "int8"),)
        if spec.onnx is not None:
            graph = self._onnx(spec.file(spec.onnx), spec.dims, spec.defaults.batch, precision)
            return (graph.renamed(spec.name),)
        if spec.topology is not None:
            file = spec.file(spec.topology)
            return (load_topology(file, batch=batch, precision=precision or "int8").renamed(spec.name),)
        return (
            from_layers(
                spec.name,
                spec.layers or (),
                batch=batch,
                precision=precision or "int8",
                where=lambda *path: spec.where("layers", *path),
            ),
        )

    def _networks(self, spec: "Workload") -> tuple[LayerGraph, ...]:
        key = f"{spec.path}#{spec.name}"
        if key in self.open:
            raise AccelsimError(f"{spec.where('networks')}: {spec.name} names itself")
        self.open.append(key)
        graphs: list[LayerGraph] = []
        problems: list[str] = []
        for name in spec.networks or ():
            try:
                graphs += self.load(name, {}, spec.folder)
            except AccelsimError as error:
                problems += error.problems
        self.open.pop()
        if problems:
            raise AccelsimError(*dict.fromkeys(problems))
        return tuple(graphs)

    def _onnx(
        self, path: str | PathLike[str], dims: Mapping[str, int], batch: int | None, precision: str | None
    ) -> LayerGraph:
        from accelsim.graph.onnx_import import load_onnx

        self.read_onnx = True
        graph = load_onnx(path, {**dims, **self.dims}, self.batch or batch, self.unsupported)
        precision = self.precision or precision
        return graph if precision is None else graph.with_precision(precision)


def _built(spec: "Workload", batch: int, precision: str) -> LayerGraph:
    """Draw a builder's network, with problems at the lines of the parameters they are about."""
    builder = spec.builder or ""
    try:
        problems = [joined(spec.where_parameter(key), text) for key, text in check(builder, spec.parameters)]
    except AccelsimError as error:
        place = spec.where("builder").removesuffix("builder")
        raise AccelsimError(*(f"{place}{problem}" for problem in error.problems)) from None
    if not problems:
        try:
            return build(builder, spec.parameters, batch, precision, spec.name)
        except AccelsimError as error:
            for problem in error.problems:
                text = problem.removeprefix(f"builder {builder}: ")
                key = text.split(maxsplit=1)[0].rstrip(":")
                place = (
                    spec.where_parameter(key) if key in spec.parameters else f"{spec.where('builder')}: {key}"
                )
                problems.append(place + text[len(key) :])
    raise AccelsimError(*problems)
