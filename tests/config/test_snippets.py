"""The snippets the product was promised with, byte for byte."""

from __future__ import annotations

from pathlib import Path

from dativo_provider.config import check_paths, load_job, load_runner
from dativo_provider.config.conditions import parse_condition
from tests.config.support import Deployment
from tests.support import requirement

SNIPPETS = Path(__file__).parent / "snippets"


@requirement("SN-01", "CFG-10", "ORC-02", "DQ-07")
def test_zendesk_articles_to_markdown_kv_loads_as_it_is() -> None:
    job = load_job(SNIPPETS / "zendesk_articles_to_markdown_kv.yaml")
    assert job.dag_id == "techcorp.zendesk_articles_to_markdown_kv"
    assert job.schedule.cron == "0 * * * *"
    assert (job.unsupported, job.warnings, job.target.mode) == ((), (), "merge")
    stream = job.streams[0]
    assert (stream.documents, stream.key, stream.incremental.cursor_field) == (True, ("doc_id",), "updated_at")
    assert (stream.object, stream.incremental.strategy, stream.incremental.lookback_seconds) == (
        "articles", "updated_after", 3600,
    )  # fmt: skip
    assert [(rule.body["name"], rule.body["severity"]) for rule in stream.contract.rules] == [
        ("no_broken_links", "warning"), ("min_article_length", "error"), ("freshness_check", "error"),
    ]  # fmt: skip
    assert stream.contract.path.endswith("contracts/zendesk_articles_markdown_kv.odcs.yaml")  # by the asset's name


@requirement("SN-02", "CFG-10", "ORC-02", "DQ-08", "ING-18")
def test_aws_billing_to_iceberg_loads_as_it_is() -> None:
    job = load_job(SNIPPETS / "aws_billing_to_iceberg.yaml")
    assert job.dag_id == "financeops.aws_billing_to_iceberg"
    assert job.schedule.cron == "0 * * * *"
    assert "aws_cost_explorer" in job.unsupported[0]
    assert [rule.language for rule in job.streams[0].contract.rules] == ["soda", "soda", "soda", "custom"]
    assert job.streams[0].contract.rules[3].body["function"] == "ml_anomaly_detection"
    assert [(each.column, each.windowed) for each in job.transforms] == [
        ("team", False), ("product", False), ("daily_cost", True),
    ]  # fmt: skip
    assert len(job.warnings) == 1
    (alert,) = job.alerts
    assert parse_condition(alert.condition).names == ("daily_cost", "avg_cost_7d")
    assert [(each.type, each.channel) for each in alert.channels] == [("slack", "#finops-alerts")]


@requirement("SN-04", "SEC-02")
def test_the_secret_provider_of_runner_yaml_loads_as_it_is() -> None:
    runner = load_runner(SNIPPETS / "runner.yaml")
    assert runner.secrets.provider == "env"
    assert runner.secrets.options == {}
    assert runner.schedules == ()


@requirement("SN-04")
def test_only_the_chosen_provider_s_block_is_taken_unexpanded(tmp_path: Path) -> None:
    file = tmp_path / "runner.yaml"
    file.write_text((SNIPPETS / "runner.yaml").read_text().replace('"env"', '"vault"'))
    assert load_runner(file).secrets.options == {"url": "http://vault:8200", "token": "${VAULT_TOKEN}"}
    assert "VAULT_TOKEN" not in repr(load_runner(file))
    file.write_text((SNIPPETS / "runner.yaml").read_text().replace('"env"', "aws_secrets_manager"))
    assert load_runner(file).secrets.options["kms_key_id"] == "arn:aws:kms:..."


@requirement("SN-01", "SN-02", "SN-04")
def test_none_of_them_has_an_error() -> None:
    assert {problem.severity for problem in check_paths([SNIPPETS])} == {"warning"}


@requirement("SN-08")
def test_tags_carry_the_names_of_the_snippet(deployment: Deployment) -> None:
    deployment.write("assets/customers.yaml", """\
        asset:
          name: customers
          schema:
            - name: email
              type: string
              classification: PII
          governance: {owner: data-team@company.com}
          finops: {cost_center: sales}
        """)  # fmt: skip
    job = deployment.load(
        "source_connector: postgres\nasset: customers\nsource: {tables: [customers]}\n"
        "finops: {cost_center: marketing, budget_code: B12345}\n"
    )
    properties = job.streams[0].contract.properties
    wanted = {
        "dativo.classification.email": "PII", "dativo.governance.owner": "data-team@company.com",
        "dativo.finops.cost_center": "marketing", "dativo.finops.budget_code": "B12345",
    }  # fmt: skip
    assert wanted.items() <= properties.items()


@requirement("SN-21", "ORC-06")
def test_tags_of_a_schedule_travel_with_the_job(deployment: Deployment) -> None:
    deployment.write("tenants/acme/tenant.yaml", "tags: {team: core, stage: live}\n")
    text = "source_connector: postgres\nsource: {tables: [a]}\nschedule: {cron: '@daily', tags: {team: shop}}\n"
    job = deployment.load(text)
    assert job.schedule.tags == {"team": "shop", "stage": "live"}
    assert (job.tenant, job.source.connector, job.name) == ("acme", "postgres", "orders")
