"""Partial schedules side by side: append one more layer to each, bound, drop the dominated (compiled).

A label is a partial schedule reduced to what the rest can feel: how far every chain has come, when its last
layer ended, when every unit is free, and the energy so far. Every semi-active schedule is reached by
appending its layers in the order in which they start, so nothing is lost. A label is dominated by one that
has come as far, is nowhere later and needs no more energy.

Two rewritings make more labels comparable and change no schedule: the end of a finished chain only matters
to the makespan, so it moves into ``latest``; and no unit can start before the earliest unfinished chain, so
``free`` is lifted to that.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from accelsim.mapper.assignment.problem import Assignment, Floats, Ints


@dataclass(frozen=True)
class Labels:
    """Partial schedules of equally many layers, structure of arrays.

    ``done`` (labels, chains) layers finished; ``ready`` (labels, chains), ``free`` (labels, units),
    ``latest`` (labels,) in time units; ``energy`` (labels,) joules; ``parent`` index in the labels before,
    ``move`` = chain * units + unit of the layer appended last; ``time_bound``, ``energy_bound`` (labels,)
    least makespan and energy of any completion.
    """

    done: Ints
    ready: Ints
    free: Ints
    latest: Ints
    energy: Floats
    parent: Ints
    move: Ints
    time_bound: Ints
    energy_bound: Floats

    def __len__(self) -> int:
        return len(self.latest)

    def take(self, index: Ints) -> "Labels":
        """Those with these indices."""
        return Labels(*(getattr(self, name)[index] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Tables:
    """What expansion looks up: first layer per chain, and least time and energy of the rest of a chain.

    ``rest_time[i]`` and ``rest_energy[i]`` sum over layer i and those after it in its chain; the entry behind
    a chain's last layer is that of the next chain, and never asked for.
    """

    first: Ints
    time: Ints
    energy: Floats
    rest_time: Ints
    rest_energy: Floats

    @classmethod
    def of(cls, problem: Assignment) -> "Tables":
        """Tables of a problem."""
        able = problem.time >= 0
        least_time = np.where(able, problem.time, np.iinfo(np.int64).max).min(axis=1)
        least_energy = np.where(able, problem.energy, np.inf).min(axis=1)
        rest_time, rest_energy = np.zeros_like(least_time), np.zeros_like(least_energy)
        for a, b in zip(problem.first[:-1].tolist(), problem.first[1:].tolist(), strict=True):
            rest_time[a:b] = least_time[a:b][::-1].cumsum()[::-1]
            rest_energy[a:b] = least_energy[a:b][::-1].cumsum()[::-1]
        return cls(problem.first, problem.time, problem.energy, rest_time, rest_energy)


def root(problem: Assignment) -> Labels:
    """The label before anything has started."""
    chains, units = len(problem.chains), len(problem.units)
    zero = np.zeros(1, np.int64)
    return Labels(
        done=np.zeros((1, chains), np.int64),
        ready=np.zeros((1, chains), np.int64),
        free=np.zeros((1, units), np.int64),
        latest=zero,
        energy=np.zeros(1),
        parent=zero - 1,
        move=zero - 1,
        time_bound=zero,
        energy_bound=np.zeros(1),
    )


def expand(labels: Labels, tables: Tables, most_time: int, most_energy: float) -> Labels:
    """Append every layer that can come next, on every unit that can run it, where both bounds allow."""
    columns = _expand(
        labels.done, labels.ready, labels.free, labels.latest, labels.energy,
        tables.first, tables.time, tables.energy, tables.rest_time, tables.rest_energy,
        most_time, most_energy,
    )  # fmt: skip
    return Labels(*columns)


@njit(cache=True)
def _expand(  # type: ignore[no-untyped-def]
    done, ready, free, latest, energy, first, time, price, rest_time, rest_energy, most_time, most_energy
):
    count, chains = done.shape
    units = free.shape[1]
    room = count * chains * units
    new_done = np.empty((room, chains), np.int64)
    new_ready = np.empty((room, chains), np.int64)
    new_free = np.empty((room, units), np.int64)
    new_latest = np.empty(room, np.int64)
    new_energy = np.empty(room, np.float64)
    parent = np.empty(room, np.int64)
    move = np.empty(room, np.int64)
    time_bound = np.empty(room, np.int64)
    energy_bound = np.empty(room, np.float64)
    n = 0
    for i in range(count):
        for c in range(chains):
            layer = first[c] + done[i, c]
            if layer >= first[c + 1]:
                continue
            for u in range(units):
                if time[layer, u] < 0:
                    continue
                end = max(ready[i, c], free[i, u]) + time[layer, u]
                new_done[n] = done[i]
                new_ready[n] = ready[i]
                new_free[n] = free[i]
                new_done[n, c] += 1
                new_ready[n, c] = end
                new_free[n, u] = end
                new_latest[n] = latest[i]
                new_energy[n] = energy[i] + price[layer, u]
                if layer + 1 == first[c + 1]:
                    new_ready[n, c] = 0
                    new_latest[n] = max(latest[i], end)
                bound, needed, work = new_latest[n], new_energy[n], 0
                soonest = -1
                for d in range(chains):
                    at = first[d] + new_done[n, d]
                    if at == first[d + 1]:
                        continue
                    if soonest < 0 or new_ready[n, d] < soonest:
                        soonest = new_ready[n, d]
                    bound = max(bound, new_ready[n, d] + rest_time[at])
                    needed += rest_energy[at]
                    work += rest_time[at]
                if soonest >= 0:
                    for v in range(units):
                        new_free[n, v] = max(new_free[n, v], soonest)
                        work += new_free[n, v]
                    bound = max(bound, -(-work // units))
                if bound > most_time or needed > most_energy:
                    continue
                parent[n] = i
                move[n] = c * units + u
                time_bound[n] = bound
                energy_bound[n] = needed
                n += 1
    return (
        new_done[:n].copy(), new_ready[:n].copy(), new_free[:n].copy(), new_latest[:n].copy(),
        new_energy[:n].copy(), parent[:n].copy(), move[:n].copy(), time_bound[:n].copy(),
        energy_bound[:n].copy(),
    )  # fmt: skip


def undominated(labels: Labels, problem: Assignment) -> Ints:
    """Indices of the labels that none of equal progress dominates; of equal ones the first stays."""
    code = np.zeros(len(labels), np.int64)
    for c, length in enumerate(problem.chains):
        code = code * (length + 1) + labels.done[:, c]
    total = labels.ready.sum(axis=1) + labels.free.sum(axis=1) + labels.latest
    order = np.lexsort((labels.energy, total, code))
    kept: Ints = _filter(order, code, labels.ready, labels.free, labels.latest, labels.energy)
    return kept


@njit(cache=True)
def _filter(order, code, ready, free, latest, energy):  # type: ignore[no-untyped-def]
    kept = np.empty(order.size, np.int64)
    n = 0
    begin = 0
    for i in order:
        if n and code[kept[n - 1]] != code[i]:
            begin = n
        dominated = False
        for k in range(begin, n):
            j = kept[k]
            if latest[j] > latest[i] or energy[j] > energy[i]:
                continue
            fine = True
            for c in range(ready.shape[1]):
                if ready[j, c] > ready[i, c]:
                    fine = False
                    break
            if fine:
                for u in range(free.shape[1]):
                    if free[j, u] > free[i, u]:
                        fine = False
                        break
            if fine:
                dominated = True
                break
        if not dominated:
            kept[n] = i
            n += 1
    return kept[:n].copy()


def rebuild(problem: Assignment, levels: list[Labels], last: int) -> tuple[Ints, list[int]]:
    """Unit of every layer, and the order in which they were appended, from a label of the last level."""
    unit = np.zeros(len(problem.layers), np.int64)
    order: list[int] = []
    for level in reversed(levels[1:]):
        chain, u = divmod(int(level.move[last]), len(problem.units))
        layer = int(problem.first[chain] + level.done[last, chain] - 1)
        unit[layer] = u
        order.append(layer)
        last = int(level.parent[last])
    return unit, order[::-1]
