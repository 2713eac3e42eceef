"""The closed vocabulary of operator types: what each does and what one output element costs.

``operations`` counts arithmetic on elements the plain way: an addition, a comparison and the
evaluation of one function (exp, erf, tanh, square root, division) are one operation each. Rules
that need more than the output's size (pooling windows, reduced axes) are with the factory.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperatorType:
    """What is true of every operator of one type.

    Parameters
    ----------
    family : ``mac`` (multiply-accumulates), ``elementwise``, ``pooling``, ``normalization``,
        ``softmax``, ``reduction``, ``lookup`` (reads chosen rows of a table), ``movement``
        (bytes change place) or ``view`` (the same bytes under another shape: free)
    operations : element operations per output element
    fusible : it can be applied to its producer's output on the way out, one element at a time
    """

    family: str
    operations: int = 0
    fusible: bool = False


_ELEMENTWISE = {
    1: "abs add and ceil compare cos div erf exp floor log max min mod mul neg not or pow reciprocal relu"
    " round sign sin sqrt sub tan tanh where xor cast",
    2: "clip leaky_relu prelu dequantize threshold",
    3: "elu quantize softplus softsign",
    4: "celu hard_sigmoid selu sigmoid",
    5: "gelu hard_swish mish silu",
}  # sigmoid: negate, exp, add, divide; gelu: scale, erf, add, multiply, halve; quantize: scale, round, clip

TYPES: dict[str, OperatorType] = {
    "convolution": OperatorType("mac"),  # 1-D and 2-D, grouped and dilated included
    "depthwise": OperatorType("mac"),  # a convolution with one input channel per group
    "transposed_convolution": OperatorType("mac"),
    "gemm": OperatorType("mac"),  # the second factor is a weight: fully connected layers, projections
    "matmul": OperatorType("mac"),  # both factors are computed: attention
    **{
        name: OperatorType("elementwise", cost, fusible=True)
        for cost, names in _ELEMENTWISE.items()
        for name in names.split()
    },
    "batch_norm": OperatorType("normalization", 2, fusible=True),  # at inference: one scale, one shift
    # mean, subtract, square, mean, divide by the root, scale, shift
    "layer_norm": OperatorType("normalization", 7),
    "group_norm": OperatorType("normalization", 7),
    "instance_norm": OperatorType("normalization", 7),
    "rms_norm": OperatorType("normalization", 4),  # square, mean, divide by the root, scale
    "lp_norm": OperatorType("normalization", 3),
    "local_response_norm": OperatorType("normalization"),
    "softmax": OperatorType("softmax", 5),  # maximum, subtract, exp, sum, divide
    "log_softmax": OperatorType("softmax", 6),
    "max_pool": OperatorType("pooling"),
    "average_pool": OperatorType("pooling"),
    "lp_pool": OperatorType("pooling"),
    "reduce": OperatorType("reduction"),
    "arg": OperatorType("reduction"),  # position of the largest or smallest element
    "top_k": OperatorType("reduction"),
    "cumulative_sum": OperatorType("elementwise", 1),
    "embedding": OperatorType("lookup"),  # rows of a weight table
    "gather": OperatorType("movement"),
    "scatter": OperatorType("movement"),
    "concatenation": OperatorType("movement"),
    "split": OperatorType("movement"),
    "slice": OperatorType("movement"),
    "resize": OperatorType("movement"),  # nearest neighbour; interpolation adds operations
    "transpose": OperatorType("movement"),
    "shuffle": OperatorType("movement"),  # channel shuffle, depth to space and back
    "pad": OperatorType("movement"),
    "expand": OperatorType("movement"),
    "reshape": OperatorType("view"),
    "identity": OperatorType("view"),  # dropout at inference included
}

MAC_TYPES = tuple(name for name, kind in TYPES.items() if kind.family == "mac")
