"""Topological orders and the cycles that forbid them, over nodes numbered from 0."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

MOST_NAMES = 6
"""Names of a cycle that a sentence shows."""


def topological(followers: Sequence[Sequence[int]]) -> list[int]:
    """Kahn's algorithm; among nodes that are ready, the one given first goes first.

    Parameters
    ----------
    followers : for each node, those that must come after it, once for each reason

    A node that waits for itself, directly or through others, or for such a node, is not in the order.
    """
    waiting = [0] * len(followers)
    for after in followers:
        for node in after:
            waiting[node] += 1
    ready = [node for node, count in enumerate(waiting) if count == 0]
    heapify(ready)
    ranks = []
    while ready:
        index = heappop(ready)
        ranks.append(index)
        for node in followers[index]:
            waiting[node] -= 1
            if waiting[node] == 0:
                heappush(ready, node)
    return ranks


def cycle(names: Sequence[str], followers: Sequence[Sequence[int]], ranks: Sequence[int]) -> str | None:
    """``'a -> b -> a'`` for one cycle among the nodes that ``topological`` left out, None without one."""
    left = set(range(len(names))) - set(ranks)
    if not left:
        return None
    before = {after: node for node in sorted(left) for after in followers[node] if after in left}
    path: dict[int, int] = {}
    at = min(left)
    while at not in path:
        path[at] = len(path)
        at = before[at]
    first, *others = [names[i] for i in path if path[i] >= path[at]]
    loop = [first, *reversed(others)]
    shown = [*loop[:MOST_NAMES], "..."] if len(loop) > MOST_NAMES else [*loop, first]
    return " -> ".join(shown)
