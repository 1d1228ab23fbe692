"""Checks that only the real Soda or the real Great Expectations knows, in their own environments."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.envs.recipe import Recipe
from dativo_provider.envs.recipes import RECIPES
from dativo_provider.errors import Cancelled
from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.settings import Settings
from dativo_provider.quality.engines import base
from tests.quality.engines.support import a_custom, a_scene, results
from tests.services.framework import ROOT
from tests.support import requirement

ROWS = {"id": [1, 2, 2, 4], "of": ["a", None, "ü", "secret"], "amount": [1.0, -2.0, 3.5, None]}
OUTSIDE = f"SELECT * FROM read_text('{__file__}')"  # queries of users reach nothing but the rows


def soda(name: str, native: dict[str, Any], column: str = "", **more: Any) -> CheckSpec:
    fragment = {"columns": [{"name": column, "checks": [native]}]} if column else {"checks": [native]}
    params = {"native": fragment, **more.pop("params", {})}
    return a_custom(id=name, engine="soda", columns=(column,) if column else (), params=params, **more)


def gx(name: str, kind: str, **kwargs: Any) -> CheckSpec:
    where = kwargs.pop("where", "")
    native = {"type": kind, "kwargs": kwargs}
    return a_custom(id=name, engine="great_expectations", params={"native": native}, where=where)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    really = base.call

    def counted(wanted: Any, *more: Any) -> dict[str, Any]:
        made.append(wanted.worker.stem)
        return really(wanted, *more)

    monkeypatch.setattr(base, "call", counted)
    return made


@requirement("SN-09", "DQ-05", "DQ-11", "SN-02")
def test_every_soda_check_of_a_run_is_evaluated_by_soda_in_one_process(envs: Path, calls: list[str]) -> None:
    checks = [
        soda("negative", {"failed_rows": {"expression": "amount < 0"}}),
        soda("query", {"failed_rows": {"query": "SELECT * FROM staged WHERE of = 'secret'"}}),
        soda("sum", {"metric": {"expression": "sum(id)", "threshold": {"must_be": 9}}}),
        soda("mean", {"aggregate": {"function": "avg", "threshold": {"must_be_greater_than": 2}}}, "amount"),
        soda("twice", {"duplicate": {}}, "id"),
        soda("schema", {"schema": {}}),
        soda("only", {"failed_rows": {"expression": "amount < 0"}}, where="id > 2"),
        soda("outside", {"failed_rows": {"query": OUTSIDE}}),
        soda("unknown", {"failed_rows": {"expression": "no_such_column > 1"}}),
    ]
    found = results(checks, a_scene(ROWS, envs))
    assert {name: each.outcome for name, each in found.items()} == {
        "negative": "failed", "query": "failed", "sum": "passed", "mean": "failed", "twice": "failed",
        "schema": "passed", "only": "passed", "outside": "error", "unknown": "error",
    }  # fmt: skip
    assert calls == ["soda"]
    assert (found["negative"].failed, found["negative"].evaluated_by) == (1, "engine")
    assert found["sum"].value == 9
    assert "no_such_column" in found["unknown"].message
    assert "secret" not in repr(found)


@requirement("DQ-10", "DQ-11")
def test_every_expectation_of_a_run_is_evaluated_in_one_process(envs: Path, calls: list[str]) -> None:
    checks = [
        gx("like", "expect_column_values_to_match_like_pattern", column="of", like_pattern="%"),
        gx("median", "expect_column_median_to_be_between", column="amount", min_value=0, max_value=2),
        gx("rows", "unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch} WHERE amount < 0"),
        gx("part", "expect_column_values_to_match_regex", column="of", regex="^sec"),
        gx("typed", "expect_column_values_to_be_of_type", column="id", type_="BIGINT"),
        gx("order", "expect_column_values_to_be_increasing", column="id"),
        gx("strictly", "expect_column_values_to_be_increasing", column="id", strictly=True),
        gx("only", "expect_column_values_to_match_regex", column="of", regex="^sec", where="id = 4"),
        gx("outside", "unexpected_rows_expectation", unexpected_rows_query=OUTSIDE),
        gx("nothing", "expect_column_values_to_please_everybody", column="id"),
        gx("nowhere", "expect_column_mean_to_be_between", column="no_such_column", max_value=1),
    ]
    found = results(checks, a_scene(ROWS, envs))
    assert {name: each.outcome for name, each in found.items()} == {
        "like": "passed", "median": "passed", "rows": "failed", "part": "failed", "typed": "passed",
        "order": "passed", "strictly": "failed", "only": "passed",
        "outside": "error", "nothing": "error", "nowhere": "error",
    }  # fmt: skip
    assert calls == ["great_expectations"]
    assert (found["rows"].failed, found["part"].failed, found["part"].evaluated) == (1, 2, 4)
    assert "pandas" in found["order"].message
    assert "no_such_column" in found["nowhere"].message
    assert "secret" not in repr(found)


def test_a_table_without_rows_is_looked_at_too(envs: Path) -> None:
    checks = [soda("soda", {"failed_rows": {"expression": "amount < 0"}})]
    assert results(checks, a_scene({name: [] for name in ROWS}, envs))["soda"].outcome == "passed"


def test_an_engine_that_is_not_there_is_no_pass_and_names_the_command(tmp_path: Path) -> None:
    checks = [soda("s", {"row_count": {}}), gx("g", "expect_column_to_exist", column="id")]
    found = results([*checks, a_custom(id="x", engine="spreadsheet", params={"native": {}})], a_scene(ROWS, tmp_path))
    assert {each.outcome for each in found.values()} == {"not_evaluated"}
    assert "dativo env create soda" in found["s"].message
    assert "dativo env create great_expectations" in found["g"].message
    assert "airflow-provider-dativo[gx]" in found["g"].message
    assert "spreadsheet" in found["x"].message


@pytest.mark.parametrize("recipe", [each for each in RECIPES.values() if each.extra], ids=lambda each: each.name)
def test_an_extra_that_a_message_names_brings_the_tool(recipe: Recipe) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert recipe.modules[0] in {text.partition(">")[0] for text in extras[recipe.extra]}


def test_a_tool_beside_us_serves_where_no_environment_was_made(tmp_path: Path) -> None:
    ours = Recipe("gauge", "Gauge", (), ("json", "sqlalchemy"))
    assert base.python_of(ours, Settings("/nowhere", envs=str(tmp_path))) == sys.executable
    assert base.python_of(replace(ours, modules=("no_such_gauge",)), Settings("/nowhere", envs=str(tmp_path))) == ""


def test_one_that_takes_too_long_costs_its_checks_an_error(envs: Path) -> None:
    slow = "SELECT * FROM range(100000) a, range(100000) b, staged WHERE a.range * b.range = -1"
    checks = [soda("slow", {"failed_rows": {"query": slow}}, params={"timeout_seconds": 8})]
    [found] = results(checks, a_scene(ROWS, envs)).values()
    assert found.outcome == "error"
    assert "8 s" in found.message


def test_a_cancelled_run_ends_the_engine(envs: Path) -> None:
    asked = iter(range(100_000))

    def check_cancelled() -> None:
        if next(asked) > 20:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        results([soda("s", {"row_count": {}})], a_scene(ROWS, envs, check_cancelled=check_cancelled))
