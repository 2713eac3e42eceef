"""Several ways to map one layer, and which of them is best."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from accelsim.errors import AccelsimError
from accelsim.kernel import Flat
from accelsim.mapping.asic.layer import MappedLayer
from accelsim.mapping.asic.wiring import Wiring
from accelsim.spec.catalog import names
from accelsim.spec.dataflow import Dataflow, load_dataflow

BEST = "best"
"""Instead of the name of a dataflow: every shipped one is tried."""


@dataclass(frozen=True, slots=True)
class Way:
    """A layer as lowered in one way: its tasks, cycles in closed form, and energy (None = unknown).

    ``view`` is the wiring as the layer's plan sees it.
    """

    layer: MappedLayer
    view: Wiring
    flat: Flat
    cycles: int
    energy_J: float | None

    def rank(self, goal: str) -> tuple[float, float]:
        """The goal's figure, then the one that decides between equals."""
        energy = inf if self.energy_J is None else self.energy_J
        if goal == "energy":
            return energy, self.cycles
        if goal == "edp":
            return self.cycles * energy, self.cycles
        return self.cycles, energy


def load_dataflows(text: str) -> tuple[Dataflow, ...]:
    """The dataflows that a switch names: one, several with commas between, or all shipped ones (``best``).

    Raises
    ------
    AccelsimError
        For names that are not known, all at once, and for one that is listed twice.
    """
    listed = names("dataflows") if text.strip() == BEST else tuple(n.strip() for n in text.split(","))
    problems = [f"dataflow {text!r} lists {n!r} twice" for n in dict.fromkeys(listed) if listed.count(n) > 1]
    if "" in listed:
        problems.append(f"dataflow {text!r} has a comma with no name beside it")
    if BEST in listed:
        problems.append(f"dataflow {text!r}: {BEST!r} stands alone: it means every shipped dataflow")
    if problems:
        raise AccelsimError(*problems)
    found = []
    for name in listed:
        try:
            found.append(load_dataflow(name))
        except AccelsimError as error:
            problems += error.problems
    if problems:
        raise AccelsimError(*problems)
    return tuple(found)


def best_way(ways: Iterable[Callable[[], Way]], goal: str) -> Way:
    """The least of the goal's figure among the ways that fit; the earlier wins ties.

    Raises
    ------
    AccelsimError
        If none fits, with what is wrong with each; or if the goal needs an energy that is not known.
    """
    best: Way | None = None
    errors: list[AccelsimError] = []
    for way in ways:
        try:
            found = way()
        except AccelsimError as error:
            errors.append(error)
            continue
        if best is None or found.rank(goal) < best.rank(goal):
            best = found
    if best is None:
        if len(errors) == 1:  # which may say more than its sentences
            raise errors[0]
        raise AccelsimError(*dict.fromkeys(problem for error in errors for problem in error.problems))
    return best
