"""Depthwise-separable networks for keyword spotting (Zhang et al., arXiv 1711.07128)."""

from accelsim.errors import AccelsimError
from accelsim.graph.builders.net import Net, same_padding
from accelsim.graph.layer_graph import LayerGraph


def ds_cnn(
    net: Net,
    *,
    channels: int = 64,
    blocks: int = 4,
    stem_stride: list[int] | tuple[int, int] = (2, 2),
    first_block_stride: int = 1,
    frames: int = 49,
    features: int = 10,
    classes: int = 12,
) -> LayerGraph:
    """Draw a 10x4 convolution, blocks of a 3x3 depthwise and a 1x1 convolution, pooling and a classifier.

    The input is ``frames`` rows of ``features`` coefficients; padding is "same", its odd zero last.
    """
    if len(stem_stride) != 2 or not all(isinstance(s, int) and 1 <= s <= 10 for s in stem_stride):
        raise AccelsimError(
            f"stem_stride must be two whole numbers from 1 to 10, not {str(stem_stride)[:60]}"
        )
    strides = (stem_stride[0], stem_stride[1])
    x = net.input(1, frames, features)
    x = net.conv_norm(
        x, channels, (10, 4), name="stem", stride=strides, padding=same_padding(x, (10, 4), strides)
    )
    for i in range(blocks):
        stride = (first_block_stride, first_block_stride) if i == 0 else (1, 1)
        padding = same_padding(x, (3, 3), stride)
        name = f"block{i}.depthwise"
        x = net.conv_norm(x, channels, 3, name=name, stride=stride, groups=channels, padding=padding)
        x = net.conv_norm(x, channels, 1, name=f"block{i}.pointwise")
    return net.finish(net.linear(net.flatten(net.global_pool(x, name="pool")), classes, name="classifier"))
