"""`dativo contract export`: checks for Soda 4 or Great Expectations, columns as JSON Schema or SQL, a file of checks.

What the other tool has no words for is named on stderr, and nothing is made up in its place.
"""

from __future__ import annotations

import argparse
import importlib
import sys

from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.config.contracts import read_contract
from dativo_provider.errors import ConfigurationError

WRITERS = ("soda", "great_expectations", "sql", "json-schema", "avro", "checks")


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import say

    if args.format not in WRITERS:
        raise ConfigurationError(
            f"export needs --format, not '{args.format}'", remedy=f"use one of {', '.join(WRITERS)}"
        )
    if len(args.paths) != 1:
        raise ConfigurationError("export reads one contract", remedy="name one file")
    contract = read_contract(args.paths[0])
    writer = importlib.import_module(f"dativo_provider.cli.exports.{args.format.replace('-', '_')}")
    text, left = writer.write(contract, _table(contract, args.table))
    for name in left:
        print(f"not exported, {args.format} has no words for it: {name}", file=sys.stderr)
    if args.output is None:
        say(text.rstrip())
        return 0
    if args.output.exists():
        raise ConfigurationError(f"{args.output} is there already", remedy="choose another --output, or remove it")
    args.output.write_text(text, encoding="utf-8")
    if not args.quiet:
        say(f"wrote {args.output}")
    return 0


def _table(contract: ContractSource, name: str) -> TableContract:
    names = [table.name for table in contract.tables]
    if len(names) > 1 and not name:
        raise ConfigurationError(f"the contract has {len(names)} tables", remedy=f"--table, one of {', '.join(names)}")
    found = [table for table in contract.tables if name in ("", table.name)]
    if not found:
        raise ConfigurationError(f"the contract has no table '{name}'", remedy=f"it has {', '.join(names) or 'none'}")
    return found[0]
