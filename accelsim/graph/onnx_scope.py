"""What is known about every tensor of an ONNX graph while its nodes are read in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from accelsim.errors import AccelsimError
from accelsim.graph.tensor import Tensor

if TYPE_CHECKING:
    from onnx import NodeProto, TypeProto

    from accelsim.graph.onnx_values import Array

DTYPES = {
    "FLOAT": "fp32", "FLOAT16": "fp16", "BFLOAT16": "bf16", "DOUBLE": "fp64", "FLOAT8E4M3FN": "fp8",
    "FLOAT8E4M3FNUZ": "fp8", "FLOAT8E5M2": "fp8", "FLOAT8E5M2FNUZ": "fp8", "INT4": "int4", "UINT4": "uint4",
    "INT8": "int8", "UINT8": "uint8", "INT16": "int16", "UINT16": "uint16", "INT32": "int32",
    "UINT32": "uint32", "INT64": "int64", "UINT64": "uint64", "BOOL": "bool",
}  # fmt: skip
"""ONNX element type -> ours; anything else (text, complex numbers) is not supported."""


class Unsupported(Exception):
    """A node that cannot be expressed; the message is the label it is counted under."""


@dataclass
class Scope:
    """Types of all tensors seen so far, values of the small known ones, and what constants are stored as.

    ``stored`` maps a constant to the tensor that is kept in memory for it: a reshaped, transposed,
    cast, dequantised or broadcast constant is stored as the original. ``alias`` maps the output of
    a dequantisation to the quantised tensor it reads.
    """

    types: dict[str, TypeProto] = field(default_factory=dict)
    values: dict[str, Array] = field(default_factory=dict)
    stored: dict[str, Tensor] = field(default_factory=dict)
    alias: dict[str, str] = field(default_factory=dict)

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Shape of a tensor, None if a part of it is unknown."""
        kind = self.types.get(name)
        if kind is None or not kind.tensor_type.HasField("shape"):
            return None
        dims = kind.tensor_type.shape.dim
        known = all(dim.WhichOneof("value") == "dim_value" and dim.dim_value >= 0 for dim in dims)
        return tuple(dim.dim_value for dim in dims) if known else None

    def tensor(self, name: str) -> Tensor:
        """A computed tensor, or the constant of that name in the shape it is used in."""
        if name in self.stored:
            root = self.stored[name]
            return Tensor(root.name, self._known(name), root.dtype)
        shape = self._known(name)
        return Tensor(self.alias.get(name, name), shape, self.dtype(self.alias.get(name, name)))

    def dtype(self, name: str) -> str:
        """Number format of a tensor."""
        from onnx import TensorProto

        code = self.types[name].tensor_type.elem_type
        label = TensorProto.DataType.Name(code) if code in TensorProto.DataType.values() else str(code)
        if label not in DTYPES:
            raise Unsupported(f"tensor of type {label}")
        return DTYPES[label]

    def _known(self, name: str) -> tuple[int, ...]:
        shape = self.shape(name)
        if shape is None:
            raise Unsupported("operator with a shape that only a run would tell")
        return shape


@dataclass(frozen=True)
class Node:
    """One ONNX node with everything a lowering rule asks of it."""

    proto: NodeProto
    name: str
    opset: int
    scope: Scope

    @property
    def kind(self) -> str:
        """Operator type in ONNX's spelling."""
        return str(self.proto.op_type)

    @cached_property
    def attributes(self) -> Mapping[str, Any]:
        """Attribute values by name; text stays bytes."""
        from onnx.helper import get_attribute_value

        return {a.name: get_attribute_value(a) for a in self.proto.attribute}

    def ints(self, attribute: str, default: Sequence[int]) -> list[int]:
        """A list attribute; AccelsimError if it is no list of ``len(default)`` numbers."""
        value = self.attributes.get(attribute, default)
        if not isinstance(value, Sequence) or len(value) != len(default) or isinstance(value, bytes):
            raise AccelsimError(f"{attribute} of {self.name} must be {len(default)} numbers")
        return [int(number) for number in value]

    def number(self, attribute: str, default: int) -> int:
        """A number attribute."""
        value = self.attributes.get(attribute, default)
        if not isinstance(value, int):
            raise AccelsimError(f"{attribute} of {self.name} must be a number")
        return value

    def text(self, attribute: str, default: str) -> str:
        """A text attribute."""
        value = self.attributes.get(attribute, default)
        return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

    def has(self, index: int) -> bool:
        """Whether the optional input is there."""
        return index < len(self.proto.input) and bool(self.proto.input[index])

    def constant(self, index: int) -> bool:
        """Whether an input is known before the network runs."""
        return self.has(index) and self.proto.input[index] in self.scope.stored

    def input(self, index: int) -> Tensor:
        """An input in the shape it is used in."""
        if not self.has(index):
            raise AccelsimError(f"{self.kind} {self.name} lacks its input {index + 1}")
        return self.scope.tensor(self.proto.input[index])

    def optional(self, index: int) -> Tensor | None:
        """An input that may be absent."""
        return self.input(index) if self.has(index) else None

    def shape(self, index: int) -> tuple[int, ...]:
        """Shape of an input."""
        return self.input(index).shape

    def output(self) -> Tensor:
        """The first output."""
        return self.scope.tensor(self.proto.output[0])

    def outputs(self) -> list[Tensor]:
        """All outputs that have a name."""
        return [self.scope.tensor(name) for name in self.proto.output if name]

    def computed(self) -> list[Tensor]:
        """Inputs that the network computes, without repetition."""
        return list(
            dict.fromkeys(
                self.input(i) for i in range(len(self.proto.input)) if self.has(i) and not self.constant(i)
            )
        )

    def learned(self) -> list[Tensor]:
        """Constant inputs as they are stored, if they are data: no indices, masks or single numbers."""
        found = {}
        for i, name in enumerate(self.proto.input):
            if self.constant(i):
                root = self.scope.stored[name]
                if root.dtype not in ("int64", "int32", "bool") and prod(root.shape) > 1:
                    found[root.name] = root
        return list(found.values())
