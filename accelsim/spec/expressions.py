"""Sizes in a dataflow: whole numbers, ``full``, and sums and products of layer dimensions such as ``7+S``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from accelsim.errors import did_you_mean

OUTPUT_DIMS = ("N", "G", "K", "C", "P", "Q", "R", "S")
INPUT_DIMS = ("Y", "X")
DIMENSIONS = OUTPUT_DIMS + INPUT_DIMS
ARRAY_SIDES = ("rows", "columns")
"""Words for the sides of the array, which expressions may use like dimensions."""

_TOKEN = re.compile(r"\s*([0-9]+|[A-Za-z_]\w*|[-+*]|\S)")
_LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class SizeExpr:
    """A sum of products; ``terms`` pairs a coefficient with the sorted dimensions it multiplies.

    ``full`` (the whole of the looped dimension) has no terms.
    """

    text: str
    terms: tuple[tuple[int, tuple[str, ...]], ...]

    def __str__(self) -> str:
        return self.text

    @property
    def full(self) -> bool:
        """Whether it stands for the whole dimension."""
        return self.text == "full"

    @property
    def constant(self) -> int | None:
        """Its value if that depends on no dimension."""
        if self.full or any(dims for _, dims in self.terms):
            return None
        return sum(coefficient for coefficient, _ in self.terms)

    def evaluate(self, bounds: Mapping[str, int]) -> int:
        """Its value for the bounds of a layer, with ``rows`` and ``columns`` of the array if it names them.

        Raises
        ------
        ValueError
            for ``full``, which only the loop it belongs to can resolve.
        """
        if self.full:
            raise ValueError("'full' depends on the loop it belongs to")
        total = 0
        for coefficient, dims in self.terms:
            for dim in dims:
                coefficient *= bounds[dim]
            total += coefficient
        return total

    def exceeds(self, other: "SizeExpr") -> bool:
        """Whether it is larger than ``other`` for every layer."""
        if self.full or other.full:
            return False
        difference = _collect([*self.terms, *((-c, d) for c, d in other.terms)])
        return bool(difference) and all(coefficient > 0 for coefficient, _ in difference)

    @property
    def never_positive(self) -> bool:
        """Whether it is zero or less for every layer."""
        return not self.full and all(coefficient <= 0 for coefficient, _ in self.terms)


def parse_size(text: str) -> SizeExpr:
    """Read an expression.

    Raises
    ------
    ValueError
        with the rest of a sentence that starts with the place of the expression.
    """
    written = text.replace(" ", "")
    if written == "full":
        return SizeExpr("full", ())
    tokens = _TOKEN.findall(text)
    wrong = f"is no size: {text[:60]!r} must be a whole number, 'full', or an expression such as 7+S or 2*R"
    if not tokens or len(text) > 200:
        raise ValueError(wrong)
    terms: list[tuple[int, tuple[str, ...]]] = []
    sign, coefficient, dims = 1, 1, []
    operand_next = True
    for token in tokens:
        if operand_next:
            if token.isdecimal() and token.isascii():
                coefficient *= int(token)
            elif token[0].isalpha():
                dims.append(_symbol(token))
            else:
                raise ValueError(wrong)
        elif token == "*":
            pass
        elif token in "+-":
            terms.append((sign * coefficient, tuple(sorted(dims))))
            sign, coefficient, dims = (1 if token == "+" else -1), 1, []
        else:
            raise ValueError(wrong)
        operand_next = not operand_next
    if operand_next:
        raise ValueError(wrong)
    terms.append((sign * coefficient, tuple(sorted(dims))))
    if any(abs(c) > _LARGEST for c, _ in terms):
        raise ValueError(f"is too large: {text[:60]!r}")
    return SizeExpr(written, _collect(terms))


def unknown_dimension(name: str, known: tuple[str, ...] = DIMENSIONS) -> str:
    """``unknown dimension 'KK'; did you mean 'K'?``, or the known ones if none is near."""
    hint = did_you_mean(name, known) or f"; known are {', '.join(known)}"
    return f"unknown dimension {name[:60]!r}{hint}"


def _symbol(token: str) -> str:
    if token not in DIMENSIONS + ARRAY_SIDES:
        raise ValueError(unknown_dimension(token, DIMENSIONS + ARRAY_SIDES))
    return token


def _collect(terms: list[tuple[int, tuple[str, ...]]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Like terms added up, zero ones left out."""
    total: dict[tuple[str, ...], int] = {}
    for coefficient, dims in terms:
        total[dims] = total.get(dims, 0) + coefficient
    return tuple((c, d) for d, c in total.items() if c)
