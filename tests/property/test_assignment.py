"""Schedules on several units: the exact answer against all there are, the heuristic against it."""

from itertools import permutations, product

import numpy as np
import pytest

from accelsim.errors import AccelsimError
from accelsim.mapper.assignment import Assignment, search, solve


def drawn(seed, layers=(2, 7), chains=(2, 4), units=(2, 4)):
    """A seeded case: 2-3 chains of 2-6 layers on 2-3 units, each unit good at some layers."""
    rng = np.random.default_rng(seed)
    lengths = tuple(rng.integers(*layers, rng.integers(*chains)).tolist())
    n, width = sum(lengths), int(rng.integers(*units))
    size = rng.integers(50, 1000, (n, 1))
    time = (size * rng.uniform(0.3, 3, (n, width))).astype(np.int64)
    return Assignment(lengths, time, size * rng.uniform(0.5, 2, (n, width)))


def everything(problem):
    """Every assignment in every order that keeps the chains, as (makespan, energy)."""
    n = len(problem.layers)
    first = set(problem.first.tolist())
    orders = [
        order
        for order in permutations(range(n))
        if all(i in first or order.index(i - 1) < order.index(i) for i in range(n))
    ]
    for unit in product(range(len(problem.units)), repeat=n):
        if (problem.time[np.arange(n), unit] < 0).any():
            continue
        for order in orders:
            schedule = problem.schedule(np.array(unit), order)
            yield schedule.makespan, schedule.energy_J


@pytest.mark.parametrize("seed", range(12))
def test_the_exact_answer_is_the_best_of_all(seed):
    problem = drawn(seed, layers=(1, 4), chains=(1, 3))
    if seed % 3 == 0:
        time = problem.time.copy()
        time[0, 0] = -1
        problem = Assignment(problem.chains, time, problem.energy)
    found = list(everything(problem))
    best = solve(problem).schedule
    assert not best.validate()
    assert best.makespan == min(found)[0]
    assert best.energy_J == pytest.approx(min(found)[1], rel=1e-12)
    deadline = int(np.median([m for m, _ in found]))
    in_time = [(e, m) for m, e in found if m <= deadline]
    cheap = solve(problem, "energy", deadline).schedule
    assert not cheap.validate()
    assert cheap.energy_J == pytest.approx(min(in_time)[0], rel=1e-12)
    assert cheap.makespan <= deadline
    assert solve(problem, "energy", min(found)[0] - 1).schedule is None


def gaps(seeds):
    """Relative excess of the heuristic over the exact answer: (makespans, energies within a deadline)."""
    time, energy = [], []
    for seed in seeds:
        problem = drawn(seed)
        best, quick = solve(problem).schedule, search(problem)
        assert not quick.validate()
        time.append(quick.makespan / best.makespan - 1)
        relaxed = search(problem, "energy").makespan
        deadline = (2 * best.makespan + relaxed) // 3
        best, quick = solve(problem, "energy", deadline).schedule, search(problem, "energy", deadline)
        assert not quick.validate()
        assert quick.makespan <= deadline
        energy.append(quick.energy_J / best.energy_J - 1)
    return np.array(time), np.array(energy)


def test_the_heuristic_is_near_the_exact_answer():
    for found in gaps(range(25)):
        assert (found > -1e-9).all()
        assert np.median(found) < 1e-9
        assert found.max() < 0.15


@pytest.mark.slow
def test_the_heuristic_on_two_hundred_cases(capsys):
    time, energy = gaps(range(200))
    with capsys.disabled():
        for name, found in (("makespan", time), ("energy", energy)):
            print(
                f"{name}: median {np.median(found):.2%}, worst {found.max():.2%},"
                f" exact in {np.mean(found < 1e-9):.0%} of 200"
            )
    for found in (time, energy):
        assert np.median(found) < 1e-9
        assert found.max() < 0.15


def test_one_chain_is_a_shortest_path():
    """Without competition the least makespan is every layer on its fastest unit."""
    problem = drawn(3, chains=(1, 2))
    assert solve(problem).schedule.makespan == problem.time.min(axis=1).sum()
    assert search(problem).makespan == problem.time.min(axis=1).sum()


def test_more_units_never_hurt_and_more_work_never_helps():
    for seed in range(20):
        problem = drawn(seed, layers=(2, 5))
        best = solve(problem).schedule.makespan
        fewer = Assignment(problem.chains, problem.time[:, :-1], problem.energy[:, :-1])
        assert best <= solve(fewer).schedule.makespan
        longer = Assignment(problem.chains, problem.time + 7, problem.energy)
        assert best <= solve(longer).schedule.makespan


def test_what_is_wrong_is_said_at_once():
    with pytest.raises(AccelsimError) as raised:
        Assignment((2,), np.array([[1, -1], [-1, -1]]), np.array([[-1.0, 0], [0, 0]]), layers=("a", "b"))
    assert raised.value.problems == (
        "assignment: energies must be finite and not negative",
        "assignment: no unit can run b",
    )
    with pytest.raises(AccelsimError, match=r"^assignment: time \(3, 2\) and energy \(3, 2\) must both be"):
        Assignment((2,), np.ones((3, 2), np.int64), np.ones((3, 2)))
    problem = drawn(0)
    with pytest.raises(AccelsimError, match=r"^goal must be latency or energy, not 'latencz'; did you mean"):
        search(problem, "latencz")
    with pytest.raises(AccelsimError, match=r"^deadline must be at least 0, not -1$"):
        solve(problem, "energy", -1)
