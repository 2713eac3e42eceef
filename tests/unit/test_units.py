"""Units: what each spelling is worth, what is refused, and how numbers are written back."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import pytest
from pydantic import TypeAdapter

from accelsim.spec import units
from accelsim.spec.units import (
    Bytes,
    BytesPerSecond,
    Count,
    FlopsPerSecond,
    Fraction,
    Hertz,
    Joules,
    JoulesPerByte,
    MacsPerSecond,
    Metres,
    PositiveCount,
    Seconds,
    SquareMillimetres,
    SquareMillimetresPerByte,
    Volts,
    Watts,
)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("64 GB/s", BytesPerSecond, 64e9), ("64 Gb/s", BytesPerSecond, 8e9), ("64 Gbit/s", BytesPerSecond, 8e9),
        ("64 GiB/s", BytesPerSecond, 64 * 2**30), ("64 Gib/s", BytesPerSecond, 8 * 2**30),
        ("1 kB", Bytes, 1000), ("1 KB", Bytes, 1000), ("1 KiB", Bytes, 1024), ("8 b", Bytes, 1), ("1.5 KiB", Bytes, 1536),
        ("16KiB", Bytes, 16384), (" 2  MiB ", Bytes, 2 * 2**20), ("1e3 MB", Bytes, 10**9), ("0 B", Bytes, 0),
        ("30 us", Seconds, 3e-5), ("30 µs", Seconds, 3e-5), ("30 μs", Seconds, 3e-5), ("7 ps", Seconds, 7e-12),
        ("3 ns", Seconds, 3e-9), ("2 ms", Seconds, 2e-3), ("1 min", Seconds, 60.0), ("1 h", Seconds, 3600.0),
        ("1.2 GHz", Hertz, 1.2e9), ("200 MHz", Hertz, 2e8), ("32 kHz", Hertz, 32e3),
        ("2 pJ", Joules, 2e-12), ("1.5 nJ", Joules, 1.5e-9), ("1 fJ", Joules, 1e-15),
        ("1.3 pJ/b", JoulesPerByte, 1.04e-11), ("1.3 pJ/bit", JoulesPerByte, 1.04e-11), ("10 pJ/B", JoulesPerByte, 1e-11),
        ("350 W", Watts, 350.0), ("2 mW", Watts, 2e-3),
        ("12 mm2", SquareMillimetres, 12.0), ("12 mm²", SquareMillimetres, 12.0), ("100 um2", SquareMillimetres, 1e-4),
        ("100 µm²", SquareMillimetres, 1e-4), ("1 cm2", SquareMillimetres, 100.0),
        ("1 um2/b", SquareMillimetresPerByte, 8e-6), ("1 mm2/KiB", SquareMillimetresPerByte, 1 / 1024),
        ("546e6 MAC/s", MacsPerSecond, 5.46e8), ("2 TMAC/s", MacsPerSecond, 2e12),
        ("312 TFLOP/s", FlopsPerSecond, 312e12), ("7 nm", Metres, 7e-9), ("0.8 V", Volts, 0.8), ("800 mV", Volts, 0.8),
        ("85 %", Fraction, 0.85), ("0.85", Fraction, 0.85), (0.85, Fraction, 0.85), (1, Fraction, 1.0),
    ],
)  # fmt: skip
def test_worth(text, kind, value):
    assert units.read(text, kind) == value


@pytest.mark.parametrize(
    ("value", "kind", "sentence"),
    [
        (64, BytesPerSecond, "needs a unit such as '64 GB/s'"),
        ("64", BytesPerSecond, "needs a unit such as '64 GB/s'"),
        (1.5, Hertz, "needs a unit such as '1.5 MHz'"),
        (1e9, Seconds, "needs a unit such as '1000000000 ns'"),
        ("64 GB", BytesPerSecond, "must be a bandwidth such as '64 GB/s', not '64 GB', which is a size"),
        ("64 MHz", Seconds, "must be a time such as '64 ns', not '64 MHz', which is a frequency"),
        ("1 GFLOP/s", MacsPerSecond, "must be a rate of MACs such as '64 GMAC/s', not '1 GFLOP/s', which is a rate of FLOPs"),
        ("64 GBps", BytesPerSecond, "has an unknown unit in '64 GBps'; did you mean 'GB/s'?"),
        ("64 gb/s", BytesPerSecond, "has an unknown unit in '64 gb/s'; did you mean 'GB/s' or 'Gb/s'?"),
        ("64 mhz", Hertz, "has an unknown unit in '64 mhz'; did you mean 'MHz'?"),
        ("3 xyzzy", Seconds, "has an unknown unit in '3 xyzzy'"),
        ("4 TOPS", MacsPerSecond, "cannot be read in TOPS: one MAC is two operations; write MAC/s or FLOP/s"),
        ("4 GOP/s", FlopsPerSecond, "cannot be read in GOP/s: one MAC is two operations; write MAC/s or FLOP/s"),
        ("1.3 B", Bytes, "must be a whole number of bytes, not '1.3 B'"),
        ("12 b", Bytes, "must be a whole number of bytes, not '12 b'"),
        ("9e30 B", Bytes, "must be less than 2**63 bytes, not '9e30 B'"),
        ("-1 B", Bytes, "must be at least 0, not '-1 B'"),
        ("0 Hz", Hertz, "must be more than 0, not '0 Hz'"),
        ("-0.0 GB/s", BytesPerSecond, "must be more than 0, not '-0.0 GB/s'"),
        ("1e400 s", Seconds, "is too large: '1e400 s'"),
        ("1e-400 s", Seconds, "is too small: '1e-400 s'"),
        ("1e99999 s", Seconds, "is out of range: '1e99999 s'"),
        ("fast", Seconds, "must be a time such as '64 ns', not 'fast'"),
        ("", Seconds, "must be a time such as '64 ns', not ''"),
        (None, Seconds, "must be a time such as '64 ns', not nothing"),
        (True, Seconds, "must be a time such as '64 ns', not true"),
        ([1], Seconds, "must be a time such as '64 ns', not a list"),
        ({}, Bytes, "must be a size such as '64 KiB', not a mapping"),
        ("x" * 99, Bytes, "must be a size such as '64 KiB', not '" + "x" * 56 + "..."),
        ("85", Fraction, "must be between 0 and 1 or a percentage such as '85 %', not '85'"),
        ("120 %", Fraction, "must be between 0 and 1 or a percentage such as '85 %', not '120 %'"),
        (-0.1, Fraction, "must be between 0 and 1 or a percentage such as '85 %', not -0.1"),
        (True, Fraction, "must be between 0 and 1 or a percentage such as '85 %', not true"),
        (float("nan"), Fraction, "must be between 0 and 1 or a percentage such as '85 %', not nan"),
    ],
)  # fmt: skip
def test_refusals(value, kind, sentence):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the sentence is compared whole below)
        units.read(value, kind)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (64e9, BytesPerSecond, "64 GB/s"), (16384, Bytes, "16 KiB"), (64000, Bytes, "64 kB"), (0, Bytes, "0 B"),
        (448, Bytes, "448 B"), (1.2e9, Hertz, "1.2 GHz"), (3e-5, Seconds, "30 us"), (2e-12, Joules, "2 pJ"),
        (1.04e-11, JoulesPerByte, "10.4 pJ/B"), (1e-4, SquareMillimetres, "100 um2"), (0.85, Fraction, "0.85"),
        (0.8, Volts, "800 mV"), (312e12, FlopsPerSecond, "312 TFLOP/s"), (2.0, Watts, "2 W"),
        (1 / 3, Seconds, "333.3333333333333 ms"),
    ],
)  # fmt: skip
def test_display(value, kind, text):
    assert units.format(value, kind) == text
    assert units.read(text, kind) == value


def test_a_field_dumps_numbers_in_python_and_text_in_json():
    adapter = TypeAdapter(Bytes)
    size = adapter.validate_python("16 KiB")
    assert adapter.dump_python(size) == 16384
    assert adapter.dump_python(size, mode="json") == "16 KiB"


def test_counts():
    assert TypeAdapter(Count).validate_python(0) == 0
    assert TypeAdapter(PositiveCount).validate_python(1e3) == 1000
    for kind, value in ((Count, -1), (PositiveCount, 0), (Count, 2**63), (Count, 1.5)):
        with pytest.raises(ValueError, match="validation error"):
            TypeAdapter(kind).validate_python(value)


def test_every_unit_reads_as_its_factor_and_near_misses_are_named():
    for name, unit in units.UNITS.items():
        kind = next(k for k in vars(units).values() if _dimension(k) == unit.dimension)
        if not (unit.dimension == "size" and unit.factor.denominator > 1):
            assert units.read(f"1 {name}", kind) == pytest.approx(float(unit.factor), rel=1e-15)
        assert name not in units.OPERATIONS


def _dimension(kind):
    try:
        return getattr(units.quantity(kind), "dimension", None)
    except (AssertionError, IndexError):
        return None
