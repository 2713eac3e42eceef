"""Is what is installed what the tree holds?"""

import configparser
from importlib.metadata import files
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = {name: f"accelsim/{name}" for name in ("arch", "dataflows", "workloads")}


def installed():
    return [str(f) for f in files("accelsim") or [] if "__editable__" not in str(f)]


def test_every_package_with_code_is_listed():
    import accelsim

    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = set(setup["options"]["packages"].split())
    code = Path(accelsim.__file__).parent
    found = {".".join(("accelsim", *p.parent.relative_to(code).parts)) for p in code.rglob("__init__.py")}
    assert found <= listed
    assert listed - found == {f"accelsim.{name}" for name in DATA}


def test_the_wheel_holds_every_yaml_and_nothing_else_at_the_top():
    recorded = [f for f in installed() if not f.startswith("..") and ".dist-info" not in f]
    if not any(f == "accelsim/__init__.py" for f in recorded):  # an editable install records only a link
        assert not any(f.endswith(".yaml") for f in recorded)
        return
    assert {f.split("/")[0] for f in recorded} == {"accelsim"}
    for folder, place in DATA.items():
        shipped = {
            f.removeprefix(f"{place}/") for f in recorded if f.startswith(f"{place}/") and f.endswith(".yaml")
        }
        assert shipped == {str(p.relative_to(ROOT / folder)) for p in (ROOT / folder).rglob("*.yaml")}


def test_no_python_among_the_data():
    for folder in DATA:
        assert not list((ROOT / folder).rglob("*.py"))


def test_version_is_the_citation_s():
    import accelsim

    assert f"version: {accelsim.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
