"""A loop nest judged as a peer judges it."""

from dataclasses import dataclass, replace
from math import ceil

from accelsim.cost.evaluate import Cost, evaluate
from accelsim.cost.hierarchy import Hierarchy
from accelsim.cost.nest import LoopNest
from accelsim.cost.periodic import used_bits, word_energy_J
from accelsim.cost.stalls import stalled_latency
from accelsim.validation.peers.records import Goal, PeerFile


@dataclass(frozen=True, slots=True)
class Verdict:
    """Cycles and joules under a peer's definitions; ``faults`` are reasons why the nest cannot run."""

    cycles: float
    energy_J: float
    faults: tuple[str, ...]

    def value(self, goal: Goal) -> float:
        """The figure that a goal is about: cycles, joules, or their product."""
        return {"latency": self.cycles, "energy": self.energy_J, "edp": self.cycles * self.energy_J}[goal]


def judge(nest: LoopNest, peer: PeerFile) -> Verdict:
    """Judge a nest by the formulas that a peer file names."""
    hierarchy = peer.hierarchy
    if peer.formulas == "exact":
        cost = evaluate(nest, hierarchy)
        cycles, energy_J = _returned_to_all(nest, hierarchy, cost)
        return Verdict(max(cost.cycles, cycles), cost.energy_J + energy_J, cost.faults)
    placing = evaluate(nest, _without_sizes(hierarchy)).faults
    return Verdict(*periodic_figures(nest, peer), (*placing, *room_faults(nest, hierarchy)))


def periodic_figures(nest: LoopNest, peer: PeerFile) -> tuple[float, float]:
    """Cycles and joules with equal tiles in equal periods."""
    hierarchy = peer.hierarchy
    cycles = stalled_latency(nest, hierarchy, peer.four_ports).cycles
    return cycles, word_energy_J(nest, hierarchy)


def room_faults(nest: LoopNest, hierarchy: Hierarchy) -> list[str]:
    """Memories that are too small where finished outputs take their own width, one tile at a time."""
    used = used_bits(nest, hierarchy)
    return [
        f"memory {m.name} of {m.size_bits} bits is {used[m.name] - m.size_bits} bits too small"
        for m in hierarchy.memories
        if m.size_bits is not None and used[m.name] > m.size_bits
    ]


def _returned_to_all(nest: LoopNest, hierarchy: Hierarchy, cost: Cost) -> tuple[int, float]:
    """What ``evaluate`` leaves out where several elements reduce a sum: one that returns goes to all of them.

    ``evaluate`` writes it into one element, which goes on from it while the others begin at zero. Sent to
    all, it is written into each, and each reads it where the others would have nothing to read. Returns the
    cycles of the memory that takes it, and the energy in joules that is added.
    """
    memories = {m.name: m for m in hierarchy.memories}
    busy, energy_J = 0, 0.0
    for traffic in cost.counts.traffic:
        if traffic.tensor != "outputs" or not traffic.reads:
            continue
        child = memories[traffic.child.partition(".")[0]]
        more = traffic.reads * (traffic.partials / traffic.updates - 1) * hierarchy.bits["partial"]
        energy_J += more * (child.write_J + child.read_J)
        copies = nest.pes if child.per_pe else 1
        for way, width in (("read", child.read_bits), ("write", child.write_bits)):
            if width:
                busy = max(busy, cost.busy[f"{child.name} {way}"] + ceil(more / (width * copies)))
    return busy, energy_J


def _without_sizes(hierarchy: Hierarchy) -> Hierarchy:
    levels = tuple(tuple(replace(m, size_bits=None) for m in level) for level in hierarchy.levels)
    return replace(hierarchy, levels=levels)
