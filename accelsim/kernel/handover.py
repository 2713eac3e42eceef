"""Hand a sub-program from a SimPy process to the compiled engine.

*Exclusively*: the process holds everything the program uses, so its duration is fixed, is found once
and is one timeout::

    def server(env, requests, step):
        while True:
            request = yield requests.get()
            yield exclusive(env, step)
            request.succeed()

*Shared*: the program runs beside processes that act on it through gates (tasks that a process ends)::

    def host(env, device):
        for gate in (3, 7):
            yield device.reached(gate)
            yield env.timeout(500)  # what happens outside takes 500 ps
            device.complete(gate)

    device = Shared(env, block, resources, gates=[3, 7])
    env.process(host(env, device))
    env.run(until=device.done)

The engine never passes an event of SimPy, so a process always acts at or after the engine's time, and
the starts equal those of one engine running everything.
"""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import simpy

from accelsim.errors import AccelsimError
from accelsim.kernel import records
from accelsim.kernel.event_run import EventRun
from accelsim.kernel.flat import Flat
from accelsim.kernel.program import Program
from accelsim.kernel.resource import Resource
from accelsim.kernel.result import Result
from accelsim.kernel.run import run

AFTER_ALL: Any = 2  # SimPy's own priorities are 0 (urgent) and 1 (normal)
_known: WeakKeyDictionary[Program, Result] = WeakKeyDictionary()


def exclusive(env: simpy.Environment, program: Program) -> simpy.Timeout:
    """Run a program whose resources nothing else uses meanwhile: an event after its makespan.

    Its value is the Result. The program is simulated once, however often it is run.
    """
    if program not in _known:
        _known[program] = run(program)
    return env.timeout(_known[program].makespan_ps, _known[program])


class Shared:
    """A flat block on the compiled engine beside SimPy processes, starting now.

    Parameters
    ----------
    gates : sequence of int
        Pure delays that a process ends: ``reached(gate)`` is the event that what it waits for has
        ended, ``complete(gate)`` ends it at the present instant.

    Attributes
    ----------
    done : simpy.Event
        Every task has ended; ``starts`` is then known.
    """

    def __init__(
        self, env: simpy.Environment, flat: Flat, resources: Sequence[Resource], gates: Sequence[int] = ()
    ) -> None:
        wrong = [g for g in gates if not (0 <= g < len(flat) and flat.resource[g] < 0)]
        if wrong:
            raise AccelsimError(
                *(f"shared: gate {g} is not a pure delay of this block of {len(flat)} tasks" for g in wrong)
            )
        self._env, self._flat = env, flat
        self._origin = int(env.now)
        self._run = EventRun(flat, resources, gates)
        self._gates = {int(gate): env.event() for gate in gates}
        self._begun: dict[int, int] = {}
        self._ended: set[int] = set()
        self._armed: set[int] = set()
        self.done = env.event()
        self._tell()

    def reached(self, gate: int) -> simpy.Event:
        """Return the event that everything the gate waits for has ended."""
        return self._gates[gate]

    def complete(self, gate: int) -> None:
        """End a gate that has been reached, now.

        Raises
        ------
        AccelsimError
            If it has not been reached, or was ended before.
        """
        if gate not in self._begun:
            raise AccelsimError(f"shared: gate {gate} has not been reached, so it cannot be completed")
        if gate in self._ended:
            raise AccelsimError(f"shared: gate {gate} was completed before")
        self._ended.add(gate)
        self._run.complete(gate, int(self._env.now) - self._origin)
        self._arm(int(self._env.now))

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Start of every task, in picoseconds since the block started, once all have ended."""
        starts: npt.NDArray[np.int64] = self._run.ends - self._flat.duration
        for gate, begun in self._begun.items():
            starts[gate] = begun
        return starts

    def _arm(self, time: int) -> None:
        """Schedule one settle event behind all others of an instant."""
        if time not in self._armed:
            self._armed.add(time)
            event = simpy.Event(self._env)
            event._ok, event._value = True, None
            event.callbacks.append(self._settle)
            self._env.schedule(event, priority=AFTER_ALL, delay=time - int(self._env.now))

    def _untold(self) -> list[int]:
        return self._run.reached_since(len(self._begun))

    def _tell(self) -> None:
        """Tell the processes that wait for gates reached now; what they do belongs to phase A."""
        now = int(self._env.now)
        for gate in self._untold():
            self._begun[gate] = now - self._origin
            self._gates[gate].succeed()
        self._arm(now)

    def _settle(self, _: Any) -> None:
        """Settle this instant, then go on alone up to, not into, the next instant SimPy knows of."""
        now = int(self._env.now)
        self._armed.discard(now)
        if not self._untold():  # else servers would pick before the processes have reacted
            following = self._env.peek()
            limit = records.NEVER if following == float("inf") else int(following) - self._origin
            self._run.advance(max(limit, now - self._origin + 1))
        time = int(self._run.state[records.NOW]) + self._origin
        finished = self._run.state[records.DONE] == len(self._flat)
        if (finished or self._untold()) and time > now:
            self._arm(time)
        elif self._untold():
            self._tell()
        elif finished and not self.done.triggered:
            self.done.succeed()
        elif self._run.next_end < records.NEVER:
            self._arm(self._run.next_end + self._origin)
