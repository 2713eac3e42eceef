"""Loops over input rows and columns (Y, X), rewritten as loops over output positions or kernel taps.

A window of ``size`` input rows holds ``(size - reach) / stride + 1`` complete output rows, where ``reach`` is
``(r - 1) * dilation + 1`` for the r kernel rows that the loops further out leave. It must move on by as many
output rows as it holds, or outputs would be left out or done twice. A window that does so at stride 1, such
as ``Y:R/1`` or ``X:7+S/8``, stands for that many outputs at any stride (MAESTRO multiplies its offset by the
stride); any other counts input rows as they are. In sizes, R and S stand for the reach of the whole kernel.

``Y@&R@`` hands the i-th input row and the i-th kernel row to the i-th unit: inside one output row that is the
kernel row alone, on the diagonal.
"""

from collections.abc import Mapping
from dataclasses import replace

from accelsim.errors import AccelsimError
from accelsim.graph.shape import ConvShape
from accelsim.spec.expressions import INPUT_DIMS, SizeExpr
from accelsim.spec.loops import LoopSpec

AXES = {"Y": ("P", "R", 0), "X": ("Q", "S", 1)}
"""Input dimension -> output position, kernel tap, and index of the axis in strides and dilations."""

WORDS = {"Y": ("rows", "output row"), "X": ("columns", "output column")}


def names_input(loop: LoopSpec) -> bool:
    """Whether a loop, or one that goes together with it, is over input rows or columns."""
    return any(d in INPUT_DIMS for d in loop.all_dims)


def window_problems(loop: LoopSpec) -> list[str]:
    """Why a loop cannot be read for any layer; empty if it can."""
    text = f"loop {str(loop)!r}"
    problems = []
    if loop.together:
        pair = sorted(loop.all_dims)
        if pair not in (["R", "Y"], ["S", "X"]):
            joined = "*".join(loop.all_dims)
            problems.append(
                f"{text} covers only the diagonal of {' and '.join(loop.all_dims)}; dims that may advance"
                f" together are Y&R or X&S, all combinations are '{joined}@'"
            )
    elif names_input(loop) and len(loop.dims) > 1:
        outputs = "*".join(AXES[d][0] if d in AXES else d for d in loop.dims)
        problems.append(f"{text} joins input rows or columns with others; write '{outputs}'")
    for single in (replace(loop, together=()), *loop.together):
        if single.dims[0] in INPUT_DIMS or single.offset is None:
            continue
        if str(single.offset) != str(single.size):
            problems.append(
                f"{text}: offset {single.offset} under size {single.size} would do positions of"
                f" {single.dims[0]} twice; only windows of Y and X overlap, write"
                f" '{single.dims[0]}:{single.size}'"
            )
    return problems


def known_sizes(shape: ConvShape, rows: int, columns: int) -> dict[str, int]:
    """Values of the names that sizes of loops over Y and X may use."""
    known = shape.bounds | {"rows": rows, "columns": columns}
    for name, (position, tap, axis) in AXES.items():
        known[tap] = (shape[tap] - 1) * shape.dilation[axis] + 1
        known[name] = (shape[position] - 1) * shape.stride[axis] + known[tap]
    return known


def in_outputs(
    loop: LoopSpec, shape: ConvShape, extent: Mapping[str, int], known: Mapping[str, int]
) -> LoopSpec:
    """The same loop over P, Q, R or S; one that is over none of Y and X is returned as it is.

    ``extent`` is what the loops further out leave of every dimension; ``known`` is from ``known_sizes``.

    Raises
    ------
    AccelsimError
        (without the name of the dataflow) if the window does not correspond to output positions.
    """
    if not names_input(loop):
        return loop
    if loop.together:
        return _diagonal(loop, shape, extent, known)
    name = loop.dims[0]
    position, tap, axis = AXES[name]
    if loop.size.full:
        return LoopSpec((position,), loop.size, None, loop.spatial)
    size = loop.size.evaluate(known)
    stride, dilation = shape.stride[axis], shape.dilation[axis]
    reach = (extent[tap] - 1) * dilation + 1
    if size >= (extent[position] - 1) * stride + reach:
        return _over(position, extent[position], loop.spatial)
    offset = size if loop.offset is None else loop.offset.evaluate(known)
    if offset == size - reach + 1:
        return _over(position, offset, loop.spatial)
    held = (size - reach) // stride + 1
    rows, row = WORDS[name]
    if held < 1:
        raise AccelsimError(
            f"loop {str(loop)!r}: {size} input {rows} hold no complete {row} of a kernel that spans {reach};"
            f" the smallest size that works is {reach}"
        )
    if offset != held * stride:
        raise AccelsimError(
            f"loop {str(loop)!r}: {size} input {rows} hold {held} {row}{'s' * (held > 1)} at stride {stride},"
            f" so the offset must be {held * stride}, not {offset}; '{position}:{held}' says so at any stride"
        )
    return _over(position, held, loop.spatial)


def _diagonal(
    loop: LoopSpec, shape: ConvShape, extent: Mapping[str, int], known: Mapping[str, int]
) -> LoopSpec:
    """The kernel tap of ``Y&R``, inside one output row."""
    parts = {single.dims[0]: single for single in (loop, *loop.together)}
    name = "Y" if "Y" in parts else "X"
    position, tap, axis = AXES[name]
    rows, row = WORDS[name]
    if extent[position] > 1:
        raise AccelsimError(
            f"loop {str(loop)!r}: {name} and {tap} advance together inside one {row}, but there are"
            f" {extent[position]} here; put '{position}:1' or '{position}@' before it"
        )
    kernel = parts[tap].size
    taps = extent[tap] if kernel.full else kernel.evaluate({**known, **shape.bounds})
    window = parts[name]
    size = known[name] if window.size.full else window.size.evaluate(known)
    dilation = shape.dilation[axis]
    least = (min(taps, extent[tap]) - 1) * dilation + 1
    if size < least:
        raise AccelsimError(
            f"loop {str(loop)!r}: {size} input {rows} do not hold the {taps} kernel {rows} beside them;"
            f" the smallest size that works is {least}"
        )
    offset = size if window.offset is None else window.offset.evaluate(known)
    if offset not in (taps, taps * dilation) and taps < extent[tap]:
        raise AccelsimError(
            f"loop {str(loop)!r}: the kernel moves on by {taps} {rows} and the input by {offset};"
            f" together they must move by the same"
        )
    return _over(tap, taps, loop.spatial)


def _over(dim: str, size: int, spatial: bool) -> LoopSpec:
    """A loop with blocks of exactly ``size``; the offset says that no inner loop decides it."""
    exact = SizeExpr(str(size), ((size, ()),))
    return LoopSpec((dim,), exact, exact, spatial)
