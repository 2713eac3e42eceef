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


def quantity(value: float | None, unit: str) -> str:
    """``0.0123, 's'`` -> ``'12.3 ms'``; None -> ``'unknown'``."""
    if value is None:
        return "unknown"
    if value == 0:
        return f"0 {unit}"
    for scale, prefix in PREFIXES:
        if abs(value) >= 0.9995 * scale:
            return (
                f"{value / scale:.3g} {prefix}{unit}"
                if abs(value / scale) < 999.5
                else f"{value / scale:.0f} {prefix}{unit}"
            )
    return f"{value:.3g} {unit}"
