"""Energy and area of a sub-accelerator from bytes moved, MACs done, and the prices in its file."""

from collections.abc import Mapping

from accelsim.components.link import Link
from accelsim.components.storage import Storage
from accelsim.mapping.asic.layer import Access
from accelsim.mapping.asic.machine import Machine


def energy_J(
    machine: Machine, access: Mapping[str, Access], macs: int, element_operations: int, precision: str
) -> dict[str, float | None]:
    """Energy per component in joules; None where a price is missing.

    An operation on an element without a MAC is charged as one MAC (no source gives it a price of its own).
    """
    price = machine.array.mac_energy.get(precision)
    work = macs + element_operations
    energy: dict[str, float | None] = {machine.array_name: None if price is None else work * price}
    for name, moved in access.items():
        component = machine.components[name]
        if isinstance(component, Storage):
            energy[name] = component.access_energy_J(moved.read, moved.written)
        elif isinstance(component, Link):
            energy[name] = component.transfer_energy_J(moved.total)
    return energy


def area_mm2(machine: Machine) -> dict[str, float | None]:
    """Area per on-chip component in mm²; DRAM is another chip. None where a price is missing."""
    units = machine.array.units
    area: dict[str, float | None] = {machine.array_name: machine.array.area_mm2()}
    for name, component in machine.components.items():
        if name == machine.dram_name:
            continue
        if isinstance(component, Storage):
            one = component.area_mm2()
            copies = component.count * (units if component.per == machine.array_name else 1)
            area[name] = None if one is None else one * copies
        elif isinstance(component, Link):
            area[name] = component.area_mm2()
    return area
