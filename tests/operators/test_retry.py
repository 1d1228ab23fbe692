from __future__ import annotations

import json

import pytest
from airflow.sdk import RetryAction
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider import errors
from dativo_provider.model.job import RetrySpec
from dativo_provider.operators.retry import JITTER, ErrorTreePolicy, retry_arguments
from tests.support import requirement

POLICY = ErrorTreePolicy(RetrySpec(initial_delay_seconds=5, backoff_multiplier=2, max_delay_seconds=60))


@requirement("ORC-07", "ERR-06")
@pytest.mark.parametrize("kind", [errors.SourceUnavailable, errors.RateLimited, errors.StorageUnavailable])
def test_what_may_pass_by_itself_is_tried_again(kind):
    assert POLICY.evaluate(kind("away"), 1, 3).action is RetryAction.RETRY


@requirement("ORC-07", "ERR-06")
@pytest.mark.parametrize(
    "kind",
    [
        errors.ConfigurationError, errors.Unsupported, errors.CredentialError, errors.DataError,
        errors.ContractViolation, errors.Fenced, errors.Cancelled, errors.InternalError,
    ],
)  # fmt: skip
def test_what_a_person_must_fix_is_not(kind):
    assert POLICY.evaluate(kind("no"), 1, 3).action is RetryAction.FAIL


def test_an_error_from_elsewhere_is_left_to_airflow():
    assert POLICY.evaluate(MemoryError(), 1, 3).action is RetryAction.DEFAULT


@requirement("ORC-07", "ERR-07")
@given(st.integers(1, 40))
def test_the_delay_grows_to_its_cap(attempt):
    seconds = POLICY.evaluate(errors.SourceUnavailable("x"), attempt, 99).retry_delay.total_seconds()
    expected = min(5 * 2 ** (attempt - 1), 60)
    assert expected * (1 - JITTER) <= seconds <= expected * (1 + JITTER)


def test_the_source_may_ask_for_a_longer_wait():
    decision = POLICY.evaluate(errors.RateLimited("slow down", retry_after=900), 1, 3)
    assert decision.retry_delay.total_seconds() == 900


@requirement("ORC-07", "ERR-07")
def test_a_job_may_list_further_errors_to_retry():
    policy = ErrorTreePolicy(RetrySpec(retryable_error_patterns=("deadlock DETECTED",)))
    assert policy.evaluate(errors.DataError("Deadlock detected"), 1, 3).action is RetryAction.RETRY
    assert policy.evaluate(errors.DataError("bad"), 1, 3).action is RetryAction.FAIL
    assert policy.evaluate(errors.Cancelled("deadlock detected"), 1, 3).action is RetryAction.FAIL


def test_the_policy_can_be_serialized():
    assert json.loads(json.dumps(POLICY.serialize()))["max_delay_seconds"] == 60


@requirement("ORC-07")
def test_airflow_gets_the_same_numbers_for_what_the_policy_leaves_to_it():
    given_ = retry_arguments(RetrySpec(max_retries=2, initial_delay_seconds=1))
    assert given_["retries"] == 2
    assert given_["retry_delay"].total_seconds() == 1
    assert given_["retry_exponential_backoff"] == 2.0
