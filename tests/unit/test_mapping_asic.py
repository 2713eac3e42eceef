"""What the asic family says and does, sentence by sentence."""

import pytest

import accelsim as acs
from accelsim.graph.layers import from_layers

CONV = {
    "name": "conv", "type": "convolution", "in_channels": 16, "input": [14, 14], "out_channels": 32,
    "kernel": 3, "padding": 1,
}  # fmt: skip


def net(*layers, **options):
    return from_layers("net", layers or [CONV], **options)


def problems(*args, **kwargs):
    with pytest.raises(acs.AccelsimError) as caught:
        acs.simulate(*args, **kwargs)
    return list(caught.value.problems)


def test_a_memory_too_small_for_one_tile_says_which_tensor_and_what_would_do():
    assert problems(net(), "pe-array", settings={"components.glb.size": "100 B"}) == [
        "conv: components.glb.size of 100 B is too small for one tile: weights need most (inputs 16 B,"
        " weights 256 B, outputs 64 B; two buffers); the smallest size that works is 672 B"
    ]


def test_the_smallest_size_that_works_works_and_one_byte_less_does_not():
    sentence = problems(net(), "pe-array", settings={"components.glb.size": "100 B"})[0]
    size = int(sentence.split("smallest size that works is ")[1].split()[0])
    acs.simulate(net(), "pe-array", settings={"components.glb.size": f"{size} B"})
    assert (
        "too small for one tile"
        in problems(net(), "pe-array", settings={"components.glb.size": f"{size - 1} B"})[0]
    )


def test_registers_too_small_for_one_operand():
    (sentence,) = problems(net(), "pe-array", settings={"components.registers.size": "1 B"})
    assert sentence == (
        "conv: components.registers.size of 1 B is too small for one tile: outputs need most (inputs 1 B,"
        " weights 1 B, outputs 4 B; two buffers); the smallest size that works is 12 B"
    )


def test_unknown_switch_names_the_nearest():
    assert problems(net(), "eyeriss", dataflw="rs") == [
        "eyeriss: mapping 'asic' has no switch 'dataflw'; did you mean 'dataflow'?"
    ]


def test_switch_with_a_wrong_value():
    assert problems(net(), "eyeriss", memory="endless") == [
        "eyeriss: switch memory must be 'contended', 'overlapped' or 'unlimited', not 'endless'"
    ]
    assert problems(net(), "eyeriss", fuse=2, dataflow=3, padding=None) == [
        "eyeriss: switch dataflow must be text, not 3; put it in quotes",
        "eyeriss: switch fuse must be true or false, not 2",
        "eyeriss: switch padding is empty; give a value or leave the line out",
    ]
    assert problems(net(), "eyeriss", memory="unlimitd") == [
        "eyeriss: switch memory must be 'contended', 'overlapped' or 'unlimited', not 'unlimitd';"
        " did you mean 'unlimited'?"
    ]


def test_unknown_preset():
    assert problems(net(), "systolic-16x16", preset="stallfree") == [
        "systolic-16x16 has no preset 'stallfree'; did you mean 'stall-free'?"
    ]


def test_unknown_engine():
    assert problems(net(), "eyeriss", engine="compild") == [
        "engine must be one of compiled, simpy, closed-form, not 'compild'; did you mean 'compiled'?"
    ]


def test_row_stationary_does_not_fit_a_systolic_array():
    assert problems(net(), "systolic-16x16", dataflow="rs") == [
        "conv: dataflow 'rs' does not fit a systolic_array: it needs two of N*P*Q, K and C*R*S as spatial"
        " loops,"
        " the first over clusters of size 'rows', the second inside them (as in 'ws', 'os' and 'is')"
    ]


def test_several_problems_of_a_dataflow_come_at_once(tmp_path):
    file = tmp_path / "odd.yaml"
    file.write_text(
        "kind: dataflow\nname: odd\nclusters:\n  - {loops: [K@, Y:1, C:4/2, R:full]}\n", encoding="utf-8"
    )
    assert problems(net(), "pe-array", dataflow=str(file)) == [
        "conv: dataflow 'odd': clusters.0: loop 'C:4/2': offset 2 under size 4 would do positions of C twice;"
        " only windows of Y and X overlap, write 'C:4'",
        "conv: dataflow 'odd': no loop over Q; add e.g. 'Q:full'",
        "conv: dataflow 'odd': no loop over S; add e.g. 'S:full'",
    ]


def test_energy_at_a_precision_without_a_price_is_unknown_not_zero():
    result = acs.simulate(net(), "pe-array", precision="int16")
    assert result.energy_J is None
    assert result.energy_by_component_J["pe"] is None
    assert result.energy_by_component_J["dram"] > 0


def test_area_of_a_machine_without_prices_is_unknown():
    assert acs.simulate(net(), "eyeriss").area_mm2 is None
    assert acs.simulate(net(), "systolic-16x16").area_mm2 == pytest.approx(
        256 * 0.001875 + 3 * 65536 * 2.823e-6, rel=1e-9
    )


def test_energy_is_the_sum_of_its_parts():
    result = acs.simulate("resnet18", "systolic-16x16")
    assert result.energy_J == pytest.approx(sum(result.energy_by_component_J.values()))
    assert result.energy_J == pytest.approx(
        sum(o.energy_J for o in result.operators if o.energy_J is not None)
    )


def test_element_wise_operators_ride_unless_told_otherwise():
    graph = net(CONV, {"name": "act", "type": "relu"})
    fused = acs.simulate(graph, "pe-array")
    apart = acs.simulate(graph, "pe-array", fuse=False)
    assert [o.fused_into for o in fused.operators] == [None, "conv"]
    assert [o.fused_into for o in apart.operators] == [None, None]
    assert fused.latency_s < apart.latency_s


def test_equal_layers_are_simulated_once():
    layers = [CONV | {"name": "a", "out_channels": 16}] + [
        {"name": name, "type": "convolution", "out_channels": 16, "kernel": 3, "padding": 1} for name in "bcd"
    ]
    result = acs.simulate(net(*layers), "pe-array")
    assert result.counts["tasks"] == 4 * result.counts["simulated"]
    assert len({o.cycles for o in result.operators}) == 1


def test_compile_gives_a_model_that_runs_again_with_the_same_answer():
    model = acs.compile(net(), "eyeriss")
    assert model.run().latency_s == model.run().latency_s


def test_cycles_and_time_agree():
    result = acs.simulate(net(), "eyeriss")
    assert result.cycles / result.clock_Hz == pytest.approx(result.latency_s, rel=1e-12)


def test_precision_and_batch_override_the_defaults():
    one = acs.simulate("resnet8", "systolic-16x16")
    four = acs.simulate("resnet8", "systolic-16x16", batch=4)
    assert sum(o.macs for o in four.operators) == 4 * sum(o.macs for o in one.operators)
    assert acs.simulate("resnet8", "eyeriss").switches["precision"] == "int16"


def test_all_layers_that_do_not_fit_are_named_at_once():
    layers = [
        CONV | {"name": "a"},
        {"name": "b", "type": "convolution", "out_channels": 8, "kernel": 5, "padding": 2},
    ]
    found = problems(net(*layers), "systolic-16x16", settings={"components.inputs.size": "8 B"})
    assert [sentence.split(":")[0] for sentence in found[:-1]] == ["a", "b"]
    assert found[-1] == "the smallest components.inputs.size that works for all of net is 50 B (b)"


def test_the_smallest_memory_for_a_whole_network_is_said_last_works_and_is_smallest():
    """Most layers are only counted; what would do for all of them must not be hidden among those."""
    layers = [{"name": "g0", "type": "gemm", "in_features": 64, "out_features": 64}]
    layers += [{"name": f"g{i}", "type": "gemm", "out_features": 64 + 8 * i % 200} for i in range(1, 30)]

    def chip(size):
        return {"settings": {"components.glb.size": f"{size} B"}, "dataflow": "rs"}

    found = problems(net(*layers), "pe-array", **chip(1))
    assert len(found) == 22
    assert found[-2:] == [
        "and 10 more of net on pe-array",
        "the smallest components.glb.size that works for all of net is 4972 B (g23)",
    ]
    assert not any("works is 4972 B" in shown for shown in found[:20])
    acs.compile(net(*layers), "pe-array", **chip(4972))
    (still,) = problems(net(*layers), "pe-array", **chip(4971))
    assert still.startswith("g23: components.glb.size of 4971 B is too small for one tile: ")


def test_every_memory_that_is_too_small_is_named_with_what_would_do():
    """Registers and buffers at once: changing one must not be answered by the other."""
    layers = [CONV | {"name": "a"}, {"name": "b", "type": "convolution", "out_channels": 8, "kernel": 5}]
    sizes = {"components.glb.size": "9 B", "components.registers.size": "1 B"}
    found = problems(net(*layers), "pe-array", settings=sizes)
    assert [sentence.split(" of ")[0] for sentence in found[:-2]] == [
        "a: components.registers.size",
        "b: the same as a",  # the registers' fault, word for word
        "a: components.glb.size",
        "b: components.glb.size",
    ]
    assert found[-2:] == [
        "the smallest components.registers.size that works for all of net is 12 B (a)",
        "the smallest components.glb.size that works for all of net is 672 B (a)",
    ]
    acs.compile(
        net(*layers), "pe-array", settings={p: f"{n} B" for p, n in zip(sizes, (672, 12), strict=True)}
    )


FOUR_LEVELS = """
kind: architecture
name: four
mapping: asic
defaults: {precision: int8, accumulator: int32}
components:
  dram: {class: dram, size: 1 GiB, bandwidth: 8 GB/s}
  shared: {class: sram, size: 64 KiB, bandwidth: 32 GB/s}
  local_in: {class: sram, size: 4 KiB, holds: [inputs], bandwidth: 64 GB/s}
  local_out: {class: sram, size: 8 KiB, holds: [outputs], bandwidth: 64 GB/s}
  noc: {class: link, bandwidth: 64 GB/s}
  pe: {class: pe_array, rows: 8, columns: 8, clock: 1 GHz, dataflow: os}
  registers: {class: register_file, per: pe, size: 64 B}
"""


@pytest.mark.parametrize("dataflow", ["os", "ws", "is", "rs"])
def test_four_storage_levels_of_which_weights_pass_one_by(tmp_path, dataflow):
    chip = tmp_path / "four.yaml"
    chip.write_text(FOUR_LEVELS, encoding="utf-8")
    result = acs.simulate(net(), str(chip), dataflow=dataflow)
    moved = result.operators[0].bytes
    assert moved["dram"] >= 16 * 14 * 14 + 32 * 16 * 9 + 32 * 14 * 14
    assert moved["local_in"] > 0
    assert moved["local_out"] > 0
    reference = acs.simulate(net(), str(chip), dataflow=dataflow, engine="simpy")
    assert reference.latency_s == result.latency_s


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
def test_a_systolic_array_under_two_levels_of_buffers(tmp_path, dataflow):
    lines = [line for line in FOUR_LEVELS.splitlines() if "registers" not in line and "noc" not in line]
    chip = tmp_path / "two.yaml"
    chip.write_text("\n".join(lines).replace("pe_array", "systolic_array"), encoding="utf-8")
    result = acs.simulate(net(), str(chip), dataflow=dataflow)
    assert result.lower_bound_s <= result.latency_s <= result.upper_bound_s
    assert acs.simulate(net(), str(chip), dataflow=dataflow, engine="simpy").latency_s == result.latency_s


def test_one_buffer_is_never_faster_than_two():
    two = acs.simulate("resnet8", "pe-array")
    one = acs.simulate("resnet8", "pe-array", settings={"components.glb.buffers": 1})
    assert one.latency_s > two.latency_s


def test_more_bandwidth_is_never_slower_on_a_whole_network():
    times = [
        acs.simulate("resnet18", "pe-array", settings={"components.dram.bandwidth": f"{gb} GB/s"}).latency_s
        for gb in (1, 4, 16, 64)
    ]
    assert times == sorted(times, reverse=True)


def test_a_parameter_taken_for_a_switch_is_named_by_its_path():
    assert problems(net(), "pe-array", settings={"pes": 7}) == [
        "pe-array: mapping 'asic' has no switch 'pes'; did you mean the field 'parameters.pes'?"
    ]


@pytest.mark.parametrize("name", ["precision", "accumulator", "batch"])
def test_so_is_a_default(name):
    assert problems(net(), "eyeriss", settings={name: "int16"}) == [
        f"eyeriss: mapping 'asic' has no switch {name!r}; did you mean the field 'defaults.{name}'?"
    ]
