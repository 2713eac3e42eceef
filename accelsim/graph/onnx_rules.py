"""ONNX operators without multiply-accumulates as operators, and the table of all rules."""

from __future__ import annotations

from collections.abc import Callable

from accelsim.errors import AccelsimError
from accelsim.graph.elementary import along, elementary, local_response_norm, pooling
from accelsim.graph.onnx_macs import MAC_RULES
from accelsim.graph.onnx_scope import Node
from accelsim.graph.operator import Operator
from accelsim.graph.vocabulary import TYPES

_ELEMENTWISE = {
    "Abs": "abs", "Add": "add", "And": "and", "Cast": "cast", "Ceil": "ceil", "Celu": "celu",
    "Clip": "clip", "Cos": "cos", "CumSum": "cumulative_sum", "Div": "div",
    "DynamicQuantizeLinear": "quantize", "Elu": "elu", "Equal": "compare", "Erf": "erf", "Exp": "exp",
    "Floor": "floor", "Gelu": "gelu", "Greater": "compare", "GreaterOrEqual": "compare",
    "HardSigmoid": "hard_sigmoid", "HardSwish": "hard_swish", "IsInf": "compare", "IsNaN": "compare",
    "LeakyRelu": "leaky_relu", "Less": "compare", "LessOrEqual": "compare", "Log": "log", "Max": "max",
    "Mean": "add", "Min": "min", "Mish": "mish", "Mod": "mod", "Mul": "mul", "Neg": "neg", "Not": "not",
    "Or": "or", "PRelu": "prelu", "Pow": "pow", "QuantizeLinear": "quantize", "Reciprocal": "reciprocal",
    "Relu": "relu", "Round": "round", "Selu": "selu", "Sigmoid": "sigmoid", "Sign": "sign", "Sin": "sin",
    "Softplus": "softplus", "Softsign": "softsign", "Sqrt": "sqrt", "Sub": "sub", "Sum": "add",
    "Swish": "silu", "Tan": "tan", "Tanh": "tanh", "ThresholdedRelu": "threshold", "Trilu": "where",
    "Where": "where", "Xor": "xor",
}  # fmt: skip
_MOVEMENT = {
    "Concat": "concatenation", "DepthToSpace": "shuffle", "Dropout": "identity", "Expand": "expand",
    "Flatten": "reshape", "GatherElements": "gather", "GatherND": "gather", "Identity": "identity",
    "Pad": "pad", "Reshape": "reshape", "ScatterElements": "scatter", "ScatterND": "scatter",
    "Slice": "slice", "SpaceToDepth": "shuffle", "Split": "split", "Squeeze": "reshape", "Tile": "expand",
    "Transpose": "transpose", "Unsqueeze": "reshape",
}  # fmt: skip
_REDUCTIONS = (
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin",
    "ReduceProd", "ReduceSum", "ReduceSumSquare",
)  # fmt: skip


def _elementwise(node: Node) -> Operator:
    kind = _ELEMENTWISE[node.kind]
    variadic = node.kind in ("Sum", "Mean", "Max", "Min")
    times = max(len(node.proto.input) - 1, 1) if variadic else TYPES[kind].operations
    # scales and zero points of a quantisation are constants of the format, not parameters
    learned = [] if kind == "quantize" else node.learned()
    return elementary(
        node.name, kind, node.computed(), node.outputs(), weights=learned,
        per_element=times + (node.kind == "Mean"),
    )  # fmt: skip


def _movement(node: Node) -> Operator:
    # a class token joins by concatenation, so it is data there; shapes, indices and pads never are
    learned = node.learned() if node.kind == "Concat" else []
    # the mask of a dropout is nothing that inference makes
    outputs = [node.output()] if node.kind == "Dropout" else node.outputs()
    return elementary(node.name, _MOVEMENT[node.kind], node.computed(), outputs, weights=learned)


def _pool(node: Node) -> Operator:
    x = node.input(0)
    if node.kind.startswith("Global"):
        window = list(x.shape[2:])
    else:
        window = node.ints("kernel_shape", [0] * (len(x.shape) - 2))
    kind = {"Max": "max_pool", "Ave": "average_pool", "Lp": "lp_pool"}
    name = node.kind.removeprefix("Global")
    return pooling(
        node.name, next(v for k, v in kind.items() if name.startswith(k)), x, node.output(), window
    )


def _batch_norm(node: Node) -> Operator:
    parts = [node.input(i) for i in range(1, 5)]
    if not all(node.constant(i) for i in range(1, 5)):
        return elementary(node.name, "batch_norm", node.computed(), [node.output()], weights=node.learned())
    return elementary(
        node.name, "batch_norm", [node.input(0)], [node.output()], weights=parts[:2], statistics=parts[2:]
    )


def _normalization(
    kind: str, first_axis: int | None, groups: str | None = None
) -> Callable[[Node], Operator]:
    """Over the axes from ``first_axis`` (None: attribute ``axis``), each divided in ``groups``."""

    def rule(node: Node) -> Operator:
        x = node.input(0)
        axis = node.number("axis", -1) if first_axis is None else first_axis
        width = 1
        for size in x.shape[axis % len(x.shape) :] if x.shape else ():
            width *= size
        if groups is not None:
            width = width * x.shape[1] // max(node.number(groups, 1), 1)
        weights = [node.input(i) for i in (1, 2) if node.constant(i)]
        return along(node.name, kind, x, [node.output()], width, weights)

    return rule


def _lp_norm(node: Node) -> Operator:
    x = node.input(0)
    return along(node.name, "lp_norm", x, [node.output()], _length(node, x.shape, node.number("axis", -1)))


def _softmax(node: Node) -> Operator:
    x = node.input(0)
    kind = {"LogSoftmax": "log_softmax"}.get(node.kind, "softmax")
    if node.opset >= 13:
        width = _length(node, x.shape, node.number("axis", -1))
    else:  # older sets flatten everything from the axis on
        width = 1
        for size in x.shape[node.number("axis", 1) % max(len(x.shape), 1) :]:
            width *= size
    return along(node.name, kind, x, [node.output()], width)


def _length(node: Node, shape: tuple[int, ...], axis: int) -> int:
    if not -len(shape) <= axis < len(shape):
        raise AccelsimError(f"{node.kind} {node.name} works along axis {axis} of shape {shape}")
    return shape[axis]


def _reduce(node: Node) -> Operator:
    x, outputs = node.input(0), node.outputs()
    kind = {"ArgMax": "arg", "ArgMin": "arg", "TopK": "top_k"}.get(node.kind, "reduce")
    if kind == "top_k":
        width = _length(node, x.shape, node.number("axis", -1))
    else:
        width = x.elements // max(outputs[0].elements, 1)
    return along(node.name, kind, x, outputs, width)


def _gather(node: Node) -> Operator:
    if node.constant(0):
        return elementary(
            node.name, "embedding", node.computed(), [node.output()], weights=node.learned()[:1]
        )
    return elementary(node.name, "gather", node.computed(), [node.output()])


def _resize(node: Node) -> Operator:
    """Linear interpolation takes 2 taps per resized axis, cubic 4; each a product and a sum."""
    x, y = node.input(0), node.output()
    taps = {"linear": 2, "cubic": 4}.get(node.text("mode", "nearest"), 0)
    axes = sum(a != b for a, b in zip(x.shape, y.shape, strict=True))
    return elementary(node.name, "resize", node.computed(), [y], per_element=2 * taps**axes if taps else 0)


def _lrn(node: Node) -> Operator:
    return local_response_norm(node.name, node.input(0), node.output(), node.number("size", 1))


RULES: dict[str, Callable[[Node], Operator]] = {
    **MAC_RULES,
    **dict.fromkeys(_ELEMENTWISE, _elementwise),
    **dict.fromkeys(_MOVEMENT, _movement),
    **dict.fromkeys(_REDUCTIONS, _reduce),
    **dict.fromkeys(("ArgMax", "ArgMin", "TopK"), _reduce),
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), _pool),
    **dict.fromkeys(("GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool"), _pool),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _normalization("layer_norm", None),
    "RMSNormalization": _normalization("rms_norm", None),
    "InstanceNormalization": _normalization("instance_norm", 2),
    "GroupNormalization": _normalization("group_norm", 2, groups="num_groups"),
    "LpNormalization": _lp_norm,
    "LRN": _lrn,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Gather": _gather,
    "Resize": _resize,
    "Upsample": _resize,
}
"""ONNX operator type -> how it becomes an operator. DequantizeLinear is folded into its readers."""
