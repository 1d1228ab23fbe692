"""The same check by us and by its own engine, over tables that are easy to count differently."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dativo_provider.envs.place import interpreter
from dativo_provider.envs.process import Call, call
from dativo_provider.envs.recipes import recipe
from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, Rule
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.engines.base import WORKERS
from dativo_provider.quality.frontends.compile import compile_rules
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.scan import evaluate
from dativo_provider.quality.stream import RowChecks
from dativo_provider.quality.verdict import decide
from tests.quality.support import a_plan

__all__ = ["FIELDS", "TABLES", "Case", "Said", "agree", "by_engine", "by_us", "by_worker"]

NOW = dt.datetime.now(dt.UTC)
FIELDS = (
    Field("id", "long"),
    Field("of", "string"),
    Field("amount", "double"),
    Field("price", "decimal(10,2)"),
    Field("day", "date"),
    Field("at", "timestamptz"),
)
SCHEMA = pa.schema([(each.name, to_arrow(each.type)) for each in FIELDS])
MINUTES = [NOW - dt.timedelta(minutes=n) for n in (30, 90, 300, 40, 31, 600)]
DAYS = [dt.date(2024, 1, n) for n in (1, 2, 3, 4, 5, 6)]


def _table(**columns: list[Any]) -> pa.Table:
    return pa.table([pa.array(columns[name], SCHEMA.field(name).type) for name in SCHEMA.names], schema=SCHEMA)


def _decimals(*texts: str | None) -> list[Decimal | None]:
    return [None if text is None else Decimal(text) for text in texts]


TABLES: Mapping[str, pa.Table] = {
    "clean": _table(
        id=[1, 2, 3, 4, 5, 6], of=["a", "b", "c", "d", "e", "f"], amount=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        price=_decimals("1.00", "2.50", "3.00", "4.00", "5.00", "6.25"), day=DAYS, at=MINUTES,
    ),
    "dirty": _table(
        id=[1, 2, 2, 4, None, 2], of=["a", "", "straße", None, "日本", "a"],
        amount=[-1.0, 2.0, 2.0, None, 1e300, 5.0],
        price=_decimals("0.00", "-2.50", None, "4.00", "4.00", "99999999.99"),
        day=[DAYS[5], DAYS[0], None, DAYS[0], DAYS[2], DAYS[1]], at=[*MINUTES[:4], None, MINUTES[5]],
    ),
    "nan": _table(
        id=[1, 2, 3, 4, 5, 6], of=["a", "b", "c", "d", "e", "f"],
        amount=[1.0, float("nan"), 3.0, None, float("inf"), 2.0],
        price=_decimals("1.00", "2.50", "3.00", "4.00", "5.00", "6.25"), day=DAYS, at=MINUTES,
    ),
    "nulls": _table(**{name: [None, None, None] for name in SCHEMA.names}),
    "empty": _table(**{name: [] for name in SCHEMA.names}),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """`body` as its author writes it (under `column`, where one is named)."""

    name: str
    body: Mapping[str, Any]
    column: str = ""
    counts: bool = True  # whether both count the same thing
    differs: Mapping[str, str] = field(default_factory=dict)  # table → why we decide otherwise there


@dataclass(frozen=True)
class Said:
    """`holds` is None where no verdict was reached; `looked` is false where there was no row to look at."""

    holds: bool | None
    failed: int | None = None
    why: str = ""
    looked: bool = True


def agree(ours: Said, theirs: Said, case: Case, table: str) -> None:
    """Verdicts, and counts of failing rows where both have one. A run without rows has nothing to check for us."""
    both = f"ours: {ours.why}\ntheirs: {theirs.why}"
    if not ours.looked and not TABLES[table].num_rows:
        return
    if table in case.differs:
        assert ours.holds != theirs.holds, f"they agree by now; it said: {case.differs[table]}\n{both}"
    else:
        assert ours.holds == theirs.holds, both
        if not theirs.holds and theirs.failed is not None and case.counts:
            assert ours.failed in (theirs.failed, 0), both


def by_us(language: str, case: Case, table: pa.Table) -> Said:
    """Compiled, evaluated and decided as a run does."""
    rule = Rule(language, case.body, case.column, "c.yaml:1:1")
    checks = [check for check in compile_rules([rule], FIELDS) if check.declared_in]
    assert checks, "the rule became no check"
    assert {check.kind for check in checks} != {"custom"}, "it is left to its engine"
    books = Books(extracted=table.num_rows, accepted=table.num_rows, produced=table.num_rows)
    plan = a_plan(checks)
    rows = RowChecks([check for check in checks if check.scope == "row"], SCHEMA)
    for batch in table.to_batches(max_chunksize=4):
        rows.evaluate(batch, {})
    scene = Scene(
        lambda names: iter(table.select(list(names)).to_batches()), books, NOW, Settings("/nowhere"), FIELDS, plan=plan
    )
    found = [*rows.results(), *evaluate([check for check in checks if check.scope == "dataset"], scene)]
    return _together(decide(plan, found, books, NOW).results)


def _together(results: Sequence[CheckResult]) -> Said:
    why = "; ".join(f"{each.outcome} {each.failed} {each.value} {each.message}" for each in results)
    outcomes = {each.outcome for each in results}
    holds = None if outcomes & {"error", "not_evaluated"} else "failed" not in outcomes
    return Said(holds, max(each.failed for each in results), why, outcomes != {"skipped"})


def by_engine(engine: str, cases: Sequence[Case], envs: Path, request_of: Any) -> dict[tuple[str, str], Said]:
    """Each case over each table, by our own worker in one process. `request_of(case)` is what it is asked."""
    python = interpreter(envs, engine)
    assert python
    program, variables = str(WORKERS / f"{engine}.py"), recipe(engine).variables
    return by_worker(python, Path(__file__).with_name("many.py"), cases, request_of, program, variables)


def by_worker(
    python: Path, worker: Path, cases: Sequence[Case], request_of: Any, program: str = "", variables: Any = None
) -> dict[tuple[str, str], Said]:
    def request(folder: Path) -> dict[str, Any]:
        requests = {}
        for name, table in TABLES.items():
            pq.write_table(table, folder / f"{name}.parquet", compression="lz4")
            checks = [{**request_of(case), "id": case.name, "where": ""} for case in cases]
            data = str(folder / f"{name}.parquet")
            requests[name] = {"data": data, "memory_mb": 256, "threads": 2, "names": [], "checks": checks}
        return {"worker": program, "requests": requests}

    modules = (str(WORKERS / "shared"),)
    found = call(Call(str(python), worker, 240, 4096, variables or {}, modules), request)["found"]
    return {(case, table): _said(each) for table, answers in found.items() for case, each in answers.items()}


def _said(answer: Mapping[str, Any]) -> Said:
    holds = {"passed": True, "failed": False, "skipped": True}.get(answer["outcome"])
    failed = answer.get("failed")
    return Said(holds, None if failed is None else int(failed), f"{answer}")
