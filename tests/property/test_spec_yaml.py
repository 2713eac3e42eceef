"""Any bytes are answered; what is written reads back; quantities survive their own display."""

# ruff: noqa: E501  (long tables)

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from accelsim.errors import AccelsimError
from accelsim.spec import units
from accelsim.spec.expressions import DIMENSIONS, parse_size
from accelsim.spec.loops import parse_loop
from accelsim.spec.reader import read_bytes, read_text
from accelsim.spec.scalars import LONGEST_NUMBER, resolve
from accelsim.spec.vocabulary import UNITS
from accelsim.spec.writer import write

QUIET = settings(deadline=None, derandomize=True, max_examples=400)

YAMLISH = st.text(alphabet="ab:-[]{},&*<!#'\"|>%@ \n\t0123456789.e~?$\\", max_size=80)


@QUIET
@given(st.one_of(st.binary(max_size=200), YAMLISH.map(str.encode)))
def test_any_bytes_give_documents_or_sentences(data):
    try:
        documents = read_bytes(data, "x.yaml")
    except AccelsimError as error:
        assert error.problems
        assert all(problem.startswith("x.yaml") for problem in error.problems)
    else:
        assert documents
        assert all(document.where(()).startswith("x.yaml:") for document in documents)


TEXTS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\ufffe\uffff"), max_size=12
)
WORDS = st.sampled_from(
    [
        "no",
        "true",
        "010",
        "1e9",
        "12:30",
        "~",
        "",
        "null",
        "0o10",
        "0x1F",
        "<<",
        "- a",
        "a: b",
        "#",
        "1_000",
        "=",
        "2020-01-01",
        "'",
    ]
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), TEXTS, WORDS,
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
KEYS = st.text(alphabet="abcKRS_-", min_size=1, max_size=6)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@QUIET
@given(st.dictionaries(KEYS, DATA, min_size=1, max_size=4))
def test_what_is_written_reads_back(data):
    assert read_text(write(data), "x.yaml")[0].data == data


@QUIET
@given(st.text(alphabet="0123456789+-.eExXoOabf_:", max_size=LONGEST_NUMBER + 5))
def test_no_word_breaks_the_scalar_rules(text):
    try:
        value = resolve(text)
    except ValueError as error:
        assert str(error).startswith("has a leading zero: ")
    else:
        assert value is None or value == value


QUANTITIES = {q.dimension: q for q in vars(units).values() if isinstance(q, units.Quantity)}
QUANTITIES |= {
    found.dimension: found
    for name in ("Bytes", "BytesPerSecond", "Seconds", "Hertz", "Joules", "JoulesPerByte", "Watts", "SquareMillimetres",
                 "SquareMillimetresPerByte", "MacsPerSecond", "FlopsPerSecond", "Metres", "Volts")
    if (found := units.quantity(getattr(units, name)))
}  # fmt: skip


@QUIET
@given(st.sampled_from(sorted(QUANTITIES)), st.floats(min_value=1e-300, max_value=1e300))
def test_display_reads_back_exactly(dimension, value):
    quantity = QUANTITIES[dimension]
    if quantity.whole:
        value = int(min(value, 2.0**60))
    assert quantity.read(quantity.format(value)) == value


@QUIET
@given(st.sampled_from(sorted(UNITS)), st.integers(1, 10**6), st.sampled_from(["", " ", "  "]))
def test_a_unit_means_the_same_wherever_it_is_read(unit, number, space):
    own = QUANTITIES[UNITS[unit].dimension]
    exact = number * UNITS[unit].factor
    assume(not own.whole or (exact.denominator == 1 and exact < 2**63))
    assert own.read(f"{number}{space}{unit}") == float(exact)
    for dimension, quantity in QUANTITIES.items():
        if dimension != own.dimension:
            with pytest.raises(ValueError, match=r"^must be "):
                quantity.read(f"{number}{space}{unit}")


@QUIET
@given(
    st.one_of(
        st.text(max_size=30), st.floats(), st.integers(), st.booleans(), st.none(), st.lists(st.integers())
    )
)
def test_no_value_breaks_a_quantity(value):
    for quantity in QUANTITIES.values():
        try:
            number = quantity.read(value)
        except ValueError as error:
            assert str(error).partition(" ")[0] in ("must", "needs", "has", "cannot", "is")
        else:
            assert number >= 0


TERMS = st.lists(st.one_of(st.integers(0, 99).map(str), st.sampled_from(DIMENSIONS)), min_size=1, max_size=3)


@QUIET
@given(st.lists(st.tuples(st.sampled_from("+-"), TERMS), min_size=1, max_size=4), st.data())
def test_sizes_mean_what_arithmetic_says(terms, data):
    text = "".join(sign + "*".join(factors) for sign, factors in terms).removeprefix("+")
    assume(not text.startswith("-"))
    bounds = {dim: data.draw(st.integers(1, 50)) for dim in DIMENSIONS}
    assert parse_size(text).evaluate(bounds) == eval(text, dict(bounds))  # the oracle; our own text only


@QUIET
@given(st.text(alphabet="NKCRSYXZ@&*:/+-0127fullrows ", max_size=20))
def test_any_text_is_a_loop_or_a_sentence(text):
    try:
        loop = parse_loop(text)
    except ValueError as error:
        assert str(error)
    else:
        assert parse_loop(str(loop)) == loop
