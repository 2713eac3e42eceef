"""U-Net (Ronneberger et al., arXiv 1505.04597) with same padding, as later implementations draw it."""

from accelsim.errors import AccelsimError
from accelsim.graph.builders.net import Net
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.tensor import Tensor


def unet(
    net: Net, *, image_size: int = 128, channels: int = 3, depth: int = 4, filters: int = 16, classes: int = 1
) -> LayerGraph:
    """Draw ``depth`` levels down and up around a bottom level; level i has ``filters`` * 2^i filters.

    Each level is two 3x3 convolutions; downwards a 2x2 pooling follows, upwards a 2x2 transposed
    convolution of stride 2 precedes, whose result is joined with the level's own. A 1x1
    convolution ends the network.
    """
    if depth > 10 or image_size % (1 << depth):
        raise AccelsimError(
            f"image_size must be a multiple of 2^depth = {1 << min(depth, 99)}, not {image_size}"
        )
    x = net.input(channels, image_size, image_size)
    levels = []
    for level in range(depth):
        x = _level(net, x, filters << level, f"down{level}")
        levels.append(x)
        x = net.pool(x, "max_pool", 2, name=f"down{level}.pool")
    x = _level(net, x, filters << depth, "bottom")
    for level in reversed(range(depth)):
        x = net.transposed(x, filters << level, 2, name=f"up{level}.transposed", stride=2)
        x = net.concat([levels[level], x], name=f"up{level}.concat")
        x = _level(net, x, filters << level, f"up{level}")
    return net.finish(net.conv(x, classes, 1, name="output"))


def _level(net: Net, x: Tensor, filters: int, name: str) -> Tensor:
    return net.conv_norm(net.conv_norm(x, filters, 3, name=f"{name}.conv1"), filters, 3, name=f"{name}.conv2")
