"""One leaf of the tree on the compiled engines: figures without kinds."""

from collections.abc import Sequence

import numpy as np

from accelsim.kernel.bounds import flat_bounds
from accelsim.kernel.event_run import EventRun
from accelsim.kernel.flat import Flat
from accelsim.kernel.resource import Resource
from accelsim.kernel.timing import Ints, Route, Timing


def simulate_flat(flat: Flat, resources: Sequence[Resource], keep_starts: bool) -> Timing:
    """Run a block that starts with everything idle, in one pass if all its resources are in order."""
    n = len(flat)
    if n == 0:
        nothing = np.zeros(0, np.int64)
        return Timing(0, 0, 0, 0, Route("full"), ((nothing, nothing),), path=nothing)
    used = np.unique(flat.resource)
    one_pass = flat.numbered and all(resources[r].order == "in_order" for r in used[used >= 0].tolist())
    ends, path, kind = (ordered if one_pass else by_events)(flat, resources)
    makespan = int(ends[path[-1]])
    lower, upper = flat_bounds(flat, resources)
    shown = ((0, np.arange(n), ends - flat.duration),) if keep_starts else ()
    visits = ((path, np.ones(path.size, np.int64)),)
    return Timing(makespan, lower, upper, n, Route(kind), visits, shown, path=path)


def by_events(flat: Flat, resources: Sequence[Resource]) -> tuple[Ints, Ints, str]:
    """Return (end per task, critical path, route) from the event engine."""
    run = EventRun(flat, resources)
    run.advance()
    return run.ends, run.path(), "full"


def ordered(flat: Flat, resources: Sequence[Resource]) -> tuple[Ints, Ints, str]:
    """The same from the single pass."""
    from accelsim.kernel.in_order import run_in_order, walk_back

    first = np.cumsum([0] + [min(r.servers, len(flat)) for r in resources]).astype(np.int64)
    ends, cause = run_in_order(flat.resource, flat.duration, flat.offsets, flat.follow, first, int(first[-1]))
    last = len(flat) - 1 - int(np.argmax(ends[::-1]))
    return ends, walk_back(cause, last), "in_order"
