import math

import pytest

from accelsim.cost.roofline import bound
from accelsim.errors import AccelsimError


def test_memory_binds_below_the_ridge():
    roof = bound(ops=1e6, bytes=1e6, peak=100e9, bandwidth=10e9)
    assert (roof.ridge_ops_per_B, roof.intensity_ops_per_B) == (10, 1)
    assert (roof.attainable_ops_per_s, roof.time_s, roof.bound_by) == (10e9, 1e-4, "memory")


def test_compute_binds_at_and_above_the_ridge():
    assert bound(10e6, 1e6, 100e9, 10e9).bound_by == "compute"
    roof = bound(20e6, 1e6, 100e9, 10e9)
    assert (roof.attainable_ops_per_s, roof.time_s, roof.bound_by) == (100e9, 2e-4, "compute")


def test_no_traffic_and_no_work():
    roof = bound(1e6, 0, 1e9, 1e9)
    assert (roof.intensity_ops_per_B, roof.attainable_ops_per_s) == (math.inf, 1e9)
    roof = bound(0, 1e6, 1e9, 1e9)
    assert (roof.attainable_ops_per_s, roof.time_s, roof.bound_by) == (0, 1e-3, "memory")


def test_all_problems_at_once():
    with pytest.raises(AccelsimError) as error:
        bound(-1, math.nan, 0, -2)
    assert error.value.problems == (
        "peak must be greater than 0, not 0",
        "bandwidth must be greater than 0, not -2",
        "ops must not be negative, not -1",
        "bytes must not be negative, not nan",
    )
