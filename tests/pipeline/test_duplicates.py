from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.errors import StorageUnavailable
from dativo_provider.model.job import IncrementalSpec
from tests.pipeline.build import Bench, ids
from tests.support import requirement

KEYED = {"key": ("id",), "incremental": IncrementalSpec("file_modified_time", cursor_field="updated_at")}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, stream=dict(KEYED))


def order(identity: object, hour: int = 12) -> str:
    return f"{identity},north,1.00,2026-11-20T{hour:02}:00:00Z"


@requirement("REG-08")
def test_rows_delivered_again_are_duplicates_and_new_versions_are_not(bench: Bench) -> None:
    bench.csv("a.csv", order(1), order(2), order(3))
    bench.run()
    bench.csv("b.csv", order(2), order(3, hour=13), order(4))
    report = bench.run()
    assert report.error is None
    assert (report.books.accepted, report.books.duplicates) == (2, 1)
    assert ids(bench.rows()) == [1, 2, 3, 3, 4]


def test_the_same_row_twice_in_one_delivery_is_kept_once(bench: Bench) -> None:
    bench.csv("a.csv", order(1), order(1), order(2))
    assert bench.run().books.duplicates == 1
    assert ids(bench.rows()) == [1, 2]


def test_rows_without_a_cursor_value_are_never_taken_for_duplicates(bench: Bench) -> None:
    bench.csv("a.csv", "1,north,1.00,", "1,north,1.00,", order(2))
    assert bench.run().books.duplicates == 0
    assert ids(bench.rows()) == [1, 1, 2]


def test_earlier_cursors_of_later_files_are_looked_up_too(bench: Bench) -> None:
    bench.csv("a.csv", order(1, hour=10), order(2, hour=14))
    bench.run()
    bench.csv("b.csv", order(5, hour=12))
    bench.run()
    bench.csv("c.csv", order(9, hour=20), order(1, hour=10), order(5, hour=12))
    assert bench.run().books.duplicates == 2
    assert ids(bench.rows()) == [1, 2, 5, 9]


def test_without_a_cursor_only_an_identical_row_is_a_duplicate(bench: Bench) -> None:
    bench.stream = {"key": ("id",), "incremental": IncrementalSpec("file_modified_time")}
    bench.csv("a.csv", order(1), order(2), "4,,4.00,")
    bench.run()
    bench.csv("b.csv", order(1, hour=18), order(2), order(3), "4,,4.00,", "4,,4.50,")
    assert bench.run().books.duplicates == 2
    assert ids(bench.rows()) == [1, 1, 2, 3, 4, 4]


@requirement("QUA-01")
def test_a_bad_row_delivered_again_is_set_aside_once(bench: Bench) -> None:
    path = bench.csv("a.csv", order(1), order(""))
    bench.stream["on_changed_file"] = "append"
    bench.run()
    path.write_text(path.read_text() + order(3) + "\n")
    report = bench.run()
    assert report.error is None
    assert (report.books.accepted, report.books.quarantined, report.books.duplicates) == (1, 0, 2)
    assert len(bench.quarantine()) == 1


@pytest.mark.parametrize("hours", [(20, 10), (5, 10)], ids=["below", "above"])
def test_each_batch_looks_up_the_range_it_adds(bench: Bench, hours: tuple[int, int]) -> None:
    bench.csv("a.csv", order(1, hour=10))
    bench.run()
    for name, identity, hour in (("b1.csv", 2, hours[0]), ("b2.csv", 1, hours[1])):
        bench.csv(name, order(identity, hour=hour))
    assert bench.run().books.duplicates == 1
    assert ids(bench.rows()) == [1, 2]


@requirement("ERR-01")
def test_published_rows_that_cannot_be_read_now_are_worth_another_try(bench: Bench) -> None:
    bench.csv("a.csv", order(1))
    bench.run()
    for path in bench.home.rglob("run-*/*.parquet"):
        path.unlink()
    bench.csv("b.csv", order(1))
    assert isinstance(bench.run().error, StorageUnavailable)
