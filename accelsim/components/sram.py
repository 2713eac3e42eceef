"""On-chip SRAM: a buffer that several processing elements share."""

from accelsim.components.storage import Amount, Storage
from accelsim.spec.units import BytesPerSecond, PositiveCount


class SRAM(Storage):
    """A global or local buffer. ``bandwidth`` is that of its array-side port; None means it is never narrower
    than the network behind it. ``padded``: the zeros around an image are put in on its way into the buffer,
    and from there on are like pixels. ``ports`` only raises estimated prices: it changes no time.
    """

    bandwidth: BytesPerSecond | None = None
    padded: bool = False
    ports: PositiveCount = 1

    def service_s(self, size_bytes: Amount) -> Amount:
        """Seconds the port is busy with a transfer of so many bytes."""
        return size_bytes * 0.0 if self.bandwidth is None else size_bytes / self.bandwidth
