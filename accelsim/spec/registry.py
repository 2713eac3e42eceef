"""Hardware classes and machine families by name, built-in or from another package, loaded on first use."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.spec.component import Component

COMPONENTS = "accelsim.components"
MAPPINGS = "accelsim.mappings"


@cache
def registered(group: str) -> dict[str, EntryPoint]:
    """Entry points of a group by name; raises AccelsimError if two packages claim a name."""
    found: dict[str, EntryPoint] = {}
    problems = []
    for entry in entry_points(group=group):
        other = found.setdefault(entry.name, entry)
        if other.value != entry.value:
            problems.append(
                f"{group}: {entry.name!r} is registered twice, as {other.value} and as {entry.value}"
            )
    if problems:
        raise AccelsimError(*problems)
    return dict(sorted(found.items()))


def component_names() -> tuple[str, ...]:
    """Names that ``class:`` takes."""
    return tuple(registered(COMPONENTS))


def mapping_names() -> tuple[str, ...]:
    """Names that ``mapping:`` takes."""
    return tuple(registered(MAPPINGS))


def component_class(name: str) -> type[Component]:
    """Hardware class of that name; an unknown one raises AccelsimError with the nearest name."""
    found = _load(COMPONENTS, "component class", name)
    if not (isinstance(found, type) and issubclass(found, Component)):
        raise AccelsimError(
            f"component class {name!r} is not a subclass of accelsim.spec.component.Component"
        )
    return found


def mapping_family(name: str) -> Any:
    """Machine family of that name; an unknown one raises AccelsimError with the nearest name."""
    return _load(MAPPINGS, "mapping", name)


def unknown(what: str, name: object, names: tuple[str, ...]) -> str:
    """``unknown component class 'dramm'; did you mean 'dram'?``, or the known names if none is near."""
    hint = did_you_mean(name, names) or (f"; known are {', '.join(names)}" if names else "")
    return f"unknown {what} {str(name)[:60]!r}{hint}"


def _load(group: str, what: str, name: str) -> Any:
    entries = registered(group)
    if name not in entries:
        raise AccelsimError(unknown(what, name, tuple(entries)))
    try:
        return entries[name].load()
    except (ImportError, AttributeError) as error:
        entry = entries[name].value
        raise AccelsimError(f"{what} {name!r} cannot be loaded from {entry}: {error}") from error
