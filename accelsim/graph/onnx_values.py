"""Folding the arithmetic that exported networks do on shapes, in numpy, on small arrays only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

LIMIT = 4096
"""Elements; larger arrays are data, not shapes, and are carried without their values."""


def fold(kind: str, attributes: Mapping[str, Any], inputs: Sequence[Array | None]) -> Array | None:
    """Return what operator ``kind`` makes of known values, None if that is not known or not small.

    An omitted optional input is None. Axes and the like are taken from the attribute (older
    operator sets) or from the input (newer ones).
    """
    rule = _RULES.get(kind)
    if rule is None or any(value is not None and value.size > LIMIT for value in inputs):
        return None
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(rule(attributes, *inputs))
    except (
        ValueError,
        IndexError,
        TypeError,
        KeyError,
        OverflowError,
        ZeroDivisionError,
        MemoryError,
        AttributeError,
    ):
        return None
    return result if result.size <= LIMIT and result.dtype != object else None


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(_: Mapping[str, Any], *inputs: Array) -> Any:
        _small(np.broadcast_shapes(*(value.shape for value in inputs)))
        return function(*inputs)

    return rule


def _small(shape: Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(int(size) for size in shape)
    if prod(sizes) > LIMIT or min(sizes, default=0) < 0:
        raise ValueError("too large to fold")
    return sizes


def _divide(a: Array, b: Array) -> Array:
    if a.dtype.kind in "iu":
        return np.asarray(np.trunc(a / b), a.dtype)  # rounds to zero, unlike //
    return np.asarray(a / b, a.dtype)


def _axes(attributes: Mapping[str, Any], given: Array | None) -> tuple[int, ...] | None:
    axes = attributes.get("axes") if given is None else given.ravel().tolist()
    return None if axes is None else tuple(int(axis) for axis in axes)


def _cast(attributes: Mapping[str, Any], value: Array) -> Array:
    from onnx.helper import tensor_dtype_to_np_dtype

    return value.astype(tensor_dtype_to_np_dtype(attributes["to"]))


def _slice(attributes: Mapping[str, Any], value: Array, *given: Array | None) -> Array:
    starts, ends, axes, steps = (*given, None, None, None, None)[:4]
    first = attributes["starts"] if starts is None else starts.ravel().tolist()
    last = attributes["ends"] if ends is None else ends.ravel().tolist()
    along = _axes(attributes, axes) or range(len(first))
    by = [1] * len(first) if steps is None else steps.ravel().tolist()
    cut = [slice(None)] * value.ndim
    for a, b, axis, step in zip(first, last, along, by, strict=True):
        # the smallest end with a negative step means "through the first element"
        cut[axis] = slice(a, None if step < 0 and b < -value.shape[axis] else b, step)
    return value[tuple(cut)]


def _unsqueeze(attributes: Mapping[str, Any], value: Array, axes: Array | None = None) -> Array:
    return np.expand_dims(value, _axes(attributes, axes) or ())


def _squeeze(attributes: Mapping[str, Any], value: Array, axes: Array | None = None) -> Array:
    return np.squeeze(value, _axes(attributes, axes))


def _reshape(attributes: Mapping[str, Any], value: Array, shape: Array) -> Array:
    copied = [
        value.shape[i] if size == 0 and not attributes.get("allowzero") else int(size)
        for i, size in enumerate(shape.ravel())
    ]
    return value.reshape(copied)


def _range(_: Mapping[str, Any], start: Array, limit: Array, step: Array) -> Array:
    _small([max(0, int(np.ceil((limit.item() - start.item()) / step.item())))])
    return np.arange(start.item(), limit.item(), step.item(), dtype=start.dtype)


def _filled(attributes: Mapping[str, Any], shape: Array) -> Array:
    from onnx.numpy_helper import to_array

    value = to_array(attributes["value"]) if "value" in attributes else np.zeros(1, np.float32)
    return np.full(_small(shape.ravel().tolist()), value.ravel()[0], value.dtype)


def _expand(_: Mapping[str, Any], value: Array, shape: Array) -> Array:
    return np.broadcast_to(value, _small(np.broadcast_shapes(value.shape, tuple(shape.ravel().tolist()))))


def _reduce(function: Callable[..., Any]) -> Callable[..., Any]:
    def rule(attributes: Mapping[str, Any], value: Array, axes: Array | None = None) -> Any:
        return function(value, axis=_axes(attributes, axes), keepdims=bool(attributes.get("keepdims", 1)))

    return rule


_RULES: dict[str, Callable[..., Any]] = {
    "Abs": _plain(np.abs),
    "Add": _plain(np.add),
    "And": _plain(np.logical_and),
    "Cast": _cast,
    "Ceil": _plain(np.ceil),
    "Concat": lambda attributes, *values: np.concatenate(values, attributes["axis"]),
    "ConstantOfShape": _filled,
    "Div": _plain(_divide),
    "Equal": _plain(np.equal),
    "Expand": _expand,
    "Floor": _plain(np.floor),
    "Gather": lambda attributes, value, index: np.take(value, index, attributes.get("axis", 0)),
    "Greater": _plain(np.greater),
    "GreaterOrEqual": _plain(np.greater_equal),
    "Identity": _plain(np.asarray),
    "Less": _plain(np.less),
    "LessOrEqual": _plain(np.less_equal),
    "Max": _plain(lambda *values: np.max(np.broadcast_arrays(*values), axis=0)),
    "Min": _plain(lambda *values: np.min(np.broadcast_arrays(*values), axis=0)),
    "Mod": _plain(np.mod),
    "Mul": _plain(np.multiply),
    "Neg": _plain(np.negative),
    "Not": _plain(np.logical_not),
    "Or": _plain(np.logical_or),
    "Pow": _plain(np.power),
    "Range": _range,
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "Reshape": _reshape,
    "Slice": _slice,
    "Sqrt": _plain(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _plain(np.subtract),
    "Transpose": lambda attributes, value: np.transpose(value, attributes.get("perm")),
    "Unsqueeze": _unsqueeze,
    "Where": _plain(np.where),
}
