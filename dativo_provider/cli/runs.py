"""`dativo runs`: what ran, as the metadata store remembers it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from dativo_provider.cli import context

if TYPE_CHECKING:
    from dativo_provider.cli.outcome import Outcome
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.run import RunRecord

HEADERS = ("run", "job", "stream", "status", "started (UTC)", "extracted", "accepted", "left out", "duplicates")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant-id", "--tenant", dest="tenant", metavar="T", help="only runs of this tenant")
    parser.add_argument("--job", metavar="J", help="only runs of this job (its name, or tenant.name)")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="the newest N (default: 20)")
    parser.add_argument("--last", action="store_true", help="the newest only")
    parser.add_argument("--report", action="store_true", help="the whole report of each run")
    parser.add_argument("--json", action="store_true", help="the records as JSON")


def run(args: argparse.Namespace) -> int:
    ctx = context.run_context(args, None)
    records = find(args, ctx)
    if args.json:
        show_json(records)
    elif args.report:
        show_reports(records, ctx)
    elif records:
        show_table(records)
    else:
        say_none(args, ctx)
    return 0


def find(args: argparse.Namespace, ctx: RunContext) -> list[RunRecord]:
    from dativo_provider.store import open_store

    tenant, _, job = (args.job or "").rpartition(".")
    limit = 1 if args.last else args.limit
    return list(open_store(ctx).runs(tenant=args.tenant or tenant or None, job=job or None, limit=limit))


def show_json(records: list[RunRecord]) -> None:
    from dataclasses import asdict

    from dativo_provider.cli.output import print_json

    print_json([asdict(record) for record in records])


def say_none(args: argparse.Namespace, ctx: RunContext) -> None:
    """Airflow and the command line look into different folders unless told: say where this was."""
    from dativo_provider.cli.output import say

    what = "no such runs" if args.tenant or args.job else "no runs yet"
    where = f" in {ctx.settings.home} (DATIVO_HOME names another folder)" if ctx.settings.store.embedded else ""
    say(what + where)


def show_table(records: list[RunRecord]) -> None:
    from dativo_provider.cli.output import console, table

    console().print(table(HEADERS, (line(record) for record in records), right=HEADERS[5:]))


def line(record: RunRecord) -> tuple[object, ...]:
    books, started = record.books, record.started_at[:19].replace("T", " ")
    job = f"{record.tenant}.{record.job}"
    counts = (books.extracted, books.accepted, books.left_out, books.duplicates)
    return (record.plan_id, job, record.stream, record.status, started, *counts)


def show_reports(records: list[RunRecord], ctx: RunContext) -> None:
    from dativo_provider.cli.render import print_outcome

    for record in reversed(records):
        print_outcome(outcome_of(record, ctx))


def outcome_of(record: RunRecord, ctx: RunContext) -> Outcome:
    from dativo_provider.cli.outcome import of_record
    from dativo_provider.cli.tables import first_rows
    from dativo_provider.pipeline.report import plan_of

    plan = plan_of(record, ctx)
    samples = first_rows(plan.job, plan.table, ctx) if plan and record.status == "published" else ()
    return of_record(record, plan, samples)
