"""The pen that network builders draw with: each call appends one operator and returns its output tensor."""

from collections.abc import Sequence

from accelsim.errors import AccelsimError
from accelsim.graph.convolution import convolution, transposed_convolution
from accelsim.graph.dtypes import check_precision
from accelsim.graph.elementary import along, elementary, pooling
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.matrix import gemm, matmul
from accelsim.graph.operator import Operator
from accelsim.graph.tensor import Tensor

Pair = int | tuple[int, int]


class Net:
    """A network under construction.

    Every tensor has the same number format. An operator's output tensor bears the operator's name,
    its weights are ``NAME.weight`` and ``NAME.bias``. Names of activations, norms and the like
    default to the name of what they follow plus their type.
    """

    def __init__(self, name: str, batch: int = 1, precision: str = "int8") -> None:
        self.name = name
        self.batch = batch
        self.precision = check_precision(precision)
        self.inputs: list[Tensor] = []
        self.operators: list[Operator] = []

    def finish(self, *outputs: Tensor, notes: Sequence[str] = ()) -> LayerGraph:
        """Return the graph whose results are ``outputs``."""
        return LayerGraph.from_operators(
            self.name, self.operators, inputs=self.inputs, outputs=outputs, notes=notes
        )

    def input(self, *shape: int, name: str = "input") -> Tensor:
        """Return a tensor that enters the network; the batch comes before ``shape``."""
        tensor = Tensor(name, (self.batch, *shape), self.precision)
        self.inputs.append(tensor)
        return tensor

    def conv(
        self,
        x: Tensor,
        channels: int,
        kernel: Pair,
        *,
        name: str,
        stride: Pair = 1,
        padding: Pair | tuple[int, int, int, int] | None = None,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> Tensor:
        """Convolve; ``padding`` defaults to half the dilated kernel, which keeps the size."""
        k, d = pair(kernel), pair(dilation)
        p = (d[0] * (k[0] - 1) // 2, d[1] * (k[1] - 1) // 2) if padding is None else padding
        pads = p if isinstance(p, tuple) and len(p) == 4 else pair(p) * 2
        weight = self.weight(f"{name}.weight", channels, max(x.shape[1] // groups, 1), *k)
        op = convolution(
            name, x, weight, self.weight(f"{name}.bias", channels) if bias else None,
            stride=pair(stride), pads=pads, dilation=d, groups=groups,
        )  # fmt: skip
        return self.append(op)

    def conv_norm(
        self, x: Tensor, channels: int, kernel: Pair, *, name: str, stride: Pair = 1, groups: int = 1,
        padding: Pair | tuple[int, int, int, int] | None = None, activation: str | None = "relu",
    ) -> Tensor:  # fmt: skip
        """Convolve without bias, normalise over the batch, and activate unless ``activation`` is None."""
        x = self.conv(
            x, channels, kernel, name=name, stride=stride, padding=padding, groups=groups, bias=False
        )
        x = self.batch_norm(x, name=f"{name}.norm")
        return x if activation is None else self.act(x, activation, name=f"{name}.{activation}")

    def transposed(self, x: Tensor, channels: int, kernel: Pair, *, name: str, stride: Pair = 1) -> Tensor:
        """Convolve transposed, without padding, with a bias."""
        weight = self.weight(f"{name}.weight", x.shape[1], channels, *pair(kernel))
        bias = self.weight(f"{name}.bias", channels)
        return self.append(transposed_convolution(name, x, weight, bias, stride=pair(stride)))

    def linear(self, x: Tensor, features: int, *, name: str, bias: bool = True) -> Tensor:
        """Multiply the last axis with a weight of ``features`` columns."""
        inner = x.shape[-1]
        output = self.tensor(name, *x.shape[:-1], features)
        op = gemm(
            name, x, self.weight(f"{name}.weight", features, inner),
            self.weight(f"{name}.bias", features) if bias else None,
            output, rows=x.elements // inner, inner=inner, columns=features,
        )  # fmt: skip
        return self.append(op)

    def attention(
        self, q: Tensor, k: Tensor, v: Tensor, heads: int, *, name: str, kv_heads: int = 0
    ) -> Tensor:
        """Attend: scores, softmax, weighted sum. All of (batch, length, heads * head size).

        With ``kv_heads`` fewer than ``heads`` each key head serves several query heads: the
        products run once per key head, with the queries that share it as more rows.
        """
        shared = heads // (kv_heads or heads)
        head = q.shape[-1] // heads
        batch, rows, keys = q.shape[0] * heads // shared, q.shape[1] * shared, k.shape[1]
        scores = self.tensor(f"{name}.scores", q.shape[0], heads, q.shape[1], keys)
        op = matmul(scores.name, q, k, scores, rows=rows, inner=head, columns=keys, batch=batch)
        p = self.softmax(self.append(op), name=f"{name}.softmax")
        out = self.tensor(f"{name}.context", *q.shape)
        return self.append(matmul(out.name, p, v, out, rows=rows, inner=keys, columns=head, batch=batch))

    def batch_norm(self, x: Tensor, *, name: str | None = None) -> Tensor:
        """Normalise each channel by running statistics, then scale and shift."""
        name = name or f"{x.name}.norm"
        weights = [self.weight(f"{name}.{part}", x.shape[1]) for part in ("weight", "bias")]
        statistics = [self.weight(f"{name}.{part}", x.shape[1]) for part in ("running_mean", "running_var")]
        out = [self.tensor(name, *x.shape)]
        return self.append(elementary(name, "batch_norm", [x], out, weights=weights, statistics=statistics))

    def layer_norm(self, x: Tensor, *, name: str) -> Tensor:
        """Normalise the last axis, then scale and shift."""
        weights = [self.weight(f"{name}.{part}", x.shape[-1]) for part in ("weight", "bias")]
        return self.append(along(name, "layer_norm", x, [self.tensor(name, *x.shape)], x.shape[-1], weights))

    def softmax(self, x: Tensor, *, name: str) -> Tensor:
        """Softmax over the last axis."""
        return self.append(along(name, "softmax", x, [self.tensor(name, *x.shape)], x.shape[-1]))

    def act(self, x: Tensor, kind: str, *, name: str | None = None) -> Tensor:
        """Apply an element-wise function of the vocabulary."""
        name = name or f"{x.name}.{kind}"
        return self.append(elementary(name, kind, [x], [self.tensor(name, *x.shape)]))

    def join(self, kind: str, *xs: Tensor, name: str) -> Tensor:
        """Combine tensors by ``add``, ``mul`` and so on; those after the first may be broadcast."""
        return self.append(elementary(name, kind, xs, [self.tensor(name, *xs[0].shape)]))

    def add_weight(self, x: Tensor, *, name: str) -> Tensor:
        """Add a learned tensor that is the same for every item of the batch."""
        out = [self.tensor(name, *x.shape)]
        weights = [self.weight(f"{name}.weight", 1, *x.shape[1:])]
        return self.append(elementary(name, "add", [x], out, weights=weights))

    def prepend_weight(self, x: Tensor, *, name: str) -> Tensor:
        """Put one learned row in front of the rows of every item of the batch."""
        out = [self.tensor(name, x.shape[0], x.shape[1] + 1, *x.shape[2:])]
        weights = [self.weight(f"{name}.weight", 1, 1, *x.shape[2:])]
        return self.append(elementary(name, "concatenation", [x], out, weights=weights))

    def concat(self, xs: Sequence[Tensor], *, name: str, axis: int = 1) -> Tensor:
        """Join along ``axis``."""
        shape = list(xs[0].shape)
        shape[axis] = sum(x.shape[axis] for x in xs)
        return self.append(elementary(name, "concatenation", xs, [self.tensor(name, *shape)]))

    def split(self, x: Tensor, parts: int, *, name: str) -> list[Tensor]:
        """Cut the last axis into equal parts."""
        outs = [self.tensor(f"{name}.{i}", *x.shape[:-1], x.shape[-1] // parts) for i in range(parts)]
        self.operators.append(elementary(name, "split", [x], outs))
        return outs

    def move(self, x: Tensor, kind: str, shape: Sequence[int], *, name: str) -> Tensor:
        """Rearrange to ``shape`` (batch included) by ``reshape``, ``transpose``, ``slice``, ``pad``..."""
        return self.append(elementary(name, kind, [x], [self.tensor(name, *shape)]))

    def pool(
        self, x: Tensor, kind: str, kernel: Pair, *, name: str, stride: Pair | None = None, padding: Pair = 0
    ) -> Tensor:
        """Pool by ``max_pool`` or ``average_pool``; the stride defaults to the window."""
        k, p = pair(kernel), pair(padding)
        s = k if stride is None else pair(stride)
        size = [(x.shape[2 + i] + 2 * p[i] - k[i]) // s[i] + 1 for i in (0, 1)]
        if min(size) < 1:
            raise AccelsimError(
                f"{name}: a {k[0]}x{k[1]} window does not fit an input of {x.shape[2]}x{x.shape[3]}"
            )
        return self.append(pooling(name, kind, x, self.tensor(name, *x.shape[:2], *size), k))

    def global_pool(self, x: Tensor, *, name: str, kind: str = "average_pool") -> Tensor:
        """Pool whole rows and columns to one element each."""
        return self.pool(x, kind, (x.shape[2], x.shape[3]), name=name)

    def flatten(self, x: Tensor, *, name: str = "flatten") -> Tensor:
        """View as (batch, features)."""
        return self.move(x, "reshape", (x.shape[0], x.elements // x.shape[0]), name=name)

    def append(self, op: Operator) -> Tensor:
        """Add an operator and return its first output."""
        self.operators.append(op)
        return op.outputs[0]

    def tensor(self, name: str, *shape: int) -> Tensor:
        """Return a tensor in the network's number format."""
        return Tensor(name, shape, self.precision)

    weight = tensor


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    """Return (rows, columns) of a value that may be one number for both."""
    return (value, value) if isinstance(value, int) else value


def same_padding(x: Tensor, kernel: tuple[int, int], stride: tuple[int, int]) -> tuple[int, int, int, int]:
    """Zeros (top, left, bottom, right) that make the output ceil(input / stride); an odd zero comes last."""
    rows, columns = (
        max((-(-x.shape[2 + i] // stride[i]) - 1) * stride[i] + kernel[i] - x.shape[2 + i], 0) for i in (0, 1)
    )
    return rows // 2, columns // 2, rows - rows // 2, columns - columns // 2
