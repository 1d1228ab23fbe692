"""`dativo sla`: how the promises of a job stand, from the records of its runs. Exit code 2 when one is broken."""

from __future__ import annotations

import argparse
from pathlib import Path

from dativo_provider.cli import context
from dativo_provider.vocabulary import ExitCode

HEADERS = ("stream", "promise", "promised", "actual", "", "")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the job's YAML")
    parser.add_argument("--json", action="store_true", help="a list of {stream, promise, promised, actual, outcome}")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from dativo_provider.cli.output import console, print_json, say, table
    from dativo_provider.pipeline.sla import standing

    job = context.load_job(args.config, args)
    found = standing(job, context.run_context(args, job))
    if args.json:
        print_json([asdict(kept) for kept in found])
    elif found:
        rows = ((k.stream, k.promise, k.promised, k.actual, k.outcome, k.message) for k in found)
        console().print(table(HEADERS, rows, right=("promised", "actual")))
    else:
        say("the contract promises nothing: write `sla:` into its data_contract")
    return int(ExitCode.FAILED if any(kept.outcome == "failed" for kept in found) else ExitCode.OK)
