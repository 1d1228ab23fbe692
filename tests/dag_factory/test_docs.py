from __future__ import annotations

from dataclasses import replace

import pytest

from dag_factory import words
from dag_factory.docs import job_doc, refusal_doc
from dativo_provider.model.checks import CheckSpec, Rule
from dativo_provider.model.job import IncrementalSpec, ScheduleSpec, SourceSpec, TransformSpec
from tests.operators.samples import CONTRACT, INCREMENTAL, STREAM, sample_job

RULES = (
    Rule("inline", {"name": "id_positive", "type": "range", "column": "order_id", "min": 1}, declared_in="c.yaml:9:3"),
)


def doc(**changes):
    return job_doc(sample_job(**changes), "tenants/acme/jobs/orders.yaml")


def test_the_document_says_where_data_comes_from_and_goes_to():
    found = doc(
        streams=(replace(STREAM, incremental=INCREMENTAL),), source=SourceSpec("csv", connection_id="acme_files")
    )
    assert "`tenants/acme/jobs/orders.yaml`" in found
    assert "### orders → acme.orders" in found
    assert "Reads `data/orders/*.csv`: rows with a later `updated_at` since the last run, looking back 1 hour." in found
    assert "through connection `acme_files`" in found
    assert "`0 6 * * *` Europe/Berlin" in found


def test_the_document_shows_the_contract_with_owner_columns_and_checks():
    found = doc(streams=(replace(STREAM, contract=replace(CONTRACT, rules=RULES)),))
    assert "Contract **orders** 1.2.0 (active), commerce. One row per order." in found
    assert "shop-data@example.com" in found
    assert "| `order_id` | long, key, required | Number of the order |" in found
    assert "| `email` | string, pii |  |" in found
    assert "| id\\_positive | `order_id` ≥ 1 | the row goes to quarantine |" in found


def test_a_rule_about_a_column_that_a_transformation_makes_is_shown():
    rules = (Rule("inline", {"name": "t", "type": "range", "column": "total", "min": 0}, declared_in="c.yaml:9:3"),)
    found = doc(
        streams=(replace(STREAM, contract=replace(CONTRACT, rules=rules)),),
        transforms=(TransformSpec("t", "total", "a+b", type="double"),),
    )
    assert "`total`" in found


def test_rules_without_a_contract_are_shown_beside_transformations():
    rules = (Rule("inline", {"name": "t", "type": "range", "column": "total", "min": 0}, declared_in="c.yaml:9:3"),)
    found = doc(
        streams=(replace(STREAM, contract=replace(CONTRACT, fields=(), rules=rules)),),
        transforms=(TransformSpec("t", "tax", "a+b", type="double"),),
    )
    assert "`total`" in found


def test_a_rule_that_cannot_be_known_yet_does_not_break_the_document():
    rules = (Rule("inline", {"name": "t", "type": "range", "column": "nowhere", "min": 0}, declared_in="c.yaml:9:3"),)
    assert "### orders" in doc(streams=(replace(STREAM, contract=replace(CONTRACT, rules=rules)),))


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("quarantine", "goes to the quarantine table"),
        ("strict", "blocks the run; nothing is published"),
        ("warn", "becomes NULL"),
    ],
)
def test_the_document_says_what_happens_on_violation(mode, said):
    assert said in doc(schema_validation=mode)


def test_warnings_of_the_job_are_shown():
    assert "- lookback without key" in doc(warnings=("lookback without key",))


def test_nothing_a_tenant_wrote_can_act_in_the_document():
    found = doc(description="![pixel](http://tracker) <b>x</b> {{ conn.other.password }}")
    assert "![" not in found
    assert "<b>" not in found
    assert not found.endswith(".md")


def test_a_refusal_names_every_finding_and_what_to_do():
    found = refusal_doc("This job has mistakes", ["`orders.yaml:3:5` no such key"], "Correct the file.", None, "")
    assert found.startswith("**This job has mistakes**\n\n- `orders.yaml:3:5`")
    assert found.rstrip().endswith("Correct the file.")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (ScheduleSpec(), "by hand"),
        (ScheduleSpec(interval_seconds=5400), "every 90 minutes"),
        (ScheduleSpec(interval_seconds=86400), "every 1 day"),
        (ScheduleSpec(interval_seconds=45), "every 45 seconds"),
        (ScheduleSpec(cron="@daily", enabled=False), "`@daily` UTC, switched off"),
    ],
)
def test_schedules_in_words(spec, said):
    assert words.schedule(spec) == said


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (CheckSpec("i", "n", "enum", params={"values": ["a", "b"]}), "one of `a`, `b`"),
        (CheckSpec("i", "n", "enum", params={"values": list(range(20))}), "(20 values)"),
        (CheckSpec("i", "n", "regex", params={"pattern": "a|b"}), "matches `a\\|b`"),
        (CheckSpec("i", "n", "regex", params={"pattern": "x", "negate": True}), "does not match `x`"),
        (CheckSpec("i", "n", "length", params={"min": 1, "max": 5}), "≥ 1 and ≤ 5 characters"),
        (CheckSpec("i", "n", "freshness", params={"max_age_seconds": 7200}), "not older than 2 hours"),
        (CheckSpec("i", "n", "uniqueness", tolerance=0.05), "is unique, up to 0.05 of the rows excepted"),
        (CheckSpec("i", "n", "sql", params={"query": "SELECT 1"}, where="a > 1"), "`SELECT 1` where `a > 1`"),
        (CheckSpec("i", "n", "text", description="Looks right"), "Looks right"),
        (CheckSpec("i", "no broken links", "regex"), "no broken links"),
    ],
)
def test_checks_in_words(check, said):
    assert said in words.rule(check)


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (CheckSpec("i", "n", "range", on_violation="block"), "**the run is blocked**"),
        (CheckSpec("i", "n", "range", on_violation="warn"), "published all the same"),
        (CheckSpec("i", "n", "range", severity="warning"), "published all the same"),
        (CheckSpec("i", "n", "range"), "goes to quarantine"),
        (CheckSpec("i", "n", "freshness", scope="dataset", on_violation="warn"), "published, then the run fails"),
        (CheckSpec("i", "n", "freshness", scope="dataset", on_violation="block"), "**the run is blocked**"),
    ],
)
def test_consequences_in_words(check, said):
    assert said in words.consequence(check)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (IncrementalSpec(), "everything, each time"),
        (IncrementalSpec("file_modified_time"), "files that are new since the last run"),
        (IncrementalSpec("updated_after"), "what is new since the last run"),
        (IncrementalSpec("updated_at", "changed"), "rows with a later `changed` since the last run"),
    ],
)
def test_increments_in_words(spec, said):
    assert words.increments(replace(STREAM, incremental=spec)) == said


def test_the_quarantine_is_named_as_the_lake_names_it():
    from dativo_provider.lake.table import quarantine_name

    assert f"`{quarantine_name('acme.orders')}`" in doc()
