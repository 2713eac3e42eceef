"""From the plan of a layer to its tasks: one per load, compute and store of every tile.

Tasks and what they wait for:

- a *load* waits for the tile in the level above and for its buffer: with ``d`` buffers the tile ``d`` before
  it must no longer be in use (the edge "produce i waits for consume i-d"); partial sums also wait until they
  were stored;
- a *pass* starts when its tiles are there and the buffer of its outputs is free; streamed tensors flow beside
  it, and it is done when the last of them is;
- a *store* waits for the last pass that adds to its tile.

Numbers follow the program: a task's number is the order of its pass, then of its stage in it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from accelsim.kernel import Flat
from accelsim.mapping.asic.plan import Ints, LayerPlan

PURE_DELAY = -1
MOST_LEVELS = 6
"""Shared levels under DRAM: two buffers, each with a storage point per tensor."""

(LOAD, SEND, HEAD, START, COMPUTE, BODY, DONE, DRAIN, STORE) = (0, 6, 7, 8, 9, 10, 11, 12, 13)
Pair = tuple[Ints, Ints]
STAGES = 20
"""Stages of one pass, in task-number order; LOAD and STORE leave room for one number per level."""


@dataclass(slots=True)
class Tasks:
    """Columns of tasks under construction; ``add`` returns the provisional numbers of what it added."""

    order: list[Ints] = field(default_factory=list)
    resource: list[Ints] = field(default_factory=list)
    cycles: list[Ints] = field(default_factory=list)
    kind: list[Ints] = field(default_factory=list)
    sources: list[Ints] = field(default_factory=list)
    targets: list[Ints] = field(default_factory=list)
    count: int = 0

    def add(self, at_pass: Ints, stage: int, resource: int, kind: int, cycles: Ints) -> Ints:
        """One task per entry of ``at_pass``."""
        n = len(at_pass)
        self.order.append(at_pass * STAGES + stage)
        self.resource.append(np.full(n, resource, np.int64))
        self.kind.append(np.full(n, kind, np.int64))
        self.cycles.append(np.broadcast_to(np.asarray(cycles, np.int64), n))
        self.count += n
        return np.arange(self.count - n, self.count, dtype=np.int64)

    def edge(self, source: Ints, target: Ints) -> None:
        """Each target waits for the source at the same place; a source below 0 is no edge."""
        source, target = np.broadcast_arrays(source, target)
        real = source >= 0
        self.sources.append(source[real])
        self.targets.append(target[real])

    def flat(self, to_ps: Callable[[Ints], Ints]) -> Flat:
        """Number the tasks in program order and hand them to the kernel."""
        order = np.argsort(np.concatenate(self.order), kind="stable")
        number = np.empty(self.count, np.int64)
        number[order] = np.arange(self.count)
        sources = np.concatenate(self.sources) if self.sources else np.zeros(0, np.int64)
        targets = np.concatenate(self.targets) if self.targets else np.zeros(0, np.int64)
        return Flat(
            resource=np.concatenate(self.resource)[order].astype(np.int32),
            duration=to_ps(np.concatenate(self.cycles)[order]),
            edges=(number[sources], number[targets]),
            kind=np.concatenate(self.kind)[order].astype(np.int32),
        )


class Transfers(Protocol):
    """Where a machine's transfers go: (resource, kind) of each, and the cycles that bytes occupy a resource.

    Levels count the shared memories from DRAM (0) inwards; the array's level is their number.
    """

    compute: tuple[int, int]
    wait_kind: int

    def load(self, tensor: str, parent: int, child: int) -> tuple[int, int]:
        """Bring a tile down."""
        ...

    def store(self, parent: int, child: int) -> tuple[int, int]:
        """Take a tile of outputs up."""
        ...

    def send(self, tensor: str) -> tuple[int, int]:
        """Send into the array."""
        ...

    def drain(self) -> tuple[int, int]:
        """Take outputs out of the array."""
        ...

    def cycles(self, resource: int, size: Ints) -> Ints:
        """Cycles of transfers of so many bytes."""
        ...


def _lookup(ids: Ints, version: Ints, back: int) -> Ints:
    """Task of the version ``back`` before each one, -1 where there is none."""
    earlier = version - back
    return np.where(earlier >= 0, ids[np.maximum(earlier, 0)], -1)


def layer_tasks(plan: LayerPlan, wiring: Transfers) -> Tasks:
    """All tasks of a layer with their edges."""
    tasks = Tasks()
    n = len(plan.cycles)
    passes = np.arange(n, dtype=np.int64)
    streams = bool(plan.moves)
    resource, kind = wiring.compute
    start = tasks.add(passes, START, PURE_DELAY, wiring.wait_kind, passes * 0) if streams else passes * 0 - 1
    compute = tasks.add(passes, COMPUTE, resource, kind, plan.cycles)
    done = tasks.add(passes, DONE, PURE_DELAY, wiring.wait_kind, passes * 0) if streams else compute
    begin = start if streams else compute
    if streams:
        tasks.edge(start, compute)
        tasks.edge(compute, done)
        tasks.edge(np.concatenate([[-1], done[:-1]]), start)

    # Which row of each shared level a pass belongs to; level 0 is DRAM and has no tiles of its own.
    row_of: dict[int, Ints] = {}
    row = plan.parent
    for tiles in reversed(plan.levels):
        row_of[tiles.level] = row
        row = tiles.parent[row]

    arrived: dict[tuple[int, str], Ints] = {}
    stored: dict[int, tuple[Ints, Ints]] = {}
    for tiles in plan.levels:
        first_pass = np.searchsorted(row_of[tiles.level], np.arange(len(tiles.parent)))
        for tensor, moves in tiles.moves.items():
            rows = np.flatnonzero(moves.starts)
            first = first_pass[rows]
            last = np.append(first[1:], n) - 1
            version = np.arange(len(rows), dtype=np.int64)
            depth = plan.buffers[tiles.level, tensor]
            used = np.cumsum(moves.starts)[row_of[tiles.level]] - 1
            load = np.full(len(rows), -1, np.int64)
            bytes_in = moves.loaded[rows]
            real = bytes_in > 0
            resource, kind = wiring.load(tensor, tiles.parent_of[tensor], tiles.level)
            load[real] = tasks.add(
                first[real], LOAD + tiles.level - 1, resource, kind, wiring.cycles(resource, bytes_in[real])
            )
            above = arrived.get((tiles.parent_of[tensor], tensor))
            if above is not None:
                tasks.edge(above[first[real]], load[real])
            tasks.edge(load[real], begin[first[real]])
            if tensor == "outputs":
                resource, kind = wiring.store(tiles.parent_of[tensor], tiles.level)
                outgoing = moves.stored[rows]
                store = tasks.add(
                    last, STORE + MOST_LEVELS - tiles.level, resource, kind, wiring.cycles(resource, outgoing)
                )
                tasks.edge(done[last], store)
                tasks.edge(_lookup(store, version, depth), begin[first])
                tasks.edge(_lookup(store, version, depth)[real], load[real])
                tasks.edge(_previous_visit(moves.tile[rows], store)[real], load[real])
                stored[tiles.level] = (used, store)
            else:
                free = np.where(version >= depth, done[last[np.maximum(version - depth, 0)]], -1)
                tasks.edge(free[real], load[real])
            arrived[tiles.level, tensor] = load[used]
    for level in plan.levels:
        above_it = level.parent_of.get("outputs", 0)
        if level.level in stored and above_it in stored:
            _store_upwards(tasks, stored[level.level], stored[above_it])
    _array_moves(tasks, plan, wiring, begin, done, arrived, stored)
    return tasks


def _previous_visit(tile: Ints, task: Ints) -> Ints:
    """The task of the last earlier visit to the same tile, -1 for the first."""
    order = np.argsort(tile, kind="stable")
    same = tile[order][1:] == tile[order][:-1]
    before = np.full(len(tile), -1, np.int64)
    before[order[1:][same]] = task[order[:-1][same]]
    return before


def _store_upwards(tasks: Tasks, inner: tuple[Ints, Ints], outer: tuple[Ints, Ints]) -> None:
    """A tile leaves the outer level after the last inner tile of it was stored there."""
    inner_used, inner_store = inner
    outer_used, outer_store = outer
    last_pass = np.append(np.flatnonzero(np.diff(outer_used)), len(outer_used) - 1)
    tasks.edge(inner_store[inner_used[last_pass]], outer_store)


def _array_moves(
    tasks: Tasks,
    plan: LayerPlan,
    wiring: Transfers,
    begin: Ints,
    done: Ints,
    arrived: dict[tuple[int, str], Ints],
    stored: dict[int, tuple[Ints, Ints]],
) -> None:
    """Transfers between the innermost buffers and the array, per pass."""
    n = len(plan.cycles)

    def fetch(tensor: str, at: Ints, size: Ints, stage: int) -> Pair:
        """A send over the link, (what waits, what arrives); a tensor that no buffer holds is read from DRAM
        first.
        """
        entry = None
        if plan.moves[tensor].parent_level == 0:
            resource, kind = wiring.load(tensor, 0, len(plan.levels) + 1)
            entry = tasks.add(at, stage, resource, kind, wiring.cycles(resource, size))
        resource, kind = wiring.send(tensor)
        sent = tasks.add(at, stage, resource, kind, wiring.cycles(resource, size))
        if entry is None:
            return sent, sent
        tasks.edge(entry, sent)
        return entry, sent

    before = np.full(n, -1, np.int64)
    """What came last into the array before each pass, where tensors come in turn."""

    def take_turns(at: Ints, entry: Ints, sent: Ints) -> None:
        if plan.in_turn:
            tasks.edge(before[at], entry)
            before[at] = sent

    above = {
        tensor: arrived.get((moves.parent_level, tensor), np.full(n, -1, np.int64))
        for tensor, moves in plan.moves.items()
    }
    for tensor, moves in plan.moves.items():
        depth = plan.register_buffers[tensor]
        first = np.flatnonzero(moves.starts)
        last = np.append(first[1:], n) - 1
        version = np.arange(len(first), dtype=np.int64)
        preloaded = moves.preload[first] > 0
        at = first[preloaded]
        entry, sent = fetch(tensor, at, moves.preload[at], SEND)
        tasks.edge(above[tensor][at], entry)
        tasks.edge(sent, begin[at])
        free = np.where(version >= depth, done[last[np.maximum(version - depth, 0)]], -1)
        tasks.edge(free[preloaded], entry)
        take_turns(at, entry, sent)
    for tensor, moves in plan.moves.items():
        depth = plan.register_buffers[tensor]
        heads = np.flatnonzero(moves.head)
        entry, sent = fetch(tensor, heads, moves.head[heads], HEAD)
        tasks.edge(above[tensor][heads], entry)
        tasks.edge(sent, begin[heads])
        tasks.edge(np.where(heads >= depth, done[np.maximum(heads - depth, 0)], -1), entry)
        take_turns(heads, entry, sent)
        bodies = np.flatnonzero(moves.body)
        entry, sent = fetch(tensor, bodies, moves.body[bodies], BODY)
        tasks.edge(begin[bodies], entry)
        tasks.edge(sent, done[bodies])
    if "outputs" in plan.moves:
        _leave(tasks, plan, wiring, begin, done, stored)


def _leave(
    tasks: Tasks,
    plan: LayerPlan,
    wiring: Transfers,
    begin: Ints,
    done: Ints,
    stored: dict[int, tuple[Ints, Ints]],
) -> None:
    """What flows back out of the array: during passes, or after the last pass of a tile that stays."""
    n = len(plan.cycles)
    moves, depth = plan.moves["outputs"], plan.register_buffers["outputs"]
    first = np.flatnonzero(moves.starts)
    last = np.append(first[1:], n) - 1
    version = np.arange(len(first), dtype=np.int64)
    used = np.cumsum(moves.starts) - 1
    resource, kind = wiring.drain()
    flows = np.flatnonzero(moves.out_body)
    flow = tasks.add(flows, BODY, resource, kind, wiring.cycles(resource, moves.out_body[flows]))
    tasks.edge(begin[flows], flow)
    tasks.edge(flow, done[flows])
    leaving = moves.drained[first] > 0
    drain = np.full(len(first), -1, np.int64)
    drain[leaving] = tasks.add(
        last[leaving], DRAIN, resource, kind, wiring.cycles(resource, moves.drained[first][leaving])
    )
    tasks.edge(done[last[leaving]], drain[leaving])
    tasks.edge(_lookup(drain, version, depth), begin[first])
    if moves.parent_level in stored:
        level_used, store = stored[moves.parent_level]
        last_pass = np.append(np.flatnonzero(np.diff(level_used)), n - 1)
        tasks.edge(drain[used[last_pass]], store)
