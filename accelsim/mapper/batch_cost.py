"""Cycles, energy and room from the elements of a strip of mappings; definitions of ``evaluate``."""

import numpy as np
from numba import njit

from accelsim.mapper import batch_strips as strips


@njit(cache=True, error_model="numpy")
def charge(c, n, element, pool, account, work, cycles, energy):  # type: ignore[no-untyped-def]
    """Bits read and written of every memory, then energy and the cycles of the slowest resource."""
    read, write = account
    read[:, :n] = 0.0
    write[:, :n] = 0.0
    unvisited = work[0]
    unvisited[:n] = c.outputs
    partial = c.width[3]
    for b in range(c.boundary.shape[0]):
        tensor, parent, child, at_parent, at_children, level_above, level_below = c.boundary[b]
        up = element[at_parent]
        down = element[at_children]
        if tensor < 2:
            strips.add_scaled(read[parent], up, c.width[tensor], n)
            strips.add_scaled(write[child], down, c.width[tensor], n)
            continue
        back = work[1]
        for i in range(n):
            back[i] = up[i] - unvisited[i]
            unvisited[i] = down[i] - back[i]
        strips.add_scaled(read[parent], back, partial, n)
        strips.add_scaled(write[child], back, partial, n)
        strips.add_scaled(write[parent], up, partial, n)
        strips.add_scaled(read[child], down, partial, n)
        finished = c.outputs * (c.width[2] - partial)
        if finished != 0.0:
            add_finished(c, level_above, pool, finished, write[parent], work[1], n)
            add_finished(c, level_below, pool, finished, read[child], work[1], n)
    for tensor in range(3):
        memory, steps = c.taken[tensor]
        taken = work[1]
        taken_elements(c, tensor, pool, steps, taken, n)
        if tensor < 2:
            strips.add_scaled(read[memory], taken, c.width[tensor], n)
        else:
            strips.add_scaled(write[memory], taken, partial, n)
            strips.add_scaled(read[memory], taken, partial, n)
            strips.add_scaled(read[memory], unvisited, -partial, n)
    energy[:] = c.macs * c.mac_J
    for m in range(c.size.size):
        read_J = c.energy[m, 0]
        write_J = c.energy[m, 1]
        taking = read[m]
        giving = write[m]
        for i in range(n):
            energy[i] += taking[i] * read_J + giving[i] * write_J
    slowest(c, n, pool, read, write, work, cycles)


@njit(cache=True, error_model="numpy")
def positions(pool, indices, out, n):  # type: ignore[no-untyped-def]
    """Product of arrays of the pool."""
    out[:n] = 1.0
    for k in range(indices.size):
        if indices[k] < 0:
            break
        strips.multiply(out, pool[indices[k]], n)


@njit(cache=True, error_model="numpy")
def add_finished(c, level, pool, bits, out, work, n):  # type: ignore[no-untyped-def]
    """Finished outputs have another width than partial sums, where no copies hold parts of one sum."""
    positions(pool, c.reduced[level], work, n)
    for i in range(n):
        out[i] += bits if work[i] == 1.0 else 0.0


@njit(cache=True, error_model="numpy")
def taken_elements(c, tensor, pool, steps, taken, n):  # type: ignore[no-untyped-def]
    """Elements that the units take from the innermost memory of a tensor."""
    if steps < 0:
        taken[:n] = c.macs
        return
    shared = pool[steps]
    base = c.taken_base[tensor]
    for i in range(n):
        taken[i] = base * shared[i]


@njit(cache=True, error_model="numpy")
def slowest(c, n, pool, read, write, work, cycles):  # type: ignore[no-untyped-def]
    """Cycles of the busiest of the units and the ports."""
    steps = pool[c.steps]
    scale = c.steps_base
    for i in range(n):
        cycles[i] = np.ceil(steps[i] * scale / c.macs_per_pe)
    for m in range(c.size.size):
        if c.port[m, 0] == 0.0 and c.port[m, 1] == 0.0:
            continue
        positions(pool, c.copies[m], work[0], n)
        strips.port_cycles(read[m], write[m], c.port[m], work[0], cycles, n)


@njit(cache=True, error_model="numpy")
def rooms(t, c, n, tile, pool, needed, work, fits):  # type: ignore[no-untyped-def]
    """Whether every memory has room for its tiles, and every axis as many positions as are used."""
    needed[:, :n] = 0.0
    for k in range(c.room.shape[0]):
        memory, index = c.room[k]
        if c.size[memory] == np.inf:
            continue
        elements = work[0]
        elements[:n] = pool[index, :n]
        if c.room_window[k, 0, 0] > -2:
            for axis in range(2):
                a = whole_or_tile(t, c.room_window[k, 2 * axis], tile, work[1], n)
                b = whole_or_tile(t, c.room_window[k, 2 * axis + 1], tile, work[2], n)
                strips.times_rows(elements, a, b, t.gaps[axis, 0], t.gaps[axis, 1], c.rows[axis], n)
        strips.add_scaled(needed[memory], elements, c.room_bits[k], n)
    misses = work[3]
    misses[:n] = 0.0
    for m in range(c.size.size):
        if c.size[m] < np.inf:
            strips.mark_above(needed[m], c.size[m], misses, n)
    for a in range(c.axis.shape[0]):
        positions(pool, c.axis[a], work[0], n)
        strips.mark_above(work[0], c.axis_size[a], misses, n)
    for i in range(n):
        fits[i] = misses[i] == 0.0


@njit(cache=True, error_model="numpy")
def whole_or_tile(t, which, tile, work, n):  # type: ignore[no-untyped-def]
    """Extents of one dim at a level."""
    dim, cut = which
    if cut >= 0:
        return tile[dim, cut]
    work[:n] = t.bounds[dim] if dim >= 0 else 1.0
    return work
