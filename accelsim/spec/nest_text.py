"""The loop nest of a dataflow as text, for people."""

from accelsim.spec.dataflow import Dataflow
from accelsim.spec.loops import ONE, LoopSpec

_NAMES = {
    "N": "batch", "G": "groups", "K": "output channels", "C": "input channels", "P": "output rows",
    "Q": "output columns", "R": "kernel rows", "S": "kernel columns", "Y": "input rows", "X": "input columns",
}  # fmt: skip

_INPUT_OF = {"P": "Y", "Q": "X"}
"""Input dimension that cutting an output dimension cuts as well."""

_PRODUCT = "O[n,g,k,p,q] += I[n,g,c,p*u+r,q*u+s] * W[g,k,c,r,s]"


def loop_nest(dataflow: Dataflow) -> list[str]:
    """Lines of ``for`` and ``parallel for``, outermost first, each indented below the one it is in.

    A spatial loop is two: in time over as many blocks at once as there are units, where it was written, and
    in parallel over those, innermost in its cluster. A dimension that was cut before is named ``block``.
    """
    rows: list[tuple[str, str]] = []
    cut: set[str] = set()
    named = {d for cluster in dataflow.clusters for loop in cluster.loops for d in loop.all_dims}
    free = [dim for dim in ("N", "G") if dim not in named]
    rows += [(f"for {dim.lower()} in {dim}:", f"{_NAMES[dim]}, one at a time") for dim in free]
    for level, cluster in enumerate(dataflow.clusters):
        units = _units(dataflow, level)
        for loop in cluster.loops:
            what = _what(loop) + (f"; {units} at once" if loop.spatial else "")
            times = f" x {units.partition(' ')[0]}" if loop.spatial else ""
            rows.append((f"for {_range(loop, cut)} by {_step(loop)}{times}:", what))
            cut |= {d for one in (loop, *loop.together) if not one.size.full for d in one.dims}
            cut |= {_INPUT_OF[d] for d in cut if d in _INPUT_OF}
        lanes = [loop for loop in cluster.loops if loop.spatial]
        rows += [(f"parallel for {_range(loop, cut)} by {_step(loop)}:", f"over {units}") for loop in lanes]
    rows.append((_PRODUCT, "over what is left, in one processing element"))
    text = [f"{'  ' * depth}{code}" for depth, (code, _) in enumerate(rows)]
    width = max(map(len, text))
    return [f"{code:<{width}}  # {note}" for code, (_, note) in zip(text, rows, strict=True)]


def _units(dataflow: Dataflow, level: int) -> str:
    """How many units a cluster of this level has, in words."""
    inner = dataflow.clusters[level + 1].size if level + 1 < len(dataflow.clusters) else None
    outer = dataflow.clusters[level].size or "PEs"
    if inner is None:
        return f"{outer}" if outer == "PEs" else f"{outer} PEs"
    return f"{outer}/{inner} clusters"


def _range(loop: LoopSpec, cut: set[str]) -> str:
    """``k in K``, or ``k in block`` where an outer loop has cut it; several dims are one index or in step."""
    parts = ["*".join("block" if d in cut else d for d in one.dims) for one in (loop, *loop.together)]
    index = "*" if len(loop.dims) > 1 else "&"
    return f"{index.join(d.lower() for d in loop.all_dims)} in {'&'.join(parts)}"


def _step(loop: LoopSpec) -> str:
    step = loop.offset or loop.size
    return "all" if step.full else str(step)


def _what(loop: LoopSpec) -> str:
    """Names of the dims, and how large a block is where the step does not say so."""
    names = " and ".join(_NAMES[d] for d in loop.all_dims)
    if loop.together:
        return f"{names} in step"
    if loop.offset is not None and str(loop.offset) != str(loop.size):
        return f"{names}, windows of {loop.size}"
    if loop.spatial and loop.size == ONE and len(loop.dims) > 1:
        return f"{names} joined; blocks as the inner loops say"
    return names
