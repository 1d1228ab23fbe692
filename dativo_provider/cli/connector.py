"""`dativo connector`: write the spec of an API, and hold it against the API.

An action is a file `connector_<action>.py` with `run(args)`.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from dativo_provider.cli import context

ACTIONS = {
    "lint": "what is wrong with specs of APIs, by file and line",
    "test": "log in, read the first records of each stream, and say what does not fit the spec",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "; ".join(f"{action}: {summary}" for action, summary in ACTIONS.items())
    parser.add_argument("action", choices=ACTIONS, help=what)
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="lint: specs; test: a job that reads by one"
    )
    parser.add_argument("--object", action="append", metavar="NAME", help="test: only this stream; may be repeated")
    parser.add_argument("--json", action="store_true", help="as JSON")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return int(importlib.import_module(f"dativo_provider.cli.connector_{args.action}").run(args))
