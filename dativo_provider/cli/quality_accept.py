"""`dativo quality accept`: what a run measured is the new level."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec

__all__ = ["accept"]


def accept(args: argparse.Namespace, job: JobSpec, ctx: RunContext) -> int:
    from dativo_provider.cli.approve import login
    from dativo_provider.cli.output import print_json, say
    from dativo_provider.cli.quality import chosen
    from dativo_provider.pipeline.acceptance import accept as write
    from dativo_provider.pipeline.report import results_of

    record = chosen(args, job, ctx)
    made = write(job, record, results_of(record, ctx), args.by or login(), args.reason, ctx, args.check)
    if args.json:
        print_json([asdict(each) for each in made])
    elif not args.quiet:
        for each in made:
            levels = ", ".join(f"{name} {value:g}" for name, value in each.levels.items())
            say(f"'{each.check}': from run {each.run} on normal is {levels}; a new run is judged by that")
        if not made:
            say(f"run {record.plan_id}: this was accepted before")
    return 0
