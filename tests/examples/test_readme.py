"""Do the documents run? Every block of README.md is executed and its output compared.

A line ``...`` in an output stands for lines left out. A ``yaml`` block starts with ``# NAME.yaml``; every
command finds that file in its folder. ``ACCELSIM_UPDATE=1 pytest tests/examples`` writes the outputs anew.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "images" / "resnet50.png"
UPDATE = bool(os.environ.get("ACCELSIM_UPDATE"))
PROGRAMS = str(Path(sys.executable).parent)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
BLOCKS = [(m.group(1), m.group(2)) for m in BLOCK.finditer(README.read_text(encoding="utf-8"))]
CONSOLE = [re.split(r"^\$ ", body, flags=re.MULTILINE)[1:] for kind, body in BLOCKS if kind == "console"]
PYTHON = [(code, BLOCKS[i + 1]) for i, (kind, code) in enumerate(BLOCKS) if kind == "python"]
BASH = [body for kind, body in BLOCKS if kind == "bash"]
YAML = {body.split("\n")[0].removeprefix("# "): body for kind, body in BLOCKS if kind == "yaml"}


@pytest.fixture
def folder(tmp_path):
    for name, text in YAML.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def shell(command, folder):
    environment = os.environ | {"PATH": PROGRAMS + os.pathsep + os.environ["PATH"], "MPLBACKEND": "Agg"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    return done.stdout + done.stderr


def like(shown, printed):
    """The printed text, shortened where the shown one is."""
    head, dots, tail = shown.partition("...\n")
    if not dots:
        return printed
    lines = printed.splitlines(keepends=True)
    first, last = head.count("\n"), tail.count("\n")
    assert len(lines) > first + last, "nothing is left out"
    return "".join([*lines[:first], dots, *lines[len(lines) - last :]])


def compare(before, shown, printed):
    """``before`` is the text in front of the output, by which the place is found again."""
    short = like(shown, printed)
    if UPDATE:
        text = README.read_text(encoding="utf-8")
        assert text.count(before + shown) == 1
        README.write_text(text.replace(before + shown, before + short), encoding="utf-8")
    else:
        assert short == shown


@pytest.mark.parametrize("commands", CONSOLE, ids=lambda commands: commands[0].partition("\n")[0])
def test_commands_print_what_is_shown(commands, folder):
    for part in commands:
        command, _, shown = part.partition("\n")
        compare(f"$ {command}\n", shown, shell(command, folder))


@pytest.mark.parametrize(("code", "output"), PYTHON, ids=range(len(PYTHON)))
def test_python_prints_what_is_shown(code, output, folder):
    kind, shown = output
    assert kind == "text"
    (folder / "block.py").write_text(code, encoding="utf-8")
    compare(f"{code}```\n\n```text\n", shown, shell(f"{sys.executable} block.py", folder))


def test_the_install_line_runs_the_main_job_and_draws_the_picture_shown(folder):
    """The install half of the line is what made this test possible; the picture may differ in its fonts."""
    from matplotlib.image import imread

    install, _, run = BASH[0].strip().partition(" && ")
    assert install.startswith("pip install ")
    assert "latency" in shell(run, folder)
    drawn = folder / PICTURE.name
    if UPDATE:
        PICTURE.write_bytes(drawn.read_bytes())
    new, old = imread(drawn), imread(PICTURE)
    assert new.shape == old.shape
    assert new.std() > 0.1
    assert abs(new - old).mean() < 0.03


def test_the_test_command_is_where_the_gate_looks_for_it():
    assert BASH[1:] == ['pip install ".[test]" && pytest\n']


def test_every_kind_of_block_is_checked():
    assert {kind for kind, _ in BLOCKS} == {"bash", "console", "python", "text", "yaml"}
    assert all(re.fullmatch(r"[\w-]+\.yaml", name) for name in YAML)
    commands = [command for block in CONSOLE for command in block]
    assert all(any(name in command for command in commands) for name in YAML)


def test_files_that_are_linked_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))
    assert links
    assert all((ROOT / link).exists() for link in links if not link.startswith("https://"))
