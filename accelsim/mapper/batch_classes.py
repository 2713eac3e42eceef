"""Elements of all three tensors at every cut, from the blocks of the three classes of dimensions.

A tensor does not depend on one class: inputs on K, weights on N P Q, outputs on C R S. Its tile is fetched at
the innermost loop in time that indexes it and moves; the blocks of its own class outside that loop multiply
what moves. Quantities lie in rows of one array: ``UP`` (at the parent, for one, two, three cuts in time),
``DOWN`` (at the elements of the array), ``TAKEN`` (by the units from above the array), three tensors each.
"""

from numba import njit

from accelsim.mapper.batch_chains import CROSSED, MOVES, ROWS, SPREAD, STEPS, STRIP

UP, DOWN, TAKEN, WHOLE, ALONE, QUANTITIES = 0, 9, 12, 15, 16, 17
"""First rows of the quantities; ``WHOLE`` is 1, ``ALONE`` 1 where no elements hold parts of one sum."""

K, P, C, G = 0, ROWS, 2 * ROWS, 3 * ROWS
"""First rows of the classes: K, N P Q, C R S, and G, which indexes everything."""


@njit(cache=True, error_model="numpy")
def inside(n, codes, order):  # type: ignore[no-untyped-def]
    """From order codes (see ``ORDERS``): whether N P Q, and C R S, run inside K; C R S inside N P Q.

    Returns how many codes are impossible.
    """
    bad = 0
    for i in range(n):
        code = int(codes[i])
        bad += (code < 0) | (code > 5)
        order[i] = 1.0 if (code >= 2) & (code <= 4) else 0.0
        order[STRIP + i] = 1.0 if (code == 2) | (code >= 4) else 0.0
        order[2 * STRIP + i] = 1.0 if (code == 0) | (code >= 4) else 0.0
    return bad


@njit(cache=True, error_model="numpy")
def fetch(n, j, order, slots, times, spread):  # type: ignore[no-untyped-def]
    """How often each tensor is fetched, the loops of the j-th cut in time (from 0) taken into account.

    ``times`` (at the parent) and ``spread`` (by all elements) hold the answer without them, a row per tensor.
    """
    for i in range(n):
        k = slots[(K + MOVES + j) * STRIP + i] > 0.0
        p = slots[(P + MOVES + j) * STRIP + i] > 0.0
        c = slots[(C + MOVES + j) * STRIP + i] > 0.0
        g = slots[(G + MOVES + j) * STRIP + i] > 0.0
        p_in_k = order[i] > 0.0
        c_in_k = order[STRIP + i] > 0.0
        c_in_p = order[2 * STRIP + i] > 0.0
        counts = (p & p_in_k) | (c & c_in_k)
        far, near = slots[(K + CROSSED + j) * STRIP + i], slots[(K + CROSSED + j + 1) * STRIP + i]
        far_all, near_all = slots[(K + SPREAD + j) * STRIP + i], slots[(K + SPREAD + j + 1) * STRIP + i]
        old, old_all = times[i], spread[i]
        here, here_all = near if counts else far, near_all if counts else far_all
        times[i] = here if p | c | g else old
        spread[i] = here_all if p | c | g else old_all
        counts = (c & c_in_p) | (k & (not p_in_k))
        far, near = slots[(P + CROSSED + j) * STRIP + i], slots[(P + CROSSED + j + 1) * STRIP + i]
        far_all, near_all = slots[(P + SPREAD + j) * STRIP + i], slots[(P + SPREAD + j + 1) * STRIP + i]
        old, old_all = times[STRIP + i], spread[STRIP + i]
        here, here_all = near if counts else far, near_all if counts else far_all
        times[STRIP + i] = here if k | c | g else old
        spread[STRIP + i] = here_all if k | c | g else old_all
        counts = (p & (not c_in_p)) | (k & (not c_in_k))
        far, near = slots[(C + CROSSED + j) * STRIP + i], slots[(C + CROSSED + j + 1) * STRIP + i]
        far_all, near_all = slots[(C + SPREAD + j) * STRIP + i], slots[(C + SPREAD + j + 1) * STRIP + i]
        old, old_all = times[2 * STRIP + i], spread[2 * STRIP + i]
        here, here_all = near if counts else far, near_all if counts else far_all
        times[2 * STRIP + i] = here if k | p | g else old
        spread[2 * STRIP + i] = here_all if k | p | g else old_all


@njit(cache=True, error_model="numpy")
def move(n, times, rows, columns, base, out):  # type: ignore[no-untyped-def]
    """Elements of the three tensors that move: ``base`` holds those of one fetch, of inputs per row and
    column.
    """
    inputs, weights, outputs = base
    for i in range(n):
        out[i] = inputs * times[i] * rows[i] * columns[i]
        out[STRIP + i] = weights * times[STRIP + i]
        out[2 * STRIP + i] = outputs * times[2 * STRIP + i]


@njit(cache=True, error_model="numpy")
def take(n, slots, positions, base, macs, out):  # type: ignore[no-untyped-def]
    """Elements that units take from above the array: per step and distinct element, or one per operation."""
    inputs, weights, outputs = base
    for i in range(n):
        shared = positions[i] > 1.0
        first = inputs * slots[(K + STEPS) * STRIP + i]
        second = weights * slots[(P + STEPS) * STRIP + i]
        third = outputs * slots[(C + STEPS) * STRIP + i]
        out[i] = first if shared else macs
        out[STRIP + i] = second if shared else macs
        out[2 * STRIP + i] = third if shared else macs


@njit(cache=True, error_model="numpy")
def volumes(n, tiles, depth, near, apart, size, out):  # type: ignore[no-untyped-def]
    """Elements of the three tensors' tiles at a cut: tiles of N G K C P Q R S, four cuts each."""
    stride = 4 * STRIP
    at = depth * STRIP
    for i in range(n):
        batch = tiles[at + i] * tiles[stride + at + i]
        group = tiles[stride + at + i]
        k = tiles[2 * stride + at + i]
        c = tiles[3 * stride + at + i]
        p = tiles[4 * stride + at + i]
        q = tiles[5 * stride + at + i]
        r = tiles[6 * stride + at + i]
        s = tiles[7 * stride + at + i]
        rows = min(p * r - max(0.0, p - near[0]) * max(0.0, r - apart[0]), size[0])
        columns = min(q * s - max(0.0, q - near[1]) * max(0.0, s - apart[1]), size[1])
        out[i] = batch * c * rows * columns
        out[STRIP + i] = group * k * c * r * s
        out[2 * STRIP + i] = batch * k * p * q
