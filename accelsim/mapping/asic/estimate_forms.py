"""The closed form of every layer (``estimate.closed_form_cycles``) as expressions over classes of tasks.

A class is a resource and an amount: bytes of a transfer, cycles of a computation. What a class lasts follows
from clocks and bandwidths; the expressions, from the mapping alone.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.max_plus import Expressions, Sum, reduced
from accelsim.mapping.asic.events import (
    BODY,
    COMPUTE,
    DONE,
    DRAIN,
    PURE_DELAY,
    SEND,
    STAGES,
    START,
    layer_tasks,
)
from accelsim.mapping.asic.plan import Ints, LayerPlan
from accelsim.mapping.asic.wiring import Wiring

Flags = NDArray[np.bool_]


class Forms:
    """Expressions of all layers, one table for the cycles of passes and one for chains of picoseconds."""

    def __init__(self, array: int) -> None:
        self.array = array
        self.classes: dict[tuple[int, int], int] = {}
        """(resource, amount) -> class"""
        self.cycles, self.times = Expressions(), Expressions()
        self.passes: list[int] = []
        """Per layer: the term of its passes, with what leads in and out."""
        self.busiest: list[int] = []
        """Per layer: the term of its busiest resource."""
        self.begin: list[int] = [0]
        self.term: list[int] = []
        self.follow: list[list[int]] = []
        """What is left of the tasks of all layers: where each layer begins, and the term of each task and
        those that follow it."""

    def add(self, plan: LayerPlan, wiring: Wiring) -> int:
        """Number of a new layer."""
        tasks = layer_tasks(plan, wiring.in_amounts())
        order = np.concatenate(tasks.order)
        resource = np.concatenate(tasks.resource)
        amount = np.concatenate(tasks.cycles)
        kinds = [self._class(r, a) for r, a in zip(resource.tolist(), amount.tolist(), strict=True)]
        self.passes.append(_Passes(self, plan, order, resource, np.array(kinds, np.int64)).term())
        work: dict[int, Counter[int]] = {}
        for r, kind in zip(resource.tolist(), kinds, strict=True):
            if kind >= 0:
                work.setdefault(r, Counter())[kind] += 1
        self.busiest.append(self.times.max(self.times.sum(w) for w in work.values()))
        number = np.empty(tasks.count, np.int64)
        by_number = np.argsort(order, kind="stable")
        number[by_number] = np.arange(tasks.count)
        none = [np.zeros(0, np.int64)]
        sources = number[np.concatenate(tasks.sources or none)].tolist()
        targets = number[np.concatenate(tasks.targets or none)].tolist()
        left, follow = reduced(
            [kinds[task] for task in by_number.tolist()], zip(sources, targets, strict=True), self.times
        )
        start = len(self.term)
        self.term += left
        self.follow += [[start + later for later in row] for row in follow]
        self.begin.append(len(self.term))
        return len(self.passes) - 1

    def _class(self, resource: int, amount: int) -> int:
        if resource == PURE_DELAY or amount == 0:
            return -1
        return self.classes.setdefault((resource, amount), len(self.classes))


class _Passes:
    """The estimate of one layer before its bounds; see ``closed_form_cycles`` for what is added up."""

    def __init__(self, forms: Forms, plan: LayerPlan, order: Ints, resource: Ints, kinds: Ints) -> None:
        self.forms, self.plan = forms, plan
        self.at_pass, self.stage = order // STAGES, order % STAGES
        self.resource, self.kinds = resource, kinds
        self.n = len(plan.cycles)
        skip = (PURE_DELAY, forms.array)
        self.others = [r for r in np.unique(resource).tolist() if r not in skip]

    def term(self) -> int:
        """Term of the whole layer."""
        plan, stage, at_pass = self.plan, self.stage, self.at_pass
        shared = np.isin(self.resource, self.others)
        total: Counter[int] = Counter()
        body = [self._per_pass((self.resource == r) & (stage >= BODY) & (stage < DONE)) for r in self.others]
        compute = self._per_pass((self.resource == self.forms.array) & (stage == COMPUTE))
        for sums in zip(compute, *body, strict=True):
            total[self._max(sums)] += 1
        before = [
            self._per_pass((self.resource == r) & (stage >= SEND) & (stage < START)) for r in self.others
        ]
        single = any(depth == 1 for depth in plan.register_buffers.values())
        side_by_side = len(before) > 1 and not plan.in_turn
        if single and plan.moves:
            for sums in zip(*before, strict=True):
                if side_by_side:
                    total[self._sum(sums[0])] += 1
                    total[self._max(sums[1:])] += 1
                else:
                    total.update(dict(pair for s in sums for pair in s))
        else:
            total.update(term for b in before for term, count in b[0] for _ in range(count))
        if any(depth == 1 for depth in plan.buffers.values()):
            total += self._count((at_pass > 0) & shared & (stage < SEND))
            total += self._count((at_pass < self.n - 1) & shared & (stage > DRAIN))
        total += self._count((at_pass == 0) & (stage < SEND))
        total += self._count((at_pass == self.n - 1) & (stage > DONE))
        return self.forms.cycles.sum(total)

    def _count(self, chosen: Flags) -> Counter[int]:
        kinds = self.kinds[chosen]
        return Counter(kinds[kinds >= 0].tolist())

    def _per_pass(self, chosen: Flags) -> list[tuple[tuple[int, int], ...]]:
        """Classes of the chosen tasks of each pass, with their counts."""
        found: list[Counter[int]] = [Counter() for _ in range(self.n)]
        for at, kind in zip(self.at_pass[chosen].tolist(), self.kinds[chosen].tolist(), strict=True):
            if kind >= 0:
                found[at][kind] += 1
        return [tuple(sorted(counter.items())) for counter in found]

    def _sum(self, terms: Iterable[tuple[int, int]]) -> int:
        sums: Sum = dict(terms)
        return self.forms.cycles.sum(sums)

    def _max(self, sums: Iterable[Iterable[tuple[int, int]]]) -> int:
        return self.forms.cycles.max(self._sum(s) for s in sums)
