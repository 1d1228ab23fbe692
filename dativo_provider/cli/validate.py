"""`dativo validate`: everything that can be known about YAML without touching a source or a secret."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.cli.output import counted, print_json, say
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    from dativo_provider.config import Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files and folders, told apart by content")
    parser.add_argument("--json", action="store_true", help="the findings as JSON")


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.checking import problems_of

    return int(report(problems_of(args.paths), args))


def report(problems: Sequence[Problem], args: argparse.Namespace) -> ExitCode:
    errors = sum(problem.severity == "error" for problem in problems)
    if args.json:
        print_json({"errors": errors, "problems": [as_dict(problem) for problem in problems]})
    else:
        show(problems, args.quiet)
    return ExitCode.FAILED if errors else ExitCode.OK


def as_dict(problem: Problem) -> dict[str, object]:
    return asdict(problem) | {"path": str(problem.path)}


def show(problems: Sequence[Problem], quiet: bool) -> None:
    for problem in problems:
        if problem.severity == "error" or not quiet:
            say(str(problem))
    if not quiet:
        count = Counter(problem.severity for problem in problems)
        say(", ".join(counted(count[kind], kind) for kind in ("error", "warning")) if problems else "no problems found")
