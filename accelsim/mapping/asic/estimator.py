"""The closed form of a whole network under other clocks, bandwidths and energies, at an unchanged mapping."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite

import numpy as np
from numba import njit
from numpy.typing import NDArray

from accelsim.components.compute import ComputeArray
from accelsim.components.link import Link
from accelsim.components.sram import SRAM
from accelsim.components.storage import TENSORS, Storage
from accelsim.cost.max_plus import at, chains, fill
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.mapping.asic.estimate_forms import Forms
from accelsim.mapping.asic.layer import Access
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.plan import LayerPlan
from accelsim.mapping.asic.timing import LONGEST_S, NOISE, cycle_ps
from accelsim.mapping.asic.wiring import Wiring
from accelsim.mapping.family import Estimate
from accelsim.spec import units

Floats = NDArray[np.float64]

PER_SECOND = 10**12

KIND: Mapping[str, object] = {
    "bandwidth": units.BytesPerSecond,
    "latency": units.Seconds,
    "clock": units.Hertz,
    "read_energy": units.JoulesPerByte,
    "write_energy": units.JoulesPerByte,
    "energy": units.JoulesPerByte,
    "mac_energy": units.Joules,
}
"""Fields that leave the mapping as it is, and how their values are read."""


@dataclass(frozen=True, slots=True)
class PlannedTurn:
    """One operator's turn: its plans, bytes per component, and MACs with the operations of its riders."""

    plans: tuple[tuple[LayerPlan, Wiring], ...]
    access: Mapping[str, Access]
    work: int


@njit(cache=True)
def _cycles(resource, amount, efficiency, latency, bandwidth, clock, array):  # type: ignore[no-untyped-def]
    """Cycles of every class, as ``timing.to_cycles`` rounds them; -1 first if one is too long."""
    cycles = np.empty(len(resource), np.int64)
    for c in range(len(resource)):
        r = resource[c]
        if r == array:
            cycles[c] = amount[c]
            continue
        seconds = latency[r] + amount[c] / (efficiency[c] * bandwidth[r])
        if not seconds < LONGEST_S:
            cycles[0] = -1
            break
        exact = seconds * clock
        cycles[c] = np.int64(np.ceil(exact - NOISE * max(exact, 1.0)))
    return cycles


@njit(cache=True)
def _network(cycles, numerator, denominator, passes, bounds, ends, begin, place, first, follow):  # type: ignore[no-untyped-def]
    """Cycles of every layer: what its passes add up to, but no less than its bounds.

    passes, bounds : tables of expressions, in cycles and in picoseconds
    ends : per layer the places of its passes in the first and of its busiest resource in the second
    """
    classes = len(cycles)
    by_pass = np.empty(classes + len(passes[0]), np.int64)
    by_time = np.empty(classes + len(bounds[0]), np.int64)
    for c in range(classes):
        by_pass[c] = cycles[c]
        whole, rest = cycles[c] // denominator, cycles[c] % denominator
        by_time[c] = whole * numerator + -(-rest * numerator // denominator)
    fill(by_pass, classes, *passes)
    fill(by_time, classes, *bounds)
    longest = chains(begin, place, first, follow, by_time)
    total = np.empty(len(longest), np.int64)
    for layer in range(len(total)):
        bound = max(by_time[ends[layer, 1]], longest[layer])
        total[layer] = max(by_pass[ends[layer, 0]], bound * denominator // numerator)
    return total


@lru_cache(maxsize=4096)
def _read(field: str, value: str) -> float:
    return units.read(value, KIND[field])


@lru_cache(maxsize=256)
def _period(clock: float) -> tuple[int, int]:
    return cycle_ps(clock)


class Estimator:
    """Figures of a lowered graph as functions of the fields in ``KIND``; built once, then cheap to ask.

    ``turns`` are in the order of the graph's operators.
    """

    def __init__(self, machine: Machine, precision: str, wiring: Wiring, turns: list[PlannedTurn]) -> None:
        self.machine, self.precision, self.wiring = machine, precision, wiring
        forms = Forms(wiring.array)
        layers: dict[int, int] = {}
        uses: list[int] = []
        for turn in turns:
            for plan, view in turn.plans:
                if id(plan) not in layers:
                    layers[id(plan)] = forms.add(plan, view)
                uses.append(layers[id(plan)])
        self._counts = np.bincount(uses, minlength=len(layers)).astype(np.int64)
        classes = list(forms.classes)
        self._resource = np.array([r for r, _ in classes], np.int64)
        self._amount = np.array([a for _, a in classes], np.int64)
        self._efficiency = np.ones(len(classes))
        at_dram = self._resource == wiring.dram
        self._efficiency[at_dram] = machine.dram.efficiency_at(self._amount[at_dram].astype(float))
        first = np.cumsum([0, *(len(row) for row in forms.follow)])
        follow = [later for row in forms.follow for later in row]
        n = len(classes)
        self._tables = (
            forms.cycles.table(n), forms.times.table(n),
            np.column_stack((at(forms.passes, n), at(forms.busiest, n))),
            np.array(forms.begin, np.uint64), at(forms.term, n), first.astype(np.uint64),
            np.array(follow, np.uint64),
        )  # fmt: skip
        self._latency = np.array([self._of(name, "latency") for name in wiring.component_of])
        self._bandwidth = np.array([self._of(name, "bandwidth") for name in wiring.component_of])
        clock = machine.array.clock
        self._unchanged = self._cycles(self._latency, self._bandwidth, clock, _period(clock))
        """Cycles where only energies change."""
        self._resources_of: dict[str, list[int]] = {}
        for number, name in enumerate(wiring.component_of):
            self._resources_of.setdefault(name, []).append(number)
        moved: dict[str, list[tuple[int, int]]] = {machine.array_name: [(t.work, 0) for t in turns]}
        for turn in turns:
            for name, access in turn.access.items():
                moved.setdefault(name, []).append((access.read, access.written))
        self._moved = {name: np.array(pairs, np.float64).T for name, pairs in moved.items()}
        self._fields: dict[str, tuple[str, str]] = {}
        self._widths = self._ports_and_links()
        self._energy = {name: self._energy_J(name, {}) for name in self._moved}

    def _of(self, name: str, field: str) -> float:
        value = getattr(self.machine.components[name], field, None)
        scale = self.machine.dram.count if name == self.machine.dram_name and field == "bandwidth" else 1
        return 0.0 if value is None else value * scale

    def estimate(self, settings: Mapping[str, object]) -> Estimate:
        """Cycles, seconds and joules under the given fields.

        Parameters
        ----------
        settings : ``components.NAME.FIELD`` (of the MACs' energy ``...mac_energy.PRECISION``), as text with a
            unit or as a number in SI units

        Raises
        ------
        AccelsimError
            If a field is unknown, could change the mapping, or has no such value; all of them at once.
        """
        given: dict[str, dict[str, float]] = {}
        problems: list[str] = []
        for path, value in settings.items():
            try:
                if path not in self._fields:
                    self._fields[path] = self._field(path)
                name, field = self._fields[path]
                given.setdefault(name, {})[field] = self._value(path, field, value)
            except AccelsimError as error:
                problems += error.problems
        if not problems:
            problems = self._rewired(given)
        if problems:
            raise AccelsimError(*problems)
        latency, bandwidth = self._latency, self._bandwidth
        clock = self.machine.array.clock
        energy = dict(self._energy)
        for name, fields in given.items():
            clock = fields.get("clock", clock)
            if "bandwidth" in fields or "latency" in fields:
                latency, bandwidth = latency.copy(), bandwidth.copy()
                scale = self.machine.dram.count if name == self.machine.dram_name else 1
                for r in self._resources_of.get(name, ()):
                    latency[r] = fields.get("latency", latency[r])
                    bandwidth[r] = fields["bandwidth"] * scale if "bandwidth" in fields else bandwidth[r]
            if name in energy and fields.keys() - {"bandwidth", "latency", "clock"}:
                energy[name] = self._energy_J(name, fields)
        period = _period(clock)
        same = latency is self._latency and clock == self.machine.array.clock
        cycles = self._unchanged if same else self._cycles(latency, bandwidth, clock, period)
        total = None if None in energy.values() else float(sum(v for v in energy.values() if v is not None))
        if total is not None and not isfinite(total):
            raise AccelsimError("an energy is too large to be a number: is a price off by its unit?")
        return Estimate(cycles, cycles * period[0] / period[1] / PER_SECOND, total, energy)

    def _cycles(self, latency: Floats, bandwidth: Floats, clock: float, period: tuple[int, int]) -> int:
        classes = _cycles(
            self._resource, self._amount, self._efficiency, latency, bandwidth, clock, self.wiring.array
        )
        if len(classes) and classes[0] < 0:
            raise AccelsimError(
                f"one transfer would take more than the {LONGEST_S:.0e} s that can be counted in picoseconds:"
                " is a bandwidth or latency off by its unit?"
            )
        return int((_network(classes, *period, *self._tables) * self._counts).sum())

    def _field(self, path: str) -> tuple[str, str]:
        """Component and field of a path."""
        steps = path.split(".")
        components = self.machine.components
        if steps[0] != "components" or len(steps) < 3 or steps[1] not in components:
            names = [f"components.{name}" for name in components]
            hint = did_you_mean(".".join(steps[:2]), names) or f"; it has {', '.join(names)}"
            raise AccelsimError(f"setting {path}: {self.machine.name} has no such component{hint}")
        component, field = components[steps[1]], steps[2]
        if field == "mac_energy" and steps[3:] != [self.precision]:
            raise AccelsimError(f"setting {path}: the model was compiled for {field}.{self.precision}")
        known = [f for f in KIND if hasattr(component, f)]
        if field not in known:
            raise AccelsimError(
                f"setting {path} may change the mapping; compile again with it, or set one of"
                f" {', '.join(known)}"
            )
        if field == "bandwidth" and getattr(component, field) is None:
            raise AccelsimError(f"setting {path}: the model was compiled without this limit; compile again")
        if steps[3:] and field != "mac_energy":
            raise AccelsimError(f"setting {path}: {field} is a single value")
        return steps[1], field

    def _value(self, path: str, field: str, value: object) -> float:
        try:
            if isinstance(value, str):
                number = _read(field, value)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                number = float(value)
            else:
                number = units.read(value, KIND[field])
        except ValueError as error:
            raise AccelsimError(f"setting {path} {error}") from None
        least_is_zero = field not in ("bandwidth", "clock")
        if not (isfinite(number) and (number >= 0 if least_is_zero else number > 0)):
            rule = "at least 0" if least_is_zero else "more than 0"
            raise AccelsimError(f"setting {path} must be {rule}, not {value}")
        if field == "clock" and not 1 <= number <= PER_SECOND:
            raise AccelsimError(f"setting {path} must lie between 1 Hz and 1 THz, not {value}")
        return number

    def _ports_and_links(self) -> list[tuple[str, str, float, str, float]]:
        """(tensor, memory, its bandwidth, link, its bandwidth) where both could limit a tensor."""
        found: list[tuple[str, str, float, str, float]] = []
        for tensor in TENSORS:
            link, name = self.machine.link(tensor), self.machine.links.get(tensor)
            held = [level.holders[tensor] for level in self.machine.buffers if tensor in level.holders]
            memory = self.machine.components.get(held[-1]) if held else None
            if link and name and isinstance(memory, SRAM) and memory.bandwidth is not None:
                found.append((tensor, held[-1], memory.bandwidth, name, link.bandwidth))
        return found

    def _rewired(self, given: Mapping[str, Mapping[str, float]]) -> list[str]:
        """Links and ports of which now the other one is the narrower: transfers would use other resources."""
        problems = []
        for tensor, memory, port, link, width in self._widths:
            new_port = given.get(memory, {}).get("bandwidth", port)
            new_width = given.get(link, {}).get("bandwidth", width)
            if (new_port < new_width) != (port < width):
                problems.append(
                    f"components.{memory}.bandwidth of {new_port:g} B/s and components.{link}.bandwidth of"
                    f" {new_width:g} B/s change which of the two limits {tensor}; compile again with them"
                )
        return problems

    def _energy_J(self, name: str, fields: Mapping[str, float]) -> float | None:
        """Energy of a component over all operators, added up in their order."""
        component = self.machine.components[name]
        read, written = self._moved[name]
        if isinstance(component, ComputeArray):
            price = fields.get("mac_energy", component.mac_energy.get(self.precision))
            return None if price is None else float(sum((read * price).tolist()))
        if isinstance(component, Link):
            price = fields.get("energy", component.energy)
            return None if price is None else float(sum(((read + written) * price).tolist()))
        assert isinstance(component, Storage)
        down, up = (fields.get(name, getattr(component, name)) for name in ("read_energy", "write_energy"))
        return None if down is None or up is None else float(sum((read * down + written * up).tolist()))
