"""The report of a run for a person: where every row ended, the checks, the table, a few rows, what to do next."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.cli.outcome import Outcome
from dativo_provider.cli.output import console, counted, table, value_text
from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["print_outcome", "sum_line"]

HEADLINES = {
    "published": "published",
    "nothing_new": "nothing new since the last run",
    "dry_run": "dry run: nothing was published",
    "blocked": "blocked: nothing was published",
    "failed": "failed",
    "cancelled": "cancelled: nothing was published",
    "running": "still running, or killed",
    "awaiting_approval": "waits on its branch: dativo approve or reject",
    "rejected": "rejected: nothing was published",
    "state_changed": "the cursor was set by hand",
    "rolled_back": "the table was rolled back",
}
FATES = {
    "accepted": "in the table",
    "quarantined": "broke a rule of the contract; kept with the reasons",
    "rejected": "could not be made into a row; raw text kept",
    "duplicates": "delivered before: same key, same cursor",
    "filtered": "left out by the job's own filter",
}
VERDICTS = {
    "pass": "every check passed",
    "warn": "published; what failed only warns",
    "quarantine": "published without the rows that broke a rule",
    "block": "nothing was published",
}
# Where a dry run would have said otherwise.
WOULD_BE = {
    "accepted": "would be in the table",
    "quarantined": "broke a rule of the contract; would be kept with the reasons",
    "rejected": "could not be made into a row; raw text would be kept",
    "warn": "would be published; what failed only warns",
    "quarantine": "would be published without the rows that broke a rule",
    "block": "nothing would be published",
}


def print_outcome(outcome: Outcome) -> None:
    out = console()
    for part in _parts(outcome, out.width):
        out.print(part)


def _parts(outcome: Outcome, width: int) -> Iterator[RenderableType]:
    yield f"\n[bold]{outcome.tenant}.{outcome.job}[/] · {outcome.stream} · {_headline(outcome)}"
    yield from (f"  note: {_plain(note)}" for note in outcome.notes)
    if outcome.error and outcome.status != "blocked":
        yield from _error(outcome.error)
    if outcome.books.extracted:
        yield _rows(outcome)
        yield f"  {sum_line(outcome.books)}"
    yield from _verdict(outcome)
    yield from _checks(outcome.checks)
    if outcome.samples:
        yield ""
        yield _samples(outcome, width)
    yield from _places(outcome)
    yield from _next(outcome)


def _plain(text: str) -> str:
    """Text from elsewhere; square brackets in it are no markup."""
    from rich.markup import escape

    return escape(text)


def _headline(outcome: Outcome) -> str:
    colour = {0: "green", 1: "yellow", 2: "red"}[int(outcome.exit_code)]
    took = f" · {outcome.seconds:.1f} s" if outcome.seconds else ""
    return f"[{colour}]{HEADLINES.get(outcome.status, outcome.status)}[/]{took}"


def _error(error: Mapping[str, Any]) -> Iterator[str]:
    place = f"{error['where']}: " if error.get("where") else ""
    yield f"  [red]{_plain(place + str(error.get('message') or error.get('error_type', '')))}[/]"
    if error.get("remedy"):
        yield f"  → {_plain(error['remedy'])}"


def _verdict(outcome: Outcome) -> Iterator[str]:
    """Its sentences where they decide; else the table of checks says the same with less words."""
    verdict = outcome.verdict
    if verdict is None or not verdict.reasons:
        return
    yield f"\nverdict: {verdict.decision} ({_words(VERDICTS, outcome)[verdict.decision]})"
    telling = verdict.fails_after or (verdict.reasons if not verdict.publishes else ())
    yield from (f"  · {_plain(reason)}" for reason in telling)


def _rows(outcome: Outcome) -> RenderableType:
    books = outcome.books
    rows: list[tuple[str, int, str]] = [("extracted", books.extracted, "read from the source")]
    for fate, meaning in _words(FATES, outcome).items():
        count = getattr(books, fate)
        if count or fate in ("accepted", "quarantined", "rejected", "duplicates"):
            rows.append((f"  {fate}", count, meaning))
    return table(("rows", "count", ""), rows, right=("count",))


def _words(words: Mapping[str, str], outcome: Outcome) -> Mapping[str, str]:
    return {word: WOULD_BE.get(word, said) for word, said in words.items()} if outcome.status == "dry_run" else words


def sum_line(books: Books) -> str:
    """`100 = 90 accepted + 8 quarantined + …`, and whether it is so."""
    parts = {fate: getattr(books, fate) for fate in FATES}
    ended = sum(parts.values())
    shown = " + ".join(f"{count:,} {fate}" for fate, count in parts.items() if count) or "0"
    holds = "the books balance" if ended == books.extracted else f"{books.extracted - ended:,} rows are unaccounted for"
    return f"{books.extracted:,} extracted = {shown}: {holds}"


def _checks(results: Sequence[CheckResult]) -> Iterator[RenderableType]:
    """A line for each check that did not simply pass; the others by name."""
    passed = [result for result in results if result.outcome == "passed" and not result.failed]
    others = sorted((result for result in results if result not in passed), key=lambda result: -result.failed)
    if others:
        yield ""
        rows = [(r.name, r.outcome, r.failed, r.evaluated, r.on_violation, r.evaluated_by) for r in others]
        headers = ("check", "outcome", "failed", "of", "on violation", "evaluated by")
        yield table(headers, rows, title="checks", right=("failed", "of"))
    if passed:
        yield f"[green]{counted(len(passed), 'check')} passed[/]: {_plain(', '.join(result.name for result in passed))}"


def _samples(outcome: Outcome, width: int) -> RenderableType:
    names = [name for name in outcome.samples[0] if not name.startswith("_dativo_")]
    rows = [[_cell(row[name]) for name in names] for row in outcome.samples]
    shown = _fitting(names, rows, width)
    more = len(names) - shown
    title = counted(len(rows), "row") + (f" (and {counted(more, 'more column')})" if more else "")
    return table(names[:shown], (row[:shown] for row in rows), title=title, one_line=True)


def _fitting(names: Sequence[str], rows: Sequence[Sequence[Any]], width: int) -> int:
    """How many of the first columns a screen can show uncut; at least one."""
    used = 0
    for at, name in enumerate(names):
        used += 3 + max(len(value_text(value)) for value in (name, *(row[at] for row in rows)))
        if used > width:
            return max(at, 1)
    return len(names)


def _cell(value: Any) -> Any:
    """Ids are no amounts: numbers of rows are shown as they are."""
    if isinstance(value, list | dict):
        return json.dumps(value, default=str)
    return value if value is None else str(value)


def _places(outcome: Outcome) -> Iterator[str]:
    facts = {
        "run": outcome.plan_id,
        "contract": outcome.contract,
        "table": outcome.table,
        "snapshot": outcome.snapshot_id,
        "files": outcome.location if outcome.status != "dry_run" else "",
        "metadata": outcome.metadata_location,
    }
    if any(facts.values()):
        yield ""
    yield from (f"{name:<10}{_plain(str(value))}" for name, value in facts.items() if value)


def _next(outcome: Outcome) -> Iterator[str]:
    steps = list(_steps(outcome))
    if steps:
        yield "\nwhat next"
        yield from (f"  {_plain(step)}" for step in steps)


def _accepting(outcome: Outcome, job: str) -> Iterator[str]:
    from dativo_provider.quality.metrics.measured import leaves_its_history

    if outcome.verdict and leaves_its_history(outcome.verdict):
        said = f"dativo quality accept --config {job} --stream {outcome.stream} --reason '…'"
        yield f"if this is normal from now on: {said}, then run again"


def _steps(outcome: Outcome) -> Iterator[str]:
    job = outcome.config or "JOB.yaml"
    name = outcome.table.rpartition(".")[2] or outcome.stream
    if outcome.status == "blocked":
        yield f"dativo query --config {job} --run {outcome.plan_id} 'SELECT * FROM {name}_quarantine LIMIT 10'"
        yield from _accepting(outcome, job)
    elif outcome.status == "dry_run":
        yield f"dativo run --config {job}"
    elif outcome.first and outcome.status == "nothing_new":
        yield f"no row was ever read; is the source right?  dativo check --config {job}"
    elif outcome.status in ("published", "nothing_new"):
        yield f"dativo query --config {job} 'SELECT count(*) FROM {name}'"
        if outcome.books.left_out:
            yield f"dativo query --config {job} 'SELECT reasons, count(*) FROM {name}_quarantine GROUP BY ALL'"
