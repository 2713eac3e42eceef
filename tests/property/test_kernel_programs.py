"""Can any program make the engines differ, leave its bounds, or lose time on its critical path?

Random programs are small, so that ties, zero durations and rounds within an instant are frequent.
"""

import numpy as np
import pytest
import simpy

from accelsim.kernel import Flat, Parallel, Program, Repeat, Resource, Serial, run
from accelsim.kernel.handover import Shared, exclusive
from accelsim.kernel.reference import SimpyEngine

ORDERS = ("fifo", "priority", "in_order")


def resources_of(rng, orders=ORDERS, most=4):
    return [
        Resource(f"r{i}", servers=int(rng.integers(1, 4)), order=str(rng.choice(orders)))
        for i in range(rng.integers(1, most + 1))
    ]


def flat_of(rng, n_resources, n=None, numbered=None, longest=6, delays=True):
    """A random block; edges follow a hidden order that is the numbering only if ``numbered``."""
    n = int(rng.integers(1, 40)) if n is None else n
    low = -1 if delays else 0
    resource = rng.integers(low, n_resources, n)
    duration = rng.integers(0, longest, n)
    hidden = np.arange(n) if numbered or (numbered is None and rng.random() < 0.5) else rng.permutation(n)
    edges = int(rng.integers(0, 2 * n + 1))
    a, b = rng.integers(0, n, (2, edges))
    keep = a != b
    a, b = np.minimum(a, b)[keep], np.maximum(a, b)[keep]
    pairs = np.unique(np.stack([a, b]), axis=1) if a.size else np.zeros((2, 0), int)
    return Flat(
        resource, duration, edges=(hidden[pairs[0]], hidden[pairs[1]]),
        priority=rng.integers(0, 3, n), kind=rng.integers(0, 3, n),
    )  # fmt: skip


def program_of(rng):
    """A random program of one block; in-order resources need a numbering that follows the edges."""
    resources = resources_of(rng)
    ordered = any(r.order == "in_order" for r in resources)
    return Program(resources, flat_of(rng, len(resources), numbered=True if ordered else None), kinds=3)


def starts(result):
    return result.trace().start_ps


def reference_starts(program):
    return np.array(starts(run(program, engine="simpy", keep_starts=True)))


@pytest.mark.parametrize("seed", range(8))
def test_both_engines_start_every_task_at_the_same_time(seed):
    rng = np.random.default_rng([1, seed])
    rounds = 0
    for _ in range(500):
        program = program_of(rng)
        fast = run(program, keep_starts=True)
        slow = run(program, engine="simpy", keep_starts=True)
        assert np.array_equal(starts(fast), starts(slow))
        for name in ("makespan_ps", "lower_ps", "upper_ps", "tasks"):
            assert getattr(fast, name) == getattr(slow, name), name
        for name in ("busy_ps", "kind_count", "kind_busy_ps", "critical_ps"):
            assert np.array_equal(getattr(fast, name), getattr(slow, name)), name
        assert fast.lower_ps <= fast.makespan_ps <= fast.upper_ps
        assert fast.critical_ps.sum() == fast.makespan_ps
        rounds += bool((program.root.duration == 0).any())
    assert rounds > 250


@pytest.mark.parametrize("seed", range(2))
def test_the_critical_path_is_a_walk_back_through_causes(seed):
    rng = np.random.default_rng([2, seed])
    for _ in range(300):
        program = program_of(rng)
        result = run(program, keep_starts=True)
        path = result.critical_path()
        assert path.start_ps[0] == 0
        assert path.end_ps[-1] == result.makespan_ps
        assert np.array_equal(path.end_ps[:-1], path.start_ps[1:])
        assert np.array_equal(starts(result)[path.task], path.start_ps)
        flat = program.root
        before = {(int(a), int(b)) for a, b in zip(*flat.edges(), strict=True)}
        for a, b in zip(path.task[:-1].tolist(), path.task[1:].tolist(), strict=True):
            waits_for = (a, b) in before
            same = flat.resource[a] == flat.resource[b] and flat.resource[a] >= 0
            in_order = any(
                flat.resource[b] == i and r.order == "in_order" for i, r in enumerate(program.resources)
            )
            assert waits_for or same or in_order


def expanded(repeat):
    """The flat program that a repeat stands for: before, iteration after iteration, after."""
    before, block, after = repeat.flats
    m, n, first = len(block), repeat.n, len(before)
    columns = {
        name: np.concatenate([getattr(before, name), np.tile(getattr(block, name), n), getattr(after, name)])
        for name in ("resource", "duration")
    }
    priority = [np.zeros(len(f), int) if f.priority is None else f.priority for f in (before, block, after)]
    pairs = [np.stack(before.edges()), np.stack(after.edges()) + first + m * n]
    a, b = (np.asarray(x, np.int64) for x in block.edges())
    source, target, lag = (np.asarray(x, np.int64) for x in repeat.lagged)
    for i in range(n):
        base = first + m * i
        pairs.append(np.stack([a + base, b + base]))
        real = lag <= i
        pairs.append(np.stack([source[real] + base - m * lag[real], target[real] + base]))
    pairs.append(np.stack([repeat.enter[0], repeat.enter[1] + first]))
    pairs.append(np.stack([repeat.leave[0] + first + m * (n - 1), repeat.leave[1] + first + m * n]))
    edges = np.concatenate([p.astype(np.int64) for p in pairs], axis=1)
    return Flat(
        **columns, edges=(edges[0], edges[1]),
        priority=np.concatenate([priority[0], np.tile(priority[1], n), priority[2]]),
    )  # fmt: skip


def repeat_of(rng, n_resources, longest=8):
    """A random repeated block with carried edges and, often, tasks before and after it."""
    m = int(rng.integers(1, 9))
    block = flat_of(rng, n_resources, m, numbered=True, longest=longest)
    n = int(rng.integers(1, 200))
    gated = rng.random() < 0.7  # every task waits for the last one some iterations ago: bounded run-ahead
    source = [m - 1] * m if gated else rng.integers(0, m, m).tolist()
    target = list(range(m))
    lag = rng.integers(1, 4, m).tolist()
    outside = {}
    if rng.random() < 0.6:
        before = flat_of(rng, n_resources, int(rng.integers(1, 6)), numbered=True, longest=5 * longest)
        after = flat_of(rng, n_resources, int(rng.integers(1, 4)), numbered=True, longest=longest)
        outside = {
            "before": before,
            "after": after,
            "enter": (rng.integers(0, len(before), 2), rng.integers(0, m, 2)),
            "leave": (rng.integers(0, m, 2), rng.integers(0, len(after), 2)),
        }
    return Repeat(block, n, lagged=(source, target, lag), **outside)


@pytest.mark.parametrize("seed", range(6))
def test_fast_forward_equals_the_full_expansion(seed):
    rng = np.random.default_rng([3, seed])
    jumped, periods = 0, set()
    for _ in range(200):
        resources = resources_of(rng, orders=("fifo", "priority", "fifo", "in_order"), most=3)
        repeat = repeat_of(rng, len(resources))
        fast = run(Program(resources, repeat, kinds=3))
        full = run(Program(resources, expanded(repeat)))
        slow = run(Program(resources, repeat, kinds=3), fast_forward=False)
        for result in (fast, slow):
            assert result.makespan_ps == full.makespan_ps
            assert result.tasks == full.tasks
            assert np.array_equal(result.busy_ps, full.busy_ps)
            assert result.lower_ps == full.lower_ps
            assert result.upper_ps == full.upper_ps
            if result.critical_ps is not None:
                assert result.critical_ps.sum() == result.makespan_ps
        if fast.route.kind == "repeat":
            jumped += 1
            periods.add(fast.route.period)
            assert fast.simulated < fast.tasks
    assert jumped > 60
    assert len(periods) > 1


@pytest.mark.parametrize("seed", range(2))
def test_parallel_and_serial_equal_their_flat_program(seed):
    rng = np.random.default_rng([4, seed])
    for _ in range(150):
        resources = resources_of(rng, orders=("fifo", "priority"))
        a, b = (flat_of(rng, len(resources), int(rng.integers(1, 15)), numbered=True) for _ in range(2))
        offset = len(a)
        edges = np.concatenate([np.stack(a.edges()), np.stack(b.edges()) + offset], axis=1)
        together = Flat(
            np.concatenate([a.resource, b.resource]), np.concatenate([a.duration, b.duration]),
            edges=(edges[0], edges[1]), priority=np.concatenate([a.priority, b.priority]),
        )  # fmt: skip
        side = run(Program(resources, Parallel(a, b), kinds=3))
        assert side.makespan_ps == run(Program(resources, together)).makespan_ps
        each = [run(Program(resources, x, kinds=3)).makespan_ps for x in (a, b)]
        chain = run(Program(resources, Serial(a, b, a, names=["x", "y", "z"]), kinds=3))
        assert chain.makespan_ps == 2 * each[0] + each[1]
        assert [p.start_ps for p in chain.parts] == [0, each[0], sum(each)]
        assert chain.simulated < chain.tasks
        assert chain.critical_ps.sum() == chain.makespan_ps


@pytest.mark.parametrize("seed", range(2))
def test_parallel_repeats_equal_the_reference(seed):
    rng = np.random.default_rng([5, seed])
    for _ in range(60):
        resources = resources_of(rng, orders=("fifo", "priority"), most=3)
        program = Program(resources, Parallel(*(repeat_of(rng, len(resources)) for _ in range(2))), kinds=3)
        if run(program, fast_forward=False).tasks > 1500:
            continue
        assert run(program).makespan_ps == run(program, engine="simpy").makespan_ps


@pytest.mark.parametrize("seed", range(2))
def test_scaling_all_durations_scales_every_start(seed):
    rng = np.random.default_rng([6, seed])
    for _ in range(250):
        program = program_of(rng)
        flat = program.root
        scaled = Flat(flat.resource, flat.duration * 7, flat.edges(), flat.priority, flat.kind)
        again = run(Program(program.resources, scaled, kinds=3), keep_starts=True)
        assert np.array_equal(starts(again), 7 * starts(run(program, keep_starts=True)))


def worsened(rng, flat, resources):
    """The same work on one more server, with a shorter task, and with an edge fewer."""
    servers = [Resource(r.name, r.servers + (i == 0), r.order) for i, r in enumerate(resources)]
    shorter = flat.duration.copy()
    shorter[rng.integers(len(flat))] //= 2
    a, b = flat.edges()
    keep = np.arange(a.size) != rng.integers(max(a.size, 1))
    yield servers, flat
    yield resources, Flat(flat.resource, shorter, (a, b), flat.priority)
    yield resources, Flat(flat.resource, flat.duration, (a[keep], b[keep]), flat.priority)


@pytest.mark.parametrize("seed", range(2))
def test_in_order_resources_are_monotone(seed):
    rng = np.random.default_rng([7, seed])
    for _ in range(300):
        resources = resources_of(rng, orders=("in_order",))
        flat = flat_of(rng, len(resources), numbered=True)
        result = run(Program(resources, flat, kinds=3))
        for better, easier in worsened(rng, flat, resources):
            assert run(Program(better, easier, kinds=3)).makespan_ps <= result.makespan_ps


@pytest.mark.parametrize("seed", range(2))
def test_without_dependencies_more_servers_and_shorter_tasks_never_delay(seed):
    rng = np.random.default_rng([8, seed])
    for _ in range(300):
        resources = resources_of(rng, orders=("fifo", "priority"))
        given = flat_of(rng, len(resources), delays=False)
        flat = Flat(given.resource, given.duration, priority=given.priority)
        result = run(Program(resources, flat))
        for better, easier in list(worsened(rng, flat, resources))[:2]:
            assert run(Program(better, easier)).makespan_ps <= result.makespan_ps


@pytest.mark.parametrize("seed", range(2))
def test_bounds_are_monotone_where_results_are_not(seed):
    rng = np.random.default_rng([9, seed])
    for _ in range(300):
        resources = resources_of(rng, orders=("fifo", "priority"))
        flat = flat_of(rng, len(resources))
        result = run(Program(resources, flat, kinds=3))
        for better, easier in worsened(rng, flat, resources):
            other = run(Program(better, easier, kinds=3))
            assert other.lower_ps <= result.lower_ps
            assert other.upper_ps <= result.upper_ps


def outside(env, engine, gate, duration):
    yield engine.reached(gate)
    yield env.timeout(int(duration))
    engine.complete(gate)


@pytest.mark.parametrize("engine", [Shared, SimpyEngine])
@pytest.mark.parametrize("seed", range(3))
def test_processes_that_end_delays_leave_every_start_where_it_was(engine, seed):
    """Gates of 0 ps and few distinct durations, so that processes react within the rounds of an instant."""
    rng = np.random.default_rng([10, seed])
    handed = 0
    for _ in range(300):
        resources = resources_of(rng)
        ordered = any(r.order == "in_order" for r in resources)
        n, longest = int(rng.integers(1, 60)), int(rng.choice([3, 4, 6, 20]))
        flat = flat_of(rng, len(resources), n, numbered=True if ordered else None, longest=longest)
        delays = np.flatnonzero(flat.resource < 0)
        gates = delays[rng.random(delays.size) < 0.6].tolist()
        handed += bool(gates)
        origin = int(rng.integers(0, 50))
        env = simpy.Environment(initial_time=origin)
        device = engine(env, flat, resources, gates)
        for gate in gates:
            env.process(outside(env, device, gate, flat.duration[gate]))
        env.run(until=device.done)
        whole = run(Program(resources, flat, kinds=3), keep_starts=True)
        first = origin if engine is SimpyEngine else 0
        assert np.array_equal(np.array(device.starts) - first, starts(whole))
        assert env.now == origin + whole.makespan_ps
    assert handed > 100


def test_two_shared_blocks_in_one_environment_do_not_disturb_each_other():
    rng = np.random.default_rng(11)
    for _ in range(100):
        env = simpy.Environment(initial_time=0)
        blocks = []
        for _ in range(2):
            resources = resources_of(rng, orders=("fifo",))
            flat = flat_of(rng, len(resources), numbered=True)
            blocks.append((Shared(env, flat, resources), Program(resources, flat, kinds=3)))
        env.run(until=env.all_of([device.done for device, _ in blocks]))
        for device, program in blocks:
            assert np.array_equal(device.starts, starts(run(program, keep_starts=True)))


def test_exclusive_takes_the_makespan_and_simulates_once():
    rng = np.random.default_rng(12)
    for _ in range(100):
        program = program_of(rng)
        env = simpy.Environment(initial_time=5)

        def twice(env=env, program=program):
            first = yield exclusive(env, program)
            second = yield exclusive(env, program)
            assert first is second

        env.run(until=env.process(twice()))
        assert env.now == 5 + 2 * run(program).makespan_ps
