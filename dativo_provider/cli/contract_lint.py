"""`dativo contract lint`: shape, checks against the contract's own columns, and patterns, each by file and line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from dativo_provider.cli.checking import new_places, of_contract
from dativo_provider.config import Problem
from dativo_provider.config.contracts import examine_contract


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.validate import report

    return int(report(lint(args.paths), args))


def lint(paths: Sequence[Path]) -> list[Problem]:
    found: list[Problem] = []
    for path in paths:
        found += examine_contract(path)[1]
        found += new_places(of_contract(path), found)
    return sorted(dict.fromkeys(found), key=lambda each: (each.path, each.line, each.column))
