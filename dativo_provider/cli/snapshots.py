"""`dativo snapshots`: the versions of a job's tables, newest first.

`on main`: yes for the current version and its past, which `dativo rollback` can go back to. The others were undone by
a rollback, or are on a branch of their own.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dativo_provider.cli.versions import add_arguments as add_version_arguments
from dativo_provider.cli.versions import choose

if TYPE_CHECKING:
    from pyiceberg.table import Table

HEADERS = ("snapshot", "made (UTC)", "by", "what", "rows in", "rows out", "on main", "names")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="the newest N of each table (default: 50)")
    parser.add_argument("--json", action="store_true", help="as JSON")
    add_version_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import console, print_json, table

    found = {each.name: versions(each.target.table(each.name), args.limit) for each in choose(args)}
    if args.json:
        print_json([{"table": name, "snapshots": rows} for name, rows in found.items()])
        return 0
    for name, rows in found.items():
        console().print(table(HEADERS, map(line, rows), title=name, right=("rows in", "rows out")))
    return 0


def versions(table: Table, most: int) -> list[dict[str, Any]]:
    from dativo_provider.lake.history import OPERATION, ancestors, said
    from dativo_provider.lake.refs import main_head

    head = main_head(table)
    line_of_main = {snapshot.snapshot_id for snapshot in ancestors(table.metadata, head)}
    newest = sorted(table.metadata.snapshots, key=lambda each: (each.sequence_number or 0, each.timestamp_ms))[::-1]
    found = []
    for snapshot in newest[:most]:
        summary = said(snapshot)
        kind = snapshot.summary.operation.value if snapshot.summary else ""
        names = sorted(name for name, ref in table.metadata.refs.items() if ref.snapshot_id == snapshot.snapshot_id)
        found.append({
            "snapshot_id": snapshot.snapshot_id,
            "at": datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds"),
            "run": summary.get("dativo.run", ""),
            "lane": summary.get("dativo.lane", ""),
            "operation": summary.get(OPERATION) or kind,
            "rows_in": int(summary.get("added-records", 0)),
            "rows_out": int(summary.get("deleted-records", 0)),
            "rows": int(summary.get("total-records", 0)),
            "on_main": snapshot.snapshot_id in line_of_main,
            "current": snapshot.snapshot_id == head,
            "names": names,
        })  # fmt: skip
    return found


def line(row: dict[str, Any]) -> tuple[object, ...]:
    main = "current" if row["current"] else "yes" if row["on_main"] else "no"
    made = row["at"][:19].replace("T", " ")
    names = ", ".join(row["names"])
    return (str(row["snapshot_id"]), made, row["run"], row["operation"], row["rows_in"], row["rows_out"], main, names)
