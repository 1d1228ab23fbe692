"""Files of Soda and Great Expectations that a block names are read where the tenant may read, and nowhere else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dativo_provider.config.contract import ContractSource
from dativo_provider.config.contracts import read_contract
from dativo_provider.config.problems import InvalidConfig
from dativo_provider.model.stream import Field
from dativo_provider.quality.engines.base import seconds_of
from dativo_provider.quality.frontends.compile import compile_rules
from tests.support import requirement

SODA = """
dataset: pg/db/public/orders
filter: paid
columns:
  - name: state
    valid_values: [a, b]
    checks:
      - invalid:
      - missing:
checks:
  - row_count:
"""
SODACL = """
filter orders [daily]:
  where: day = current_date
checks for orders [daily]:
  - row_count > 0
  - missing_count(email) = 0:
      name: everybody can be reached
"""
SUITE = {
    "name": "orders",
    "expectations": [{"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}}],
}


def contract(folder: Path, checks: str) -> ContractSource:
    path = folder / "orders.yaml"
    path.write_text(
        f"data_contract:\n  name: orders\n  version: '1'\n  status: active\n  quality_checks:\n    {checks}\n"
    )
    return read_contract(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tenants" / "acme" / "contracts"
    made.mkdir(parents=True)
    (made / "orders.soda.yml").write_text(SODA)
    (made.parent / "sodacl.yml").write_text(SODACL)
    (made.parent / "suites").mkdir()
    (made.parent / "suites" / "orders.json").write_text(json.dumps(SUITE))
    return made


@requirement("DQ-01", "DQ-08")
def test_a_contract_of_soda_is_read_check_by_check(folder: Path) -> None:
    rules = contract(folder, "soda: {checks_file: orders.soda.yml}").rules
    assert [(rule.column, next(iter(rule.body))) for rule in rules] == [
        ("", "row_count"), ("state", "invalid"), ("state", "missing"),
    ]  # fmt: skip
    assert rules[1].body["invalid"] == {"valid_values": ["a", "b"]}
    assert all(rule.body["filter"] == "paid" for rule in rules)
    assert rules[1].declared_in.endswith("orders.soda.yml:8:9")


@requirement("DQ-08")
def test_a_file_of_sodacl_keeps_the_filter_of_its_block(folder: Path) -> None:
    first, second = contract(folder, "soda: sodacl.yml").rules
    assert (first.body["row_count > 0"], first.body["filter"]) == (None, "day = current_date")
    assert second.body["missing_count(email) = 0"] == {"name": "everybody can be reached"}


@requirement("DQ-10")
@pytest.mark.parametrize("written", ["orders", "suites/orders.json"])
def test_a_suite_is_found_by_name_and_by_path(folder: Path, written: str) -> None:
    (rule,) = contract(folder, f"great_expectations: {{expectation_suite: {written}}}").rules
    assert (rule.language, rule.body["kwargs"]) == ("great_expectations", {"column": "id"})
    assert "orders.json:1:" in rule.declared_in


def test_a_suite_may_be_the_name_of_the_checks_that_stand_below_it(folder: Path) -> None:
    checks = "checks: [{name: expect_table_row_count_to_equal, value: 5}]"
    (rule,) = contract(folder, f"great_expectations: {{expectation_suite: elsewhere, {checks}}}").rules
    assert rule.body["value"] == 5


def test_a_contract_of_soda_may_stand_in_the_block_itself(folder: Path) -> None:
    checks = "soda: {engine: soda_core, columns: [{name: id, checks: [{missing: {}}]}]}"
    (rule,) = contract(folder, checks).rules
    assert (rule.column, rule.body) == ("id", {"missing": {}})


def test_a_file_that_changed_is_read_again(folder: Path) -> None:
    assert len(contract(folder, "soda: sodacl.yml").rules) == 2
    (folder.parent / "sodacl.yml").write_text("checks for orders: [row_count > 0]\n")
    assert len(read_contract(folder / "orders.yaml").rules) == 1


@requirement("CFG-10")
@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ("soda: {checks_file: nothing.yml}", "there is no file of Soda checks 'nothing.yml'"),
        ("soda: {checks_file: 5}", "5 names no file"),
        ("soda: {checks_file: suites/orders.json}", "is no file of Soda checks"),
        ("great_expectations: {expectation_suite: nothing}", "there is no suite of expectations 'nothing'"),
        ("soda: {checks_file: broken.yml}", "broken.yml"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_where_it_is_named(folder: Path, checks: str, words: str) -> None:
    (folder / "broken.yml").write_text("checks: [")
    with pytest.raises(InvalidConfig) as error:
        contract(folder, checks)
    assert words in str(error.value)


@pytest.mark.parametrize("written", ["../../rival/secret.yml", "linked.yml", "/etc/hosts"])
def test_no_file_of_another_tenant_or_outside_of_the_root_is_read(folder: Path, written: str) -> None:
    rival = folder.parent.parent / "rival"
    rival.mkdir()
    (rival / "secret.yml").write_text(SODACL)
    os.symlink(rival / "secret.yml", folder / "linked.yml")
    with pytest.raises(InvalidConfig) as error:
        contract(folder, f"soda: {{checks_file: {written}}}")
    assert "there is no file of Soda checks" in str(error.value)


@requirement("DQ-08", "DQ-11")
def test_how_long_an_engine_may_take_stands_beside_its_checks(folder: Path) -> None:
    timed = "execution: {timeout_seconds: 40}"
    rules = contract(folder, f"soda: {{checks_file: orders.soda.yml, {timed}}}").rules
    assert {rule.seconds for rule in rules} == {40}
    native = {"name": "expect_column_values_to_be_increasing", "column": "id"}
    suite = f"great_expectations: {{{timed}, checks: [{json.dumps(native)}]}}"
    custom = (
        f"custom: {{{timed}, checks: [{{function: 'checks.a:b', timeout_seconds: 7}}, {{function: 'checks.a:c'}}]}}"
    )
    fields = [Field("id")]
    (check,) = (each for each in compile_rules(contract(folder, suite).rules, fields) if each.kind == "custom")
    assert seconds_of(check) == 40
    own = [each for each in compile_rules(contract(folder, custom).rules, fields) if each.kind == "custom"]
    assert [seconds_of(each) for each in own] == [7, 40]


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "true", ".inf"])
def test_a_time_that_is_none_is_told_where_it_stands(folder: Path, seconds: str) -> None:
    with pytest.raises(InvalidConfig, match=r"orders.yaml:6:\d+: timeout_seconds is no number of seconds"):
        contract(folder, f"soda: {{execution: {{timeout_seconds: {seconds}}}, checks: [row_count > 0]}}")


def test_words_about_execution_without_a_meaning_are_told(folder: Path) -> None:
    found = contract(folder, "soda: {execution: {parallel_checks: true}, checks: [row_count > 0]}")
    assert any("'parallel_checks' has no meaning here" in str(each) for each in found.problems)
