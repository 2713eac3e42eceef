"""Times as sums and maxima of a few durations, so that new durations are put in without walking every task.

A schedule has many tasks and few *classes* of them that last equally long. Longest chains are reduced where a
task's neighbours allow it, in series to sums and side by side to maxima, which changes no chain's length
whatever the classes last (Valdes et al., "The Recognition of Series Parallel Digraphs", 1982, for the
reductions); equal expressions are written once. What cannot be reduced is walked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Unsigned = NDArray[np.uint64]

Sum = Mapping[int, int]
"""Term -> how often: a term from 0 is a class, one below 0 stands for expression ``-1 - term``."""

MOST_REDUCED = 200_000
"""Tasks of one block above which it is walked as it is."""


@dataclass
class Expressions:
    """Expressions in the order of use: each needs only earlier ones."""

    _number: dict[tuple[bool, frozenset[tuple[int, int]]], int] = field(default_factory=dict)

    def sum(self, terms: Sum) -> int:
        """The term that stands for a sum."""
        if len(terms) == 1:
            ((term, count),) = terms.items()
            if count == 1:
                return term
        return self._intern(False, terms.items())

    def max(self, terms: Iterable[int]) -> int:
        """The term that stands for the largest of several, and of 0."""
        distinct = set(terms)
        return distinct.pop() if len(distinct) == 1 else self._intern(True, ((t, 1) for t in distinct))

    def _intern(self, largest: bool, terms: Iterable[tuple[int, int]]) -> int:
        key = (largest, frozenset(terms))
        return -1 - self._number.setdefault(key, len(self._number))

    def table(self, classes: int) -> tuple[Ints, Unsigned, Unsigned, Unsigned]:
        """(whether each is a maximum, where its terms begin, places of its terms, their counts).

        Places are those of ``at``.
        """
        largest = np.array([key[0] for key in self._number], np.int64)
        first = np.cumsum([0, *(len(key[1]) for key in self._number)])
        terms = [pair for key in self._number for pair in key[1]]
        places = at([term for term, _ in terms], classes)
        return largest, first.astype(np.uint64), places, np.array([n for _, n in terms], np.uint64)


def at(terms: list[int], classes: int) -> Unsigned:
    """Places of terms in a list of all values: the classes, then the expressions."""
    return np.array([t if t >= 0 else classes - 1 - t for t in terms], np.uint64)


def reduced(
    classes: list[int], edges: Iterable[tuple[int, int]], known: Expressions
) -> tuple[list[int], list[list[int]]]:
    """Tasks that are left of a block, as (term of each, those that follow each) in topological order.

    Parameters
    ----------
    classes : class of each task, -1 for one that takes no time; tasks are numbered along the edges
    """
    graph = _Graph(classes, edges, known)
    if len(classes) <= MOST_REDUCED:
        graph.reduce()
    place = {task: number for number, task in enumerate(sorted(graph.alive))}
    terms = [known.sum(graph.weight[task]) for task in place]
    return terms, [sorted(place[later] for later in graph.after[task]) for task in place]


class _Graph:
    def __init__(self, classes: list[int], edges: Iterable[tuple[int, int]], known: Expressions) -> None:
        self.known = known
        self.alive = set(range(len(classes)))
        self.weight: list[dict[int, int]] = [{} if c < 0 else {c: 1} for c in classes]
        self.before: list[set[int]] = [set() for _ in classes]
        self.after: list[set[int]] = [set() for _ in classes]
        for source, target in edges:
            self.after[source].add(target)
            self.before[target].add(source)

    def reduce(self) -> None:
        """Reduce until nothing changes."""
        size = (-1, -1)
        while size != (now := (len(self.alive), sum(len(self.after[t]) for t in self.alive))):
            size = now
            for task in self.alive:
                self._shorten(task)
            groups = defaultdict(list)
            for task in self.alive:
                groups[frozenset(self.before[task]), frozenset(self.after[task])].append(task)
            for group in groups.values():
                if len(group) > 1:
                    self._side_by_side(group)
            for task in sorted(self.alive):
                if task in self.alive:
                    self._series(task)

    def _shorten(self, task: int) -> None:
        """Drop edges beside which there is a longer way of two edges."""
        after = self.after[task]
        for target in list(after) if len(after) > 1 else ():
            if not after.isdisjoint(self.before[target]):
                after.discard(target)
                self.before[target].discard(task)

    def _side_by_side(self, group: list[int]) -> None:
        keep, *others = group
        self.weight[keep] = {self.known.max(self.known.sum(self.weight[task]) for task in group): 1}
        for task in others:
            for earlier in self.before[task]:
                self.after[earlier].discard(task)
            for later in self.after[task]:
                self.before[later].discard(task)
            self.alive.discard(task)

    def _series(self, task: int) -> None:
        """Take in what follows, as long as only this task leads to it."""
        weight = self.weight[task]
        while len(self.after[task]) == 1:
            (later,) = self.after[task]
            if len(self.before[later]) > 1:
                break
            for term, count in self.weight[later].items():
                weight[term] = weight.get(term, 0) + count
            self.after[task] = self.after[later]
            for target in self.after[task]:
                self.before[target].discard(later)
                self.before[target].add(task)
            self.alive.discard(later)


@njit(cache=True)
def fill(value, classes, largest, first, places, counts):  # type: ignore[no-untyped-def]
    """Put the value of every expression behind those of the classes."""
    # Unsigned indices need no test for counting from the end.
    for i in range(np.uint64(len(largest))):
        total = np.int64(0)
        for j in range(first[i], first[i + np.uint64(1)]):
            one = value[places[j]]
            total = max(total, one) if largest[i] else total + one * np.int64(counts[j])
        value[np.uint64(classes) + i] = total


@njit(cache=True)
def chains(begin, place, first, follow, value):  # type: ignore[no-untyped-def]
    """Longest chain of each block; ``begin`` says where the tasks of each begin, and their end."""
    longest = np.zeros(len(begin) - 1, np.int64)
    reach = np.zeros(len(place), np.int64)
    for block in range(np.uint64(len(longest))):
        top = np.int64(0)
        for i in range(begin[block], begin[block + np.uint64(1)]):
            end = reach[i] + value[place[i]]
            top = max(top, end)
            for j in range(first[i], first[i + np.uint64(1)]):
                later = follow[j]
                reach[later] = max(reach[later], end)
        longest[block] = top
    return longest
