"""Energy and traffic of a uniform frame as sums over the quantities of ``batch_classes``."""

from collections.abc import Mapping
from itertools import pairwise
from math import inf, prod

import numpy as np
from numpy.typing import NDArray

from accelsim.cost.hierarchy import Hierarchy
from accelsim.cost.nest import TENSORS, WINDOWS, LoopNest
from accelsim.graph.shape import DIMS, RELEVANT
from accelsim.mapper import batch_classes as classes
from accelsim.mapper.batch_chains import ROWS
from accelsim.mapper.batch_charges import placed
from accelsim.mapper.batch_plan import Plan
from accelsim.mapper.batch_tables import Float, padded
from accelsim.mapper.batch_uniform import Uniform

CLASS = {"K": 0} | dict.fromkeys("NPQ", 1) | dict.fromkeys("CRS", 2) | {"G": 3}


def is_uniform(plan: Plan) -> bool:
    """Whether the fast kernel knows the frame: order codes, two or three cuts in time, then the array, each
    dim over one axis at most, levels above the array and at most one inside.
    """
    frame = plan.frame
    times = len(frame.timed)
    unrolled = [d for cut in frame.cuts[times:] for d in cut.dims if d in plan.live]
    return (
        not plan.permuted
        and times in (2, 3)
        and frame.timed == tuple(range(times))
        and len(set(unrolled)) == len(unrolled)
        and {v.depth for v in frame.levels[1:]} <= {*range(1, times + 1), len(frame.cuts)}
    )


def linear(plan: Plan, hierarchy: Hierarchy) -> Uniform:
    """The tables of the fast kernel."""
    frame, shape = plan.frame, plan.shape
    times = len(frame.timed)
    memories = hierarchy.memories
    bits = _bits(plan, hierarchy)
    energy = sum(
        (b[0] * m.read_J + b[1] * m.write_J for m, b in zip(memories, bits, strict=True)),
        np.zeros(classes.QUANTITIES),
    )
    energy[classes.WHOLE] += shape.macs * hierarchy.mac_J
    axes = [a.name for a in hierarchy.axes]
    place = {d: axes.index(c.axis) for c in frame.cuts if c.axis is not None for d in c.dims}
    over = {d: frame.rows.index((c, d)) for c, cut in enumerate(frame.cuts) if cut.axis for d in cut.dims}
    rows = []
    for dim in DIMS:
        own = [frame.rows.index((c, dim)) for c in frame.timed]
        rows.append([*own, over.get(dim, own[-1])] if dim in plan.live else [-1] * (times + 1))
    near_apart = [plan.gaps(axis) for axis in (0, 1)]
    windowed = [shape[p] > g[0] and shape[r] > g[1] for (p, r), g in zip(WINDOWS, near_apart, strict=True)]
    outside = [[v for pair in plan.outside(axis) for v in pair] if windowed[axis] else [] for axis in (0, 1)]
    whole = LoopNest(shape, (), (frame.levels[0],))
    free = [inf if m.size_bits is None else float(m.size_bits) for m in memories]
    for tensor in TENSORS:
        bits_each = hierarchy.room_bits(tensor) * memories[0].buffers
        free[0] -= whole.tile(0, tensor, hierarchy.padding) * bits_each
    batch = float(shape.N * shape.G * shape.C)
    weights, outputs = (float(prod(shape[d] for d in RELEVANT[t])) for t in ("weights", "outputs"))
    return Uniform(
        bounds=np.array([shape[d] for d in DIMS], float),
        slot=np.array([CLASS[d] * ROWS for d in DIMS], np.int64),
        rows=np.array(rows, np.int64),
        place=np.array([place.get(d, len(axes)) for d in DIMS], np.int64),
        windowed=np.array([False] * 4 + windowed * 2),
        axis_size=np.array([a.size for a in hierarchy.axes], float),
        gaps=np.array(near_apart, float),
        size=np.array(shape.size if plan.padding == "skip" else (inf, inf), float),
        inside=np.array([plan.pairs_inside(axis) for axis in (0, 1)]),
        outside=padded(outside, 2).reshape(2, -1, 2),
        moved=(batch, weights, outputs),
        taken=(batch * plan.pairs_inside(0) * plan.pairs_inside(1), weights, outputs),
        energy=energy,
        bits=np.array(bits),
        port=np.array([(m.read_bits or 0.0, m.write_bits or 0.0, m.shared_port) for m in memories], float),
        spread=np.array([m.per_pe for m in memories]),
        compute=float(hierarchy.macs_per_pe),
        room=_room(plan, hierarchy),
        free=np.array(free),
    )


def _unit(*quantities: int) -> Float:
    row = np.zeros(classes.QUANTITIES)
    row[list(quantities)] = 1.0
    return row


def _bits(plan: Plan, hierarchy: Hierarchy) -> list[Float]:
    """Per memory bits read and written, as in ``evaluate``."""
    frame, width = plan.frame, hierarchy.bits
    memory_of = placed(plan, hierarchy)
    bits = {m.name: np.zeros((2, classes.QUANTITIES)) for m in hierarchy.memories}
    finished = float(prod(plan.shape[d] for d in RELEVANT["outputs"]))
    extra = finished * (width["outputs"] - width["partial"])
    for index, tensor in enumerate(TENSORS):
        chain = frame.chain(tensor)
        each = width["partial" if tensor == "outputs" else tensor]
        unvisited = finished * _unit(classes.WHOLE)
        for parent, child in pairwise(chain):
            above, below = bits[memory_of[parent].name], bits[memory_of[child].name]
            up, down = (_unit(q) for q in crossing(plan, child, index))
            if tensor != "outputs":
                above[0] += up * each
                below[1] += down * each
                continue
            back = up - unvisited
            unvisited = down - back
            above[0] += back * each
            below[1] += back * each
            above[1] += up * each + extra * _unit(classes.WHOLE)
            whole = classes.ALONE if memory_of[child].per_pe else classes.WHOLE
            below[0] += down * each + extra * _unit(whole)
        at = bits[memory_of[chain[-1]].name]
        taken = (
            plan.shape.macs * _unit(classes.WHOLE)
            if memory_of[chain[-1]].per_pe
            else _unit(classes.TAKEN + index)
        )
        if tensor == "outputs":
            at[1] += taken * each
            at[0] += (taken - unvisited) * each
        else:
            at[0] += taken * each
    return list(bits.values())


def crossing(plan: Plan, child: int, tensor: int) -> tuple[int, int]:
    """Quantities that are the elements of a tensor at the parent and at the children of a level."""
    depth, times = plan.frame.levels[child].depth, len(plan.frame.timed)
    if depth <= times and depth < len(plan.frame.cuts):
        return (classes.UP + 3 * (depth - 1) + tensor,) * 2
    return classes.UP + 3 * (times - 1) + tensor, classes.DOWN + tensor


def _room(plan: Plan, hierarchy: Hierarchy) -> NDArray[np.float64]:
    frame, times = plan.frame, len(plan.frame.timed)
    names: Mapping[str, int] = {m.name: i for i, m in enumerate(hierarchy.memories)}
    room = np.zeros((len(names), 12))
    for level, memory in zip(frame.levels, placed(plan, hierarchy), strict=True):
        if memory.size_bits is None or level.depth == 0:
            continue
        inner = level.depth > times or level.depth == len(frame.cuts)
        cut = 3 if inner else level.depth - 1
        for tensor in level.tensors:
            room[names[memory.name], 3 * cut + TENSORS.index(tensor)] += (
                hierarchy.room_bits(tensor) * memory.buffers
            )
    return room
