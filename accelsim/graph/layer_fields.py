"""What a layer of a workload file's ``layers:`` may say.

Each layer has a ``name`` and a ``type`` (one of ``FIELDS``) and reads the layer before it, or those
named by ``inputs``; the word ``input`` there, or an empty list, means the network's input. A layer
that reads the network's input says what enters: ``in_channels`` and ``input: [rows, columns]``, or
``in_features`` (and ``rows``). Elsewhere these are optional and checked against what is read.
``padding`` is one number, ``[rows, columns]``, ``[top, left, bottom, right]`` or ``same``.
"""

from collections.abc import Collection, Mapping
from typing import Any

from accelsim.errors import did_you_mean
from accelsim.graph.vocabulary import TYPES

_REQUIRED = object()
_KERNEL = {"kernel": _REQUIRED, "stride": 1, "padding": 0}
_CONVOLUTION = {**_KERNEL, "dilation": 1, "bias": True}
ENTRY = ("in_channels", "input", "in_features", "rows")

FIELDS: dict[str, Mapping[str, Any]] = {
    "convolution": {"out_channels": _REQUIRED, "groups": 1, **_CONVOLUTION},
    "depthwise": {"multiplier": 1, **_CONVOLUTION},
    "transposed_convolution": {"out_channels": _REQUIRED, "kernel": _REQUIRED, "stride": 1},
    "gemm": {"out_features": _REQUIRED, "bias": True},
    "matmul": {"batch": 1, "rows": _REQUIRED, "inner": _REQUIRED, "columns": _REQUIRED},
    "max_pool": {"kernel": _REQUIRED, "stride": None, "padding": 0},
    "average_pool": {"kernel": _REQUIRED, "stride": None, "padding": 0},
    "global_pool": {},
    "concatenation": {},
    "batch_norm": {},
    "layer_norm": {},
    "softmax": {},
    "flatten": {},
    "resize": {"scale": 2},
    "identity": {},
    **{name: {} for name, kind in TYPES.items() if kind.family == "elementwise"},
}
"""Layer type -> its fields and their defaults, beside ``name``, ``type``, ``inputs`` and what enters."""

_LENGTHS = {"kernel": (2,), "stride": (2,), "dilation": (2,), "input": (2,), "padding": (2, 4)}


def check(
    layer: Mapping[str, Any], made: Mapping[str, object], named: Collection[str] = ()
) -> list[tuple[tuple[str, ...], str]]:
    """Return (path, what is wrong) of every field of one layer.

    ``made`` holds the layers before it, ``named`` the names of all.
    """
    name, kind = layer.get("name"), layer.get("type")
    problems: list[tuple[tuple[str, ...], str]] = []
    if not isinstance(name, str) or not name or name == "input":
        problems.append((("name",), "must be text, and not 'input'"))
    elif name in made:
        problems.append((("name",), f"is {name!r} like an earlier layer's"))
    if not isinstance(kind, str) or kind not in FIELDS:
        shown = f"unknown layer type {str(kind)[:60]!r}" if kind else "is missing"
        problems.append((("type",), shown + (did_you_mean(kind, FIELDS) if kind else "")))
        return problems
    fields = FIELDS[kind]
    known = ["name", "type", "inputs", *fields, *(() if kind == "matmul" else ENTRY)]
    for key, value in layer.items():
        if key not in known:
            problems.append(((key,), f"unknown field of a {kind}{did_you_mean(key, known)}"))
        elif key not in ("name", "type") and (wrong := _wrong(key, value)):
            problems.append(((key,), wrong))
    problems += [
        ((key,), "is missing") for key, default in fields.items() if default is _REQUIRED and key not in layer
    ]
    for source in layer["inputs"] if isinstance(layer.get("inputs"), list) else ():
        if source == "input" or source in made:
            continue
        if source == name:
            problems.append((("inputs",), f"{name!r} reads itself: a network has no cycles"))
        elif source in named:
            text = f"{source!r} comes later; a layer reads layers before it, and a network has no cycles"
            problems.append((("inputs",), text))
        else:
            hint = did_you_mean(source, made)
            text = f"no layer before this one is called {str(source)[:60]!r}{hint}"
            problems.append((("inputs",), text))
    return problems


def _wrong(key: str, value: Any) -> str:
    """What is wrong with the value of a field."""
    shown = str(value)[:60]
    least = 0 if key == "padding" else 1
    if key == "inputs":
        fine = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return "" if fine else f"must be a list of layer names, not {shown}"
    if key == "bias":
        return "" if isinstance(value, bool) else f"must be true or false, not {shown}"
    if key == "padding" and value == "same":
        return ""
    if type(value) is int and key != "input":
        return "" if least <= value <= 10**6 else f"must be from {least} to 10^6, not {shown}"
    lengths = _LENGTHS.get(key, ())
    if isinstance(value, list) and len(value) in lengths and all(type(n) is int for n in value):
        inside = all(least <= n <= 10**6 for n in value)
        return "" if inside else f"must hold numbers from {least} to 10^6, not {shown}"
    forms = [] if key == "input" else ["a whole number"]
    forms += [f"a list of {' or '.join(map(str, lengths))} whole numbers"] if lengths else []
    forms += ["'same'"] if key == "padding" else []
    return f"must be {' or '.join(forms)}, not {shown}"
