"""Targets without a catalog: where they write, and what they refuse."""

from __future__ import annotations

import pytest

from tests.config.support import JOB, Deployment
from tests.support import requirement

S3 = JOB + "target_connector: s3\n"
KEYS = "access_key_id: '${ACME_KEY}', secret_access_key: '${SECRET:STORE}'"


@requirement("CON-31")
@pytest.mark.parametrize("connector", ["s3", "minio"])
@pytest.mark.parametrize(
    ("connection", "root"),
    [
        (f"{{bucket: raw-zone, {KEYS}}}", "s3://raw-zone"),
        (f"{{bucket: raw-zone, prefix: /a/b/, {KEYS}}}", "s3://raw-zone/a/b"),
        (f"{{s3: {{bucket: raw-zone, prefix: a, {KEYS}}}}}", "s3://raw-zone/a"),
        (f"{{minio: {{endpoint: 'minio:9000', secure: false, bucket: raw-zone, {KEYS}}}}}", "s3://raw-zone"),
        (f"{{bucket: '${{ACME_BUCKET}}', {KEYS}}}", "s3://${ACME_BUCKET}"),
    ],
)
def test_a_bucket_in_every_spelling(deployment: Deployment, connector: str, connection: str, root: str) -> None:
    job = deployment.load(JOB + f"target_connector: {connector}\ntarget: {{connection: {connection}}}\n")
    assert (job.target.connector, job.target.warehouse, job.unsupported) == (connector, root, ())


@requirement("CON-31")
@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ("{bucket: raw-zone}", "'s3://raw-zone' lies outside the warehouses"),
        ("{bucket: '${ACME_BUCKET}'}", "a reference cannot name a warehouse"),
        (f"{{bucket: raw/zone, {KEYS}}}", "'raw/zone' is no name of a bucket"),
        (f"{{bucket: raw-zone, prefix: a/../../other, {KEYS}}}", "lies outside the warehouses"),
        ("{}", "no bucket is named"),
    ],
)
def test_buckets_a_tenant_may_not_name(deployment: Deployment, connection: str, said: str) -> None:
    assert said in deployment.only_error(S3 + f"target: {{connection: {connection}}}\n").message


def test_a_bucket_the_operator_allows_needs_no_keys(deployment: Deployment) -> None:
    deployment.write("tenants/acme/tenant.yaml", "roots: {warehouses: ['s3://raw-zone/acme']}\n")
    job = deployment.load(S3 + "target: {connection: {bucket: raw-zone, prefix: acme/in}}\n")
    assert job.target.warehouse == "s3://raw-zone/acme/in"


@requirement("CON-32")
def test_a_folder_below_the_tenants_roots(deployment: Deployment) -> None:
    plain = JOB + "target_connector: parquet\n"
    assert deployment.load(plain).target.warehouse == ""
    job = deployment.load(plain + "target: {connection: {path: exports}}\n")
    assert job.target.warehouse.endswith("/exports")
    error = deployment.only_error(plain + "target: {connection: {path: /etc}}\n")
    assert "'/etc' lies outside the warehouses" in error.message


@requirement("ING-08")
@pytest.mark.parametrize("mode", ["merge", "delete_insert", "scd2"])
def test_modes_that_need_a_table_format_are_refused(deployment: Deployment, mode: str) -> None:
    text = JOB + f"target_connector: parquet\ntarget: {{write_mode: {mode}}}\n"
    error = next(each for each in deployment.problems(text) if "table format" in each.message)
    assert f"'{mode}' needs a table format, and parquet is plain files" in error.message
    assert "iceberg" in error.remedy


@requirement("STA-06")
def test_keys_of_states_are_references(deployment: Deployment) -> None:
    given = "target: {state_encryption: {key: '${SECRET:STATE}', key_id: '2026', old_keys: {'2025': '${SECRET:OLD}'}}}"
    job = deployment.load(JOB + given + "\n")
    assert job.target.state_encryption == {
        "key": "${SECRET:STATE}", "key_id": "2026", "old_keys": {"2025": "${SECRET:OLD}"},
    }  # fmt: skip
    clear = JOB + "target: {state_encryption: {key: c2VjcmV0}}\n"
    error = deployment.only_error(clear)
    assert "a key stands in the file" in error.message
    assert "c2VjcmV0" not in error.message


@requirement("STA-06")
def test_the_tenants_key_holds_for_its_jobs(deployment: Deployment) -> None:
    deployment.write("tenants/acme/tenant.yaml", "state_encryption: {key: '${SECRET:STATE}'}\n")
    assert deployment.load(JOB).target.state_encryption["key"] == "${SECRET:STATE}"
    own = deployment.load(JOB + "target: {state_encryption: {key: '${SECRET:OURS}'}}\n")
    assert own.target.state_encryption["key"] == "${SECRET:OURS}"
