"""YAML out: plain data as text that ``reader`` reads back as the same data."""

import hashlib
import json
from typing import Any

import yaml

from accelsim.spec.scalars import resolve


class _Dumper(yaml.SafeDumper):
    """Writes text in quotes wherever the reader would take it for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    try:
        plain = resolve(value) == value and not value.startswith("<<")
    except ValueError:
        plain = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else "'")


def _number(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:float", repr(value))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(float, _number)


def write(data: Any) -> str:
    """YAML text of plain data, innermost mappings and lists on one line each, keys in the order given."""
    return str(
        yaml.dump(
            data, Dumper=_Dumper, default_flow_style=None, sort_keys=False, allow_unicode=True, width=110
        )
    )


def digest_of(data: Any) -> str:
    """SHA-256 of plain data, independent of the order of keys."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
