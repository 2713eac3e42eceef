"""Whether the task order of in-order resources agrees with the edges."""

from collections.abc import Sequence

import numpy as np

from accelsim.kernel.adjacency import cycle, successors, topological
from accelsim.kernel.event_run import order_edges
from accelsim.kernel.flat import Flat
from accelsim.kernel.flatten import flatten
from accelsim.kernel.resource import Resource
from accelsim.kernel.tree import Node, Parallel, Repeat, Serial


def order_problem(node: Node, resources: Sequence[Resource], in_order: Sequence[int]) -> str:
    """Return a sentence that names a task at which an in-order resource would wait for itself, or ``""``."""
    if isinstance(node, Serial):
        found = (
            order_problem(child, resources, in_order) for child in {id(c): c for c in node.children}.values()
        )
        return next((problem for problem in found if problem), "")
    if isinstance(node, Parallel):
        return next(filter(None, (order_problem(c, resources, in_order) for c in node.children)), "") or (
            block_problem(flatten(shortened(node)), resources, in_order) if mixed(node) else ""
        )
    return block_problem(flatten(shortened(node)), resources, in_order)


def mixed(node: Parallel) -> bool:
    """Whether a child could wait for a later child: only if numbers inside it are not topological."""
    return not all(isinstance(child, Flat) and child.numbered for child in node.children)


def shortened(node: Node) -> Node:
    """Return the node with few iterations: a conflict of order shows within the longest lag."""
    if isinstance(node, Repeat):
        reach = int(node.lagged[2].max(initial=0)) + 2
        if node.n > reach:
            return Repeat(node.block, reach, node.lagged, node.before, node.after, node.enter, node.leave)
    return node


def block_problem(flat: Flat, resources: Sequence[Resource], in_order: Sequence[int]) -> str:
    """The same for one flat block."""
    if flat.numbered:
        return ""
    source, target = flat.edges()
    more_source, more_target, _ = order_edges(flat, in_order)
    offsets, follow, waits, _ = successors(
        len(flat), np.concatenate([source, more_source]), np.concatenate([target, more_target])
    )
    order, size = topological(offsets, follow, waits)
    if size == len(flat):
        return ""
    loop = cycle(offsets, follow, order[:size])
    at = next(t for t in loop if flat.resource[t] in in_order)
    return (
        f"program: resource {resources[flat.resource[at]].name!r} takes its tasks in number order, which "
        f"contradicts the edges: it would wait for ever at task {at} ({' -> '.join(map(str, loop))})"
    )
