"""Any node as one flat block: full expansion, for tests and for what cannot be run in parts."""

import numpy as np
import numpy.typing as npt

from accelsim.errors import AccelsimError
from accelsim.kernel.flat import Flat
from accelsim.kernel.tree import Node, Parallel, Repeat, Serial, leaves

LIMIT = 2**30
BARRIER = -1  # the kind of tasks that only join others

Columns = list[npt.NDArray[np.int64]]


def flatten(node: Node) -> Flat:
    """Return the node as one block, tasks in the same order; barriers are pure delays of 0 ps.

    Such a barrier is transparent: it gives the same starts as an edge from every task before it to
    every task after it. Its kind is -1.
    """
    if isinstance(node, Flat):
        return node
    tasks = sum(len(flat) * times for flat, times in leaves(node))
    if tasks > LIMIT:
        raise AccelsimError(
            f"program: {tasks} tasks would have to be run flat, which needs "
            f"about {tasks * 80 / 2**30:.0f} GiB; the limit is {LIMIT} tasks"
        )
    resource, duration, priority, kind, source, target = columns(node)
    return Flat(resource, duration, (source, target), priority, kind)


def columns(node: Node) -> Columns:
    """Return [resource, duration, priority, kind, source, target] of the expanded node."""
    if isinstance(node, Flat):
        n = len(node)
        source, target = node.edges()
        priority = np.zeros(n, np.int64) if node.priority is None else node.priority
        return [
            a.astype(np.int64) for a in (node.resource, node.duration, priority, node.kinds(), source, target)
        ]
    if isinstance(node, Repeat):
        return repeated(node)
    if isinstance(node, Parallel):
        return joined([columns(child) for child in node.children])
    return in_series(node)


def joined(parts: list[Columns]) -> Columns:
    """Return blocks side by side, renumbered."""
    start = np.cumsum([0] + [p[0].size for p in parts])
    for part, first in zip(parts, start.tolist(), strict=False):
        part[4], part[5] = part[4] + first, part[5] + first
    if not parts:
        return [np.zeros(0, np.int64) for _ in range(6)]
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def repeated(node: Repeat) -> Columns:
    """Return before, all iterations, after."""
    before, block, after = (columns(flat) for flat in node.flats)
    n, m, first = node.n, len(node.block), len(node.before)
    last = first + (n - 1) * m
    step = np.arange(n)[:, None] * m
    many = [np.tile(column, n) for column in block[:4]]
    many += [(column + step).ravel() for column in block[4:]]
    all_of = joined([before, many, after])
    source, target, lag = node.lagged
    iterations = np.arange(n)[:, None]
    there = iterations >= lag
    more_source = [((iterations - lag) * m + source + first)[there], node.enter[0], node.leave[0] + last]
    more_target = [
        (iterations * m + target + first)[there],
        node.enter[1] + first,
        node.leave[1] + first + n * m,
    ]
    all_of[4] = np.concatenate([all_of[4], *more_source])
    all_of[5] = np.concatenate([all_of[5], *more_target])
    return all_of


def in_series(node: Serial) -> Columns:
    """Return children with barriers between."""
    parts: list[Columns] = []
    edges: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
    at, barrier = 0, -1
    for child in node.children:
        part = columns(child)
        size = part[0].size
        if barrier >= 0:
            roots = at + np.flatnonzero(np.bincount(part[5], minlength=size) == 0)
            edges.append((np.full(roots.size, barrier), roots))
        ends = at + np.flatnonzero(np.bincount(part[4], minlength=size) == 0)
        if size == 0 and barrier >= 0:
            continue
        parts.append(part)
        at += size
        edges.append((ends, np.full(ends.size, at)))
        barrier = at
        at += 1
        nothing = np.zeros(0, np.int64)
        parts.append([np.array([-1]), np.array([0]), np.array([0]), np.array([BARRIER]), nothing, nothing])
    all_of = joined(parts)
    for column, i in ((4, 0), (5, 1)):
        all_of[column] = np.concatenate([all_of[column], *(e[i] for e in edges)]).astype(np.int64)
    return all_of
