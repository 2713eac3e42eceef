"""Networks that are one chain of convolutions, poolings and fully connected layers."""

from accelsim.graph.builders.net import Net
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.tensor import Tensor


def alexnet(net: Net, *, image_size: int = 224, classes: int = 1000) -> LayerGraph:
    """Draw AlexNet in the one-tower form (Krizhevsky, arXiv 1404.5997): no groups, no normalisation."""
    x = _conv_relu(net, net.input(3, image_size, image_size), 64, 11, "conv1", stride=4, padding=2)
    x = net.pool(x, "max_pool", 3, name="pool1", stride=2)
    x = _conv_relu(net, x, 192, 5, "conv2")
    x = net.pool(x, "max_pool", 3, name="pool2", stride=2)
    for i, channels in enumerate((384, 256, 256), 3):
        x = _conv_relu(net, x, channels, 3, f"conv{i}")
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
    net: Net, x: Tensor, channels: int, kernel: int, name: str, stride: int = 1, padding: int | None = None
) -> Tensor:
    x = net.conv(x, channels, kernel, name=name, stride=stride, padding=padding)
    return net.act(x, "relu", name=f"{name}.relu")


def _classifier(net: Net, x: Tensor, classes: int) -> LayerGraph:
    """Two hidden layers of 4,096 and the output; dropout does nothing at inference and is left out."""
    x = net.flatten(x)
    for name in ("fc6", "fc7"):
        x = net.act(net.linear(x, 4096, name=name), "relu", name=f"{name}.relu")
    return net.finish(net.linear(x, classes, name="fc8"))
