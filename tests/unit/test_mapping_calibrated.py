"""Results under a calibration: everything comes from it, and nothing from the prices of the architecture."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import pytest

import accelsim as acs
from accelsim.graph.layers import from_layers

CONV = {
    "name": "conv", "type": "convolution", "in_channels": 16, "input": [14, 14], "out_channels": 32,
    "kernel": 3, "padding": 1,
}  # fmt: skip
DLA = {"parameters.pes": 576, "parameters.bandwidth": "56 GB/s", "dataflow": "dla"}


def net(*layers):
    return from_layers("net", layers or [CONV])


def run(graph=None, architecture="pe-array", settings=None, **options):
    given = DLA if settings is None else settings
    return acs.simulate(graph or net(), architecture, preset="published", settings=given, **options)


def problems(*args, **kwargs):
    with pytest.raises(acs.AccelsimError) as caught:
        run(*args, **kwargs)
    return list(caught.value.problems)


def test_energy_has_a_label_of_its_own_and_both_readings():
    result = run()
    assert result.energy_J is None
    assert result.metrics["average_power_W"] is None
    energy = result.metrics["energy_unit"]
    assert result.metrics["energy_if_pJ_J"] == pytest.approx(energy * 1e-12)
    assert result.metrics["energy_if_nJ_J"] == pytest.approx(energy * 1e-9)


def test_energy_of_one_layer_by_its_closed_form():
    """dla, one K tile of 9 clusters four times (9, 9, 9, 5), one C tile of 16: reads, fills and writes by hand."""
    k, c, p, taps = 32, 16, 14, 9
    reads = k * c * taps + 4 * (p * c * taps + p * (p - 1) * c * 3)
    fills = c * 16 * 16 + k * c * taps
    macs = k * c * taps * p * p
    by_hand = 0.904 * (1.68 * (4 * macs + reads) + 18.61 * (reads + fills + k * p * p))
    assert run().metrics["energy_unit"] == pytest.approx(by_hand, rel=1e-12)


def test_events_and_closed_form_agree():
    graph = net(CONV, {"name": "next", "type": "convolution", "out_channels": 8, "kernel": 3, "padding": 1})
    events, closed = run(graph), run(graph, engine="closed-form")
    assert events.cycles == closed.cycles > 0
    assert events.latency_s == closed.latency_s == events.lower_bound_s


def test_prices_of_the_architecture_do_not_enter():
    plain = run()
    dear = run(
        settings={
            **DLA,
            "components.pe.mac_energy": {"int8": "99 pJ"},
            "components.glb.read_energy": "99 pJ/B",
        }
    )
    assert dear.metrics == plain.metrics
    assert dear.area_mm2 == plain.area_mm2
    assert acs.simulate(net(), "pe-array", settings=DLA).area_mm2 != plain.area_mm2
    assert "MAESTRO" in " ".join(plain.sources)
    assert not any("NVDLA" in text for text in plain.assumptions)


def test_area_is_mostly_one_flat_arbiter():
    """n^2: two arrays of half the size are far smaller than one, by construction of the model."""
    whole, half = (
        run(settings={"parameters.pes": n, "parameters.bandwidth": "32 GB/s", "dataflow": "dla"}).area_mm2
        for n in (2048, 1024)
    )
    assert whole > 3 * half


def test_each_layer_runs_on_the_faster_part():
    graph = acs.load_workload("resnet9")
    chip = run(graph, "nasaic-w1", settings={})
    parts = {"dla": DLA, "shi": {"parameters.pes": 1792, "parameters.bandwidth": "8 GB/s", "dataflow": "shi"}}
    alone = {name: run(graph, settings=part) for name, part in parts.items()}
    best = [
        min(o.cycles, p.cycles)
        for o, p in zip(alone["dla"].operators, alone["shi"].operators, strict=True)
        if o.cycles
    ]
    assert chip.cycles == sum(best)
    assert (
        chip.area_mm2 == sum(chip.area_by_component_mm2.values()) == sum(r.area_mm2 for r in alone.values())
    )
    assert {o.unit for o in chip.operators if o.start_s is not None} <= {"dla0", "shi0"}


def test_several_networks_share_a_chip(tmp_path):
    """Two networks at once: no faster than the longer alone, no slower than one after the other."""
    file = tmp_path / "pair.yaml"
    file.write_text("kind: workload\nname: pair\nnetworks: [resnet9, resnet8]\n", encoding="utf-8")
    both = run(str(file), "nasaic-w1", settings={})
    each = [run(name, "nasaic-w1", settings={}).cycles for name in ("resnet9", "resnet8")]
    assert max(each) <= both.cycles <= sum(each)
    frugal = run(str(file), "nasaic-w1", settings={}, goal="energy")
    assert frugal.metrics["energy_unit"] <= both.metrics["energy_unit"]
    assert frugal.cycles >= both.cycles
    assert problems(str(file), "nasaic-w1", settings={}, deadline="1 us")[0].startswith(
        "resnet9+resnet8 on nasaic-w1: no schedule meets the deadline of 1 us; the shortest found takes"
    )


def test_readings_are_switches_and_the_result_names_them():
    one, full = run(), run(rs_loop_cycles="full")
    assert full.cycles > one.cycles
    assert full.switches["rs_loop_cycles"] == "full"
    assert run(first_step="added").cycles > one.cycles
    assert run(buffers=1).cycles > one.cycles
    assert run(padding="valid").operators[0].macs < one.operators[0].macs
    assert one.peak_macs_per_s is None
    assert full.peak_macs_per_s == 576e9


@pytest.mark.parametrize("dataflow", ["dla", "dla-ckp", "shi", "rs", "rs-k16", "rs-k2c3", "xp-ws", "ykp-os", "nlr", "ws", "os", "is"])  # fmt: skip
def test_every_shipped_dataflow_runs(dataflow):
    result = run(acs.load_workload("mobilenet-v2"), dataflow=dataflow, engine="closed-form")
    assert result.cycles > 0
    assert result.metrics["energy_unit"] > 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"memory": "unlimited"}, "pe-array: switch memory belongs to calibration 'physical'; 'maestro2019' has none"),
        ({"padding": "skip"}, "pe-array: switch padding of calibration 'maestro2019' is same or valid, not 'skip'"),
        ({"shi_halo": "x"}, "pe-array: switch shi_halo must be 'unique' or 'double', not 'x'"),
        ({"calibration": "maestro19"}, "no calibration named 'maestro19'; did you mean 'maestro2019'?"),
        ({"calibration": "physical", "buffers": 1}, "pe-array: switch buffers is a reading of another calibration than 'physical'; 'accelsim list calibrations' shows them"),
    ],
)  # fmt: skip
def test_switches_of_the_other_calibration(options, sentence):
    assert problems(**options) == [sentence]


def test_machines_that_the_model_does_not_know():
    with pytest.raises(acs.AccelsimError) as caught:
        acs.simulate(net(), "systolic-16x16", calibration="maestro2019")
    assert list(caught.value.problems) == [
        "systolic-16x16: the data-centric model needs one pe_array behind one link, not 0 behind 0"
    ]
    assert problems(settings={"parameters.pes": 2, "dataflow": "ykp-os"}) == [
        "conv: dataflow 'ykp-os': a cluster of 16 does not fit an array of 2 pes; the smallest that works has 16"
    ]
    assert problems(settings={"parameters.pes": 2, "dataflow": "nlr"}) == [
        "pe: calibration 'maestro2019' has no area for an arbiter of 2 PEs, its scaling is below 0 there;"
        " take more PEs"
    ]


def test_a_network_without_macs():
    graph = net({"name": "pool", "type": "max_pool", "in_channels": 4, "input": [8, 8], "kernel": 2})
    assert problems(graph) == ["net: calibration 'maestro2019' counts multiply-accumulates, and it has none"]


def test_a_kernel_larger_than_an_image_that_is_not_padded():
    wide = CONV | {"input": [2, 2]}
    assert problems(net(wide), padding="valid") == [
        "conv: an image of 2 is smaller than a kernel of 3: nothing is left with padding=valid; take padding=same"
    ]
