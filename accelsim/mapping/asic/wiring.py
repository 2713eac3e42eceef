"""The kernel resources of a sub-accelerator and which of them each transfer uses."""

from collections.abc import Callable
from copy import copy

import numpy as np

from accelsim.components.dram import DRAM
from accelsim.components.link import Link
from accelsim.components.sram import SRAM
from accelsim.components.storage import TENSORS, Amount
from accelsim.kernel import Resource
from accelsim.mapping.asic.events import PURE_DELAY
from accelsim.mapping.asic.machine import Machine
from accelsim.mapping.asic.options import Free
from accelsim.mapping.asic.plan import Ints
from accelsim.mapping.asic.timing import to_cycles
from accelsim.mapping.family import Kind


def _slower(dram: DRAM, behind: Link | None) -> Callable[[Amount], Amount]:
    """Service time of DRAM and the link behind it, which a transfer holds together."""
    if behind is None:
        return dram.service_s
    link = behind

    def service_s(size: Amount) -> Amount:
        slower: Amount = np.maximum(dram.service_s(size), link.service_s(size))
        return slower

    return service_s


NAMES = {"outputs": "partial sums"}
"""What a tensor is called on its way down: outputs that come back are partial sums."""


class Wiring:
    """Resources and task kinds of a machine.

    A transfer that needs several parts of the machine at once (a buffer's port and the link behind it)
    occupies the narrowest; the others are booked as bytes. ``free`` transfers take no time: ``all`` of
    them, or those of the ``dram``. ``behind`` is a link that everything between DRAM and the machine crosses.
    """

    def __init__(self, machine: Machine, free: Free = "none", behind: Link | None = None) -> None:
        self.machine = machine
        self.free = free
        self.amounts = False
        self.component_of: list[str] = []
        """Component that each resource is, or is a way of."""
        self.resources: list[Resource] = []
        self.kinds: list[Kind] = []
        self._service: list[Callable[[Amount], Amount] | None] = []
        self._kind_of: dict[Kind, int] = {}
        self.dram = self._resource(machine.dram.resource(machine.dram_name), _slower(machine.dram, behind))
        ports = {
            name: self._resource(Resource(name), memory.service_s)
            for level in machine.buffers
            for name, memory in level.memories.items()
            if isinstance(memory, SRAM) and memory.bandwidth is not None
        }
        self._ports = ports
        self._made: dict[str, tuple[int, int]] = {}
        self._down, self._up = self._links(ports)
        self.array = self._resource(machine.array.resource(machine.array_name), None)
        self.compute = (self.array, self.kind("compute", self.array))
        self.wait_kind = self.kind("wait", PURE_DELAY)

    def _resource(
        self, resource: Resource, service: Callable[[Amount], Amount] | None, component: str = ""
    ) -> int:
        self.resources.append(resource)
        self.component_of.append(component or resource.name)
        self._service.append(service)
        return len(self.resources) - 1

    def _links(self, ports: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
        """Resource of each tensor towards the array and back: its link, or the port if that is narrower."""
        down: dict[str, int] = {}
        up: dict[str, int] = {}
        made = self._made
        innermost = {t: level.holders[t] for level in self.machine.buffers for t in level.tensors}
        for tensor in TENSORS:
            port = ports.get(innermost.get(tensor, ""), PURE_DELAY)
            down[tensor] = up[tensor] = port
            link, name = self.machine.link(tensor), self.machine.links.get(tensor)
            if link is None or name is None:
                continue
            if name not in made:
                if link.separate_directions:
                    to = self._resource(Resource(f"{name} in", order=link.order), link.service_s, name)
                    back = self._resource(Resource(f"{name} out", order=link.order), link.service_s, name)
                    made[name] = (to, back)
                else:
                    both = self._resource(link.resource(name), link.service_s)
                    made[name] = (both, both)
            memory = self.machine.components.get(innermost.get(tensor, ""))
            narrower = (
                isinstance(memory, SRAM)
                and memory.bandwidth is not None
                and memory.bandwidth < link.bandwidth
            )
            if not narrower:
                down[tensor], up[tensor] = made[name]
        return down, up

    def at(self, machine: Machine) -> "Wiring":
        """The same resources for a layer that sees other levels of the machine's buffers."""
        view = copy(self)
        view.machine = machine
        view._down, view._up = view._links(self._ports)
        return view

    def in_amounts(self) -> "Wiring":
        """The same resources, but what a transfer lasts is said in bytes."""
        view = copy(self)
        view.amounts = True
        return view

    def kind(self, action: str, resource: int) -> int:
        """Number of a task kind, the same for the same action on the same resource."""
        kind = Kind(action, None if resource < 0 else self.resources[resource].name)
        if kind not in self._kind_of:
            self._kind_of[kind] = len(self.kinds)
            self.kinds.append(kind)
        return self._kind_of[kind]

    def load(self, tensor: str, parent: int, child: int) -> tuple[int, int]:
        """Resource and kind of bringing a tile from one shared level to a lower one (or towards the
        array).
        """
        resource = self._port(tensor, parent)
        return resource, self.kind(f"load {NAMES.get(tensor, tensor)}", resource)

    def store(self, parent: int, child: int) -> tuple[int, int]:
        """Resource and kind of taking a tile of outputs up."""
        resource = self._port("outputs", parent)
        return resource, self.kind("store outputs", resource)

    def send(self, tensor: str) -> tuple[int, int]:
        """Resource and kind of sending a tensor into the array."""
        resource = self._down[tensor]
        return resource, self.kind(f"send {NAMES.get(tensor, tensor)}", resource)

    def drain(self) -> tuple[int, int]:
        """Resource and kind of taking outputs out of the array."""
        resource = self._up["outputs"]
        return resource, self.kind("drain outputs", resource)

    def _port(self, tensor: str, level: int) -> int:
        if level == 0:
            return self.dram
        return self._ports.get(self.machine.shared[level].holders[tensor], PURE_DELAY)

    def takes_time(self, resource: int) -> bool:
        """Whether transfers over a resource last at all."""
        free = self.free == "all" or (self.free == "dram" and resource == self.dram)
        return resource >= 0 and not free and self._service[resource] is not None

    def cycles(self, resource: int, size: Ints) -> Ints:
        """Cycles that a transfer of so many bytes occupies a resource; in a view ``in_amounts`` the bytes."""
        service = self._service[resource] if self.takes_time(resource) else None
        if service is None:
            return np.zeros(len(size), np.int64)
        if self.amounts:
            return size
        seconds = np.asarray(service(size.astype(float)))
        return to_cycles(seconds, self.machine.array.clock, self.resources[resource].name)
