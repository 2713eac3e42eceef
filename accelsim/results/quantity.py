"""Numbers for people: three digits and a prefix."""

PREFIXES = (
    (1e12, "T"),
    (1e9, "G"),
    (1e6, "M"),
    (1e3, "k"),
    (1.0, ""),
    (1e-3, "m"),
    (1e-6, "µ"),
    (1e-9, "n"),
    (1e-12, "p"),
)
UNITS = ("mm2", "Hz", "s", "J", "W", "B")
"""Units that a figure's name may end with, after an underscore."""


def quantity(value: float | None, unit: str) -> str:
    """``0.0123, 's'`` -> ``'12.3 ms'``; None -> ``'unknown'``."""
    if value is None:
        return "unknown"
    if value == 0:
        return f"0 {unit}"
    # What would round up to 1000 takes the next prefix.
    scale, prefix = next((p for p in PREFIXES if abs(value) >= 0.9995 * p[0]), PREFIXES[-1])
    scaled = value / scale
    text = f"{scaled:#.3g}".rstrip(".") if abs(scaled) < 999.5 else f"{scaled:,.0f}"
    return f"{text} {prefix}{unit}"


def area(value: float | None) -> str:
    """Square millimetres, which take no prefix."""
    return "unknown" if value is None else f"{value:#.3g}".rstrip(".") + " mm²"


def figure(name: str, value: float | None) -> tuple[str, str]:
    """Label and text of a figure whose name carries its unit.

    ``'average_power_W', 0.0542`` -> ``('average power', '54.2 mW')``; ``'tokens_per_s', 1250`` ->
    ``('tokens per s', '1,250')``; a name without a unit is a ratio: ``'utilisation', 0.148`` -> ``'14.8%'``.
    """
    stem, _, unit = name.rpartition("_")
    label = name.replace("_", " ")
    if name.endswith("_per_s"):
        if value is None:
            return label, "unknown"
        return label, f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
    if unit == "unit":  # of a calibration whose source names none that is physical
        return stem.replace("_", " "), "unknown" if value is None else f"{value:.4g} unit"
    if stem and unit in UNITS:
        return stem.replace("_", " "), area(value) if unit == "mm2" else quantity(value, unit)
    return label, "unknown" if value is None else f"{value:.1%}"
