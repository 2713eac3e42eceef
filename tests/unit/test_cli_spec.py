"""The command line: list, show, schema, new, and what goes wrong in them."""

# Sentences are pinned whole, one line each.
# ruff: noqa: E501

import json
import subprocess
import sys

import pytest

from accelsim import __version__
from accelsim.cli import COMMANDS, main


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def told(capsys, *arguments):
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_help_imports_nothing_heavy():
    script = (
        "import sys, accelsim.cli\n"
        "try: accelsim.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'numba', 'scipy', 'pandas', 'pydantic', 'yaml', 'networkx', 'simpy', 'onnx')"
        " if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", ["list", "show", "schema", "new"])
def test_every_command_explains_itself(capsys, command):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_version_and_no_command(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"accelsim {__version__}\n"
    assert told(capsys)[0] == 0


def test_list(capsys):
    code, out, _ = told(capsys, "list", "--json")
    found = json.loads(out)
    assert code == 0
    assert list(found) == ["arch", "dataflows", "mappings", "workloads", "calibrations", "technologies"]
    assert found["arch"]["eyeriss"]
    code, out, _ = told(capsys, "list", "dataflows")
    assert code == 0
    assert out.startswith("dataflows:\n")
    assert "\n  ws" in out


def test_show(capsys):
    code, out, err = told(capsys, "show", "eyeriss", "--set", "components.pe.rows=3", "--json")
    assert (code, err) == (0, "")
    shown = json.loads(out)
    assert shown["components"]["pe"]["rows"] == 3
    assert shown["components"]["pe"]["clock"] == "200 MHz"
    assert shown["source"]


@pytest.mark.parametrize("name", ["eyeriss", "ws", "resnet18"])
def test_what_is_shown_reads_back_as_itself(capsys, tmp_path, name):
    _, out, _ = told(capsys, "show", name)
    (tmp_path / "again.yaml").write_text(out)
    _, again, _ = told(capsys, "show", "again.yaml")
    assert again.splitlines()[1:] == out.splitlines()[1:]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lst"], "there is no command 'lst'; did you mean 'list'?"),
        (["show", "eyeris"], "nothing is named 'eyeris'; did you mean 'eyeriss'?"),
        (["show", "zzzzzz"], "nothing is named 'zzzzzz'; 'accelsim list' shows what is shipped"),
        (["show", "nope.yaml"], "nope.yaml: there is no such file"),
        (["show", "eyeriss", "--kind", "dataflow"], "no dataflow named 'eyeriss': that is an architecture"),
        (["show", "ws", "--set", "a=1"], "a dataflow has no fields that --set can reach; copy the file and change it"),
        (["show", "eyeriss", "--set", "rows"], "--set rows: must have the form path=value"),
        (["show", "eyeriss", "--set", "a=1", "--set", "a=2"], "--set a=2: a is set twice"),
        (["show", "eyeriss", "--set", "a=[1"], "--set a=[1: the value is not YAML; put text with special characters in quotes"),
        (["show", "eyeriss", "--set", "components.pe.rows=0"], "setting components.pe.rows=0: components.pe.rows must be at least 1, not 0"),
        (["show"], "accelsim show: the following arguments are required: name; 'accelsim show --help' shows what it takes"),
        (["new", "arch", "a b"], "'a b' cannot name a spec: use up to 64 letters, digits, -, _ and ., starting with a letter or digit"),
        (["new", "arch", "../x"], "'../x' cannot name a spec: use up to 64 letters, digits, -, _ and ., starting with a letter or digit"),
        (["new", "arch", "eyeriss"], "'eyeriss' is the name of a shipped architecture; choose another"),
        (["new", "arch", "x", "--from", "eyeris"], "no architecture named 'eyeris'; did you mean 'eyeriss'?"),
    ],
)  # fmt: skip
def test_mistakes(capsys, tmp_path, arguments, sentence):
    assert told(capsys, *arguments) == (2, "", sentence + "\n")
    assert list(tmp_path.iterdir()) == []


def test_a_name_in_two_kinds(capsys, tmp_path):
    text = "kind: architecture\nname: ws\ncomponents: {l: {class: link, bandwidth: 1 GB/s}}\n"
    (tmp_path / "ws.yaml").write_text(text)
    sentence = "'ws' names 2 things; say --kind architecture or --kind dataflow\n"
    assert told(capsys, "show", "ws") == (2, "", sentence)
    assert told(capsys, "show", "ws", "--kind", "architecture")[0] == 0


def test_a_run_file_is_shown(capsys, tmp_path):
    (tmp_path / "r.yaml").write_text("kind: run\nworkload: resnet18\narchitecture: eyeriss\n")
    code, out, _ = told(capsys, "show", "r.yaml", "--json")
    assert code == 0
    assert json.loads(out)["engine"] == "compiled"


def test_schema(capsys):
    code, out, _ = told(capsys, "schema", "run")
    assert code == 0
    assert json.loads(out)["properties"]["engine"]["default"] == "compiled"


@pytest.mark.parametrize("start", ["pe-array", "eyeriss"])
def test_new(capsys, tmp_path, start):
    assert told(capsys, "new", "arch", "mine", "--from", start)[0] == 0
    text = (tmp_path / "mine.yaml").read_text()
    assert "\nname: mine\n" in text
    code, out, _ = told(capsys, "show", "mine", "--json")
    assert code == 0
    assert json.loads(out)["name"] == "mine"
    assert told(capsys, "new", "arch", "mine") == (2, "", "mine.yaml exists already; it is left as it is\n")
    assert (tmp_path / "mine.yaml").read_text() == text


def test_a_reader_that_leaves_early_is_no_error():
    script = "import sys; from accelsim.cli import main; sys.exit(main(['schema', 'architecture']))"
    done = subprocess.run(
        f'"{sys.executable}" -c "{script}" | head -n 1',
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_a_dataflow_is_shown_with_its_loop_nest_and_reads_back(capsys, tmp_path):
    code, out, _ = told(capsys, "show", "dla")
    assert code == 0
    assert "\n#     for k in K by 1 x PEs/64: " in out
    again = tmp_path / "again.yaml"
    again.write_text(out, encoding="utf-8")
    assert told(capsys, "show", str(again))[1].splitlines()[1:] == out.splitlines()[1:]
    code, out, _ = told(capsys, "show", "dla", "--json")
    assert json.loads(out)["loop_nest"][0].startswith("for n in N:")


def test_a_directive_file_and_a_calibration_are_shown(capsys, tmp_path):
    file = tmp_path / "one.m"
    file.write_text(
        "SpatialMap(1,1) K; TemporalMap(Sz(R),1) Y; Cluster(4); SpatialMap(1,1) C;", encoding="utf-8"
    )
    code, out, _ = told(capsys, "show", str(file))
    assert code == 0
    assert "- {loops: [K@, 'Y:R/1']}" in out
    code, out, _ = told(capsys, "show", "maestro2019", "--json")
    assert json.loads(out)["constants"]["l2_access"]["value"] == 18.61
    assert "loop_nest" not in json.loads(out)
