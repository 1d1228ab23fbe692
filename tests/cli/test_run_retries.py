from __future__ import annotations

from dataclasses import replace

import pytest

from dativo_provider.cli import run as verb
from dativo_provider.errors import (
    Cancelled,
    ConfigurationError,
    DataError,
    DativoError,
    RateLimited,
    SourceUnavailable,
)
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, JobSpec, RetrySpec, SourceSpec, StreamSpec, TargetSpec
from dativo_provider.model.run import RunRequest
from dativo_provider.model.settings import Settings
from dativo_provider.pipeline import run as pipeline
from dativo_provider.pipeline.run import RunReport, StreamReport
from tests.support import requirement

STREAMS = tuple(StreamSpec(name, name, name, ContractSpec(name)) for name in ("orders", "items"))
FAST = RetrySpec(max_retries=2, initial_delay_seconds=0, max_delay_seconds=0)
JOB = JobSpec("acme", "shop", "shop", SourceSpec("postgres"), TargetSpec(), STREAMS, retry=FAST)


class Steps:
    """Stands for the pipeline: errors to raise per stream, one list per attempt."""

    def __init__(self, *attempts: dict[str, DativoError]) -> None:
        self.attempts, self.ran = list(attempts), list[tuple[str, ...]]()

    def __call__(self, job: JobSpec, ctx: RunContext, request: RunRequest) -> RunReport:
        errors = self.attempts[len(self.ran)] if len(self.ran) < len(self.attempts) else {}
        self.ran.append(tuple(stream.name for stream in job.streams))
        return RunReport(job, [StreamReport(s.name, error=errors.get(s.name)) for s in job.streams])


def run(steps: Steps, monkeypatch: pytest.MonkeyPatch, job: JobSpec = JOB) -> RunReport:
    monkeypatch.setattr(pipeline, "run", steps)
    return verb.run_with_retries(job, RunContext(Settings("/nowhere")), RunRequest())


@requirement("ERR-06")
def test_only_the_stream_that_failed_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps({"items": SourceUnavailable("gone")})
    report = run(steps, monkeypatch)
    assert steps.ran == [("orders", "items"), ("items",)]
    assert report.exit_code == 0
    assert [stream.stream for stream in report.streams] == ["orders", "items"]


@requirement("ERR-06", "ERR-07")
def test_tries_end(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(*({"orders": SourceUnavailable("gone")} for _ in range(9)))
    assert run(steps, monkeypatch).exit_code == 2
    assert len(steps.ran) == 3


@requirement("ERR-06")
@pytest.mark.parametrize("error", [ConfigurationError("wrong"), DataError("bad")])
def test_what_a_retry_cannot_help_is_not_retried(error: DativoError, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps({"orders": error})
    run(steps, monkeypatch)
    assert len(steps.ran) == 1


@requirement("ERR-05")
def test_nobody_sleeps_until_a_quota_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps({"orders": RateLimited("the quota is used up", retry_after=20_000.0)})
    run(steps, monkeypatch)
    assert len(steps.ran) == 1


@requirement("ERR-07")
def test_patterns_of_the_job_may_ask_for_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps({"orders": DataError("Snapshot too OLD")})
    job = replace(JOB, retry=replace(FAST, retryable_error_patterns=("snapshot too old",)))
    run(steps, monkeypatch, job)
    assert len(steps.ran) == 2


@requirement("ERR-07")
def test_delays_grow_are_capped_and_respect_the_other_side() -> None:
    waited: list[float] = []

    class Clock:
        def wait(self, seconds: float) -> None:
            waited.append(seconds)

        def is_set(self) -> bool:
            return False

    ctx = RunContext(Settings("/nowhere"), cancelled=Clock())  # type: ignore[arg-type]
    job = replace(JOB, retry=RetrySpec(5, initial_delay_seconds=5, max_delay_seconds=30, backoff_multiplier=3))
    failed = [StreamReport("orders", error=SourceUnavailable("gone"))]
    for attempt in (1, 2, 3):
        verb.wait(job, ctx, failed, attempt)
    verb.wait(job, ctx, [StreamReport("orders", error=RateLimited("slow", retry_after=90.0))], 1)
    assert waited == [5, 15, 30, 90]


def test_a_cancelled_run_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = RunContext(Settings("/nowhere"))
    ctx.cancel()
    with pytest.raises(Cancelled):
        verb.wait(replace(JOB, retry=RetrySpec()), ctx, [StreamReport("orders", error=SourceUnavailable("x"))], 1)
