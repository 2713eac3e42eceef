"""Number formats: how many bits each takes, and which of them carry a network's data."""

from accelsim.errors import AccelsimError, did_you_mean

BITS = {
    "int4": 4, "uint4": 4, "int8": 8, "uint8": 8, "fp8": 8, "bool": 8,
    "int16": 16, "uint16": 16, "fp16": 16, "bf16": 16,
    "int32": 32, "uint32": 32, "fp32": 32,
    "int64": 64, "uint64": 64, "fp64": 64,
}  # fmt: skip
"""Bits of one stored element. ``fp8`` stands for E4M3 and E5M2 alike; a ``bool`` takes a byte."""

PRECISIONS = ("int4", "uint4", "int8", "uint8", "fp8", "int16", "uint16", "fp16", "bf16", "fp32", "fp64")
"""Formats that activations and weights may be given. Tensors of any other format (indices, masks,
accumulators, biases of quantised layers) keep theirs when a graph changes its precision."""


def check_precision(precision: object, what: str = "precision") -> str:
    """Return ``precision`` if it is one of ``PRECISIONS``, else raise AccelsimError."""
    if isinstance(precision, str) and precision in PRECISIONS:
        return precision
    hint = did_you_mean(precision, PRECISIONS) or f"; known are {', '.join(PRECISIONS)}"
    raise AccelsimError(f"{what}: {str(precision)[:60]!r} is not a number format{hint}")
