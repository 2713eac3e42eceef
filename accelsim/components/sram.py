"""On-chip SRAM: a buffer that several processing elements share."""

from accelsim.components.storage import Storage
from accelsim.spec.units import BytesPerSecond


class SRAM(Storage):
    """A global or local buffer. ``bandwidth`` is that of its array-side port; None means it is never narrower
    than the network behind it.
    """

    bandwidth: BytesPerSecond | None = None

    def service_s(self, size_bytes: float) -> float:
        """Seconds the port is busy with a transfer of so many bytes."""
        return 0.0 if self.bandwidth is None else size_bytes / self.bandwidth
