"""From an architecture file to an Architecture: settings, parameters, hardware classes and parts."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from accelsim.errors import AccelsimError
from accelsim.spec import registry
from accelsim.spec.component import Component
from accelsim.spec.documents import open_document
from accelsim.spec.machine import Architecture, per_problems
from accelsim.spec.names import name_problem
from accelsim.spec.overlay import on_its_base
from accelsim.spec.parameters import bind, substitute
from accelsim.spec.sentences import explain
from accelsim.spec.settings import apply
from accelsim.spec.tree import Document, Node, Problems
from accelsim.spec.units import shown

__all__ = ["Architecture", "load_architecture"]

MOST_PARTS_DEEP = 16
MOST_PARTS = 2_000

_NOTHING: Mapping[str, object] = {}
_OWN_FIELDS = frozenset(Architecture.model_fields) - {"name", "kind"}


def load_architecture(name_or_path: str | Path, settings: Mapping[str, object] = _NOTHING) -> Architecture:
    """Read a machine.

    Parameters
    ----------
    name_or_path : a shipped name, a file, or ``file.yaml#name``
    settings : values by dotted path, e.g. ``{"components.pe.rows": 16}``; quantities as text with a unit

    Raises
    ------
    AccelsimError
        with every problem of the file, of the files its parts come from, and of the settings.
    """
    problems = Problems()
    document = open_document("architecture", name_or_path)
    machine = _Machine(document, settings, {}, "", (), problems, count()).build()
    problems.raise_any()
    assert machine is not None
    return machine


class _Machine:
    """One architecture on its way from tree to record.

    ``chain`` lists the files that led here; ``where`` is the path of this part in the last of them;
    ``numbers`` counts the parts loaded so far, everywhere.
    """

    def __init__(
        self,
        document: Document,
        settings: Mapping[str, object],
        arguments: Mapping[str, Node],
        where: str,
        chain: tuple[str, ...],
        problems: Problems,
        numbers: Iterator[int],
    ) -> None:
        document = on_its_base(document, problems)
        self.document = document
        self.chain = (*chain, document.file) if document.file not in chain else chain
        self.problems = problems
        self.numbers = numbers
        self.before = len(problems)
        self.root, self.inner_settings = self._set(settings)
        self._drop_non_mappings("parameters", "components", "parts")
        self.root = substitute(self.root, bind(self.root, arguments, where, problems), problems)

    def build(self) -> Architecture | None:
        """The record, or None after adding what is wrong to the problems."""
        others = len(self.problems)
        components = self._components()
        sound = len(self.problems) == others
        parts = self._parts()
        data = self.root.plain()
        data["components"] = components if sound else {}
        data["parts"] = parts
        self._check_mapping()
        try:
            machine = Architecture.model_validate(data)
        except ValidationError as error:
            explain(error, Architecture, self.root, (), self.problems)
            return None
        if not components and not parts and len(self.problems) == self.before:
            self.problems.add(self.root, (), "has neither components, parts nor a base")
        machine._document = replace(self.document, root=self.root)
        return machine if len(self.problems) == self.before else None

    def _set(self, settings: Mapping[str, object]) -> tuple[Node, dict[str, dict[str, object]]]:
        """Put settings in, except those that reach into a part's own file; these go on to the part."""
        own: dict[str, object] = {}
        inner: dict[str, dict[str, object]] = {}
        for path, value in settings.items():
            steps = path.split(".")
            part = self.document.root.walk(steps[:2])[0] if steps[0] == "parts" else self.document.root
            if part.get("architecture") is not None and len(steps) > 2 and steps[2] in _OWN_FIELDS:
                inner.setdefault(steps[1], {})[".".join(steps[2:])] = value
            else:
                own[path] = value
        return apply(self.document.root, own, self.problems), inner

    def _drop_non_mappings(self, *keys: str) -> None:
        """Report sections that are not mappings, and go on without them."""
        fields = dict(self.root.items())
        for key in keys:
            node = fields.get(key)
            if node is not None and not self._is_mapping(node, (key,)):
                del fields[key]
        self.root = replace(self.root, value=fields)

    def _section(self, key: str) -> dict[str, Node]:
        section: dict[str, Node] = dict(self.root.value[key].items()) if key in self.root.value else {}
        for name, node in section.items():
            wrong = name_problem(name)
            if wrong:
                self.problems.add(node, (key, name), wrong)
        return {n: node for n, node in section.items() if self._is_mapping(node, (key, n))}

    def _is_mapping(self, node: Node, path: tuple[str, ...]) -> bool:
        if node.value is None:
            self.problems.add(node, path, "is empty; give a value or leave the line out")
        elif not isinstance(node.value, dict):
            self.problems.add(node, path, f"must be a mapping, not {shown(node.plain())}")
        return isinstance(node.value, dict)

    def _components(self) -> dict[str, Component]:
        section = self._section("components")
        made = {name: self._component(name, node) for name, node in section.items()}
        per = {name: node.get("per") for name, node in section.items()}
        owners = {n: p.value if p and isinstance(p.value, str) else None for n, p in per.items()}
        for path, text in per_problems(owners):
            self.problems.add(self.root.walk(path)[0], path, text)
        return {name: component for name, component in made.items() if component is not None}

    def _component(self, name: str, node: Node) -> Component | None:
        path = ("components", name)
        given = node.get("class")
        if given is None:
            self.problems.add(
                node, path, "'class' is missing; write it, or name the file that has it by 'base'"
            )
            return None
        if not isinstance(given.value, str) or given.value not in registry.component_names():
            text = registry.unknown("component class", given.plain(), registry.component_names())
            self.problems.add(given, (*path, "class"), text)
            return None
        model = registry.component_class(given.value)
        try:
            return model.model_validate(node.plain())
        except ValidationError as error:
            explain(error, model, node, path, self.problems)
            return None

    def _parts(self) -> dict[str, Architecture]:
        found = {name: self._part(name, node) for name, node in self._section("parts").items()}
        return {name: part for name, part in found.items() if part is not None}

    def _part(self, name: str, node: Node) -> Architecture | None:
        path = ("parts", name)
        source = node.get("architecture")
        if source is None:
            if "components" not in node.value and "parts" not in node.value:
                self.problems.add(node, path, "needs 'architecture', or components of its own")
                return None
            inline = replace(node, value={"name": replace(node, value=name), **node.value})
            return self._nested(name, replace(self.document, root=inline), {}, path)
        if not isinstance(source.value, str):
            self.problems.add(source, (*path, "architecture"), f"must be text, not {shown(source.plain())}")
            return None
        try:
            document = open_document("architecture", source.value, self.document.folder)
        except AccelsimError as error:
            for text in error.problems:
                self.problems.add(source, (*path, "architecture"), text)
            return None
        if document.file in self.chain or len(self.chain) >= MOST_PARTS_DEEP:
            files = " > ".join([*self.chain, document.file])
            deep = f"is nested more than {MOST_PARTS_DEEP} files deep"
            rule = "contains itself" if document.file in self.chain else deep
            self.problems.add(source, (*path, "architecture"), f"{rule}: {files}")
            return None
        arguments = {key: value for key, value in node.items() if key != "architecture"}
        return self._nested(name, document, arguments, path)

    def _nested(
        self, name: str, document: Document, arguments: Mapping[str, Node], path: tuple[str, ...]
    ) -> Architecture | None:
        if next(self.numbers) >= MOST_PARTS:
            self.problems.add(self.root.walk(path)[0], path, f"goes beyond {MOST_PARTS:,} parts in all")
            self.problems.raise_any()
        settings = self.inner_settings.get(name, {})
        where = ".".join(path)
        inner = _Machine(document, settings, arguments, where, self.chain, self.problems, self.numbers)
        part = inner.build()
        if part is not None:
            parts = self.root.value["parts"]
            parts = replace(parts, value={**parts.value, name: inner.root})
            self.root = replace(self.root, value={**self.root.value, "parts": parts})
        return part

    def _check_mapping(self) -> None:
        node: Any = self.root.get("mapping")
        names = registry.mapping_names()
        if node is not None and isinstance(node.value, str) and node.value not in names:
            self.problems.add(node, ("mapping",), registry.unknown("machine family", node.value, names))
