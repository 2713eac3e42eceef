"""What no schedule can beat, and what no work-conserving queue can exceed.

lower = max over resources of ceil(work / servers), and the longest chain including delays.
upper = the sum of all durations (something always runs) or, when every resource is fifo or priority,
the smaller of that and sum of work / servers + the longest chain with each duration weighted
1 - 1 / servers (1 for delays): whenever such a chain is not running, every server of the resource
it waits for is busy. With an in-order resource that second form is false.
"""

from collections.abc import Sequence
from math import lcm
from typing import Any

import numpy as np
import numpy.typing as npt

from accelsim.kernel.flat import LIMIT_PS, Flat
from accelsim.kernel.groups import Groups
from accelsim.kernel.resource import Resource

Ints = npt.NDArray[np.int64]


def weights(resources: Sequence[Resource], total_ps: int) -> tuple[Ints, int]:
    """Return (1 - 1 / servers per resource, 1) in units of a common denominator, which is the second.

    The denominator is 0, and the weighted chain not used, if the chains could overflow.
    """
    unit = lcm(*(r.servers for r in resources)) if resources else 1
    if total_ps * unit >= LIMIT_PS:
        return np.zeros(len(resources), np.int64), 0
    return np.array([unit - unit // r.servers for r in resources], np.int64), unit


def spreads(resources: Sequence[Resource], work: Sequence[int]) -> bool:
    """Whether the second form of ``upper`` holds: no in-order resource has any work."""
    return not any(w and r.order == "in_order" for w, r in zip(work, resources, strict=True))


def combine(
    resources: Sequence[Resource], work: Sequence[int], total_ps: int, plain: int, weighted: int, unit: int
) -> tuple[int, int]:
    """Return (lower, upper) in picoseconds from the work per resource and the two longest chains."""
    lower = max([plain, *(-(-w // r.servers) for w, r in zip(work, resources, strict=True))])
    if not unit or not spreads(resources, work):
        return lower, total_ps
    spread = sum(w * (unit // r.servers) for w, r in zip(work, resources, strict=True))
    return lower, min(total_ps, (spread + weighted) // unit)


def flat_bounds(flat: Flat, resources: Sequence[Resource], longest_ps: int | None = None) -> tuple[int, int]:
    """Return (lower, upper) of a block that starts with everything idle; worked out once per block.

    ``longest_ps`` is the longest chain, if it is known already.
    """
    key = ("bounds", tuple((r.servers, r.order) for r in resources))
    if key not in flat.derived:
        flat.derived[key] = _flat_bounds(flat, resources, longest_ps)
    known: Any = flat.derived[key]
    return known[0], known[1]


def _flat_bounds(flat: Flat, resources: Sequence[Resource], longest_ps: int | None) -> tuple[int, int]:
    from accelsim.kernel.chains import longest
    from accelsim.kernel.sums import resource_sums

    tasks, sums = resource_sums(flat, len(resources))
    work = sums[:-1].tolist()
    order = np.zeros(0, np.int32) if flat.numbered else flat.order()

    def chain(weight: Ints) -> int:
        if not weight[tasks > 0].any():
            return 0
        reach = np.zeros(len(flat), np.int64)
        return int(longest(order, flat.resource, flat.duration, weight, flat.offsets, flat.follow, reach))

    plain = chain(np.ones(len(tasks), np.int64)) if longest_ps is None else longest_ps
    weight, unit = weights(resources, flat.work_ps)
    weight = np.append(weight, unit)  # the last one is for -1, a pure delay
    weighted = chain(weight) if spreads(resources, work) else 0
    return combine(resources, work, flat.work_ps, plain, weighted, unit)


def groups_bounds(groups: Groups, resources: Sequence[Resource]) -> tuple[int, int]:
    """Return (lower, upper) of groups that start together with everything idle."""
    from accelsim.kernel.chains import repeat_longest
    from accelsim.kernel.sums import resource_sums

    total = sum(group.flat.work_ps * group.n for group in groups.groups)
    weight, unit = weights(resources, total)
    weight = np.append(weight, unit)  # the last one is for -1, a pure delay
    longest = [0, 0]
    reach: list[Ints] = []
    for index, group in enumerate(groups.groups):
        flat = group.flat
        enter = np.zeros((len(flat), 2), np.int64)
        here = groups.cross[2] == index
        for source_group, source, target in zip(
            *(groups.cross[i][here].tolist() for i in (0, 1, 3)), strict=True
        ):
            enter[target] = np.maximum(enter[target], reach[source_group][source])
        source, target, lag = group.lagged
        plain, weighted, ends = repeat_longest(
            flat.order(), flat.duration, flat.duration * weight[flat.resource], flat.offsets, flat.follow,
            group.n, source, target, lag, enter,
        )  # fmt: skip
        reach.append(ends)
        longest = [max(longest[0], int(plain)), max(longest[1], int(weighted))]
    work = [0] * len(resources)
    for group in groups.groups:
        for r, w in enumerate(resource_sums(group.flat, len(resources))[1][:-1].tolist()):
            work[r] += w * group.n
    return combine(resources, work, total, longest[0], longest[1], unit)
