from __future__ import annotations

from textwrap import dedent

import pytest

from dativo_provider.config.contract import ContractSource
from dativo_provider.config.contracts import contract_of
from dativo_provider.config.yamlpos import parse
from tests.config.support import only, place, refused
from tests.support import requirement

FLAT = """\
$schema: schemas/odcs/dativo-odcs-3.0.2-extended.schema.json
apiVersion: v3.0.2
kind: DataContract
id: customers-001
name: Stripe-Customers
version: 1.0
status: active
source_type: stripe
object: customers
domain: crm
dataProduct: customer-360
tenant: acme
team:
  owner: data-team@company.com
  roles: [{name: Data Steward, email: steward@company.com, responsibility: quality}]
compliance:
  classification: [PII, SENSITIVE]
  regulations: [GDPR, CCPA]
  retention_days: 90
  security: {access_control: role_based, encryption_required: true}
  user_consent_required: true
schema:
  - {name: id, type: string, required: true, unique: true, physicalType: VARCHAR(255), businessName: Id, examples: [cus_1]}
  - name: email
    type: string
    required: true
    classification: PII
    quality: [{name: email_format_check, type: library, rule: validValues, dimension: conformity, severity: error}]
  - {name: created, type: timestamp, physicalType: BIGINT}
  - {name: balance, type: bigint, classification: SENSITIVE}
  - {name: metadata, type: object, physicalType: JSONB}
data_quality:
  monitoring: {enabled: true, oncall_rotation: oncall@company.com}
  expectations:
    - {type: not_null, column: id, severity: error}
    - {type: accepted_values, column: email, values: [a, b], severity: warning}
  alerts: {channels: [slack], thresholds: {error_rate: 0.01}}
change_management: {policy: non-breaking, approval_required: true, notification_channels: [slack], version_history: true}
finops: {cost_center: FIN-001, business_tags: [payments, revenue], project: payments, environment: production}
description: {purpose: Customers, usage: Analytics, limitations: None}
tags: [stripe, pii]
target: {file_format: parquet, partitioning: [ingest_date], mode: strict}
contractCreatedTs: "2024-01-15T10:30:00Z"
"""  # noqa: E501
WRAPPED = """\
asset:
  name: stripe_customers
  source_type: stripe
  object: customers
  version: "1.0"
  schema:
    - {name: id, type: string, required: true}
    - {name: created, type: timestamp}
  governance: {owner: data-team@company.com, tags: [payments], classification: [pii], retention_days: 7}
  compliance: {classification: [PII], regulations: [PCI-DSS], retention_days: 30}
  finops: {cost_center: FIN-001}
  target: {file_format: parquet, partitioning: [ingest_date], mode: strict}
"""
CHECKS = """\
data_contract:
  name: stripe_customers
  version: 1.10
  owner: data-platform@company.com
  status: active
  asset_ref: /app/assets/stripe/v1.0/customers.yaml
  sla:
    freshness: {max_age_hours: 2}
    completeness: {min_records_per_day: 100}
    availability: {uptime_percentage: 99.5}
  schema_contract: {strict_mode: true, allow_nullable_expansion: false, allow_type_changes: false}
  quality_checks:
    soda:
      engine: soda_core
      checks:
        - {name: no_duplicates, type: uniqueness, columns: [email], severity: error}
        - row_count > 0
    great_expectations:
      expectation_suite: suite
      checks: [{name: expect_column_values_to_not_be_null, column: id}]
    custom:
      - {name: detect, function: ml_anomaly_detection, severity: warning}
  violation_handling:
    on_schema_violation: block
    on_quality_violation: warn
    on_sla_violation: block
    notification: {channels: [slack], recipients: [a@b.c]}
    quarantine: {enabled: true, s3_bucket: q, s3_prefix: "x/${TENANT_ID}/", retention_days: 30, keep_original: true}
  tags: [a]
  classification: [PII]
  documentation_url: https://example.com
"""


def read(text: str) -> ContractSource:
    return contract_of(parse(dedent(text), "a.yaml"))


@requirement("CFG-04", "TAG-04")
def test_the_flat_form_is_read_with_all_its_blocks() -> None:
    found = read(FLAT)
    table = found.tables[0]
    assert (found.form, found.name, found.version, found.owner) == (
        "asset",
        "Stripe-Customers",
        "1.0",
        "data-team@company.com",
    )
    assert [(each.name, each.type) for each in table.fields] == [
        ("id", "string"), ("email", "string"), ("created", "timestamptz"), ("balance", "long"), ("metadata", "string"),
    ]  # fmt: skip
    assert found.properties == {
        "dativo.classification.default": "PII", "dativo.governance.owner": "data-team@company.com",
        "dativo.governance.retention_days": "90", "dativo.governance.regulations": "GDPR,CCPA",
        "dativo.governance.tags": "stripe,pii", "dativo.finops.cost_center": "FIN-001",
        "dativo.finops.business_tags": "payments,revenue", "dativo.finops.project": "payments",
        "dativo.finops.environment": "production", "dativo.asset.source_type": "stripe", "dativo.asset.object": "customers",  # noqa: E501
    }  # fmt: skip
    assert found.target["mode"] == "strict"
    assert found.target["partitioning"] == [{"column": "ingest_date", "transform": "identity"}]
    assert [(rule.language, rule.body.get("type"), rule.column) for rule in table.rules] == [
        ("odcs-options", None, "id"), ("odcs", "library", "email"), ("inline", "not_null", ""),
        ("inline", "accepted_values", ""),
    ]  # fmt: skip
    assert found.problems == ()


@requirement("CFG-04")
def test_the_wrapped_form_is_migrated_and_newer_blocks_win() -> None:
    found = read(WRAPPED)
    assert (found.owner, found.version) == ("data-team@company.com", "1.0")
    assert found.properties["dativo.governance.retention_days"] == "30"
    assert found.properties["dativo.classification.default"] == "PII"
    assert found.properties["dativo.governance.tags"] == "payments"
    old = WRAPPED.replace("  compliance: {classification: [PII], regulations: [PCI-DSS], retention_days: 30}\n", "")
    assert read(old).properties["dativo.governance.retention_days"] == "7"
    assert read(old).properties["dativo.classification.default"] == "pii"


@requirement("DQ-01", "DQ-08")
def test_a_file_of_checks_groups_them_by_engine() -> None:
    found = read(CHECKS)
    assert (found.form, found.version, found.asset_ref) == ("checks", "1.10", "/app/assets/stripe/v1.0/customers.yaml")
    assert [(rule.language, rule.body.get("on_violation")) for rule in found.rules] == [
        ("soda", None), ("soda", None), ("great_expectations", None), ("custom", None), ("inline", "block"),
    ]  # fmt: skip
    assert found.policy.handling.by_severity == {"error": "warn"}
    assert found.rules[1].body["row_count > 0"] is None
    assert found.rules[4].body["max_age_hours"] == 2
    assert found.rules[0].declared_in == "a.yaml:16:11"
    assert found.policy.on_schema_violation == "block"
    assert found.policy.keep_original


def test_keys_beside_the_block_mean_the_same_as_inside() -> None:
    found = read("data_contract: {name: a, version: '1'}\nsla: {freshness: {max_age_hours: 5, column: at}}\ntags: x\n")
    assert found.rules[0].body == {"name": "sla_freshness", "type": "freshness", "max_age_hours": 5, "column": "at"}


def test_a_disabled_file_of_checks_has_none() -> None:
    found = read(CHECKS.replace("  name: stripe_customers", "  name: stripe_customers\n  enabled: false"))
    assert found.rules == ()
    assert found.policy.enforcement == "disabled"


def test_feature_blocks_are_named_as_not_executed() -> None:
    assert read(FLAT + "features: [{name: x}]\n").unsupported == (
        "the asset's `features` block is not executed by this version",
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  owner: data-team@company.com\n  roles", "  roles", "'owner' is missing in team"),
        (", oncall_rotation: oncall@company.com", "", "nobody is called"),
        ("type: bigint", "type: bigit", "'bigit' is not a type"),
        ("type: accepted_values", "type: acepted_values", "'acepted_values' is not a type of check"),
        ("{type: not_null, ", "{", "'type' is missing in a check"),
        ("mode: strict", "mode: strickt", "'mode' cannot be 'strickt'"),
        ("[ingest_date]", "['week(x)']", "is not a partition transform"),
        ("source_type: stripe", "sourcetype: stripe", "'sourcetype' is not a key"),
        ("expectations:\n", "expectations: 5\n  more:\n", "'expectations' must be a list"),
    ],
)
def test_mistakes_in_assets_are_said(old: str, new: str, said: str) -> None:
    assert old in FLAT
    found = [each for each in refused(read, FLAT.replace(old, new)) if each.severity == "error"]
    assert said in found[0].message


def test_an_asset_without_an_owner_is_a_warning() -> None:
    found = only(list(read("asset: {name: x, schema: [{name: id, type: string}]}").problems))
    assert "nobody answers" in found.message
    assert found.severity == "warning"


def test_mistakes_inside_the_wrapper_have_their_place() -> None:
    found = only(list(refused(read, WRAPPED.replace("type: timestamp", "type: timestmp"))))
    assert place(found) == (8, 29)
    assert "Did you mean 'timestamp'?" in found.remedy


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    soda:\n", "    sooda:\n", "'sooda' is not an engine of checks"),
        ("- row_count > 0", "- 5", "a check must be a mapping"),
        ("checks: [{name: expect_column_values_to_not_be_null, column: id}]", "checks: {a: 1}", "checks must be a list"),  # noqa: E501
        ("function: ml_anomaly_detection, ", "", "'function' is missing"),
        ("on_quality_violation: warn", "on_quality_violation: shout", "'on_quality_violation' cannot be 'shout'"),
    ],
)  # fmt: skip
def test_mistakes_in_files_of_checks_are_said(old: str, new: str, said: str) -> None:
    assert old in CHECKS
    assert said in only([each for each in refused(read, CHECKS.replace(old, new)) if each.severity == "error"]).message
