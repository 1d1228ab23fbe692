"""`dativo state`: where every stream of a job stands, and moving it by hand.

`set` and `reset` are commits that the next run sees; a run that was planned before is fenced and publishes nothing.
A lane that is set back reads rows again that are published already: with a key they are told and left out, without
one the next run is refused until it is a full refresh. `import` takes what `export` wrote, or the state files of the
original product: one file, or the tenant's folder of them.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.cli import context
from dativo_provider.errors import ConfigurationError

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec, StreamSpec
    from dativo_provider.model.run import Lane
    from dativo_provider.model.stream import Cursor
    from dativo_provider.pipeline.state import LaneState

ACTIONS = ("show", "set", "reset", "export", "import")
HEADERS = ("stream", "lane", "seq", "cursor", "last run", "status", "failed", "next retry (UTC)", "pending", "contract")
SHOWN = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the job's YAML")
    parser.add_argument("--stream", default="", metavar="S", help="this stream only; needed where a job has several")
    parser.add_argument("--lane", default="", metavar="L", help="a backfill's or replay's lane, as `show` names it")
    parser.add_argument("--to", metavar="VALUE", help="set: the next run reads what is at or after it")
    parser.add_argument("--cursor", metavar="JSON", help="set: the whole cursor, where it is not one column's value")
    parser.add_argument("--file", type=Path, metavar="P", help="export, import: the JSON file; import: or a folder")
    parser.add_argument("--force", action="store_true", help="although a run is under way; it will be fenced")
    parser.add_argument("--json", action="store_true", help="show: as JSON")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    job = context.load_job(args.config, args)
    ctx = context.run_context(args, job)
    {"show": show, "set": change, "reset": change, "export": export, "import": take}[args.action](job, args, ctx)
    return 0


def show(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> None:
    from dativo_provider.cli.output import console, print_json, table
    from dativo_provider.pipeline.state import lanes

    found = lanes(job, ctx, args.stream)
    if args.json:
        print_json([facts(job, each) for each in found])
    else:
        console().print(table(HEADERS, map(line, found), right=("seq", "failed")))


def facts(job: JobSpec, each: LaneState) -> dict[str, Any]:
    from dativo_provider.pipeline.state import outlook

    made = {
        "tenant": job.tenant,
        "job": job.name,
        "stream": each.stream,
        "table": each.table,
        "lane": lane_name(each.lane),
        **asdict(each.state),
        "last_run": {"plan_id": each.last.plan_id, "status": each.last.status} if each.last else None,
        "retry": asdict(each.retry) if each.retry else None,
    }
    return {**made, "next_run": outlook(job, job.stream(each.stream), each.state)}


def line(each: LaneState) -> tuple[object, ...]:
    state, retry = each.state, each.retry
    return (
        each.stream,
        lane_name(each.lane),
        state.seq,
        shown(state.cursor),
        each.last.plan_id if each.last else (state.runs[-1] if state.runs else ""),
        each.last.status if each.last else "",
        retry.attempts if retry else 0,
        (retry.next_at or "by hand")[:19] if retry else "",
        "quarantine" if state.pending else "",
        state.contract_version,
    )


def lane_name(lane: Lane) -> str:
    return lane.suffix.removeprefix(".") or "live"


def shown(cursor: Cursor | None) -> str:
    """A value with its column; of many files or partitions only how many."""
    from dativo_provider.cli.output import counted

    value = dict(cursor.value) if cursor else {}
    if not value:
        return "none"
    if "value" in value:
        return f"{value.get('column', '')} {value['value']}".strip()
    parts = [counted(len(v), k.removesuffix("s")) if isinstance(v, dict) else f"{k} {v}" for k, v in value.items()]
    return ", ".join(parts)[:SHOWN]


def change(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> None:
    from dativo_provider.pipeline.state import check_idle, chosen_one

    spec = chosen_one(job, args.stream)
    if not args.force:
        check_idle(job, spec, ctx)
    lane = lane_of(args.lane)
    cursor = None if args.action == "reset" else wanted(job, spec, lane, args, ctx)
    moved(job, spec, lane, cursor, "by hand", args, ctx)


def lane_of(name: str) -> Lane:
    from dativo_provider.model.run import Lane

    return Lane.of("" if name in ("", "live") else f".{name}")


def wanted(job: JobSpec, spec: StreamSpec, lane: Lane, args: argparse.Namespace, ctx: RunContext) -> Cursor:
    from dativo_provider.pipeline.state import cursor_at, cursor_of
    from dativo_provider.pipeline.targets import open_target

    if (args.to is None) == (args.cursor is None):
        raise ConfigurationError("set needs --to VALUE or --cursor JSON", remedy="give one of the two")
    now = open_target(job, ctx).state(job, spec, lane)
    if args.to is not None:
        return cursor_at(job, spec, now, args.to, ctx)
    try:
        value = json.loads(args.cursor)
    except ValueError as problem:
        raise ConfigurationError(f"--cursor is no JSON: {problem}", remedy="quote it with '…'") from problem
    if not isinstance(value, dict) or not value:
        raise ConfigurationError("--cursor must be a JSON object", remedy="`dativo state export` shows its form")
    return cursor_of(job, spec, now, value, ctx)


def moved(
    job: JobSpec,
    spec: StreamSpec,
    lane: Lane,
    cursor: Cursor | None,
    how: str,
    args: argparse.Namespace,
    ctx: RunContext,
) -> None:
    from dativo_provider.cli.output import say
    from dativo_provider.pipeline.state import move, outlook

    state = move(job, spec, lane, cursor, f"cursor of lane {lane_name(lane)} set {how}: {shown(cursor)}", ctx)
    if not args.quiet:
        say(f"{spec.name} ({lane_name(lane)}) is at: {shown(state.cursor)} (seq {state.seq}, {state.runs[-1]})")
        if not lane.suffix:
            say(outlook(job, spec, state))


def export(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> None:
    from dativo_provider.cli.output import counted, print_json, say
    from dativo_provider.pipeline.state import lanes
    from dativo_provider.pipeline.transfer import exported

    made = exported(job, lanes(job, ctx, args.stream))
    if args.file is None:
        print_json(made)
        return
    args.file.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if not args.quiet:
        say(f"{counted(len(made['lanes']), 'cursor')}: {args.file}")


def take(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> None:
    from dativo_provider.cli.output import say
    from dativo_provider.pipeline.state import check_idle
    from dativo_provider.pipeline.transfer import read_file

    if args.file is None:
        raise ConfigurationError("import needs --file P", remedy="give a state file, or the tenant's folder of them")
    found = read_file(job, args.file, args.stream, ctx)
    for (stream, lane), cursor in found.cursors.items():
        if not args.force:
            check_idle(job, job.stream(stream), ctx)
        moved(job, job.stream(stream), lane, cursor, f"from {args.file.name}", args, ctx)
    for file, key, why in found.left:
        say(f"not taken over: {file}: {key}: {why}")
    if not found.cursors:
        raise ConfigurationError("nothing in it fits this job", where=str(args.file), remedy="check object and cursor")
