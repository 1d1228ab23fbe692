"""How `dativo quarantine` shows the inbox."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from dativo_provider.cli.output import console, counted, print_json, say, table
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    from dativo_provider.model.inbox import Cause, Entry, InboxSummary
    from dativo_provider.model.job import JobSpec
    from dativo_provider.pipeline.inbox.replay import Replayed

__all__ = ["show_causes", "show_entries", "show_replayed", "show_summaries"]

NOTHING = "the inbox is empty"
COUNTS = ("quarantined", "reviewed", "replayed", "deleted", "superseded")


def show_summaries(found: Sequence[InboxSummary], *, as_json: bool) -> int:
    headers = ("stream", "run", "set aside (UTC)", "contract", *COUNTS, "expires")
    rows = [(*_begin(each), *(getattr(each, name) for name in COUNTS), each.expires_at[:10]) for each in found]
    return _shown(found, headers, rows, COUNTS, as_json=as_json)


def _begin(each: InboxSummary) -> tuple[str, ...]:
    return each.stream, each.run, each.quarantined_at[:19], each.contract_version


def show_causes(found: Sequence[Cause], *, as_json: bool) -> int:
    headers = ("stream", "cause", "rows", "runs", "first seen (UTC)", "last seen (UTC)")
    rows = [(c.stream, c.reason, c.rows, c.runs, c.first_seen[:19], c.last_seen[:19]) for c in found]
    return _shown(found, headers, rows, ("rows", "runs"), as_json=as_json)


def _shown(
    found: Sequence[Any], headers: Sequence[str], rows: Sequence[Sequence[Any]], right: Sequence[str], *, as_json: bool
) -> int:
    if as_json:
        print_json([asdict(each) for each in found])
    elif rows:
        console().print(table(headers, rows, right=right))
    else:
        say(NOTHING)
    return ExitCode.OK


def show_entries(found: Iterator[Entry], limit: int, *, as_json: bool) -> int:
    """`limit` 0: all."""
    shown = list(islice(found, limit or None))
    more = next(found, None) is not None
    if as_json:
        print_json([asdict(each) for each in shown])
        return ExitCode.OK
    headers = ("row", "source", "status", "why", "values")
    console().print(table(headers, map(_line, shown))) if shown else say(NOTHING)
    if more:
        say(f"the first {limit} rows; --limit 0 shows all")
    return ExitCode.OK


def _line(entry: Entry) -> tuple[str, ...]:
    status = f"{entry.status} by {entry.reviewed_by}" if entry.reviewed_by else entry.status
    return entry.row_id[:12], entry.source_reference, status, ", ".join(entry.reasons), _values(entry)


def _values(entry: Entry) -> str:
    """What was there, and `before → after` where somebody has set another value."""
    if entry.original is None:
        return entry.raw + (f" → {json.dumps(dict(entry.fix), ensure_ascii=False)}" if entry.fix else "")
    names = dict.fromkeys([*entry.original, *entry.fix])
    return ", ".join(f"{name}={_value(entry, name)}" for name in names)


def _value(entry: Entry, name: str) -> str:
    before = _text((entry.original or {}).get(name))
    return f"{before} → {_text(entry.fix[name])}" if name in entry.fix else before


def _text(value: Any) -> str:
    return "NULL" if value is None else str(value)


def show_replayed(job: JobSpec, done: Replayed, *, as_json: bool, quiet: bool) -> int:
    from dativo_provider.cli import render
    from dativo_provider.cli.outcome import of_report

    outcome = of_report(job, done.report) if done.report else None
    if as_json:
        told = outcome.to_dict() if outcome else None
        print_json({"chosen": done.chosen, "skipped": done.skipped, "run": told})
    elif outcome and (not quiet or outcome.exit_code):
        render.print_outcome(outcome)
    if not as_json and not quiet:
        for why, count in done.skipped.items():
            say(f"{counted(count, 'row')} left as they are: {why}")
        if outcome is None:
            say("nothing to replay")
    return int(outcome.exit_code) if outcome else ExitCode.OK
