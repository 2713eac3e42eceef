"""The sheet of a convolution buffer: each rule on a layer small enough to check by hand."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

from dataclasses import replace

import pytest

import accelsim as acs
from accelsim.cost.conv_buffer import BufferRules, layer_time
from accelsim.graph.layers import from_layers
from accelsim.graph.shape import ConvShape
from accelsim.spec.calibration import load_calibration

RULES = BufferRules(
    c_round=16, k_round=16, kernels=32, winograd=False, winograd_gain=2.25, winograd_bytes=16 / 9
)  # fmt: skip
SHAPE = ConvShape(K=20, C=10, P=8, Q=8, R=3, S=3, pad=(1, 1), size=(8, 8))
CONV = {
    "name": "c",
    "type": "convolution",
    "in_channels": 16,
    "input": [8, 8],
    "out_channels": 32,
    "kernel": 3,
    "padding": 1,
}


def time(shape=SHAPE, macs=64, buffer=1 << 20, rate=8.0, rules=RULES, **rest):
    return layer_time(shape, macs, buffer, rate, rules, **rest)


def test_macs_round_channels_and_kernels_up():
    assert time().mac_cycles == 16 * 9 * 64 * 32 // 64


def test_strides_join_the_channels_before_they_are_rounded():
    strided = replace(SHAPE, stride=(2, 2), P=4, Q=4)
    assert time(strided).mac_cycles == 48 * 9 * 16 * 32 // (4 * 64)  # 10 channels x 4 = 40, rounded to 48


def test_winograd_takes_less_time_and_more_bytes_of_3x3_kernels_of_stride_1():
    on = replace(RULES, winograd=True)
    assert time(rules=on).mac_cycles == -(-16 * 9 * 64 * 32 * 4 // (64 * 9))
    assert time(rules=on).weights == 20 * 10 * 16
    for other in (replace(SHAPE, stride=(2, 2), P=4, Q=4), replace(SHAPE, R=5, S=5, pad=(2, 2))):
        assert time(other, rules=on) == time(other)


def test_bytes_are_those_of_the_layout():
    atoms = replace(RULES, channel_atom=8, weight_atom=128)
    found = time(rules=atoms)
    assert (found.inputs, found.weights, found.outputs) == (64 * 16, 1920, 64 * 24)
    strided = replace(SHAPE, stride=(2, 2), P=4, Q=4)
    assert time(strided).weights == 20 * 10 * 16  # a 3x3 kernel of stride 2 lies as 4x4


def test_what_does_not_fit_beside_the_smaller_working_set_is_read_again():
    few_rows = ConvShape(K=512, C=16, P=4, Q=4, size=(4, 4))  # rows 2 x 4 x 16 = 128 B, kernels 512 B
    found = time(few_rows, buffer=1024)
    assert (found.input_reads, found.weight_reads) == (1, 1)  # 256 B of inputs beside 512 B of kernels
    found = time(replace(few_rows, P=16, Q=4, size=(16, 4)), buffer=1024)
    assert (found.input_reads, found.weight_reads) == (1, 2)  # 1,024 B of inputs in 512 B
    wide = ConvShape(K=64, C=16, P=8, Q=64, size=(8, 64))  # rows 2,048 B, kernels 512 B
    found = time(wide, buffer=2560)
    assert (found.input_reads, found.weight_reads) == (2, 1)  # 1,024 B of kernels in the 512 B left


def test_a_buffer_below_the_rows_in_use_names_the_smallest_that_works():
    wide = ConvShape(K=64, C=16, P=8, Q=64, size=(8, 64))
    with pytest.raises(acs.AccelsimError) as caught:
        time(wide, buffer=2048)
    assert caught.value.problems == (
        "a buffer of 2048 B cannot hold the 2 rows of the input that are in use at once, channels in"
        " multiples of 16 (c_round); the smallest size that works is 2049 B",
    )
    assert time(wide, buffer=2049).input_reads == 1024


def test_the_longer_of_macs_and_dram_is_the_layer_and_a_sheet_s_kib_is_its_own():
    found = time(rate=0.5)
    assert found.dram_cycles == 2 * (640 + 1800 + 1280)
    assert found.cycles == found.dram_cycles
    assert time(rate=0.5, rules=replace(RULES, sheet_KiB=1000)).dram_cycles == -(-7440 * 1000 // 1024)


def test_a_pooling_and_an_addition_ride_on_their_layer():
    layers = [
        CONV,
        {"name": "d", "type": "convolution", "out_channels": 32, "kernel": 1},
        {"name": "sum", "type": "add", "inputs": ["d", "c"]},
        {"name": "act", "type": "relu"},
        {"name": "pool", "type": "max_pool", "kernel": 2},
    ]
    result = acs.simulate(from_layers("net", layers), "nvdla-64", preset="sheet")
    stored = {o.name: o.bytes["stored outputs"] for o in result.operators if o.bytes}
    assert stored == {"c": 32 * 64, "d": 32 * 16 + 32 * 64}
    assert [o.start_s is None for o in result.operators] == [False, False, True, True, True]


def test_events_and_closed_form_are_the_sheet():
    for name in ("alexnet", "resnet50-v1"):
        events = acs.simulate(name, "nvdla-256", preset="sheet")
        assert events.latency_s == pytest.approx(events.closed_form_s, rel=1e-9)
        assert events.latency_s == acs.simulate(name, "nvdla-256", preset="sheet", engine="simpy").latency_s


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"precision": "int16"}, "calibration 'nvdla-sheet' counts elements of one byte: take precision int8, not int16"),
        ({"rs_loop_cycles": "one"}, "rs_loop_cycles is no reading of calibration 'nvdla-sheet'; it has winograd, k_round, fc_batch"),
    ],
)  # fmt: skip
def test_what_the_sheet_does_not_take(options, sentence):
    with pytest.raises(acs.AccelsimError) as caught:
        acs.simulate(from_layers("net", [CONV]), "nvdla-64", preset="sheet", **options)
    assert list(caught.value.problems) == [sentence]


def test_mistakes_in_a_calibration_file(tmp_path):
    text = open_text("nvdla-sheet").replace("winograd_gain: {value: 2.25", "winograd_gain: {value: 0")
    text = text.replace("kernels: {value: 32", "kernels: {value: 3.5").replace("  sheet_KiB:", "  sheet_KB:")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(acs.AccelsimError) as caught:
        load_calibration(tmp_path / "mine.yaml")
    found = [p.partition("constants")[2] for p in caught.value.problems]
    assert ".winograd_gain.value must be more than 0, not 0" in found
    assert ".kernels.value must be a whole number from 1, not 3.5" in found
    assert ".sheet_KB: unknown constant of model 'conv-buffer'; did you mean 'sheet_KiB'?" in found
    assert " needs sheet_KiB as well" in found


def open_text(name):
    from accelsim.spec import catalog

    return catalog.find("calibrations", name).read_text(encoding="utf-8")


@pytest.mark.parametrize("macs", [2048, 1024, 512, 256, 128, 64, 32])
@pytest.mark.parametrize("preset", ["physical", "sheet"])
def test_every_size_runs_and_more_hardware_is_never_slower(macs, preset):
    result = acs.simulate("resnet8", f"nvdla-{macs}", preset=preset)
    assert result.peak_macs_per_s == macs * 1e9
    faster = acs.simulate(
        "resnet8", f"nvdla-{macs}", preset=preset, settings={"components.dram.bandwidth": "40 GB/s"}
    )
    assert faster.latency_s <= result.latency_s
