"""How blocks are put together: one after another, side by side, or repeated."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from accelsim.errors import AccelsimError
from accelsim.kernel.flat import Array, Flat


class Serial:
    """Children one after another, with a barrier between: each starts when the one before has ended.

    ``names`` (one per child) appear in the parts of a result.
    """

    __slots__ = ("children", "names")

    def __init__(self, *children: "Node", names: Sequence[str] | None = None) -> None:
        nodes("serial", children)
        if names is not None and len(names) != len(children):
            raise AccelsimError(f"serial: {len(names)} names for {len(children)} children")
        self.children = children
        self.names = tuple(str(i) for i in range(len(children))) if names is None else tuple(names)


class Parallel:
    """Children that start together and share the resources; tasks are numbered child by child."""

    __slots__ = ("children",)

    def __init__(self, *children: "Node") -> None:
        nodes("parallel", children)
        self.children = children


class Repeat:
    """A block ``n`` times, numbered iteration by iteration, with tasks outside before and after it.

    Parameters
    ----------
    block : Flat
        The tasks of one iteration.
    n : int
        Iterations, 0 or more.
    lagged : (source, target, lag)
        Iteration i's target waits for iteration (i - lag)'s source, where there is one; lag >= 1.
        A buffer of depth d is "produce waits for consume with lag d".
    before, after : Flat, optional
        Tasks outside: numbered before and after those of the block, run beside it unless edges say
        otherwise.
    enter : (source in before, target in the first iteration)
    leave : (source in the last iteration, target in after)

    Raises
    ------
    AccelsimError
        With every problem found.
    """

    __slots__ = ("after", "before", "block", "enter", "lagged", "leave", "n")

    def __init__(
        self,
        block: Flat,
        n: int,
        lagged: Sequence[Array] = ((), (), ()),
        before: Flat | None = None,
        after: Flat | None = None,
        enter: Sequence[Array] = ((), ()),
        leave: Sequence[Array] = ((), ()),
    ) -> None:
        nodes("repeat", [block])
        nothing = Flat((), ())
        self.block, self.n = block, n
        self.before, self.after = before or nothing, after or nothing
        problems: list[str] = []
        if not isinstance(n, int | np.integer) or n < 0:
            problems.append(f"repeat: n must be 0 or more iterations, not {n!r}")
        m = len(block)
        *ends, lag = lagged if len(lagged) == 3 else ((), (), ())
        if len(lagged) != 3:
            problems.append(f"repeat: lagged must be (source, target, lag), not {len(lagged)} arrays")
        source, target = crossing("lagged", ends, m, m, problems)
        lags = np.asarray(lag).reshape(-1).astype(np.int64)
        if not problems and lags.size != source.size:
            problems.append(f"repeat: {source.size} lagged edges have {lags.size} lags")
        elif lags.size and lags.min() < 1:
            problems.append(
                f"repeat: lags must be at least 1, not {lags.min()}; put lag 0 into the block's edges"
            )
        self.lagged = source, target, lags
        self.enter = crossing("enter", enter, len(self.before), m, problems)
        self.leave = crossing("leave", leave, m, len(self.after), problems)
        if n == 0 and (self.enter[0].size or self.leave[0].size):
            problems.append("repeat: edges enter or leave a block of 0 iterations")
        if problems:
            raise AccelsimError(*problems)

    @property
    def flats(self) -> tuple[Flat, Flat, Flat]:
        """Before, block and after."""
        return self.before, self.block, self.after


Node = Flat | Serial | Parallel | Repeat
Pair = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]


def nodes(where: str, children: Sequence[object]) -> None:
    """Refuse children that are not nodes of a program."""
    wrong = [c for c in children if not isinstance(c, Node)]
    if wrong:
        raise AccelsimError(
            *(f"{where}: {type(c).__name__} is not a Flat, Serial, Parallel or Repeat" for c in wrong)
        )


def crossing(name: str, edges: Sequence[Array], sources: int, targets: int, problems: list[str]) -> Pair:
    """Return edges from one group of tasks to another, each numbered from 0."""
    if len(edges) != 2:
        problems.append(f"repeat: {name} must be (source, target), not {len(edges)} arrays")
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    found = []
    for end, given, size in (("source", edges[0], sources), ("target", edges[1], targets)):
        array = np.asarray(given).reshape(-1)
        array = array if array.size else np.zeros(0, np.int32)
        if array.dtype.kind not in "iu":
            problems.append(f"repeat: {name} {end}s must be integers, not {array.dtype}")
        elif array.size and not (array.min() >= 0 and array.max() < size):
            wrong = int(array[(array < 0) | (array >= size)][0])
            problems.append(f"repeat: {name} names {end} task {wrong}, but there are {size} tasks")
        else:
            found.append(np.ascontiguousarray(array, dtype=np.int32))
    if len(found) < 2 or found[0].size != found[1].size:
        if len(found) == 2:
            problems.append(f"repeat: {name} has {found[0].size} sources and {found[1].size} targets")
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    return found[0], found[1]


def leaves(node: Node, times: int = 1) -> Iterator[tuple[Flat, int]]:
    """Yield every Flat under a node with the number of times it runs."""
    if isinstance(node, Flat):
        yield node, times
    elif isinstance(node, Repeat):
        yield node.before, times
        yield node.block, times * node.n
        yield node.after, times
    else:
        for child in node.children:
            yield from leaves(child, times)
