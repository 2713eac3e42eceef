"""Servers that tasks queue for."""

from dataclasses import dataclass

from accelsim.errors import AccelsimError, did_you_mean

ORDERS = ("fifo", "priority", "in_order")


@dataclass(frozen=True, slots=True)
class Resource:
    """Identical servers behind one queue.

    ``order`` says which ready task a free server takes: ``fifo`` the one that became ready first,
    ``priority`` the smallest priority first and then fifo, ``in_order`` strictly by task number (the
    head of the line blocks: instruction streams, DMA queues). Ties are broken by task number.
    """

    name: str
    servers: int = 1
    order: str = "fifo"

    def __post_init__(self) -> None:
        problems = []
        if not isinstance(self.servers, int) or self.servers < 1:
            problems.append(f"resource {self.name!r}: servers must be at least 1, not {self.servers!r}")
        if self.order not in ORDERS:
            problems.append(
                f"resource {self.name!r}: order must be fifo, priority or in_order, not {self.order!r}"
                f"{did_you_mean(self.order, ORDERS)}"
            )
        if problems:
            raise AccelsimError(*problems)
