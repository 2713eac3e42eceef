"""Best mapping of a layer on a hierarchy of memories, with a certificate of what was searched."""

from accelsim.mapper.mapped import Certificate, Mapped, Metric
from accelsim.mapper.search import best_mapping
from accelsim.mapper.space import Space

__all__ = ["Certificate", "Mapped", "Metric", "Space", "best_mapping"]
