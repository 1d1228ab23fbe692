"""`dativo version`: of Dativo, Python and, with --verbose, of the libraries the answer to a bug depends on."""

from __future__ import annotations

import argparse
import platform

from dativo_provider import __version__
from dativo_provider.cli.output import print_json, say

LIBRARIES = ("apache-airflow", "pyiceberg", "pyarrow", "duckdb", "pydantic", "SQLAlchemy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="all versions as JSON")


def run(args: argparse.Namespace) -> int:
    if args.json:
        print_json(versions())
    elif args.verbose:
        for name, version in versions().items():
            say(f"{name} {version}")
    else:
        say(f"dativo {__version__}")
    return 0


def versions() -> dict[str, str]:
    return {"dativo": __version__, "python": platform.python_version()} | {name: _installed(name) for name in LIBRARIES}


def _installed(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
