"""Off-chip DRAM: latency plus bytes at the part of the peak bandwidth that an access of that size reaches."""

from itertools import pairwise
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from accelsim.components.storage import Amount, Storage
from accelsim.kernel import Resource
from accelsim.spec.units import Bytes, BytesPerSecond, Fraction, PositiveCount, Seconds

Efficiency = Annotated[tuple[tuple[Bytes, Fraction], ...], Field(min_length=1)]


class DRAM(Storage):
    """DRAM whose ``count`` channels are interleaved: a transfer is spread over all of them.

    ``efficiency`` lists [access size, fraction of the peak bandwidth] with growing sizes; the entry of the
    largest size not above the transfer's applies (the first one below that). One transfer moves one tile,
    laid out contiguously, so its access size is its size. Row buffers depend on state and stay outside this
    model. ``run_length`` is the code of feature maps with zeros: [bytes of a word, non-zeros in it].
    """

    bandwidth: BytesPerSecond
    latency: Seconds = 0.0
    efficiency: Efficiency = ((0, 1.0),)
    run_length: tuple[Bytes, PositiveCount] | None = None

    @model_validator(mode="after")
    def _sizes_grow(self) -> Self:
        sizes = [size for size, _ in self.efficiency]
        if any(b <= a for a, b in pairwise(sizes)):
            raise ValueError("access sizes of efficiency must grow from entry to entry")
        if any(fraction <= 0 for _, fraction in self.efficiency):
            raise ValueError("efficiency must be above 0")
        return self

    def coded(self, zeros: float, bits: int) -> float:
        """Part of a feature map's bytes that its code takes, at most 1: what does not shrink is stored raw.

        ``zeros`` is the share of zeros, ``bits`` the width of an element.
        """
        if self.run_length is None:
            return 1.0
        word, nonzeros = self.run_length
        return min(1.0, (1 - zeros) * 8 * word / nonzeros / bits)

    def efficiency_at(self, size_bytes: Amount) -> Amount:
        """Fraction of the peak bandwidth that an access of so many bytes reaches."""
        sizes, fractions = np.array(self.efficiency, dtype=float).T
        index = np.searchsorted(sizes, size_bytes, side="right") - 1
        reached: Amount = fractions[np.maximum(index, 0)]
        return reached

    def service_s(self, size_bytes: Amount) -> Amount:
        """Seconds the channels are busy: latency + bytes / (efficiency x bandwidth x channels)."""
        peak = self.bandwidth * self.count
        return self.latency + size_bytes / (self.efficiency_at(size_bytes) * peak)

    def resource(self, name: str) -> Resource:
        """The kernel resource: one server, because the channels work together."""
        return Resource(name)
