"""Networks written out layer by layer, as the ``layers:`` of a workload file, drawn as graphs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from accelsim.errors import AccelsimError
from accelsim.graph.builders import joined
from accelsim.graph.builders.net import Net, pair, same_padding
from accelsim.graph.layer_fields import FIELDS, check
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.matrix import matmul
from accelsim.graph.tensor import Tensor


def from_layers(
    name: str,
    layers: Sequence[Mapping[str, Any]],
    *,
    batch: int = 1,
    precision: str = "int8",
    where: Callable[..., str] = lambda *path: ".".join(map(str, path)),
) -> LayerGraph:
    """Return the network of a list of layers.

    ``where`` turns a path such as ``(3, "kernel")`` into the beginning of a sentence about it.
    AccelsimError holds a sentence for every field that is wrong and every layer that does not fit.
    """
    net = Net(name, batch, precision)
    made: dict[str, Tensor | None] = {}
    problems: list[str] = []
    last = "input"
    named = {layer["name"] for layer in layers if isinstance(layer.get("name"), str)}
    for index, layer in enumerate(layers):
        found = [joined(where(index, *path), text) for path, text in check(layer, made, named)]
        made.setdefault(str(layer.get("name")), None)
        if not found:
            options = {**FIELDS[layer["type"]], **layer}
            sources = layer.get("inputs", [last])
            try:
                made[layer["name"]] = _draw(net, options, [made.get(s) for s in sources], sources)
            except AccelsimError as error:
                found = [f"{where(index)}: {problem}" for problem in error.problems]
            last = layer["name"]
        problems += found
    if problems:
        raise AccelsimError(
            *problems[:50], *([f"and {len(problems) - 50} problems more"] * (len(problems) > 50))
        )
    read = {tensor.name for op in net.operators for tensor in op.inputs}
    return net.finish(*(t for t in made.values() if t is not None and t.name not in read))


def _draw(net: Net, layer: Mapping[str, Any], read: list[Tensor | None], sources: list[str]) -> Tensor | None:
    """Append one layer; None if a layer it reads was wrong already."""
    name, kind = layer["name"], layer["type"]
    if kind == "matmul":
        return _matmul(net, layer, read, sources)
    if not sources or sources == ["input"]:
        tensors = [_entering(net, layer)]
    else:
        if "input" in sources:
            raise AccelsimError(
                f"{name} reads the network's input beside layers; give it a layer of type identity"
            )
        if any(tensor is None for tensor in read):
            return None
        tensors = [tensor for tensor in read if tensor is not None]
        _agree(layer, tensors[0], sources[0])
    many = kind == "concatenation" or kind in ("add", "sub", "mul", "div", "max", "min", "pow", "where")
    if len(tensors) > 1 and not many:
        raise AccelsimError(f"{name}: a {kind} reads one layer, not {len(tensors)}")
    x = tensors[0]
    if len(x.shape) != 4 and ("kernel" in layer or kind in ("global_pool", "batch_norm", "resize")):
        raise AccelsimError(f"{name}: a {kind} needs rows and columns, but reads {_by(x)}")
    return _RULES.get(kind, _elementwise)(net, layer, tensors)


def _entering(net: Net, layer: Mapping[str, Any]) -> Tensor:
    name = "input" if not net.inputs else f"{layer['name']}.input"
    if "in_features" in layer:
        return net.input(*([layer["rows"]] if "rows" in layer else []), layer["in_features"], name=name)
    if "in_channels" in layer and "input" in layer:
        return net.input(layer["in_channels"], *layer["input"], name=name)
    raise AccelsimError(
        f"{layer['name']} reads the network's input; "
        "say what enters by in_channels and input: [rows, columns], or by in_features"
    )


def _agree(layer: Mapping[str, Any], x: Tensor, source: str) -> None:
    """What a layer says of its input must be what it reads."""
    said: dict[str, list[Any]] = {
        "in_channels": [x.shape[1]],
        "input": [list(x.shape[2:])],
        "in_features": [x.shape[-1], x.elements // x.shape[0]],
        "rows": [x.shape[1] if len(x.shape) == 3 else 1],
    }
    for key, values in said.items():
        if key in layer and layer[key] not in values:
            raise AccelsimError(
                f"{layer['name']} reads {_by(x)} from {source}, but states {key}: {layer[key]}; "
                "write 'inputs: []' if it reads the network's input"
            )


def _matmul(
    net: Net, layer: Mapping[str, Any], read: list[Tensor | None], sources: list[str]
) -> Tensor | None:
    name, batch = layer["name"], layer["batch"] * net.batch
    rows, inner, columns = layer["rows"], layer["inner"], layer["columns"]
    sizes = (batch * rows * inner, batch * inner * columns)
    if not sources or sources == ["input"]:
        each = layer["batch"]
        tensors = [
            net.input(each, rows, inner, name=f"{name}.left"),
            net.input(each, inner, columns, name=f"{name}.right"),
        ]
    else:
        if any(tensor is None for tensor in read):
            return None
        tensors = [tensor for tensor in read if tensor is not None]
        if len(tensors) != 2 or tuple(t.elements for t in tensors) != sizes:
            found = " and ".join(_by(t) for t in tensors)
            raise AccelsimError(
                f"{name} multiplies {batch} times {rows}x{inner} by {inner}x{columns}, but reads {found}"
            )
    out = net.tensor(name, net.batch, layer["batch"], rows, columns)
    return net.append(
        matmul(name, tensors[0], tensors[1], out, rows=rows, inner=inner, columns=columns, batch=batch)
    )


def _convolve(net: Net, layer: Mapping[str, Any], tensors: list[Tensor]) -> Tensor:
    x, kernel, stride = tensors[0], _pair(layer["kernel"]), _pair(layer["stride"])
    dilation = _pair(layer["dilation"])
    reach = (dilation[0] * (kernel[0] - 1) + 1, dilation[1] * (kernel[1] - 1) + 1)
    padding = layer["padding"]
    if padding == "same":
        padding = same_padding(x, reach, stride)
    elif isinstance(padding, list):
        padding = tuple(padding)
    depthwise = layer["type"] == "depthwise"
    channels = x.shape[1] * layer["multiplier"] if depthwise else layer["out_channels"]
    groups = x.shape[1] if depthwise else layer["groups"]
    return net.conv(
        x,
        channels,
        kernel,
        name=layer["name"],
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=layer["bias"],
    )


def _pool(net: Net, layer: Mapping[str, Any], tensors: list[Tensor]) -> Tensor:
    kernel, padding = _pair(layer["kernel"]), layer["padding"]
    stride = kernel if layer["stride"] is None else _pair(layer["stride"])
    if padding == "same" or (isinstance(padding, list) and len(padding) == 4):
        raise AccelsimError(f"{layer['name']}: padding of a pooling must be one number or [rows, columns]")
    return net.pool(
        tensors[0], layer["type"], kernel, name=layer["name"], stride=stride, padding=_pair(padding)
    )


def _gemm(net: Net, layer: Mapping[str, Any], tensors: list[Tensor]) -> Tensor:
    x = tensors[0]
    if len(x.shape) == 4:
        x = net.flatten(x, name=f"{layer['name']}.flatten")
    return net.linear(x, layer["out_features"], name=layer["name"], bias=layer["bias"])


def _concatenation(net: Net, layer: Mapping[str, Any], tensors: list[Tensor]) -> Tensor:
    if len({(t.shape[0], *t.shape[2:]) for t in tensors}) > 1:
        raise AccelsimError(
            f"{layer['name']} joins {' and '.join(map(_by, tensors))}, which differ beyond channels"
        )
    return net.concat(tensors, name=layer["name"])


def _elementwise(net: Net, layer: Mapping[str, Any], tensors: list[Tensor]) -> Tensor:
    x, *others = tensors
    for y in others:
        if len(y.shape) != len(x.shape) or any(
            b not in (1, a) for a, b in zip(x.shape, y.shape, strict=True)
        ):
            raise AccelsimError(f"{layer['name']} combines {_by(x)} with {_by(y)}, which has another shape")
    return net.join(layer["type"], *tensors, name=layer["name"])


_RULES: dict[str, Callable[[Net, Mapping[str, Any], list[Tensor]], Tensor]] = {
    "convolution": _convolve,
    "depthwise": _convolve,
    "transposed_convolution": lambda net, layer, ts: net.transposed(
        ts[0],
        layer["out_channels"],
        _pair(layer["kernel"]),
        name=layer["name"],
        stride=_pair(layer["stride"]),
    ),
    "gemm": _gemm,
    "max_pool": _pool,
    "average_pool": _pool,
    "global_pool": lambda net, layer, ts: net.global_pool(ts[0], name=layer["name"]),
    "concatenation": _concatenation,
    "batch_norm": lambda net, layer, ts: net.batch_norm(ts[0], name=layer["name"]),
    "layer_norm": lambda net, layer, ts: net.layer_norm(ts[0], name=layer["name"]),
    "softmax": lambda net, layer, ts: net.softmax(ts[0], name=layer["name"]),
    "flatten": lambda net, layer, ts: net.flatten(ts[0], name=layer["name"]),
    "resize": lambda net, layer, ts: net.move(
        ts[0],
        "resize",
        (*ts[0].shape[:2], *(size * layer["scale"] for size in ts[0].shape[2:])),
        name=layer["name"],
    ),
}


def _pair(value: int | list[int]) -> tuple[int, int]:
    return pair(value) if isinstance(value, int) else (value[0], value[1])


def _by(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape))
