"""A function of the user's decides, and whatever it does costs one result at most."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.model.checks import CheckResult
from dativo_provider.model.job import SourceSpec
from tests.quality.engines.support import a_custom, a_scene, results
from tests.quality.support import a_plan
from tests.support import requirement

ROWS = {"id": [1, 2, 3, 4], "of": ["a", None, "jane@example.com", "d"], "amount": [1.0, -2.0, 3.5, None]}
SOURCE = """
import dataclasses, os, time
import pyarrow as pa, pyarrow.compute as pc
from checks.helpers import LIMIT

@dataclasses.dataclass
class Found:
    failed: int
    message: str = ""

def true(rows): return True
def false(rows): return rows.num_rows == 0
def count(rows, over): return pc.sum(pc.greater(rows["amount"], over)).as_py()
def mean(rows): return pc.mean(rows["amount"])
def mask(rows): return pc.greater(rows["amount"], 0)
def listed(rows): return [True, True, False, None]
def frame(rows: "pandas.DataFrame"): return rows["amount"] > 0
def asked(rows): return type(rows).__name__ == "DataFrame"
def columns(rows): return rows.column_names == ["id"]
def mapping(rows): return {"passed": False, "value": 7, "message": "seven"}
def made(rows): return Found(2, "two")
def helped(rows): return LIMIT == 3
def raises(rows): raise ValueError(rows["of"][2].as_py())
def exits(rows): raise SystemExit(0)
def dies(rows): os._exit(0)
def hangs(rows): time.sleep(60)
def grows(rows):
    kept = []
    while True: kept.append(b'x' * (1 << 24))
def nothing(rows): return None
def text(rows): return "jane@example.com"
def short(rows): return [True]
def infinite(rows): return float("nan")
def strange(rows): return {"verdict": "fine"}
def environment(rows): return not [name for name in os.environ if "SECRET" in name]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    package = tmp_path / "tenants" / "acme" / "checks"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "orders.py").write_text(SOURCE)
    (package / "helpers.py").write_text("LIMIT = 3\n")
    return tmp_path / "tenants" / "acme"


def run(root: Path, function: str, columns: tuple[str, ...] = (), where: str = "", **params: Any) -> CheckResult:
    plan = a_plan()
    plan = replace(plan, job=replace(plan.job, path=str(root / "jobs" / "orders.yaml"), source=SourceSpec("postgres")))
    check = a_custom(columns=columns, where=where, params={"function": function, **params})
    scene = a_scene(ROWS, plan=plan)
    scene = replace(scene, settings=replace(scene.settings, memory_limit_mb=64))
    return results([check], scene)["c"]


@requirement("DQ-09")
@pytest.mark.parametrize(
    ("name", "params", "outcome", "failed", "value"),
    [
        ("true", {}, "passed", 0, None),
        ("false", {}, "failed", 0, None),
        ("count", {"arguments": {"over": 0}}, "failed", 0, 2),
        ("count", {"arguments": {"over": 9}}, "passed", 0, 0),
        (
            "mean",
            {"allowed": {"op": "mustBeBetween", "value": [0, 1], "unit": "rows"}},
            "passed",
            0,
            pytest.approx(2.5 / 3),
        ),
        ("mask", {}, "failed", 1, 1),
        ("mask", {"allowed": {"op": "mustBeLessThan", "value": 50, "unit": "percent"}}, "passed", 1, 1),
        ("listed", {}, "failed", 1, 1),
        ("mapping", {}, "failed", 0, 7),
        ("made", {}, "failed", 2, 2),
        ("helped", {}, "passed", 0, None),
        ("environment", {}, "passed", 0, None),
    ],
)
def test_what_a_function_returns_is_a_verdict(
    root: Path, name: str, params: dict[str, Any], outcome: str, failed: int, value: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("A_SECRET", "x")
    found = run(root, f"checks.orders:{name}", **params)
    assert (found.outcome, found.failed, found.value) == (outcome, failed, value), found.message
    assert found.evaluated_by == "engine"


def test_a_function_may_ask_for_pandas_for_some_columns_and_for_some_rows(root: Path) -> None:
    pytest.importorskip("pandas")
    assert run(root, "checks.orders:frame").failed == 2  # NaN is not above 0 in pandas
    assert run(root, "checks.orders:asked", arguments={"as": "pandas"}).outcome == "passed"
    assert run(root, "checks.orders:columns", ("id",)).outcome == "passed"
    assert run(root, "checks.orders:columns", ("id",), where="amount > 0").outcome == "passed"
    assert run(root, "checks.orders:mask", where="amount > 0").outcome == "passed"


@requirement("DQ-09")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", r"raised ValueError \(orders\.py:\d+\)"),
        ("exits", "raised SystemExit"),
        ("dies", "ended without an answer"),
        ("hangs", "longer than 2 s"),
        ("grows", "MB of memory"),
        ("nothing", "NoneType, which is no verdict"),
        ("text", "which is no verdict|where a mask has"),
        ("short", "1 values for 4 rows"),
        ("infinite", "no finite number"),
        ("strange", "a mapping must have"),
        ("absent", "no function 'absent'"),
    ],
)
def test_a_function_that_raises_hangs_grows_or_talks_nonsense_costs_one_error(root: Path, name: str, said: str) -> None:
    import re

    found = run(root, f"checks.orders:{name}", timeout_seconds=2 if name == "hangs" else 60)
    assert (found.outcome, found.evaluated_by) == ("error", "none")
    assert re.search(said, found.message), found.message
    assert "jane" not in found.message


def test_only_files_of_the_tenant_are_imported(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text("def ok(rows): return True\n")
    (root / "linked.py").symlink_to(tmp_path / "elsewhere.py")
    for function in ("os:getcwd", "elsewhere:ok", "../../elsewhere.py:ok", f"{tmp_path}/elsewhere.py:ok", "linked:ok"):
        found = run(root, function)
        assert found.outcome == "error", function
        assert "there is no" in found.message
    assert "not of the form" in run(root, "ml_something").message


def test_a_file_may_be_named_by_its_path(root: Path) -> None:
    (root / "my-checks.py").write_text("def ok(rows): return True\n")
    assert run(root, "my-checks.py:ok").outcome == "passed"
    assert run(root, "checks/orders.py:true").outcome == "passed"
    assert run(root, "checks.orders.true").outcome == "passed"


def test_a_file_that_bears_the_name_of_another_module_is_told(root: Path) -> None:
    (root / "json.py").write_text("def ok(rows): return True\n")
    assert "rename the file" in run(root, "json:ok").message
