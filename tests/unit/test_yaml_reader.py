"""The YAML reader: what words mean, what is refused, and what a refusal says."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import time

import pytest
import yaml

from accelsim.errors import AccelsimError
from accelsim.spec.reader import MOST_BYTES, read_bytes, read_file, read_text, read_value


def data(text):
    return read_text(text, "x.yaml")[0].data


def refusal(text):
    with pytest.raises(AccelsimError) as caught:
        read_bytes(text if isinstance(text, bytes) else text.encode(), "x.yaml")
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e9", 1e9), ("1.5e-3", 1.5e-3), ("-2", -2), ("0", 0), ("0.5", 0.5), (".5", 0.5), ("0x10", 16), ("0o10", 8),
        ("true", True), ("False", False), ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("12:30", "12:30"), ("2020-01-01", "2020-01-01"), ("1_000", "1_000"), (".nan", ".nan"), (".inf", ".inf"),
        ("null", None), ("~", None), ("", None), ("'010'", "010"), ('"1"', "1"), ("!!str 12", "12"),
        ("9" * 50, "9" * 50), ("1e999", "1e999"), ("64 GB/s", "64 GB/s"),
    ],
)  # fmt: skip
def test_a_word_means_what_a_person_means(written, meant):
    value = data(f"a: {written}")["a"]
    assert value == meant
    assert type(value) is type(meant)


def test_names_of_fields_stay_text():
    assert data("{no: 1, 1: 2, true: 3, ~: 4}") == {"no": 1, "1": 2, "true": 3, "~": 4}


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("a: {b: 010}", ["x.yaml:1: a.b has a leading zero: 010; write 10, or 0o10 for 8"]),
        ("a: [1, -007]", ["x.yaml:1: a.1 has a leading zero: -007; write -7"]),
        ("a: 089", ["x.yaml:1: a has a leading zero: 089; write 89"]),
        ("a: 1\nb: 2\na: 3\n", ["x.yaml:3: a is given twice, first on line 1"]),
        (
            "a:\n  b: 1\n  b: 2\n  b: 3\nc: {d: 1, d: 2}\n",
            [
                "x.yaml:3: a.b is given twice, first on line 2",
                "x.yaml:4: a.b is given twice, first on line 2",
                "x.yaml:5: c.d is given twice, first on line 5",
            ],
        ),
        ("a:\n\tb: 1\n", ["x.yaml:2: a tab stands where YAML needs spaces; indent with spaces"]),
        ("a: [1, 2\n", ["x.yaml:2: not valid YAML: did not find expected ',' or ']' (column 1)"]),
        ("", ["x.yaml: is empty"]),
        ("# only a comment\n", ["x.yaml: is empty"]),
        (b"a: 1\nb: \0\n", ["x.yaml:2: holds a NUL byte; a file read here is UTF-8 text"]),
        (b"a: 1\nb: \xff\n", ["x.yaml:2: byte 0xff is not UTF-8; save the file as UTF-8 text"]),
        ("a: 1".encode("utf-16"), ["x.yaml:1: holds a NUL byte; a file read here is UTF-8 text"]),
        ("a: \x01", ["x.yaml: not valid YAML: control characters are not allowed"]),
        ("? [a]\n: 1\n", ["x.yaml:1: a mapping or list cannot be the name of a field"]),
        ("a: *b", ["x.yaml:1: the alias *b has no anchor &b before it"]),
        ("a: &a\n  b: *a\n", ["x.yaml:2: the alias *a is inside what it stands for"]),
        ("a: {<<: 3}", ["x.yaml:1: a.<< needs a mapping to merge"]),
        (
            "a: !!python/object:os.system x",
            ["x.yaml:1: a has the tag '!!python/object:os.system', which is not read here; write the plain value"],
        ),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_with_its_line(text, sentences):
    assert refusal(text) == sentences


def test_aliases_and_merge_keys():
    text = "base: &base {a: 1, b: 2}\nfirst: {<<: *base, b: 3}\nsecond: {<<: [*base, {c: 4}]}\n"
    assert data(text)["first"] == {"a": 1, "b": 3}
    assert data(text)["second"] == {"a": 1, "b": 2, "c": 4}


def test_an_alias_bomb_is_one_sentence():
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert refusal("\n".join(levels)) == [
        "x.yaml:6: holds more than 250,000 values, counting what aliases repeat"
    ]


def test_merging_does_not_escape_the_bound():
    names = "\n".join(f"k{i}: {{}}" for i in range(1000)).replace("\n", ", ")
    text = (
        "a: &a {" + names + "}\n" + "\n".join(f"b{i}: {{<<: [{', '.join(['*a'] * 9)}]}}" for i in range(100))
    )
    assert refusal(text) == ["x.yaml:15: holds more than 250,000 values, counting what aliases repeat"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[" * 100_000, 1), ("a: " + "{a: " * 70, 1), ("a: " + "{a: " * 2000, 1), ("- " * 3000, 1),
        ("\n".join(" " * i + "a:" for i in range(100)), 65), ("\n" + "[" * 5000 + "]" * 5000, 2),
    ],
)  # fmt: skip
def test_depth_is_bounded(text, line):
    assert refusal(text) == [f"x.yaml:{line}: is nested more than 64 levels deep"]


def test_a_parser_that_bounds_the_depth_itself_is_answered_alike(monkeypatch):
    """libyaml of PyYAML 6.0.4 looks ahead and stops at 1,000 levels, before it hands over the first one."""

    def parse(text, Loader):
        mark = yaml.Mark("x", 0, 0, 1000, None, None)
        raise yaml.scanner.ScannerError(
            "while increasing flow level", mark, "exceeded maximum nesting depth", mark
        )

    monkeypatch.setattr(yaml, "parse", parse)
    assert refusal("[" * 2000) == ["x.yaml:1: is nested more than 64 levels deep"]


def test_aliases_count_towards_depth():
    lines = ["a0: &a0 [" + "[" * 29 + "]" * 29 + "]"]
    lines += [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 60)]
    assert refusal("\n".join(lines)) == ["x.yaml:35: is nested more than 64 levels deep"]


def test_reading_stops_after_a_hundred_problems():
    said = refusal("a: 1\n" * 400_000)
    assert len(said) == 101
    assert said[-1] == "x.yaml:101: reading stopped here, after 100 problems"


def test_a_huge_file_is_refused_at_once(tmp_path):
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    begin = time.perf_counter()
    with pytest.raises(AccelsimError) as caught:
        read_file(path, "big.yaml")
    assert caught.value.problems == ("big.yaml: is 200 MB; a file read here may have 8 MB",)
    assert time.perf_counter() - begin < 1


def test_bytes_are_bounded_too():
    assert refusal(b"a" * (MOST_BYTES + 1)) == ["x.yaml: is 8 MB; a file read here may have 8 MB"]


def test_a_long_file_is_fine():
    text = "layers:\n" + "".join(f"  - {{name: l{i}, type: gemm, in: {i}, out: 8}}\n" for i in range(5000))
    assert len(data(text)["layers"]) == 5000


def test_files_that_are_not_there(tmp_path):
    for path, sentence in [
        (tmp_path / "no.yaml", "f: there is no such file"),
        (tmp_path, "f: is a folder, not a file"),
        (tmp_path / ("n" * 5000), "f: cannot be read: File name too long"),
    ]:
        with pytest.raises(AccelsimError) as caught:
            read_file(path, "f")
        assert caught.value.problems in ((sentence,), ("f: there is no such file",))


def test_documents_know_their_lines():
    first, second = read_text("a: 1\n---\nb:\n  - c: 2\n", "x.yaml")
    assert first.data == {"a": 1}
    assert second.where(("b", 0, "c")) == "x.yaml:4: b.0.c"
    assert second.where(("b", 0, "d")) == "x.yaml:4: b.0.d"
    assert second.where(()) == "x.yaml:3"


def test_a_byte_order_mark_is_ignored():
    assert read_bytes(b"\xef\xbb\xbfa: 1", "x.yaml")[0].data == {"a": 1}


@pytest.mark.parametrize(
    ("text", "value"),
    [("64 GB/s", "64 GB/s"), ("12", 12), ("[8, 12]", [8, 12]), ("", ""), ("null", None), ("~", None)],
)
def test_values_on_the_command_line(text, value):
    assert read_value(text) == value
