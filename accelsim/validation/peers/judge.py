"""A loop nest judged as a peer judges it."""

from dataclasses import dataclass, replace

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
        return Verdict(cost.cycles, cost.energy_J + returned_energy_J(nest, hierarchy, cost), cost.faults)
    placing = evaluate(nest, _without_sizes(hierarchy)).faults
    return Verdict(
        cycles=stalled_latency(nest, hierarchy, peer.four_ports).cycles,
        energy_J=word_energy_J(nest, hierarchy),
        faults=(*placing, *_room_faults(nest, hierarchy)),
    )


def returned_energy_J(nest: LoopNest, hierarchy: Hierarchy, cost: Cost) -> float:
    """What ``evaluate`` leaves out where several elements reduce one sum: a sum that returns goes to all of them.

    ``evaluate`` writes it into one element, which goes on from it while the others begin at zero. Sent to all, it
    is written into each, and each reads it where the others would have nothing to read.
    """
    memories = {m.name: m for m in hierarchy.memories}
    energy_J = 0.0
    for traffic in cost.counts.traffic:
        if traffic.tensor == "outputs" and traffic.reads:
            child = memories[traffic.child.partition(".")[0]]
            more = traffic.reads * (traffic.partials / traffic.updates - 1)
            energy_J += more * hierarchy.bits["partial"] * (child.write_J + child.read_J)
    return energy_J


def _without_sizes(hierarchy: Hierarchy) -> Hierarchy:
    levels = tuple(tuple(replace(m, size_bits=None) for m in level) for level in hierarchy.levels)
    return replace(hierarchy, levels=levels)


def _room_faults(nest: LoopNest, hierarchy: Hierarchy) -> list[str]:
    used = used_bits(nest, hierarchy)
    return [
        f"memory {m.name} of {m.size_bits} bits is {used[m.name] - m.size_bits} bits too small"
        for m in hierarchy.memories
        if m.size_bits is not None and used[m.name] > m.size_bits
    ]
