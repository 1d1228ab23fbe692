"""`dativo approve`: moves `main` to the branch on which a run of a job with `publish: branch` waits.

Where others have committed to `main` since, rows that are only added go on top; any other run is refused: reject it
then, and start a new one. What follows a publish follows here: people are told, and rows too old for the contract end
with code 2, published as they are.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from dativo_provider.cli import context


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the job's YAML")
    parser.add_argument("--run", dest="plan_id", required=True, metavar="ID", help="the run, as `dativo runs` shows it")
    parser.add_argument("--by", default="", metavar="NAME", help="who decides, for the record (default: your login)")
    context.add_arguments(parser)


def login() -> str:
    """The name this process runs under; containers often have none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import counted, say
    from dativo_provider.cli.tables import find_plan
    from dativo_provider.pipeline.approve import approve
    from dativo_provider.pipeline.publish import fail_if_stale
    from dativo_provider.pipeline.sync import sync

    job = context.load_job(args.config, args)
    ctx = context.run_context(args, job)
    plan_uri = find_plan(job, args.plan_id, ctx)
    published = approve(plan_uri, ctx, args.by or login())
    if not args.quiet:
        say(f"{published.outcome}: {counted(published.inserted, 'row')} in {published.table}, {args.plan_id}")
    sync(plan_uri, ctx)
    fail_if_stale(plan_uri, ctx)
    return 0
