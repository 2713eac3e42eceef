"""What a hierarchy charges for the elements of a frame, in tables; definitions are those of ``evaluate``."""

from itertools import pairwise
from math import inf, prod

import numpy as np

from accelsim.cost.hierarchy import WORDS, Hierarchy, Memory
from accelsim.cost.nest import TENSORS, WINDOWS
from accelsim.errors import AccelsimError, did_you_mean
from accelsim.graph.shape import RELEVANT
from accelsim.mapper.batch_plan import Plan
from accelsim.mapper.batch_tables import Charging, Int, padded


class Charges:
    """Asks a plan for everything that a hierarchy charges for, and lists it."""

    def __init__(self, plan: Plan, hierarchy: Hierarchy) -> None:
        self.plan, self.hierarchy = plan, hierarchy
        self.frame, self.shape = plan.frame, plan.shape
        self.memory_of = placed(plan, hierarchy)
        self._check_diagonals()
        self.names = [m.name for m in hierarchy.memories]
        self.boundaries: list[tuple[str, int, int]] = [
            (tensor, parent, child)
            for tensor in TENSORS
            for parent, child in pairwise(self.frame.chain(tensor))
        ]

    def tables(self) -> Charging:
        """The tables; the plan must be finished after this, not before."""
        memories, plan = self.hierarchy.memories, self.plan
        boundary = []
        for tensor, parent, child in self.boundaries:
            levels = self.frame.levels
            depth = levels[child].depth
            ends = [plan.element(tensor, depth, levels[i].depth) for i in (parent, child)]
            homes = [self.names.index(self.memory_of[i].name) for i in (parent, child)]
            boundary.append([TENSORS.index(tensor), *homes, *ends, parent, child])
        taken, taken_base = self._taken()
        steps, steps_base = plan.summed(plan.live, 0)
        room, room_bits, room_window, volumes = self._room()
        depth_of = {
            m.name: max(
                (v.depth for v, o in zip(self.frame.levels, self.memory_of, strict=True) if o is m), default=0
            )
            for m in memories
        }
        return Charging(
            boundary=np.array(boundary, np.int64).reshape(-1, 7),
            width=np.array([self.hierarchy.bits[w] for w in WORDS], float),
            taken=np.array(taken, np.int64),
            taken_base=np.array(taken_base, float),
            macs=float(self.shape.macs),
            outputs=float(prod(self.shape[d] for d in RELEVANT["outputs"])),
            reduced=padded([self._used(0, v.depth, 1) for v in self.frame.levels]),
            copies=padded([self._used(0, depth_of[m.name], 0) for m in memories]),
            energy=np.array([(m.read_J, m.write_J) for m in memories]),
            port=np.array(
                [(m.read_bits or 0.0, m.write_bits or 0.0, m.shared_port) for m in memories], float
            ),
            axis=padded(
                [
                    [plan.use[c][0] for c, cut in enumerate(self.frame.cuts) if cut.axis == axis.name]
                    for axis in self.hierarchy.axes
                ]
            ),
            axis_size=np.array([a.size for a in self.hierarchy.axes], float),
            mac_J=float(self.hierarchy.mac_J),
            macs_per_pe=float(self.hierarchy.macs_per_pe),
            steps=steps,
            steps_base=steps_base,
            room=np.array(room, np.int64).reshape(-1, 2),
            room_bits=np.array(room_bits, float),
            room_window=np.array(room_window, np.int64).reshape(-1, 4, 2),
            volumes=volumes,
            size=np.array([inf if m.size_bits is None else m.size_bits for m in memories], float),
            rows=np.array(self.shape.size if plan.padding == "skip" else (inf, inf), float),
        )

    def _used(self, begin: int, end: int, kind: int) -> list[int]:
        """Arrays of the positions that the array's cuts from ``begin`` to ``end`` use; 1: of reduced dims."""
        return [self.plan.use[c][kind] for c in range(begin, end) if self.frame.cuts[c].axis is not None]

    def _taken(self) -> tuple[list[list[int]], list[float]]:
        plan, shape = self.plan, self.shape
        taken, bases = [], []
        for tensor in TENSORS:
            innermost = self.frame.chain(tensor)[-1]
            memory = self.memory_of[innermost]
            steps, base = -1, 1.0
            if not memory.per_pe:
                depth = self.frame.levels[innermost].depth
                steps, base = plan.summed([d for d in plan.live if d not in RELEVANT[tensor]], depth)
                base *= prod(shape[d] for d in ("NGC" if tensor == "inputs" else RELEVANT[tensor]))
                if tensor == "inputs":
                    base *= plan.pairs_inside(0) * plan.pairs_inside(1)
            taken.append([self.names.index(memory.name), steps])
            bases.append(base)
        return taken, bases

    def _check_diagonals(self) -> None:
        """Refuse elements at positions and taps side by side that take the same row from above the array."""
        innermost = self.frame.levels[self.frame.chain("inputs")[-1]]
        inside = [cut for cut in self.frame.cuts[innermost.depth :] if cut.axis]
        unrolled = {d for cut in inside for d in cut.dims}
        for axis, dims in enumerate(WINDOWS):
            near, apart = self.plan.gaps(axis)
            if unrolled.issuperset(dims) and near < self.shape[dims[0]] and apart < self.shape[dims[1]]:
                raise AccelsimError(
                    f"frame: inputs come from above the array, over which {dims[0]} and {dims[1]} may both be"
                    " unrolled; batches cannot count rows taken together, use accelsim.cost.evaluate"
                )

    def _room(self) -> tuple[list[list[int]], list[float], list[list[list[int]]], Int]:
        plan, hierarchy = self.plan, self.hierarchy
        room, bits, windows = [], [], []
        volumes: dict[str, list[int]] = {d: [] for d in plan.live}
        for level, memory in zip(self.frame.levels, self.memory_of, strict=True):
            for tensor in level.tensors:
                pool, each, window = plan.new(), float(hierarchy.room_bits(tensor) * memory.buffers), []
                for dim in RELEVANT[tensor]:
                    cut = self._cut_at(dim, level.depth)
                    if tensor == "inputs" and dim in "PQRS":
                        continue
                    if cut < 0:
                        each *= self.shape[dim]
                    else:
                        volumes[dim] += [cut, pool]
                if tensor == "inputs":
                    window = [
                        [plan.live.index(d) if d in plan.live else -1, self._cut_at(d, level.depth)]
                        for dims in WINDOWS
                        for d in dims
                    ]
                room.append([self.names.index(memory.name), pool])
                bits.append(each)
                windows.append(window or [[-2, -1]] * 4)
        return room, bits, windows, padded([volumes[d] for d in plan.live], 2).reshape(len(plan.live), -1, 2)

    def _cut_at(self, dim: str, depth: int) -> int:
        """Innermost cut of ``dim`` above ``depth``, among those of the dim; -1 if the dim is whole there."""
        if dim not in self.plan.live:
            return -1
        return sum(dim in cut.dims for cut in self.frame.cuts[:depth]) - 1


def placed(plan: Plan, hierarchy: Hierarchy) -> list[Memory]:
    """Memory of every level of the frame.

    Raises
    ------
    AccelsimError
        If the frame's levels or axes do not fit the hierarchy; all of it at once.
    """
    memories = {m.name: m for m in hierarchy.memories}
    axes = {a.name: a for a in hierarchy.axes}
    rank = {m.name: i for i, level in enumerate(hierarchy.levels) for m in level}
    cuts, found, problems = plan.frame.cuts, [], []
    for level in plan.frame.levels:
        memory = memories.get(level.name.split(".")[0])
        if memory is None:
            hint = did_you_mean(level.name.split(".")[0], memories)
            problems.append(f"level {level.name!r} names no memory{hint}; known are {', '.join(memories)}")
            continue
        found.append(memory)
        problems += [
            f"level {level.name!r}: memory {memory.name} does not hold {tensor}"
            for tensor in level.tensors
            if tensor not in memory.tensors
        ]
        if memory.per_pe and any(cut.axis for cut in cuts[level.depth :]):
            problems.append(f"level {level.name!r}: it is per_pe, and cuts of the array lie inside it")
        if not memory.per_pe and any(cut.axis for cut in cuts[: level.depth]):
            problems.append(f"level {level.name!r}: it is above the array, and cuts of the array outside it")
    for tensor in TENSORS:
        chain = [found[i] for i in plan.frame.chain(tensor)] if not problems else []
        for above, below in pairwise(chain):
            if rank[above.name] >= rank[below.name]:
                problems.append(f"{tensor}: memory {below.name} inside {above.name}, unlike in the hierarchy")
    for cut in cuts:
        if cut.axis is not None and cut.axis not in axes:
            hint = did_you_mean(cut.axis, axes)
            problems.append(f"axis {cut.axis!r} is not one of the array{hint}")
        elif cut.axis is not None and not set(cut.dims) <= set(axes[cut.axis].dims):
            problems.append(
                f"axis {cut.axis!r}: only {' '.join(axes[cut.axis].dims)} may be unrolled over it"
            )
    if problems:
        raise AccelsimError(*(f"frame on {hierarchy.name}: {p}" for p in problems))
    return found
