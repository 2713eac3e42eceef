"""The shapes that enter an ONNX network, with symbolic dimensions and the batch filled in."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING

from accelsim.errors import AccelsimError, did_you_mean

if TYPE_CHECKING:
    from onnx import ModelProto

Entering = dict[str, tuple[int, list[int]]]
"""Input name -> (ONNX element type, shape)."""


def entering_shapes(
    path: str | PathLike[str], model: ModelProto, dims: Mapping[str, int], batch: int | None
) -> tuple[Entering, int | None]:
    """Return the inputs that are no weights, and the batch that the file itself states, if any.

    A dimension without a name is called ``input[axis]``. The batch replaces the first dimension
    of every input that shares the first input's, whether a name or a number. AccelsimError names
    missing, unknown and impossible dimensions, all at once.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    weights |= {sparse.values.name for sparse in model.graph.sparse_initializer}
    used = {name for node in model.graph.node for name in node.input}
    sizes: dict[str, tuple[int, list[int | str]]] = {}
    for value in model.graph.input:
        if value.name in weights or value.name not in used:
            continue
        if not value.type.tensor_type.HasField("shape"):
            raise AccelsimError(f"{path}: input {value.name[:60]!r} is no tensor of known rank")
        sizes[value.name] = (
            value.type.tensor_type.elem_type,
            [
                dim.dim_value if dim.dim_value > 0 else dim.dim_param or f"{value.name}[{axis}]"
                for axis, dim in enumerate(value.type.tensor_type.shape.dim)
            ],
        )
    first = next((shape[0] for _, shape in sizes.values() if shape), None)
    problems = _problems(sizes, dims, batch, first)
    if problems:
        raise AccelsimError(*(f"{path}: {problem}" for problem in problems))
    filled = dict(dims)
    if batch is not None and isinstance(first, str):
        filled[first] = batch
    entering = {}
    for name, (code, shape) in sizes.items():
        known = [filled[size] if isinstance(size, str) else size for size in shape]
        if batch is not None and shape and shape[0] == first:
            known[0] = batch
        entering[name] = (code, known)
    return entering, first if isinstance(first, int) else None


def _problems(
    sizes: Mapping[str, tuple[int, list[int | str]]],
    dims: Mapping[str, int],
    batch: int | None,
    first: int | str | None,
) -> list[str]:
    symbols = dict.fromkeys(size for _, shape in sizes.values() for size in shape if isinstance(size, str))
    problems = []
    for key, size in dims.items():
        if key not in symbols:
            hint = did_you_mean(key, symbols) or (
                f"; the inputs have {', '.join(symbols)}" if symbols else "; all dimensions are numbers"
            )
            problems.append(f"dims: unknown dimension {str(key)[:60]!r}{hint}")
        elif not _is_size(size):
            problems.append(f"dims: {key} must be a whole number of at least 1, not {str(size)[:60]!r}")
    if batch is not None and not _is_size(batch):
        problems.append(f"batch must be a whole number of at least 1, not {str(batch)[:60]!r}")
    if batch is not None and first in dims and dims[str(first)] != batch:
        problems.append(f"batch={batch} contradicts {first}={dims[str(first)]} in dims")
    missing = [name for name in symbols if name not in dims and not (batch is not None and name == first)]
    if missing:
        given = ", ".join(f"{name!r}: ..." for name in missing[:8]) + (", ..." if len(missing) > 8 else "")
        problems.append(
            f"the size of {len(missing)} symbolic dimension{'s' if len(missing) > 1 else ''} is not given; "
            f"pass dims={{{given}}} (--dim NAME=SIZE each)"
        )
    return problems


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31
