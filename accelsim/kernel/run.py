"""Run a Program: the tree is walked, equal leaves are simulated once, figures are put together."""

from collections.abc import Callable, Sequence

import numpy as np

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.kernel.flat import Flat
from accelsim.kernel.flatten import flatten
from accelsim.kernel.groups import Groups, lower
from accelsim.kernel.program import Program
from accelsim.kernel.result import Part, Result, Shown, Totals
from accelsim.kernel.timing import Ints, Route, Timing
from accelsim.kernel.tree import Node, Parallel, Repeat, Serial

ENGINES = ("compiled", "simpy")


def run(
    program: Program, engine: str = "compiled", fast_forward: bool = True, keep_starts: bool = False
) -> Result:
    """Simulate a program and return its figures.

    Parameters
    ----------
    engine : {"compiled", "simpy"}
        The same meaning and the same figures, fast or readable.
    fast_forward : bool
        Simulate equal parts once and jump over repetitions; exact either way.
    keep_starts : bool
        Keep the start of every simulated task, for ``Result.trace``: 8 bytes per task.

    Raises
    ------
    AccelsimError
        Unknown engine, or a program too large to be run flat where it has to be.
    """
    if engine not in ENGINES:
        raise AccelsimError(
            f"run: engine must be compiled or simpy, not {engine!r}{did_you_mean(engine, ENGINES)}"
        )
    if engine == "simpy":
        from accelsim.kernel.reference import simulate_simpy

        return _Run(program, flatten, simulate_simpy, fast_forward, keep_starts).result()
    from accelsim.kernel.simulate import simulate

    return _Run(program, lower, simulate, fast_forward, keep_starts).result()


class _Run:
    def __init__(
        self,
        program: Program,
        lower: Callable[[Node], Flat | Groups],
        simulate: Callable[..., Timing],
        fast_forward: bool,
        keep_starts: bool,
    ) -> None:
        self._program, self._lower, self._simulate = program, lower, simulate
        self._fast_forward, self._keep = fast_forward, keep_starts
        self._known: list[tuple[Flat | Groups, Timing]] = []
        self._leaves: dict[int, Flat | Groups] = {}
        self._totals: dict[int, Totals] = {}
        self._shown: list[Shown] = []

    def result(self) -> Result:
        root = self._program.root
        children = list(root.children) if isinstance(root, Serial) else [root]
        names = root.names if isinstance(root, Serial) else ("",)
        parts, now = [], 0
        for index, (child, name) in enumerate(zip(children, names, strict=True)):
            parts.append(self._part(child, name, index, now))
            now = parts[-1].end_ps
        whole = parts[0] if len(parts) == 1 and root is children[0] else self._together("", 0, parts)
        fields = {name: getattr(whole, name) for name in Part.__slots__}
        shown_parts = tuple(parts) if isinstance(root, Serial) else ()
        return Result(
            **fields,
            resources=self._program.resources,
            parts=shown_parts,
            shown=tuple(self._shown),
            kept=self._keep,
        )

    def _part(self, node: Node, name: str, index: int, now: int) -> Part:
        if isinstance(node, Serial):
            inner = []
            at = now
            for child in node.children:
                inner.append(self._part(child, "", index, at))
                at = inner[-1].end_ps
            return self._together(name, now, inner)
        leaf = self._leaf(node)
        flats = (leaf,) if isinstance(leaf, Flat) else leaf.flats
        timing, again = self._timing(leaf)
        if not timing.lower_ps <= timing.makespan_ps <= timing.upper_ps:
            raise AssertionError(
                f"part {name!r}: {timing.makespan_ps} ps lies outside its bounds "
                f"[{timing.lower_ps}, {timing.upper_ps}] ps; this is an error in the kernel, please report it"
            )
        self._shown.append(Shown(index, now, flats, timing, again))
        totals = self._sum(node)
        count, time = self._critical(flats, timing)
        return Part(
            name=name,
            start_ps=now,
            end_ps=now + timing.makespan_ps,
            lower_ps=timing.lower_ps,
            upper_ps=timing.upper_ps,
            simulated=0 if again else timing.simulated,
            route=Route("memoised") if again else timing.route,
            critical_ps=time,
            critical_count=count,
            **{name: getattr(totals, name) for name in Totals.__slots__},
        )

    def _leaf(self, node: Node) -> Flat | Groups:
        """Return what is run for a node, once per object."""
        if id(node) not in self._leaves:
            self._leaves[id(node)] = self._lower(node)
        return self._leaves[id(node)]

    def _timing(self, leaf: Flat | Groups) -> tuple[Timing, bool]:
        if self._fast_forward:
            for known, timing in self._known:
                if known.same_timing(leaf):
                    return timing, True
        timing = self._simulate(leaf, self._program.resources, self._keep, self._fast_forward)
        self._known.append((leaf, timing))
        return timing, False

    def _together(self, name: str, start: int, parts: Sequence[Part]) -> Part:
        sizes = len(self._program.resources), self._program.kinds
        totals = Totals.sum(
            [(Totals(*(getattr(p, name) for name in Totals.__slots__)), 1) for p in parts], *sizes
        )
        critical = [p.critical_ps for p in parts], [p.critical_count for p in parts]
        return Part(
            name=name,
            start_ps=start,
            end_ps=parts[-1].end_ps if parts else start,
            lower_ps=sum(p.lower_ps for p in parts),
            upper_ps=sum(p.upper_ps for p in parts),
            simulated=sum(p.simulated for p in parts),
            route=Route("serial"),
            critical_ps=_added(critical[0], sizes[1]),
            critical_count=_added(critical[1], sizes[1]),
            **{name: getattr(totals, name) for name in Totals.__slots__},
        )

    def _sum(self, node: Node) -> Totals:
        """Sums over a node, once per object: networks repeat their layers."""
        if id(node) not in self._totals:
            sizes = len(self._program.resources), self._program.kinds
            if isinstance(node, Flat):
                self._totals[id(node)] = Totals.of(node, *sizes)
            elif isinstance(node, Repeat):
                times = (1, node.n, 1)
                parts = [(self._sum(flat), k) for flat, k in zip(node.flats, times, strict=True)]
                self._totals[id(node)] = Totals.sum(parts, *sizes)
            elif isinstance(node, Parallel | Serial):
                self._totals[id(node)] = Totals.sum([(self._sum(c), 1) for c in node.children], *sizes)
        return self._totals[id(node)]

    def _critical(self, flats: Sequence[Flat], timing: Timing) -> tuple[Ints | None, Ints | None]:
        """Return (tasks, picoseconds) per kind on the critical path."""
        if timing.visits is None:
            return None, None
        count, time = (np.zeros(self._program.kinds + 1, np.int64) for _ in range(2))
        for flat, (tasks, times) in zip(flats, timing.visits, strict=True):
            np.add.at(count, flat.kinds()[tasks], times)
            np.add.at(time, flat.kinds()[tasks], times * flat.duration[tasks])
        return count[:-1], time[:-1]


def _added(columns: Sequence[Ints | None], size: int) -> Ints | None:
    """Return the sum, None if one of them is not known."""
    total = np.zeros(size, np.int64)
    for column in columns:
        if column is None:
            return None
        total += column
    return total
