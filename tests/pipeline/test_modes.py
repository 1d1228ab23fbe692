"""Modes with a key, from source rows to the table: what is settled before the audit, and what the books say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.connectors.csv.reader import CsvReader
from dativo_provider.model.job import DeleteFlag, IncrementalSpec, PartitionSpec
from dativo_provider.pipeline.run import StreamReport
from tests.pipeline.build import Bench
from tests.support import requirement

DAYS = "2026-03-{:02d}T00:00:00Z"


def line(identity: object, region: str = "north", amount: object = "1.00", day: int = 1) -> str:
    return f"{identity},{region},{amount},{DAYS.format(day)}"


def bench(root: Path, mode: str = "merge", full: bool = False, **target: Any) -> Bench:
    stream = {"key": ("id",), "incremental": IncrementalSpec("full_refresh" if full else "file_modified_time")}
    return Bench(root, stream=stream, target={"mode": mode, **target}, job={"slices": 3})


def books(report: StreamReport) -> tuple[int, int, int, int]:
    assert report.error is None, report.error
    found = report.books
    return found.extracted, found.accepted, found.quarantined, found.duplicates


def amounts(made: Bench) -> dict[int, str]:
    return {row["id"]: str(row["amount"]) for row in made.rows() if row.get("is_current", True)}


@requirement("DQ-19", "ING-25")
def test_the_newest_of_a_run_wins_across_its_slices(tmp_path: Path) -> None:
    made = bench(tmp_path, order_by="updated_at")
    made.csv("a.csv", line(1, amount=3, day=3), line(2), line(1, amount=1, day=1))
    made.csv("b.csv", line(1, amount=2, day=2), line(3))
    report = made.run()
    assert books(report) == (5, 3, 0, 2)
    assert report.books.reasons["key.superseded"] == 2
    assert amounts(made) == {1: "3.00", 2: "1.00", 3: "1.00"}


@requirement("DQ-19")
@pytest.mark.parametrize("partitioned", [False, True])
def test_without_an_order_the_last_to_come_wins(tmp_path: Path, partitioned: bool) -> None:
    """Even where the row has moved from one partition to another and back."""
    made = bench(tmp_path, partitioning=(PartitionSpec("region"),) if partitioned else ())
    lines = [line(n % 10, ("north", "south", "east")[n % 3], n) for n in range(60)]
    made.csv("a.csv", *lines)
    assert books(made.run()) == (60, 10, 0, 50)
    assert amounts(made) == {n % 10: f"{n}.00" for n in range(50, 60)}


@requirement("ING-10", "ING-25")
def test_a_row_without_a_key_is_set_aside_and_matches_nothing(tmp_path: Path) -> None:
    made = bench(tmp_path)
    made.fields = [replace(field, required=False) for field in made.fields]
    made.csv("a.csv", line(1), line(""), line("x"), line(""))
    report = made.run()
    assert books(report) == (4, 1, 3, 0)
    assert [row["reasons"] for row in made.quarantine()].count(["key.required"]) == 2
    assert report.books.reasons["key.required"] == 3


@requirement("ING-10")
@pytest.mark.parametrize("mode", ["merge", "scd2"])
def test_a_flag_deletes_and_its_row_need_not_pass_the_checks(tmp_path: Path, mode: str) -> None:
    made = bench(tmp_path, mode, delete_flag=DeleteFlag("region", "gone"))
    made.rules = [{"type": "range", "column": "amount", "min": 0}]
    made.csv("a.csv", line(1), line(2), line(3))
    made.run()
    made.csv("b.csv", line(1, "gone", -5), line(2, "gone"), line(2, "back", 7), line(9, "gone"), line(3, "south", -1))
    report = made.run()
    assert books(report) == (5, 3, 1, 1)
    assert amounts(made) == {2: "7.00", 3: "1.00"}


@requirement("ING-10")
def test_deletes_of_a_source_that_tells_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = CsvReader.read

    def read(self: Any, *given: Any) -> Iterator[Any]:
        for batch in real(self, *given):
            regions = batch.data.column("region").to_pylist()
            ops = pa.array(["delete" if region == "bye" else "update" for region in regions])
            yield replace(batch, ops=ops)

    monkeypatch.setattr(CsvReader, "read", read)
    made = bench(tmp_path)
    made.csv("a.csv", line(1), line(2), line(2, "bye"), line(3, "bye"), line(3))
    assert books(made.run()) == (5, 3, 0, 2)
    assert sorted(amounts(made)) == [1, 3]


@requirement("ING-10")
def test_a_full_load_deletes_what_is_missing_but_not_what_was_set_aside(tmp_path: Path) -> None:
    made = bench(tmp_path, full=True, delete_missing=True)
    path = made.csv("a.csv", *(line(n) for n in range(40)))
    made.run()
    path.write_text("\n".join(["id,region,amount,updated_at", line(0, amount="bad"), *(line(n) for n in range(2, 40))]))
    report = made.run()
    assert books(report) == (39, 38, 1, 0)
    assert report.published is not None
    assert (report.published.updated, report.published.deleted) == (38, 1)
    assert sorted(amounts(made)) == [0, *range(2, 40)]


def test_a_row_nobody_can_name_keeps_every_row(tmp_path: Path) -> None:
    made = bench(tmp_path, full=True, delete_missing=True)
    path = made.csv("a.csv", *(line(n) for n in range(40)))
    made.run()
    path.write_text("\n".join(["id,region,amount,updated_at", line(""), *(line(n) for n in range(2, 40))]))
    assert books(made.run()) == (39, 38, 1, 0)
    assert len(amounts(made)) == 40


@requirement("ING-10")
def test_deletes_of_more_than_a_tenth_block_the_run_and_are_recorded(tmp_path: Path) -> None:
    from dativo_provider.store import open_store

    made = bench(tmp_path, full=True, delete_missing=True)
    path = made.csv("a.csv", *(line(n) for n in range(40)))
    made.run()
    path.write_text("\n".join(["id,region,amount,updated_at", *(line(n) for n in range(20))]))
    report = made.run()
    assert "20 of the 40 rows" in str(report.error)
    assert len(amounts(made)) == 40
    assert report.plan is not None
    record = open_store(made.context()).get(report.plan.plan_id)
    assert record is not None
    assert record.status == "blocked"


@requirement("ING-25")
def test_a_second_full_reading_merges_and_never_replaces(tmp_path: Path) -> None:
    made = bench(tmp_path, full=True)
    path = made.csv("a.csv", line(1), line(2))
    made.run()
    path.write_text("\n".join(["id,region,amount,updated_at", line(2, amount=5)]))
    made.run(full_refresh=True)
    assert amounts(made) == {1: "1.00", 2: "5.00"}


def test_versions_of_one_run_make_a_history_and_are_no_duplicates(tmp_path: Path) -> None:
    made = bench(tmp_path, "scd2", order_by="updated_at")
    made.csv("a.csv", line(1, day=3, amount=3), line(1, day=1), line(1, day=2, amount=2), line(1, day=2, amount=9))
    assert books(made.run()) == (4, 3, 0, 1)
    versions = sorted((row["valid_from"].day, str(row["amount"]), row["is_current"]) for row in made.rows())
    assert versions == [(1, "1.00", False), (2, "9.00", False), (3, "3.00", True)]
