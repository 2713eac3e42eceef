"""``accelsim run``: a workload on an architecture."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from accelsim.errors import AccelsimError
from accelsim.spec.settings import parse_settings

LARGE_TRACE = 100_000_000
"""Bytes of a trace above which its size is said."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("file", nargs="?", help="a run file (kind: run) instead of --workload and --arch")
    parser.add_argument(
        "--workload", help="shipped name, workload YAML, .onnx file or SCALE-Sim .csv topology"
    )
    parser.add_argument("--arch", help="shipped name or architecture YAML")
    parser.add_argument("--engine", help="compiled (default), simpy or closed-form")
    parser.add_argument("--preset", help="named set of switches of the architecture (default: physical)")
    parser.add_argument("--precision", help="number format of activations and weights, e.g. int8")
    parser.add_argument("--batch", type=int, help="inputs processed together")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a switch (memory=unlimited) or a field of the architecture (components.pe.rows=16)",
    )
    parser.add_argument(
        "--dim",
        action="append",
        default=[],
        metavar="NAME=SIZE",
        help="size of an ONNX file's symbolic dimension",
    )
    parser.add_argument(
        "--unsupported", choices=("error", "skip"), default="error", help="unknown ONNX operators"
    )
    parser.add_argument("--trace", metavar="FILE", help="write the timeline for Perfetto (Chrome trace JSON)")
    parser.add_argument("--plot", metavar="FILE", help="draw timeline and roofline (.png, .pdf or .svg)")
    parser.add_argument(
        "--write-mapping", metavar="FILE", help="write the loop nests of all layers as a mapping file"
    )
    parser.add_argument("--csv", metavar="FILE", help="write the table of operators")


def execute(args: argparse.Namespace) -> int:
    """Run and print the summary, or the whole result as JSON."""
    from accelsim.api import compile as compile_model

    arguments, output = _arguments(args)
    engine = arguments.pop("engine")
    _check_outputs(args, output, engine)
    workload, architecture = arguments.pop("workload"), arguments.pop("architecture")
    model = compile_model(workload, architecture, **arguments)
    result = model.run(engine)
    if args.write_mapping:
        model.write_mapping(args.write_mapping)
    if args.csv:
        _write(args.csv, lambda path: result.to_frame().to_csv(path, index=False))
    if args.trace:
        result.write_trace(args.trace)
        _note_size(args.trace)
    if args.plot:
        from accelsim.results.plots import save_plots

        save_plots(result, args.plot)
    text = json.dumps(result.to_dict(), ensure_ascii=False, indent=2)
    if output:
        _write(output, lambda path: path.write_text(text + "\n", encoding="utf-8"))
    print(text if args.json else result)
    return 0


def _write(name: str, write: Any) -> None:
    try:
        write(Path(name))
    except OSError as error:
        raise AccelsimError(f"{name}: cannot be written: {error.strerror or error}") from error


def _check_outputs(args: argparse.Namespace, output: str | None, engine: str) -> None:
    """Refuse what could not be written, before the time of a run is spent."""
    problems = []
    if (args.trace or args.plot) and engine == "closed-form":
        problems.append("a closed-form result has no timeline; run with engine 'compiled' or 'simpy'")
    if args.plot:
        from accelsim.results.plots import ending_problem

        problems += ending_problem(args.plot)
    for name in filter(None, (args.csv, args.trace, args.plot, output)):
        path = Path(name)
        if path.is_dir():
            problems.append(f"{name}: cannot be written: it is a folder")
        elif not path.parent.is_dir():
            problems.append(f"{name}: cannot be written: there is no folder {str(path.parent)!r}")
        elif not os.access(path if path.exists() else path.parent, os.W_OK):
            problems.append(f"{name}: cannot be written: permission denied")
    if problems:
        raise AccelsimError(*problems)


def _note_size(name: str) -> None:
    """Say on standard error when a trace is larger than Perfetto opens with ease."""
    size = Path(name).stat().st_size
    if size > LARGE_TRACE:
        print(
            f"note: {name} is {size / 1e6:,.0f} MB, which Perfetto opens slowly; fewer layers, a smaller"
            " batch or larger buffers make it shorter",
            file=sys.stderr,
        )


def _arguments(args: argparse.Namespace) -> tuple[dict[str, Any], str | None]:
    """What ``compile`` takes, from a run file and the command line, which wins."""
    given: dict[str, Any] = {
        "workload": args.workload,
        "architecture": args.arch,
        "engine": args.engine,
        "preset": args.preset,
        "precision": args.precision,
        "batch": args.batch,
    }
    settings: dict[str, object] = parse_settings(args.set)
    output = None
    if args.file is not None:
        from accelsim.spec.run import load_run

        run = load_run(args.file)
        for name in given:
            if given[name] is None:
                given[name] = getattr(run, name)
        settings = {**run.options, **settings}
        output = run.output
        for name in ("workload", "architecture"):
            beside = (run.folder or Path()) / given[name]
            if beside.is_file():
                given[name] = str(beside)
    missing = [
        flag for flag, name in (("--workload", "workload"), ("--arch", "architecture")) if not given[name]
    ]
    if missing:
        raise AccelsimError(f"accelsim run needs {' and '.join(missing)}, or a run file")
    if given["batch"] is not None and given["batch"] < 1:
        raise AccelsimError(f"--batch must be at least 1, not {given['batch']}")
    given["engine"] = given["engine"] or "compiled"
    given["preset"] = given["preset"] or "physical"
    given["settings"] = settings
    given["dims"] = _dims(args.dim)
    given["unsupported"] = args.unsupported
    return given, output


def _dims(pairs: list[str]) -> dict[str, int]:
    dims: dict[str, int] = {}
    problems = []
    for pair in pairs:
        name, equals, size = pair.partition("=")
        if not equals or not size.isdecimal() or int(size) < 1:
            problems.append(f"--dim {pair[:60]} must have the form NAME=SIZE with a size of at least 1")
        else:
            dims[name] = int(size)
    if problems:
        raise AccelsimError(*problems)
    return dims
