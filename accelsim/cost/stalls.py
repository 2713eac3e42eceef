"""Latency of a nest with stalls of the ports and with loading before and storing after the computation.

A transfer should be done within the window that its tile leaves: the whole period where the memory can hold
two of them, otherwise only the time in which the outermost loops of the period do not touch the tensor. What
takes longer stalls the array; transfers that share a port have the union of their windows. First tiles are
loaded before, the last results stored after; what moves once and fits into idle time of its port is hidden,
but for the share of one innermost tile.

Source: Mei et al., A Uniform Latency Model for DNN Accelerators with Diverse Architectures and Dataflows,
DATE 2022 (recalled), in the form of zigzag-dse 3.9.1 (cost_model.py), read and reproduced.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import ceil, inf, prod

import numpy as np

from accelsim.cost.hierarchy import Hierarchy, Memory
from accelsim.cost.nest import TENSORS, LoopNest
from accelsim.cost.periodic import Move, Point, Way, moves, points, port

OPERANDS = ("weights", "inputs")

_Ends = dict[tuple[str, int, Way], tuple[float, bool]]
"""(tensor, level, way) -> cycles of the transfer at the end, and whether both operands use its port."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """Cycles of the parts that a latency adds up from."""

    compute: int
    stall: float
    loading: float
    storing: float

    @property
    def cycles(self) -> float:
        """All of them, one after the other."""
        return self.compute + self.stall + self.loading + self.storing


@dataclass(frozen=True, slots=True)
class _Port:
    memory: Memory
    width: float
    moves: tuple[Move, ...]

    @property
    def shared(self) -> bool:
        """Whether inputs and weights both pass; judged by what the memory holds, like the ports."""
        return set(OPERANDS) <= set(self.memory.tensors)


def stalled_latency(nest: LoopNest, hierarchy: Hierarchy, four_ports: Collection[str] = ()) -> Stalled:
    """Latency in cycles; every memory needs a width.

    Parameters
    ----------
    four_ports : memories that have a port for each way to and from each neighbour; others have one for reads
        and one for writes, or one in all where ``shared_port`` is set
    """
    chains = {tensor: points(nest, tensor, whole=True) for tensor in TENSORS}
    doubled = _doubled({tensor: points(nest, tensor) for tensor in TENSORS}, hierarchy)
    passing = moves(chains, hierarchy.bits)
    ports = [p for m in hierarchy.memories for p in _ports(m, chains, passing, m.name in four_ports)]
    windows = {move: _window(move, chains[move.tensor], doubled) for move in passing}
    compute = prod(t for loop, t in zip(nest.loops, nest.trips, strict=True) if loop.axis is None)
    stall = max(0, *(_stall(p, windows) for p in ports))
    ends: _Ends = {}
    for p in ports:
        for move, cycles in _ends(p, chains, hierarchy, compute + stall).items():
            ends[move.tensor, move.level, move.way] = cycles, p.shared
    return Stalled(compute, stall, _loading(chains, ends), _storing(chains, ends))


def _doubled(chains: dict[str, list[Point]], hierarchy: Hierarchy) -> dict[tuple[str, int], bool]:
    """(tensor, level) -> whether two tiles fit; room is handed out in the order outputs, weights, inputs."""
    sizes = {m.name: m.size_bits or inf for m in hierarchy.memories}
    share: dict[tuple[str, int], float] = {}
    for tensor, chain in chains.items():
        for level, point in enumerate(chain[1:], 1):
            bits = hierarchy.bits["partial" if point.partial else tensor]
            share[tensor, level] = point.tile * bits // point.turning / sizes[point.memory]
    inside: dict[str, float] = {}
    for (tensor, level), part in share.items():
        name = chains[tensor][level].memory
        inside[name] = inside.get(name, 0.0) + part
    alone = {name: sum(chains[t][k].memory == name for t, k in share) == 1 for name in inside}
    doubled = {(tensor, 0): False for tensor in chains}
    for tensor in ("outputs", "weights", "inputs"):
        for level, point in enumerate(chains[tensor][1:], 1):
            name = point.memory
            fits = inside[name] <= 0.5
            if not fits and share[tensor, level] <= 1 - inside[name]:
                fits = True
                inside[name] += 0.0 if alone[name] else share[tensor, level]
            doubled[tensor, level] = fits
    return doubled


def _ports(memory: Memory, chains: dict[str, list[Point]], passing: list[Move], four: bool) -> list[_Port]:
    own = [m for m in passing if chains[m.tensor][m.level].memory == memory.name]
    groups: dict[str, list[Move]] = {}
    for move in own:
        key = "" if memory.shared_port else move.way if four else move.way[0]
        groups.setdefault(key, []).append(move)
    return [_Port(memory, port(memory, group[0].way)[0], tuple(group)) for group in groups.values()]


def _window(move: Move, chain: list[Point], doubled: dict[tuple[str, int], bool]) -> int:
    """Cycles of each period in which the tile may be moved."""
    level = move.level - 1 if move.way in ("read_down", "write_up") else move.level
    return move.period if doubled[move.tensor, level] else move.period // chain[level].still


def _stall(p: _Port, windows: dict[Move, int]) -> int:
    """Cycles that the array waits for a port, over the layer; negative if it has time to spare."""
    over = {m: (m.cycles(p.width) - windows[m]) * (m.count - 1) for m in p.moves}
    if len(p.moves) == 1:
        return over[p.moves[0]]
    late = sum(v for v in over.values() if v > 0)
    early = sum(v for v in over.values() if v <= 0)
    window = sum(windows[m] * (m.count - 1) for m in p.moves)
    return late + max(0, early + window - _union(p.moves, windows))


def _union(passing: tuple[Move, ...], windows: dict[Move, int]) -> int:
    """Cycles of the layer that lie in the window of at least one move; windows open with the period."""
    for move in passing:
        if move.period == windows[move]:
            return move.period * move.count
    longest = max(passing, key=lambda m: m.period)
    open_ = np.zeros(longest.period, dtype=bool)
    for move in passing:
        open_.reshape(-1, move.period)[:, : windows[move]] = True
    return int(open_.sum()) * longest.count


def _ends(
    p: _Port, chains: dict[str, list[Point]], hierarchy: Hierarchy, computing: float
) -> dict[Move, float]:
    """Cycles of the first transfer of each move (of results the last) that no computation hides."""
    counted = [m for m in p.moves if m.tensor != "outputs" or m.way in ("write_up", "read_up")]
    busy = sum(int(m.elements * m.bits / m.period) for m in counted if m.count > 1)
    left = {m: float(m.cycles(p.width)) for m in counted}
    spare = max(0.0, (p.width - busy) / p.width * computing)
    for move in sorted((m for m in counted if m.count == 1), key=lambda m: left[m], reverse=True):
        first = chains[move.tensor][1]
        bits = hierarchy.bits["partial" if first.partial else move.tensor]
        hidden = min(max(0.0, left[move] - ceil(first.tile * bits / p.width)), spare)
        left[move] -= hidden
        spare -= hidden
    return left


def _loading(chains: dict[str, list[Point]], ends: _Ends) -> float:
    """Weights and inputs are loaded side by side where no port is shared, else one after the other."""
    alone, mixed, shared = (dict.fromkeys(OPERANDS, 0.0) for _ in range(3))
    for tensor in OPERANDS:
        for level in range(1, len(chains[tensor]) - 1):
            written, below = ends[tensor, level, "write_down"]
            read, above = ends[tensor, level + 1, "read_down"]
            longer = max(written, read)
            if below and above:
                shared[tensor] += longer
            elif below or above:
                mixed[tensor] = longer
            else:
                alone[tensor] += longer
    return min(
        shared[a] + max(shared[b] + mixed[b] + alone[b], mixed[a] + alone[a])
        for a, b in (OPERANDS, OPERANDS[::-1])
    )


def _storing(chains: dict[str, list[Point]], ends: _Ends) -> float:
    return sum(
        max(ends["outputs", level, "read_up"][0], ends["outputs", level + 1, "write_up"][0])
        for level in range(1, len(chains["outputs"]) - 1)
    )
