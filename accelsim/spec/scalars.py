"""What a plain YAML word means: YAML 1.2 as people read it, without the traps of YAML 1.1.

``true`` and ``false`` are booleans; ``no``, ``off``, dates and ``12:30`` are text; ``1e9`` is a number; a
leading zero is refused; infinities and not-a-number stay text, which no number field accepts.
"""

import re
from math import isfinite

LONGEST_NUMBER = 40
"""Digits beyond this are no quantity of hardware; such a word stays text."""

_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_PREFIXED = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_LEADING_ZERO = re.compile(r"[-+]?0+[0-9]+")
_WORDS: dict[str, bool | None] = {
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
    "null": None, "Null": None, "NULL": None, "~": None, "": None,
}  # fmt: skip


def resolve(text: str) -> str | int | float | bool | None:
    """Value of an unquoted word.

    Raises
    ------
    ValueError
        for a whole number with a leading zero, with the rest of a sentence that says what to write.
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _LEADING_ZERO.fullmatch(text):
        raise ValueError(_ambiguous(text))
    if _FLOAT.fullmatch(text):
        return float(text) if isfinite(float(text)) else text
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    return text


def _ambiguous(text: str) -> str:
    sign = text[0] if text[0] in "+-" else ""
    digits = text.lstrip("+-").lstrip("0") or "0"
    octal = re.fullmatch(r"[0-7]+", digits) is not None and digits != "0" and not sign
    eight = f", or 0o{digits} for {int(digits, 8)}" if octal else ""
    return f"has a leading zero: {text}; write {sign}{digits}{eight}"
