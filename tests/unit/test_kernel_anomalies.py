"""What greedy queues do that nobody expects, kept as examples; and what the kernel says to wrong programs.

Scheduling anomalies: R. L. Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Appl. Math. 17(2),
1969.
"""

import numpy as np
import pytest

from accelsim.errors import AccelsimError
from accelsim.kernel import Flat, Program, Repeat, Resource, Serial, run


def makespan(resource, duration, edges=(), servers=None, orders=None):
    count = max(resource) + 1
    servers = servers or [1] * count
    resources = [Resource(f"r{i}", servers[i], (orders or ["fifo"] * count)[i]) for i in range(count)]
    source, target = zip(*edges, strict=True) if edges else ((), ())
    return run(Program(resources, Flat(resource, duration, edges=(source, target)))).makespan_ps


def test_one_more_server_is_slower():
    """Job 1 = A 3, B 4, C 5; job 2 = A 1, B 4: with two A servers job 2 overtakes at B."""
    resource, duration = [0, 1, 2, 0, 1], [3, 4, 5, 1, 4]
    edges = [(0, 1), (1, 2), (3, 4)]
    assert makespan(resource, duration, edges, servers=[1, 1, 1]) == 12
    assert makespan(resource, duration, edges, servers=[2, 1, 1]) == 14


GRAHAM = [3, 2, 2, 2, 4, 4, 4, 4, 9]
GRAHAM_EDGES = [(3, 4), (3, 5), (3, 6), (3, 7), (0, 8)]


def test_graham_one_more_server():
    assert makespan([0] * 9, GRAHAM, GRAHAM_EDGES, servers=[3]) == 12
    assert makespan([0] * 9, GRAHAM, GRAHAM_EDGES, servers=[4]) == 15


def test_graham_all_tasks_shorter():
    assert makespan([0] * 9, [d - 1 for d in GRAHAM], GRAHAM_EDGES, servers=[3]) == 13


def test_in_order_grahams_case_is_monotone():
    three = makespan([0] * 9, GRAHAM, GRAHAM_EDGES, servers=[3], orders=["in_order"])
    four = makespan([0] * 9, GRAHAM, GRAHAM_EDGES, servers=[4], orders=["in_order"])
    shorter = makespan([0] * 9, [d - 1 for d in GRAHAM], GRAHAM_EDGES, servers=[3], orders=["in_order"])
    assert four <= three
    assert shorter <= three


def test_an_earlier_release_is_slower():
    """Releases 2, 0, 1 and work 5, 6, 10 on two servers: 11. The first released at 1: 16."""

    def released(first):
        return run(
            Program(
                [Resource("r", 2)],
                Flat([-1, -1, -1, 0, 0, 0], [first, 0, 1, 5, 6, 10], edges=((0, 1, 2), (3, 4, 5))),
            )
        ).makespan_ps

    assert released(2) == 11
    assert released(1) == 16


def test_the_weighted_upper_bound_is_false_with_in_order_resources_of_several_servers():
    """Head of line: task 1 waits for a slow delay and holds back task 2 behind it, on two idle servers."""
    flat = Flat([0, 0, -1, 0], [10, 10, 30, 10], edges=((2,), (1,)))
    result = run(Program([Resource("r", 2, "in_order")], flat))
    assert result.makespan_ps == 40
    assert result.upper_ps >= 40
    as_queue = run(Program([Resource("r", 2)], flat))
    assert as_queue.upper_ps < as_queue.lower_ps + 30


def test_same_instant_a_low_priority_task_may_start_before_a_high_one_of_the_next_round():
    """A zero-duration task on a resource costs a round: the server that was freed has already picked."""
    resources = [Resource("a", 1, "priority"), Resource("b", 1)]
    flat = Flat([0, 0, 1, 0], [5, 5, 0, 5], edges=((0, 2), (2, 3)), priority=[0, 1, 0, 0])
    trace = run(Program(resources, flat), keep_starts=True).trace()
    assert trace.start_ps.tolist() == [0, 5, 5, 10]


def test_a_zero_delay_is_a_transparent_barrier():
    resources = [Resource("a", 1, "priority")]
    direct = Flat([0, 0, 0], [5, 5, 5], edges=((0,), (2,)), priority=[0, 1, 0])
    through = Flat([0, 0, 0, -1], [5, 5, 5, 0], edges=((0, 3), (3, 2)), priority=[0, 1, 0, 0])
    want = run(Program(resources, direct), keep_starts=True).trace().start_ps
    assert want.tolist() == [0, 10, 5]
    assert run(Program(resources, through), keep_starts=True).trace().start_ps[:3].tolist() == want.tolist()


def test_the_cause_is_the_predecessor_that_ended_last_or_the_task_that_freed_the_server():
    # 0 (10) and 1 (10) on two resources end together; 2 waits for both: the larger number counts.
    both = run(
        Program([Resource("a"), Resource("b"), Resource("c")], Flat([0, 1, 2], [10, 10, 5], ((0, 1), (2, 2))))
    )
    assert both.critical_path().task.tolist() == [1, 2]
    # 2 is ready at 3 but waits for the server until 0 frees it at 10.
    waited = run(Program([Resource("a"), Resource("b")], Flat([0, 1, 0], [10, 3, 5], ((1,), (2,)))))
    assert waited.critical_path().task.tolist() == [0, 2]


def test_a_bounded_buffer_is_an_edge_from_the_consumer():
    """Double buffering, d = 2: produce i waits for consume i - 2."""
    block = Flat([0, 1], [10, 30], edges=((0,), (1,)))
    free = run(Program([Resource("load"), Resource("use")], Repeat(block, 10)))
    bounded = run(Program([Resource("load"), Resource("use")], Repeat(block, 10, lagged=((1,), (0,), (2,)))))
    assert free.makespan_ps == bounded.makespan_ps == 310
    single = run(Program([Resource("load"), Resource("use")], Repeat(block, 10, lagged=((1,), (0,), (1,)))))
    assert single.makespan_ps == 400


def test_a_long_repeat_is_jumped_and_says_how():
    block = Flat([0, 1], [10, 30], edges=((0,), (1,)))
    result = run(
        Program([Resource("load"), Resource("use")], Repeat(block, 1_000_000, lagged=((1,), (0,), (2,))))
    )
    assert result.makespan_ps == 30_000_010
    assert result.route.kind == "repeat"
    assert result.simulated < 100
    assert result.tasks == 2_000_000
    assert result.busy_ps.tolist() == [10_000_000, 30_000_000]


def test_equal_children_are_simulated_once():
    flat = Flat([0, 0], [3, 4])
    result = run(Program([Resource("a")], Serial(flat, Flat([0, 0], [3, 4]), flat, names=["x", "y", "z"])))
    assert (result.tasks, result.simulated) == (6, 2)
    assert [p.route.kind for p in result.parts] == ["full", "memoised", "memoised"]


CYCLE = "flat: tasks wait for each other in a cycle: 0 -> 1 -> 2 -> 0"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([0], [-1]), "flat: duration of task 0 must be at least 0, not -1"),
        (([0, 0, 0], [1, 1, 1], ((0, 1, 2), (1, 2, 0))), CYCLE),
    ],
)  # fmt: skip
def test_a_wrong_block_is_one_sentence(arguments, sentence):
    with pytest.raises(AccelsimError) as caught:
        Flat(*arguments)
    assert str(caught.value) == sentence


def test_an_unknown_engine_names_the_nearest():
    with pytest.raises(AccelsimError) as caught:
        run(Program([Resource("a")], Flat([0], [1])), engine="simpi")
    assert str(caught.value) == "run: engine must be compiled or simpy, not 'simpi'; did you mean 'simpy'?"


def test_an_in_order_resource_that_would_wait_for_itself_is_refused():
    with pytest.raises(AccelsimError) as caught:
        Program([Resource("a", order="in_order")], Flat([0, 0], [1, 1], edges=((1,), (0,))))
    assert str(caught.value) == (
        "program: resource 'a' takes its tasks in number order, which contradicts the edges: it would wait"
        " for ever at task 0 (0 -> 1 -> 0)"
    )


def test_times_that_do_not_fit_are_refused():
    with pytest.raises(AccelsimError) as caught:
        Flat([0, 0], np.array([2**61, 2**61]))
    assert "2^62 ps (53 days)" in str(caught.value)
