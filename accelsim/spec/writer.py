"""YAML out: plain data as text that ``reader`` reads back as the same data."""

import hashlib
import json
from typing import Any, ClassVar

import yaml

from accelsim.spec.base import FileSpec
from accelsim.spec.scalars import resolve

WIDTH = 110
_TEXT_TAG = "tag:yaml.org,2002:str"
_SILENT_IF_EMPTY = ("assumptions", "parameters", "components", "parts", "dims", "zeros")


def resolved(spec: FileSpec) -> dict[str, Any]:
    """A spec as plain data, defaults filled in, quantities as text with units, absent values left out."""
    data: dict[str, Any] = _without_empty(spec.model_dump(mode="json", by_alias=True, exclude_none=True))
    return data


def write(data: Any) -> str:
    """YAML text of plain data, keys in the order given; what fits is written on one line."""
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH))


def digest_of(data: Any) -> str:
    """SHA-256 of plain data, independent of the order of keys."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_empty(data: Any) -> Any:
    if isinstance(data, dict):
        return {k: _without_empty(v) for k, v in data.items() if v or k not in _SILENT_IF_EMPTY}
    return data


class _Dumper(yaml.SafeDumper):
    """Puts text in quotes wherever the reader would take it for something else.

    PyYAML's own idea of what a plain word means differs from the reader's, so it gets none: every scalar is
    text to it, and what is quoted is decided here.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_data(self, data: Any) -> yaml.Node:
        node = super().represent_data(data)
        if isinstance(node, yaml.CollectionNode):
            node.flow_style = not node.value or _fits(node)
        return node


def _fits(node: yaml.CollectionNode) -> bool:
    """Whether a collection is short and holds nothing that stands on several lines."""
    parts = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
    if any(isinstance(part, yaml.MappingNode) and part.value for part in parts):
        return False
    if any(isinstance(part, yaml.CollectionNode) and not part.flow_style for part in parts):
        return False
    return _length(node) < WIDTH - 10


def _length(node: yaml.Node) -> int:
    if isinstance(node, yaml.ScalarNode):
        return len(node.value) + 2
    return 2 + sum(
        sum(map(_length, item)) if isinstance(item, tuple) else _length(item) for item in node.value
    )


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    try:
        plain = resolve(value) == value
    except ValueError:
        plain = False
    return dumper.represent_scalar(_TEXT_TAG, value, style=None if plain else "'")


def _plain(dumper: yaml.SafeDumper, value: object) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TEXT_TAG, "null" if value is None else repr(value).lower())


_Dumper.add_representer(str, _text)
for _kind in (float, int, bool, type(None)):
    _Dumper.add_representer(_kind, _plain)
