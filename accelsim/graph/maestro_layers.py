"""Networks from the layers of a MAESTRO directive file."""

from os import PathLike
from typing import Any

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.layers import from_layers
from accelsim.spec.maestro import DirectiveLayer, read_directives

TYPES = ("CONV", "DSCONV", "FC", "GEMM")
_CONVOLUTION = ("K", "C", "R", "S", "Y", "X")
_GEMM = ("M", "N", "K")


def load_directive_layers(
    path: str | PathLike[str], *, batch: int | None = None, precision: str = "int8"
) -> LayerGraph:
    """Read the layers of a directive file; each becomes an operator that reads its own input.

    Y and X are rows and columns of the input with its padding, as MAESTRO takes them; R, S, Y and X default
    to 1. ``CONV`` and ``FC`` are convolutions of K filters, ``DSCONV`` filters each of C channels alone,
    ``GEMM`` multiplies M x K by K x N. ``N`` of a convolution is the batch, the same in every layer.

    Raises
    ------
    AccelsimError
        for every layer that is wrong, as ``file:line``.
    """
    layers = [layer for layer in read_directives(str(path)) if layer.dimensions]
    if not layers:
        raise AccelsimError(f"{path}: gives no layer 'Dimensions', so it is a dataflow and no workload")
    problems: list[str] = []
    batches = {layer.dimensions.get("N", 1) for layer in layers if layer.type != "GEMM"} or {1}
    if len(batches) > 1:
        problems.append(f"{path}: layers have different batches N: {', '.join(map(str, sorted(batches)))}")
    written = []
    for layer in layers:
        found = _problems(layer)
        problems += [f"{path}:{layer.line}: layer {layer.name[:60]!r}: {text}" for text in found]
        if not found:
            written.append((layer, _fields(layer)))
    if problems:
        raise AccelsimError(*problems)
    lines = [layer.line for layer, _ in written]
    return from_layers(
        str(path).rpartition("/")[2].rpartition(".")[0],
        [fields for _, fields in written],
        batch=batch or max(batches),
        precision=precision,
        where=lambda index, *rest: f"{path}:{lines[index]}: {written[index][0].name}",
    )


def _problems(layer: DirectiveLayer) -> list[str]:
    if layer.type not in TYPES:
        hint = did_you_mean(layer.type, TYPES) or f"; read are {', '.join(TYPES)}"
        return [f"unknown type {layer.type[:60]!r}{hint}"]
    known = _GEMM if layer.type == "GEMM" else ("N", *_CONVOLUTION)
    problems = [
        f"unknown dimension {d[:60]!r}{did_you_mean(d, known)}" for d in layer.dimensions if d not in known
    ]
    needed = _GEMM if layer.type == "GEMM" else ("C",) if layer.type == "DSCONV" else ("K", "C")
    problems += [f"dimension {d} is missing" for d in needed if d not in layer.dimensions]
    problems += [f"stride has no {d[:60]}; it has Y and X" for d in layer.stride if d not in ("X", "Y")]
    for image, kernel in (("Y", "R"), ("X", "S")):
        size, taps = layer.dimensions.get(image, 1), layer.dimensions.get(kernel, 1)
        if taps > size:
            problems.append(
                f"{kernel} {taps} is larger than {image} {size}, which includes the padding; the smallest"
                f" {image} that works is {taps}"
            )
    return problems


def _fields(layer: DirectiveLayer) -> dict[str, Any]:
    """The layer as a workload file would have it."""
    size = dict.fromkeys(_CONVOLUTION, 1) | layer.dimensions
    if layer.type == "GEMM":
        return {
            "name": layer.name, "type": "matmul", "inputs": [],
            "rows": size["M"], "inner": size["K"], "columns": size["N"],
        }  # fmt: skip
    fields: dict[str, Any] = {
        "name": layer.name, "inputs": [], "in_channels": size["C"], "input": [size["Y"], size["X"]],
        "kernel": [size["R"], size["S"]], "stride": [layer.stride.get("Y", 1), layer.stride.get("X", 1)],
        "bias": False,
    }  # fmt: skip
    if layer.type == "DSCONV":
        return fields | {"type": "depthwise"}
    return fields | {"type": "convolution", "out_channels": size["K"]}
