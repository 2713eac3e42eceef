"""Factories for matrix products: with a weight (``gemm``) and of two computed tensors (``matmul``)."""

from accelsim.graph.operator import Operator
from accelsim.graph.shape import ConvShape
from accelsim.graph.tensor import Tensor


def gemm(
    name: str,
    source: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    output: Tensor,
    *,
    rows: int,
    inner: int,
    columns: int,
    batch: int = 1,
) -> Operator:
    """Return ``batch`` products of (rows x inner) activations with (inner x columns) weights.

    Leading axes of the activations that share the weights belong to ``rows``; ``batch`` counts
    products whose weights differ. The loop nest is G=batch, P=rows, C=inner, K=columns.
    """
    shape = ConvShape(G=batch, P=rows, C=inner, K=columns, size=(rows, 1))
    weights = (weight,) if bias is None else (weight, bias)
    return Operator(name, "gemm", shape.bounds, (source,), (output,), weights, shapes=(shape,))


def matmul(
    name: str,
    left: Tensor,
    right: Tensor,
    output: Tensor,
    *,
    rows: int,
    inner: int,
    columns: int,
    batch: int = 1,
) -> Operator:
    """Return ``batch`` products of (rows x inner) and (inner x columns), both computed at run time."""
    shape = ConvShape(G=batch, P=rows, C=inner, K=columns, size=(rows, 1))
    return Operator(name, "matmul", shape.bounds, (left, right), (output,), shapes=(shape,))
