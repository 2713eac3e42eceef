"""Sub-accelerators made of one array under two to four storage levels."""

from accelsim.mapping.asic.family import ASIC

__all__ = ["ASIC"]
