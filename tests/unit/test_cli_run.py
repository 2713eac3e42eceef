"""``accelsim run`` and ``accelsim validate`` on the command line."""

import json
import subprocess
import sys

import pytest

from accelsim.cli import main
from accelsim.commands.run import _write
from accelsim.errors import AccelsimError


def answer(capsys, *arguments):
    code = main(list(arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_json_is_one_object(capsys):
    code, out, err = answer(capsys, "run", "--workload", "resnet8", "--arch", "eyeriss", "--json")
    assert code == 0
    assert err == ""
    assert json.loads(out)["workload"] == "resnet8"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--arch", "eyeriss"], "accelsim run needs --workload, or a run file"),
        (["--workload", "resnet8"], "accelsim run needs --arch, or a run file"),
        (
            ["--workload", "resnet8", "--arch", "eyeriss", "--batch", "0"],
            "--batch must be at least 1, not 0",
        ),
        (
            ["--workload", "resnet8", "--arch", "eyeriss", "--engine", "events"],
            "engine must be one of compiled, simpy, closed-form, not 'events'",
        ),
        (
            ["--workload", "resnet8", "--arch", "eyeriss", "--dim", "batch"],
            "--dim batch must have the form NAME=SIZE with a size of at least 1",
        ),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(capsys, arguments, sentence):
    code, out, err = answer(capsys, "run", *arguments)
    assert code == 2
    assert out == ""
    assert err.strip() == sentence


@pytest.mark.parametrize("workload", ["resnet8l", "no/such/file.onnx", "no/such/file.csv"])
def test_a_workload_that_is_not_there(capsys, workload):
    code, _, err = answer(capsys, "run", "--workload", workload, "--arch", "eyeriss")
    assert code == 2
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def test_run_file_beside_which_its_files_are_found(capsys, tmp_path, monkeypatch):
    (tmp_path / "chip.yaml").write_text(
        "kind: architecture\nname: chip\nmapping: asic\ndefaults: {precision: int8}\nparts: {}\ncomponents:\n"
        "  dram: {class: dram, size: 1 GiB, bandwidth: 8 GB/s}\n  buffer: {class: sram, size: 64 KiB}\n"
        "  pe: {class: systolic_array, rows: 8, columns: 8, clock: 1 GHz, dataflow: os}\n",
        encoding="utf-8",
    )
    run = tmp_path / "run.yaml"
    run.write_text(
        "kind: run\nworkload: resnet8\narchitecture: chip.yaml\noutput: out.json\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    code, out, err = answer(capsys, "run", str(run))
    assert (code, err) == (0, "")
    assert "resnet8 on chip" in out
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["architecture"] == "chip"


def test_csv_trace_and_plot_are_written(capsys, tmp_path):
    files = {
        flag: str(tmp_path / name)
        for flag, name in (("--csv", "a.csv"), ("--trace", "a.json"), ("--plot", "a.png"))
    }
    flat = [part for pair in files.items() for part in pair]
    code, _, err = answer(capsys, "run", "--workload", "resnet8", "--arch", "eyeriss", *flat)
    assert (code, err) == (0, "")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").startswith("operator,type,macs,")
    assert (tmp_path / "a.png").stat().st_size > 10_000


def test_where_answers_go_is_checked_before_the_run(capsys, tmp_path, monkeypatch):
    """All at once, and without a run: its answer would be lost."""

    def run(*arguments, **options):
        raise AssertionError("it ran")

    monkeypatch.setattr("accelsim.api.compile", run)
    folder = tmp_path / "missing"
    code, _, err = answer(
        capsys, "run", "--workload", "resnet8", "--arch", "eyeriss", "--engine", "closed-form",
        "--csv", str(folder / "a.csv"), "--trace", str(tmp_path), "--plot", str(folder / "x.bmp"),
    )  # fmt: skip
    assert code == 2
    lines = err.splitlines()
    assert lines[0] == "a closed-form result has no timeline; run with engine 'compiled' or 'simpy'"
    assert lines[1].startswith(f"{folder / 'x.bmp'}: the ending of a picture must be one of ")
    assert lines[2:] == [
        f"{folder / 'a.csv'}: cannot be written: there is no folder '{folder}'",
        f"{tmp_path}: cannot be written: it is a folder",
        f"{folder / 'x.bmp'}: cannot be written: there is no folder '{folder}'",
    ]


def test_an_error_without_a_system_s_text_says_its_own():
    def full(path):
        raise OSError("the table does not fit")

    with pytest.raises(AccelsimError) as caught:
        _write("a.csv", full)
    assert caught.value.problems == ("a.csv: cannot be written: the table does not fit",)


def test_a_trace_that_is_large_says_so(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("accelsim.commands.run.LARGE_TRACE", 1000)
    target = tmp_path / "t.json"
    code, out, err = answer(
        capsys, "run", "--workload", "resnet8", "--arch", "eyeriss", "--json", "--trace", str(target)
    )
    assert code == 0
    assert json.loads(out)["workload"] == "resnet8"
    assert err == (
        f"note: {target} is 0 MB, which Perfetto opens slowly; fewer layers, a smaller batch or larger"
        " buffers make it shorter\n"
    )


def test_an_architecture_is_not_a_workload(capsys):
    code, _, err = answer(capsys, "run", "--workload", "eyeriss", "--arch", "eyeriss")
    assert (code, err) == (2, "no workload named 'eyeriss': that is an architecture\n")
    code, _, err = answer(capsys, "run", "--workload", "resnet8", "--arch", "resnet8")
    assert (code, err) == (2, "no architecture named 'resnet8': that is a workload\n")


@pytest.mark.parametrize("field", ["workload", "architecture"])
def test_a_run_file_with_an_empty_name_is_answered_at_its_line(capsys, tmp_path, field):
    fields = {"workload": "resnet8", "architecture": "eyeriss"} | {field: "''"}
    file = tmp_path / "r.yaml"
    file.write_text("".join(f"{k}: {v}\n" for k, v in {"kind": "run", **fields}.items()), encoding="utf-8")
    code, _, err = answer(capsys, "run", str(file))
    line = 2 if field == "workload" else 3
    assert (code, err) == (2, f"{file}:{line}: {field} is empty; give a value\n")


@pytest.mark.parametrize("flag", ["--csv", "--trace", "--plot"])
def test_a_file_that_cannot_be_written_is_one_sentence(capsys, tmp_path, flag):
    target = str(tmp_path / "missing" / "file.png")
    code, _, err = answer(capsys, "run", "--workload", "resnet8", "--arch", "eyeriss", flag, target)
    assert code == 2
    assert err.startswith(target)
    assert len(err.strip().splitlines()) == 1


def test_validate_prints_rows_and_a_verdict(capsys):
    code, out, _ = answer(capsys, "validate", "--system", "systolic", "--json")
    rows = json.loads(out)["rows"]
    assert code == 0
    assert {
        "id", "system", "what", "published", "simulated", "physical", "unit", "error", "tolerance", "goal",
        "ok", "kind", "cause", "preset", "switches", "quality", "source",
    } == set(rows[0])  # fmt: skip


def test_validate_of_an_unknown_system(capsys):
    code, _, err = answer(capsys, "validate", "--system", "systolik")
    assert code == 2
    assert err.strip() == "no published numbers of a system 'systolik'; did you mean 'systolic'?"


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from accelsim.cli import main; main(['--help']);"
        "heavy = {'pandas', 'scipy', 'numba', 'numpy', 'pydantic', 'matplotlib', 'onnx', 'networkx'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
