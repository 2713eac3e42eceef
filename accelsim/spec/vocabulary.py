"""The closed vocabulary of units. Nothing outside it is read, and nothing in it has two meanings."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Unit:
    """One spelling: its dimension, its size in the base unit, and whether numbers are printed with it."""

    dimension: str
    factor: Fraction
    shown: bool = True


DIMENSIONS = {
    "size": "a size",
    "bandwidth": "a bandwidth",
    "time": "a time",
    "frequency": "a frequency",
    "energy": "an energy",
    "energy per byte": "an energy per byte or bit",
    "power": "a power",
    "area": "an area",
    "area per byte": "an area per byte or bit",
    "MAC rate": "a rate of MACs",
    "FLOP rate": "a rate of FLOPs",
    "length": "a length",
    "voltage": "a voltage",
}
"""Dimensions, and what a sentence calls a value of each."""

OPERATIONS = frozenset(
    prefix + word
    for prefix in ("", "k", "M", "G", "T", "P", "E")
    for word in ("OPS", "OP/s", "op/s", "OPs", "ops/s")
)
"""Spellings that count operations without saying which; they are refused."""

_LARGE = {"k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SMALL = {"m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50}
_MICRO = ("µ", "μ")  # MICRO SIGN and GREEK SMALL LETTER MU look alike; both are typed


def _power(exponent: int) -> Fraction:
    return Fraction(10) ** exponent


def _scaled(dimension: str, unit: str, prefixes: dict[str, int], power: int = 1) -> dict[str, Unit]:
    """The unit itself and with each decimal prefix; ``power`` 2 squares the prefix."""
    units = {unit: Unit(dimension, Fraction(1))}
    for prefix, exponent in prefixes.items():
        units[prefix + unit] = Unit(dimension, _power(exponent * power))
        if prefix == "u":
            units.update({micro + unit: Unit(dimension, _power(exponent * power), False) for micro in _MICRO})
    return units


def _data(dimension: str, per: str) -> dict[str, Unit]:
    """Bytes and bits with decimal and binary prefixes; only bytes are printed."""
    units = _scaled(dimension, "B" + per, _LARGE)
    units["KB" + per] = Unit(dimension, _power(3), False)
    units |= {f"{p}B{per}": Unit(dimension, Fraction(2**e)) for p, e in _BINARY.items()}
    for bit in ("b", "bit"):
        decimal = {"": 0, **_LARGE, "K": 3} if bit == "b" else {"": 0, **_LARGE}
        units |= {f"{p}{bit}{per}": Unit(dimension, _power(e) / 8, False) for p, e in decimal.items()}
        units |= {f"{p}{bit}{per}": Unit(dimension, Fraction(2**e, 8), False) for p, e in _BINARY.items()}
    return units


def _area() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for length, exponent in {"mm": 0, "um": -6, "nm": -12, "cm": 2}.items():
        units[f"{length}2"] = Unit("area", _power(exponent))
        units[f"{length}²"] = Unit("area", _power(exponent), False)
    for micro in _MICRO:
        units |= {f"{micro}m{square}": Unit("area", _power(-6), False) for square in "2²"}
    return units


def _energy_per_byte() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for name, energy in _scaled("energy", "J", _SMALL).items():
        units[f"{name}/B"] = Unit("energy per byte", energy.factor, energy.shown)
        units |= {f"{name}/{bit}": Unit("energy per byte", energy.factor * 8, False) for bit in ("b", "bit")}
    return units


def _area_per_byte() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for size in ("B", "kB", "KB", "KiB", "MB", "MiB", "b", "bit", "kb", "Kib", "Mb", "Mib"):
        data = _data("size", "")[size]
        for name, area in _area().items():
            shown = area.shown and data.shown
            units[f"{name}/{size}"] = Unit("area per byte", area.factor / data.factor, shown)
    return units


UNITS: dict[str, Unit] = {
    **_data("size", ""),
    **_data("bandwidth", "/s"),
    **_scaled("time", "s", _SMALL),
    "min": Unit("time", Fraction(60), False),
    "h": Unit("time", Fraction(3600), False),
    **_scaled("frequency", "Hz", {p: _LARGE[p] for p in "kMGT"}),
    **_scaled("energy", "J", {**_SMALL, "k": 3}),
    **_energy_per_byte(),
    **_scaled("power", "W", {"u": -6, "n": -9, "m": -3, "k": 3, "M": 6}),
    **_area(),
    **_area_per_byte(),
    **_scaled("MAC rate", "MAC/s", _LARGE),
    **_scaled("FLOP rate", "FLOP/s", _LARGE),
    **_scaled("length", "m", {"m": -3, "u": -6, "n": -9}),
    "cm": Unit("length", _power(-2), False),
    **_scaled("voltage", "V", {"m": -3, "u": -6}),
}
"""Every unit by its spelling."""
