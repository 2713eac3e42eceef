"""Prices that an architecture leaves out, estimated for its process node from a technology file.

- multiply-accumulate of b-bit integers: a multiplier of b bits and an adder of the accumulator's width. Where
  the file has no multiplier of b bits, the next narrower integer one counts (b / its bits)^2 times, an adder
  linearly;
- SRAM: read energy per byte ``energy * (size / at_size) ^ exponent``, each port beyond the first raises
  energy and area by a share;
- link: a wire per bit and cycle, as long as the side of the square that the array with its registers fills;
- DRAM: a constant per byte.
"""

from collections.abc import Mapping
from math import sqrt
from typing import Any, TypeVar

from accelsim.components.compute import ComputeArray
from accelsim.components.dram import DRAM
from accelsim.components.link import Link
from accelsim.components.register_file import RegisterFile
from accelsim.components.sram import SRAM
from accelsim.errors import AccelsimError
from accelsim.spec.component import Component
from accelsim.spec.machine import Architecture
from accelsim.spec.technology import Arithmetic, Node, Technology, load_technology

_Kind = TypeVar("_Kind", bound=Component)


def priced(machine: Architecture, precision: str, accumulator: str | None) -> Architecture:
    """Fill in energies and areas where the machine names a ``node``; its own numbers stay.

    Parts without a node take the machine's. Each estimate is listed among the assumptions, with the
    technology's sources and own assumptions.

    Raises
    ------
    AccelsimError
        For a node that the technology does not have.
    """
    own = {"node": machine.node, "technology": machine.technology}
    parts = {
        name: priced(
            part if part.node or not machine.node else part.model_copy(update=own), precision, accumulator
        )
        for name, part in machine.parts.items()
    }
    if machine.node is None:
        return machine.model_copy(update={"parts": parts}) if parts else machine
    technology = load_technology(machine.technology)
    if machine.node not in technology.nodes:
        hint = f"; it has {', '.join(technology.nodes)}"
        raise AccelsimError(
            f"{machine.where('node')}: technology {technology.name!r} has no node {machine.node!r}{hint}"
        )
    estimate = _Estimate(
        technology,
        technology.nodes[machine.node],
        precision,
        accumulator or machine.defaults.accumulator or precision,
    )
    components = estimate.all(machine.components)
    text = f"estimated for {machine.node} ({technology.name}): {', '.join(estimate.filled)}"
    assumptions = (*machine.assumptions, *([text, *technology.assumptions] if estimate.filled else []))
    update: dict[str, Any] = {"components": components, "assumptions": assumptions, "parts": parts}
    if estimate.filled and technology.source:
        update["source"] = "; ".join(s for s in (machine.source, technology.source) if s)
    return machine.model_copy(update=update)


class _Estimate:
    """Estimates at one node; ``filled`` lists what was."""

    def __init__(self, technology: Technology, node: Node, precision: str, accumulator: str) -> None:
        self.technology, self.node = technology, node
        self.precision, self.accumulator = precision, accumulator
        self.filled: list[str] = []

    def all(self, components: Mapping[str, Component]) -> dict[str, Component]:
        """Every component with its prices; links last, since they span the array."""
        done = {n: self._one(n, c) for n, c in components.items() if not isinstance(c, Link)}
        side = _side_mm(done)
        done |= {n: self._link(n, c, done, side) for n, c in components.items() if isinstance(c, Link)}
        return {name: done[name] for name in components}

    def _one(self, name: str, component: Component) -> Component:
        if isinstance(component, ComputeArray):
            return self._array(name, component)
        if isinstance(component, SRAM):
            sram = self.technology.sram
            ports = component.ports - 1
            size = (component.size / sram.at_size) ** sram.exponent
            read = sram.energy * size * (1 + sram.port_energy * ports) * self.node.energy
            area = sram.area * (1 + sram.port_area * ports) * self.node.area
            return self._fill(
                name,
                component,
                read_energy=read,
                write_energy=read * sram.write_factor,
                area_per_byte=area,
            )
        if isinstance(component, RegisterFile):
            energy = self.technology.registers.energy * self.node.energy
            area = self.technology.registers.area * self.node.area
            return self._fill(name, component, read_energy=energy, write_energy=energy, area_per_byte=area)
        if isinstance(component, DRAM):
            energy = self.technology.dram.energy
            return self._fill(name, component, read_energy=energy, write_energy=energy)
        return component

    def _array(self, name: str, array: ComputeArray) -> Component:
        found = self._mac()
        if found is None:
            return array
        energy, area = found
        array = self._fill(name, array, mac_area=area * self.node.area)
        if self.precision in array.mac_energy:
            return array
        self.filled.append(f"{name}.mac_energy")
        prices = {**array.mac_energy, self.precision: energy * self.node.energy}
        return array.model_copy(update={"mac_energy": prices})

    def _mac(self) -> tuple[float, float] | None:
        """(joules, mm²) of one multiply-accumulate at the reference node; None for an unknown format."""
        multiply, add = self._scaled(self.precision), self._scaled(self.accumulator)
        if multiply is None or add is None:
            return None
        return multiply.multiply_energy + add.add_energy, multiply.multiply_area + add.add_area

    def _scaled(self, number: str) -> Arithmetic | None:
        """Arithmetic of a format: as listed, or from the widest narrower integer by width."""
        known = self.technology.arithmetic
        if number in known:
            return known[number]
        if not number.startswith("int") or not number[3:].isdecimal():
            return None
        bits = int(number[3:])
        widths = [int(n[3:]) for n in known if n.startswith("int") and n[3:].isdecimal()]
        below = [w for w in widths if w <= bits] or [w for w in widths if w > bits][:1]
        if not below:
            return None
        base, ratio = known[f"int{max(below)}"], bits / max(below)
        scaled: Arithmetic = base.model_copy(
            update={
                "add_energy": base.add_energy * ratio,
                "multiply_energy": base.multiply_energy * ratio**2,
                "add_area": base.add_area * ratio,
                "multiply_area": base.multiply_area * ratio**2,
            }
        )
        return scaled

    def _link(
        self, name: str, link: Link, components: Mapping[str, Component], side: float | None
    ) -> Component:
        clocks = [c.clock for c in components.values() if isinstance(c, ComputeArray)]
        if side is None or not clocks:
            return link
        wires = link.bandwidth * 8 / clocks[0] * (2 if link.separate_directions else 1)
        wire = self.technology.wire
        return self._fill(
            name,
            link,
            energy=wire.energy * side * self.node.energy,
            area=wires * wire.pitch * 1e3 * side * sqrt(self.node.area),
        )

    def _fill(self, name: str, component: _Kind, **prices: float) -> _Kind:
        missing = {field: value for field, value in prices.items() if getattr(component, field) is None}
        self.filled += [f"{name}.{field}" for field in missing]
        filled: _Kind = component.model_copy(update=missing)
        return filled


def _side_mm(components: Mapping[str, Component]) -> float | None:
    """Side of the square that the array and what belongs to each of its elements fill, in mm."""
    total = 0.0
    arrays = {n: c for n, c in components.items() if isinstance(c, ComputeArray)}
    for component in components.values():
        area = component.area_mm2() if isinstance(component, ComputeArray | RegisterFile) else 0.0
        if area is None:
            return None
        owner = arrays.get(component.per or "")
        total += area * component.count * (owner.units if owner else 1)
    return sqrt(total) if total else None
