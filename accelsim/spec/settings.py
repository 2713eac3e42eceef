"""Fields set from outside a file, by their dotted path: ``components.pe.rows = 16``."""

from collections.abc import Mapping
from dataclasses import replace

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.spec.reader import read_value
from accelsim.spec.tree import Node, Problems, dotted
from accelsim.spec.units import shown


def parse_settings(pairs: list[str]) -> dict[str, object]:
    """Settings of the command line, ``path=value`` each; the value is YAML.

    Raises
    ------
    AccelsimError
        for a pair without ``=``, a path given twice, or a value that is not YAML.
    """
    problems = Problems()
    settings: dict[str, object] = {}
    for pair in pairs:
        path, equals, text = pair.partition("=")
        node = Node(None, f"--set {pair[:60]}")
        if not equals or not path.strip():
            problems.add(node, (), "must have the form path=value")
        elif path.strip() in settings:
            problems.add(node, (), f"{path.strip()} is set twice")
        else:
            try:
                settings[path.strip()] = read_value(text)
            except AccelsimError:
                problems.add(node, (), "the value is not YAML; put text with special characters in quotes")
    problems.raise_any()
    return settings


def apply(root: Node, settings: Mapping[str, object], problems: Problems) -> Node:
    """The tree with every setting put in; one that leads through a field that is not there is a problem."""
    for path, value in settings.items():
        label = Node(None, f"setting {path}={shown(value).strip(chr(39))}")
        steps = path.split(".")
        if not all(steps):
            problems.add(label, (), "must name a field, such as components.pe.rows")
        elif steps == ["kind"]:
            problems.add(label, (), "the kind of a file cannot be set")
        else:
            root = _put(root, steps, Node.of(value, label.file), problems, ())
    return root


def _put(node: Node, steps: list[str], value: Node, problems: Problems, done: tuple[str, ...]) -> Node:
    step, rest = steps[0], steps[1:]
    if isinstance(node.value, list):
        if not step.isdecimal() or int(step) >= len(node.value):
            last = len(node.value) - 1
            problems.add(value, (), f"{dotted(done)} is a list with entries 0 to {last}, it has no {step!r}")
            return node
        items = list(node.value)
        items[int(step)] = _put(items[int(step)], rest, value, problems, (*done, step)) if rest else value
        return replace(node, value=items)
    if not isinstance(node.value, dict):
        problems.add(value, (), f"{dotted(done)} is {shown(node.plain())}, it has no field {step!r}")
        return node
    child = node.value.get(step)
    if not rest:
        return replace(node, value={**node.value, step: value})
    if child is None:
        if done:
            hint = did_you_mean(step, node.value)
            problems.add(value, (), f"there is no {dotted((*done, step))}{hint}")
            return node
        child = Node({}, value.file)  # a section that was left out; the schema judges its name
    return replace(node, value={**node.value, step: _put(child, rest, value, problems, (*done, step))})
