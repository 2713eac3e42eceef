"""Unrollings over the array and the tiles inside an element that go with them, as arrays."""

from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np

from accelsim.cost.hierarchy import Hierarchy
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapper.array import options
from accelsim.mapper.problem import Floats, Ints, Problem
from accelsim.mapper.space import Parts, indexed, limit, unrollings


@dataclass(frozen=True)
class Roots:
    """All unrollings, least steps first.

    parts : of every dim along every axis
    counts : (roots, 8) parts of every dim
    steps : (roots,) least cycles of the units
    kind : (roots, 8) row of ``first`` and ``number``: where in ``choices`` the tiles of a dim begin and how
    many choices : (rows, 2) tile of an element, and inner tile
    """

    parts: list[Parts]
    counts: Ints
    steps: Floats
    kind: Ints
    first: Ints
    number: Ints
    choices: Ints


@lru_cache(maxsize=1 << 16)
def _count_and_limit(bound: int, parts: tuple[int, ...]) -> tuple[int, int]:
    """Elements side by side of one dim, and its largest tile of an element."""
    return prod(parts), limit(bound, parts)


def list_roots(shape: ConvShape, hierarchy: Hierarchy, p: Problem, table: Floats) -> Roots:
    """Unrollings; of those with equal counts and limits one is enough."""
    kept = indexed(hierarchy)
    inside = int(p.levels - p.shared)
    bounds_of = tuple(shape[d] for d in DIMS)
    seen: dict[tuple[tuple[int, int], ...], Parts] = {}
    for parts in unrollings(shape, hierarchy):
        key = tuple(map(_count_and_limit, bounds_of, parts))
        seen.setdefault(key, parts)
    keys = list(seen)
    counts = np.array([[c for c, _ in k] for k in keys], np.int64)
    bounds = np.array([shape[d] for d in DIMS], np.int64)
    steps = (-(-bounds // counts)).prod(axis=1).astype(np.float64)
    rank = np.argsort(steps, kind="stable")
    kinds: dict[tuple[int, int, int], int] = {}
    kind = np.array(
        [[kinds.setdefault((d, *keys[i][d]), len(kinds)) for d in range(8)] for i in rank], np.int64
    )
    tables, first, number, at = [], [], [], 0
    for d, count, most in kinds:
        out = np.zeros((shape[DIMS[d]] ** (2 if inside == 2 else 1) + 1, 2), np.int64)
        rows = options(p, table, d, count, most, inside, DIMS[d] not in kept, out)
        tables.append(out[:rows])
        first.append(at)
        number.append(rows)
        at += rows
    return Roots(
        [seen[keys[i]] for i in rank],
        counts[rank],
        np.ceil(steps[rank] / p.macs_per_pe),
        kind,
        np.array(first, np.int64),
        np.array(number, np.int64),
        np.concatenate(tables),
    )
