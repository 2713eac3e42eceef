"""Do the builders draw the networks whose sizes are published?"""

from pathlib import Path

import pytest

from accelsim.graph.builders import build
from accelsim.graph.load import load_workload

# workload, parameters, multiply-accumulates
PUBLISHED = [
    ("alexnet", 60_965_224, 724_406_816),
    ("alexnet-one-tower", 61_100_840, 714_188_480),
    ("vgg16", 138_357_544, 15_470_264_320),
    ("resnet18", 11_689_512, 1_814_073_344),
    ("resnet50", 25_557_032, 4_089_184_256),
    ("resnet50-v1", 25_557_032, 3_857_973_248),
    ("mobilenet-v2", 3_504_872, 300_774_272),
    ("mobilenet-v3-large", 5_483_032, 216_589_760),
    ("efficientnet-b0", 5_288_548, 385_814_752),
    ("vit-b16", 86_567_656, 17_563_828_224),
]


@pytest.mark.parametrize(("name", "parameters", "macs"), PUBLISHED)
def test_parameters_equal_those_of_the_reference_implementations(name, parameters, macs) -> None:
    """The counts that torchvision publishes with its models: weights, biases and the scale and shift of
    norms count, running statistics do not. MACs are exact for 224-pixel images, batch 1; biases,
    pooling and activations are no MACs, the two products of attention are.
    """
    graph = load_workload(name)
    assert (graph.parameters, graph.macs) == (parameters, macs)
    assert sum(shape.macs for op in graph.operators for shape in op.shapes) == macs


@pytest.mark.parametrize(
    ("stem", "blocks", "mmac"),
    [
        (64, [[128, 1], [256, 0], [512, 1]], 379),
        (64, [[128, 2], [256, 2], [256, 2]], 530),
        (64, [[128, 1], [256, 0], [256, 1]], 285),
        (32, [[128, 1], [256, 0], [256, 1]], 246),
        (16, [[64, 1], [128, 0], [256, 1]], 85),
    ],
)
def test_convolutions_of_the_resnet9_family(stem, blocks, mmac) -> None:
    """All kernels 3x3 with stride 1; a block convolves at the incoming resolution, pools, then adds its
    residual blocks at half of it. The classifier is left out of the count.
    """
    graph = build("resnet9", {"stem": stem, "blocks": blocks})
    assert round(sum(op.macs for op in graph.by_type()["convolution"]) / 1e6) == mmac


def test_tiny_networks() -> None:
    """ResNet-8: 12,501,632 MACs, and 4,096 additions of its pooling. The keyword network's body is
    2,656,000 MACs (320,000 of them its first convolution), its classifier 64 x 12.
    """
    resnet8, kws = load_workload("resnet8"), load_workload("ds-cnn-kws")
    assert (resnet8.macs, resnet8["pool"].operations) == (12_501_632, 4_096)
    assert (kws.macs, kws["stem"].macs) == (2_656_000 + 768, 320_000)
    large = {"channels": 276, "blocks": 5, "stem_stride": [2, 1], "first_block_stride": 2}
    graph = build("ds-cnn", large)
    assert (graph.macs, graph["pool"].operations) == (28_327_812, 17_940)


def test_the_shipped_unet_halves_doubles_and_returns() -> None:
    """Level i of 4 works at 128/2^i pixels with 16 * 2^i filters; a doubling transposed convolution has
    the MACs of its four phases.
    """
    graph = load_workload("unet")
    assert graph["bottom.conv2"].outputs[0].shape == (1, 256, 8, 8)
    assert graph.outputs[0].shape == (1, 1, 128, 128)
    ups = graph.by_type()["transposed_convolution"]
    assert [len(op.shapes) for op in ups] == [4] * 4
    assert [op.macs for op in ups] == [8 * 8 * 4**i * (256 >> i) * (128 >> i) * 4 for i in range(4)]


def test_the_builder_and_the_public_onnx_file_draw_the_same_resnet50() -> None:
    """Two independent descriptions of one network: the same loop nests in both."""
    onnx = pytest.importorskip("onnx")
    light = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / "light_resnet50.onnx"
    drawn, read = load_workload("resnet50"), load_workload(light)
    assert read.macs == drawn.macs
    assert (read.parameters, read.statistics) == (drawn.parameters, drawn.statistics)
    nests = [sorted(str(shape) for op in graph.operators for shape in op.shapes) for graph in (drawn, read)]
    assert nests[0] == nests[1]
