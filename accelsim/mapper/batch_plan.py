"""A frame and a shape turned into the tables that the batch kernel steps through.

Every count is a product over dimensions (see ``accelsim.cost.pairs``). Here the factors that any level,
tensor or choice of frontier asks for are listed once each: the chains of cuts of one dimension form a tree,
visited in preorder, so that chains with a common beginning share it.
"""

from collections.abc import Iterable
from math import gcd, prod

import numpy as np

from accelsim.cost.nest import WINDOWS
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, RELEVANT, ConvShape
from accelsim.mapper.batch_tables import Counting, padded
from accelsim.mapper.frame import Frame

Chain = tuple[tuple[int, bool], ...]
"""(cut, kept) pairs, outermost first: a kept cut tells its blocks apart, others lie over each other."""

GROUPS = ("G", "NPQ", "CRS", "K")
"""Dimensions that index the same tensors; all but the first are what one tensor does not depend on."""

ORDERS = (
    ("G", "NPQ", "CRS", "K"),
    ("G", "CRS", "NPQ", "K"),
    ("G", "K", "CRS", "NPQ"),
    ("G", "CRS", "K", "NPQ"),
    ("G", "K", "NPQ", "CRS"),
    ("G", "NPQ", "K", "CRS"),
)
"""Groups, outermost first, of the order codes: 0 and 1 keep inputs, 2 and 3 weights, 4 and 5 outputs."""

ORDER_RANKS = np.array([[order.index(g) for g in GROUPS] for order in ORDERS], float)


class Plan:
    """Collects the tables. ``slots`` are the sets of dims that share a rank in each group of loops."""

    def __init__(self, shape: ConvShape, frame: Frame, padding: str, permuted: bool) -> None:
        self.shape, self.frame, self.padding, self.permuted = shape, frame, padding, permuted
        live = [d for d in DIMS if shape[d] > 1]
        slots = [(d,) for d in DIMS] if permuted else [tuple(g) for g in GROUPS]
        self.slots = [kept for slot in slots if (kept := tuple(d for d in slot if d in live))]
        self.slot_ids = [i for i, slot in enumerate(slots) if any(d in live for d in slot)]
        self.live = live
        self.pool = 1  # arrays that start at 1 and are multiplied into; the first stays 1
        self.wanted: dict[tuple[str, Chain], dict[str, list[int]]] = {}
        self.counted: dict[tuple[tuple[str, Chain], ...], int] = {}
        self.links: dict[tuple[str, Chain], int] = {}
        self.windows: list[list[int]] = []
        self.use = [[self.new(), self.new()] if cut.axis else [-1, -1] for cut in frame.cuts]
        self.window_of: dict[tuple[int, Chain, Chain], int] = {}
        self.choices: list[tuple[int, int, list[int]]] = []
        self.choice_of: dict[tuple[int, int, tuple[int, ...]], int] = {}
        self.elements: list[tuple[float, list[int], list[int]]] = []
        self.element_of: dict[tuple[float, tuple[int, ...], tuple[int, ...]], int] = {}

    def new(self) -> int:
        """Index of another array of the pool."""
        self.pool += 1
        return self.pool - 1

    def want(self, dim: str, chain: Chain, kind: str, index: int) -> None:
        """Multiply the number (or the summed extents) of the blocks of a chain into an array of the pool."""
        self.wanted.setdefault((dim, chain), {"count": [], "sum": []})[kind].append(index)

    def chain(self, dim: str, timed: int, copies: int, depth: int, trim: bool = True) -> Chain:
        """Cuts of ``dim`` above ``depth``: of those in time the first ``timed`` kept, of others those above
        ``copies``.
        """
        chain: list[tuple[int, bool]] = []
        seen = 0
        for c, cut in enumerate(self.frame.cuts[:depth]):
            if dim in cut.dims:
                chain.append((c, c < copies if cut.axis else seen < timed))
            seen += cut.axis is None
        while trim and chain and not chain[-1][1]:
            chain.pop()
        return tuple(chain)

    def count(self, slot: int, timed: int, copies: int, depth: int) -> int:
        """Array of the number of blocks of a slot's dims, the first ``timed`` cuts in time kept."""
        dims = self.slots[slot]
        chains = [self.chain(d, timed, copies, depth) for d in dims]
        key = tuple((d, c) for d, c in zip(dims, chains, strict=True) if c)
        if not key:
            return 0
        if key not in self.counted:
            self.counted[key] = self.new()
            for dim, chain in key:
                self.want(dim, chain, "count", self.counted[key])
        return self.counted[key]

    def element(self, tensor: str, depth: int, copies: int) -> int:
        """Index of the elements of a tensor that move to ``depth``, told apart by the copies above
        ``copies``.
        """
        times = sum(cut.axis is None for cut in self.frame.cuts[:depth])
        chosen = []
        for slot, dims in enumerate(self.slots):
            if dims[0] in RELEVANT[tensor]:
                continue
            options = [self.count(slot, timed, copies, depth) for timed in range(times + 1)]
            if any(options):
                chosen.append(self._choice(tensor, slot, options))
        if tensor == "inputs":
            base, windows = self._windows(depth, copies, times)
        else:
            base, windows = float(prod(self.shape[d] for d in RELEVANT[tensor])), []
        key = (base, tuple(chosen), tuple(windows))
        if key not in self.element_of:
            self.element_of[key] = len(self.elements)
            self.elements.append((base, chosen, windows))
        return self.element_of[key]

    def _choice(self, tensor: str, slot: int, options: list[int]) -> int:
        key = (list(RELEVANT).index(tensor), slot, tuple(options))
        if key not in self.choice_of:
            self.choice_of[key] = len(self.choices)
            self.choices.append((key[0], slot, options))
        return self.choice_of[key]

    def _windows(self, depth: int, copies: int, times: int) -> tuple[float, list[int]]:
        base = float(prod(self.shape[d] for d in "NGC"))
        windows = []
        for axis, dims in enumerate(WINDOWS):
            p, r = (self.chain(d, times, copies, depth) if d in self.live else () for d in dims)
            near, apart = self.gaps(axis)
            if self.shape[dims[0]] <= near or self.shape[dims[1]] <= apart:
                base *= self.pairs_inside(axis)
                continue
            for dim, chain in zip(dims, (p, r), strict=True):
                if not all(kept for _, kept in chain):
                    raise AccelsimError(
                        f"frame: inputs pass by a level inside the array with loops in time around it, and"
                        f" {dim} may be unrolled; batches cannot count their halo, use accelsim.cost.evaluate"
                    )
            if (axis, p, r) not in self.window_of:
                self.window_of[axis, p, r] = len(self.windows)
                ends = [self._link(d, c) for d, c in zip(dims, (p, r), strict=True)]
                self.windows.append([axis, *ends, *(self.live.index(d) for d in dims)])
            windows.append(self.window_of[axis, p, r])
        return base, windows

    def _link(self, dim: str, chain: Chain) -> int:
        self.wanted.setdefault((dim, chain), {"count": [], "sum": []})
        return self.links.setdefault((dim, chain), len(self.links))

    def gaps(self, axis: int) -> tuple[int, int]:
        """Distance in positions and in taps between two pairs that read the same row."""
        stride, dilation = self.shape.stride[axis], self.shape.dilation[axis]
        return dilation // gcd(stride, dilation), stride // gcd(stride, dilation)

    def ranges(self, axis: int) -> list[tuple[int, int]]:
        """For every tap the first position, and the one past the last, whose row is read."""
        position, tap = WINDOWS[axis]
        positions, size = self.shape[position], self.shape.size[axis]
        if self.padding == "count":
            return [(0, positions)] * self.shape[tap]
        found = []
        for r in range(self.shape[tap]):
            base = self.shape.pad[axis] - r * self.shape.dilation[axis]
            low = min(max(-(-base // self.shape.stride[axis]), 0), positions)
            high = min(max(-(-(base + size) // self.shape.stride[axis]), low), positions)
            found.append((low, high))
        return found

    def pairs_inside(self, axis: int) -> float:
        """Pairs of position and tap whose row is read."""
        return float(sum(high - low for low, high in self.ranges(axis)))

    def summed(self, dims: Iterable[str], copies: int) -> tuple[int, float]:
        """Array, and factor, of the steps through ``dims``: cuts in time and copies above ``copies`` one
        after the other, others side by side.
        """
        index, factor = self.new(), 1.0
        for dim in dims:
            chain = self.chain(dim, len(self.frame.timed), copies, len(self.frame.cuts), trim=False)
            if all(kept for _, kept in chain):
                factor *= self.shape[dim]
            else:
                self.want(dim, chain, "sum", index)
        return index, factor

    def tables(self) -> Counting:
        """The finished tables; everything must have been asked for."""
        frame, shape = self.frame, self.shape
        own = {d: [c for c, cut in enumerate(frame.cuts) if d in cut.dims] for d in self.live}
        nodes, counts, sums, ranges = self._nodes(own)
        times = {c: j for j, c in enumerate(frame.timed)}
        chains = np.full((len(self.windows), 2, len(frame.cuts) + 1), -1, np.int64)
        for index, (axis, p, r) in enumerate(self.window_of):
            for side, (dim, chain) in enumerate(zip(WINDOWS[axis], (p, r), strict=True)):
                chains[index, side, : len(chain)] = [own[dim].index(c) for c, _ in chain]
        return Counting(
            pool=self.pool,
            links=len(self.links),
            bounds=np.array([shape[d] for d in self.live], float),
            slot=np.array([[d in s for s in self.slots].index(True) for d in self.live], np.int64),
            rows=padded([[frame.rows.index((c, d)) for c in own[d]] for d in self.live]),
            cuts=padded(list(own.values())),
            time_of=np.array([times.get(c, -1) for c in range(len(frame.cuts))], np.int64),
            use=np.array(self.use, np.int64).reshape(-1, 2),
            node_range=np.array(ranges, np.int64).reshape(-1, 2),
            nodes=np.array(nodes, np.int64).reshape(-1, 5),
            counts=padded(counts),
            sums=padded(sums),
            ranks=ORDER_RANKS[:, self.slot_ids] if not self.permuted else np.zeros((0, 0)),
            slot_dims=np.array(self.slot_ids, np.int64),
            relevant=np.array([[s[0] in RELEVANT[t] for s in self.slots] for t in RELEVANT], np.bool_),
            window=np.array(self.windows, np.int64).reshape(-1, 5),
            chains=chains,
            outside=padded([[v for pair in self.outside(axis) for v in pair] for axis in (0, 1)], 2).reshape(
                2, -1, 2
            ),
            inside=np.array([self.pairs_inside(axis) for axis in (0, 1)]),
            gaps=np.array([self.gaps(axis) for axis in (0, 1)], float),
            choice=np.array([c[:2] for c in self.choices], np.int64).reshape(-1, 2),
            options=padded([c[2] for c in self.choices]),
            base=np.array([e[0] for e in self.elements], float),
            chosen=padded([e[1] for e in self.elements]),
            within=padded([e[2] for e in self.elements]),
        )

    def _nodes(self, own: dict[str, list[int]]) -> tuple[list[list[int]], ...]:
        nodes: list[list[int]] = []
        counts: list[list[int]] = []
        sums: list[list[int]] = []
        ranges: list[list[int]] = []
        for dim in self.live:
            chains = {c: w for (d, c), w in self.wanted.items() if d == dim}
            for chain in list(chains):
                for k in range(len(chain)):
                    chains.setdefault(chain[:k], {"count": [], "sum": []})
            begin = len(nodes)
            for chain in sorted(chains):
                linked = self.links.get((dim, chain), -1)
                cut, kept = (own[dim].index(chain[-1][0]), int(chain[-1][1])) if chain else (-1, 1)
                nodes.append([len(chain), cut, kept, linked, self._gap(dim)])
                counts.append(chains[chain]["count"])
                sums.append(chains[chain]["sum"])
            ranges.append([begin, len(nodes)])
        return nodes, counts, sums, ranges

    def _gap(self, dim: str) -> int:
        for axis, dims in enumerate(WINDOWS):
            if dim in dims:
                return self.gaps(axis)[dims.index(dim)]
        return 0

    def outside(self, axis: int) -> list[tuple[int, int]]:
        """Pairs of position and tap that read outside the input, and whose row some other pair reads, too."""
        near, apart = self.gaps(axis)
        positions, taps = (self.shape[d] for d in WINDOWS[axis])
        spans = self.ranges(axis)
        return [
            (p, r)
            for r in range(apart, taps)
            for p in (*range(min(spans[r][0], positions - near)), *range(spans[r][1], positions - near))
        ]
