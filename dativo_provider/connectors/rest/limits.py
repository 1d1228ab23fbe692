"""What a job's `rate_limits` says, over what the spec says."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pydantic import Field, ValidationError

from dativo_provider.config.shapes.base import Interval, Shape
from dativo_provider.connectors.base import RequestRetry
from dativo_provider.connectors.rest.spec import Api, Limit
from dativo_provider.errors import ConfigurationError

__all__ = ["VENDOR", "FullJitter", "RateLimits", "limits_of", "rate_limits"]

VENDOR = "vendor"  # name of a `default` that stays beside the job's own
_SLOWEST = 3600  # seconds for one request
_LONG = 3600  # seconds; who sets a pace does not mean limits of an hour or a day


@dataclass(frozen=True)
class FullJitter(RequestRetry):
    """A wait anywhere between nothing and the step, which doubles, so that tasks that failed together do not come back
    together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)."""

    def delay(self, attempt: int, asked: float | None) -> float:
        step: float = min(self.max_seconds, self.initial_seconds * 2 ** (attempt - 1))
        return (asked or 0.0) + random.uniform(0, step)


class Retry(Shape):
    """How often one request is made again, before the run's own retries begin."""

    max_retries: int = Field(default=4, ge=0, le=100, description="Times after the first.")
    backoff: str = Field(default="exponential", pattern="exponential", description="The only one there is.")
    max_backoff_seconds: float = Field(default=30, gt=0, description="Longest wait that is not the API's own wish.")
    budget_seconds: float = Field(default=300, gt=0, description="Of waiting, for one request.")


class RateLimits(Shape):
    """`source.rate_limits` of an API."""

    rps_default: float | None = Field(default=None, gt=0, description="Requests per second of this job.")
    burst_default: int | None = Field(default=None, description="Read, not used: bursts follow from the limit.")
    requests: int | None = Field(default=None, ge=1, description="Requests `per` so much time; over the spec's.")
    per: Interval = Field(default=1, description="Seconds, or `1m`, `1h`, `1d`.")
    shared_by: int = Field(
        default=1, ge=1, description="Users of the same account that Dativo cannot count, this one included."
    )
    retry: Retry = Field(default=Retry(), description="How often one request is made again.")

    def requests_retry(self) -> RequestRetry:
        retry = self.retry
        return FullJitter(
            attempts=retry.max_retries + 1, max_seconds=retry.max_backoff_seconds, budget_seconds=retry.budget_seconds
        )


def rate_limits(given: Mapping[str, Any]) -> RateLimits:
    """Raises `ConfigurationError`."""
    try:
        return RateLimits.model_validate(dict(given))
    except ValidationError as failed:
        error = failed.errors(include_url=False)[0]
        place = ".".join(str(part) for part in error["loc"])
        raise ConfigurationError(f"source.rate_limits.{place}: {error['msg']}", remedy="see docs/errors.md") from None


def limits_of(api: Api, given: RateLimits) -> dict[str, Limit]:
    """The API's limits by name. The job's own replaces the `default`, unless one counts by the hour or day and the
    other does not: then both are kept."""
    own, default = _own(given), api.limits.get("default")
    if own is None:
        return dict(api.limits)
    kept = {VENDOR: default} if default and (default.per >= _LONG) != (own.per >= _LONG) else {}
    return {**api.limits, **kept, "default": own}


def _own(given: RateLimits) -> Limit | None:
    if given.requests:
        return Limit(requests=given.requests, per=given.per)
    if given.rps_default:
        rate = Fraction(str(given.rps_default)).limit_denominator(_SLOWEST)
        return Limit(requests=max(1, rate.numerator), per=rate.denominator)
    return None
