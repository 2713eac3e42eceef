"""Networks of inverted residuals: MobileNet v2 and v3, EfficientNet."""

from accelsim.graph.builders.net import Net
from accelsim.graph.layer_graph import LayerGraph
from accelsim.graph.tensor import Tensor


def mobilenet_v2(net: Net, *, image_size: int = 224, classes: int = 1000) -> LayerGraph:
    """Draw MobileNet v2 at width 1.0 (Sandler et al., arXiv 1801.04381, table 2)."""
    x = net.conv_norm(net.input(3, image_size, image_size), 32, 3, name="stem", stride=2, activation="clip")
    settings = (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1),
    )  # fmt: skip
    number = 0
    for factor, channels, repeats, stride in settings:
        for i in range(repeats):
            wide, step = x.shape[1] * factor, stride if i == 0 else 1
            x = _inverted(net, x, channels, wide, 3, step, f"block{number}", "clip")
            number += 1
    x = net.conv_norm(x, 1280, 1, name="head", activation="clip")
    x = net.flatten(net.global_pool(x, name="pool"))
    return net.finish(net.linear(x, classes, name="classifier"))


def mobilenet_v3_large(net: Net, *, image_size: int = 224, classes: int = 1000) -> LayerGraph:
    """Draw MobileNet v3 large at width 1.0 (Howard et al., arXiv 1905.02244, table 1)."""
    x = net.conv_norm(
        net.input(3, image_size, image_size), 16, 3, name="stem", stride=2, activation="hard_swish"
    )
    # kernel, expanded channels, channels, squeeze, activation, stride
    settings = (
        (3, 16, 16, False, "relu", 1), (3, 64, 24, False, "relu", 2), (3, 72, 24, False, "relu", 1),
        (5, 72, 40, True, "relu", 2), (5, 120, 40, True, "relu", 1), (5, 120, 40, True, "relu", 1),
        (3, 240, 80, False, "hard_swish", 2), (3, 200, 80, False, "hard_swish", 1),
        (3, 184, 80, False, "hard_swish", 1), (3, 184, 80, False, "hard_swish", 1),
        (3, 480, 112, True, "hard_swish", 1), (3, 672, 112, True, "hard_swish", 1),
        (5, 672, 160, True, "hard_swish", 2), (5, 960, 160, True, "hard_swish", 1),
        (5, 960, 160, True, "hard_swish", 1),
    )  # fmt: skip
    for i, (kernel, wide, channels, squeeze, activation, stride) in enumerate(settings):
        inner = _divisible(wide / 4) if squeeze else 0
        x = _inverted(
            net, x, channels, wide, kernel, stride, f"block{i}", activation, inner, "relu", "hard_sigmoid"
        )
    x = net.conv_norm(x, 960, 1, name="head", activation="hard_swish")
    x = net.linear(net.flatten(net.global_pool(x, name="pool")), 1280, name="hidden")
    return net.finish(net.linear(net.act(x, "hard_swish"), classes, name="classifier"))


def efficientnet_b0(net: Net, *, image_size: int = 224, classes: int = 1000) -> LayerGraph:
    """Draw EfficientNet-B0 (Tan and Le, arXiv 1905.11946, table 1)."""
    x = net.conv_norm(net.input(3, image_size, image_size), 32, 3, name="stem", stride=2, activation="silu")
    # factor, kernel, stride, channels, repeats
    settings = (
        (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4), (6, 3, 1, 320, 1),
    )  # fmt: skip
    for stage, (factor, kernel, stride, channels, repeats) in enumerate(settings, 1):
        for i in range(repeats):
            wide, step, inner = x.shape[1] * factor, stride if i == 0 else 1, max(x.shape[1] // 4, 1)
            name = f"stage{stage}.{i}"
            x = _inverted(net, x, channels, wide, kernel, step, name, "silu", inner, "silu", "sigmoid")
    x = net.conv_norm(x, 1280, 1, name="head", activation="silu")
    x = net.flatten(net.global_pool(x, name="pool"))
    return net.finish(net.linear(x, classes, name="classifier"))


def _inverted(
    net: Net, x: Tensor, channels: int, wide: int, kernel: int, stride: int, name: str, activation: str,
    squeeze: int = 0, inner_activation: str = "relu", gate: str = "sigmoid",
) -> Tensor:  # fmt: skip
    """Expand by 1x1, convolve each channel, squeeze and excite, project by 1x1; add where shapes agree."""
    y = x
    if wide != x.shape[1]:
        y = net.conv_norm(y, wide, 1, name=f"{name}.expand", activation=activation)
    y = net.conv_norm(
        y, wide, kernel, name=f"{name}.depthwise", stride=stride, groups=wide, activation=activation
    )
    if squeeze:
        s = net.global_pool(y, name=f"{name}.squeeze")
        s = net.act(net.conv(s, squeeze, 1, name=f"{name}.reduce"), inner_activation)
        s = net.act(net.conv(s, wide, 1, name=f"{name}.excite"), gate)
        y = net.join("mul", y, s, name=f"{name}.scale")
    y = net.conv_norm(y, channels, 1, name=f"{name}.project", activation=None)
    return net.join("add", y, x, name=f"{name}.add") if x.shape == y.shape else y


def _divisible(value: float, by: int = 8) -> int:
    """Nearest multiple of ``by``, never more than a tenth below ``value``, as the reference rounds widths."""
    rounded = max(by, int(value + by / 2) // by * by)
    return rounded if rounded >= 0.9 * value else rounded + by
