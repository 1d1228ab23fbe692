"""`retry_config` in all its words, of this and of older versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.config import load_job
from dativo_provider.model.job import RetrySpec
from tests.support import requirement

JOB = """\
tenant_id: acme
source_connector: csv
target_connector: iceberg
source: {{path: "*.csv", object: orders}}
retry_config: {retry}
"""


@requirement("ERR-06", "ERR-07")
@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        ("{}", RetrySpec()),
        ("{max_retries: 2, initial_delay_seconds: 1, max_delay_seconds: 9, backoff_multiplier: 3}",
         RetrySpec(2, 1, 9, 3)),
        ("{max_attempts: 4, retry_delay_seconds: 7}", RetrySpec(3, 7)),
        ("{retryable_errors: [timeout], retryable_error_patterns: [dead]}",
         RetrySpec(retryable_error_patterns=("dead", "timeout"))),
        ("{retryable_exit_codes: [1, 2], max_retries: 1}", RetrySpec(1)),
        ("{retryable_exit_codes: [1], max_retries: 5}", RetrySpec(0)),
        ("{initial_delay_seconds: 900}", RetrySpec(initial_delay_seconds=900, max_delay_seconds=900)),
    ],
)  # fmt: skip
def test_retries_of_a_run_are_what_the_job_says(retry: str, expected: RetrySpec, tmp_path: Path) -> None:
    jobs = tmp_path / "tenants" / "acme" / "jobs"
    jobs.mkdir(parents=True)
    (jobs / "orders.yaml").write_text(JOB.format(retry=retry))
    assert load_job(jobs / "orders.yaml").retry == expected
