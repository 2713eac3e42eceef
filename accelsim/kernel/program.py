"""A program: the resources, the tree of tasks that runs on them, and how many kinds are counted."""

from collections.abc import Sequence

import numpy as np

from accelsim.errors import AccelsimError
from accelsim.kernel.flat import LIMIT_PS, Flat
from accelsim.kernel.resource import Resource
from accelsim.kernel.tree import Node, leaves, nodes


class Program:
    """Tasks on resources, ready to run.

    Parameters
    ----------
    resources : sequence of Resource
        Named apart; a task's ``resource`` is an index into them.
    root : Flat, Serial, Parallel or Repeat
    kinds : int
        Number of kinds; every task's kind is smaller.

    Raises
    ------
    AccelsimError
        With every problem found: names, index ranges, total time, in-order resources whose task
        order contradicts the edges.
    """

    __slots__ = ("__weakref__", "kinds", "resources", "root")

    def __init__(self, resources: Sequence[Resource], root: Node, kinds: int = 1) -> None:
        nodes("program", [root])
        self.resources, self.root, self.kinds = tuple(resources), root, kinds
        problems = []
        names = [r.name for r in self.resources]
        problems += [
            f"program: two resources are named {n!r}"
            for n in sorted({n for n in names if names.count(n) > 1})
        ]
        total = 0
        seen: set[int] = set()
        for flat, times in leaves(root):
            total += flat.work_ps * times
            if id(flat) not in seen:
                seen.add(id(flat))
                problems += self._problems(flat)
        if total >= LIMIT_PS:
            problems.append(
                f"program: the durations add up to {total} ps; a program must stay below 2^62 ps (53 days)"
            )
        if problems:
            raise AccelsimError(*dict.fromkeys(problems))
        self._check_order()

    @property
    def tasks(self) -> int:
        """Tasks of the distinct blocks, each counted once however often it runs."""
        return sum({id(flat): len(flat) for flat, _ in leaves(self.root)}.values())

    def _problems(self, flat: Flat) -> list[str]:
        problems = []
        if len(flat) and flat.resource.max() >= len(self.resources):
            task = int(np.argmax(flat.resource))
            problems.append(
                f"program: task {task} names resource {flat.resource[task]}, "
                f"but there are {len(self.resources)}"
            )
        if flat.kind is not None and len(flat):
            low, high = int(flat.kind.min()), int(flat.kind.max())
            if low < 0 or high >= self.kinds:
                wrong = low if low < 0 else high
                task = int(np.flatnonzero(flat.kind == wrong)[0])
                problems.append(f"program: task {task} has kind {wrong}, but kinds are 0 to {self.kinds - 1}")
        return problems

    def _check_order(self) -> None:
        """Refuse task numbers that would let an in-order resource wait for itself."""
        in_order = [i for i, r in enumerate(self.resources) if r.order == "in_order"]
        if not in_order:
            return
        from accelsim.kernel.ordering import order_problem

        problem = order_problem(self.root, self.resources, in_order)
        if problem:
            raise AccelsimError(problem)
