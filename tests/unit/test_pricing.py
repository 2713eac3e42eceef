"""Prices estimated for a process node: the laws by hand, what is left alone, what is said."""

import pytest

import accelsim as acs
from accelsim.components.pricing import priced
from accelsim.errors import AccelsimError
from accelsim.spec.architecture import load_architecture
from accelsim.spec.technology import load_technology

CHIP = """
kind: architecture
name: bare
mapping: asic
{node}
defaults: {{precision: {precision}, accumulator: int32}}
components:
  dram: {{class: dram, size: 1 GiB, bandwidth: 12.8 GB/s}}
  glb: {{class: sram, size: 32 KiB, ports: {ports}}}
  noc: {{class: link, bandwidth: 16 GB/s}}
  pe: {{class: pe_array, pes: 64, clock: 1 GHz, dataflow: ws}}
  rf: {{class: register_file, per: pe, size: 64 B}}
"""


def bare(tmp_path, node="node: 45 nm", precision="int8", ports=1):
    path = tmp_path / "bare.yaml"
    path.write_text(CHIP.format(node=node, precision=precision, ports=ports), encoding="utf-8")
    return load_architecture(path)


def filled(tmp_path, **options):
    machine = bare(tmp_path, **options)
    return priced(machine, machine.defaults.precision, None).components


def test_the_reference_node_by_hand(tmp_path):
    """int8 multiplier 0.2 pJ + int32 adder 0.1 pJ; 282 + 137 um2; 20 pJ per 64 bit of 32 KiB."""
    found = filled(tmp_path)
    assert found["pe"].mac_energy["int8"] == pytest.approx(0.3e-12)
    assert found["pe"].mac_area == pytest.approx(419e-6)
    assert found["glb"].read_energy * 8 == pytest.approx(20e-12)
    assert found["glb"].area_mm2() == pytest.approx(32 * 1024 * 7.29e-6)
    side = (64 * (419e-6 + 64 * 14.58e-6)) ** 0.5
    assert found["noc"].energy == pytest.approx(0.8e-12 * side)
    assert found["noc"].area == pytest.approx(128 * 0.4e-3 * side)
    assert found["dram"].read_energy == pytest.approx(160e-12)


def test_nodes_scale_logic_and_leave_dram(tmp_path):
    nodes = load_technology("cmos").nodes
    before = None
    for name, node in nodes.items():
        found = filled(tmp_path, node=f"node: {name}")
        assert found["pe"].mac_energy["int8"] == pytest.approx(0.3e-12 * node.energy)
        assert found["glb"].area_per_byte == pytest.approx(7.29e-6 * node.area)
        assert found["dram"].read_energy == pytest.approx(160e-12)
        if before is not None:
            assert found["pe"].mac_area < before
        before = found["pe"].mac_area


def test_widths_between_the_listed_ones(tmp_path):
    """A 16-bit multiplier is four 8-bit ones; the adder is the accumulator's."""
    found = filled(tmp_path, precision="int16")
    assert found["pe"].mac_energy["int16"] == pytest.approx(0.8e-12 + 0.1e-12)
    assert filled(tmp_path, precision="int4")["pe"].mac_energy["int4"] == pytest.approx(0.05e-12 + 0.1e-12)


@pytest.mark.parametrize("precision", ["int4", "int8", "int16", "fp16", "fp32"])
def test_every_precision_has_a_price(tmp_path, precision):
    result = acs.simulate("resnet8", bare(tmp_path), precision=precision)
    assert result.energy_J > 0


def test_ports_cost(tmp_path):
    one, two = (filled(tmp_path, ports=n)["glb"] for n in (1, 2))
    assert two.read_energy == pytest.approx(1.2 * one.read_energy)
    assert two.area_per_byte == pytest.approx(1.5 * one.area_per_byte)


def test_estimates_are_listed_and_complete_the_answer(tmp_path):
    plain = acs.simulate("resnet8", bare(tmp_path, node=""))
    assert plain.energy_J is None
    result = acs.simulate("resnet8", bare(tmp_path))
    assert result.energy_J > 0
    assert result.area_mm2 == pytest.approx(sum(result.area_by_component_mm2.values()))
    listed = next(a for a in result.assumptions if a.startswith("estimated for 45 nm (cmos): "))
    assert "pe.mac_energy" in listed
    assert "noc.energy" in listed
    assert any("Horowitz" in s for s in result.sources)


def test_own_numbers_stay():
    machine = load_architecture("eyeriss", {"node": "65 nm"})
    done = priced(machine, "int16", None)
    for name, component in machine.components.items():
        for field in ("read_energy", "write_energy", "energy"):
            own = getattr(component, field, None)
            if own is not None:
                assert getattr(done.components[name], field) == own
    assert done.components["pe"].mac_energy == machine.components["pe"].mac_energy


def test_an_unknown_node_is_said(tmp_path):
    machine = bare(tmp_path, node="node: 28nm")
    with pytest.raises(
        AccelsimError, match=r"bare\.yaml:5: node: technology 'cmos' has no node '28nm'; it has 65 nm"
    ):
        priced(machine, "int8", None)
