"""How fast is the kernel, and how does its cost grow?

``pytest -m benchmark tests/benchmarks --benchmark-json=kernel.json``; ``extra_info`` holds tasks per second
of the median, and the reference's rate and the ratio where there is one. Every generator has a fixed seed.
"""

import subprocess
import sys

import numpy as np
import pytest
import simpy

from accelsim.kernel import Flat, Program, Repeat, Resource, run

pytestmark = pytest.mark.benchmark

RESOURCES = 64
LANES = 16


def layered_arrays(n, width=1024, seed=0):
    """Layers of ``width`` tasks with two or three dependencies each on the layer before, on 64 resources."""
    rng = np.random.default_rng(seed)
    resource = rng.integers(0, RESOURCES, n, dtype=np.int32)
    duration = rng.integers(1, 1_000_000, n, dtype=np.int64)
    width = min(width, max(n // 10, 1))
    task = np.arange(width, n)
    count = rng.integers(2, 4, task.size)
    target = np.repeat(task, count)
    source = (target // width - 1) * width + rng.integers(0, width, target.size)
    return resource, duration, source.astype(np.int32), target.astype(np.int32)


def layered(n, width=1024, order="fifo"):
    resource, duration, source, target = layered_arrays(n, width)
    if order == "in_order":  # its numbering follows the edges already
        return Program(
            [Resource(f"r{i}", order=order) for i in range(RESOURCES)],
            Flat(resource, duration, (source, target)),
        )
    return Program([Resource(f"r{i}") for i in range(RESOURCES)], Flat(resource, duration, (source, target)))


def tiled(n, seed=0):
    """16 lanes of load, load, compute, store with two buffers; 64 resources."""
    rng = np.random.default_rng(seed)
    tiles = n // (4 * LANES)
    first = 4 * np.arange(tiles * LANES).reshape(tiles, LANES)  # tile by tile, lane by lane
    lane = np.broadcast_to(np.arange(LANES), (tiles, LANES))
    resource = (4 * lane[..., None] + np.arange(4)).reshape(-1).astype(np.int32)
    duration = rng.integers(1, 1_000_000, resource.size)
    edges = [(first, first + 2), (first + 1, first + 2), (first + 2, first + 3)]
    edges += [(first[:-2] + 2, first[2:]), (first[:-2] + 2, first[2:] + 1), (first[:-2] + 3, first[2:] + 2)]
    source, target = (np.concatenate([e[i].reshape(-1) for e in edges]).astype(np.int32) for i in (0, 1))
    return Program([Resource(f"r{i}") for i in range(4 * LANES)], Flat(resource, duration, (source, target)))


def stream(n):
    """Output tiles of 8 steps (load, load, compute) and a store; two buffers; loads and stores share the
    DRAM.
    """
    steps = 8
    resource, duration = [], []
    source, target, lagged = [], [], ([], [], [])
    for step in range(steps):
        load, compute = 3 * step, 3 * step + 2
        resource += [0, 0, 1]
        duration += [40 + step, 50, 110]
        source += [load, load + 1]
        target += [compute, compute]
        earlier = 3 * ((step - 2) % steps) + 2  # the compute that used this buffer last
        if step < 2:
            for column, values in zip(lagged, ([earlier] * 2, [load, load + 1], [1, 1]), strict=True):
                column.extend(values)
        else:
            source += [earlier, earlier]
            target += [load, load + 1]
    resource.append(0)
    duration.append(60)
    source.append(3 * steps - 1)
    target.append(3 * steps)
    for column, value in zip(lagged, (3 * steps, 3 * steps - 1, 2), strict=True):
        column.append(value)  # an output buffer is free again once it was stored
    block = Flat(resource, duration, (source, target))
    return Program([Resource("dram"), Resource("array")], Repeat(block, n // len(block), lagged))


def report(benchmark, tasks, reference=None):
    rate = tasks / benchmark.stats.stats.median
    benchmark.extra_info.update(rate=rate, unit="tasks/s", tasks=tasks)
    if reference is not None:
        benchmark.extra_info.update(reference_rate=reference, ratio=rate / reference)


def measure(benchmark, program, rounds=3, **options):
    run(program, **options)  # compile
    result = benchmark.pedantic(lambda: run(program, **options), rounds=rounds, iterations=1)
    report(benchmark, result.tasks)
    if isinstance(
        program.root, Flat
    ):  # the timed calls find bounds and sums worked out; the first one does not
        from time import perf_counter

        program.root.derived.clear()
        begin = perf_counter()
        run(program, **options)
        benchmark.extra_info["first_call_rate"] = result.tasks / (perf_counter() - begin)
    return result


@pytest.mark.parametrize("n", [10**7], ids=["kernel-layered"])
def test_layered(benchmark, n):
    measure(benchmark, layered(n))


@pytest.mark.parametrize("n", [10**7], ids=["kernel-tiled"])
def test_tiled(benchmark, n):
    measure(benchmark, tiled(n))


@pytest.mark.parametrize("n", [10**7], ids=["kernel-wide"])
def test_wide(benchmark, n):
    measure(benchmark, layered(n, width=100_000))


@pytest.mark.parametrize("n", [10**6], ids=["kernel-in-order"])
def test_in_order(benchmark, n):
    result = measure(benchmark, layered(n, order="in_order"), rounds=9)
    assert result.route.kind == "in_order"


@pytest.mark.parametrize("n", [10**8], ids=["kernel-stream"])
def test_stream(benchmark, n):
    result = measure(benchmark, stream(n), fast_forward=False)
    assert result.tasks == result.simulated == n


@pytest.mark.parametrize("n", [10**4, 10**5, 10**6, 10**7])
def test_growth(benchmark, n):
    measure(benchmark, layered(n))


@pytest.mark.parametrize("n", [10**6, 10**7])
def test_building_costs_less_than_running(benchmark, n):
    arrays = layered_arrays(n)
    resources = [Resource(f"r{i}") for i in range(RESOURCES)]

    def build():
        resource, duration, source, target = arrays
        return Program(resources, Flat(resource, duration, (source, target)))

    from time import perf_counter

    program = build()
    run(program)
    begin = perf_counter()
    run(program)
    running = perf_counter() - begin
    benchmark.pedantic(build, rounds=3, iterations=1)
    report(benchmark, n, n / running)
    assert benchmark.extra_info["ratio"] > 1


@pytest.mark.parametrize("generator", [layered, tiled], ids=["layered", "tiled"])
def test_against_the_simpy_engine(benchmark, generator):
    """The readable reference: one callback per task on SimPy's queue."""
    from time import process_time

    program = generator(10**5)
    begin = process_time()
    slow = run(program, engine="simpy")
    reference = slow.tasks / (process_time() - begin)
    result = measure(benchmark, program, rounds=9)
    assert result.makespan_ps == slow.makespan_ps
    report(benchmark, result.tasks, reference)


def test_against_a_plain_simpy_resource_loop(benchmark):
    """What a user would write: a process per task, AllOf over its predecessors, simpy.Resource."""
    from time import process_time

    program = layered(10**5)
    flat = program.root
    before = [[] for _ in range(len(flat))]
    for source, target in zip(*(a.tolist() for a in flat.edges()), strict=True):
        before[target].append(source)
    env = simpy.Environment()
    servers = [simpy.Resource(env) for _ in range(RESOURCES)]
    done = [env.event() for _ in range(len(flat))]

    def task(index, resource, duration):
        if before[index]:
            yield env.all_of([done[p] for p in before[index]])
        with servers[resource].request() as request:
            yield request
            yield env.timeout(duration)
        done[index].succeed()

    begin = process_time()
    for index, (resource, duration) in enumerate(
        zip(flat.resource.tolist(), flat.duration.tolist(), strict=True)
    ):
        env.process(task(index, resource, duration))
    env.run()
    reference = len(flat) / (process_time() - begin)
    measure(benchmark, program, rounds=9)
    report(benchmark, len(flat), reference)


MEMORY = """
import resource, sys
sys.path.insert(0, {folder!r})
from test_kernel import layered
from accelsim.kernel import run
run(layered(1000))
n = {n}
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
program = layered(n)
kept = sum(getattr(program.root, a).nbytes for a in ("resource", "duration", "offsets", "follow", "waits"))
import os
now = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
open("/proc/self/clear_refs", "w").write("5")  # the peak so far is the generator's
run(program)
grown = int([l for l in open("/proc/self/status") if l.startswith("VmHWM")][0].split()[1]) * 1024 - now
print((kept + grown) / n)
"""


def test_memory_per_task(benchmark):
    """Bytes of the program and of running it, per task, at 5 million tasks; at most 100."""
    folder = __file__.rsplit("/", 1)[0]

    def measured():
        done = subprocess.run(
            [sys.executable, "-c", MEMORY.format(folder=folder, n=5 * 10**6)],
            capture_output=True,
            text=True,
            check=True,
        )
        return float(done.stdout)

    per_task = benchmark.pedantic(measured, rounds=1, iterations=1)
    benchmark.extra_info.update(rate=per_task, unit="bytes/task")
    assert per_task <= 100
