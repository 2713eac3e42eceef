"""Residual networks (He et al., arXiv 1512.03385) for 224-pixel images, and the two small CIFAR forms."""

from collections.abc import Sequence

from accelsim.errors import AccelsimError
from accelsim.graph.builders.net import Net
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.tensor import Tensor

_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def resnet(
    net: Net, *, depth: int = 50, stride_on: str = "3x3", image_size: int = 224, classes: int = 1000
) -> LayerGraph:
    """Draw ResNet-18, 34, 50, 101 or 152.

    ``stride_on`` says which convolution of a bottleneck (depth 50 and more) halves the image:
    ``3x3`` as today's reference implementations do, or the first ``1x1`` as in the paper.
    """
    problems = []
    if depth not in _BLOCKS:
        problems.append(f"depth must be one of {', '.join(map(str, _BLOCKS))}, not {depth}")
    if stride_on not in ("3x3", "1x1"):
        problems.append(f"stride_on must be '3x3' or '1x1', not {stride_on!r}")
    if problems:
        raise AccelsimError(*problems)
    x = net.conv_norm(net.input(3, image_size, image_size), 64, 7, name="conv1", stride=2)
    x = net.pool(x, "max_pool", 3, name="maxpool", stride=2, padding=1)
    for stage, blocks in enumerate(_BLOCKS[depth]):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            name, width = f"layer{stage + 1}.{block}", 64 << stage
            if depth < 50:
                x = _block(net, x, name, [(width, 3, stride), (width, 3, 1)])
            else:
                first, second = (stride, 1) if stride_on == "1x1" else (1, stride)
                x = _block(net, x, name, [(width, 1, first), (width, 3, second), (4 * width, 1, 1)])
    x = net.flatten(net.global_pool(x, name="avgpool"))
    return net.finish(net.linear(x, classes, name="fc"))


def _block(net: Net, x: Tensor, name: str, convs: Sequence[tuple[int, int, int]]) -> Tensor:
    """Convolutions (channels, kernel, stride), then add the input, projected where its shape differs."""
    y = x
    for i, (channels, kernel, stride) in enumerate(convs, 1):
        last = i == len(convs)
        y = net.conv_norm(
            y, channels, kernel, name=f"{name}.conv{i}", stride=stride, activation=None if last else "relu"
        )
    if x.shape != y.shape:
        stride = x.shape[2] // y.shape[2]
        x = net.conv_norm(x, y.shape[1], 1, name=f"{name}.downsample", stride=stride, activation=None)
    return net.act(net.join("add", y, x, name=f"{name}.add"), "relu", name=f"{name}.relu")
