"""Sheets as a source, held to the suite of readers and to the vendor's rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dativo_provider.connectors.google.sheets.reader import SheetsReader
from dativo_provider.connectors.google.sheets.serial import as_instant, as_moment, serial_of
from dativo_provider.connectors.registry import open_reader
from dativo_provider.errors import (
    ConfigurationError,
    CredentialError,
    DataError,
    DativoError,
    SourceChanged,
    SourceUnavailable,
)
from dativo_provider.model.context import Connection, NoSecrets, RunContext
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from tests.conformance.readers import CONTRACT, FIELDS, ReaderConformance, ReaderWorld, Row
from tests.connectors.rest.fake import serving
from tests.connectors.vendors.google import service_account
from tests.connectors.vendors.google_sheets import BOOK, GoogleSheets, Tab
from tests.connectors.vendors.suite import Read, VendorSuite
from tests.connectors.vendors.vendor import Vendor
from tests.support import requirement


def connection(vendor: GoogleSheets, **more: Any) -> dict[str, Any]:
    urls = {"base_url": f"{vendor.url}/v4", "drive_base_url": f"{vendor.url}/drive/v3"}
    token = {"token_url": f"{vendor.url}/token", "token_audience": f"{vendor.url}/token"}
    return {**urls, **token, "spreadsheet_id": BOOK, **vendor.credentials, **more}


class SheetsWorld(ReaderWorld):
    """Each `add` is one more sheet of the spreadsheet; the stream reads all of them."""

    tells_null_from_empty = False

    def __init__(self, vendor: GoogleSheets) -> None:
        super().__init__()
        self.vendor = vendor
        vendor.quotas = []
        vendor.tabs[0].title, vendor.tabs[0].cells = "events 0", [[field.name for field in FIELDS]]

    def source(self) -> SourceSpec:
        return self._source()

    def _source(self, **more: Any) -> SourceSpec:
        limits = {"requests": 1_000_000, "retry": {"max_retries": 0}}
        return SourceSpec("google_sheets", connection(self.vendor, **more), rate_limits=limits)

    def stream(self, incremental: bool = False) -> StreamSpec:
        strategy = "spreadsheet_modified_time" if incremental else "full_refresh"
        options = {"sheet_id": "events *"}
        return StreamSpec("events", BOOK, "events", CONTRACT, incremental=IncrementalSpec(strategy), options=options)

    def add(self, rows: Sequence[Row]) -> None:
        with self.vendor.lock:
            number = len(self.vendor.tabs)
            tab = Tab(1000 + number, f"events {number}")
            self.vendor.tabs.append(tab)
            self.vendor.modified = self.clock + timedelta(seconds=number)
            self.vendor.version += 1
            tab.cells = [
                [field.name for field in FIELDS],
                *([_cell(value) for value in each.values()] for each in rows),
            ]
            tab.grow()

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        return {
            "a revoked token": (self._source(refresh_token="1//r3v0ked"), CredentialError),
            "no credentials": (self._source(refresh_token=""), CredentialError),
            "an unknown spreadsheet": (self._source(spreadsheet_id="1nowhere"), SourceChanged),
            "no id": (self._source(spreadsheet_id="https://docs.google.com/x"), ConfigurationError),
            "nobody answers": (self._source(base_url="http://127.0.0.1:1"), SourceUnavailable),
        }

    def context(self) -> RunContext:
        return RunContext(Settings(home=""), now=lambda: self.clock, kept=self.vendor.kept)

    def open(self, source: SourceSpec, ctx: RunContext) -> Reader:
        return SheetsReader(source, ctx)


def _cell(value: Any) -> Any:
    """What a double holds exactly is a number; the rest is text, as the target writes it."""
    if isinstance(value, int) and abs(value) <= 2**53:
        return value
    return "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)


@requirement("CON-08")
class TestSheetsReader(ReaderConformance):
    connectors = ("google_sheets",)

    @pytest.fixture
    def world(self) -> Iterator[ReaderWorld]:
        vendor = GoogleSheets()
        with serving(vendor):
            yield SheetsWorld(vendor)


def with_header() -> GoogleSheets:
    vendor = GoogleSheets()
    vendor.tabs[0].cells = [["id", "name"]]
    return vendor


@requirement("CON-08")
class TestGoogleSheets(VendorSuite):
    connector, stream, make, deletes = "google_sheets", "Sheet1", with_header, False
    many = 10_000
    # A sheet is no list of records with pages: it is read as a whole when it has changed.
    test_an_api_that_repeats_a_page_for_ever_is_left = None  # type: ignore[assignment]
    test_a_field_that_the_spec_does_not_know_is_told = None  # type: ignore[assignment]
    test_later_runs_read_what_changed = None  # type: ignore[assignment]

    def source(self, vendor: Vendor, **more: Any) -> SourceSpec:
        assert isinstance(vendor, GoogleSheets)
        retry = {"max_retries": 12, "budget_seconds": 100_000}
        return SourceSpec("google_sheets", connection(vendor, **more), rate_limits={"retry": retry})

    def context(self, vendor: Vendor) -> RunContext:
        assert isinstance(vendor, GoogleSheets)
        return vendor.context()

    def spec(self, stream: str = "", **options: Any) -> StreamSpec:
        rule = IncrementalSpec("spreadsheet_modified_time")
        return StreamSpec("s", BOOK, "s", ContractSpec("s"), incremental=rule, on_changed_file="replace",
                          options=options)  # fmt: skip

    def test_the_limit_is_kept_and_used(self, vendor: Vendor) -> None:
        assert isinstance(vendor, GoogleSheets)
        vendor.tabs[0].columns = 50
        vendor.tabs[0].rows = 200_000  # ten million cells, nearly all of them blank
        vendor.tabs[0].cells = [[f"c{n}" for n in range(50)], *([[1] * 50] * 500)]
        began = vendor.clock.monotonic()
        assert len(self.read(vendor, full=True).rows) == 500
        spent = vendor.clock.monotonic() - began
        assert [quota.refused for quota in vendor.quotas] == [0, 0]
        assert spent <= len(vendor.asked) / 0.9


# Cells --------------------------------------------------------------------------------------------------------


@pytest.fixture
def vendor() -> Iterator[GoogleSheets]:
    made = GoogleSheets()
    made.quotas = []
    with serving(made):
        yield made


def opened(vendor: GoogleSheets, **more: Any) -> Reader:
    ctx = vendor.context()
    return open_reader(SourceSpec("google_sheets", connection(vendor, **more)), ctx)


def read(vendor: GoogleSheets, *fields: Field, since: Any = None, full: bool = True, **options: Any) -> Read:
    spec = stream_of(*fields, **options)
    return TestGoogleSheets().read(vendor, since, spec=spec, full=full)


def stream_of(*fields: Field, **options: Any) -> StreamSpec:
    changed = options.pop("on_changed_file", "replace")
    return StreamSpec("s", BOOK, "s", ContractSpec("s", fields=fields), on_changed_file=changed, options=options)


def described(vendor: GoogleSheets, *fields: Field, **options: Any) -> dict[str, str]:
    with closing(opened(vendor)) as reader:
        return {each.name: each.type for each in reader.describe(stream_of(*fields, **options)).fields}


def rows(vendor: GoogleSheets, *fields: Field, **options: Any) -> list[Row]:
    return read(vendor, *fields, **options).rows


def sheet(*cells: Sequence[Any], **facts: Any) -> list[Tab]:
    made = Tab(0, "Sheet1", [list(row) for row in cells], **facts)
    made.grow()
    return [made]


def reads(vendor: GoogleSheets) -> int:
    return sum("batchGetByDataFilter" in asked.path for asked in vendor.asked)


def test_the_whole_grid_is_read_beyond_a_thousand_rows_and_column_z(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet([f"c{n}" for n in range(40)], *([[n] * 40 for n in range(2500)]))
    found = rows(vendor)
    assert [each["c39"] for each in found] == list(range(2500))
    assert len(found[0]) == 40


def test_a_blank_row_is_no_end_and_a_short_row_is_padded(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet([], ["", ""], ["a", "b", "c"], [1, "", "x"], [], ["", ""], [2], [3, "y"])
    made = read(vendor)
    assert made.rows == [
        {"a": 1, "b": None, "c": "x"},
        {"a": 2, "b": None, "c": None},
        {"a": 3, "b": "y", "c": None},
    ]


@requirement("CON-08")
def test_other_cells_of_a_spreadsheet_that_nobody_edited_are_read(vendor: GoogleSheets) -> None:
    vendor.tabs = [*sheet(["a", "b"], [1, 2]), Tab(7, "more", [["a"], [9]])]
    cursor = read(vendor, sheet_id="Sheet1", range="A1:A2").cursor
    other = read(vendor, full=False, since=cursor, sheet_id="more")
    assert other.rows == [{"a": 9}]
    moved = read(vendor, full=False, since=cursor, sheet_id="Sheet1", range="B1:B2")
    assert moved.rows == [{"b": 2}]
    again = read(vendor, full=False, since=moved.cursor, sheet_id="Sheet1", range="B1:B2")
    assert again.window.kind == "empty"


@requirement("CON-08", "REG-07")
def test_the_same_cells_by_other_options_are_other_rows(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["a", "b"], ["c", "d"], [1, 1], [2, 2])

    def first(*fields: Field, since: Any = None, **options: Any) -> Any:
        """The first row, and the state."""
        made = read(vendor, *fields, full=False, since=since, **options)
        again = read(vendor, *fields, full=False, since=made.cursor, **options)
        assert again.window.kind == "empty"
        return made.rows[0], made.cursor

    found, cursor = first()
    assert found == {"a": "c", "b": "d"}
    found, cursor = first(since=cursor, header_row=2)
    assert found == {"c": 1, "d": 1}
    found, cursor = first(since=cursor, header_row=2, range="A1:A4")
    assert found == {"c": 1}
    found, cursor = first(since=cursor, range="B2:B4")
    assert found == {"d": 1}
    found, cursor = first(Field("d", "double"), since=cursor, range="B2:B4")
    assert isinstance(found["d"], float)
    with pytest.raises(SourceChanged, match="has changed"):
        first(since=cursor, range="A2:A4", on_changed_file="refuse")


def test_a_long_gap_of_blank_rows_is_no_end(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["a", "b"], [1, 2], *([[]] * 60_000), [3, 4])
    assert [each["a"] for each in rows(vendor)] == [1, 3]


def test_rows_are_known_by_their_number_in_the_sheet(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet([], ["a"], [1], [], [2])
    with closing(opened(vendor)) as reader:
        spec = stream_of()
        window = reader.window(spec, _full())
        [batch] = [each for piece in reader.slices(spec, window, 1) for each in reader.read(spec, piece)]
    assert batch.positions is not None
    assert batch.positions.to_pylist() == [3, 5]
    assert batch.origin == f"{BOOK}/0"


def _full() -> Any:
    from dativo_provider.model.stream import WindowRequest

    return WindowRequest(full=True)


def test_names_that_are_there_twice_are_refused_or_told_apart(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["id", "sum", "sum"], [1, 2, 3])
    with pytest.raises(DataError, match="names 'sum' more than once") as caught:
        rows(vendor)
    assert "duplicate_headers: letter" in caught.value.remedy
    assert rows(vendor, duplicate_headers="letter") == [{"id": 1, "sum_B": 2, "sum_C": 3}]


def test_a_column_without_a_name_gets_its_letter_where_it_has_values(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["id", "", "name", ""], [1, True, "x"])
    assert rows(vendor) == [{"id": 1, "column_B": True, "name": "x"}]


def test_a_value_below_no_name_is_told_and_not_dropped(vendor: GoogleSheets) -> None:
    many = [[n] for n in range(30_000)]
    vendor.tabs = sheet(["id"], *many, [30_000, "a note"])
    made = read(vendor)
    assert len(made.rows) == 30_000
    assert made.rejects == 1


def test_a_header_may_be_anywhere_have_two_rows_or_none(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["Report of March"], ["", "Q1", "", "Q2"], ["id", "sold", "sent", "sold"], [1, 2, 3, 4])
    vendor.tabs[0].merges = [
        {"sheetId": 0, "startRowIndex": 1, "endRowIndex": 2, "startColumnIndex": 1, "endColumnIndex": 3}
    ]
    assert rows(vendor, header_row=2, header_rows=2) == [{"id": 1, "Q1 / sold": 2, "Q1 / sent": 3, "Q2 / sold": 4}]
    assert rows(vendor, header_row=3, duplicate_headers="letter")[0] == {"id": 1, "sold_B": 2, "sent": 3, "sold_D": 4}
    vendor.tabs = sheet([1, "x"], [2, "y"])
    assert rows(vendor, header=False) == [{"column_A": 1, "column_B": "x"}, {"column_A": 2, "column_B": "y"}]
    assert rows(vendor, header=False, column_names=["n", "s"])[1] == {"n": 2, "s": "y"}


def test_merged_cells_hold_their_value_once_or_everywhere(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["team", "name"], ["red", "ann"], ["", "bob"], ["", "cid"])
    vendor.tabs[0].merges = [
        {"sheetId": 0, "startRowIndex": 1, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 1}
    ]
    assert [each["team"] for each in rows(vendor)] == ["red", None, None]
    assert [each["team"] for each in rows(vendor, merged="fill")] == ["red", "red", None]


def test_the_kind_of_a_value_is_what_the_cell_holds_not_how_it_looks(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n", "x", "t", "b"], [1, 1.5, "007", True], [2.0, 2, "5.10", False], ["", "", "8e40", ""])
    assert described(vendor) == {"n": "long", "x": "double", "t": "string", "b": "boolean"}
    assert rows(vendor)[:2] == [{"n": 1, "x": 1.5, "t": "007", "b": True}, {"n": 2, "x": 2.0, "t": "5.10", "b": False}]
    mixed = rows(vendor, Field("t", "string"), Field("n", "string"), Field("b", "string"))
    assert [each["n"] for each in mixed] == ["1", "2", None]
    assert [each["b"] for each in mixed] == ["TRUE", "FALSE", None]


@pytest.mark.parametrize("serial", [2_958_466, Decimal("2958465.9999999999"), -693_594, Decimal("1e300")])
def test_a_serial_number_beyond_the_calendar_is_no_moment(serial: int | Decimal) -> None:
    with pytest.raises(ValueError, match="no date"):
        as_moment(serial)


@pytest.mark.parametrize(("serial", "zone"), [(Decimal("2958465.9"), "America/New_York"), (-693_593, "Asia/Tokyo")])
def test_a_moment_that_is_beyond_the_calendar_in_utc_is_none(serial: int | Decimal, zone: str) -> None:
    assert as_moment(serial)
    with pytest.raises(ValueError, match="no date"):
        as_instant(serial, zone)


def test_dates_are_serial_numbers_in_the_zone_of_the_spreadsheet(vendor: GoogleSheets) -> None:
    moment = datetime(2026, 7, 1, 12, 30, 15, 250_000)
    vendor.zone = "Europe/Berlin"
    serial = serial_of(moment)
    vendor.tabs = sheet(
        ["d", "m", "t", "i", "s"],
        [33, 2.5, 0.75, serial, 33],
        formats={0: "DATE", 1: "DATE_TIME", 2: "TIME", 4: "DATE"},
    )
    assert described(vendor) == {"d": "date", "m": "timestamp", "t": "time", "i": "double", "s": "date"}
    made = rows(vendor, Field("i", "timestamptz"), Field("s", "string"))
    assert made == [{
        "d": date(1900, 2, 1), "m": datetime(1900, 1, 1, 12), "t": time(18),
        "i": datetime(2026, 7, 1, 10, 30, 15, 250_000, UTC), "s": "1900-02-01",
    }]  # fmt: skip


def test_money_and_percents_are_the_numbers_behind_them(vendor: GoogleSheets) -> None:
    """`12,5 %` and `1.234,50 €` are how a German sheet shows them."""
    vendor.tabs = sheet(["rate", "price", "no"], [0.125, 1234.5, 7], [1, -3, 8], formats={0: "PERCENT", 1: "CURRENCY"})
    assert described(vendor) == {"rate": "double", "price": "double", "no": "long"}
    exact = rows(vendor, Field("price", "decimal(10,2)"))
    assert [each["price"] for each in exact] == [Decimal("1234.50"), Decimal("-3.00")]
    assert [each["rate"] for each in exact] == [0.125, 1.0]


def test_a_value_of_another_kind_travels_as_text_for_the_cast_to_judge(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n", "d"], [1, 33], ["n/a", "soon"], [2.5, 33.5])
    made = rows(vendor, Field("n", "long"), Field("d", "date"))
    assert [each["n"] for each in made] == ["1", "n/a", "2.5"]
    assert [each["d"] for each in made] == ["1900-02-01", "soon", "33.5"]


def test_cells_with_errors_reject_their_row_or_become_null(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n"], [1], ["#REF!"], [3])
    made = read(vendor)
    assert ([each["n"] for each in made.rows], made.rejects) == ([1, 3], 1)
    assert [each["n"] for each in rows(vendor, Field("n", "long"), errors="null")] == [1, None, 3]
    assert [each["n"] for each in rows(vendor, errors="text")] == ["1", "#REF!", "3"]


def test_unticked_boxes_fill_no_rows_when_the_job_says_so(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n", "done"], [1, True], ["", False], ["", False])
    assert len(rows(vendor)) == 3
    assert rows(vendor, blank=[False]) == [{"n": 1, "done": True}]
    vendor.tabs = sheet(["n", "zero"], [1, True], ["", 0])
    assert len(rows(vendor, blank=[False])) == 2


def test_sheets_are_named_by_number_title_or_pattern_and_cells_by_range(vendor: GoogleSheets) -> None:
    vendor.tabs = [
        Tab(0, "Überblick", kind="OBJECT"),
        Tab(11, "It's A1", [["x"], [1]]),
        Tab(12, "2026-01", [["y", "z"], [2, 3], [4, 5]]),
        Tab(13, "2026-02", [["y"], [6]]),
    ]
    vendor.named = {
        "numbers": {"sheetId": 12, "startRowIndex": 0, "endRowIndex": 2, "startColumnIndex": 1, "endColumnIndex": 2}
    }
    assert rows(vendor) == [{"x": 1}]
    assert rows(vendor, sheet_id="It's A1") == rows(vendor, sheet_id="11") == rows(vendor, range="'It''s A1'!A:C")
    assert [each["y"] for each in rows(vendor, sheet_id="2026-*")] == [2, 4, 6]
    assert rows(vendor, sheet_id="12", range="B1:B2") == rows(vendor, range="numbers") == [{"z": 3}]
    assert rows(vendor, sheet_id="12", range="A1:ZZZ5000") == [{"y": 2, "z": 3}, {"y": 4, "z": 5}]
    with pytest.raises(SourceChanged, match="no sheet '2026-03'") as caught:
        rows(vendor, sheet_id="2026-03")
    assert "2026-0" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="no cells"):
        rows(vendor, sheet_id="Überblick")
    with pytest.raises(ConfigurationError, match="no range"):
        rows(vendor, range="A1:B2:C3")
    with pytest.raises(ConfigurationError, match="header_rwo"):
        rows(vendor, header_rwo=1)


# Changes ------------------------------------------------------------------------------------------------------


@requirement("CON-08", "REG-07")
def test_an_unchanged_spreadsheet_is_not_read_again(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n"], [1])
    first = read(vendor, full=False)
    vendor.asked.clear()
    again = read(vendor, full=False, since=first.cursor)
    assert again.window.kind == "empty"
    assert [asked.path for asked in vendor.asked if asked.path != "/token"] == [f"/drive/v3/files/{BOOK}"]


def test_a_change_that_no_cell_shows_reads_but_publishes_nothing(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n"], [1])
    first = read(vendor, full=False)
    vendor.clock.forward(hours=1)
    vendor.edit()
    again = read(vendor, full=False, since=first.cursor)
    assert again.rows == []


def test_an_edited_sheet_is_read_as_a_whole(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n"], [1], [2])
    first = read(vendor, full=False)
    vendor.clock.forward(hours=1)
    vendor.edit(vendor.tabs[0], [["n"], [1], [5]])
    again = read(vendor, full=False, since=first.cursor)
    assert again.window.kind == "full"
    assert [each["n"] for each in again.rows] == [1, 5]
    with pytest.raises(SourceChanged, match="has changed"):
        read(vendor, full=False, since=first.cursor, on_changed_file="refuse")


def test_without_the_right_to_ask_drive_the_content_decides(vendor: GoogleSheets) -> None:
    vendor.forbidden.add("drive.metadata.readonly")
    vendor.tabs = sheet(["n"], [1])
    first = read(vendor, full=False)
    assert any("drive.metadata.readonly" in note for note in first.window.notes)
    vendor.clock.forward(hours=1)
    assert read(vendor, full=False, since=first.cursor).rows == []
    vendor.edit(vendor.tabs[0], [["n"], [7]])
    vendor.clock.forward(hours=1)
    assert [each["n"] for each in read(vendor, full=False, since=first.cursor).rows] == [7]


def test_an_edit_between_two_chunks_is_noticed(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n"], *([n] for n in range(30_000)))

    def edit(asked: Any) -> None:
        if "batchGetByDataFilter" in asked.path and reads(vendor) == edits:
            vendor.edit(vendor.tabs[0], [["n"], ["new"], *vendor.tabs[0].cells[1:]])

    edits = 2
    vendor.faults.append(edit)
    with pytest.raises(SourceChanged, match="edited the sheet while it was read"):
        read(vendor)
    vendor.faults[:] = [lambda asked: vendor.edit() if "batchGet" in asked.path else None]
    assert len(read(vendor).rows) == 30_001  # somebody changes another sheet all the time: this one is steady


def test_a_renamed_sheet_is_the_same_and_a_removed_one_is_told(vendor: GoogleSheets) -> None:
    vendor.tabs = [Tab(7, "old", [["n"], [1]])]
    spec = stream_of(sheet_id="7")
    with closing(opened(vendor)) as reader:
        [piece] = reader.slices(spec, reader.window(spec, _full()), 1)
        vendor.tabs[0].title = "new"
        assert sum(batch.rows for batch in reader.read(spec, piece)) == 1
        vendor.tabs = [Tab(8, "other")]
        with pytest.raises(SourceChanged):
            list(reader.read(spec, piece))


def test_a_sheet_that_got_smaller_while_it_is_read_is_told(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n"], *([n] for n in range(30_000)))

    def shrink(asked: Any) -> None:
        if "batchGetByDataFilter" in asked.path:
            vendor.tabs[0].rows = 100

    vendor.faults.append(shrink)
    with pytest.raises(SourceChanged):
        read(vendor)


def test_a_chunk_of_long_text_makes_the_next_one_smaller(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["a", "b"], *([["x" * 2000, "y" * 2000]] * 20_000))
    vendor.tabs[0].cells[1:12_000] = [["", 1]] * 11_999
    made = read(vendor, Field("b", "string"))
    assert len(made.rows) == 20_000
    assert made.largest < 48 << 20
    sizes = [asked.body["dataFilters"][0]["gridRange"] for asked in vendor.asked if "batchGet" in asked.path]
    assert min(each["endRowIndex"] - each["startRowIndex"] for each in sizes[:-1]) < 1000


# Logins -------------------------------------------------------------------------------------------------------


@requirement("CON-08", "SEC-01")
def test_a_service_account_logs_in_by_its_key_file(vendor: GoogleSheets, tmp_path: Any) -> None:
    import json

    (tmp_path / "key.json").write_text(json.dumps(service_account()))
    none = dict.fromkeys(vendor.credentials, "")
    for given in ({"service_account_json": json.dumps(service_account())}, {"credentials_file": "key.json"}):
        source = SourceSpec("google_sheets", connection(vendor, **none, **given), roots=(str(tmp_path),))
        with closing(open_reader(source, RunContext(Settings(home="")))) as reader:
            reader.check()
    outside = SourceSpec(
        "google_sheets", connection(vendor, **none, credentials_file="/etc/passwd"), roots=(str(tmp_path),)
    )
    with (
        pytest.raises(ConfigurationError, match="leaves the folders"),
        closing(open_reader(outside, RunContext(Settings(home="")))) as reader,
    ):
        reader.check()


def test_the_tenants_own_secret_is_the_default_login(vendor: GoogleSheets) -> None:
    import json

    class Secrets(NoSecrets):
        def get(self, tenant: str, name: str) -> str:
            assert (tenant, name) == ("acme", "google_oauth2")
            return json.dumps({**vendor.credentials, "token": "stale", "type": "authorized_user"})

    none = dict.fromkeys(vendor.credentials, "")
    ctx = RunContext(Settings(home=""), secrets=Secrets(), labels={"tenant": "acme"})
    with closing(open_reader(SourceSpec("google_sheets", connection(vendor, **none)), ctx)) as reader:
        reader.check()
    client = {"installed": {"client_id": "c", "client_secret": "s"}}
    source = SourceSpec("google_sheets", connection(vendor, **none, google_oauth2=client))
    with pytest.raises(CredentialError, match="not who has logged in"), closing(open_reader(source, ctx)) as reader:
        reader.check()


def test_a_token_that_ends_between_two_chunks_is_renewed(vendor: GoogleSheets) -> None:
    vendor.tabs = sheet(["n"], *([n] for n in range(30_000)))
    vendor.faults.append(lambda asked: vendor.expire() if reads(vendor) == 2 and "batchGet" in asked.path else None)
    assert len(read(vendor).rows) == 30_000


def test_an_office_file_is_told_with_what_to_do(vendor: GoogleSheets) -> None:
    vendor.office = True
    with pytest.raises(ConfigurationError) as caught:
        read(vendor)
    assert "save it as a spreadsheet" in caught.value.remedy


def test_an_airflow_connection_of_googles_provider_logs_in(vendor: GoogleSheets) -> None:
    import json

    class Connections:
        def get(self, connection_id: str) -> Connection:
            assert connection_id == "acme_google"
            urls = {name: value for name, value in connection(vendor).items() if name not in vendor.credentials}
            return Connection("google_cloud_platform", extra={"keyfile_dict": json.dumps(service_account()), **urls})

    ctx = RunContext(Settings(home=""), connections=Connections())
    with closing(open_reader(SourceSpec("google_sheets", connection_id="acme_google"), ctx)) as reader:
        reader.check()
    assert [asked.path for asked in vendor.asked] == ["/token", f"/v4/spreadsheets/{BOOK}"]
