"""`dativo check`: opens a job's source and target the way a run would, and reads no row."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.cli import context
from dativo_provider.cli.output import print_json, say
from dativo_provider.errors import DativoError
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec
    from dativo_provider.model.stream import Stream


WORDS = {"success": "ok", "failed": "failed"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the job's YAML")
    parser.add_argument("--json", action="store_true", help='{"source": {status, message, …}, "target": …}')
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    job = context.load_job(args.config, args)
    ctx = context.run_context(args, job)
    with closing(ctx.kept):
        sides = {"source": attempt(lambda: check_source(job, ctx)), "target": attempt(lambda: check_target(job, ctx))}
    if args.json:
        print_json(sides)
    else:
        for side, found in sides.items():
            say(f"{side} {WORDS[found['status']]}: {found['message']}")
    failed = any(found["status"] != "success" for found in sides.values())
    return int(ExitCode.FAILED if failed else ExitCode.OK)


def attempt(look: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"status": "success", "message": look()}
    except DativoError as error:
        facts = error.to_dict()
        return {"status": "failed", "message": str(error)} | {
            k: facts[k] for k in ("error_code", "retryable", "details")
        }


def check_source(job: JobSpec, ctx: RunContext) -> str:
    from dativo_provider.pipeline.plan import refuse_unsupported
    from dativo_provider.pipeline.workplace import reading

    refuse_unsupported(job)
    with reading(job, ctx) as reader:
        reader.check()
        described = [reader.describe(stream) for stream in job.streams]
    return f"{job.source.connector} answers; {', '.join(map(_described, described))}"


def _described(stream: Stream) -> str:
    empty = ", but nothing is there to read yet" if stream.estimated_bytes == 0 else ""
    return f"{stream.name} ({len(stream.fields)} columns{empty})"


def check_target(job: JobSpec, ctx: RunContext) -> str:
    from dativo_provider.cli.tables import check_catalog

    return check_catalog(job, ctx)
