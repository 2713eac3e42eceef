"""Does the ring engine for repeated blocks start every task when the flat engine does, its rings growing?"""

import numpy as np
import pytest

from accelsim.kernel import Flat, Program, Repeat, Resource, run
from accelsim.kernel.stream_run import StreamRun


def chain(n, durations, lag_back, resources):
    """A block whose tasks follow each other and themselves, the first also the last ``lag_back`` ago."""
    m = len(durations)
    block = Flat(list(range(resources)) + [-1] * (m - resources), durations, (range(m - 1), range(1, m)))
    back = [lag_back] if lag_back else []
    lagged = [*range(m), *([m - 1] * len(back))], [*range(m), *([0] * len(back))], [1] * m + back
    return Program([Resource(f"r{i}") for i in range(resources)], Repeat(block, n, lagged))


def expanded(program):
    """The flat program that a repeat without tasks around it stands for."""
    block, n = program.root.block, program.root.n
    m = len(block)
    pairs = []
    for i in range(n):
        pairs.append(np.stack(block.edges()).astype(np.int64) + m * i)
        source, target, lag = (np.asarray(x, np.int64) for x in program.root.lagged)
        real = lag <= i
        pairs.append(np.stack([source[real] + m * (i - lag[real]), target[real] + m * i]))
    source, target = np.concatenate(pairs, axis=1)
    return Program(
        program.resources, Flat(np.tile(block.resource, n), np.tile(block.duration, n), (source, target))
    )


def rows(result):
    """Start, end and resource of every task, in that order."""
    trace = result.trace()
    columns = np.stack([trace.start_ps, trace.end_ps, trace.resource])
    return columns[:, np.lexsort(columns[::-1])]


@pytest.mark.parametrize(
    "durations",
    [(3, 7, 20), (1, 1, 0, 5), (2, 30, 1, 4), (0, 4, 0, 0, 9), (5, 2, 6, 3)],
    ids=["queue", "zero delay", "delay", "zero tasks", "few"],
)
@pytest.mark.parametrize("lag_back", [1, 3, None])
def test_rings_grow_without_moving_a_start(durations, lag_back, monkeypatch):
    grown = []
    grow = StreamRun._grow
    monkeypatch.setattr(StreamRun, "_grow", lambda self: (grown.append(1), grow(self))[1])
    program = chain(60, durations, lag_back, 2)
    flat = run(expanded(program), keep_starts=True)
    ring = run(program, fast_forward=False, keep_starts=True)
    assert np.array_equal(rows(ring), rows(flat))
    assert ring.critical_ps.sum() == ring.makespan_ps
    # the first stages are faster than the last: they run ahead as far as the edge back lets them
    assert bool(grown) == (lag_back is None)


def test_a_ring_grows_while_delays_of_the_same_instant_wait_to_start(monkeypatch):
    """Both delays follow one task; what the second points at finds the ring full."""
    grown = []
    grow = StreamRun._grow
    monkeypatch.setattr(StreamRun, "_grow", lambda self: (grown.append(1), grow(self))[1])
    block = Flat([0, -1, -1, 1], [1, 2, 0, 9], edges=((0, 0, 1, 2), (1, 2, 3, 3)))
    program = Program([Resource("a"), Resource("b")], Repeat(block, 50, ((0, 3), (0, 3), (1, 1))))
    flat = run(expanded(program), keep_starts=True)
    ring = run(program, fast_forward=False, keep_starts=True)
    assert np.array_equal(rows(ring), rows(flat))
    assert grown


def test_an_edge_longer_than_the_repeat_never_holds():
    block = Flat([0, 1], [3, 4], edges=((0,), (1,)))
    with_edge = Repeat(block, 5, ((1, 0), (0, 0), (2**31 - 1, 1)))
    without = Repeat(block, 5, ((0,), (0,), (1,)))
    resources = [Resource("a"), Resource("b")]
    assert run(Program(resources, with_edge)).makespan_ps == run(Program(resources, without)).makespan_ps


def test_a_long_repeat_run_in_full_keeps_no_path(monkeypatch):
    monkeypatch.setattr("accelsim.kernel.simulate.LOG_LIMIT", 100)
    program = chain(60, (3, 7, 20), 2, 2)
    full = run(program, fast_forward=False)
    jumped = run(program)
    assert full.critical_ps is None
    assert jumped.critical_ps.sum() == jumped.makespan_ps == full.makespan_ps
