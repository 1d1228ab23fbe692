"""Retries chosen by the error tree: what may pass by itself is tried again, what a person must fix is not."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk import RetryDecision, RetryPolicy

from dativo_provider.errors import Cancelled, DativoError, RetryableError
from dativo_provider.model.job import RetrySpec

__all__ = ["ErrorTreePolicy", "retry_arguments"]

JITTER = 0.2  # so that a hundred jobs of one failing source do not all come back in the same second


class ErrorTreePolicy(RetryPolicy):  # type: ignore[misc]
    """Retries a `RetryableError` and whatever matches `retryable_error_patterns`; any other `DativoError`
    fails at once; the rest (a killed worker, a bug of a library) follows the task's own `retries`."""

    def __init__(self, spec: RetrySpec) -> None:
        self.spec = spec

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Mapping[str, Any] | None = None,
    ) -> RetryDecision:
        if isinstance(exception, Cancelled):
            return RetryDecision.fail("the run was cancelled")
        if isinstance(exception, RetryableError) or self._listed(exception):
            return RetryDecision.retry(self._delay(exception, try_number), f"{type(exception).__name__} may pass")
        if isinstance(exception, DativoError):
            return RetryDecision.fail(f"{type(exception).__name__} does not pass by waiting")
        return RetryDecision.default()

    def _listed(self, exception: BaseException) -> bool:
        text = f"{type(exception).__name__}: {exception}"
        return any(re.search(pattern, text, re.IGNORECASE) for pattern in self.spec.retryable_error_patterns)

    def _delay(self, exception: BaseException, try_number: int) -> timedelta:
        grown = self.spec.initial_delay_seconds * self.spec.backoff_multiplier ** (try_number - 1)
        seconds = min(grown, self.spec.max_delay_seconds) * random.uniform(1 - JITTER, 1 + JITTER)
        asked = getattr(exception, "retry_after", None) or 0
        return timedelta(seconds=max(seconds, asked))

    def serialize(self) -> dict[str, Any]:
        return asdict(self.spec)


def retry_arguments(spec: RetrySpec) -> dict[str, Any]:
    """Arguments of every task of a job: the policy, and the same delays for what it leaves to Airflow."""
    return {
        "retries": spec.max_retries,
        "retry_delay": timedelta(seconds=spec.initial_delay_seconds),
        "retry_exponential_backoff": spec.backoff_multiplier,
        "max_retry_delay": timedelta(seconds=spec.max_delay_seconds),
        "retry_policy": ErrorTreePolicy(spec),
    }
