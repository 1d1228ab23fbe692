from __future__ import annotations

import pytest

from dativo_provider.model.job import ApprovalSpec, PartitionSpec
from tests.config.support import CONTRACT, JOB, Deployment
from tests.support import requirement


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("country", ("country", "identity")), ("identity(country)", ("country", "identity")),
        ("day(updated_at)", ("updated_at", "day")), ("days(updated_at)", ("updated_at", "day")),
        ("month(updated_at)", ("updated_at", "month")), ("hour(updated_at)", ("updated_at", "hour")),
        ("bucket[16](id)", ("id", "bucket[16]")), ("bucket(16, id)", ("id", "bucket[16]")),
        ("truncate[3](country)", ("country", "truncate[3]")), ("truncate[10](amount)", ("amount", "truncate[10]")),
    ],
)  # fmt: skip
def test_partitions_in_every_spelling(deployment: Deployment, written: str, expected: tuple[str, str]) -> None:
    job = deployment.load(JOB + f"target: {{partitioning: ['{written}']}}\n")
    assert job.target.partitioning == (PartitionSpec(*expected),)


@requirement("ING-07")
@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("week(updated_at)", "'week' is not a partition transform"),
        ("bucket(id)", "'bucket' is not a partition transform"),
        ("bucket[0](id)", "must be at least 1"),
        ("bucket[8](amount)", "'bucket[8]' cannot partition by 'amount', which is decimal"),
        ("day(id)", "'day' cannot partition by 'id', which is long"),
        ("hour(country)", "'hour' cannot partition by 'country'"),
        ("email", "partition column 'email' is personal data (PII)"),
        ("bucket[8](email)", "partition column 'email' is personal data"),
        ("coutry", "partition column 'coutry' is not a column"),
    ],
)
def test_partitions_that_cannot_be_are_refused(deployment: Deployment, written: str, said: str) -> None:
    assert said in deployment.only_error(JOB + f"target: {{partitioning: ['{written}']}}\n").message


@requirement("MKV-09")
def test_how_long_airflow_asks_for_an_approval_and_what_then(deployment: Deployment) -> None:
    assert deployment.load(JOB + "target: {publish: branch}\n").target.approval == ApprovalSpec(604_800, "wait")
    written = JOB + "target: {publish: branch, approval: {timeout: 12h, on_timeout: reject}}\n"
    assert deployment.load(written).target.approval == ApprovalSpec(43_200, "reject")
    for wrong in ("timeout: soon", "timeout: 0", "on_timeout: approve"):
        assert deployment.only_error(JOB + f"target: {{publish: branch, approval: {{{wrong}}}}}\n").message


def test_floats_do_not_partition(deployment: Deployment) -> None:
    deployment.write("tenants/acme/contracts/orders.odcs.yaml", CONTRACT.replace(', physicalType: "decimal(12,2)"', ""))
    assert "which is double" in deployment.only_error(JOB + "target: {partitioning: [amount]}\n").message


@requirement("ING-07")
def test_ingest_date_is_the_day_of_the_run(deployment: Deployment) -> None:
    text = JOB + "target: {partitioning: [ingest_date]}\n"
    assert deployment.load(text).target.partitioning == (PartitionSpec("_dativo_loaded_at", "day"),)
    without = JOB + "target: {partitioning: [ingest_date], system_columns: false}\n"
    assert "needs the system columns" in deployment.only_error(without).message
    deployment.write(
        "tenants/acme/contracts/orders.odcs.yaml", CONTRACT + "      - {name: ingest_date, logicalType: date}\n"
    )
    assert deployment.load(text).target.partitioning == (PartitionSpec("ingest_date"),)


def test_partitions_of_job_asset_recipe_and_contract_in_that_order(deployment: Deployment) -> None:
    partitioned = CONTRACT.replace("{name: country,", "{name: country, partitioned: true,")
    deployment.write("tenants/acme/contracts/orders.odcs.yaml", partitioned)
    assert deployment.load().target.partitioning == (PartitionSpec("country"),)
    deployment.write(
        "connectors/iceberg.yaml",
        "name: iceberg\ntype: iceberg\nroles: [target]\npartitioning_default: [ingest_date]\n",
    )
    assert deployment.load().target.partitioning == (PartitionSpec("_dativo_loaded_at", "day"),)
    deployment.write(
        "tenants/acme/assets/old.yaml",
        "asset: {name: o, schema: [{name: id, type: bigint}], team: {owner: x}, "
        "target: {partitioning: ['bucket[4](id)'], mode: strict}}\n",
    )
    old = JOB.replace("asset: orders", "asset: old")
    assert deployment.load(old).target.partitioning == (PartitionSpec("id", "bucket[4]"),)
    assert deployment.load(old).streams[0].contract.schema_policies.of("new_column", "x", "evolve") == "freeze"
    assert deployment.load(old + "target: {partitioning: []}\n").target.partitioning == ()


@requirement("TEN-01")
def test_namespaces_follow_the_tenant_s_template(deployment: Deployment) -> None:
    deployment.write("tenants/acme/tenant.yaml", 'namespace: "{tenant}_{domain}_{environment}"\n')
    assert deployment.load(JOB, environment="prod").target.namespace == "acme_sales_prod"
    assert deployment.load(JOB + "governance_overrides: {domain: Kunden & Co}\n").target.namespace == "acme_kunden_co"
    assert deployment.load(JOB + "target: {namespace: acme_other}\n").target.namespace == "acme_other"


def test_a_warehouse_lies_below_the_roots(deployment: Deployment) -> None:
    deployment.write(
        "tenants/acme/tenant.yaml", "roots: {warehouses: [s3://lake/acme, ../../wh]}\nwarehouse: s3://lake/acme/w\n"
    )
    assert deployment.load().target.warehouse == "s3://lake/acme/w"
    assert deployment.load(JOB + "target: {warehouse: s3://lake/acme/x/}\n").target.warehouse == "s3://lake/acme/x"
    assert deployment.load(JOB + "target: {warehouse: sub}\n").target.warehouse == str(deployment.root / "wh/sub")
    nested = JOB + "target: {catalog: {type: sql, warehouse: s3://lake/acme/y}}\n"
    assert deployment.load(nested).target.warehouse == "s3://lake/acme/y"
    assert deployment.load(nested).target.catalog == {"type": "sql"}
