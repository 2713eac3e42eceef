"""The critical path of a run with repeats: a walk through the log, period by period where it was jumped."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from accelsim.kernel.stream_run import Skip


@njit(cache=True)
def tally(log, entry, after, visits):  # type: ignore[no-untyped-def]
    """Walk back over entries that started later than ``after``, counting; return the first other."""
    while entry >= 0 and log[entry].start > after:
        visits[log[entry].local] += 1
        entry = log[entry].cause
    return entry


@njit(cache=True)
def find(log, entry, local, iteration):  # type: ignore[no-untyped-def]
    """Return the first entry after ``entry`` that is this local task in this iteration."""
    for later in range(entry + 1, log.size):
        if log[later].local == local and log[later].iteration == iteration:
            return later
    return -1


def visits_of(
    log: npt.NDArray[np.void],
    final: int,
    skips: Sequence[Skip],
    group: npt.NDArray[np.int32],
) -> npt.NDArray[np.int64]:
    """Return how often each local task is on the critical path, the skipped periods included.

    A task that started in or before the period that was skipped k times stands for its copy k periods
    later. Walking back, each period before its copy is one copy less; as soon as the walk enters a
    period at a task where it entered one before, the periods between are counted without walking.
    """
    visits = np.zeros(group.size, np.int64)
    entry = final
    for skip in reversed(skips):
        entry = tally(log, entry, skip.found_ps, visits)
        left = skip.times
        entered: dict[int, tuple[int, npt.NDArray[np.int64]]] = {}
        while entry >= 0:
            # the same task, as many periods later as it takes to lie inside the period that was simulated
            while left and log["start"][entry] <= skip.saved_ps:
                local = int(log["local"][entry])
                iteration = int(log["iteration"][entry] + skip.period[group[local]])
                entry = find(log, entry, local, iteration)
                left -= 1
            if not left:
                break
            if entry in entered:
                left_then, visits_then = entered.pop(entry)
                rounds = left // (left_then - left)
                visits += rounds * (visits - visits_then)
                left -= rounds * (left_then - left)
                entered.clear()
                if not left:
                    break
            entered[entry] = left, visits.copy()
            entry = tally(log, entry, skip.saved_ps, visits)
    tally(log, entry, -1, visits)
    return visits
