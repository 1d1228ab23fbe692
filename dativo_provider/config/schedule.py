"""When a job runs, and what it does after a failure."""

from __future__ import annotations

from functools import partial

from dativo_provider.config.making import Making
from dativo_provider.model.job import RetrySpec, ScheduleSpec
from dativo_provider.vocabulary import ExitCode

__all__ = ["retry_spec", "schedule_spec"]


def schedule_spec(making: Making) -> ScheduleSpec:
    given = making.job.schedule
    error = partial(making.error, value=False)
    tags = {**making.tenant.tags}
    if given is None:
        return ScheduleSpec(tags=tags)
    named = [name for name in ("cron", "interval", "interval_seconds") if getattr(given, name)]
    if len(named) > 1:
        error(("schedule", named[1]), f"schedule has both {named[0]} and {named[1]}", "keep one of the two")
    return ScheduleSpec(
        cron=given.cron or "",
        interval_seconds=0 if given.cron else given.interval or given.interval_seconds or 0,
        enabled=given.enabled,
        timezone=given.timezone,
        max_concurrent_runs=given.max_concurrent_runs,
        tags={**tags, **given.tags},
    )


def retry_spec(making: Making) -> RetrySpec:
    """`max_attempts` counts the first try, `max_retries` does not."""
    given = making.job.retry_config
    if given is None:
        return RetrySpec()
    retries = given.max_retries if given.max_retries is not None else None
    attempts = given.max_attempts
    if retries is not None and attempts is not None and attempts not in (retries, retries + 1):
        making.error(
            ("retry_config", "max_attempts"), f"max_attempts {attempts} contradicts max_retries {retries}", "keep one"
        )
    delay = next((each for each in (given.initial_delay_seconds, given.retry_delay_seconds) if each is not None), 5.0)
    if given.retryable_exit_codes and ExitCode.FAILED not in given.retryable_exit_codes:
        return RetrySpec(max_retries=0)  # 1 is never repeated: its rows are published
    return RetrySpec(
        max_retries=retries if retries is not None else attempts - 1 if attempts is not None else 3,
        initial_delay_seconds=delay,
        max_delay_seconds=max(given.max_delay_seconds, delay),
        backoff_multiplier=given.backoff_multiplier,
        retryable_error_patterns=(*given.retryable_error_patterns, *given.retryable_errors),
    )
