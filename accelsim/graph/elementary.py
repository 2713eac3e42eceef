"""Factories for operators without multiply-accumulates: element-wise, pooling, normalisation, movement."""

from collections.abc import Sequence
from math import prod

from accelsim.graph.operator import Operator
from accelsim.graph.tensor import Tensor
from accelsim.graph.vocabulary import TYPES


def elementary(
    name: str,
    kind: str,
    inputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    *,
    weights: Sequence[Tensor] = (),
    statistics: Sequence[Tensor] = (),
    per_element: int | None = None,
) -> Operator:
    """Return an operator of type ``kind`` whose work is proportional to its output.

    ``per_element`` replaces the operations per output element of the vocabulary.
    """
    cost = TYPES[kind].operations if per_element is None else per_element
    work = cost * sum(tensor.elements for tensor in outputs)
    return Operator(
        name, kind, {}, tuple(inputs), tuple(outputs), tuple(weights), tuple(statistics), operations=work
    )


def pooling(name: str, kind: str, source: Tensor, output: Tensor, window: Sequence[int]) -> Operator:
    """Return a pooling of (N, C, spatial axes): one operation per window element and output."""
    dims = {"N": source.shape[0], "C": source.shape[1]}
    for letters, sizes in (("PQT", output.shape[2:]), ("RSU", window)):
        dims |= dict(zip(letters, sizes, strict=False))
    return Operator(name, kind, dims, (source,), (output,), operations=output.elements * prod(window))


def along(
    name: str,
    kind: str,
    source: Tensor,
    outputs: Sequence[Tensor],
    width: int,
    weights: Sequence[Tensor] = (),
) -> Operator:
    """Return a normalisation, softmax or reduction over groups of ``width`` elements of ``source``.

    The vocabulary's operations count per element of ``source``; a reduction takes one.
    """
    dims = {"rows": source.elements // max(width, 1), "width": width}
    cost = TYPES[kind].operations or 1
    return Operator(
        name, kind, dims, (source,), tuple(outputs), tuple(weights), operations=cost * source.elements
    )


def local_response_norm(name: str, source: Tensor, output: Tensor, size: int) -> Operator:
    """Return a normalisation across ``size`` neighbouring channels.

    Per element: a square, ``size`` additions, a scale, a shift, a power and a division.
    """
    return elementary(name, "local_response_norm", [source], [output], per_element=size + 5)
