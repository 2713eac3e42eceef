"""Network-on-chip link: carries tiles from a buffer to the processing elements and back."""

from typing import Literal

from pydantic import Field

from accelsim.components.storage import TENSORS, Amount, Tensor
from accelsim.kernel import Resource
from accelsim.spec.component import Component
from accelsim.spec.units import BytesPerSecond, JoulesPerByte, Seconds, SquareMillimetres


class Link(Component):
    """A shared medium of given bandwidth; ``carries`` names its tensors.

    ``separate_directions`` gives loads and stores a channel each (full duplex); without it they contend.
    A multicast is one transfer: its bytes cross the link once, whoever listens.
    """

    bandwidth: BytesPerSecond
    latency: Seconds = 0.0
    carries: tuple[Tensor, ...] = Field(default=TENSORS, min_length=1)
    separate_directions: bool = False
    order: Literal["fifo", "priority"] = "fifo"
    energy: JoulesPerByte | None = None
    area: SquareMillimetres | None = None

    def service_s(self, size_bytes: Amount) -> Amount:
        """Seconds the link is busy with a transfer: latency + bytes / bandwidth."""
        return self.latency + size_bytes / self.bandwidth

    def transfer_energy_J(self, size_bytes: float) -> float | None:
        """Energy in joules of moving so many bytes; None if unknown."""
        return None if self.energy is None else size_bytes * self.energy

    def resource(self, name: str) -> Resource:
        """The kernel resource of one direction (or of both, if they contend)."""
        return Resource(name, order=self.order)

    def area_mm2(self) -> float | None:
        """Area in mm², None if unknown."""
        return self.area
