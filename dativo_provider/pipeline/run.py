"""run: every step of every stream of a job, in this process and in order."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dativo_provider.errors import ContractViolation, DativoError, InternalError
from dativo_provider.model.books import Books
from dativo_provider.model.checks import Verdict
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.run import Plan, Published, RunRequest
from dativo_provider.pipeline import records
from dativo_provider.pipeline.audit import audit, final_manifests
from dativo_provider.pipeline.plan import plan
from dativo_provider.pipeline.publish import commit, fail_if_stale
from dativo_provider.pipeline.side_by_side import extract_all
from dativo_provider.pipeline.sync import sync
from dativo_provider.pipeline.transform import transform
from dativo_provider.pipeline.workplace import open_run
from dativo_provider.vocabulary import ExitCode

__all__ = ["RunReport", "StreamReport", "run"]


@dataclass
class StreamReport:
    """What one stream's run came to, for a person and for `--json`. `samples` are rows of a dry run."""

    stream: str
    plan: Plan | None = None
    books: Books = field(default_factory=Books)
    verdict: Verdict | None = None
    published: Published | None = None
    error: DativoError | None = None
    samples: Sequence[Mapping[str, Any]] = ()
    seconds: float = 0.0
    notes: tuple[str, ...] = ()  # of the readers

    @property
    def exit_code(self) -> ExitCode:
        if self.error is not None:
            return ExitCode.FAILED
        return ExitCode.PARTIAL if self.books.left_out else ExitCode.OK


@dataclass
class RunReport:
    job: JobSpec
    streams: list[StreamReport] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        return max((stream.exit_code for stream in self.streams), default=ExitCode.OK)


def run(job: JobSpec, ctx: RunContext, request: RunRequest | None = None) -> RunReport:
    """A stream that fails does not stop the others; its error is in the report. `Cancelled` ends all."""
    request = request or RunRequest()
    report = RunReport(job)
    for spec in job.streams:
        ctx.check_cancelled()
        report.streams.append(_stream(job, spec.name, ctx, request))
    return report


def _stream(job: JobSpec, stream: str, ctx: RunContext, request: RunRequest) -> StreamReport:
    report, started = StreamReport(stream), time.monotonic()
    try:
        _steps(report, job, ctx, request)
    except Exception as problem:
        report.error = error = problem if isinstance(problem, DativoError) else _bug(problem, job, ctx)
        if report.plan is not None and not isinstance(error, ContractViolation):
            records.failed(report.plan, error, ctx)
    finally:
        if request.dry_run and report.plan is not None:
            shutil.rmtree(Path(report.plan.folder.removeprefix("file://")).parent, ignore_errors=True)
    report.seconds = time.monotonic() - started
    return report


def _bug(problem: Exception, job: JobSpec, ctx: RunContext) -> InternalError:
    """Says where, not what: the texts of libraries may quote values of rows."""
    ctx.log.debug("unexpected", exc_info=problem)
    last = traceback.extract_tb(problem.__traceback__)[-1]
    return InternalError(
        f"{type(problem).__name__} in {Path(last.filename).name}:{last.lineno} ({last.name})",
        where=job.path or job.dag_id,
        remedy="this is a bug in Dativo: please report it with the output of the same command and --verbose",
    )


def _steps(report: StreamReport, job: JobSpec, ctx: RunContext, request: RunRequest) -> None:
    report.plan = made = plan(job, report.stream, ctx, request)
    extract_all(made, ctx)
    transform(made.path, ctx)
    try:
        audit(made.path, ctx)
    finally:
        _judge(report, made, ctx)
    report.published = commit(made.path, ctx)
    if report.published.outcome == "waiting":
        return  # whoever approves it also tells of it
    if not request.dry_run:
        sync(made.path, ctx)
    fail_if_stale(made.path, ctx)


def _judge(report: StreamReport, made: Plan, ctx: RunContext) -> None:
    folder, _plan, target = open_run(made.path, ctx)
    manifests = final_manifests(folder, made)
    report.books, report.verdict = records.total_books(manifests), folder.verdict()
    report.notes = records.notes_of(manifests)
    if made.request.dry_run:
        files = [file for manifest in manifests for file in manifest.files]
        report.samples = _samples(target, made, files)


def _samples(target: Any, made: Plan, files: Sequence[Any], most: int = 5) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for batch in target.read_staged(made, files):
        rows.extend(batch.slice(0, most - len(rows)).to_pylist())
        if len(rows) >= most:
            break
    return rows
