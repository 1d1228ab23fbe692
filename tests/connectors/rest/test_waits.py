"""Where a rule says that an answer tells when to ask again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dativo_provider.connectors.rest.answers import error_of
from dativo_provider.connectors.rest.spec import ErrorRule
from tests.support import requirement

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@requirement("ERR-02")
@pytest.mark.parametrize(
    ("wait", "headers", "body", "seconds"),
    [
        (60, {}, {}, 60),
        ("2m", {}, {}, 120),
        (60, {"retry-after": "5"}, {}, 5),
        ({"header": "x-wait-ms", "form": "milliseconds"}, {"x-wait-ms": "2500"}, {}, 2.5),
        ({"header": "retry-after", "form": "milliseconds"}, {"retry-after": "10000"}, {}, 10),
        ({"path": "error.until", "form": "epoch"}, {}, {"error": {"until": int(NOW.timestamp()) + 30}}, 30),
        ({"path": "error.until", "form": "epoch_ms"}, {}, {"error": {"until": str(NOW.timestamp() * 1000)}}, 0),
        ({"path": "until", "form": "iso"}, {"retry-after": "5"}, {"until": "2026-03-01T12:00:40Z"}, 40),
        ({"path": "until", "form": "iso"}, {}, {"until": "2026-03-01T11:00:00Z"}, 0),
        ({"path": "until", "form": "iso", "otherwise": 7}, {}, {"until": "soon"}, 7),
        ({"path": "wait"}, {}, {"wait": "NaN"}, None),
        ({"path": "wait"}, {}, {"wait": -3}, 0),
    ],
)
def test_the_wait_stands_where_the_rule_says(wait: Any, headers: dict[str, str], body: Any, seconds: float) -> None:
    rule = ErrorRule(status=[429], means="rate_limited", wait=wait)
    error = error_of(rule, 429, body, headers, "https://example.com", NOW)
    assert error.details["retry_after"] == seconds
