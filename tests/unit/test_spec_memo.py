"""Is an answer kept only for as long as everything that it came from stays as it was?"""

import os
from pathlib import Path

import pytest

import accelsim as acs
from accelsim import api
from accelsim.spec.catalog import root
from accelsim.spec.memo import Memo, frozen, not_noted
from accelsim.spec.reader import file_bytes

LAYER = """kind: workload
name: net
layers:
  - {name: conv, type: convolution, in_channels: 8, input: [8, 8], out_channels: %d, kernel: 3, padding: 1}
"""


@pytest.fixture(autouse=True)
def _empty(tmp_path, monkeypatch):
    api._models.clear()
    monkeypatch.chdir(tmp_path)


def shipped(kind, name):
    return (root(kind) / f"{name}.yaml").read_text(encoding="utf-8")


def cycles(workload="net.yaml", architecture="eyeriss", **options):
    return acs.simulate(workload, architecture, engine="closed-form", **options).cycles


def write(name, text):
    """Change a file and leave its size and times as they were, as far as the texts allow."""
    path = Path(name)
    before = path.stat() if path.exists() else None
    path.write_text(text, encoding="utf-8")
    if before:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_model_is_made_once(monkeypatch):
    write("net.yaml", LAYER % 16)
    first = acs.simulate("net.yaml", "eyeriss", engine="closed-form")

    def never(*_):
        raise AssertionError("made again")

    monkeypatch.setattr(api, "_compiled", never)
    again = acs.simulate("net.yaml", "eyeriss", engine="closed-form")
    assert again == first
    assert again.notes == first.notes
    assert again.assumptions == first.assumptions
    with pytest.raises(AssertionError, match="made again"):
        acs.simulate("net.yaml", "eyeriss", engine="closed-form", batch=2)


def test_a_changed_workload_is_seen():
    write("net.yaml", LAYER % 16)
    small = cycles()
    write("net.yaml", LAYER % 48)
    assert cycles() > small
    write("net.yaml", LAYER % 16)
    assert cycles() == small


def test_a_changed_base_and_dataflow_are_seen():
    write("net.yaml", LAYER % 48)
    write("mine.yaml", shipped("arch", "eyeriss").replace("dataflow: rs", "dataflow: flow"))
    write("flow.yaml", shipped("dataflows", "rs").replace("name: rs", "name: flow"))
    write("top.yaml", "kind: architecture\nname: top\nbase: mine.yaml\n")
    before = cycles(architecture="top.yaml")
    write("mine.yaml", Path("mine.yaml").read_text().replace("clock: 200 MHz", "clock: 400 MHz"))
    faster = cycles(architecture="top.yaml")
    assert faster != before
    write("flow.yaml", Path("flow.yaml").read_text().replace("K:16", "K:1"))
    assert cycles(architecture="top.yaml") != faster


def test_a_file_that_comes_to_stand_before_a_shipped_one_is_seen():
    write("net.yaml", LAYER % 16)
    before = cycles()
    write("eyeriss.yaml", shipped("arch", "eyeriss").replace("480 MB/s", "100 MB/s"))
    assert cycles() > before
    Path("eyeriss.yaml").unlink()
    assert cycles() == before


def test_a_relative_path_means_the_file_here(tmp_path, monkeypatch):
    for folder, channels in (("a", 16), ("b", 48)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "net.yaml").write_text(LAYER % channels, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "a")
    small = cycles()
    monkeypatch.chdir(tmp_path / "b")
    assert cycles() > small


def test_a_file_that_breaks_is_an_error_each_time():
    write("net.yaml", LAYER % 16)
    cycles()
    write("net.yaml", LAYER.replace("kernel", "kernels") % 16)
    for _ in range(2):
        with pytest.raises(acs.AccelsimError, match="kernels"):
            cycles()
    Path("net.yaml").unlink()
    with pytest.raises(acs.AccelsimError, match="no such file"):
        cycles()


def test_what_a_caller_changes_stays_with_the_caller():
    write("net.yaml", LAYER % 16)
    model = acs.compile("net.yaml", "eyeriss")
    model.switches["precision"] = "int4"
    assert acs.compile("net.yaml", "eyeriss").switches["precision"] == "int16"


def test_a_topology_is_read_again():
    rows = (
        "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    )
    write("net.csv", rows + "conv, 8, 8, 3, 3, 8, 16, 1,\n")
    small = cycles("net.csv")
    write("net.csv", rows + "conv, 8, 8, 3, 3, 8, 48, 1,\n")
    assert cycles("net.csv") > small


def test_the_oldest_goes_first():
    memo = Memo(2)
    made = []
    for key in "abacab":
        memo.get(key, lambda key=key: made.append(key))
    assert made == ["a", "b", "c", "b"]


def test_an_answer_inside_another_counts_for_both():
    write("a.txt", "1")
    inner, outer = Memo(4), Memo(4)

    def read():
        return file_bytes(Path("a.txt"), "a.txt")

    def ask():
        return outer.get("o", lambda: inner.get("i", read))

    assert inner.get("i", read) == b"1"
    assert ask() == b"1"
    write("a.txt", "2")
    assert ask() == b"2"


def test_what_is_not_noted_is_not_kept():
    memo = Memo(2)
    made = []
    for _ in range(2):
        memo.get("a", lambda: made.append(not_noted()))
    assert len(made) == 2


def test_keys_tell_types_apart():
    values = [1, True, 1.0, "1", [1], (1,), {"a": 1}, {"a": True}, None, 0.0, -0.0]
    assert len({frozen(value) for value in values}) == len(values)
    with pytest.raises(TypeError):
        frozen(object())
