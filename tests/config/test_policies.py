"""policy.yaml: the root's, the tenant's, and what contracts and jobs say over them."""

from __future__ import annotations

import pytest

from dativo_provider.config.check import check_paths
from tests.config.support import JOB, Deployment
from tests.support import requirement

POLICY = "policy:\n  contract_enforcement: {enforcement}\n"


@requirement("DQ-18")
@pytest.mark.parametrize("path", ["policy.yaml", "configs/policy.yaml", "tenants/acme/policy.yml"])
def test_a_policy_holds_for_every_job_that_does_not_say_otherwise(deployment: Deployment, path: str) -> None:
    assert deployment.load().enforcement == "strict"
    deployment.write(path, POLICY.format(enforcement="warn"))
    assert deployment.load().enforcement == "warn"
    assert deployment.load(JOB + "data_contract: {enforcement_mode: disabled}\n").enforcement == "disabled"


@requirement("DQ-18")
def test_the_tenants_policy_goes_over_the_roots(deployment: Deployment) -> None:
    deployment.write("policy.yaml", POLICY.format(enforcement="disabled"))
    deployment.write("tenants/acme/policy.yaml", POLICY.format(enforcement="warn"))
    deployment.write("tenants/other/policy.yaml", POLICY.format(enforcement="strict"))
    assert deployment.load().enforcement == "warn"


@requirement("DQ-18")
def test_a_job_that_is_laxer_than_a_strict_policy_is_told(deployment: Deployment) -> None:
    deployment.write("policy.yaml", POLICY.format(enforcement="strict"))
    found = deployment.only_warning(JOB + "data_contract: {enforcement_mode: warn}\n")
    assert "policy.yaml says `strict`" in found.message


@requirement("DQ-04", "DQ-18")
def test_handling_is_merged_word_by_word_the_jobs_over_the_contracts_over_the_policys(deployment: Deployment) -> None:
    deployment.write(
        "policy.yaml",
        """\
        policy:
          violation_handling:
            on_error: warn
            by_severity: {warning: quarantine, error: block}
            by_dimension: {Timeliness: warn}
        """,
    )
    job = deployment.load(
        JOB + "data_contract:\n  violation_handling: {on_quality_violation: warn, on_not_evaluated: block}\n"
    )
    handling = job.streams[0].contract.handling
    assert handling.by_severity == {"warning": "quarantine", "error": "warn"}
    assert handling.by_dimension == {"timeliness": "warn"}
    assert (handling.on_error, handling.on_not_evaluated) == ("warn", "block")


@requirement("DQ-18")
def test_mistakes_in_a_policy_are_shown_where_they_are(deployment: Deployment) -> None:
    file = deployment.write("policy.yaml", POLICY.format(enforcement="stern"))
    (named,) = check_paths([file])
    assert (named.line, named.severity) == (2, "error")
    assert "contract_enforcement" in named.message
    assert any(problem.path.endswith("policy.yaml") for problem in deployment.problems())


def test_parts_of_a_policy_that_nothing_reads_are_named(deployment: Deployment) -> None:
    file = deployment.write("configs/policy.yaml", "policy: {retention_days: 30, pii_fields: [email]}\n")
    assert sorted(problem.message for problem in check_paths([file])) == [
        "'pii_fields' is not read", "'retention_days' is not read",
    ]  # fmt: skip
