"""The public face: ``simulate`` and ``compile`` join workload, architecture, mapping, kernel and results."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from accelsim.answer import Compiled, closed_form_result, event_result
from accelsim.components.pricing import priced
from accelsim.cost.written import write_mapping as written
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.join import join
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.load import load_workload, load_workloads
from accelsim.mapping.asic.compiled_dataflow import CompiledDataflow
from accelsim.mapping.family import Estimate, Estimator, MappingFamily, Options
from accelsim.results import Result
from accelsim.spec.architecture import Architecture, load_architecture
from accelsim.spec.calibration import load_calibration
from accelsim.spec.dataflow import Dataflow, load_dataflow
from accelsim.spec.machine import Defaults
from accelsim.spec.mapping import MappingFile, load_mapping
from accelsim.spec.memo import Memo, frozen
from accelsim.spec.registry import mapping_family
from accelsim.spec.sentences import rule
from accelsim.spec.writer import resolved, write

__all__ = [
    "Model",
    "compile",
    "compile_dataflow",
    "load_architecture",
    "load_calibration",
    "load_dataflow",
    "load_mapping",
    "load_workload",
    "simulate",
]

ENGINES = ("compiled", "simpy", "closed-form")

PRICING = ("node", "technology")
"""Fields at the top of an architecture that a run can set like those further in."""

MODELS_KEPT = 16
MOST_TASKS_KEPT = 2_000_000
"""Models that ``compile`` keeps, and the tasks above which one is too large for that."""

Named = str | PathLike[str]


class Model(Compiled):
    """A workload lowered onto a machine, ready to be run any number of times."""

    def run(self, engine: str = "compiled", fast_forward: bool = True) -> Result:
        """Run the program and return its answer.

        Parameters
        ----------
        engine : ``compiled``, ``simpy`` (the readable reference) or ``closed-form`` (no events)
        fast_forward : simulate equal layers once; exact either way

        Raises
        ------
        AccelsimError
            For an unknown engine.
        """
        if engine not in ENGINES:
            raise AccelsimError(
                f"engine must be one of {', '.join(ENGINES)}, not {engine!r}{did_you_mean(engine, ENGINES)}"
            )
        if engine == "closed-form":
            return closed_form_result(self)
        return event_result(self, engine, fast_forward)

    def estimate(self, settings: Mapping[str, object] | None = None) -> Estimate:
        """Closed-form cycles, latency and energy under other clocks, bandwidths and energies.

        The mapping stays as it is; where ``compile`` with the same settings finds the same mapping, the
        figures are those of ``run("closed-form")``. The first call prepares this; later ones are quick.

        Parameters
        ----------
        settings : fields by dotted path, ``{"components.dram.bandwidth": "25.6 GB/s"}``; a plain number is in
            SI units

        Raises
        ------
        AccelsimError
            For a field that may change the mapping, or a model whose family or calibration has no such means.
        """
        return self._estimator.estimate(settings or {})

    @cached_property
    def _estimator(self) -> Estimator:
        if self.lowered.estimator is None:
            raise AccelsimError(
                f"{self.graph.name} on {self.architecture.name}: only one array under calibration 'physical'"
                " takes other settings once it is compiled; compile again with them"
            )
        return self.lowered.estimator()

    def mapping_file(self, name: str) -> MappingFile:
        """The loop nests of all layers, as a mapping file of that name; ``write_mapping`` puts it in a file.

        Raises
        ------
        AccelsimError
            If no layer has a nest: on arrays that are fed from their edges, or under another cost model.
        """
        nests = self.lowered.nests
        if not nests:
            raise AccelsimError(
                f"{self.graph.name} on {self.architecture.name}: no layer has a loop nest to write"
            )
        return written(name, nests, self.architecture.name)

    def write_mapping(self, path: Named) -> None:
        """Write the loop nests of all layers as a mapping file, which ``mapping=`` takes."""
        file = Path(path)
        text = write(resolved(self.mapping_file(file.stem)))
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise AccelsimError(f"{file}: cannot be written: {error.strerror}") from error


def compile(
    workload: Named | LayerGraph,
    architecture: Named | Architecture,
    *,
    preset: str = "physical",
    precision: str | None = None,
    batch: int | None = None,
    dims: Mapping[str, int] | None = None,
    unsupported: str = "error",
    settings: Mapping[str, object] | None = None,
    **options: Any,
) -> Model:
    """Map a workload onto an architecture.

    The last models are kept: the same question about files that have not changed is answered at once.

    Parameters
    ----------
    workload : shipped name, workload YAML, ``.onnx``, ``.csv`` topology, or a graph; a YAML of several
        ``networks`` runs them at once
    architecture : shipped name, YAML, or a loaded Architecture
    preset : named set of switches in the architecture; ``options`` override single ones
    precision, batch : replace the defaults of the architecture, which replace those of the workload
    dims : sizes of an ONNX file's symbolic dimensions
    unsupported : ``error`` or ``skip``, for ONNX operators that are not known
    settings : fields of the architecture by dotted path (``{"components.pe.rows": 16}``), switches by name
    options : switches of the machine family

    Raises
    ------
    AccelsimError
        Whatever is wrong with any of these.
    """

    def make() -> Model:
        return _compiled(
            workload, architecture, preset, precision, batch, dims, unsupported, settings, options
        )

    try:
        key = frozen([
            _named(workload), _named(architecture), preset, precision, batch, _plain(dims), unsupported,
            _plain(settings), options,
        ])  # fmt: skip
    except TypeError:
        return make()
    model = _models.get(key, make, lambda made: made.lowered.program.tasks <= MOST_TASKS_KEPT)
    return replace(model, switches=dict(model.switches))


def simulate(
    workload: Named | LayerGraph,
    architecture: Named | Architecture,
    *,
    engine: str = "compiled",
    fast_forward: bool = True,
    **arguments: Any,
) -> Result:
    """Map a workload onto an architecture, run it, and return the answer; arguments as in ``compile``."""
    if engine not in ENGINES:
        raise AccelsimError(
            f"engine must be one of {', '.join(ENGINES)}, not {engine!r}{did_you_mean(engine, ENGINES)}"
        )
    return compile(workload, architecture, **arguments).run(engine, fast_forward)


def compile_dataflow(
    workload: Named | LayerGraph,
    dataflow: Named | Dataflow,
    *,
    calibration: str = "maestro2019",
    precision: str | None = None,
    batch: int | None = None,
    **readings: object,
) -> CompiledDataflow:
    """Put a workload under one dataflow, to be evaluated on any number of hardware points.

    Parameters
    ----------
    dataflow : shipped name, file, or a loaded dataflow
    calibration : shipped name or file, with the data-centric model
    precision, batch : replace the defaults of the workload
    readings : switches of the calibration, such as ``rs_loop_cycles="full"``

    Raises
    ------
    AccelsimError
        Whatever is wrong with any of these.
    """
    graph = load_workload(workload, batch=batch, precision=precision)
    if not isinstance(dataflow, Dataflow):
        dataflow = load_dataflow(dataflow if isinstance(dataflow, str | Path) else Path(dataflow))
    return CompiledDataflow(graph, dataflow, calibration, readings)


_models: Memo[Model] = Memo(MODELS_KEPT)


def _named(source: Named | LayerGraph | Architecture) -> tuple[str, str]:
    """A name or path as part of a key; TypeError for an object, whose content can be anyone's."""
    if isinstance(source, str | Path):
        return type(source).__name__, str(source)
    raise TypeError


def _plain(values: Mapping[str, object] | None) -> dict[str, object] | None:
    return None if values is None else dict(values)


def _compiled(
    workload: Named | LayerGraph,
    architecture: Named | Architecture,
    preset: str,
    precision: str | None,
    batch: int | None,
    dims: Mapping[str, int] | None,
    unsupported: str,
    settings: Mapping[str, object] | None,
    options: Mapping[str, object],
) -> Model:
    """A model that is made anew; arguments as in ``compile``."""
    own = {k for k in settings or {} if "." in k or k in PRICING}
    switches = {**{k: v for k, v in (settings or {}).items() if k not in own}, **options}
    fields = {k: v for k, v in (settings or {}).items() if k in own}
    machine = _architecture(architecture, fields)
    if preset not in machine.presets:
        hint = did_you_mean(preset, machine.presets) or f"; it has {', '.join(machine.presets)}"
        raise AccelsimError(f"{machine.name} has no preset {preset!r}{hint}")
    if machine.mapping is None:
        raise AccelsimError(
            f"{machine.name}: 'mapping' is missing: it names the family that lowers work onto it"
        )
    family = mapping_family(machine.mapping)()
    chosen = _options(family, {**machine.presets[preset], **switches}, machine)
    graph = join(
        load_workloads(
            workload,
            batch=batch,
            precision=precision or _precision(machine),
            dims=dims,
            unsupported=unsupported,
        )
    )
    used = precision or _precision(machine) or "int8"
    machine = machine.model_copy(update={"defaults": machine.defaults.model_copy(update={"precision": used})})
    machine = priced(machine, used, machine.defaults.accumulator)
    _check_operators(family, graph, machine)
    lowered = family.lower(graph, machine, chosen)
    given = {k: v for k, v in switches.items() if machine.presets[preset].get(k) != v}
    shown = {"precision": used, **machine.presets[preset], **given}
    return Model(graph, machine, lowered, preset, shown, _batch(graph))


def _architecture(given: Named | Architecture, fields: Mapping[str, object]) -> Architecture:
    if isinstance(given, Architecture):
        if fields:
            names = ", ".join(fields)
            raise AccelsimError(f"settings ({names}) need an architecture by name or file, not a loaded one")
        return given
    return load_architecture(given if isinstance(given, str | Path) else Path(given), fields)


def _options(family: MappingFamily, switches: Mapping[str, Any], machine: Architecture) -> Options:
    """Check switches against the family's own schema, all problems at once."""
    known = family.options.model_fields
    paths = (
        *(f"parameters.{p}" for p in machine.parameters),
        *(f"defaults.{d}" for d in Defaults.model_fields),
    )
    fields = {f.split(".")[-1]: f for f in paths}
    problems = [
        f"{machine.name}: mapping {family.name!r} has no switch {name!r}"
        + (
            f"; did you mean the field {fields[name]!r}?"
            if name in fields
            else did_you_mean(name, known) or f"; it has {', '.join(known)}"
        )
        for name in switches
        if name not in known
    ]
    try:
        chosen = family.options(**{k: v for k, v in switches.items() if k in known})
    except ValidationError as error:
        for fault in error.errors():
            path = ".".join(map(str, fault["loc"]))
            text = rule(fault, fault["input"])
            problems.append(f"{machine.name}: switch {f'{path} ' if path else ''}{text}")
        raise AccelsimError(*problems) from None
    if problems:
        raise AccelsimError(*problems)
    return chosen


def _check_operators(family: MappingFamily, graph: LayerGraph, machine: Architecture) -> None:
    missing = {t: len(ops) for t, ops in graph.by_type().items() if t not in family.operators()}
    if missing:
        text = ", ".join(f"{name} ({count})" for name, count in missing.items())
        raise AccelsimError(
            f"{graph.name}: {machine.name} (mapping {family.name!r}) cannot run {sum(missing.values())}"
            f" of {len(graph.operators)} operators: {text}"
        )


def _precision(machine: Architecture) -> str | None:
    """The machine's default precision, or the one that all its parts name."""
    if machine.defaults.precision is not None or not machine.parts:
        return machine.defaults.precision
    named = {_precision(part) for part in machine.parts.values()}
    if len(named) > 1:
        texts = ", ".join(sorted(map(str, named)))
        raise AccelsimError(
            f"{machine.name}: its parts have different precisions ({texts}); say which by precision="
            " or by defaults.precision of the chip"
        )
    return named.pop()


def _batch(graph: LayerGraph) -> int:
    """Inputs processed together: the first axis of the first input that has several."""
    shapes = [t.shape for t in graph.inputs if len(t.shape) > 1]
    return shapes[0][0] if shapes else 1
