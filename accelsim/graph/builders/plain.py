"""Networks that are one chain of convolutions, poolings and fully connected layers."""

from accelsim.errors import AccelsimError
from accelsim.graph.builders.net import Net
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.tensor import Tensor


def alexnet(net: Net, *, image_size: int = 224, classes: int = 1000, towers: int = 1) -> LayerGraph:
    """Draw AlexNet, without response normalisation.

    One tower is the form of arXiv 1404.5997; two are that of NIPS 2012, with conv2, conv4 and conv5 in two
    groups and an image without a border (227 pixels give the 55 rows of the original).
    """
    if towers > 2:
        raise AccelsimError(f"towers must be 1 or 2, not {towers}")
    first, second, fourth = (64, 192, 256) if towers == 1 else (96, 256, 384)
    border = 2 if towers == 1 else 0
    x = _conv_relu(net, net.input(3, image_size, image_size), first, 11, "conv1", stride=4, padding=border)
    x = net.pool(x, "max_pool", 3, name="pool1", stride=2)
    x = _conv_relu(net, x, second, 5, "conv2", groups=towers)
    x = net.pool(x, "max_pool", 3, name="pool2", stride=2)
    for i, (channels, groups) in enumerate(((384, 1), (fourth, towers), (256, towers)), 3):
        x = _conv_relu(net, x, channels, 3, f"conv{i}", groups=groups)
    return _classifier(net, net.pool(x, "max_pool", 3, name="pool5", stride=2), classes)


def vgg16(net: Net, *, image_size: int = 224, classes: int = 1000) -> LayerGraph:
    """Draw VGG-16 (Simonyan and Zisserman, arXiv 1409.1556, configuration D)."""
    x = net.input(3, image_size, image_size)
    for stage, (channels, convs) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), 1):
        for i in range(1, convs + 1):
            x = _conv_relu(net, x, channels, 3, f"conv{stage}_{i}")
        x = net.pool(x, "max_pool", 2, name=f"pool{stage}")
    return _classifier(net, x, classes)


def _conv_relu(
    net: Net, x: Tensor, channels: int, kernel: int, name: str, stride: int = 1, padding: int | None = None,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    x = net.conv(x, channels, kernel, name=name, stride=stride, padding=padding, groups=groups)
    return net.act(x, "relu", name=f"{name}.relu")


def _classifier(net: Net, x: Tensor, classes: int) -> LayerGraph:
    """Two hidden layers of 4,096 and the output; dropout does nothing at inference and is left out."""
    x = net.flatten(x)
    for name in ("fc6", "fc7"):
        x = net.act(net.linear(x, 4096, name=name), "relu", name=f"{name}.relu")
    return net.finish(net.linear(x, classes, name="fc8"))
