"""Tile sizes of the shared buffers: the largest that fit, grown in the template's own order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from accelsim.cost.halo import Span, Window, rows
from accelsim.errors import AccelsimError
from accelsim.graph.shape import DIMS, ConvShape
from accelsim.mapping.asic.machine import StorageLevel
from accelsim.mapping.asic.unroll import ceil_div

Tile = dict[str, int]


def tile_elements(shape: ConvShape, tile: Mapping[str, int], tensor: str) -> int:
    """Elements of a tensor's tile that covers ``tile[dim]`` positions of every dim, window overlap counted
    once.
    """
    if tensor == "weights":
        return tile["G"] * tile["K"] * tile["C"] * tile["R"] * tile["S"]
    if tensor == "outputs":
        return tile["N"] * tile["G"] * tile["K"] * tile["P"] * tile["Q"]
    elements = tile["N"] * tile["G"] * tile["C"]
    for axis, (position, tap) in enumerate((("P", "R"), ("Q", "S"))):
        window = Window(shape.stride[axis], shape.dilation[axis], 0, None)
        covered = rows(window, Span(0, tile[position]), Span(0, tile[tap]))
        elements *= min(covered, shape.size[axis])
    return elements


@dataclass(frozen=True, slots=True)
class Shortage:
    """A memory that cannot hold one tile, the bytes that would do, and the sentence about it."""

    memory: str
    needed: int
    sentence: str


class TooSmall(AccelsimError):
    """Memories that cannot hold one tile of a layer."""

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        super().__init__(*(shortage.sentence for shortage in shortages))
        self.shortages = tuple(shortages)


def overflow(
    level: StorageLevel, shape: ConvShape, tile: Mapping[str, int], bits: Mapping[str, int]
) -> list[Shortage]:
    """Every memory of a level that the tile does not fit: who needs how much, what would do."""
    faults = []
    for name, memory in level.memories.items():
        needs = {
            t: ceil_div(tile_elements(shape, tile, t) * bits[t], 8)
            for t in level.tensors
            if level.holders[t] == name
        }
        total = sum(needs.values()) * memory.buffers
        if total > memory.size:
            largest = max(needs, key=lambda t: needs[t])
            parts = ", ".join(f"{t} {n} B" for t, n in needs.items())
            copies = "one buffer" if memory.buffers == 1 else "two buffers"
            sentence = (
                f"components.{name}.size of {int(memory.size)} B is too small for one tile: {largest}"
                f" need most ({parts}; {copies}); the smallest size that works is {total} B"
            )
            faults.append(Shortage(name, total, sentence))
    return faults


def fits(
    level: StorageLevel, shape: ConvShape, tile: Mapping[str, int], bits: Mapping[str, int], part: int = 1
) -> bool:
    """Whether the tile, with its buffers, fits one ``part``-th of every memory of the level."""
    for name, memory in level.memories.items():
        needs = (tile_elements(shape, tile, t) * bits[t] for t in level.tensors if level.holders[t] == name)
        if sum(ceil_div(n, 8) for n in needs) * memory.buffers * part > memory.size:
            return False
    return True


CLASSES = (("N", "P", "Q"), ("C", "R", "S"), ("K",))
"""Dims that leave the same tensor alone: weights, outputs, inputs. What grows first decides what stays
longest.
"""


def growth_orders(order: Sequence[str]) -> list[list[str]]:
    """Orders, outermost first, in which dims may grow: the template's own, then every order of the
    classes.
    """
    ranked = [sorted(dims, key=lambda d: order.index(d) if d in order else -1) for dims in CLASSES]
    rest = [d for d in order if not any(d in dims for dims in CLASSES)]
    candidates = [list(order)]
    for classes in permutations(ranked):
        candidate = rest + [d for dims in classes for d in dims if d in order]
        if candidate not in candidates:
            candidates.append(candidate)
    return candidates


PARTS = (1, 4, 16)
"""Parts of a buffer that tiles may fill: small ones start sooner, large ones move less."""


def choose(
    order: Sequence[str],
    tiles_for: Callable[[Sequence[str], int], list[Tile]],
    burden: Callable[[list[Tile]], tuple[float, int]],
) -> list[Tile]:
    """The tiles of least burden among those that growth orders and parts give; the earlier wins ties."""
    seen: list[list[Tile]] = []
    for part in PARTS:
        for candidate in growth_orders(order):
            tiles = tiles_for(candidate, part)
            if tiles not in seen:
                seen.append(tiles)
    return seen[0] if len(seen) == 1 else min(seen, key=burden)


def grow(
    levels: Sequence[StorageLevel],
    shape: ConvShape,
    order: Sequence[str],
    step: Mapping[str, int],
    unit: Mapping[str, int],
    bits: Mapping[str, int],
    unlimited: bool = False,
    part: int = 1,
) -> list[Tile]:
    """Tile of each shared buffer, outermost first.

    The innermost buffer starts from ``step`` (what the array covers at once), every outer one from the tile
    inside it. Dims grow from the innermost loop of ``order`` outwards, each as far as it fits, in multiples
    of what is already there (aligned; the last tile may be short); a dim that is not yet whole grows from
    multiples of ``unit``. Growth stops at one ``part``-th of each memory; ``unlimited`` gives every buffer
    the whole layer.

    Raises
    ------
    TooSmall
        If the smallest tile does not fit: which memory, which tensor, how many bytes and what would do.
    """
    if unlimited:
        return [dict(shape.bounds) for _ in levels]
    faults = [fault for level in levels for fault in overflow(level, shape, step, bits)]
    if faults:
        raise TooSmall(faults)
    tiles: list[Tile] = []
    tile = {d: min(step[d], shape[d]) for d in DIMS}
    grain = {d: max(unit[d], 1) for d in DIMS}
    for level in reversed(levels):
        tile = dict(tile)
        for dim in reversed(order):
            base = max(tile[dim], grain[dim])
            low, high = 1, ceil_div(shape[dim], base)
            while low < high:
                middle = (low + high + 1) // 2
                if fits(level, shape, tile | {dim: min(shape[dim], middle * base)}, bits, part):
                    low = middle
                else:
                    high = middle - 1
            candidate = tile | {dim: min(shape[dim], low * base)}
            if fits(level, shape, candidate, bits, part):
                tile = candidate
        tiles.append(tile)
        grain = dict(tile)
    return tiles[::-1]
