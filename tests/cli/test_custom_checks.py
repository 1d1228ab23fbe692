"""A job whose contract asks for a function of its tenant, and for Soda and Great Expectations by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import World
from tests.support import requirement

FUNCTION = """
import pyarrow as pa


def enough(rows: pa.Table, least: int) -> bool:
    return rows.num_rows >= least


def slow(rows: pa.Table) -> bool:
    import time

    time.sleep(60)
    return True


def broken(rows: pa.Table) -> bool:
    raise ValueError("jane@example.com")
"""


GX = """
- type: custom
  name: ever later
  engine: greatExpectations
  implementation: {type: expect_column_values_to_be_increasing, kwargs: {column: order_id}}
"""


def checked(world: World, rule: str) -> None:
    """The contract with one rule more."""
    folder = world.tenant / "checks"
    folder.mkdir(exist_ok=True)
    (folder / "orders.py").write_text(FUNCTION)
    text = world.contract.read_text()
    lines = [f"    {line}" if line else line for line in rule.strip().splitlines()]
    world.contract.write_text(text.rstrip() + "\n    quality:\n" + "\n".join(lines) + "\n")


def function(name: str, arguments: str = "{}", severity: str = "error") -> str:
    seconds = 3 if name == "slow" else 120
    return f"""
- type: custom
  name: by function
  engine: dativo
  severity: {severity}
  implementation: {{function: "checks.orders:{name}", arguments: {arguments}, timeout_seconds: {seconds}}}
"""


@requirement("SN-09", "DQ-09", "DQ-11")
def test_a_function_of_the_tenant_lets_a_run_publish_or_blocks_it(world: World) -> None:
    checked(world, function("enough", "{least: 3}"))
    assert world.run("--json").code == 1  # dirty rows are in the quarantine
    assert world.query("select count(*) as n from orders", "--json").json[0]["n"] > 0


@requirement("DQ-09")
@pytest.mark.parametrize(
    ("name", "arguments"), [("enough", "{least: 3000}"), ("broken", "{}"), ("nowhere", "{}"), ("slow", "{}")]
)
def test_one_that_says_no_or_breaks_blocks_and_quotes_no_value(world: World, name: str, arguments: str) -> None:
    checked(world, function(name, arguments))
    ran = world.run("--json")
    assert ran.code == 2
    [stream] = ran.json["streams"]
    assert stream["status"] == "blocked"
    assert "by function" in ran.out + ran.err
    assert "jane" not in ran.out + ran.err
    assert world.query("select count(*) as n from orders", "--json").json == [{"n": 0}]


@requirement("DQ-05", "DQ-10", "DQ-11")
def test_engines_asked_for_by_name_judge_before_anything_is_published(
    world: World, envs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATIVO_ENVS", str(envs))
    checked(
        world,
        """
- type: custom
  name: by soda
  engine: soda
  implementation: {row_count: {engine: soda, threshold: {must_be_greater_than: 1000}}}
- type: custom
  name: by gx
  engine: greatExpectations
  implementation: {type: expect_table_row_count_to_be_between, engine: great_expectations, kwargs: {min_value: 1}}
""",
    )
    ran = world.run("--json")
    assert ran.code == 2
    [found] = ran.json["streams"]
    results = {each["name"]: each for each in found["verdict"]["results"]}
    assert (results["by soda"]["outcome"], results["by soda"]["evaluated_by"]) == ("failed", "engine")
    assert (results["by gx"]["outcome"], results["by gx"]["evaluated_by"]) == ("passed", "engine")


@requirement("DQ-09", "CLI-05")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("enough", ""),
        ("nowhere", "there is no 'nowhere' in checks/orders.py"),
        ("json", ""),
    ],
)
def test_validate_warns_of_a_function_that_is_not_in_its_file(world: World, name: str, said: str) -> None:
    checked(world, function(name))
    (world.tenant / "checks" / "orders.py").write_text(
        "try:\n    import json\nexcept ImportError:\n    pass\n" + FUNCTION
    )
    found = world.dativo("validate", world.job)
    assert found.code == 0, found.out
    assert f"warning: check 'by function': {said}" in found.out if said else "by function" not in found.out


def test_validate_warns_of_a_file_that_is_none_or_cannot_be_imported(world: World) -> None:
    checked(world, function("enough"))
    file = world.tenant / "checks" / "orders.py"
    file.write_text("def enough(rows:\n    raise SystemExit('jane')\n")
    assert "checks/orders.py cannot be imported: SyntaxError, line 1" in world.dativo("validate", world.job).out
    file.unlink()
    assert "there is no 'checks.orders' below" in world.dativo("validate", world.job).out


@requirement("DQ-11", "CLI-05")
def test_validate_warns_of_an_engine_that_is_not_installed_here(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked(world, GX)
    monkeypatch.setenv("DATIVO_ENVS", str(tmp_path / "none"))
    found = world.dativo("validate", world.job)
    assert found.code == 0, found.out
    assert "it needs Great Expectations 1, which is not installed here" in found.out
    assert "dativo env create great_expectations" in found.out
    made = tmp_path / "none" / "great_expectations"
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").touch()
    (made / "dativo.json").write_text('{"name": "great_expectations", "requirements": [], "python": "3.11"}')
    assert "not installed" not in world.dativo("validate", world.job).out
