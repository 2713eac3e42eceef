"""``accelsim show``: a file as it will be used."""

import argparse
import json
from collections.abc import Mapping

from accelsim.errors import AccelsimError, did_you_mean
from accelsim.spec import catalog
from accelsim.spec.architecture import load_architecture
from accelsim.spec.base import FileSpec
from accelsim.spec.calibration import load_calibration
from accelsim.spec.dataflow import Dataflow, load_dataflow
from accelsim.spec.documents import kinds_in
from accelsim.spec.maestro_dataflow import is_directive_file
from accelsim.spec.mapping import load_mapping
from accelsim.spec.nest_text import loop_nest
from accelsim.spec.run import load_run
from accelsim.spec.settings import parse_settings
from accelsim.spec.technology import load_technology
from accelsim.spec.workload import load_workload_spec
from accelsim.spec.writer import resolved, write

KINDS = ("architecture", "dataflow", "mapping", "workload", "calibration", "technology", "run")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("name", help="shipped name, or a file")
    parser.add_argument("--kind", choices=KINDS, help="which kind, if several have the name")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="a field's value, e.g. components.pe.rows=16",
    )


def execute(args: argparse.Namespace) -> int:
    """Print the resolved file."""
    spec = _load(args.kind or _kind_of(args.name), args.name, parse_settings(args.set))
    data = resolved(spec)
    nest = loop_nest(spec) if isinstance(spec, Dataflow) else []
    if args.json:
        data |= {"loop_nest": nest} if nest else {}
        print(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        print(f"# {spec.path}")
        print(write(data), end="")
        for line in ("", *nest) if nest else ():
            print(f"# {line}".rstrip())
    return 0


def _load(kind: str, name: str, settings: Mapping[str, object]) -> FileSpec:
    if kind == "architecture":
        return load_architecture(name, settings)
    if kind == "workload":
        return load_workload_spec(name, settings)
    if kind == "run":
        return load_run(name, settings)
    if settings:
        raise AccelsimError(f"a {kind} has no fields that --set can reach; copy the file and change it")
    if kind == "mapping":
        return load_mapping(name)
    if kind == "technology":
        return load_technology(name)
    return load_calibration(name) if kind == "calibration" else load_dataflow(name)


def _kind_of(name: str) -> str:
    """The one kind that the name stands for."""
    plain = name.partition("#")[0]
    found: list[str] = []
    if is_directive_file(plain):
        return "dataflow"
    if catalog.is_path(plain):
        found = [kind for kind in KINDS if kind in kinds_in(plain)]
        if not found:
            raise AccelsimError(f"{plain}: holds none of {', '.join(KINDS)}; nothing to show")
    else:
        for folder, kind in catalog.FOLDERS.items():
            try:
                catalog.find(folder, plain)
            except AccelsimError:
                continue
            found.append(kind)
    if not found:
        known = [n for folder in catalog.FOLDERS for n in catalog.names(folder)]
        hint = did_you_mean(plain, known) or "; 'accelsim list' shows what is shipped"
        raise AccelsimError(f"nothing is named {plain[:60]!r}{hint}")
    if len(found) > 1:
        options = " or ".join(f"--kind {kind}" for kind in found)
        raise AccelsimError(f"{name[:60]!r} names {len(found)} things; say {options}")
    return found[0]
