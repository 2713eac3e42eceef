"""The ``accelsim`` command: its subcommands, and what its exit codes mean.

0 done; 1 done, but a result is outside what was promised; 2 something given is wrong, said on standard error;
130 interrupted. A command's module is imported when that command runs, so that help is quick.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from accelsim._version import __version__
from accelsim.errors import AccelsimError, did_you_mean

COMMANDS = {
    "run": "simulate a workload on an architecture",
    "validate": "published numbers against simulated ones",
    "list": "names of the shipped architectures, dataflows and workloads",
    "show": "a file fully resolved: parameters, parts, defaults and sources",
    "schema": "JSON Schema of a kind of file, for editors",
    "new": "start a file of your own",
}
"""Subcommands, each the module of that name in ``accelsim.commands``, with one line of help."""


class _Parser(argparse.ArgumentParser):
    """Answers mistakes in the arguments like any other mistake: one sentence, exit code 2."""

    def error(self, message: str) -> Any:
        raise AccelsimError(f"{self.prog}: {message}; '{self.prog} --help' shows what it takes")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(given)
        sys.stdout.flush()
    except AccelsimError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of the pipe has seen enough; a second flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def _run(given: list[str]) -> int:
    command = next((word for word in given if not word.startswith("-")), None)
    if command is not None and command not in COMMANDS:
        known = did_you_mean(command, COMMANDS) or f"; commands are {', '.join(COMMANDS)}"
        raise AccelsimError(f"there is no command {command[:60]!r}{known}")
    args = _parser(command).parse_args(given)
    if command is None:
        _parser(None).print_help()
        return 0
    code: int = import_module(f"accelsim.commands.{command}").execute(args)
    return code


def _parser(command: str | None) -> argparse.ArgumentParser:
    """The parser, with the arguments of one command only."""
    parser = _Parser(prog="accelsim", description="Hardware accelerators in YAML, simulated event by event.")
    parser.add_argument("--version", action="version", version=f"accelsim {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        if name == command:
            import_module(f"accelsim.commands.{name}").configure(sub)
            sub.add_argument("--json", action="store_true", help="one JSON object on standard output")
    return parser
