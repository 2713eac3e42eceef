"""Factories for convolutions: ordinary, grouped, depthwise, dilated, transposed; 1-D and 2-D."""

from collections.abc import Sequence
from dataclasses import replace
from math import gcd

from accelsim.errors import AccelsimError
from accelsim.graph.operator import Operator
from accelsim.graph.shape import ConvShape
from accelsim.graph.tensor import Tensor

Pads = Sequence[int]
"""Zeros added (top, left, bottom, right), or (before, after) for one spatial axis."""


def convolution(
    name: str,
    source: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Sequence[int] = (1, 1),
    pads: Pads = (0, 0, 0, 0),
    dilation: Sequence[int] = (1, 1),
    groups: int = 1,
    output: str | None = None,
    dtype: str | None = None,
) -> Operator:
    """Return a convolution of ``source`` (N, C, H, W) with ``weight`` (K, C/groups, R, S).

    A 1-D convolution, (N, C, L) with (K, C/groups, R), runs along the rows with one column.
    The output takes the number format of ``source`` unless ``dtype`` says otherwise. With as many
    groups as channels the type is ``depthwise``. Three spatial axes are refused.
    """
    rank = _check(name, source, weight, groups, source.shape[1:2] == (weight.shape[1] * groups,))
    stride, dilation, pads = _two(stride, 1), _two(dilation, 1), _four(pads)
    size, kernel = _two(source.shape[2:], 1), _two(weight.shape[2:], 1)
    padded = (size[0] + pads[0] + pads[2], size[1] + pads[1] + pads[3])
    out = tuple(
        (padded[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 if stride[i] > 0 else 0
        for i in (0, 1)
    )
    if min(out) < 1:
        raise AccelsimError(
            f"{name}: a {_by(kernel)} kernel with dilation {_by(dilation)} and stride {_by(stride)} "
            f"does not fit the padded input of {_by(padded)}"
        )
    shape = ConvShape(
        N=source.shape[0], G=groups, K=weight.shape[0] // groups, C=weight.shape[1], P=out[0], Q=out[1],
        R=kernel[0], S=kernel[1], stride=stride, dilation=dilation, pad=pads[:2], size=size,
    )  # fmt: skip
    depthwise = groups > 1 and weight.shape[1] == 1
    result = (source.shape[0], weight.shape[0], *out[: rank - 2])
    return Operator(
        name,
        "depthwise" if depthwise else "convolution",
        shape.bounds,
        inputs=(source,),
        outputs=(Tensor(output or name, result, dtype or source.dtype),),
        weights=(weight,) if bias is None else (weight, bias),
        shapes=(shape,),
    )


def transposed_convolution(
    name: str,
    source: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Sequence[int] = (1, 1),
    pads: Pads = (0, 0, 0, 0),
    dilation: Sequence[int] = (1, 1),
    groups: int = 1,
    output_padding: Sequence[int] = (0, 0),
    output: str | None = None,
    dtype: str | None = None,
) -> Operator:
    """Return a transposed convolution of ``source`` (N, C, H, W) with ``weight`` (C, K/groups, R, S).

    Input row i and kernel row r meet in output row ``i*stride + r*dilation - pad``. Output rows of
    one remainder modulo the stride are an ordinary convolution of stride 1 over the kernel rows
    that reach them, so ``shapes`` holds up to stride x stride such phases; a phase that no kernel
    element reaches holds only the bias and is left out. ``macs`` is the sum of the phases', counted
    as for any convolution: products that would land outside the output are not computed, those
    with zeros beyond the input's edge are. Where the output is stride times the input in both directions (the
    usual doubling) that equals the count of the scattering form, every input position times every
    kernel element.
    """
    rank = _check(name, source, weight, groups, source.shape[1:2] == weight.shape[:1])
    stride, dilation, pads = _two(stride, 1), _two(dilation, 1), _four(pads)
    extra = _two(output_padding, 0)
    size, kernel = _two(source.shape[2:], 1), _two(weight.shape[2:], 1)
    out = tuple(
        (size[i] - 1) * stride[i] - pads[i] - pads[i + 2] + dilation[i] * (kernel[i] - 1) + extra[i] + 1
        for i in (0, 1)
    )
    if min(*out, *stride) < 1:
        raise AccelsimError(f"{name}: padding leaves a transposed convolution an output of {_by(out)}")
    base = ConvShape(N=source.shape[0], G=groups, K=weight.shape[1], C=weight.shape[0] // groups)
    rows, columns = (_phases(size[i], kernel[i], out[i], stride[i], dilation[i], pads[i]) for i in (0, 1))
    shapes = tuple(
        replace(
            base,
            P=p,
            R=r,
            Q=q,
            S=s,
            dilation=(dr, ds),
            pad=(pr, ps),
            size=(hr, hs),
        )
        for p, r, dr, pr, hr in rows
        for q, s, ds, ps, hs in columns
    )
    whole = replace(base, P=size[0], Q=size[1], R=kernel[0], S=kernel[1])
    result = (source.shape[0], weight.shape[1] * groups, *out[: rank - 2])
    return Operator(
        name,
        "transposed_convolution",
        whole.bounds,
        inputs=(source,),
        outputs=(Tensor(output or name, result, dtype or source.dtype),),
        weights=(weight,) if bias is None else (weight, bias),
        shapes=shapes,
    )


def _phases(
    size: int, kernel: int, out: int, stride: int, dilation: int, pad: int
) -> list[tuple[int, int, int, int, int]]:
    """(outputs, kernel elements, dilation, padding before, input size) of each phase along one axis."""
    step = stride // gcd(stride, dilation)  # distance of two kernel elements that share a phase
    phases = []
    for phase in range(min(stride, out)):
        taps = [r for r in range(min(step, kernel)) if (phase + pad - r * dilation) % stride == 0]
        if not taps:
            continue
        count = -(-(kernel - taps[0]) // step)
        last = taps[0] + (count - 1) * step
        before = (last * dilation - phase - pad) // stride
        # a negative padding means that the first input rows are never read
        phases.append(
            (
                -(-(out - phase) // stride),
                count,
                dilation * step // stride,
                max(before, 0),
                size + min(before, 0),
            )
        )
    return phases


def _check(name: str, source: Tensor, weight: Tensor, groups: int, channels_match: bool) -> int:
    rank = len(source.shape)
    if rank not in (3, 4) or len(weight.shape) != rank:
        raise AccelsimError(
            f"{name}: a convolution needs one or two spatial axes, "
            f"not an input of shape {source.shape} and a kernel of shape {weight.shape}"
        )
    if groups < 1 or weight.shape[0] % groups or not channels_match:
        raise AccelsimError(
            f"{name}: a kernel of shape {weight.shape} in {groups} groups does not match "
            f"the input of shape {source.shape}"
        )
    return rank


def _two(values: Sequence[int], missing: int) -> tuple[int, int]:
    return (values[0], values[1] if len(values) > 1 else missing)


def _four(pads: Pads) -> tuple[int, int, int, int]:
    return (pads[0], 0, pads[1], 0) if len(pads) == 2 else (pads[0], pads[1], pads[2], pads[3])


def _by(pair: Sequence[int]) -> str:
    return f"{pair[0]}x{pair[1]}"
