"""Do builders refuse what they cannot draw, and do their graphs hang together?"""

import pytest

from accelsim.errors import AccelsimError
from accelsim.graph.builders import BUILDERS, build, parameters_of
from accelsim.graph.builders.net import Net
from accelsim.graph.vocabulary import TYPES


@pytest.mark.parametrize("builder", BUILDERS)
def test_every_builder_draws_its_defaults_as_one_connected_network(builder) -> None:
    graph = build(builder, batch=2, precision="fp16")
    assert len(graph.inputs) == len(graph.outputs) == 1
    assert graph.inputs[0].shape[0] == graph.outputs[0].shape[0] == 2
    assert {t.dtype for op in graph.operators for t in (*op.inputs, *op.outputs, *op.weights)} == {"fp16"}
    assert {op.type for op in graph.operators} <= set(TYPES)
    assert parameters_of(builder)["classes"].annotation is int


@pytest.mark.parametrize(
    ("builder", "parameters", "sentences"),
    [
        ("resnt", {}, ["builder: unknown builder 'resnt'; did you mean 'resnet'?"]),
        (
            "resnet",
            {"dept": 50, "classes": True, "stride_on": 3, "image_size": 0},
            [
                "builder resnet: dept: unknown parameter; did you mean 'depth'?",
                "builder resnet: classes must be a whole number from 1 to 10^6, not True",
                "builder resnet: stride_on must be text, not 3",
                "builder resnet: image_size must be a whole number from 1 to 10^6, not 0",
            ],
        ),
        (
            "resnet",
            {"depth": 20, "stride_on": "5x5"},
            [
                "builder resnet: depth must be one of 18, 34, 50, 101, 152, not 20",
                "builder resnet: stride_on must be '3x3' or '1x1', not '5x5'",
            ],
        ),
        (
            "alexnet",
            {"image_size": 20},
            ["builder alexnet: pool2: a 3x3 window does not fit an input of 1x1"],
        ),
        (
            "resnet9",
            {"blocks": [[64, 1], [0, 2], 5]},
            [
                "builder resnet9: blocks: item 2 must be [filters >= 1, residual blocks >= 0], not [0, 2]",
                "builder resnet9: blocks: item 3 must be [filters >= 1, residual blocks >= 0], not 5",
            ],
        ),
        (
            "unet",
            {"image_size": 100},
            ["builder unet: image_size must be a multiple of 2^depth = 16, not 100"],
        ),
        (
            "vit",
            {"patch": 15, "heads": 7},
            [
                "builder vit: image_size must be a multiple of patch = 15, not 224",
                "builder vit: hidden must be a multiple of heads = 7, not 768",
            ],
        ),
    ],
)
def test_what_a_builder_cannot_draw(builder, parameters, sentences) -> None:
    with pytest.raises(AccelsimError) as caught:
        build(builder, parameters)
    assert list(caught.value.problems) == sentences


def test_batch_and_precision_are_checked() -> None:
    with pytest.raises(
        AccelsimError, match=r"^builder resnet8: batch must be a whole number of at least 1, not 0$"
    ):
        build("resnet8", batch=0)
    with pytest.raises(
        AccelsimError,
        match=r"^builder resnet8: precision: 'int9' is not a number format; did you mean 'int8'\?$",
    ):
        build("resnet8", precision="int9")


def test_keys_shared_by_query_heads_make_fewer_taller_products() -> None:
    net = Net("a", batch=2)
    q, k, v = (net.input(10, n, name=name) for name, n in (("q", 64), ("k", 16), ("v", 16)))
    graph = net.finish(net.attention(q, k, v, heads=8, kv_heads=2, name="attention"))
    scores, softmax, context = graph.operators
    assert scores.shapes[0].bounds | {"G": 4, "P": 40, "C": 8, "K": 10} == scores.shapes[0].bounds
    assert scores.outputs[0].shape == softmax.outputs[0].shape == (2, 8, 10, 10)
    assert scores.macs == context.macs == 2 * 8 * 10 * 10 * 8
    assert context.outputs[0].shape == (2, 10, 64)
