"""``accelsim validate``: published numbers against simulated ones."""

import argparse
import json


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--system", help="one system only, e.g. systolic")


def execute(args: argparse.Namespace) -> int:
    """Print the table; 1 if a row without a stated cause is outside its tolerance."""
    from accelsim.validation import validate

    checked = validate(args.system)
    print(json.dumps(checked.to_dict(), ensure_ascii=False, indent=2) if args.json else checked)
    return 1 if checked.failed else 0
