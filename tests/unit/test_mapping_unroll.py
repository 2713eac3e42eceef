"""How dims share an axis of the array."""

from itertools import product
from math import prod

from hypothesis import given
from hypothesis import strategies as st

from accelsim.mapping.asic.unroll import unroll, useful_factors


def steps(bounds, factors):
    return prod(-(-b // f) for b, f in zip(bounds, factors, strict=True))


def test_one_dimension_takes_the_fewest_units_that_give_the_fewest_steps():
    assert unroll([20], 16) == (10,)
    assert unroll([16], 16) == (16,)
    assert unroll([3], 16) == (3,)


def test_two_dimensions_share():
    assert steps([3, 3], unroll([3, 3], 16)) == 1
    assert unroll([64, 3, 3], 16) == (16, 1, 1)


def test_factors_give_distinct_trip_counts():
    assert useful_factors(10, 10) == [1, 2, 3, 4, 5, 10]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=3), st.integers(1, 24))
def test_no_other_combination_has_fewer_steps(bounds, units):
    found = unroll(bounds, units)
    assert prod(found) <= units
    every = product(*(range(1, min(b, units) + 1) for b in bounds))
    assert steps(bounds, found) == min(steps(bounds, f) for f in every if prod(f) <= units)
