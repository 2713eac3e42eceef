"""The SimPy engine: the same-instant rule written to be read, and a place for a user's own processes.

An instant is a sequence of rounds. A: completions are ordinary SimPy events. Whatever frees a server
or makes a task ready arms one *settle* event, scheduled behind every other event of its instant; it
queues the tasks that became ready (B) and lets every resource start tasks (C). ``simpy.Resource`` is
not used: it grants at the moment of the request, before the instant is over.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import simpy

from accelsim.kernel.bounds import flat_bounds
from accelsim.kernel.flat import Flat
from accelsim.kernel.resource import Resource
from accelsim.kernel.timing import Route, Timing

AFTER_ALL: Any = 2  # SimPy's own priorities are 0 (urgent) and 1 (normal)


class SimpyEngine:
    """A flat block on a SimPy environment, starting now.

    ``gates`` are pure delays that a process ends instead of a clock: ``reached(gate)`` is the event
    that its predecessors have ended, ``complete(gate)`` ends it at the present instant. ``done`` is
    the event that every task has ended; ``starts`` then holds each task's start, in picoseconds
    since time 0 of the environment.
    """

    def __init__(
        self, env: simpy.Environment, flat: Flat, resources: Sequence[Resource], gates: Sequence[int] = ()
    ) -> None:
        self._env = env
        self.done = env.event()
        self.starts = [-1] * len(flat)
        self._gates = {int(gate): env.event() for gate in gates}
        self._resource, self._duration = flat.resource.tolist(), flat.duration.tolist()
        offsets, follow = flat.offsets.tolist(), flat.follow.tolist()
        self._follow = [follow[a:b] for a, b in pairwise(offsets)]
        self._waits = flat.waits.tolist()
        self._left = len(flat)
        self._free = [r.servers for r in resources]
        self._queues: list[list[tuple[int, int, int]]] = [[] for _ in resources]
        self._turn: list[list[int] | None] = [
            np.flatnonzero(flat.resource == i)[::-1].tolist() if r.order == "in_order" else None
            for i, r in enumerate(resources)
        ]
        by_priority = np.array([r.order == "priority" for r in resources] + [False])
        given = np.zeros(len(flat), int) if flat.priority is None else flat.priority
        self._priority = np.where(by_priority[flat.resource], given, 0).tolist()
        self._ready: list[int] = []
        self._touched: set[int] = set()
        self._armed = False
        zero_delays: list[int] = []
        for task in np.flatnonzero(flat.waits == 0).tolist():
            self._become_ready(task, zero_delays)
        self._complete(zero_delays)

    def reached(self, gate: int) -> simpy.Event:
        """Return the event that everything the gate waits for has ended."""
        return self._gates[gate]

    def complete(self, gate: int) -> None:
        """End a gate that has been reached, now."""
        if not self._gates[gate].triggered:
            raise ValueError(f"gate {gate} has not been reached")
        self._complete([gate])

    def _ended(self, event: Any) -> None:
        self._complete([event.value])

    def _complete(self, tasks: list[int]) -> None:
        """Phase A, for tasks that end now and the delays of 0 ps they release."""
        while tasks:
            task = tasks.pop()
            self._left -= 1
            resource = self._resource[task]
            if resource >= 0:
                self._free[resource] += 1
                self._touched.add(resource)
            for later in self._follow[task]:
                self._waits[later] -= 1
                if self._waits[later] == 0:
                    self._become_ready(later, tasks)
        if self._left == 0 and not self.done.triggered:
            self.done.succeed()
        if not self._armed and (self._touched or self._ready):
            self._armed = True
            event = simpy.Event(self._env)
            event._ok, event._value = True, None
            event.callbacks.append(self._settle)
            self._env.schedule(event, priority=AFTER_ALL)

    def _become_ready(self, task: int, zero_delays: list[int]) -> None:
        if self._resource[task] >= 0:
            self._ready.append(task)
            return
        self.starts[task] = int(self._env.now)
        if task in self._gates:
            self._gates[task].succeed()
        elif self._duration[task] == 0:
            zero_delays.append(task)
        else:
            self._run(task)

    def _run(self, task: int) -> None:
        simpy.Timeout(self._env, self._duration[task], task).callbacks.append(self._ended)

    def _settle(self, _: simpy.Event) -> None:
        """Phases B and C, when no other event of this instant is left."""
        self._armed = False
        now = int(self._env.now)
        for task in self._ready:
            resource = self._resource[task]
            turn = self._turn[resource]
            key = (self._priority[task], now, task) if turn is None else (0, 0, task)
            heappush(self._queues[resource], key)
            self._touched.add(resource)
        self._ready.clear()
        for resource in self._touched:
            queue, turn = self._queues[resource], self._turn[resource]
            while self._free[resource] and queue and (turn is None or queue[0][2] == turn[-1]):
                task = heappop(queue)[2]
                if turn is not None:
                    turn.pop()
                self._free[resource] -= 1
                self.starts[task] = now
                self._run(task)
        self._touched.clear()


def simulate_simpy(flat: Flat, resources: Sequence[Resource], keep_starts: bool, _: bool) -> Timing:
    """Run a block that starts with everything idle, every task; there is nothing to fast-forward."""
    env = simpy.Environment(initial_time=0)
    engine = SimpyEngine(env, flat, resources)
    env.run()
    starts = np.array(engine.starts, np.int64)
    path = critical_path(flat, resources, starts)
    makespan = int((starts + flat.duration).max(initial=0))
    shown = ((0, np.arange(len(flat)), starts),) if keep_starts else ()
    visits = ((path, np.ones(path.size, np.int64)),)
    return Timing(
        makespan, *flat_bounds(flat, resources), len(flat), Route("simpy"), visits, shown, path=path
    )


def critical_path(
    flat: Flat, resources: Sequence[Resource], starts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the walk back from the task that ended last, first task first, from the starts alone.

    A task's cause is the predecessor that ended last or, if it waited after that, the task whose end
    freed its server. In an in-order resource a task that waited for the one in front of it has that
    one's cause. Of several the largest number counts.
    """
    begin, end = starts.tolist(), (starts + flat.duration).tolist()
    before: dict[int, list[int]] = {}
    for source, target in zip(*(a.tolist() for a in flat.edges()), strict=True):
        before.setdefault(target, []).append(source)
    freed: dict[tuple[int, int], int] = {}
    in_front: dict[int, int] = {}
    latest: dict[int, int] = {}
    for task, resource in enumerate(flat.resource.tolist()):
        if resource >= 0 and end[task] > begin[task]:
            freed[resource, end[task]] = task
        if resource >= 0 and resources[resource].order == "in_order":
            in_front[task] = latest.get(resource, -1)
            latest[resource] = task

    def cause(task: int) -> int:
        while True:
            ended, last = max(((end[p], p) for p in before.get(task, ())), default=(0, -1))
            if ended == begin[task]:
                return last
            front = in_front.get(task, -1)
            if front < 0 or begin[front] != begin[task]:
                return freed[int(flat.resource[task]), begin[task]]
            task = front

    path = []
    task = max(range(len(flat)), key=lambda t: (end[t], t), default=-1)
    while task >= 0:
        path.append(task)
        task = cause(task)
    return np.array(path[::-1], np.int64)
