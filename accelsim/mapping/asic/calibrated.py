"""What a layer costs on a sub-accelerator under a calibration: the data-centric model, in its own units.

Time is that of ``cost.cases``. Energy of a layer, in the calibration's unit:
``mac_energy * (l1_access * (4 * MACs + reads) + l2_access * (reads + fills + writes))``.
Every multiply-accumulate reads an input, a weight and a partial sum beside it and writes one; ``reads`` are
elements drawn from the shared buffer (a multicast once, each also written beside a PE), ``fills`` input and
weight elements written to that buffer once each, ``writes`` output elements that come back. Area of a
sub-accelerator of n PEs and a bus of BW elements per cycle: MACs + arbiter * (a n^2 + b n + c)
+ bus * BW * (d n + e) + memory cells of both kinds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum

from accelsim.components.link import Link
from accelsim.components.pe_array import PEArray
from accelsim.cost.cases import Pipe, Rules, analyse
from accelsim.errors import AccelsimError
from accelsim.graph.dtypes import BITS
from accelsim.graph.shape import ConvShape
from accelsim.mapping.asic.template import array_loops
from accelsim.spec.architecture import Architecture
from accelsim.spec.calibration import Calibration, Switches
from accelsim.spec.dataflow import Dataflow, load_dataflow


@dataclass(frozen=True)
class SubAccelerator:
    """What the model knows of one array: PEs, dataflow, and elements per cycle of its network."""

    name: str
    array: PEArray
    dataflow: Dataflow
    bandwidth: float


@dataclass(frozen=True, slots=True)
class LayerCost:
    """One layer on one sub-accelerator: cycles, energy in the calibration's unit, and what it did."""

    cycles: int
    energy: float
    macs: int
    reads: int
    writes: int
    description: str

    @classmethod
    def total(cls, costs: Sequence["LayerCost"]) -> "LayerCost":
        """One cost of several, one after the other; described as the first."""
        return cls(
            cycles=sum(cost.cycles for cost in costs),
            energy=fsum(cost.energy for cost in costs),
            macs=sum(cost.macs for cost in costs),
            reads=sum(cost.reads for cost in costs),
            writes=sum(cost.writes for cost in costs),
            description=costs[0].description,
        )


def sub_accelerators(
    architecture: Architecture, precision: str, dataflow: str | None = None
) -> tuple[SubAccelerator, ...]:
    """The parts of an architecture, or itself, as the model sees them; ``dataflow`` replaces theirs.

    Raises
    ------
    AccelsimError
        If one is not a pe_array behind one link, all faults at once.
    """
    found = []
    problems = []
    for name, part in (architecture.parts or {"": architecture}).items():
        where = f"{architecture.name}: parts.{name}" if name else architecture.name
        arrays = [(n, c) for n, c in part.components.items() if isinstance(c, PEArray)]
        links = [c for c in part.components.values() if isinstance(c, Link)]
        if len(arrays) != 1 or len(links) != 1 or part.parts:
            problems.append(
                f"{where}: the data-centric model needs one pe_array behind one link, not {len(arrays)}"
                f" behind {len(links)}{' and parts' * bool(part.parts)}"
            )
            continue
        (array_name, array), (link,) = arrays[0], links
        elements = link.bandwidth / array.clock * 8 / BITS[precision]
        found.append(
            SubAccelerator(name or array_name, array, load_dataflow(dataflow or array.dataflow), elements)
        )
    clocks = {sub.array.clock for sub in found}
    if len(clocks) > 1:
        problems.append(
            f"{architecture.name}: the data-centric model counts cycles of one clock, not of {len(clocks)}"
        )
    if problems:
        raise AccelsimError(*problems)
    return tuple(found)


class CalibratedModel:
    """Layer costs and areas under one calibration and its switches; equal layers are analysed once."""

    def __init__(self, calibration: Calibration, switches: Switches) -> None:
        self.calibration = calibration
        self.switches = switches
        self.rules = Rules(
            switches.rs_loop_cycles,
            switches.shi_halo,
            switches.first_step,
            switches.buffers,
            calibration.whole("lanes"),
        )
        self._known: dict[tuple[str, ConvShape], LayerCost] = {}

    def cost(self, shape: ConvShape, sub: SubAccelerator) -> LayerCost:
        """Cost of a layer on a sub-accelerator.

        Raises
        ------
        AccelsimError
            If the dataflow cannot run the layer, or no output is left without padding.
        """
        key = (sub.name, shape)
        if key not in self._known:
            self._known[key] = self._cost(self.as_seen(shape), sub)
        return self._known[key]

    def as_seen(self, shape: ConvShape) -> ConvShape:
        """The layer with the rows and columns that the model counts as its image.

        Raises
        ------
        AccelsimError
            If no output is left without padding.
        """
        rows = []
        for axis, (position, tap) in enumerate((("P", "R"), ("Q", "S"))):
            stride, reach = shape.stride[axis], (shape[tap] - 1) * shape.dilation[axis] + 1
            outputs = shape[position]
            if self.switches.padding == "valid" and shape.size[axis] > 1:
                outputs = min(outputs, (shape.size[axis] - reach) // stride + 1)
                if outputs < 1:
                    raise AccelsimError(
                        f"an image of {shape.size[axis]} is smaller than a kernel of {reach}: nothing is left"
                        " with padding=valid; take padding=same"
                    )
            rows.append((outputs, (outputs - 1) * stride + reach))
        (p, height), (q, width) = rows
        return replace(shape, P=p, Q=q, pad=(0, 0), size=(height, width))

    def _cost(self, shape: ConvShape, sub: SubAccelerator) -> LayerCost:
        loops = array_loops(sub.dataflow, sub.array, shape, lambda _: (), fill=True)
        pipe = Pipe(sub.bandwidth, self.calibration.whole("hops"), self.calibration.whole("hop_latency"))
        timing = analyse(shape, (*loops.outer, *loops.inner), pipe, self.rules)
        reads = sum(timing.reads.values())
        energy = self.energy(shape, reads, timing.writes)
        lanes = [loop.dim for loop in loops.inner if loop.axis is not None]
        text = (
            f"{sub.dataflow.name} on {sub.name}; {' x '.join(lanes)} in space; buffers of {timing.shared}"
            f" elements shared, {timing.private} in a PE"
        )
        return LayerCost(timing.cycles, energy, shape.macs, reads, timing.writes, text)

    def energy(self, shape: ConvShape, reads: int, writes: int) -> float:
        """Energy of a layer ``as_seen``, in the calibration's unit."""
        constants = self.calibration
        fills = shape.elements("inputs") + shape.elements("weights")
        return constants["mac_energy"] * (
            constants["l1_access"] * (4 * shape.macs + reads)
            + constants["l2_access"] * (reads + fills + writes)
        )

    def area_um2(self, sub: SubAccelerator) -> Mapping[str, float]:
        """Area of each kind of hardware of a sub-accelerator in square micrometres."""
        c, n = self.calibration, sub.array.units
        arbiter = c["arbiter_square"] * n * n + c["arbiter_per_pe"] * n + c["arbiter_fixed"]
        if arbiter < 0:
            raise AccelsimError(
                f"{sub.name}: calibration {c.name!r} has no area for an arbiter of {n} PEs, its scaling is"
                " below 0 there; take more PEs"
            )
        return {
            "MACs": c["mac_area"] * n * c["lanes"],
            "arbiter": c["arbiter_area"] * arbiter,
            "bus": c["bus_area"] * sub.bandwidth * (c["bus_per_pe"] * n + c["bus_fixed"]),
            "L1": c["l1_cell_area"] * c["l1_cells"] * n,
            "L2": c["l2_cell_area"] * c["l2_cells"],
        }
