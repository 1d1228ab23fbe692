"""One run as one HTML file that opens offline: verdict, score, what failed, drift, and the score of the runs before.

Nothing in it is a row's value: reports are mailed around.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from html import escape

from dativo_provider.model.checks import CheckResult
from dativo_provider.model.run import RunRecord
from dativo_provider.quality.drift import drift_report
from dativo_provider.quality.score import GOAL, Score, Scorecard

__all__ = ["page"]

_WIDTH, _HEIGHT = 640, 120
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}
td.n,th.n{text-align:right}.failed,.error,.block{color:#b42318}.passed,.pass{color:#1a7f37}
.not_evaluated,.warn,.quarantine{color:#9a6700}h1{font-size:1.4rem}h2{font-size:1.1rem}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}th,td{border-color:#30363d}}
"""
_ORDER = ("failed", "error", "not_evaluated", "passed", "skipped")


def page(
    run: RunRecord,
    results: Sequence[CheckResult],
    card: Scorecard,
    trend: Sequence[tuple[str, float]],
    hidden: Collection[str] = (),
) -> str:
    """`trend` are (ISO time, score), oldest first, this run's among them. Of checks in `hidden`, by id, only counts are
    shown: messages of user code or of another engine may quote a value."""
    title = f"{run.tenant}.{run.job} · {run.stream} · {run.plan_id}"
    parts = [
        f"<h1>{escape(title)}</h1>", *_facts(run), *_reasons(run, results, hidden), *_score(card), *_trend(trend),
        *_checks(results, hidden), *_drift(run),
    ]  # fmt: skip
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def _facts(run: RunRecord) -> Iterator[str]:
    decision, books = run.verdict.decision if run.verdict else "", run.books
    facts = {
        "Status": run.status,
        "Verdict": decision,
        "Table": run.table,
        "Snapshot": str(run.snapshot_id or "none: nothing was published"),
        "Contract": run.contract_version,
        "Started": run.started_at,
        "Finished": run.finished_at,
        "Rows": f"{books.extracted:,} read = {books.accepted:,} accepted + {books.quarantined:,} quarantined"
        f" + {books.rejected:,} rejected + {books.duplicates:,} duplicates + {books.filtered:,} filtered",
    }
    yield _table((), ((escape(name), escape(value)) for name, value in facts.items() if value))


def _reasons(run: RunRecord, results: Sequence[CheckResult], hidden: Collection[str]) -> Iterator[str]:
    """Those that repeat a message which is not shown are left out: the table of checks says what failed."""
    if not run.verdict:
        return
    kept = [result.message for result in results if result.message and result.check_id in hidden]
    for reason in run.verdict.reasons:
        if not any(message in reason for message in kept):
            yield f"<p class={run.verdict.decision}>{escape(reason)}</p>"


def _score(card: Scorecard) -> Iterator[str]:
    total = card.total
    value = "none: no check was evaluated" if total.value is None else f"{total.value:g} of 100"
    goal = "reached" if total.reached else "not reached"
    yield f"<h2>Score: {value}</h2><p>Goal (above {GOAL:g}, everything declared evaluated): {goal}. "
    yield f"{total.coverage:.0%} of the declared checks were evaluated, "
    yield f"{card.columns_covered:.0%} of the columns have a check of their own.</p>"
    parts = [(f"dimension {name}", each) for name, each in card.dimensions.items()]
    parts += [(f"column {name}", each) for name, each in card.columns.items()]
    yield _table(("", "score", "coverage"), (_scored(name, each) for name, each in parts))
    if card.unchecked:
        yield f"<p>Nobody checks: {escape(', '.join(card.unchecked))}</p>"


def _scored(name: str, score: Score) -> tuple[str, str, str]:
    return escape(name), "–" if score.value is None else f"{score.value:g}", f"{score.coverage:.0%}"


def _trend(trend: Sequence[tuple[str, float]]) -> Iterator[str]:
    """An inline SVG line from 0 to 100, with the goal."""
    if len(trend) < 2:
        return
    step = _WIDTH / (len(trend) - 1)
    points = " ".join(f"{at * step:.1f},{_HEIGHT - value * _HEIGHT / 100:.1f}" for at, (_, value) in enumerate(trend))
    goal = _HEIGHT - GOAL * _HEIGHT / 100
    yield f"<h2>Score of the last {len(trend)} runs</h2>"
    yield f'<svg viewBox="0 -4 {_WIDTH} {_HEIGHT + 8}" role="img" aria-label="score by run">'
    yield f'<line x1="0" x2="{_WIDTH}" y1="{goal}" y2="{goal}" stroke="#9a6700" stroke-dasharray="4"/>'
    yield f'<polyline points="{points}" fill="none" stroke="#0969da" stroke-width="2"/></svg>'
    yield f"<p>{escape(trend[0][0][:10])} to {escape(trend[-1][0][:10])}; the dashed line is the goal.</p>"


def _checks(results: Sequence[CheckResult], hidden: Collection[str]) -> Iterator[str]:
    yield "<h2>Checks</h2>"
    rows = (
        (
            f"<span class={result.outcome}>{result.outcome}</span>",
            escape(result.name),
            escape(result.severity),
            f"{result.failed:,} of {result.evaluated:,}",
            escape(result.evaluated_by),
            "" if result.check_id in hidden else escape(result.message),
        )
        for result in sorted(results, key=lambda each: _ORDER.index(each.outcome))
    )
    yield _table(("outcome", "check", "severity", "rows that fail", "by", ""), rows)


def _drift(run: RunRecord) -> Iterator[str]:
    report = drift_report(run.drift)
    if not report.any:
        return
    yield "<h2>Schema: source against contract</h2>"
    rows = [("added", name, kind) for name, kind in report.added]
    rows += [("removed", name, kind) for name, kind in report.removed]
    rows += [("other type", name, f"{before} → {after}") for name, before, after in report.type_changes]
    yield _table(("", "column", "type"), (tuple(map(escape, row)) for row in rows))
    yield "<ul>" + "".join(f"<li>{escape(each)}</li>" for each in report.recommendations) + "</ul>"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "<tr>" + "".join(f"<th>{name}</th>" for name in headers) + "</tr>" if headers else ""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{head}{body}</table>"
