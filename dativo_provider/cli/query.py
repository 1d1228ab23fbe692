"""`dativo query`: SQL over what a job published, set aside or staged. It can read those rows and nothing else.

Tables are `<table>` and `<table>_quarantine` of each stream, in DuckDB's SQL. With `--run` they are the staged rows
of that run instead, which is how a blocked run is looked into. With `--as-of` they are the tables of then, with the
columns of then; a table that has no such version is not there.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.cli import context

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN_ROWS = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sql", metavar="SQL", help="one SELECT over <table> and <table>_quarantine")
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the job whose tables are asked")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--run", dest="plan_id", metavar="ID", help="the staged rows of this run, published or not")
    which.add_argument("--as-of", metavar="V", help="the tables as they were: a time (ISO), tag, branch or snapshot id")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="all rows as a JSON array")
    form.add_argument("--csv", action="store_true", help="all rows as CSV")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.sql import analyse, answer, explained
    from dativo_provider.cli.tables import published, register, staged
    from dativo_provider.sql.sandbox import connect

    job = context.load_job(args.config, args)
    ctx = context.run_context(args, job)
    rows = staged(job, args.plan_id, ctx) if args.plan_id else published(job, ctx, args.as_of)
    with tempfile.TemporaryDirectory(prefix="dativo-query-") as spill:
        connection = connect(ctx.settings.memory_limit_mb, ctx.settings.threads, spill)
        try:
            with explained(args.sql):
                register(connection, rows, analyse(connection, args.sql))
                show(answer(connection, args.sql), args)
        finally:
            connection.close()
    return 0


def show(rows: pa.RecordBatchReader, args: argparse.Namespace) -> None:
    if args.json:
        from dativo_provider.cli.output import print_json

        print_json([row for batch in rows for row in batch.to_pylist()])
    elif args.csv:
        write_csv(rows)
    else:
        show_table(rows)


def write_csv(rows: pa.RecordBatchReader) -> None:
    """NULL as nothing, timestamps in ISO, nested values as JSON."""
    from dativo_provider.cli.output import csv_text

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(rows.schema.names)
    for batch in rows:
        writer.writerows([csv_text(value) for value in row.values()] for row in batch.to_pylist())


def show_table(rows: pa.RecordBatchReader) -> None:
    from dativo_provider.cli.output import console, table

    names, every = rows.schema.names, (row for batch in rows for row in batch.to_pylist())
    shown = list(islice(every, SHOWN_ROWS))
    more = next(every, None) is not None
    numbers = [name for name in names if any(isinstance(row[name], int | float) for row in shown)]
    out = console()
    out.print(table(names, ([_cell(row[name]) for name in names] for row in shown), right=numbers))
    if more:
        out.print(f"the first {SHOWN_ROWS} rows; --json or --csv gives all")


def _cell(value: object) -> object:
    """Ids are no amounts: no thousands separators in answers."""
    return str(value) if isinstance(value, int) else value
