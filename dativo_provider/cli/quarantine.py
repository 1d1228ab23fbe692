"""`dativo quarantine`: the inbox of rows that were set aside. See them, correct them, send them the same way again.

`list` counts them by run, `groups` by cause, `show` shows rows. `fix` sets columns by SQL over the original values;
`export` and `import` do it by a CSV sheet. `mark` says that somebody has looked, `discard` that rows are not wanted.
`replay` publishes what is open, fixed or not, through the job's own contract and checks; a row that fails again stays.
`expire` removes what is past its time or discarded. The original values are never overwritten.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from dativo_provider.cli import context
from dativo_provider.errors import ConfigurationError
from dativo_provider.vocabulary import EntryStatus, ExitCode

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.inbox import Acted, Selection
    from dativo_provider.model.job import JobSpec
    from dativo_provider.pipeline.inbox import Box

SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=tuple(_ACTIONS), help="what to do")
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the job's YAML")
    parser.add_argument("--stream", default="", metavar="S", help="this stream only; needed where a job has several")
    parser.add_argument(
        "--status", choices=(*get_args(EntryStatus), "all"), help="rows of this status (default: the open ones)"
    )
    parser.add_argument("--run", default="", metavar="ID", help="rows that this run set aside")
    parser.add_argument("--check", default="", metavar="ID", help="rows that broke this rule, as `groups` names it")
    parser.add_argument("--row", action="append", default=[], metavar="ID", help="this row (again for more)")
    parser.add_argument("--where", default="", metavar="SQL", help="rows whose original values fulfil it")
    parser.add_argument(
        "--limit", type=natural, metavar="N", help=f"at most N rows; show: {SHOWN} (0: all), replay: all"
    )
    parser.add_argument("--set", action="append", default=[], metavar="C=SQL", help="fix: column = expression")
    parser.add_argument("--file", type=Path, metavar="P", help="export, import: the CSV sheet")
    parser.add_argument("--note", default="", metavar="TEXT", help="why; `discard` needs it")
    parser.add_argument("--by", default="", metavar="WHO", help="who does it (default: the user of this machine)")
    parser.add_argument("--skip-check", action="append", default=[], metavar="ID", help="replay: without this check")
    parser.add_argument("--overwrite", action="store_true", help="replay: merge, although the table's row may be newer")
    parser.add_argument("--json", action="store_true", help="the answer as JSON")
    context.add_arguments(parser)


def natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of rows")
    return int(text)


def run(args: argparse.Namespace) -> int:
    job = context.load_job(args.config, args)
    ctx = context.run_context(args, job)
    return int(_ACTIONS[args.action](job, args, ctx))


def selection(args: argparse.Namespace) -> Selection:
    from dativo_provider.model.inbox import OPEN, Selection

    statuses = {None: OPEN, "all": ()}.get(args.status, (args.status,))
    return Selection(statuses, args.run, args.check, tuple(args.row), args.where)


def who(args: argparse.Namespace) -> str:
    from getpass import getuser

    return args.by or getuser()


def box_of(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> Box:
    from dativo_provider.pipeline.inbox import open_box
    from dativo_provider.pipeline.state import chosen_one

    return open_box(job, chosen_one(job, args.stream).name, ctx)


def sheet_of(args: argparse.Namespace) -> Path:
    if args.file is None:
        raise ConfigurationError(f"{args.action} needs a file", remedy="name it: --file rows.csv")
    path: Path = args.file
    return path


# -- looking -------------------------------------------------------------------------------------------------


def summarise(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from dativo_provider.cli.quarantine_view import show_summaries
    from dativo_provider.pipeline.inbox import summaries

    return show_summaries(summaries(job, ctx, args.stream), as_json=args.json)


def group(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from dativo_provider.cli.quarantine_view import show_causes
    from dativo_provider.pipeline.inbox import causes

    if args.where:
        raise ConfigurationError("groups counts without reading values", remedy="use `show` with --where")
    return show_causes(causes(job, ctx, args.stream, selection(args)), as_json=args.json)


def show(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from dativo_provider.cli.quarantine_view import show_entries
    from dativo_provider.pipeline.inbox import entries

    limit = SHOWN if args.limit is None else args.limit
    return show_entries(entries(box_of(job, args, ctx), selection(args)), limit, as_json=args.json)


def export(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from dativo_provider.cli.output import counted, say
    from dativo_provider.pipeline.inbox.sheet import export as write

    path = sheet_of(args)
    rows = write(box_of(job, args, ctx), selection(args), path)
    if not args.quiet:
        say(f"{counted(rows, 'row')} in {path}: change cells, then import it; empty cells are NULL")
    return ExitCode.OK


# -- acting --------------------------------------------------------------------------------------------------


def take(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from dativo_provider.pipeline.inbox.sheet import take as read

    return told(read(box_of(job, args, ctx), sheet_of(args), who(args), args.note), "corrected", args)


def fix(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from dativo_provider.pipeline.inbox.actions import assignments
    from dativo_provider.pipeline.inbox.actions import fix as correct

    sets = assignments(args.set)
    return told(correct(box_of(job, args, ctx), selection(args), sets, who(args), args.note), "corrected", args)


def mark(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from dativo_provider.pipeline.inbox.actions import mark as review

    return told(review(box_of(job, args, ctx), selection(args), who(args), args.note), "marked reviewed", args)


def discard(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from dativo_provider.pipeline.inbox.actions import discard as drop

    return told(drop(box_of(job, args, ctx), selection(args), who(args), args.note), "discarded", args)


def told(acted: Acted, verb: str, args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import counted, print_json, say

    if args.json:
        print_json(asdict(acted))
    elif not args.quiet:
        say(f"{counted(acted.rows, 'row')} {verb}{skipped(acted.skipped)}")
    return ExitCode.OK


def skipped(reasons: Mapping[str, int]) -> str:
    from dativo_provider.cli.output import counted

    return "".join(f"; {counted(count, 'row')} left as they are: {why}" for why, count in reasons.items() if count)


def replay(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from contextlib import closing

    from dativo_provider.cli.quarantine_view import show_replayed
    from dativo_provider.cli.signals import cancelling
    from dativo_provider.pipeline.inbox.replay import replay as send

    box = box_of(job, args, ctx)
    with closing(ctx.kept), cancelling(ctx):
        done = send(
            box, selection(args), who(args),
            skip_checks=args.skip_check, overwrite=args.overwrite, limit=args.limit or 0,
        )  # fmt: skip
    return show_replayed(job, done, as_json=args.json, quiet=args.quiet)


def expire(job: JobSpec, args: argparse.Namespace, ctx: RunContext) -> int:
    from dativo_provider.cli.output import counted, print_json, say
    from dativo_provider.pipeline.inbox.expire import expire as remove

    found = remove(job, ctx, args.stream)
    if args.json:
        print_json([asdict(each) for each in found])
    elif not args.quiet:
        for each in found:
            say(f"{each.stream}: {counted(each.rows, 'row')} removed, {counted(each.lines, 'note')} about them")
    return ExitCode.OK


_ACTIONS: Mapping[str, Callable[[JobSpec, argparse.Namespace, RunContext], int]] = {
    "list": summarise, "groups": group, "show": show, "fix": fix, "export": export, "import": take, "mark": mark,
    "discard": discard, "replay": replay, "expire": expire,
}  # fmt: skip
