"""`dativo reject`: drops the branch on which a run waits, and its files. The next run reads the same rows again."""

from __future__ import annotations

import argparse

from dativo_provider.cli import context
from dativo_provider.cli.approve import add_arguments, login

__all__ = ["add_arguments", "run"]


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import counted, say
    from dativo_provider.cli.tables import find_plan
    from dativo_provider.pipeline.approve import reject

    job = context.load_job(args.config, args)
    ctx = context.run_context(args, job)
    removed = reject(find_plan(job, args.plan_id, ctx), ctx, args.by or login())
    if not args.quiet:
        say(f"{args.plan_id} is rejected; {counted(removed, 'file')} removed")
    return 0
