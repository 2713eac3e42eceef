"""Gantt chart: a row per part of the chip, the schedule above what the events made of it."""

from typing import TYPE_CHECKING

from accelsim.errors import AccelsimError
from accelsim.results.plots import new_axes, time_scale
from accelsim.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABEL_SHARE = 0.0095
"""Share of the whole time that one letter of a layer's name takes; longer names do not fit their bars."""


def plot_gantt(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Draw the layers of a chip of several parts.

    Raises
    ------
    AccelsimError
        If the result is not of such a chip, or matplotlib is missing.
    """
    rows = [(o.unit, o) for o in result.operators if o.unit is not None and o.start_s is not None]
    if not rows:
        raise AccelsimError(
            f"plot_gantt: {result.architecture} is no chip of several parts; use plot_timeline"
        )
    ax = new_axes(ax)
    units = list(dict.fromkeys(unit for unit, _ in rows))
    networks = list(dict.fromkeys(o.name.split(".")[0] for _, o in rows))
    ends = [t for _, o in rows for t in (o.end_s, o.planned_end_s) if t is not None]
    factor, scale = time_scale(max(ends))
    for unit, operator in rows:
        place = len(units) - 1 - units.index(unit)
        colour = f"C{networks.index(operator.name.split('.')[0]) % 10}"
        bars = (
            (operator.planned_start_s, operator.planned_end_s, place + 0.02, 0.3, 0.35),
            (operator.start_s, operator.end_s, place - 0.36, 0.36, 0.9),
        )
        for start, end, bottom, height, alpha in bars:
            if start is None or end is None:
                continue
            ax.broken_barh(
                [(start * factor, (end - start) * factor)],
                (bottom, height),
                facecolor=colour,
                edgecolor="white",
                linewidth=0.5,
                alpha=alpha,
            )
        name = operator.name.split(".", 1)[-1]
        if operator.latency_s > LABEL_SHARE * len(name) * max(ends):
            middle = ((operator.start_s or 0.0) + operator.latency_s / 2) * factor
            ax.text(middle, place - 0.18, name, ha="center", va="center", fontsize=6, clip_on=True)
    ax.set_yticks(range(len(units)), units[::-1])
    ax.set_ylim(-0.5, len(units) - 0.5)
    ax.set_xlim(0, max(ends) * factor * 1.01)
    ax.set_xlabel(f"time ({scale}); upper bars: schedule without contention, lower bars: events")
    ax.set_title(f"{result.workload} on {result.architecture}", fontsize=9)
    for index, name in enumerate(networks):
        ax.plot([], [], color=f"C{index % 10}", linewidth=6, label=name)
    ax.legend(fontsize=7, loc="upper right")
    return ax
