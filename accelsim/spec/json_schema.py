"""JSON Schemas of the YAML files, made from the classes that read them, for editors."""

from typing import Any

from pydantic import TypeAdapter

from accelsim.spec import registry
from accelsim.spec.base import FileSpec
from accelsim.spec.calibration import BufferCalibration, Calibration
from accelsim.spec.dataflow import Dataflow
from accelsim.spec.machine import Architecture
from accelsim.spec.mapping import MappingFile
from accelsim.spec.run import Run
from accelsim.spec.workload import Workload

_REFERENCE = {"type": "string", "pattern": r"\$[A-Za-z_]\w*"}
_CLASSES: dict[str, type[FileSpec]] = {
    "architecture": Architecture,
    "dataflow": Dataflow,
    "mapping": MappingFile,
    "workload": Workload,
    "run": Run,
}


def json_schema(kind: str) -> dict[str, Any]:
    """JSON Schema of one of the kinds that have a class here."""
    if kind == "calibration":
        return _calibration_schema()
    schema: dict[str, Any] = _CLASSES[kind].model_json_schema(by_alias=True)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"accelsim {kind}",
        **schema,
    }
    if kind == "architecture":
        _open_architecture(schema)
    else:
        _require_kind(schema)
    if kind == "workload":
        schema["if"] = {"required": ["builder"]}
        schema["else"] = {"propertyNames": {"enum": sorted(schema["properties"])}}
        schema["additionalProperties"] = True
        layers = schema["properties"]["layers"]
        schema["properties"]["layers"] = {"description": layers["description"]}
    return schema


def _calibration_schema() -> dict[str, Any]:
    """One branch per cost model."""
    schema = TypeAdapter(Calibration | BufferCalibration).json_schema(by_alias=True)
    for branch in ("Calibration", "BufferCalibration"):
        _require_kind(schema["$defs"][branch])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "accelsim calibration",
        **schema,
    }


def _require_kind(schema: dict[str, Any]) -> None:
    schema["required"] = ["kind", *schema.get("required", [])]


def _open_architecture(schema: dict[str, Any]) -> None:
    """Components by class, parts by file or inline, and ``$name`` wherever a value may stand."""
    definitions = schema["$defs"]
    definitions.pop("Component", None)
    machine = definitions.pop("Architecture", None) or {k: v for k, v in schema.items() if k != "$defs"}
    branches = []
    for name in registry.component_names():
        own = registry.component_class(name).model_json_schema(
            by_alias=True, ref_template=f"#/$defs/{name}.{{model}}"
        )
        for inner, definition in own.pop("$defs", {}).items():
            definitions[f"{name}.{inner}"] = definition
        own["properties"]["class"] = {"const": name}
        own["properties"] = {k: _or_reference(k, v) for k, v in own["properties"].items()}
        definitions[name] = own
        then = {"$ref": f"#/$defs/{name}"}
        branches.append({"if": {"properties": {"class": {"const": name}}}, "then": then})
    classes = list(registry.component_names())
    definitions["component"] = {
        "type": "object",
        "required": ["class"],
        "properties": {"class": {"enum": classes, "description": "kind of hardware"}},
        "allOf": branches,
    }
    properties = dict(machine["properties"])
    properties["components"] = {"type": "object", "additionalProperties": {"type": "object"}}
    whole = {"components": {"additionalProperties": {"$ref": "#/$defs/component"}}}
    properties["parts"] = {"type": "object", "additionalProperties": {"$ref": "#/$defs/part"}}
    families = list(registry.mapping_names())
    properties["mapping"] = {"enum": families, "description": properties["mapping"]["description"]}
    definitions["part"] = {
        "type": "object",
        "description": "another architecture with values for its parameters, or components of its own",
        "anyOf": [{"required": [key]} for key in ("architecture", "components", "parts")],
        "properties": {"architecture": {"type": "string"}},
    }
    for key in ("$ref", "properties"):
        schema.pop(key, None)
    schema |= {
        "type": "object",
        "description": machine["description"],
        "properties": properties,
        "required": ["kind", "name"],
        "additionalProperties": False,
        # A file with a base says of a component only what differs.
        "if": {"not": {"required": ["base"]}},
        "then": {"properties": whole},
    }


def _or_reference(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, or a parameter in its place."""
    if name == "class":
        return schema
    outer: dict[str, Any] = {key: schema[key] for key in ("description", "default") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in outer}
    return {**outer, "anyOf": [inner, _REFERENCE]}
