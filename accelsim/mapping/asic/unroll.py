"""How the dims of one spatial loop share an axis of the array."""

from collections.abc import Sequence
from math import prod


def ceil_div(a: int, b: int) -> int:
    """a / b rounded up."""
    return -(-a // b)


def useful_factors(bound: int, units: int) -> list[int]:
    """The smallest factor for each distinct trip count ``ceil(bound / factor)`` that ``units`` allow."""
    factors = []
    factor = 1
    while factor <= min(bound, units):
        factors.append(factor)
        trips = ceil_div(bound, factor)
        if trips == 1:
            break
        factor = ceil_div(bound, trips - 1)
    return factors


def unroll(bounds: Sequence[int], units: int) -> tuple[int, ...]:
    """Factors, one per dimension, with product at most ``units`` and the fewest steps.

    Steps are the product of ``ceil(bound / factor)``. Among equal steps the fewest units win, then the
    larger factor of the earlier dimension. Exact: every useful combination is looked at.
    """
    best: tuple[tuple[int, int, tuple[int, ...]], tuple[int, ...]] | None = None

    def visit(index: int, left: int, chosen: tuple[int, ...]) -> None:
        nonlocal best
        if index == len(bounds):
            steps = prod(ceil_div(b, f) for b, f in zip(bounds, chosen, strict=True))
            rank = (steps, prod(chosen), tuple(-f for f in chosen))
            if best is None or rank < best[0]:
                best = (rank, chosen)
            return
        options = useful_factors(bounds[index], left)
        if index == len(bounds) - 1:
            options = options[-1:]
        for factor in options:
            visit(index + 1, left // factor, (*chosen, factor))

    visit(0, units, ())
    if best is None:
        raise ValueError("unroll needs at least one dimension")
    return best[1]
