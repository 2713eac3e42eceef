"""Roofline and timeline; matplotlib is imported only here (the ``plot`` extra)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import AccelsimError
from accelsim.results.layout import shorten
from accelsim.results.quantity import quantity
from accelsim.results.result import OperatorResult, Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LABELS = 5
MOST_TASKS = 5_000_000
BINS = 400
SMALL = 7
"""Font size of names inside the axes."""


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise AccelsimError("plots need matplotlib: pip install 'accelsim[plot]'") from error
    return plt


def new_axes(ax: "Axes | None") -> "Axes":
    """The given axes, or those of a new figure."""
    if ax is not None:
        return ax
    axes: Axes = _pyplot().subplots(figsize=(9, 4.5), layout="constrained")[1]
    return axes


def _colours(result: Result) -> dict[str | None, str]:
    """One colour per resource, the same in both plots."""
    return {r.name: f"C{index % 10}" for index, r in enumerate(result.queues)}


def plot_roofline(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Operators by intensity (MAC per byte of the first memory) and rate (MAC/s), under the machine's roofs.

    The area of a marker is the operator's share of the time, its colour the resource that bounds it.

    Raises
    ------
    AccelsimError
        If the machine has no single peak rate and memory bandwidth.
    """
    peak, bandwidth = result.peak_macs_per_s, result.memory_B_per_s
    if peak is None or bandwidth is None:
        raise AccelsimError(f"{result.architecture} has no single peak and bandwidth to draw a roofline with")
    ax = new_axes(ax)
    points = [
        (o.macs / next(iter(o.bytes.values())), o.macs / o.latency_s, o)
        for o in result.operators
        if o.macs and o.latency_s and next(iter(o.bytes.values()), 0)
    ]
    memory = next(iter(points[0][2].bytes)) if points else "memory"
    ridge = peak / bandwidth
    low = min([ridge, *(x for x, _, _ in points)]) / 2
    high = max([ridge, *(x for x, _, _ in points)]) * 2
    # Names stand in a column to the right of all points, so that they cover none.
    right = high * (high / low) ** 0.35
    roof = np.geomspace(low, right, 400)
    ax.loglog(roof, np.minimum(peak, roof * bandwidth), color="black", lw=1.2)
    ax.set(
        xlim=(low, right),
        ylim=(min([low * bandwidth, *(y for _, y, _ in points)]) / 2, peak * 3),
        xlabel=f"intensity [MAC per byte of {memory} traffic]",
        ylabel="rate [MAC/s]",
        title=f"{result.workload} on {result.architecture}: roofline (marker area = share of the time)",
    )
    note: dict[str, Any] = {"fontsize": SMALL + 1, "textcoords": "offset points"}
    ax.annotate(quantity(peak, "MAC/s"), (right, peak), xytext=(-4, 4), ha="right", **note)
    slope = (low * ridge) ** 0.5
    ax.annotate(
        f"{memory} {quantity(bandwidth, 'B/s')}",
        (slope, slope * bandwidth),
        xytext=(-6, 4),
        ha="right",
        **note,
    )
    colours = _colours(result)
    for bound in dict.fromkeys(o.bound_by for _, _, o in points):
        mine = [p for p in points if p[2].bound_by == bound]
        ax.scatter(
            [x for x, _, _ in mine],
            [y for _, y, _ in mine],
            s=[12 + 600 * o.latency_s / result.latency_s for _, _, o in mine],
            color=colours.get(bound, "grey"),
            alpha=0.7,
            linewidths=0,
            label=f"bound by {bound}" if bound else "without events",
        )
    _name_longest(ax, points, peak)
    if points:
        legend = ax.legend(fontsize=SMALL + 1, loc="lower right")
        for handle in legend.legend_handles:
            if handle is not None and hasattr(handle, "set_sizes"):
                handle.set_sizes([30])
    return ax


def _name_longest(ax: "Axes", points: list[tuple[float, float, OperatorResult]], peak: float) -> None:
    """Names beside the points where most time is spent; operators on the same point share one."""
    groups: dict[tuple[str, str], list[tuple[float, float, OperatorResult]]] = {}
    for point in points:
        groups.setdefault((f"{point[0]:.3g}", f"{point[1]:.3g}"), []).append(point)
    longest = sorted(groups.values(), key=lambda group: -sum(o.latency_s for _, _, o in group))[:MOST_LABELS]
    to_axes = ax.transLimits.transform
    top = float(to_axes((0.0, np.log10(peak)))[1]) - 0.09
    place = {id(group): to_axes(np.log10(group[0][:2])) for group in longest}

    def angle(group: list[tuple[float, float, OperatorResult]]) -> float:
        """Slope from the names' column up to the point: in this order hardly any lines cross."""
        x, y = place[id(group)]
        return float((y - top) / (1 - x))

    for index, group in enumerate(sorted(longest, key=angle, reverse=True)):
        x, y, operator = group[0]
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        ax.annotate(
            shorten(operator.name, 20) + more,
            (x, y),
            xytext=(0.985, top - 0.075 * index),
            textcoords="axes fraction",
            fontsize=SMALL,
            ha="right",
            va="center",
            arrowprops={"arrowstyle": "-", "lw": 0.4, "color": "grey", "relpos": (0, 0.5)},
        )


def plot_timeline(result: Result, ax: "Axes | None" = None) -> "Axes":
    """One row per resource: the share of each slice of time in which its servers were busy.

    The strip above names the operators; its colour is the resource that bounds them.

    Raises
    ------
    AccelsimError
        If the result has no events.
    """
    if result.timeline is None:
        raise AccelsimError(
            f"a {result.engine} result has no timeline; run with engine 'compiled' or 'simpy'"
        )
    # Layers that repeat an earlier one are drawn too, unless that would take too many tasks.
    timeline = result.timeline(result.counts.get("tasks", 0) <= MOST_TASKS)
    ax = new_axes(ax)
    end_ps = max(int(timeline.end_ps.max(initial=0)), *(j.end_ps for j in timeline.jumps), 1)
    edges = np.linspace(0, end_ps, BINS + 1)
    rows = result.queues
    busy = np.zeros((len(rows), BINS))
    for index, resource in enumerate(rows):
        mine = timeline.resource == index
        # Busy time up to an edge: what lies after it of all ends, less what lies after it of all starts.
        ends = _beyond(np.sort(timeline.end_ps[mine]), edges)
        starts = _beyond(np.sort(timeline.start_ps[mine]), edges)
        busy[index] = np.diff(starts - ends) / np.diff(edges) / (resource.servers or 1)
    scale, unit = time_scale(result.latency_s)
    ax.imshow(
        np.clip(np.abs(busy), 0, 1),
        aspect="auto",
        cmap="Greys",
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(0, result.latency_s * scale, len(rows) - 0.5, -0.5),
    )
    for index in range(1, len(rows)):
        ax.axhline(index - 0.5, color="white", lw=2)
    height = max(1.0, 0.45 * len(rows))
    _operator_strip(result, ax, scale, height)
    names = [f"{r.name}\n{r.utilisation or 0:.0%} busy" for r in rows]
    ax.set_yticks([-0.5 - height / 2, *range(len(rows))], ["operators", *names], fontsize=SMALL + 1)
    ax.set_ylim(len(rows) - 0.5, -0.5 - height)
    ax.set(
        xlabel=f"time [{unit}]",
        title=f"{result.workload} on {result.architecture}: when each resource is busy",
    )
    return ax


def time_scale(seconds: float) -> tuple[float, str]:
    """Factor and unit of a time axis."""
    steps = ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (1e-6, 1e6, "µs"))
    return next(((factor, unit) for least, factor, unit in steps if seconds >= least), (1e9, "ns"))


def _operator_strip(result: Result, ax: "Axes", scale: float, height: float) -> None:
    """One bar per operator above the resources, named where the name has room."""
    colours = _colours(result)
    middle = -0.5 - height / 2
    for operator in result.operators:
        start, width = (operator.start_s or 0.0) * scale, operator.latency_s * scale
        if not width:
            continue
        colour = colours.get(operator.bound_by, "grey")
        ax.barh(middle, width, left=start, height=height, color=colour, alpha=0.35, edgecolor="white", lw=0.4)
        if width > 0.013 * result.latency_s * scale:
            wide = width > 0.12 * result.latency_s * scale
            ax.text(
                start + width / 2,
                middle,
                shorten(operator.name, 16),
                fontsize=SMALL - 1,
                rotation=0 if wide else 90,
                ha="center",
                va="center",
                clip_on=True,
            )


def _beyond(times: NDArray[np.int64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over all (sorted) times of how far each lies beyond the edge."""
    later = np.concatenate([np.cumsum(times[::-1].astype(float))[::-1], [0.0]])
    index = np.searchsorted(times, edges)
    beyond: NDArray[np.float64] = later[index] - (len(times) - index) * edges
    return beyond


def ending_problem(path: str) -> list[str]:
    """The sentence about a file whose ending is no picture format; none if it is one."""
    _pyplot()
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix.lower().lstrip(".") in known:
        return []
    return [f"{path}: the ending of a picture must be one of {', '.join(sorted(known))}"]


def save_plots(result: Result, path: str) -> None:
    """Draw timeline and roofline, one above the other, into a file whose ending gives the format.

    Raises
    ------
    AccelsimError
        If matplotlib is missing, the ending is no picture format, or the file cannot be written.
    """
    plt = _pyplot()
    problems = ending_problem(path)
    if problems:
        raise AccelsimError(*problems)
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 8.5), layout="constrained")
    try:
        plot_timeline(result, above)
        plot_roofline(result, below)
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise AccelsimError(f"{path}: cannot save the plot: {error.strerror or error}") from error
    finally:
        plt.close(figure)
