"""Elements of all three tensors at every cut, from the blocks of the three classes of dimensions.

A tensor does not depend on one class: inputs on K, weights on N P Q, outputs on C R S. Its tile is fetched at
the innermost loop in time that indexes it and moves; the blocks of its own class outside that loop multiply
what moves. Quantities lie in rows of one array: ``UP`` (at the parent, for one, two, three cuts in time),
``DOWN`` (at the elements of the array), ``TAKEN`` (by the units from above the array), three tensors each.
"""

from numba import njit

from accelsim.mapper.batch_chains import CROSSED, MOVES, ROWS, SPREAD, STEPS, STRIP
from accelsim.mapper.out_of_line import out_of_line

UP, DOWN, TAKEN, WHOLE, ALONE, QUANTITIES = 0, 9, 12, 15, 16, 17
"""First rows of the quantities; ``WHOLE`` is 1, ``ALONE`` 1 where no elements hold parts of one sum."""

FOUR = 4 * STRIP
"""Between the tiles of two dims."""

K, P, C, G = 0, ROWS, 2 * ROWS, 3 * ROWS
"""First rows of the classes: K, N P Q, C R S, and G, which indexes everything."""


@njit(cache=True, error_model="numpy")
def inside(n, codes, order):  # type: ignore[no-untyped-def]
    """From order codes (see ``ORDERS``): whether N P Q, and C R S, run inside K; C R S inside N P Q.

    Returns how many codes are impossible.
    """
    out_of_line()
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
    out_of_line()
    blocks = slots[j * STRIP :]  # a constant distance between rows lets LLVM see that they do not overlap
    for i in range(n):
        k = blocks[(K + MOVES) * STRIP + i] > 0.0
        p = blocks[(P + MOVES) * STRIP + i] > 0.0
        c = blocks[(C + MOVES) * STRIP + i] > 0.0
        g = blocks[(G + MOVES) * STRIP + i] > 0.0
        p_in_k = order[i] > 0.0
        c_in_k = order[STRIP + i] > 0.0
        c_in_p = order[2 * STRIP + i] > 0.0
        p_out_k = order[i] <= 0.0
        c_out_k = order[STRIP + i] <= 0.0
        c_out_p = order[2 * STRIP + i] <= 0.0
        counts = (p & p_in_k) | (c & c_in_k)
        far, near = blocks[(K + CROSSED) * STRIP + i], blocks[(K + CROSSED + 1) * STRIP + i]
        far_all, near_all = blocks[(K + SPREAD) * STRIP + i], blocks[(K + SPREAD + 1) * STRIP + i]
        old, old_all = times[i], spread[i]
        here, here_all = near if counts else far, near_all if counts else far_all
        times[i] = here if p | c | g else old
        spread[i] = here_all if p | c | g else old_all
        counts = (c & c_in_p) | (k & p_out_k)
        far, near = blocks[(P + CROSSED) * STRIP + i], blocks[(P + CROSSED + 1) * STRIP + i]
        far_all, near_all = blocks[(P + SPREAD) * STRIP + i], blocks[(P + SPREAD + 1) * STRIP + i]
        old, old_all = times[STRIP + i], spread[STRIP + i]
        here, here_all = near if counts else far, near_all if counts else far_all
        times[STRIP + i] = here if k | c | g else old
        spread[STRIP + i] = here_all if k | c | g else old_all
        counts = (p & c_out_p) | (k & c_out_k)
        far, near = blocks[(C + CROSSED) * STRIP + i], blocks[(C + CROSSED + 1) * STRIP + i]
        far_all, near_all = blocks[(C + SPREAD) * STRIP + i], blocks[(C + SPREAD + 1) * STRIP + i]
        old, old_all = times[2 * STRIP + i], spread[2 * STRIP + i]
        here, here_all = near if counts else far, near_all if counts else far_all
        times[2 * STRIP + i] = here if k | p | g else old
        spread[2 * STRIP + i] = here_all if k | p | g else old_all


@njit(cache=True, error_model="numpy")
def move(n, times, rows, columns, base, out):  # type: ignore[no-untyped-def]
    """Elements of the three tensors that move: ``base`` holds those of one fetch, of inputs per row and
    column.
    """
    out_of_line()
    inputs, weights, outputs = base
    for i in range(n):
        out[i] = inputs * times[i] * rows[i] * columns[i]
        out[STRIP + i] = weights * times[STRIP + i]
        out[2 * STRIP + i] = outputs * times[2 * STRIP + i]


@njit(cache=True, error_model="numpy")
def take(n, slots, base, out):  # type: ignore[no-untyped-def]
    """Elements that units take from above the array: once per step and distinct element over the array."""
    out_of_line()
    inputs, weights, outputs = base
    for i in range(n):
        out[i] = inputs * slots[(K + STEPS) * STRIP + i]
        out[STRIP + i] = weights * slots[(P + STEPS) * STRIP + i]
        out[2 * STRIP + i] = outputs * slots[(C + STEPS) * STRIP + i]


@njit(cache=True, error_model="numpy")
def weigh(n, quantities, weights, out):  # type: ignore[no-untyped-def]
    """Weighted sum of all quantities."""
    out_of_line()
    start = 0
    while start < WHOLE and not weights[start : start + 3].any():
        start += 3
    if start == WHOLE:
        out[:n] = weights[WHOLE]
    else:
        constant = weights[WHOLE]
        a, b, c = weights[start], weights[start + 1], weights[start + 2]
        three = quantities[start * STRIP :]
        for i in range(n):
            out[i] = constant + three[i] * a + three[STRIP + i] * b + three[2 * STRIP + i] * c
        add_tensors(n, quantities[(start + 3) * STRIP :], weights[start + 3 : WHOLE], out)
    if weights[ALONE] != 0.0:
        scale = weights[ALONE]
        alone = quantities[ALONE * STRIP :]
        for i in range(n):
            out[i] += scale * alone[i]


@njit(cache=True, error_model="numpy")
def add_tensors(n, amounts, weights, out):  # type: ignore[no-untyped-def]
    """Add weighted amounts, three tensors at a time."""
    out_of_line()
    for row in range(0, weights.size, 3):
        a, b, c = weights[row], weights[row + 1], weights[row + 2]
        if a != 0.0 or b != 0.0 or c != 0.0:
            three = amounts[row * STRIP :]
            for i in range(n):
                out[i] += three[i] * a + three[STRIP + i] * b + three[2 * STRIP + i] * c


@njit(cache=True, error_model="numpy")
def volumes(n, tiles, depth, gaps, size, out):  # type: ignore[no-untyped-def]
    """Elements of the three tensors' tiles at a cut: tiles of N G K C P Q R S, four cuts each."""
    out_of_line()
    tile = tiles[depth * STRIP :]
    p_near, r_apart, q_near, s_apart = gaps[0, 0], gaps[0, 1], gaps[1, 0], gaps[1, 1]
    most_rows, most_columns = size
    for i in range(n):
        batch = tile[i] * tile[FOUR + i]
        group = tile[FOUR + i]
        k = tile[2 * FOUR + i]
        c = tile[3 * FOUR + i]
        p = tile[4 * FOUR + i]
        q = tile[5 * FOUR + i]
        r = tile[6 * FOUR + i]
        s = tile[7 * FOUR + i]
        rows = min(p * r - max(0.0, p - p_near) * max(0.0, r - r_apart), most_rows)
        columns = min(q * s - max(0.0, q - q_near) * max(0.0, s - s_apart), most_columns)
        out[i] = batch * c * rows * columns
        out[STRIP + i] = group * k * c * r * s
        out[2 * STRIP + i] = batch * k * p * q
