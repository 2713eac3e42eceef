"""Several sub-accelerators on one chip: what they share, and each part as a machine of its own."""

from dataclasses import dataclass

from accelsim.components.compute import ComputeArray
from accelsim.components.dram import DRAM
from accelsim.components.link import Link
from accelsim.components.sram import SRAM
from accelsim.errors import AccelsimError
from accelsim.spec.architecture import Architecture
from accelsim.spec.component import Component


@dataclass(frozen=True)
class Chip:
    """Parts with everything they use in reach, the names they share, and the link between DRAM and parts."""

    parts: dict[str, Architecture]
    shared: dict[str, Component]
    noc_name: str | None
    noc: Link | None


def chip(architecture: Architecture) -> Chip:
    """Give every part the chip's DRAM and its share of the chip's global buffer.

    The chip's own ``dram`` replaces those of its parts; without one, parts must have equal DRAMs, which are
    then one. An ``sram`` of the chip lies between the DRAM and every part's own buffers, divided equally
    among the parts. A ``link`` of the chip carries everything between DRAM and parts.

    Raises
    ------
    AccelsimError
        For components that cannot be shared, or DRAMs that differ; all at once.
    """
    where, own = architecture.name, architecture.components
    problems = [
        f"{where}: components.{n}: an array belongs to a part, not to the chip"
        for n, c in own.items()
        if isinstance(c, ComputeArray)
    ]
    problems += [
        f"{where}: components.{n}: a chip of parts shares dram, sram and link, not class {c.class_!r}"
        for n, c in own.items()
        if not isinstance(c, ComputeArray | DRAM | SRAM | Link)
    ]
    drams = {n: c for n, c in own.items() if isinstance(c, DRAM)}
    links = {n: c for n, c in own.items() if isinstance(c, Link)}
    buffers = {n: c for n, c in own.items() if isinstance(c, SRAM)}
    for kind, found in (("dram", drams), ("link", links), ("sram", buffers)):
        if len(found) > 1:
            problems.append(f"{where}: a chip of parts has at most one {kind} of its own, not {len(found)}")
    for name, part in architecture.parts.items():
        if part.parts:
            problems.append(f"{where}: parts.{name}: parts inside parts are not mapped")
        if part.mapping not in (None, "asic"):
            problems.append(f"{where}: parts.{name}: is of family {part.mapping!r}, not 'asic'")
        problems += [
            f"{where}: parts.{name}.components.{n}: the chip has a component of this name; rename one"
            for n, c in part.components.items()
            if n in own and not (isinstance(c, DRAM) and n in drams)
        ]
    if not drams:
        drams = _common(architecture, problems)
    if problems:
        raise AccelsimError(*problems)
    share = {
        n: c.model_copy(update={"size": int(c.size) // len(architecture.parts)}) for n, c in buffers.items()
    }
    parts = {}
    for name, part in architecture.parts.items():
        rest = {n: c for n, c in part.components.items() if not isinstance(c, DRAM)}
        given = architecture.defaults.model_dump(exclude_none=True)
        defaults = part.defaults.model_copy(update=given)
        parts[name] = part.model_copy(update={"components": {**drams, **share, **rest}, "defaults": defaults})
    noc = next(iter(links.items()), (None, None))
    return Chip(parts, {**drams, **buffers}, *noc)


def _common(architecture: Architecture, problems: list[str]) -> dict[str, DRAM]:
    """The one DRAM that all parts name alike."""
    found: dict[str, tuple[str, DRAM]] = {}
    for name, part in architecture.parts.items():
        for key, component in part.components.items():
            if not isinstance(component, DRAM):
                continue
            first, known = found.setdefault(key, (name, component))
            if known != component:
                problems.append(
                    f"{architecture.name}: parts.{first}.components.{key} and parts.{name}.components.{key}"
                    " differ, but the parts share one memory; make them equal or give the chip a dram"
                )
    if not found:
        problems.append(f"{architecture.name}: neither the chip nor a part has a dram")
    elif len(found) > 1:
        names = ", ".join(found)
        problems.append(
            f"{architecture.name}: the parts name different drams ({names}); give the chip one of its own"
        )
    return {key: dram for key, (_, dram) in found.items()}
