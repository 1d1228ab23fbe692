"""`dativo maintain`: compacts, expires and sweeps the tables of a job, of a folder of jobs, or one by name.

Safe while runs publish, and safe to kill: run it again. `--dry-run` says what would be done.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.cli import context
from dativo_provider.cli.folder import load_folder
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    from dativo_provider.model.maintenance import Upkeep

HEADERS = ("table", "job", "outcome", "files", "bytes", "note")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", type=Path, metavar="F", help="the job's YAML: its tables and their quarantines")
    what.add_argument("--job-dir", type=Path, metavar="D", help="every job of a folder, which must be of one tenant")
    what.add_argument("--table", metavar="T", help="<namespace>.<table> of the deployment's catalog")
    parser.add_argument(
        "--only", metavar="J,J", default="", help="of compact, manifests, expire, statistics, metadata, orphans, runs"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument("--json", action="store_true", help="a list of {job, table, before, after, outcome, note}")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from dativo_provider.pipeline.maintain import wanted

    only = tuple(word.strip() for word in args.only.split(",") if word.strip())
    wanted(only)
    found = _of_table(args, only) if args.table else _of_jobs(args, only)
    if args.json:
        show_json(found)
    elif not args.quiet:
        show_table(found)
    failed = any(each.outcome == "failed" for each in found)
    return int(ExitCode.FAILED if failed else ExitCode.OK)


def _of_table(args: argparse.Namespace, only: tuple[str, ...]) -> list[Upkeep]:
    from dativo_provider.model.maintenance import MaintenanceSpec
    from dativo_provider.pipeline.maintain import maintain_table

    ctx = context.run_context(args, None)
    return maintain_table(args.table, ctx, only, dry_run=args.dry_run, spec=MaintenanceSpec())


def _of_jobs(args: argparse.Namespace, only: tuple[str, ...]) -> list[Upkeep]:
    from dativo_provider.pipeline.maintain import maintain

    jobs = [context.load_job(args.config, args)] if args.config else load_folder(args.job_dir, args)
    return [each for job in jobs for each in maintain(job, context.run_context(args, job), only, dry_run=args.dry_run)]


def show_json(found: list[Upkeep]) -> None:
    from dataclasses import asdict

    from dativo_provider.cli.output import print_json

    print_json([asdict(each) for each in found])


def show_table(found: list[Upkeep]) -> None:
    from dativo_provider.cli.output import console, say, table

    if found:
        console().print(table(HEADERS, map(line, found), right=("files", "bytes")))
    else:
        say("no table yet: run the job first")


def line(each: Upkeep) -> tuple[str, ...]:
    files = arrow(f"{each.before.files:,}", f"{each.after.files:,}")
    return each.table, each.job, each.outcome, f"{files} {each.what}", arrow(*sizes(each)), each.note


def sizes(each: Upkeep) -> tuple[str, str]:
    return human(each.before.bytes), human(each.after.bytes)


def arrow(before: str, after: str) -> str:
    return before if before == after else f"{before} → {after}"


def human(size: float) -> str:
    """`1.5 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
