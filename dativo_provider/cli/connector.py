"""`dativo connector`: write the spec of an API, and hold it against the API.

An action is a file `connector_<action>.py` with `run(args)`.
"""

from __future__ import annotations

import argparse
import importlib

from dativo_provider.cli import context

ACTIONS = {
    "new": "write the first draft of a spec into connectors/, with comments at what is a guess, and a job that reads "
    "by it into jobs/",
    "lint": "what is wrong with specs of APIs, by file and line",
    "test": "log in, read the first records of each stream, and say what does not fit the spec",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = "; ".join(f"{action}: {summary}" for action, summary in ACTIONS.items())
    parser.add_argument("action", choices=ACTIONS, help=what)
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="new: answers of the API (files, addresses, or - for standard input), its OpenAPI document, or a manifest "
        "of Airbyte's; lint: specs; test: a job that reads by one",
    )
    parser.add_argument(
        "--object",
        action="append",
        metavar="NAME",
        help="test: only this stream; new: only this path of the OpenAPI document; may be repeated",
    )
    parser.add_argument("--name", default="", metavar="NAME", help="new: what jobs will call the connector")
    parser.add_argument("--folder", default=".", metavar="DIR", help="new: the tenant's folder; default: this one")
    parser.add_argument("--header", action="append", metavar="H", help="new: sent to an address: 'Name: value'")
    parser.add_argument("--data", default="", metavar="JSON", help="new: body of a POST to an address")
    parser.add_argument("--list", action="store_true", help="new: only list what --object may name")
    parser.add_argument("--force", action="store_true", help="new: replace a spec of that name")
    parser.add_argument("--json", action="store_true", help="as JSON")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return int(importlib.import_module(f"dativo_provider.cli.connector_{args.action}").run(args))
