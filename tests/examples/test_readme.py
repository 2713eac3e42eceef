"""Do the documents run? Every block of README.md is executed and its output compared.

``ACCELSIM_UPDATE=1 pytest tests/examples`` writes the outputs anew.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
UPDATE = bool(os.environ.get("ACCELSIM_UPDATE"))
PROGRAMS = str(Path(sys.executable).parent)


def shell(command, folder):
    environment = os.environ | {"PATH": PROGRAMS + os.pathsep + os.environ["PATH"], "MPLBACKEND": "Agg"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    return done.stdout + done.stderr


def blocks():
    return [(m.group(1), m.group(2), m.start(2)) for m in BLOCK.finditer(README.read_text(encoding="utf-8"))]


def replace(old, new):
    text = README.read_text(encoding="utf-8")
    README.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("block", [body for kind, body, _ in blocks() if kind == "console"])
def test_commands_print_what_is_shown(block, tmp_path):
    command, _, shown = block.partition("\n")
    printed = shell(command.removeprefix("$ "), tmp_path)
    if UPDATE:
        replace(block, f"{command}\n{printed}")
    else:
        assert printed == shown


@pytest.mark.parametrize("index", [i for i, (kind, _, _) in enumerate(blocks()) if kind == "python"])
def test_python_prints_what_is_shown(index, tmp_path):
    _, code, _ = blocks()[index]
    file = tmp_path / "block.py"
    file.write_text(code, encoding="utf-8")
    printed = shell(f"{sys.executable} {file}", tmp_path)
    kind, shown, _ = blocks()[index + 1]
    assert kind == "text"
    if UPDATE:
        replace(f"{code}```\n\n```text\n{shown}", f"{code}```\n\n```text\n{printed}")
    else:
        assert printed == shown


@pytest.mark.parametrize(
    "line", [b.strip() for kind, b, _ in blocks() if kind == "bash" and "accelsim " in b]
)
def test_the_main_job_runs_and_draws_the_picture_shown(line, tmp_path):
    """The install half of the line is what made this test possible; the picture may differ in fonts only."""
    from matplotlib.image import imread

    assert line.startswith("pip install ")
    output = shell(line.split("&&", 1)[1], tmp_path)
    assert "latency" in output
    drawn, shown = tmp_path / "resnet50.png", ROOT / "docs" / "images" / "resnet50.png"
    if UPDATE:
        shown.write_bytes(drawn.read_bytes())
    new, old = imread(drawn), imread(shown)
    assert new.shape == old.shape
    assert abs(new - old).mean() < 0.03


def test_the_number_of_tasks_in_the_text_is_the_number_of_tasks():
    import accelsim as acs

    counts = acs.simulate("resnet50", "systolic-16x16").counts
    assert f"its {counts['tasks']:,} tasks" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [body for kind, body, _ in blocks() if kind == "yaml"])
def test_files_shown_run(text, tmp_path):
    import accelsim as acs

    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    assert acs.simulate("resnet8", "pe-array", dataflow=str(file)).latency_s > 0
