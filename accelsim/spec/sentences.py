"""Pydantic's findings as sentences about the lines of a file."""

from collections.abc import Iterable
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from accelsim.errors import did_you_mean
from accelsim.spec.base import Rejected
from accelsim.spec.tree import Node, Problems, Step
from accelsim.spec.units import shown

_TYPES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_LIMITS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def explain(
    error: ValidationError, model: type[BaseModel], node: Node, path: tuple[Step, ...], problems: Problems
) -> None:
    """Add a sentence for each finding of ``error``.

    Parameters
    ----------
    model : the class that refused the data
    node : the tree of the data, ``path`` the way to it from the top of its file
    """
    findings = error.errors(include_url=False)
    unknown = {tuple(f["loc"]) for f in findings if f["type"] == "extra_forbidden"}
    meant = {(*loc[:-1], _meant(model, loc)) for loc in unknown}
    answered: set[tuple[Step, ...]] = set()
    for finding in findings:
        loc = tuple(finding["loc"])
        if finding["type"] == "missing":
            if loc not in meant:
                parent, depth = node.walk(loc[:-1])
                problems.add(parent, (*path, *loc[:depth]), f"{loc[-1]!r} is missing")
        elif finding["type"] == "extra_forbidden":
            problems.add(node.walk(loc)[0], (*path, *loc), _unknown(model, loc))
        else:
            found, depth = node.walk(loc)
            if finding["type"] == "too_short" and len(found.value) >= finding["ctx"]["min_length"]:
                continue  # entries that are wrong were not counted; they have findings of their own
            if loc[:depth] not in answered:  # members of a union are refused one by one
                answered.add(loc[:depth])
                _add(problems, found, (*path, *loc[:depth]), finding)


def _add(problems: Problems, node: Node, path: tuple[Step, ...], finding: Any) -> None:
    cause = finding.get("ctx", {}).get("error")
    if isinstance(cause, Rejected):
        for steps, text in cause.problems:
            inner, _ = node.walk(steps)
            problems.add(inner, (*path, *steps), text)
        return
    problems.add(node, path, rule(finding, node.plain() if node.get(0) is None else finding["input"]))


def rule(finding: Any, value: object) -> str:
    """The rule that a value breaks, as the rest of a sentence that starts with its path."""
    kind, context = finding["type"], finding.get("ctx", {})
    if value is None and kind != "value_error":
        return "is empty; give a value or leave the line out"
    if kind in _TYPES:
        hint = "; put it in quotes" if kind == "string_type" and isinstance(value, bool | int | float) else ""
        return f"must be {_TYPES[kind]}, not {shown(value)}{hint}"
    if kind in _LIMITS:
        words, key = _LIMITS[kind]
        return f"must be {words} {context[key]}, not {shown(value)}"
    if kind in ("literal_error", "enum"):
        known = context["expected"]
        names = known.replace("'", "").replace(" or ", ", ").split(", ")
        return f"must be {known}, not {shown(value)}{did_you_mean(value, names)}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_too_short":
        return "is empty; give a value"
    if kind == "too_short":
        return f"must hold at least {context['min_length']}, not {context['actual_length']}"
    if kind == "too_long":
        return f"must hold at most {context['max_length']}, not {context['actual_length']}"
    if kind == "string_pattern_mismatch":
        return f"must look like {context['pattern']}, not {shown(value)}"
    text: str = finding["msg"]
    return text[:1].lower() + text[1:]


def field_names(model: type[BaseModel]) -> list[str]:
    """Names of a class's fields as they are written in YAML."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown(model: type[BaseModel], loc: tuple[Step, ...]) -> str:
    owner = _owner(model, loc[:-1])
    names = field_names(owner) if owner else []
    hint = _nearest(loc[-1], names) or (f"; known are {', '.join(names)}" if names else "")
    return f"unknown field{hint}"


def _nearest(name: Step, names: list[str]) -> str:
    """As did_you_mean, but an abbreviation means the one field that it starts."""
    started = [known for known in names if len(str(name)) > 2 and known.startswith(str(name))]
    return f"; did you mean {started[0]!r}?" if len(started) == 1 else did_you_mean(name, names)


def _meant(model: type[BaseModel], loc: tuple[Step, ...]) -> str:
    owner = _owner(model, loc[:-1])
    hint = _nearest(loc[-1], field_names(owner) if owner else [])
    return hint.partition("'")[2].rpartition("'")[0]


def _owner(model: type[BaseModel], loc: Iterable[Step]) -> type[BaseModel] | None:
    """Class of the record at ``loc`` below a record of class ``model``."""
    kind: Any = model
    for step in loc:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            by_name = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
            kind = _record(by_name.get(str(step)))
        elif get_args(kind):
            kind = _record(get_args(kind)[-1 if get_args(kind)[-1] is not Ellipsis else 0])
        else:
            return None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _record(annotation: Any) -> Any:
    """The member of an optional that may hold fields."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) in (Union, UnionType):
        return next((a for a in get_args(annotation) if a is not type(None)), None)
    return annotation
