"""Roofline and timeline; matplotlib is imported only here (the ``plot`` extra)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from accelsim.errors import AccelsimError
from accelsim.results.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 4
MOST_TASKS = 5_000_000
BINS = 400


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise AccelsimError("plots need matplotlib: pip install 'accelsim[plot]'") from error
    return plt


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    axes: Axes = _pyplot().subplots(figsize=(8, 4.5), layout="constrained")[1]
    return axes


def plot_roofline(result: Result, ax: "Axes | None" = None) -> "Axes":
    """Operators by intensity (MAC per byte of the first memory) and rate (MAC/s), under the machine's two
    roofs.

    Raises
    ------
    AccelsimError
        If the machine has no single peak rate and memory bandwidth.
    """
    peak, bandwidth = result.peak_macs_per_s, result.memory_B_per_s
    if peak is None or bandwidth is None:
        raise AccelsimError(f"{result.architecture} has no single peak and bandwidth to draw a roofline with")
    ax = _axes(ax)
    points = [
        (o.macs / next(iter(o.bytes.values())), o.macs / o.latency_s, o)
        for o in result.operators
        if o.macs and o.latency_s and next(iter(o.bytes.values()), 0)
    ]
    ridge = peak / bandwidth
    low = min([ridge, *(p[0] for p in points)]) / 2
    high = max([ridge, *(p[0] for p in points)]) * 2
    intensity = np.geomspace(low, high, 200)
    ax.loglog(intensity, np.minimum(peak, intensity * bandwidth), color="black", lw=1.2)
    for bound in dict.fromkeys(o.bound_by for _, _, o in points):
        x, y = np.array([(x, y) for x, y, o in points if o.bound_by == bound]).T
        ax.scatter(x, y, s=18, label=f"bound by {bound}")
    longest = sorted(points, key=lambda p: -p[2].latency_s)
    for index, (x, y, o) in enumerate(longest[:MOST_POINTS]):
        offset = (8, -14 - 10 * index)
        ax.annotate(
            o.name, (x, y), fontsize=7, xytext=offset, textcoords="offset points",
            arrowprops={"arrowstyle": "-", "lw": 0.4},
        )  # fmt: skip
    ax.set(
        xlabel="intensity [MAC per byte of DRAM traffic]",
        ylabel="rate [MAC/s]",
        title=f"{result.workload} on {result.architecture}: roofline",
    )
    ax.legend(fontsize=8)
    return ax


def plot_timeline(result: Result, ax: "Axes | None" = None) -> "Axes":
    """One row per resource: the share of each slice of time in which it was busy.

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
    ax = _axes(ax)
    names = timeline.resources
    end_ps = max(int(timeline.end_ps.max(initial=0)), *(j.end_ps for j in timeline.jumps), 1)
    edges = np.linspace(0, end_ps, BINS + 1)
    busy = np.zeros((len(names), BINS))
    for index in range(len(names)):
        mine = timeline.resource == index
        # Busy time up to an edge: what lies after it of all ends, less what lies after it of all starts.
        ends = _beyond(np.sort(timeline.end_ps[mine]), edges)
        starts = _beyond(np.sort(timeline.start_ps[mine]), edges)
        busy[index] = np.diff(starts - ends) / np.diff(edges)
    scale = 1e3 if result.latency_s < 1 else 1.0
    ax.imshow(
        np.clip(np.abs(busy), 0, 1),
        aspect="auto",
        cmap="Blues",
        vmin=0,
        vmax=1,
        interpolation="nearest",
        extent=(0, result.latency_s * scale, len(names) - 0.5, -0.5),
    )
    _operator_strip(result, ax, scale)
    ax.set_yticks([-1, *range(len(names))], ["operators", *names])
    ax.set_ylim(len(names) - 0.5, -1.5)
    ax.set(
        xlabel="time [ms]" if scale > 1 else "time [s]",
        title=f"{result.workload} on {result.architecture}: share of time that each resource is busy",
    )
    return ax


def _operator_strip(result: Result, ax: "Axes", scale: float) -> None:
    """One bar per operator above the resources, named where the name has room."""
    timed = [o for o in result.operators if o.start_s is not None and o.latency_s]
    for index, operator in enumerate(timed):
        start, width = (operator.start_s or 0.0) * scale, operator.latency_s * scale
        ax.barh(-1, width, left=start, height=0.9, color=("#cfd8dc", "#eceff1")[index % 2])
        if width > 0.012 * result.latency_s * scale:
            name = operator.name if len(operator.name) <= 12 else "…" + operator.name[-11:]
            ax.text(
                start + width / 2, -1, name, fontsize=5, rotation=90, ha="center", va="center", clip_on=True
            )


def _beyond(times: NDArray[np.int64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over all (sorted) times of how far each lies beyond the edge."""
    later = np.concatenate([np.cumsum(times[::-1].astype(float))[::-1], [0.0]])
    index = np.searchsorted(times, edges)
    beyond: NDArray[np.float64] = later[index] - (len(times) - index) * edges
    return beyond


def save_plots(result: Result, path: str) -> None:
    """Draw timeline and roofline, one above the other, into a file whose ending gives the format.

    Raises
    ------
    AccelsimError
        If matplotlib is missing, the ending is no picture format, or the file cannot be written.
    """
    plt = _pyplot()
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 8), layout="constrained")
    plot_timeline(result, above)
    plot_roofline(result, below)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise AccelsimError(f"{path}: cannot save the plot: {error}") from error
    finally:
        plt.close(figure)
