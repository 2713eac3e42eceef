"""Small residual networks for 32-pixel images."""

from accelsim.errors import AccelsimError
from accelsim.graph.builders.net import Net, same_padding
from accelsim.graph.layer_graph import LayerGraph

_DAWNBENCH = ((128, 1), (256, 0), (512, 1))


def resnet9(
    net: Net,
    *,
    stem: int = 64,
    blocks: list[list[int]] | tuple[tuple[int, int], ...] = _DAWNBENCH,
    image_size: int = 32,
    classes: int = 10,
) -> LayerGraph:
    """Draw the nine-layer form of the DAWNBench entries, with its widths and depths free.

    A 3x3 convolution to ``stem`` channels; then for each [filters, residual blocks] of ``blocks``
    a 3x3 convolution to that many filters, a 2x2 pooling, and residual blocks of two 3x3
    convolutions; at last a global pooling and a classifier.
    """
    problems = [
        f"blocks: item {i} must be [filters >= 1, residual blocks >= 0], not {str(block)[:60]}"
        for i, block in enumerate(blocks, 1)
        if not _is_block(block)
    ]
    if not blocks or image_size < 2 ** len(blocks):
        problems.append(f"blocks: {len(blocks)} halvings do not suit an image of {image_size} pixels")
    if problems:
        raise AccelsimError(*problems)
    x = net.conv_norm(net.input(3, image_size, image_size), stem, 3, name="stem")
    for i, (filters, residuals) in enumerate(blocks, 1):
        x = net.conv_norm(x, filters, 3, name=f"block{i}.conv")
        x = net.pool(x, "max_pool", 2, name=f"block{i}.pool")
        for j in range(residuals):
            name = f"block{i}.residual{j}"
            y = net.conv_norm(x, filters, 3, name=f"{name}.conv1")
            y = net.conv_norm(y, filters, 3, name=f"{name}.conv2")
            x = net.join("add", y, x, name=f"{name}.add")
    x = net.flatten(net.global_pool(x, name="pool", kind="max_pool"))
    return net.finish(net.linear(x, classes, name="classifier", bias=False))


def _is_block(block: object) -> bool:
    if not isinstance(block, list | tuple) or len(block) != 2:
        return False
    return all(type(n) is int and low <= n <= 10**6 for n, low in zip(block, (1, 0), strict=True))


def resnet8(net: Net, *, filters: int = 16, image_size: int = 32, classes: int = 10) -> LayerGraph:
    """Draw the eight-layer network of the MLPerf Tiny image classification task.

    A 3x3 convolution, three stacks of two 3x3 convolutions with doubling filters (the second and
    third halve the image and project their input by a 1x1 convolution), pooling, classifier.
    """
    x = net.conv_norm(net.input(3, image_size, image_size), filters, 3, name="conv1")
    for stack in range(3):
        width, stride, name = filters << stack, 1 if stack == 0 else 2, f"stack{stack + 1}"
        padding = same_padding(x, (3, 3), (stride, stride))
        y = net.conv_norm(x, width, 3, name=f"{name}.conv1", stride=stride, padding=padding)
        y = net.conv_norm(y, width, 3, name=f"{name}.conv2", activation=None)
        if stride == 2:
            x = net.conv(x, width, 1, name=f"{name}.skip", stride=2)
        x = net.act(net.join("add", y, x, name=f"{name}.add"), "relu", name=f"{name}.relu")
    return net.finish(net.linear(net.flatten(net.global_pool(x, name="pool")), classes, name="classifier"))
