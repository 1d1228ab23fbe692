from __future__ import annotations

import re
from pathlib import Path

import pytest

import dativo_provider
from tests.cli.conftest import Command, World
from tests.support import requirement

ROOT = Path(dativo_provider.__file__).parents[1]
SNIPPETS = Path(__file__).parent / "snippets"
PLACE = re.compile(r"^\S+?\.ya?ml:\d+:\d+: ")


@requirement("REG-15", "CFG-01")
@pytest.mark.parametrize("folder", ["dags", "contracts", "examples"])
def test_every_yaml_we_ship_validates(folder: str, dativo: Command) -> None:
    found = dativo("validate", ROOT / folder)
    assert found.code == 0, found.out


@pytest.mark.parametrize(
    "snippet",
    [
        pytest.param("zendesk_articles_to_markdown_kv.yaml", marks=requirement("SN-01")),
        pytest.param("aws_billing_to_iceberg.yaml", marks=requirement("SN-02")),
        pytest.param("runner.yaml", marks=requirement("SN-04")),
    ],
)
def test_snippets_validate_as_written(snippet: str, dativo: Command) -> None:
    found = dativo("validate", SNIPPETS / snippet)
    assert found.code == 0, found.out


def test_a_window_function_is_warned_of(dativo: Command) -> None:
    found = dativo("validate", SNIPPETS / "aws_billing_to_iceberg.yaml")
    assert "the rows of one run only" in found.out or "this run" in found.out


@requirement("ERR-08", "CLI-05")
def test_every_finding_has_its_place_and_all_come_at_once(world: World) -> None:
    world.edit(world.job, "target_connector: iceberg", "taget_connector: iceberg")
    world.edit(world.job, "strategy: file_modified_time", "strategie: file_modified_time")
    found = world.dativo("validate", world.job)
    assert found.code == 2
    findings = found.out.splitlines()[:-1]
    assert len(findings) >= 2
    assert all(PLACE.match(line) for line in findings)
    assert "target_connector" in found.out
    assert "strategy" in found.out
    assert found.out.splitlines()[-1].startswith(f"{len(findings)} errors")


@requirement("CFG-01", "ERR-08")
def test_one_run_tells_of_the_job_its_contract_and_every_check(world: World) -> None:
    """A mistake hides no other: not one of the same check, of another check, of another file or of another kind."""
    checks = "\n".join(
        f"    - {{{each}}}"
        for each in ("type: not_null, column: id, severty: error", "type: regex, column: amount, pattern: x",
                     "type: condition, expression: amont > 1", "type: range, column: amount, min: 9, max: 1")
    )  # fmt: skip
    world.edit(world.job, "target_connector: iceberg", "taget_connector: iceberg")
    world.edit(
        world.job, "source:\n", f"schema_validation_mode: stric\ndata_contract:\n  quality_checks:\n{checks}\nsource:\n"
    )
    world.edit(world.contract, "minimum: 0", "minimun: 0")
    world.edit(world.contract, r"'^[^@ ]+@[^@ ]+\.[a-z]+$'", r"'^(?=x)y$'")
    found = world.dativo("validate", world.job)
    assert found.code == 2, found.out
    said = ("'target_connector'", "'strict'", "'severity'", "cannot look at 'amount'", "amont", "9 is above",
            "'minimum'", "RE2")  # fmt: skip
    assert [word for word in said if word not in found.out] == []
    assert found.out.splitlines()[-1] == f"{len(said)} errors, 0 warnings"
    assert all(PLACE.match(line) for line in found.out.splitlines()[:-1])


def test_a_word_that_is_none_is_said_once_and_not_what_follows_from_it(world: World) -> None:
    world.edit(world.job, "source:\n", "data_contract:\n  quality_checks: [{type: uniqe, column: id}]\nsource:\n")
    found = world.dativo("validate", world.job)
    assert "'uniqe' is not a type of check" in found.out
    assert found.out.splitlines()[-1] == "1 error, 0 warnings"


def test_a_contract_that_is_named_has_its_checks_tried(world: World) -> None:
    world.edit(
        world.contract,
        "    properties:\n",
        "    quality: [{type: sql, query: 'SELECT sum(nope) FROM {object}', mustBe: 0}]\n    properties:\n",
    )
    found = world.dativo("validate", world.contract)
    assert found.code == 2, found.out
    assert "nope" in found.out


def test_findings_as_json(world: World) -> None:
    world.edit(world.contract, "minimum: 0", "minimun: 0")
    found = world.dativo("validate", world.contract, "--json")
    assert found.code == 2
    [problem] = found.json["problems"]
    assert found.json["errors"] == 1
    assert problem["line"] == 29
    assert "minimum" in problem["message"] + problem["remedy"]


def test_a_pattern_that_re2_cannot_run_is_an_error(world: World) -> None:
    world.edit(world.contract, r"'^[^@ ]+@[^@ ]+\.[a-z]+$'", r"'^(?=x)y$'")
    found = world.dativo("validate", world.job)
    assert found.code == 2, found.out
    assert "RE2" in found.out
    assert "orders.odcs.yaml:" in found.out


def test_an_expression_that_is_no_sql_is_an_error(world: World) -> None:
    world.edit(
        world.job, "source:\n", "transformations:\n  - {name: x, column: x, expression: 'amount +* 1'}\nsource:\n"
    )
    found = world.dativo("validate", world.job)
    assert found.code == 2, found.out
    assert PLACE.match(found.out)


def test_an_expression_over_an_unknown_column_is_an_error(world: World) -> None:
    world.edit(world.job, "source:\n", "transformations:\n  - {name: x, column: x, expression: amont * 2}\nsource:\n")
    found = world.dativo("validate", world.job)
    assert found.code == 2, found.out
    assert "amont" in found.out


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("{type: condition, expression: amount}", "not true or false"),
        ("{type: not_null, column: id, where: amont > 1}", "amont"),
        ("{type: sql, query: 'SELECT count(amont) FROM {table}', min: 1}", "amont"),
        ("{type: failed_rows, query: 'DELETE FROM {table}'}", "no SELECT"),
    ],
)
@requirement("DQ-05")
def test_sql_of_a_check_that_cannot_run_is_an_error(world: World, check: str, said: str) -> None:
    world.edit(world.job, "source:\n", f"data_contract:\n  quality_checks:\n    - {check}\nsource:\n")
    found = world.dativo("validate", world.job)
    assert found.code == 2, found.out
    assert said in found.out
    assert PLACE.match(found.out)


def test_what_this_version_cannot_run_is_said_before_a_run_fails(world: World) -> None:
    world.edit(world.job, "source_connector: csv", "source_connector: notion")
    found = world.dativo("validate", world.job)
    assert found.code == 0, found.out
    assert "connector 'notion' cannot be read by this version" in found.out
    assert "1 warning" in found.out


def test_quiet_hides_warnings(dativo: Command) -> None:
    assert dativo("validate", "--quiet", SNIPPETS / "aws_billing_to_iceberg.yaml").out == ""


def test_a_file_that_is_not_there_is_an_error(dativo: Command, tmp_path: Path) -> None:
    found = dativo("validate", tmp_path / "nowhere.yaml")
    assert found.code == 2
    assert "nowhere.yaml" in found.out + found.err


@pytest.mark.parametrize("text", ["a: [1", "\x00", "", "- 1\n- 2\n", "a: &x [*x]", "\tkey: value"])
def test_a_broken_file_is_a_finding_and_never_a_traceback(text: str, dativo: Command, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    found = dativo("validate", path)
    assert found.code == 2, found.out
    assert "report" not in found.err


@requirement("CFG-09")
def test_schemas_are_printed_for_editors(dativo: Command) -> None:
    kinds = [line.split()[0] for line in dativo("schema").out.splitlines()]
    assert {"job", "tenant", "runner"} <= set(kinds)
    for kind in kinds:
        assert dativo("schema", kind).json
    assert set(dativo("schema", "--all").json) == set(kinds)
    assert dativo("schema", "jbo").code == 2
