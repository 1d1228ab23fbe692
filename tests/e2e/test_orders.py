"""The example job on the shipped data, three runs, against counts made without Dativo (include/count_orders.py)."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.cli import main as cli
from tests.support import requirement

ROOT = Path(__file__).parents[2]
EXPECTED = json.loads((ROOT / "include" / "data" / "orders.expected.json").read_text())
FATES = ("extracted", "accepted", "quarantined", "rejected", "duplicates")


def answer(*words: str) -> tuple[int, Any]:
    """Exit code and JSON of a command."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = cli.main([*words])
    return code, json.loads(out.getvalue())


@dataclass
class Shop:
    """A copy of the example, so that files can arrive, and what its three runs came to."""

    folder: Path
    reports: list[dict[str, Any]]
    codes: list[int]

    @property
    def job(self) -> str:
        return str(self.folder / "dags" / "tenants" / "acme" / "jobs" / "orders.yaml")

    def run(self) -> None:
        code, report = answer("run", "--config", self.job, "--json")
        self.codes.append(code)
        self.reports.append(report["streams"][0])

    def ask(self, sql: str) -> list[dict[str, Any]]:
        code, rows = answer("query", "--config", self.job, "--json", sql)
        assert code == 0
        return list(rows)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    for name in ("dags", "include"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATIVO_HOME", str(folder / "home"))
        made = Shop(folder, [], [])
        made.run()
        made.run()
        for file in (ROOT / "include" / "data" / "orders_late").iterdir():
            shutil.copy(file, folder / "include" / "data" / "orders")
        made.run()
        yield made


def counts(report: dict[str, Any]) -> dict[str, int]:
    return {name: report["books"][name] for name in FATES}


@requirement("SN-15", "ING-01", "CON-05")
def test_the_first_run_counts_what_was_counted_by_hand(shop: Shop) -> None:
    assert counts(shop.reports[0]) == {name: EXPECTED["orders"][name] for name in FATES}
    assert shop.codes[0] == 1


@requirement("REG-07")
def test_the_second_run_finds_nothing_new_and_succeeds(shop: Shop) -> None:
    assert shop.reports[1]["status"] == "nothing_new"
    assert shop.codes[1] == 0


@requirement("STA-07", "REG-08")
def test_the_third_run_reads_only_the_new_file(shop: Shop) -> None:
    assert counts(shop.reports[2]) == {name: EXPECTED["orders_late"][name] for name in FATES}
    assert shop.codes[2] == 1


def total(name: str) -> Any:
    return sum(EXPECTED[run][name] for run in ("orders", "orders_late"))


@requirement("REG-10")
def test_the_table_holds_exactly_the_accepted_rows(shop: Shop) -> None:
    [found] = shop.ask(
        "select count(*) as n, sum(quantity)::bigint as q, sum(amount) as a, min(order_id) as lo, max(order_id) as hi, "
        "count(distinct order_id) as ids from orders"
    )
    assert found["n"] == found["ids"] == total("accepted")
    assert found["q"] == total("quantity")
    assert Decimal(found["a"]) == sum(Decimal(EXPECTED[run]["amount"]) for run in EXPECTED)
    assert (found["lo"], found["hi"]) == (EXPECTED["orders"]["smallest_id"], EXPECTED["orders_late"]["largest_id"])


@requirement("REG-09")
def test_every_time_zone_ends_in_the_right_month(shop: Shop) -> None:
    rows = shop.ask("select strftime(ordered_at, '%Y-%m') as m, count(*) as n from orders group by all order by all")
    months: dict[str, int] = {}
    for run in EXPECTED.values():
        for month, count in run["months"].items():
            months[month] = months.get(month, 0) + count
    assert {row["m"]: row["n"] for row in rows} == months


def test_the_quarantine_holds_the_rest_with_reasons_and_the_rows_as_they_came(shop: Shop) -> None:
    kinds = shop.ask("select kind, count(*) as n, min(len(reasons)) as r from orders_quarantine group by all")
    assert {row["kind"]: row["n"] for row in kinds} == {
        "quarantined": total("quarantined"),
        "rejected": total("rejected"),
    }
    assert all(row["r"] >= 1 for row in kinds)
    [row] = shop.ask("select count(*) as n from orders_quarantine where raw like '%N/A%' and kind = 'quarantined'")
    planted = json.loads((ROOT / "include" / "data" / "planted.json").read_text())
    assert row["n"] == sum(run.get("amount_text", 0) + run.get("two_faults", 0) for run in planted.values())


def test_text_survives_as_it_was_written(shop: Shop) -> None:
    from include.make_orders import COMMENTS

    rows = shop.ask("select distinct comment as c from orders where comment is not null")
    assert {row["c"] for row in rows} == set(COMMENTS)


def test_transformations_added_their_columns(shop: Shop) -> None:
    [row] = shop.ask("select count_if(discounted) as d, count(coupon) as c, count(unit_price) as u from orders")
    assert row["d"] == row["c"] > 0
    assert row["u"] == total("accepted")


def test_checks_count_what_the_reference_counts(shop: Shop) -> None:
    failed: dict[str, int] = {}
    for result in shop.reports[0]["verdict"]["results"]:
        failed[result["check_id"]] = result["failed"]
    wrong = EXPECTED["orders"]["wrong"]
    for column, count in wrong.items():
        of_column = [n for check, n in failed.items() if column in check]
        assert sum(of_column) >= count > 0, column


@requirement("TAG-02", "SN-08")
def test_tags_are_table_properties(shop: Shop) -> None:
    from dativo_provider.cli.context import settings
    from dativo_provider.lake.catalog import open_catalog

    properties = open_catalog(settings()).load_table("acme.orders").properties
    assert properties["dativo.classification.customer_email"].upper() == "PII"
    assert properties["dativo.governance.owner"] == "shop-data@example.com"
    assert properties["dativo.finops.cost_center"] == "marketing"
    assert properties["dativo.finops.budget_code"] == "B12345"


def test_the_runs_are_remembered(shop: Shop) -> None:
    _code, records = answer("runs", "--tenant", "acme", "--json")
    assert [record["status"] for record in records] == ["published", "nothing_new", "published"]
    assert records[2]["books"]["accepted"] == EXPECTED["orders"]["accepted"]


def test_pyarrow_reads_the_files_alone(shop: Shop) -> None:
    import pyarrow.dataset as ds

    files = [
        str(path) for path in (shop.folder / "home" / "warehouse").rglob("*.parquet") if "quarantine" not in str(path)
    ]
    table = ds.dataset(files).to_table(columns=["order_id", "amount"])
    assert table.num_rows == total("accepted")
    assert pa.types.is_int64(table.schema.field("order_id").type)
