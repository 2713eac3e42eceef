"""Dataflow files: the grammar of loops and sizes, and every rule about clusters."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import pytest

from accelsim.errors import AccelsimError
from accelsim.spec.dataflow import load_dataflow
from accelsim.spec.expressions import parse_size
from accelsim.spec.loops import LoopSpec, parse_loop
from accelsim.spec.writer import resolved, write

BOUNDS = {"N": 1, "G": 1, "K": 64, "C": 3, "P": 10, "Q": 12, "R": 7, "S": 5, "Y": 16, "X": 16, "rows": 8}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("7+S", 12),
        ("R", 7),
        ("2*R", 14),
        ("R*S - 1", 34),
        ("K-2*C+1", 59),
        ("rows", 8),
        ("2*C*R", 42),
    ],
)
def test_sizes(text, value):
    assert parse_size(text).evaluate(BOUNDS) == value


def test_full_is_left_to_its_loop():
    assert parse_size("full").full
    with pytest.raises(ValueError, match=r"^'full' depends on the loop it belongs to$"):
        parse_size("full").evaluate(BOUNDS)


@pytest.mark.parametrize(("text", "constant"), [("3+4", 7), ("R", None), ("full", None), ("R-R+2", 2)])
def test_constants(text, constant):
    assert parse_size(text).constant == constant


@pytest.mark.parametrize(
    "text",
    [
        "K@",
        "K",
        "C:64",
        "R:full",
        "Y:R/1",
        "X:S/1",
        "Y:7+S/7",
        "C*R*S@",
        "Y@&R@",
        "C*R*S:rows",
        "K:2@",
        "Y:R/1@&R@",
    ],
)
def test_loops_print_as_they_were_written(text):
    assert str(parse_loop(text)) == text


def test_what_a_loop_holds():
    loop = parse_loop("Y:7+S/2@ & R@")
    assert loop.dims == ("Y",)
    assert loop.spatial
    assert (loop.size.evaluate(BOUNDS), loop.offset.evaluate(BOUNDS)) == (12, 2)
    assert loop.together == (LoopSpec(("R",), spatial=True),)
    assert loop.all_dims == ("Y", "R")
    assert str(parse_loop("K:1").size) == "1"
    assert parse_loop("K").offset is None


def written(tmp_path, clusters):
    path = tmp_path / "mine.yaml"
    path.write_text(f"kind: dataflow\nname: mine\nclusters:\n{clusters}")
    return path


def problems(tmp_path, monkeypatch, clusters):
    monkeypatch.chdir(tmp_path)
    written(tmp_path, clusters)
    with pytest.raises(AccelsimError) as caught:
        load_dataflow("mine.yaml")
    return list(caught.value.problems)


def test_a_dataflow(tmp_path):
    text = "  - {loops: [K@, C:64, R:full, S:full, Y:R/1, X:S/1]}\n  - {size: 64, loops: [C@]}\n"
    dataflow = load_dataflow(written(tmp_path, text))
    assert [str(loop) for loop in dataflow.clusters[0].loops] == [
        "K@",
        "C:64",
        "R:full",
        "S:full",
        "Y:R/1",
        "X:S/1",
    ]
    assert dataflow.clusters[0].size is None
    assert dataflow.clusters[1].size.evaluate({}) == 64
    again = tmp_path / "again.yaml"
    again.write_text(write(resolved(dataflow)))
    assert load_dataflow(again) == dataflow
    assert hash(load_dataflow(again)) == hash(dataflow)


@pytest.mark.parametrize(
    ("clusters", "sentences"),
    [
        ("  - {loops: [KK@]}", ["mine.yaml:4: clusters.0.loops.0: 'KK@': unknown dimension 'KK'; did you mean 'K'?"]),
        ("  - {loops: [Z]}", ["mine.yaml:4: clusters.0.loops.0: 'Z': unknown dimension 'Z'; known are N, G, K, C, P, Q, R, S, Y, X"]),
        ("  - {loops: [K:0]}", ["mine.yaml:4: clusters.0.loops.0: 'K:0': size 0 is not above 0"]),
        ("  - {loops: [K:R-R]}", ["mine.yaml:4: clusters.0.loops.0: 'K:R-R': size R-R is not above 0"]),
        ("  - {loops: [K:-3]}", ["mine.yaml:4: clusters.0.loops.0: 'K:-3': is no size: '-3' must be a whole number, 'full', or an expression such as 7+S or 2*R"]),
        ("  - {loops: [K:2.5]}", ["mine.yaml:4: clusters.0.loops.0: 'K:2.5': is no size: '2.5' must be a whole number, 'full', or an expression such as 7+S or 2*R"]),
        ("  - {loops: [K:7+T]}", ["mine.yaml:4: clusters.0.loops.0: 'K:7+T': unknown dimension 'T'; known are N, G, K, C, P, Q, R, S, Y, X, rows, columns"]),
        ("  - {loops: [Y:3/4]}", ["mine.yaml:4: clusters.0.loops.0: 'Y:3/4': offset 4 is larger than size 3, positions would be left out"]),
        ("  - {loops: [Y:R/R+1]}", ["mine.yaml:4: clusters.0.loops.0: 'Y:R/R+1': offset R+1 is larger than size R, positions would be left out"]),
        ("  - {loops: [Y:R/full]}", ["mine.yaml:4: clusters.0.loops.0: 'Y:R/full': the offset cannot be 'full'; leave it out"]),
        ("  - {loops: [Y@&R]}", ["mine.yaml:4: clusters.0.loops.0: 'Y@&R' advances together in space and in time; write '@' on all of them or on none"]),
        ("  - {loops: [K*K@]}", ["mine.yaml:4: clusters.0.loops.0: 'K*K@' names K twice"]),
        ("  - {loops: ['*K']}", ["mine.yaml:4: clusters.0.loops.0: '*K' must be a loop such as 'C:64', 'K@' or 'R:full'"]),
        ("  - {loops: [7]}", ["mine.yaml:4: clusters.0.loops.0 must be text such as 'C:64', not 7"]),
        ("  - {loops: [{C: 64}]}", ["mine.yaml:4: clusters.0.loops.0 must be text such as 'C:64', not a mapping; write 'C:64' without a space"]),
        ("  - {loops: K@}", ["mine.yaml:4: clusters.0.loops must be a list, not 'K@'"]),
        ("  - {loops: []}", ["mine.yaml:4: clusters.0.loops must hold at least 1, not 0"]),
        ("  - {size: 4, loops: [K]}", ["mine.yaml:4: clusters.0.size must be left out: the outermost cluster is the whole array"]),
        ("  - {loops: [K]}\n  - {loops: [C@]}", ["mine.yaml:5: clusters.1: 'size' is missing; only the outermost cluster goes without"]),
        ("  - {loops: [K]}\n  - {size: 2.5, loops: [C@]}", ["mine.yaml:5: clusters.1.size must be a whole number, an expression such as 2*R, rows or columns, not 2.5"]),
        ("  - {loops: [K]}\n  - {size: 0, loops: [C@]}", ["mine.yaml:5: clusters.1.size must be at least 1, rows or columns, not 0"]),
        ("  - {loops: [K]}\n  - {size: full, loops: [C@]}", ["mine.yaml:5: clusters.1.size must be at least 1, rows or columns, not 'full'"]),
        ("  - {loops: [K]}\n  - {size: row, loops: [C@]}", ["mine.yaml:5: clusters.1.size: unknown dimension 'row'; did you mean 'rows'?"]),
        ("  - {loops: [K@, C*K@]}", ["mine.yaml:4: clusters.0.loops.1: 'C*K@' unrolls K a second time in this cluster"]),
        ("  - {lops: [K@]}", ["mine.yaml:4: clusters.0.lops: unknown field; did you mean 'loops'?"]),
        ("  []", ["mine.yaml:3: clusters must hold at least 1, not 0"]),
    ],
)  # fmt: skip
def test_mistakes(tmp_path, monkeypatch, clusters, sentences):
    assert problems(tmp_path, monkeypatch, clusters) == sentences


def test_all_mistakes_of_a_loop_and_of_a_file_at_once(tmp_path, monkeypatch):
    assert problems(tmp_path, monkeypatch, "  - {loops: ['W:0/9', KK@]}\n  - {size: x, loops: [C@]}") == [
        "mine.yaml:4: clusters.0.loops.0: 'W:0/9': unknown dimension 'W'; known are N, G, K, C, P, Q, R, S, Y, X",
        "mine.yaml:4: clusters.0.loops.0: 'W:0/9': size 0 is not above 0",
        "mine.yaml:4: clusters.0.loops.0: 'W:0/9': offset 9 is larger than size 0, positions would be left out",
        "mine.yaml:4: clusters.0.loops.1: 'KK@': unknown dimension 'KK'; did you mean 'K'?",
        "mine.yaml:5: clusters.1.size: unknown dimension 'x'; did you mean 'X'?",
    ]
