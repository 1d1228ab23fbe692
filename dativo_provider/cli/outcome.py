"""One stream's run in the form the CLI shows it, whether it just ended here or is remembered by the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ContractViolation
from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, Verdict
from dativo_provider.model.run import Plan, RunRecord
from dativo_provider.model.schema import sentences
from dativo_provider.vocabulary import ExitCode, RunStatus

if TYPE_CHECKING:
    from dativo_provider.model.job import JobSpec
    from dativo_provider.pipeline.run import StreamReport

HIDDEN = "•••"

__all__ = ["Outcome", "of_record", "of_report"]


@dataclass(frozen=True)
class Outcome:
    tenant: str
    job: str
    stream: str
    status: RunStatus | str
    plan_id: str = ""
    books: Books = field(default_factory=Books)
    verdict: Verdict | None = None
    error: Mapping[str, Any] = field(default_factory=dict)
    table: str = ""
    quarantine_table: str = ""
    location: str = ""
    metadata_location: str = ""
    snapshot_id: int | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    config: str = ""
    contract: str = ""
    first: bool = False  # nothing was published to this stream's table before
    samples: Sequence[Mapping[str, Any]] = ()

    @property
    def checks(self) -> tuple[CheckResult, ...]:
        return self.verdict.results if self.verdict else ()

    @property
    def exit_code(self) -> ExitCode:
        if self.status in ("failed", "blocked", "cancelled"):
            return ExitCode.FAILED
        return ExitCode.PARTIAL if self.books.left_out else ExitCode.OK

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; `samples` stay out of it unless there are any (a dry run was asked for them)."""
        facts = asdict(self) | {"exit_code": int(self.exit_code)}
        if self.verdict:
            facts["verdict"]["counts"] = self.verdict.counts
        if not self.samples:
            facts.pop("samples")
        return facts


def of_report(job: JobSpec, report: StreamReport, samples: Sequence[Mapping[str, Any]] = ()) -> Outcome:
    plan, published = report.plan, report.published
    return Outcome(
        tenant=job.tenant,
        job=job.name,
        stream=report.stream,
        status=_status(report),
        books=report.books,
        verdict=report.verdict,
        error=report.error.to_dict() if report.error else {},
        snapshot_id=published.snapshot_id if published else None,
        metadata_location=published.metadata_location if published else "",
        seconds=report.seconds,
        config=_near(job.path),
        samples=_shown(samples or report.samples, plan),
        **_noted(_of_plan(plan), report.notes),
    )


def _status(report: StreamReport) -> str:
    if isinstance(report.error, ContractViolation):
        return "blocked"
    if report.error:
        return "cancelled" if report.error.code == "CANCELLED" else "failed"
    if report.published and report.published.outcome == "dry_run":
        return "dry_run"
    if report.published and report.published.outcome == "waiting":
        return "awaiting_approval"
    return "published" if report.books.extracted else "nothing_new"


def of_record(record: RunRecord, plan: Plan | None, samples: Sequence[Mapping[str, Any]] = ()) -> Outcome:
    """`plan` is None where the run's folder is gone or was never written."""
    facts = _noted(_of_plan(plan), record.window.notes) | {"plan_id": record.plan_id, "table": record.table}
    return Outcome(
        tenant=record.tenant,
        job=record.job,
        stream=record.stream,
        status=record.status,
        books=record.books,
        verdict=record.verdict,
        error=record.error,
        snapshot_id=record.snapshot_id,
        config=_near(plan.job.path) if plan else "",
        samples=_shown(samples, plan),
        seconds=_seconds(record),
        **facts,
    )


def _near(path: str) -> str:
    """As one would type it from here."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _shown(rows: Sequence[Mapping[str, Any]], plan: Plan | None) -> Sequence[Mapping[str, Any]]:
    """Reports end up in logs of CI: what the contract classifies as personal is not in them."""
    if plan is None:
        return rows
    from dativo_provider.lake.personal import personal_columns

    hidden = personal_columns(plan.fields)
    return [
        {name: HIDDEN if name in hidden and value is not None else value for name, value in row.items()} for row in rows
    ]


def _of_plan(plan: Plan | None) -> dict[str, Any]:
    if plan is None:
        return {}
    contract = plan.spec.contract
    return {
        "plan_id": plan.plan_id,
        "table": plan.table,
        "quarantine_table": plan.quarantine_table,
        "location": plan.table_location,
        "notes": (*plan.window.notes, *_of_schema(plan)),
        "first": plan.base.seq == 0,
        "contract": f"{contract.name} {contract.version}" if contract.name else "",
    }


def _noted(facts: dict[str, Any], notes: Sequence[str]) -> dict[str, Any]:
    return facts | {"notes": tuple(dict.fromkeys((*facts.get("notes", ()), *notes)))}


def _of_schema(plan: Plan) -> Iterator[str]:
    would = "would " if plan.request.dry_run else ""
    yield from sentences(plan.drift)
    yield from (f"table: {would}{change}" for change in plan.table_changes)


def _seconds(record: RunRecord) -> float:
    from datetime import datetime

    if not record.finished_at:
        return 0.0
    return (datetime.fromisoformat(record.finished_at) - datetime.fromisoformat(record.started_at)).total_seconds()
