"""`dativo connector lint`: every mistake of a spec, by file and line."""

from __future__ import annotations

import argparse
from pathlib import Path

from dativo_provider.config import InvalidConfig, Problem


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.validate import report

    return int(report([problem for path in args.paths for problem in lint(path)], args))


def lint(path: Path) -> list[Problem]:
    from dativo_provider.connectors.rest.load import load_api

    try:
        load_api(path)
    except InvalidConfig as invalid:
        return list(invalid.problems)
    return []
