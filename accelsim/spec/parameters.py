"""Parameters of an architecture: ``$name`` anywhere in its fields stands for the value of a parameter."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accelsim.errors import did_you_mean
from accelsim.spec.tree import Node, Problems, Step
from accelsim.spec.units import shown

_REFERENCE = re.compile(r"\$([A-Za-z_]\w*)")
EMPTY = "is empty; give a value or leave the line out"
_NOT_SUBSTITUTED = ("kind", "name", "description", "source", "parameters")


def bind(root: Node, arguments: Mapping[str, Node], where: str, problems: Problems) -> dict[str, Node]:
    """Value of each parameter: its default in the file, or the argument that a part gives.

    Parameters
    ----------
    arguments : values by parameter, whose nodes lie in the file of the part
    where : path of the part in that file
    """
    declared = dict(root.value["parameters"].items()) if "parameters" in root.value else {}
    for name, node in declared.items():
        text = node.value if isinstance(node.value, str) else ""
        if node.value is None:
            problems.add(node, ("parameters", name), EMPTY)
        if _REFERENCE.search(text):
            problems.add(node, ("parameters", name), f"cannot refer to another parameter ({shown(text)})")
    bound = {name: node.noted(_note(name, node, f"parameters.{name}")) for name, node in declared.items()}
    for name, node in arguments.items():
        if name in declared and node.value is None:
            problems.add(node, (*where.split("."), name), EMPTY)
        elif name in declared:
            bound[name] = node.noted(_note(name, node, f"{where}.{name}"))
        else:
            hint = did_you_mean(name, declared) or (f"; known are {', '.join(declared)}" if declared else "")
            problems.add(node, (*where.split("."), name), f"unknown parameter{hint}")
    return bound


def substitute(root: Node, parameters: Mapping[str, Node], problems: Problems) -> Node:
    """The tree with every reference replaced; a value that is one reference keeps the parameter's type."""
    fields: dict[str, Node] = {}
    for key, node in root.items():
        fields[key] = node if key in _NOT_SUBSTITUTED else _replace(node, (key,), parameters, problems)
    if "parameters" in fields:
        values = {name: replace(node, note="") for name, node in parameters.items()}
        fields["parameters"] = replace(fields["parameters"], value=values)
    return replace(root, value=fields)


def _replace(node: Node, path: tuple[Step, ...], parameters: Mapping[str, Node], problems: Problems) -> Node:
    value: Any = node.value
    if isinstance(value, dict):
        children = {k: _replace(v, (*path, k), parameters, problems) for k, v in value.items()}
        return replace(node, value=children)
    if isinstance(value, list):
        return replace(
            node, value=[_replace(v, (*path, i), parameters, problems) for i, v in enumerate(value)]
        )
    if not isinstance(value, str) or "$" not in value:
        return node
    for name in _REFERENCE.findall(value):
        if name not in parameters:
            hint = did_you_mean(name, parameters) or "; 'parameters:' lists what $ can stand for"
            text = f"unknown parameter '${name}' (no parameters.{name}){hint}"
            problems.add(node, path, text, settles=True)
            return node
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _placed(parameters[whole[1]], node)
    for name in set(_REFERENCE.findall(value)):
        if isinstance(parameters[name].value, dict | list):
            problems.add(node, path, f"cannot take the list or mapping ${name} inside text", settles=True)
            return node
    text = _REFERENCE.sub(lambda match: str(parameters[match[1]].plain()), value)
    notes = "".join(dict.fromkeys(parameters[name].note for name in _REFERENCE.findall(value)))
    return replace(node, value=text, note=notes)


def _note(name: str, node: Node, path: str) -> str:
    """What a sentence about the value of a parameter ends with."""
    return f" ({name} is set at {node.place}: {path})" if node.line else f" ({name} is set by {node.place})"


def _placed(parameter: Node, at: Node) -> Node:
    """The parameter's value, said to be where the reference stands, with a note on where it was set."""
    value: Any = parameter.value
    if isinstance(value, dict):
        value = {k: _placed(v, at) for k, v in value.items()}
    elif isinstance(value, list):
        value = [_placed(v, at) for v in value]
    return Node(value, at.file, at.line, parameter.note)
