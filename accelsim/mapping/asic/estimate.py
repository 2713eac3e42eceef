"""The latency of a layer without events: what its slowest resource needs, plus filling and draining it."""

import numpy as np

from accelsim.mapping.asic.events import BODY, DONE, PURE_DELAY, SEND, STAGES, START, Tasks
from accelsim.mapping.asic.plan import LayerPlan


def closed_form_cycles(plan: LayerPlan, tasks: Tasks, array: int) -> int:
    """Cycles of a layer, estimated.

    The array works through its passes; each lasts as long as its compute or, if longer, the slowest stream beside
    it, plus what must be in the array before it when the registers hold one tile only. In front stands the first
    tile's way in, behind the last one's way out. Any resource that is busy for longer than all this bounds the layer.
    """
    order = np.concatenate(tasks.order)
    resource = np.concatenate(tasks.resource)
    cycles = np.concatenate(tasks.cycles)
    at_pass, stage = order // STAGES, order % STAGES
    n = len(plan.cycles)
    length = plan.cycles.copy()
    exposed = np.zeros(n, np.int64)
    for r in np.unique(resource[(resource != PURE_DELAY) & (resource != array)]):
        mine = resource == r
        flowing = mine & (stage >= BODY) & (stage < DONE)
        length = np.maximum(length, np.bincount(at_pass[flowing], cycles[flowing], n).astype(np.int64))
        before = mine & (stage >= SEND) & (stage < START)
        exposed = np.maximum(exposed, np.bincount(at_pass[before], cycles[before], n).astype(np.int64))
    single = all(depth == 1 for depth in plan.register_buffers.values())
    chain = int(length.sum()) + (int(exposed.sum()) if single and plan.moves else int(exposed[:1].sum()))
    lead = int(cycles[(at_pass == 0) & (stage < (SEND if plan.moves else START))].sum())
    tail = int(cycles[(at_pass == n - 1) & (stage > DONE)].sum())
    if any(depth == 1 for depth in plan.buffers.values()):  # nothing is fetched while the only buffer is in use
        outside = (at_pass > 0) & (resource != array) & (stage < SEND) & (resource != PURE_DELAY)
        chain += int(cycles[outside].sum())
    busiest = max(tasks.busy_cycles().values())
    return max(lead + chain + tail, busiest)
