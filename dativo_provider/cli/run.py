"""`dativo run`: the same steps an Airflow DAG takes, in this process."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, DativoError
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    from dativo_provider.cli.outcome import Outcome
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec
    from dativo_provider.model.run import RunRequest
    from dativo_provider.pipeline.run import RunReport, StreamReport

SAMPLE_ROWS = 5
PATIENCE = 3600  # seconds; who is asked to wait longer is told so, and nobody sleeps for it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from dativo_provider.cli import context

    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--config", type=Path, metavar="F", help="the job's YAML")
    which.add_argument("--job-dir", type=Path, metavar="D", help="a folder of jobs of one tenant")
    parser.add_argument("--dry-run", action="store_true", help="verdict and sample rows; nothing is published")
    parser.add_argument("--limit", type=positive, metavar="N", help="read at most N rows (with --dry-run)")
    parser.add_argument("--full-refresh", action="store_true", help="read everything again and replace the rows")
    parser.add_argument("--from", dest="start", metavar="X", help="first cursor value of a backfill, inclusive")
    parser.add_argument("--to", dest="end", metavar="Y", help="end of a backfill, exclusive")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    context.add_arguments(parser)


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return int(text)


def run(args: argparse.Namespace) -> int:
    refuse_combinations(args)
    outcomes = [outcome for job in jobs_of(args) for outcome in run_job(job, args)]
    code = max((outcome.exit_code for outcome in outcomes), default=ExitCode.OK)
    if args.json:
        from dativo_provider.cli.output import print_json

        print_json({"exit_code": int(code), "streams": [outcome.to_dict() for outcome in outcomes]})
    return int(code)


def refuse_combinations(args: argparse.Namespace) -> None:
    if args.limit and not args.dry_run:
        raise ConfigurationError("--limit would publish a part of the source", remedy="add --dry-run")
    if args.full_refresh and (args.start or args.end):
        raise ConfigurationError("--full-refresh reads everything, --from/--to a part", remedy="choose one of the two")


def jobs_of(args: argparse.Namespace) -> list[JobSpec]:
    from dativo_provider.cli.context import load_job

    if args.config:
        return [load_job(args.config, args)]
    from dativo_provider.cli.folder import load_folder

    return load_folder(args.job_dir, args)


def run_job(job: JobSpec, args: argparse.Namespace) -> list[Outcome]:
    """Runs, prints the report (unless JSON is asked for) and returns the outcome of every stream."""
    from dativo_provider.cli import context, render
    from dativo_provider.cli.outcome import of_report
    from dativo_provider.cli.signals import cancelling
    from dativo_provider.observability import open_progress

    ctx = context.run_context(args, job)
    with closing(ctx.kept), cancelling(ctx), open_progress(args.quiet, title=job.dag_id) as ctx.progress:
        report = run_with_retries(job, ctx, request_of(args))
    outcomes = [of_report(job, stream, read_back(stream, ctx)) for stream in report.streams]
    if not args.json and (not args.quiet or report.exit_code):
        for outcome in outcomes:
            render.print_outcome(outcome)
    return outcomes


def request_of(args: argparse.Namespace) -> RunRequest:
    from dativo_provider.model.run import RunRequest

    return RunRequest(
        full_refresh=args.full_refresh, start=args.start, end=args.end, dry_run=args.dry_run, limit=args.limit
    )


def run_with_retries(job: JobSpec, ctx: RunContext, request: RunRequest) -> RunReport:
    """Streams whose error may pass are run again as `retry_config` says; the others are done."""
    from dativo_provider.pipeline.run import run as run_steps

    report, attempt = run_steps(job, ctx, request), 1
    while (again := retryable(job, report)) and attempt <= job.retry.max_retries:
        wait(job, ctx, again, attempt)
        names = {stream.stream for stream in again}
        part = replace(job, streams=tuple(spec for spec in job.streams if spec.name in names))
        attempt += 1
        redone = run_steps(part, ctx, replace(request, attempt=attempt))
        latest = {stream.stream: stream for stream in redone.streams}
        report.streams = [latest.get(stream.stream, stream) for stream in report.streams]
    return report


def retryable(job: JobSpec, report: RunReport) -> list[StreamReport]:
    """Not those that the other side wants to see again in hours: their message says when."""
    failed = [stream for stream in report.streams if stream.error and may_pass(job, stream.error)]
    return [stream for stream in failed if (getattr(stream.error, "retry_after", None) or 0.0) <= PATIENCE]


def may_pass(job: JobSpec, error: DativoError) -> bool:
    """By the error's class; the job's patterns are for errors whose class cannot tell."""
    import re

    if error.retryable:
        return True
    if isinstance(error, ConfigurationError):
        return False
    patterns = job.retry.retryable_error_patterns
    return any(re.search(pattern, error.message, re.IGNORECASE) for pattern in patterns)


def wait(job: JobSpec, ctx: RunContext, failed: Sequence[StreamReport], attempt: int) -> None:
    """Initial × multiplier^n, capped; never shorter than the other side asked for."""
    asked = max((getattr(stream.error, "retry_after", None) or 0.0 for stream in failed), default=0.0)
    delay = max(job.retry.delay(attempt), asked)
    names = ", ".join(stream.stream for stream in failed)
    errors = "; ".join(stream.error.message for stream in failed if stream.error)
    ctx.event("retry_attempt", f"{names}: {errors}; again in {delay:.0f} s", logging.WARNING, attempt=attempt + 1)
    ctx.cancelled.wait(delay)
    ctx.check_cancelled()


def read_back(stream: StreamReport, ctx: RunContext) -> Sequence[dict[str, Any]]:
    """A few published rows as any other engine would read them; empty where nothing was published."""
    published = stream.published
    if stream.plan is None or published is None or published.outcome == "dry_run" or not stream.books.accepted:
        return ()
    from dativo_provider.cli.tables import first_rows

    return first_rows(stream.plan.job, stream.plan.table, ctx, SAMPLE_ROWS)
