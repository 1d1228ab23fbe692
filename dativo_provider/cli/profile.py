"""`dativo profile`: what rows look like: counts, NULLs, distinct values, ranges, quantiles and frequent values.

WHAT is a Parquet or CSV file, a table (`namespace.table`), or a job, whose published table it is then. Of personal
columns (as the contract classifies them) only counts are told. Distinct values are an estimate.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.cli import context

if TYPE_CHECKING:
    from dativo_provider.pipeline.existing import Rows
    from dativo_provider.quality.profile.model import ColumnProfile, Profile

HEADERS = ("column", "type", "NULL", "distinct", "least", "greatest", "mean", "median", "frequent")
_SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="WHAT", help="FILE.parquet, FILE.csv, NAMESPACE.TABLE or a job's YAML")
    parser.add_argument("--stream", default="", metavar="S", help="of a job: this stream; needed where it has several")
    parser.add_argument(
        "--sample", type=share, default=1.0, metavar="S", help="look at a random share of the rows: 0.1"
    )
    parser.add_argument("--json", action="store_true", help="the whole profile, with histograms")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from dativo_provider.cli.output import console, counted, print_json, say, table

    rows, found = profiled(args)
    if args.json:
        print_json(asdict(found))
        return 0
    looked_at = counted(found.rows, "row") + (f" (a sample of {found.share:.4g} of them)" if found.share < 1 else "")
    say(f"{rows.name}: {looked_at}, {counted(len(found.columns), 'column')}")
    console().print(table(HEADERS, (line(column) for column in found.columns), right=HEADERS[2:8]))
    return 0


def share(text: str) -> float:
    """Raises `argparse.ArgumentTypeError` unless it is above 0 and at most 1."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no share: a number above 0, at most 1")
    return found


def profiled(args: argparse.Namespace) -> tuple[Rows, Profile]:
    from dativo_provider.cli.rows import scene_of
    from dativo_provider.quality.profile.measure import profile

    rows, ctx = rows_of(args)
    return rows, profile(scene_of(rows, ctx), share=args.sample)


def rows_of(args: argparse.Namespace) -> tuple[Rows, Any]:
    from dativo_provider.cli.rows import job_rows, named_rows
    from dativo_provider.pipeline.state import chosen_one

    path = Path(args.what)
    if path.suffix not in (".yaml", ".yml"):
        ctx = context.run_context(args, None)
        return named_rows(args.what, ctx), ctx
    job = context.load_job(path, args)
    ctx = context.run_context(args, job)
    return job_rows(job, chosen_one(job, args.stream), ctx), ctx


def line(column: ColumnProfile) -> tuple[Any, ...]:
    least, greatest = (column.min, column.max)
    top = ", ".join(f"{each.value} ({each.count})" for each in column.top[:_SHOWN])
    median = column.quantiles.get("0.5")
    return (
        column.name,
        column.type,
        f"{column.null_share:.1%}",
        "" if column.distinct is None else f"~{column.distinct}",
        "" if least is None else str(least),
        "" if greatest is None else str(greatest),
        "" if column.mean is None else f"{column.mean:.6g}",
        "" if median is None else f"{median:.6g}",
        "personal: not shown" if column.personal else top,
    )
