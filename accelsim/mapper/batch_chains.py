"""Blocks of one dimension under two or three cuts in time and one of the array, all at once.

The same numbers as ``batch_strips.keep`` and ``merge`` give step by step, without storing what lies between.
A block is full, or what remains of one of those above; ``qxy`` counts blocks of y in a full block of x,
``rxy`` is what remains. D is the whole dimension, T, U, V the tiles in time, E the tile of one element.
"""

from typing import Any

import numpy as np
from numba import njit

from accelsim.mapper.out_of_line import out_of_line

STRIP = 376
"""Mappings worked on together. Results in between stay in the first two caches; no power of two, so that rows
do not share cache sets (measured: 256 is 10 % slower).
"""

CROSSED, SPREAD, STEPS, MOVES, ROWS = 0, 4, 8, 9, 12
"""Rows of a slot: blocks inside none (1), one, two, three cuts in time; blocks of all elements if so many
cuts in time are outside the frontier; steps; whether the loops of each cut in time move."""


@njit(inline="always")
def quotient(extent, inverse):  # type: ignore[no-untyped-def]
    """Full blocks in an extent, by the reciprocal of their tile."""
    return np.floor((extent + 0.5) * inverse)


@njit(inline="always")
def some(rest):  # type: ignore[no-untyped-def]
    """One block if anything remains."""
    return 1.0 if rest > 0.0 else 0.0


def two_cuts(windowed: bool) -> Any:
    """Compiled: multiply blocks of a dimension into its slot; keep trips over the array, tiles and, if
    ``windowed``, linked positions. Returns how many tiles are impossible.
    """

    @njit(cache=True, error_model="numpy")
    def two(n, bound, gap, given_t, given_u, given_e, slot, trips, tile, link):  # type: ignore[no-untyped-def]
        out_of_line()
        bad = 0
        for i in range(n):
            t = float(given_t[i])
            u = float(given_u[i])
            e = float(given_e[i])
            bad += (e < 1.0) | (e > u) | (u > t) | (t > bound)
            by_u = 1.0 / u
            by_e = 1.0 / e
            q = quotient(bound, 1.0 / t)
            r = bound - q * t
            qtu = quotient(t, by_u)
            rtu = t - qtu * u
            qru = quotient(r, by_u)
            rru = r - qru * u
            full = q * qtu + qru
            que = quotient(u, by_e)
            rue = u - que * e
            qte = quotient(rtu, by_e)
            rte = rtu - qte * e
            qre = quotient(rru, by_e)
            rre = rru - qre * e
            cue = que + some(rue)
            short = min(r, u)
            qse = quotient(short, by_e)
            cse = qse + some(short - qse * e)
            slot[(CROSSED + 1) * STRIP + i] *= q + some(r)
            slot[(CROSSED + 2) * STRIP + i] *= full + q * some(rtu) + some(rru)
            slot[SPREAD * STRIP + i] *= cue
            slot[(SPREAD + 1) * STRIP + i] *= q * cue + cse
            slot[(SPREAD + 2) * STRIP + i] *= full * cue + q * (qte + some(rte)) + qre + some(rre)
            slot[STEPS * STRIP + i] *= full * e + q * min(rtu, e) + min(rru, e)
            slot[MOVES * STRIP + i] += some(bound - t)
            slot[(MOVES + 1) * STRIP + i] += some(t - u)
            trips[i] *= cue
            tile[i] = t
            tile[STRIP + i] = u
            tile[3 * STRIP + i] = e
            if windowed:
                link[i] = q * max(0.0, t - gap) + max(0.0, r - gap)
                link[STRIP + i] = full * max(0.0, u - gap) + q * max(0.0, rtu - gap) + max(0.0, rru - gap)
                link[3 * STRIP + i] = (
                    (full * que + q * qte + qre) * max(0.0, e - gap)
                    + full * max(0.0, rue - gap)
                    + q * max(0.0, rte - gap)
                    + max(0.0, rre - gap)
                )
        return bad

    return two


def three_cuts(windowed: bool) -> Any:
    """As ``two_cuts``, with one more cut in time."""

    @njit(cache=True, error_model="numpy")
    def three(n, bound, gap, given_t, given_u, given_v, given_e, slot, trips, tile, link):  # type: ignore[no-untyped-def]
        out_of_line()
        bad = 0
        for i in range(n):
            t = float(given_t[i])
            u = float(given_u[i])
            v = float(given_v[i])
            e = float(given_e[i])
            bad += (e < 1.0) | (e > v) | (v > u) | (u > t) | (t > bound)
            by_u = 1.0 / u
            by_v = 1.0 / v
            by_e = 1.0 / e
            q = quotient(bound, 1.0 / t)
            r = bound - q * t
            qtu = quotient(t, by_u)
            rtu = t - qtu * u
            qru = quotient(r, by_u)
            rru = r - qru * u
            many = q * qtu + qru
            quv = quotient(u, by_v)
            ruv = u - quv * v
            qtv = quotient(rtu, by_v)
            rtv = rtu - qtv * v
            qrv = quotient(rru, by_v)
            rrv = rru - qrv * v
            full = many * quv + q * qtv + qrv
            qve = quotient(v, by_e)
            rve = v - qve * e
            que = quotient(ruv, by_e)
            rue = ruv - que * e
            qte = quotient(rtv, by_e)
            rte = rtv - qte * e
            qre = quotient(rrv, by_e)
            rre = rrv - qre * e
            cve = qve + some(rve)
            first = min(r, v)
            qfe = quotient(first, by_e)
            cfe = qfe + some(first - qfe * e)
            second = min(rtu, v)
            qse = quotient(second, by_e)
            cse = qse + some(second - qse * e)
            third = min(rru, v)
            qhe = quotient(third, by_e)
            che = qhe + some(third - qhe * e)
            slot[(CROSSED + 1) * STRIP + i] *= q + some(r)
            slot[(CROSSED + 2) * STRIP + i] *= many + q * some(rtu) + some(rru)
            slot[(CROSSED + 3) * STRIP + i] *= full + many * some(ruv) + q * some(rtv) + some(rrv)
            slot[SPREAD * STRIP + i] *= cve
            slot[(SPREAD + 1) * STRIP + i] *= q * cve + cfe
            slot[(SPREAD + 2) * STRIP + i] *= many * cve + q * cse + che
            slot[(SPREAD + 3) * STRIP + i] *= (
                full * cve + many * (que + some(rue)) + q * (qte + some(rte)) + qre + some(rre)
            )
            slot[STEPS * STRIP + i] *= full * e + many * min(ruv, e) + q * min(rtv, e) + min(rrv, e)
            slot[MOVES * STRIP + i] += some(bound - t)
            slot[(MOVES + 1) * STRIP + i] += some(t - u)
            slot[(MOVES + 2) * STRIP + i] += some(u - v)
            trips[i] *= cve
            tile[i] = t
            tile[STRIP + i] = u
            tile[2 * STRIP + i] = v
            tile[3 * STRIP + i] = e
            if windowed:
                link[i] = q * max(0.0, t - gap) + max(0.0, r - gap)
                link[STRIP + i] = many * max(0.0, u - gap) + q * max(0.0, rtu - gap) + max(0.0, rru - gap)
                link[2 * STRIP + i] = (
                    full * max(0.0, v - gap)
                    + many * max(0.0, ruv - gap)
                    + q * max(0.0, rtv - gap)
                    + max(0.0, rrv - gap)
                )
                link[3 * STRIP + i] = (
                    (full * qve + many * que + q * qte + qre) * max(0.0, e - gap)
                    + full * max(0.0, rve - gap)
                    + many * max(0.0, rue - gap)
                    + q * max(0.0, rte - gap)
                    + max(0.0, rre - gap)
                )
        return bad

    return three


two, two_windowed = two_cuts(False), two_cuts(True)
three, three_windowed = three_cuts(False), three_cuts(True)
