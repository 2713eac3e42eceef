"""``accelsim list``: what is shipped."""

import argparse
import json

from accelsim.errors import AccelsimError
from accelsim.spec import catalog
from accelsim.spec.reader import read_file


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("kind", nargs="?", choices=tuple(catalog.FOLDERS), help="only files of this kind")


def execute(args: argparse.Namespace) -> int:
    """Print names with their descriptions."""
    kinds = [args.kind] if args.kind else list(catalog.FOLDERS)
    found = {kind: {name: _description(kind, name) for name in catalog.names(kind)} for kind in kinds}
    if args.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return 0
    for kind, entries in found.items():
        print(f"{kind}:")
        width = max(map(len, entries), default=0)
        for name, description in entries.items():
            print(f"  {name:<{width}}  {description or ''}".rstrip())
    return 0


def _description(kind: str, name: str) -> str | None:
    file = catalog.shipped(kind)[name]
    try:
        text = read_file(file, catalog.display(file, kind))[0].root.get("description")
    except AccelsimError as error:
        return f"cannot be read: {error.problems[0]}"
    return None if text is None else str(text.plain())
