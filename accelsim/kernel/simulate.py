"""One leaf of the tree on the compiled engines: figures without kinds."""

from collections.abc import Iterator, Sequence

import numpy as np

from accelsim.kernel import layout
from accelsim.kernel.bounds import flat_bounds, groups_bounds
from accelsim.kernel.event_run import EventRun
from accelsim.kernel.flat import Flat
from accelsim.kernel.flatten import LIMIT
from accelsim.kernel.groups import Groups
from accelsim.kernel.resource import Resource
from accelsim.kernel.stream_run import LOG_LIMIT, StreamRun
from accelsim.kernel.sums import resource_sums
from accelsim.kernel.timing import Ints, Jump, Route, Timing


def simulate(
    leaf: Flat | Groups, resources: Sequence[Resource], keep_starts: bool, fast_forward: bool
) -> Timing:
    """Run one leaf of the tree."""
    if isinstance(leaf, Flat):
        return simulate_flat(leaf, resources, keep_starts)
    return simulate_groups(leaf, resources, keep_starts, fast_forward)


def simulate_flat(flat: Flat, resources: Sequence[Resource], keep_starts: bool) -> Timing:
    """Run a block that starts with everything idle, in one pass if all its resources are in order."""
    n = len(flat)
    if n == 0:
        nothing = np.zeros(0, np.int64)
        return Timing(0, 0, 0, 0, Route("full"), ((nothing, nothing),), path=nothing)
    tasks, _ = resource_sums(flat, len(resources))
    one_pass = flat.numbered and all(
        r.order == "in_order" for r, used in zip(resources, tasks, strict=False) if used
    )
    ends, path, longest, kind = (ordered if one_pass else by_events)(flat, resources)
    makespan = int(ends[path[-1]])
    lower, upper = flat_bounds(flat, resources, longest)
    shown = ((0, np.arange(n), ends - flat.duration),) if keep_starts else ()
    visits = ((path, np.ones(path.size, np.int64)),)
    return Timing(makespan, lower, upper, n, Route(kind), visits, shown, path=path)


def by_events(flat: Flat, resources: Sequence[Resource]) -> tuple[Ints, Ints, int | None, str]:
    """Return (end per task, critical path, longest chain if found, route) from the event engine."""
    run = EventRun(flat, resources)
    run.advance()
    return run.ends, run.path(), None, "full"


def ordered(flat: Flat, resources: Sequence[Resource]) -> tuple[Ints, Ints, int | None, str]:
    """The same from the single pass."""
    from accelsim.kernel.in_order import run_in_order, run_single_servers, walk_back, walk_single_servers

    n = len(flat)
    ends, reach = np.zeros(n, np.int64), np.zeros(n, np.int64)
    cause = np.empty(n, np.int32)
    tasks, edges, found = (flat.resource, flat.duration), (flat.offsets, flat.follow), (ends, cause, reach)
    unsigned = flat.offsets.view(np.uint32), flat.follow.view(np.uint32)
    single = all(r.servers == 1 for r in resources)
    if single:
        longest = run_single_servers(*tasks, *unsigned, np.zeros((len(resources), 8), np.int64), *found)
    else:
        first = np.cumsum([0] + [min(r.servers, n) for r in resources]).astype(np.uint64)
        longest = run_in_order(*tasks, *unsigned, first, int(first[-1]), *found)
    last = n - 1 - int(np.argmax(ends[::-1]))
    path = walk_single_servers(cause, ends, flat.duration, *edges, last) if single else walk_back(cause, last)
    return ends, path, int(longest), "in_order"


def simulate_groups(
    groups: Groups, resources: Sequence[Resource], keep_starts: bool, fast_forward: bool
) -> Timing:
    """Run groups that start together with everything idle, in rings, jumping where the state recurs."""
    from accelsim.kernel.attribution import visits_of

    log = min(groups.tasks, LIMIT if keep_starts else LOG_LIMIT)
    if log < groups.tasks and not (fast_forward or keep_starts):
        log = 0  # every task will start, so the log would end too early to hold a path
    run = StreamRun(groups, resources, fast_forward, log)
    run.run()
    simulated, logged = int(run.state[layout.DONE]), int(run.state[layout.LOGGED])
    if simulated != int((run.groups["n"] * run.groups["m"]).sum()):
        raise AssertionError(
            "a repeat stopped before its last task; this is an error in the kernel, please report it"
        )
    sizes = np.array([len(flat) for flat in groups.flats])
    group = np.repeat(np.arange(sizes.size, dtype=np.int32), sizes)
    first = np.cumsum(sizes) - sizes
    visits = None
    if logged <= log:
        times = visits_of(run.log, int(run.state[layout.FINAL]), run.skips, group)
        visits = tuple(
            (np.flatnonzero(part), part[part > 0])
            for part in (times[a : a + n] for a, n in zip(first, sizes, strict=True))
        )
    shown = tuple(trace_rows(run, min(logged, log), group, first)) if keep_starts else ()
    jumps, gone = [], 0
    for skip in run.skips:
        g = int(np.argmax(skip.period > 0))
        label = f"{skip.times * skip.period[g]} iterations like the {skip.period[g]} before"
        jumps.append(Jump(skip.found_ps + gone, skip.found_ps + gone + skip.length_ps, label))
        gone += skip.length_ps
    route = Route("streamed")
    if run.skips:
        g = int(np.argmax(run.skips[0].period > 0))
        route = Route("repeat", int(run.skips[0].period[g]), int(run.skips[0].saved[g]))
    return Timing(
        run.makespan_ps, *groups_bounds(groups, resources), simulated, route, visits, shown, tuple(jumps)
    )


def trace_rows(run: StreamRun, logged: int, group: Ints, first: Ints) -> Iterator[tuple[int, Ints, Ints]]:
    """Yield (group, tasks, starts) of what was logged, later than the jumps where it is."""
    local, start = run.log["local"][:logged], run.log["start"][:logged].copy()
    for skip in reversed(run.skips):
        start[run.log["start"][:logged] > skip.found_ps] += skip.length_ps
    for g, base in enumerate(first.tolist()):
        mine = group[local] == g
        yield g, local[mine] - base, start[mine]
