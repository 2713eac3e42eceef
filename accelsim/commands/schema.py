"""``accelsim schema``: JSON Schema for editors."""

import argparse
import json

from accelsim.spec.json_schema import json_schema

KINDS = ("architecture", "dataflow", "mapping", "workload", "calibration", "technology", "run")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("kind", choices=KINDS, help="kind of file")


def execute(args: argparse.Namespace) -> int:
    """Print the schema, which is one JSON object with or without ``--json``."""
    print(json.dumps(json_schema(args.kind), ensure_ascii=False, indent=2))
    return 0
