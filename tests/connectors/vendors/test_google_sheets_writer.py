"""A sheet that shows a version of a table: whole, once, by one writer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.connectors.google.sheets.writer import SheetWriter, Shown
from dativo_provider.errors import ConfigurationError, CredentialError, DataError, DativoError
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from tests.connectors.rest.fake import serving
from tests.connectors.vendors.google_sheets import BOOK, GoogleSheets, Tab
from tests.connectors.vendors.suite import fault_on
from tests.connectors.vendors.test_google_sheets import connection, read
from tests.connectors.vendors.vendor import Answer, Asked, storm
from tests.support import requirement

N = (Field("n", "long"),)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleSheets]:
    made = GoogleSheets()
    monkeypatch.setattr("dativo_provider.connectors.rest.client.monotonic", made.clock.monotonic)
    with serving(made):
        yield made


def writer(vendor: GoogleSheets, title: str = "report") -> SheetWriter:
    retry = {"max_retries": 12, "budget_seconds": 100_000}
    source = SourceSpec("google_sheets", connection(vendor), rate_limits={"retry": retry})
    ctx = vendor.context()
    return SheetWriter(source, ctx).aimed(BOOK, title)


def shown(version: str, values: Sequence[Any], fields: Sequence[Field] = N) -> Shown:
    def batches() -> Iterable[pa.RecordBatch]:
        rows = [dict(zip((field.name for field in fields), row, strict=True)) for row in values]
        schema = pa.schema([pa.field(field.name, to_arrow(field.type)) for field in fields])
        yield pa.RecordBatch.from_pylist(rows, schema)

    return Shown(version, fields, len(values), batches)


def ns(*values: int) -> list[tuple[int]]:
    return [(value,) for value in values]


def tab(vendor: GoogleSheets, title: str = "report") -> Tab:
    return next(each for each in vendor.tabs if each.title == title)


def show(vendor: GoogleSheets, version: str, *values: int) -> None:
    made = writer(vendor)
    made.prepare()
    made.show(lambda: shown(version, ns(*values)))


def lose_answer(vendor: GoogleSheets, word: str) -> None:
    """The next update that says `word` is made, and a gateway keeps the answer."""

    def lost(asked: Asked) -> Answer | None:
        if word not in str(asked.body):
            return None
        vendor.faults.clear()
        assert vendor.update(asked, BOOK).status == 200
        return Answer(502, b"<html>gateway</html>")

    vendor.faults.append(lost)


@requirement("CON-08")
def test_a_sheet_shows_the_last_version_and_nothing_else(vendor: GoogleSheets) -> None:
    show(vendor, "1", *range(2000))
    sheet = tab(vendor)
    assert sheet.cells == [["n"], *([n] for n in range(2000))]
    number = sheet.id
    show(vendor, "2", 5)
    sheet = tab(vendor)
    assert (sheet.id, sheet.values({}), sheet.rows, sheet.columns) == (number, [["n"], [5]], 2, 1)
    show(vendor, "3")
    assert tab(vendor).values({}) == [["n"]]
    assert [each.title for each in vendor.tabs if each.hidden] == ["_dativo report"]


@requirement("CON-08")
def test_a_version_is_written_once_however_often_it_is_asked_for(vendor: GoogleSheets) -> None:
    show(vendor, "1", 1, 2)
    writes = sum("batchUpdate" in asked.path for asked in vendor.asked)
    show(vendor, "1", 1, 2)
    assert sum("batchUpdate" in asked.path for asked in vendor.asked) == writes


def test_people_see_the_rows_of_before_or_of_after(vendor: GoogleSheets) -> None:
    """Looked at between all requests."""
    show(vendor, "1", 1, 2, 3)
    seen: set[str] = set()
    vendor.faults.append(lambda asked: seen.add(str(tab(vendor).values({}))))  # type: ignore[func-returns-value]
    show(vendor, "2", 7, 8)
    seen.add(str(tab(vendor).values({})))
    assert seen == {"[['n'], [1], [2], [3]]", "[['n'], [7], [8]]"}


def test_a_writer_that_dies_leaves_the_sheet_and_is_cleaned_up_after(vendor: GoogleSheets) -> None:
    show(vendor, "1", 1)
    vendor.faults.append(fault_on("batchUpdateByDataFilter", Answer(401, {"error": {"code": 401}}), 99))
    with pytest.raises(DativoError):
        show(vendor, "2", 2)
    vendor.faults.clear()
    assert tab(vendor).values({}) == [["n"], [1]]
    assert len(vendor.tabs) > 3
    show(vendor, "3", 3)
    assert sorted(each.title for each in vendor.tabs) == ["Sheet1", "_dativo report", "report"]
    assert tab(vendor).values({}) == [["n"], [3]]


def test_a_lost_answer_to_the_take_over_is_no_second_one(vendor: GoogleSheets) -> None:
    show(vendor, "1", 1)

    lose_answer(vendor, "createDeveloperMetadata")
    show(vendor, "2", 2)
    assert tab(vendor).values({}) == [["n"], [2]]
    assert sorted(each.title for each in vendor.tabs) == ["Sheet1", "_dativo report", "report"]


@requirement("CON-08", "ERR-02")
def test_a_lost_answer_to_the_first_request_makes_one_sheet(vendor: GoogleSheets) -> None:
    lose_answer(vendor, "addSheet")
    writer(vendor).prepare()
    assert [each.title for each in vendor.tabs] == ["Sheet1", "report"]


@requirement("CON-08", "STA-09")
def test_a_writer_that_is_killed_at_any_request_and_begun_again_shows_every_row_once(vendor: GoogleSheets) -> None:
    """SIGKILL before and after Google does what the first request asks for, then the second, until none is left."""
    vendor.quotas = []
    show(vendor, "1", 1)
    seen, killed = set[int](), list[str]()
    begun = len(vendor.asked)

    def kill(asked: Asked) -> Answer | None:
        nonlocal begun
        seen.add(len(tab(vendor).values({})))
        if len(vendor.asked) - begun <= len(killed) // 2:
            return None
        if len(killed) % 2:
            known = vendor._routed(asked)
            assert known is not None
            assert known[0](asked, **known[1]).status == 200
        killed.append(asked.path)
        begun = len(vendor.asked)
        [child] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        return Answer(500)

    given = json.dumps(connection(vendor))
    command = [sys.executable, "-m", "tests.connectors.vendors.showing", given, "2", "45"]
    with vendor.lock:
        process = subprocess.Popen(command)
        vendor.faults.append(kill)
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
    assert [row[0] for row in tab(vendor).values({})] == ["n", *range(45)]
    assert sorted(each.title for each in vendor.tabs) == ["Sheet1", "_dativo report", "report"]
    assert seen == {2, 46}
    assert len([path for path in killed if path.endswith("batchUpdateByDataFilter")]) >= 4
    assert killed[-1].endswith(":batchUpdate")  # what was taken over is not written again


def test_of_two_writers_the_later_version_stays(vendor: GoogleSheets) -> None:
    """One that is held up cannot take the sheet over from a version that it has not seen, not even for a moment."""
    show(vendor, "1", 1)
    table: dict[str, Any] = {"version": "2", "rows": [2]}
    seen: list[str] = []

    def overtaken(asked: Asked) -> None:
        seen.append(str(tab(vendor).values({})))
        if asked.path.endswith("batchUpdateByDataFilter") and table["version"] == "2":
            table.update(version="3", rows=[3])
            mark = tab(vendor, "_dativo report")
            vendor.tabs.remove(mark)
            vendor.tabs.append(Tab(99, "_dativo report", metadata={"dativo.version": "3"}))
            tab(vendor).cells = [["n"], [3]]

    vendor.faults.append(overtaken)
    writer(vendor).show(lambda: shown(table["version"], ns(*table["rows"])))
    assert list(dict.fromkeys(seen)) == ["[['n'], [1]]", "[['n'], [3]]"]
    assert tab(vendor).values({}) == [["n"], [3]]
    assert tab(vendor, "_dativo report").metadata == {"dativo.version": "3"}


def test_a_version_that_is_shown_was_loaded_after_the_sheet_was_looked_at(vendor: GoogleSheets) -> None:
    """Whoever showed another one before that had loaded the table before: what is loaded now is no older."""
    show(vendor, "1", 1)
    looks = len(vendor.asked)

    def latest() -> Shown:
        assert [each.method for each in vendor.asked[looks:] if each.path.endswith(BOOK)][-1:] == ["GET"]
        return shown("2", ns(2))

    writer(vendor).show(latest)
    assert tab(vendor).values({}) == [["n"], [2]]


@requirement("ERR-02")
def test_a_storm_of_faults_writes_every_row_once(vendor: GoogleSheets) -> None:
    vendor.faults.append(storm())
    fields = (Field("n", "long"), Field("s", "string"))
    made = writer(vendor)
    made.prepare()
    made.show(lambda: shown("1", [(n, "x" * 1000) for n in range(10_000)], fields))
    assert [row[0] for row in tab(vendor).cells[1:]] == list(range(10_000))
    assert [quota.refused for quota in vendor.quotas] == [0, 0]


def test_what_is_written_is_read_back_as_it_was(vendor: GoogleSheets) -> None:
    vendor.zone = "America/New_York"
    fields = (
        Field("l", "long"), Field("d", "double"), Field("m", "decimal(20,2)"), Field("b", "boolean"),
        Field("s", "string"), Field("day", "date"), Field("at", "timestamptz"), Field("t", "timestamp"),
    )  # fmt: skip
    rows: list[tuple[Any, ...]] = [
        (2**53, 0.1, Decimal("12345678901234567.89"), True, "=1+2", date(2026, 2, 28),
         datetime(2026, 7, 1, 12, 0, 0, 250_000, UTC), datetime(1900, 1, 1)),
        (2**63 - 1, -1e300, Decimal("0.10"), False, "007", date(1, 1, 1), datetime(2026, 1, 1, tzinfo=UTC), None),
        (None, None, None, None, None, None, None, None),
        (0, 0.0, Decimal("-1.00"), None, "'quoted\n", date(9999, 12, 31), None, datetime(2026, 3, 29, 2, 30)),
    ]  # fmt: skip
    made = writer(vendor)
    made.prepare()
    made.show(lambda: shown("1", rows, fields))
    found = read(vendor, *fields, sheet_id="report").rows
    cast = [{**row, "l": int(row["l"]), "m": Decimal(str(row["m"]))} for row in found]
    names = [field.name for field in fields]
    wanted = [dict(zip(names, row, strict=True)) for row in rows if row[0] is not None]
    assert [{**row, "m": row["m"]} for row in cast] == wanted


def test_a_sheet_of_somebody_elses_is_not_overwritten(vendor: GoogleSheets) -> None:
    vendor.tabs.append(Tab(5, "report", [["my", "notes"]]))
    with pytest.raises(ConfigurationError, match="did not write") as caught:
        show(vendor, "1", 1)
    assert "name another sheet" in caught.value.remedy
    tab(vendor).cells = []
    show(vendor, "1", 1)
    assert tab(vendor).values({}) == [["n"], [1]]


def test_too_many_cells_and_too_long_text_are_told_before_the_sheet_changes(vendor: GoogleSheets) -> None:
    show(vendor, "1", 1)
    with pytest.raises(DataError, match="10,000,000 cells"):
        writer(vendor).show(lambda: Shown("2", N, 6_000_000, lambda: ()))
    with pytest.raises(DataError, match="more than 50000 characters"):
        writer(vendor).show(lambda: shown("2", [("x" * 50_001,)], (Field("s", "string"),)))
    assert tab(vendor).values({}) == [["n"], [1]]


def test_a_frozen_header_stays_frozen(vendor: GoogleSheets) -> None:
    show(vendor, "1", 1)
    tab(vendor).frozen = 1
    show(vendor, "2")
    assert tab(vendor).values({}) == [["n"]]


def test_the_right_to_write_is_named(vendor: GoogleSheets) -> None:
    vendor.forbidden.add("spreadsheets")
    with pytest.raises(CredentialError) as caught:
        show(vendor, "1", 1)
    assert "target: spreadsheets" in caught.value.remedy
