"""`dativo contract`: look at contract files, compare their versions, and take them from and to other tools.

An action is a file `contract_<action>.py` with `run(args)`.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from dativo_provider.cli import context

ACTIONS = {
    "lint": "what is wrong with a contract and its checks, by file and line",
    "test": "the contract's checks on a file, a folder of Parquet or a table; 1: rows fail, 2: a run would be blocked",
    "diff": "what the second of two versions changes, and whether its number says so",
    "import": "write an ODCS contract from checks or a schema of another tool",
    "suggest": "propose a contract from the rows of a file, a table or a job, and from the job's history",
    "export": "write a contract's checks or columns for another tool",
}
FORMATS = ("soda", "great_expectations", "sql", "json-schema", "avro", "checks", "parquet", "csv", "asset")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "; ".join(f"{action}: {summary}" for action, summary in ACTIONS.items())
    formats = f"import, export: {', '.join(FORMATS)}"
    parser.add_argument("action", choices=ACTIONS, help=what)
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="files; diff: older, then newer; test: contract, then data; suggest: a file, a table or a job",
    )
    parser.add_argument("--format", choices=FORMATS, default="", metavar="F", help=formats)
    parser.add_argument("--output", type=Path, metavar="F", help="write here, not over a file that is there")
    parser.add_argument(
        "--table", default="", metavar="NAME", help="import: what it is called; export, suggest, test: which one"
    )
    parser.add_argument("--json", action="store_true", help="lint, diff, suggest, test: as JSON")
    parser.add_argument("--junit", type=Path, metavar="P", help="test: write the results as JUnit XML, for CI")
    parser.add_argument("--strict", action="store_true", help="lint: end with 2 for a warning, too")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return int(importlib.import_module(f"dativo_provider.cli.contract_{args.action}").run(args))
