"""A node with repeats as groups of tasks: blocks with iterations, and what stands around them."""

from dataclasses import dataclass

import numpy as np

from accelsim.kernel.flat import Flat
from accelsim.kernel.flatten import flatten
from accelsim.kernel.timing import Ints
from accelsim.kernel.tree import Node, Parallel, Repeat


@dataclass(frozen=True, slots=True)
class Group:
    """A block that runs ``n`` times with lagged edges (source, target, lag)."""

    flat: Flat
    n: int
    lagged: tuple[Ints, Ints, Ints]

    @property
    def lags(self) -> int:
        """The longest lag."""
        return int(self.lagged[2].max(initial=0))


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups that start together and share the resources, numbered group by group.

    ``cross`` are edges (group, source, group, target) from last iterations to first iterations, in
    the order of the groups.
    """

    groups: tuple[Group, ...]
    cross: tuple[Ints, Ints, Ints, Ints]

    @property
    def flats(self) -> tuple[Flat, ...]:
        """The block of each group."""
        return tuple(group.flat for group in self.groups)

    @property
    def tasks(self) -> int:
        """Tasks of all iterations."""
        return sum(len(group.flat) * group.n for group in self.groups)

    def same_timing(self, other: object) -> bool:
        """Whether the two run alike whatever the resources; kinds do not matter."""
        return (
            isinstance(other, Groups)
            and [g.n for g in self.groups] == [g.n for g in other.groups]
            and all(np.array_equal(a, b) for a, b in zip(self.cross, other.cross, strict=True))
            and all(
                a.flat.same_timing(b.flat)
                and all(np.array_equal(x, y) for x, y in zip(a.lagged, b.lagged, strict=True))
                for a, b in zip(self.groups, other.groups, strict=True)
            )
        )


NO_LAGS = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64))


def lower(node: Node) -> Flat | Groups:
    """Return what the engines run: one flat block, or groups if a repeat can be run as one."""
    if isinstance(node, Flat) or not any(isinstance(n, Repeat) and bounded(n) for n in side_by_side(node)):
        return flatten(node)
    groups: list[Group] = []
    cross: list[tuple[int, Ints, int, Ints]] = []
    for child in side_by_side(node):
        if isinstance(child, Repeat) and bounded(child):
            at = len(groups)
            groups.append(Group(child.before, 1, NO_LAGS))
            groups.append(Group(child.block, child.n, child.lagged))
            groups.append(Group(child.after, 1, NO_LAGS))
            cross += [
                (at, child.enter[0], at + 1, child.enter[1]),
                (at + 1, child.leave[0], at + 2, child.leave[1]),
            ]
        else:
            groups.append(Group(flatten(child), 1, NO_LAGS))
    columns = [np.concatenate([np.broadcast_to(row[i], len(row[1])) for row in cross]) for i in range(4)]
    return Groups(tuple(groups), (columns[0], columns[1], columns[2], columns[3]))


def side_by_side(node: Node) -> list[Node]:
    """Return the children of nested parallels, in order."""
    if isinstance(node, Parallel):
        return [leaf for child in node.children for leaf in side_by_side(child)]
    return [node]


def bounded(repeat: Repeat) -> bool:
    """Whether iterations need not all exist at time 0: every task waits for something in the long run."""
    if repeat.n == 0:
        return False
    waits = repeat.block.waits + np.bincount(repeat.lagged[1], minlength=len(repeat.block))
    return bool((waits > 0).all()) or repeat.n <= max(int(repeat.lagged[2].max(initial=0)), 1)
