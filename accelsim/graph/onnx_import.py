"""ONNX networks as layer graphs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import prod
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from accelsim.errors import AccelsimError
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.onnx_file import external_data, read_model, require_onnx
from accelsim.graph.onnx_inputs import entering_shapes
from accelsim.graph.onnx_rules import RULES
from accelsim.graph.onnx_scope import Node, Scope, Unsupported
from accelsim.graph.onnx_values import LIMIT, fold
from accelsim.graph.operator import Operator
from accelsim.graph.ordering import cycle, topological
from accelsim.graph.tensor import Tensor

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

_VIEWS = ("Identity", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Cast", "Dropout")
_SAME_STORAGE = (*_VIEWS, "Expand", "Tile", "QuantizeLinear", "DequantizeLinear")


def load_onnx(
    path: str | PathLike[str],
    dims: Mapping[str, int] | None = None,
    batch: int | None = None,
    unsupported: str = "error",
) -> LayerGraph:
    """Read the network in an ONNX file; no weight values are needed or kept.

    Whatever depends on constants and shapes alone is folded; every other node becomes an operator
    of the same name. Constants that reach an operator as data are its weights, whether they come
    from the file's initializers, from constant nodes, or through reshapes and the like; single
    numbers, integers and masks are not. A dequantisation is folded into its readers, which then
    read the integers.

    Parameters
    ----------
    dims : size of each symbolic dimension of the inputs, by its name in the file
    batch : replaces the first dimension of every input
    unsupported : ``"error"``, or ``"skip"`` to leave such operators out and say so in ``notes``;
        what they would have made then enters the network from outside

    Raises
    ------
    AccelsimError
        a damaged file, unknown or missing dimensions, unsupported operators (with counts), an
        operator that does not fit its inputs, a reshape that fixes the batch
    """
    if unsupported not in ("error", "skip"):
        raise AccelsimError(f"unsupported must be 'error' or 'skip', not {unsupported!r}")
    require_onnx()
    model = read_model(path)
    return _Reader(path, model, dims or {}, batch).read(unsupported)


def _label(proto: NodeProto) -> str:
    """What a node is called: its name, else its first output, else its type."""
    return (proto.name or next(filter(None, proto.output), "") or proto.op_type)[:200]


class _Reader:
    """One pass over the nodes of one file."""

    def __init__(
        self, path: str | PathLike[str], model: ModelProto, dims: Mapping[str, int], batch: int | None
    ) -> None:
        self.path = path
        self.graph = model.graph
        self.opsets = {entry.domain: entry.version for entry in model.opset_import}
        self.model = model
        self.scope = Scope()
        self.operators: list[Operator] = []
        self.problems: list[str] = []
        self.unsupported: Counter[str] = Counter()
        self.blocked = 0
        self.orphan = ""
        self.names: Counter[str] = Counter()
        self.external, self.notes = external_data(path, model)
        self.entering, self.old_batch = entering_shapes(path, model, dims, batch)
        self.batch = batch if self.old_batch not in (None, batch) else None

    def read(self, unsupported: str) -> LayerGraph:
        from onnx.helper import make_tensor_type_proto

        for tensor in self.graph.initializer:
            self._constant(tensor.name, tensor)
        for sparse in self.graph.sparse_initializer:
            self._typed(sparse.values.name, sparse.values.data_type, tuple(sparse.dims))
        for name, (code, shape) in self.entering.items():
            self.scope.types[name] = make_tensor_type_proto(code, shape)
        for proto in self._ordered():
            self._visit(proto)
        self._report(unsupported)
        made = {tensor.name: tensor for op in self.operators for tensor in op.outputs}
        names = [self.scope.alias.get(output.name, output.name) for output in self.graph.output]
        read = {tensor.name for op in self.operators for tensor in op.inputs}
        given = [name for name in self.entering if name in read]
        lost = sorted(read - set(made) - set(given))
        if lost:
            self.notes.append(f"enters from outside because its maker was left out: {', '.join(lost)}")
        try:
            return LayerGraph.from_operators(
                Path(self.path).stem,
                self.operators,
                inputs=[*(self.scope.tensor(name) for name in given), *self._outside(lost)],
                outputs=[made[name] for name in names if name in made] or None,
                notes=self.notes,
            )
        except Unsupported as error:
            raise AccelsimError(f"{self.path}: {error} is not supported as an input") from None

    def _outside(self, names: list[str]) -> list[Tensor]:
        wanted = set(names)
        return list({t.name: t for op in self.operators for t in op.inputs if t.name in wanted}.values())

    def _ordered(self) -> list[NodeProto]:
        """The nodes, each after those whose outputs it reads; the file's own order wherever that is one."""
        nodes = list(self.graph.node)
        known = {*self.entering, *self.scope.types, ""}
        made: dict[str, int] = {}
        for index, proto in enumerate(nodes):
            for name in proto.output:
                made.setdefault(name, index)
        followers: list[list[int]] = [[] for _ in nodes]
        for index, proto in enumerate(nodes):
            for name in proto.input:
                if name in made and name not in known:
                    followers[made[name]].append(index)
        ranks = topological(followers)
        circle = cycle([_label(proto) for proto in nodes], followers, ranks)
        if circle is not None:
            raise AccelsimError(f"{self.path}: the graph is cyclic: {circle}")
        return [nodes[index] for index in ranks]

    def _visit(self, proto: NodeProto) -> None:
        """Fold a node, or turn it into an operator, or count why neither is possible."""
        label = f"{proto.domain}.{proto.op_type}" if proto.domain not in ("", "ai.onnx") else proto.op_type
        base = _label(proto)
        self.names[base] += 1
        name = base if self.names[base] == 1 else f"{base}#{self.names[base]}"
        node = Node(proto, name, self.opsets.get("", self.opsets.get("ai.onnx", 1)), self.scope)
        standard = label == proto.op_type
        try:
            if standard and proto.op_type == "Constant":
                self._constant_node(node)
                return
            known = [self.scope.types.get(name) is not None for name in proto.input if name]
            if not all(known):
                if standard and (proto.op_type in RULES or proto.op_type == "DequantizeLinear"):
                    self.blocked += 1
                    self.orphan = self.orphan or next(
                        n for n in proto.input if n and n not in self.scope.types
                    )
                else:
                    self.unsupported[label] += 1
                return
            self._infer(node)
            if self._fold(node):
                return
            if standard and proto.op_type == "DequantizeLinear":
                source = proto.input[0]
                self.scope.alias[proto.output[0]] = self.scope.alias.get(source, source)
            elif standard and proto.op_type in RULES:
                self.operators.append(RULES[proto.op_type](node))
            else:
                self.unsupported[label] += 1
        except Unsupported as reason:
            text = str(reason)
            self.unsupported[text if text.startswith(label) else f"{label} ({text})"] += 1
        except AccelsimError as error:
            self.problems.extend(error.problems)
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError) as error:
            # the protobuf layer lets attributes of any type and any number of inputs through
            self.problems.append(f"{label} {name!r} is malformed ({type(error).__name__})")

    def _infer(self, node: Node) -> None:
        """Find the outputs' types from the inputs' types and known values."""
        from onnx import defs, shape_inference
        from onnx.numpy_helper import from_array

        proto = node.proto
        self._check_batch(node)
        try:
            schema = defs.get_schema(proto.op_type, self.opsets.get(proto.domain, node.opset), proto.domain)
        except Exception:  # the schema registry raises its own C++ exception type
            return
        types = {name: self.scope.types[name] for name in proto.input if name}
        values = {
            name: from_array(self.scope.values[name]) for name in proto.input if name in self.scope.values
        }
        try:
            found = shape_inference.infer_node_outputs(
                schema, proto, types, values, opset_imports=list(self.model.opset_import)
            )
        except Exception as error:  # C++ exceptions of several types
            reason = next((line for line in str(error).splitlines() if line.strip()), "")[:160]
            cause = f"batch={self.batch} does not fit: " if self.batch else ""
            raise AccelsimError(
                f"{cause}{proto.op_type} {node.name!r} does not fit its inputs: {reason}"
            ) from None
        self.scope.types.update(found)

    def _check_batch(self, node: Node) -> None:
        """A reshape to the file's own batch would undo the one that was asked for."""
        proto = node.proto
        if self.batch is None or proto.op_type != "Reshape" or len(proto.input) < 2:
            return
        shape, target = self.scope.shape(proto.input[0]), self.scope.values.get(proto.input[1])
        if shape and target is not None and target.size and shape[0] == self.batch:
            wanted = [int(size) for size in target.ravel()]
            fixed = wanted[0] == self.old_batch
            if fixed or (all(size > 0 for size in wanted) and prod(wanted) != prod(shape)):
                raise AccelsimError(
                    f"batch={self.batch}: Reshape {node.name!r} fixes the batch, its shape is {wanted}; "
                    "export the network with a symbolic batch, or leave batch out"
                )

    def _fold(self, node: Node) -> bool:
        """Whether the node's result is known before the network runs; if so, remember it."""
        proto, scope = node.proto, self.scope
        names = [name for name in proto.input if name]
        if proto.op_type in ("Shape", "Size") and names:
            return self._fold_shape(node)
        if any(name not in scope.stored for name in names) or (not names and proto.op_type not in RULES):
            return False
        from onnx.helper import make_tensor_type_proto, np_dtype_to_tensor_dtype

        inputs = [scope.values.get(name) if name else None for name in proto.input]
        if all(name in scope.values for name in names):
            value = fold(proto.op_type, node.attributes, inputs)
            if value is not None and proto.output:
                scope.values[proto.output[0]] = value
                code = np_dtype_to_tensor_dtype(value.dtype)
                scope.types[proto.output[0]] = make_tensor_type_proto(code, value.shape)
        if proto.op_type not in RULES and proto.op_type not in (
            "ConstantOfShape",
            "DequantizeLinear",
            "Range",
        ):
            return bool(proto.output) and proto.output[0] in scope.values
        for name in filter(None, proto.output):
            root = scope.stored.get(proto.input[0]) if proto.input else None
            if root is not None and proto.op_type in _SAME_STORAGE:
                kept = root.typed(scope.dtype(name)) if proto.op_type == "QuantizeLinear" else root
            else:
                kept = Tensor(name, scope.tensor(name).shape, scope.dtype(name))
            scope.stored[name] = kept
        return True

    def _fold_shape(self, node: Node) -> bool:
        import numpy as np
        from onnx.helper import make_tensor_type_proto

        shape = self.scope.shape(node.proto.input[0])
        if shape is None:
            return False
        if node.kind == "Size":
            value = np.array(prod(shape), np.int64)
        else:
            end = node.attributes.get("end", len(shape))
            value = np.array(shape[node.number("start", 0) : end], np.int64)
        name = node.proto.output[0]
        self.scope.values[name] = value
        self.scope.types[name] = make_tensor_type_proto(7, value.shape)
        self.scope.stored[name] = Tensor(name, value.shape, "int64")
        return True

    def _constant_node(self, node: Node) -> None:
        import numpy as np

        name, attributes = node.proto.output[0], node.attributes
        if "value" in attributes:
            self._constant(name, attributes["value"])
            return
        if "sparse_value" in attributes:
            sparse = attributes["sparse_value"]
            self._typed(name, sparse.values.data_type, tuple(sparse.dims))
            return
        key, value = next(iter(attributes.items()))
        dtype = {"value_int": np.int64, "value_ints": np.int64}.get(key, np.float32)
        if key not in ("value_int", "value_ints", "value_float", "value_floats"):
            raise Unsupported(f"Constant of {key}")
        array = np.asarray(value, dtype)
        self.scope.values[name] = array
        self._typed(name, 7 if dtype is np.int64 else 1, array.shape)

    def _constant(self, name: str, tensor: TensorProto) -> None:
        """Remember a constant's type, and its value if that may be part of a shape."""
        from onnx.numpy_helper import to_array

        shape = tuple(tensor.dims)
        self._typed(name, tensor.data_type, shape)
        if prod(shape) > LIMIT:
            return
        try:
            if tensor.data_location == tensor.EXTERNAL:
                place = self.external.get(tensor.name)
                if place is None:
                    return
                self.scope.values[name] = to_array(tensor, str(place.parent))
            else:
                self.scope.values[name] = to_array(tensor)
        except Exception:  # damaged values matter only if a shape depends on them, which is then said
            return

    def _typed(self, name: str, code: int, shape: tuple[int, ...]) -> None:
        from onnx.helper import make_tensor_type_proto

        self.scope.types[name] = make_tensor_type_proto(code, shape)
        try:
            self.scope.stored[name] = Tensor(name, shape, self.scope.dtype(name))
        except Unsupported as error:
            self.problems.append(f"constant {name[:60]!r}: {error} is not supported")

    def _report(self, unsupported: str) -> None:
        """Raise what stands in the way, or note what was left out."""
        total, count = len(self.graph.node), sum(self.unsupported.values())
        problems = [f"{self.path}: {problem}" for problem in self.problems[:20]]
        if len(self.problems) > 20:
            problems.append(f"{self.path}: and {len(self.problems) - 20} problems more")
        if count:
            kinds = ", ".join(f"{label} ({n})" for label, n in self.unsupported.most_common())
            what = f"{count} operator{' is' if count == 1 else 's are'} not supported: {kinds}"
            if unsupported == "skip":
                self.notes.append(f"left out, {what}")
                if self.blocked:
                    self.notes.append(f"left out, {self.blocked} more whose shapes depend on these")
            else:
                after = f"{self.blocked} after them could not be sized, " if self.blocked else ""
                problems.append(
                    f"{self.path}: {what}; {after}every other one of {total} was read. "
                    "Pass unsupported='skip' to leave them out and say so in the result"
                )
        elif self.blocked and not problems:
            problems.append(
                f"{self.path}: {self.blocked} operator{' depends' if self.blocked == 1 else 's depend'} on"
                f" tensors that nothing makes, the first on {self.orphan[:60]!r}"
            )
        if problems:
            raise AccelsimError(*problems)
