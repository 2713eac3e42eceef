"""ONNX convolutions and matrix products, float and quantised, as operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import prod

from accelsim.errors import AccelsimError
from accelsim.graph.convolution import convolution, transposed_convolution
from accelsim.graph.matrix import gemm, matmul
from accelsim.graph.onnx_scope import Node, Unsupported
from accelsim.graph.operator import Operator
from accelsim.graph.tensor import Tensor


def _conv(node: Node, weight: int = 1, bias: int = 2) -> Operator:
    x, w = node.input(0), node.input(weight)
    spatial = _spatial(node, x)
    if len(w.shape) != len(x.shape):
        raise AccelsimError(
            f"{node.kind} {node.name} has an input of shape {x.shape} and a kernel of shape {w.shape}"
        )
    ones = [1] * spatial
    stride, dilation = node.ints("strides", ones), node.ints("dilations", ones)
    op = convolution(
        node.name, x, w, node.optional(bias),
        stride=stride, dilation=dilation, groups=node.number("group", 1),
        pads=_pads(node, x.shape[2:], w.shape[2:], stride, dilation),
    )  # fmt: skip
    return _placed(node, op, weight, bias)


def _transposed(node: Node) -> Operator:
    x, w, y = node.input(0), node.input(1), node.output()
    spatial = _spatial(node, x)
    ones, zeros = [1] * spatial, [0] * spatial
    stride, dilation = node.ints("strides", ones), node.ints("dilations", ones)
    extra = node.ints("output_padding", zeros)
    pads = node.ints("pads", zeros * 2)
    if "output_shape" in node.attributes or node.text("auto_pad", "NOTSET").startswith("SAME"):
        for i in range(spatial):
            whole = stride[i] * (x.shape[2 + i] - 1) + extra[i] + dilation[i] * (w.shape[2 + i] - 1) + 1
            total = whole - y.shape[2 + i]
            less, more = total // 2, total - total // 2
            upper = node.text("auto_pad", "NOTSET") == "SAME_UPPER"
            pads[i], pads[i + spatial] = (less, more) if upper else (more, less)
    op = transposed_convolution(
        node.name, x, w, node.optional(2), stride=stride, dilation=dilation, pads=pads,
        groups=node.number("group", 1), output_padding=extra,
    )  # fmt: skip
    return _placed(node, op, 1, 2)


def _spatial(node: Node, x: Tensor) -> int:
    axes = len(x.shape) - 2
    if axes not in (1, 2):
        raise Unsupported(f"{node.kind} with {axes} spatial axes")
    return axes


def _pads(
    node: Node, size: tuple[int, ...], kernel: tuple[int, ...], stride: list[int], dilation: list[int]
) -> list[int]:
    mode = node.text("auto_pad", "NOTSET")
    if not mode.startswith("SAME"):
        return node.ints("pads", [0] * 2 * len(size))
    before, after = [], []
    for i, length in enumerate(size):
        out = -(-length // max(stride[i], 1))
        total = max((out - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - length, 0)
        small, large = total // 2, total - total // 2
        before.append(large if mode == "SAME_LOWER" else small)
        after.append(small if mode == "SAME_LOWER" else large)
    return before + after


def _gemm(node: Node) -> Operator:
    a, b = node.shape(0), node.shape(1)
    if len(a) != 2 or len(b) != 2:
        raise AccelsimError(f"Gemm {node.name} multiplies shapes {a} and {b}")
    if node.number("transA", 0):
        a = a[::-1]
    if node.number("transB", 0):
        b = b[::-1]
    return _product(node, a, b, 1, 2)


def _matmul(node: Node, right: int = 1) -> Operator:
    a, b = node.shape(0), node.shape(right)
    if not a or not b:
        raise AccelsimError(f"{node.kind} {node.name} multiplies a single number")
    a, b = (1, *a) if len(a) == 1 else a, (*b, 1) if len(b) == 1 else b
    return _product(node, a, b, right, None)


def _product(node: Node, a: tuple[int, ...], b: tuple[int, ...], right: int, bias: int | None) -> Operator:
    """Product of a (..., rows, inner) and b (..., inner, columns); a constant factor is the weight."""
    rows, inner, columns = a[-2], a[-1], b[-1]
    if inner != b[-2]:
        raise AccelsimError(f"{node.kind} {node.name} multiplies shapes {a} and {b}")
    left_batch, right_batch = prod(a[:-2]), prod(b[:-2])
    x, w, y = node.input(0), node.input(right), node.output()
    if node.constant(0) and not node.constant(right):
        # the transposed product has the weight on the right, as the loop nest wants it
        x, w, rows, columns, left_batch, right_batch = w, x, columns, rows, right_batch, left_batch
    if right_batch == 1:
        rows, batch = rows * left_batch, 1
    else:
        batch = prod(y.shape) // (rows * columns) if rows * columns else 1
    learned = node.constant(0) or node.constant(right)
    if not learned and bias is None:
        return matmul(node.name, x, w, y, rows=rows, inner=inner, columns=columns, batch=batch)
    extra = node.optional(bias) if bias is not None else None
    op = gemm(node.name, x, w, extra, y, rows=rows, inner=inner, columns=columns, batch=batch)
    return op if learned else _placed(node, replace(op, type="matmul"), right, bias)


def _placed(node: Node, op: Operator, weight: int, bias: int | None) -> Operator:
    """Move factors that the network computes from the weights to the inputs, and take the file's output."""
    kept: list[Tensor] = []
    moved = list(op.inputs)
    for tensor, index in zip(op.weights, (weight, bias), strict=False):
        (kept if index is not None and node.constant(index) else moved).append(tensor)
    declared = node.output()
    if declared.shape != op.outputs[0].shape and op.type != "matmul":
        raise AccelsimError(
            f"{node.kind} {node.name} makes {op.outputs[0].shape} by its attributes, not {declared.shape}"
        )
    return replace(op, inputs=tuple(moved), weights=tuple(kept), outputs=(declared,))


MAC_RULES: dict[str, Callable[[Node], Operator]] = {
    "Conv": _conv,
    "ConvInteger": lambda node: _conv(node, bias=99),
    "QLinearConv": lambda node: _conv(node, weight=3, bias=8),
    "ConvTranspose": _transposed,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "MatMulInteger": _matmul,
    "QLinearMatMul": lambda node: _matmul(node, right=3),
}
"""ONNX operator type -> how it becomes an operator."""
