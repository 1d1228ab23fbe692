"""The snippets of the requirements as written, on real rows: a file stands in for connectors that come later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Command
from tests.e2e.trial import Trial
from tests.support import requirement

SNIPPETS = Path(__file__).parents[1] / "cli" / "snippets"
BILL: dict[str, dict[str, Any]] = {
    "line_item_id": {"logicalType": "string", "required": True},
    "unblended_cost": {"logicalType": "number", "physicalType": "double"},
    "billing_period_end": {"logicalType": "timestamp", "physicalType": "timestamptz"},
    "date": {"logicalType": "date"},
    "tags": {"logicalType": "object"},
}
ARTICLES: dict[str, dict[str, Any]] = {
    "article_id": {"logicalType": "string", "required": True},
    "raw_md": {"logicalType": "string"},
    "content_length": {"logicalType": "integer"},
    "updated_at": {"logicalType": "timestamp", "physicalType": "timestamptz"},
}
NONE_OF_ORDERS = dict.fromkeys(("id", "region", "amount", "updated_at"))


@pytest.fixture
def trial(tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch) -> Trial:
    return Trial(tmp_path, dativo, monkeypatch)


def snippet(name: str, *keys: str) -> dict[str, Any]:
    written: dict[str, Any] = yaml.safe_load((SNIPPETS / name).read_text())
    return {key: written[key] for key in keys}


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).isoformat()


def deliver(trial: Trial, header: str, *lines: str) -> None:
    (trial.data / "a.csv").write_text("\n".join([header, *lines, ""]))


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {result["name"]: result["outcome"] for result in report["verdict"]["results"]}


@requirement("SN-02", "DQ-08", "DQ-19", "ING-18", "DQ-14")
def test_a_bill_is_checked_as_its_snippet_says(trial: Trial) -> None:
    block = snippet("aws_billing_to_iceberg.yaml", "data_contract", "transformations", "alert_rules")
    job = trial.csv_job(contract=trial.contract(**{**NONE_OF_ORDERS, **BILL}), **block)
    tags = '"{""Team"": ""ml""}"'
    line, dear = f"L1,10,{ago(minutes=30)},2026-11-22,{tags}", f"L2,200000,{ago(minutes=30)},2026-11-22,"
    deliver(trial, ",".join(BILL), line, dear, line)
    answer = trial.run(job)
    assert answer.code == 1, answer.out
    found = outcomes(answer.json["streams"][0])
    assert found["no_duplicate_charges"] == found["cost_range_check"] == "failed"
    assert found["billing_completeness"] == "passed"
    assert found["detect_cost_anomalies"] == "not_evaluated"  # there is no history to tell what is usual
    assert trial.values("acme.orders", "line_item_id") == ["L1", "L2"]  # the charge that came twice is there once
    assert len(trial.values("acme.orders_quarantine", "row_id")) == 1
    assert trial.values("acme.orders", "team") == ["ml", "unallocated"]
    assert trial.values("acme.orders", "product") == ["unknown", "unknown"]
    assert trial.values("acme.orders", "daily_cost")[-1] == 200000


@requirement("SN-01", "DQ-07", "DQ-19", "QUA-02")
def test_articles_are_checked_as_their_snippet_says(trial: Trial) -> None:
    block = snippet("zendesk_articles_to_markdown_kv.yaml", "data_contract")
    job = trial.csv_job(contract=trial.contract(**{**NONE_OF_ORDERS, **ARTICLES}), **block)
    good, short = f"a,See [this](https://example.com),250,{ago(hours=1)}", f"b,Too short,7,{ago(hours=1)}"
    deliver(trial, ",".join(ARTICLES), good, short, f"c,A [link]() to nowhere,300,{ago(hours=1)}")
    answer = trial.run(job)
    assert answer.code == 1, answer.out
    found = outcomes(answer.json["streams"][0])
    assert found["min_article_length"] == found["no_broken_links"] == "failed"
    assert found["freshness_check"] == "passed"
    assert trial.values("acme.orders", "article_id") == ["a", "c"]  # broken links are a warning, short texts an error
    assert len(trial.values("acme.orders_quarantine", "row_id")) == 1


@requirement("SN-01")
def test_a_run_whose_newest_article_is_a_day_old_fails_after_its_rows_are_there(trial: Trial) -> None:
    block = snippet("zendesk_articles_to_markdown_kv.yaml", "data_contract")
    job = trial.csv_job(contract=trial.contract(**{**NONE_OF_ORDERS, **ARTICLES}), **block)
    deliver(trial, ",".join(ARTICLES), f"a,Old,250,{ago(hours=30)}")
    answer = trial.run(job)
    assert answer.code == 2, answer.out
    assert "freshness_check" in answer.out
    assert trial.values("acme.orders", "article_id") == ["a"]
