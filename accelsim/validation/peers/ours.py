"""Our best for the job of a peer: proven where its formulas are ours, by local search where they are not."""

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import ValidationError

from accelsim.cost.nest import LoopNest
from accelsim.cost.written import read_nest
from accelsim.mapper.anneal import Judge, anneal
from accelsim.mapper.search import best_mapping
from accelsim.spec.base import FileSpec, Spec
from accelsim.spec.mapping import Entry
from accelsim.spec.reader import read_file
from accelsim.spec.sentences import explain
from accelsim.spec.tree import Problems
from accelsim.validation.peers.judge import periodic_figures, room_faults
from accelsim.validation.peers.records import Goal, PeerFile, load_peers

KEPT = "ours.yaml"

TIE = 1e-9
"""Exponent of the second figure in what the local search makes small: it decides between equals only."""


class OurRow(Spec):
    """A mapping that our local search found under a peer's formulas; its figures are computed, not kept."""

    peer: str
    layer: str
    goal: Goal
    nest: tuple[Entry, ...]


class OursFile(FileSpec):
    """Mappings found by ``local_best``, kept because a search takes seconds and judging one a millisecond."""

    kind: Literal["ours"]
    rows: tuple[OurRow, ...]


def proven_best(peer: PeerFile, layer: str, goal: Goal) -> LoopNest:
    """Best mapping with certificate, in the space of one tile per level, for a peer with exact formulas."""
    order: tuple[Goal, Goal] = ("energy", "latency") if goal == "energy" else (goal, "energy")
    return best_mapping(peer.shape(layer), peer.hierarchy, order).nest


def local_best(
    peer: PeerFile, layer: str, goal: Goal, steps: int = 3000, seeds: tuple[int, ...] = (0, 1, 2)
) -> LoopNest:
    """Best mapping that the local search finds under a peer's periodic formulas, of one walk per seed.

    The array is filled as the driver fills it for the peer: by these formulas a filling that leaves a
    remainder looks cheaper than it is, and the comparison is to be one of searches.
    """
    job = (peer.shape(layer), peer.hierarchy, peer.unrolling(layer), objective(peer, goal))
    return min((anneal(*job, steps=steps, seed=seed) for seed in seeds), key=lambda walk: walk[0])[1]


def objective(peer: PeerFile, goal: Goal) -> Judge:
    """What the local search makes small."""

    def value(nest: LoopNest) -> float:
        if room_faults(nest, peer.hierarchy):
            return float("inf")
        cycles, energy_J = periodic_figures(nest, peer)
        if goal == "edp":
            return cycles * energy_J
        first, second = (cycles, energy_J) if goal == "latency" else (energy_J, cycles)
        return float(first * second**TIE)

    return value


@cache
def load_ours() -> dict[tuple[str, str, Goal], LoopNest]:
    """The kept mappings by peer, layer and goal.

    Raises
    ------
    AccelsimError
        With everything that is wrong in the file.
    """
    (document,) = read_file(files("accelsim.validation.peers") / KEPT, f"accelsim/validation/peers/{KEPT}")
    problems = Problems()
    try:
        kept = OursFile.model_validate(document.data)
    except ValidationError as error:
        explain(error, OursFile, document.root, (), problems)
        problems.raise_any()
        raise
    peers = load_peers()
    found = {}
    for row in kept.rows:
        peer = peers[row.peer]
        holds = {m.name: m.holds for level in peer.machine.levels for m in level}
        found[row.peer, row.layer, row.goal] = read_nest(row.nest, peer.shape(row.layer), holds)
    return found
