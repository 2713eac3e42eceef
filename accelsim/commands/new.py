"""``accelsim new``: a file of one's own to start from."""

import argparse
import json
import re
from pathlib import Path

from accelsim.errors import AccelsimError
from accelsim.spec import catalog
from accelsim.spec.architecture import load_architecture
from accelsim.spec.names import file_name_problem

_OPENING = """\
# {name}: a machine of your own, started from {start}.
# accelsim show {name}.yaml                            prints it with everything filled in
# accelsim run --workload resnet18 --arch {name}.yaml  runs a network on it
# accelsim schema architecture > architecture.json     gives an editor its field names; the next line names it
# yaml-language-server: $schema=architecture.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("kind", choices=("arch",), help="kind of file")
    parser.add_argument("name", help="its name; NAME.yaml is written in the working directory")
    parser.add_argument("--from", dest="start", default="pe-array", help="shipped architecture to start from")


def execute(args: argparse.Namespace) -> int:
    """Write the file and say what to do with it."""
    problem = file_name_problem(args.name)
    if problem:
        raise AccelsimError(problem)
    if args.name in catalog.names("arch"):
        raise AccelsimError(f"{args.name!r} is the name of a shipped architecture; choose another")
    text = _text(args.name, args.start)
    path = Path(f"{args.name}.yaml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise AccelsimError(f"{path} exists already; it is left as it is") from None
    except OSError as error:
        raise AccelsimError(f"{path} cannot be written: {error.strerror}") from None
    if args.json:
        print(json.dumps({"written": str(path), "from": args.start}))
    else:
        print(f"{path} is written; 'accelsim show {path}' prints it with everything filled in")
    return 0


def _text(name: str, start: str) -> str:
    """The starting file's own text, comments included, under the new name."""
    file = catalog.find("arch", start)
    load_architecture(start)
    body = [
        line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("# yaml-lang")
    ]
    text = re.sub(r"^name:.*$", f"name: {name}", "\n".join(body), count=1, flags=re.MULTILINE)
    return _OPENING.format(name=name, start=start) + text + "\n"
