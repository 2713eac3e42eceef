"""Vision transformers (Dosovitskiy et al., arXiv 2010.11929)."""

from accelsim.errors import AccelsimError
from accelsim.graph.builders.net import Net
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.tensor import Tensor


def vit(
    net: Net,
    *,
    image_size: int = 224,
    patch: int = 16,
    layers: int = 12,
    hidden: int = 768,
    heads: int = 12,
    mlp: int = 3072,
    classes: int = 1000,
) -> LayerGraph:
    """Draw a vision transformer; the defaults are the base form with 16-pixel patches (ViT-B/16)."""
    problems = []
    if image_size % patch:
        problems.append(f"image_size must be a multiple of patch = {patch}, not {image_size}")
    if hidden % heads:
        problems.append(f"hidden must be a multiple of heads = {heads}, not {hidden}")
    if problems:
        raise AccelsimError(*problems)
    x = net.conv(net.input(3, image_size, image_size), hidden, patch, name="patches", stride=patch, padding=0)
    x = net.move(x, "transpose", (net.batch, x.shape[2] * x.shape[3], hidden), name="tokens")
    x = net.prepend_weight(x, name="class_token")
    x = net.add_weight(x, name="positions")
    for i in range(layers):
        x = _layer(net, x, heads, mlp, f"layer{i}")
    x = net.layer_norm(x, name="norm")
    x = net.move(x, "slice", (net.batch, hidden), name="class")
    return net.finish(net.linear(x, classes, name="head"))


def _layer(net: Net, x: Tensor, heads: int, mlp: int, name: str) -> Tensor:
    hidden = x.shape[-1]
    y = net.linear(net.layer_norm(x, name=f"{name}.norm1"), 3 * hidden, name=f"{name}.qkv")
    q, k, v = net.split(y, 3, name=f"{name}.split")
    y = net.linear(net.attention(q, k, v, heads, name=f"{name}.attention"), hidden, name=f"{name}.projection")
    x = net.join("add", x, y, name=f"{name}.add1")
    y = net.linear(net.layer_norm(x, name=f"{name}.norm2"), mlp, name=f"{name}.mlp1")
    y = net.linear(net.act(y, "gelu"), hidden, name=f"{name}.mlp2")
    return net.join("add", x, y, name=f"{name}.add2")
