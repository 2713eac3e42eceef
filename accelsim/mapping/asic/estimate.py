"""The latency of a layer without events: what its slowest resource needs, plus filling and draining it."""

from collections.abc import Sequence

import numpy as np

from accelsim.kernel import Flat, Resource
from accelsim.kernel.bounds import flat_bounds
from accelsim.mapping.asic.events import BODY, DONE, DRAIN, PURE_DELAY, SEND, STAGES, START, Tasks
from accelsim.mapping.asic.plan import Ints, LayerPlan


def closed_form_cycles(
    plan: LayerPlan,
    tasks: Tasks,
    flat: Flat,
    resources: Sequence[Resource],
    array: int,
    period: tuple[int, int],
) -> int:
    """Cycles of a layer, estimated.

    The array works through its passes; each lasts as long as its compute or, if longer, the slowest stream
    beside it. With a single register buffer, what must be in the array before a pass is not hidden by the one
    before; with a single shared buffer, neither are its loads and stores. In front stands the first tile's
    way in, behind the last one's way out. The busiest resource and the longest chain of tasks bound the layer
    from below, so the estimate is never smaller.
    """
    order = np.concatenate(tasks.order)
    resource = np.concatenate(tasks.resource)
    cycles = np.concatenate(tasks.cycles)
    at_pass, stage = order // STAGES, order % STAGES
    n = len(plan.cycles)
    others = [r for r in np.unique(resource).tolist() if r not in (PURE_DELAY, array)]

    def per_pass(chosen: "np.typing.NDArray[np.bool_]") -> Ints:
        return np.bincount(at_pass[chosen], cycles[chosen], n).astype(np.int64)

    length = plan.cycles.copy()
    for r in others:
        length = np.maximum(length, per_pass((resource == r) & (stage >= BODY) & (stage < DONE)))
    before = [per_pass((resource == r) & (stage >= SEND) & (stage < START)) for r in others]
    first = int(sum(b[0] for b in before))
    single = any(depth == 1 for depth in plan.register_buffers.values())
    # The DRAM (the first resource) comes before the links, which work side by side unless they take turns.
    side_by_side = len(before) > 1 and not plan.in_turn
    exposed = before[0] + np.max(before[1:], axis=0, initial=0) if side_by_side else sum(before)
    chain = int(length.sum()) + (int(np.sum(exposed)) if single and plan.moves else first)
    if any(depth == 1 for depth in plan.buffers.values()):
        chain += int(cycles[(at_pass > 0) & np.isin(resource, others) & (stage < SEND)].sum())
        chain += int(cycles[(at_pass < n - 1) & np.isin(resource, others) & (stage > DRAIN)].sum())
    lead = int(cycles[(at_pass == 0) & (stage < SEND)].sum())
    tail = int(cycles[(at_pass == n - 1) & (stage > DONE)].sum())
    lower_ps, _ = flat_bounds(flat, resources)
    return max(lead + chain + tail, lower_ps * period[1] // period[0])
