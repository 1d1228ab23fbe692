"""CSV files of Drive, held to the suite of readers and to the vendor's rules."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.connectors.google.drive.csv import DriveCsvReader
from dativo_provider.connectors.registry import open_reader
from dativo_provider.errors import (
    ConfigurationError,
    CredentialError,
    DataError,
    DativoError,
    SourceChanged,
    SourceUnavailable,
)
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import WindowRequest
from tests.conformance.readers import CONTRACT, FIELDS, ReaderConformance, ReaderWorld, Row
from tests.connectors.csv.world import cell
from tests.connectors.rest.fake import serving
from tests.connectors.vendors.google import refusal
from tests.connectors.vendors.google_drive import DOCUMENT, SHORTCUT, GoogleDrive
from tests.connectors.vendors.suite import Read, VendorSuite, fault_on
from tests.connectors.vendors.vendor import Answer, Asked, storm
from tests.support import proves, requirement


def connection(vendor: GoogleDrive, **more: Any) -> dict[str, Any]:
    urls = {"base_url": f"{vendor.url}/drive/v3", "token_url": f"{vendor.url}/token"}
    return {**urls, "token_audience": f"{vendor.url}/token", **vendor.credentials, **more}


class DriveWorld(ReaderWorld):
    """Each `add` uploads one more file."""

    def __init__(self, vendor: GoogleDrive) -> None:
        super().__init__()
        self.vendor, self.folder = vendor, vendor.folder("events")
        vendor.clock = self  # type: ignore[assignment]
        self._files = 0
        self.add([])

    # the clock of the fake is the world's
    def now(self) -> Any:
        return self.clock

    def sleep(self, seconds: float) -> None:
        """Nothing waits here."""

    def monotonic(self) -> float:
        return 0.0

    def source(self) -> SourceSpec:
        return self._source()

    def _source(self, **more: Any) -> SourceSpec:
        given = connection(self.vendor, folder_id=self.folder, **more)
        return SourceSpec("gdrive_csv", given, rate_limits={"requests": 1_000_000, "retry": {"max_retries": 0}})

    def stream(self, incremental: bool = False) -> StreamSpec:
        strategy = "file_modified_time" if incremental else "full_refresh"
        return StreamSpec("events", "*.csv", "events", CONTRACT, incremental=IncrementalSpec(strategy))

    def add(self, rows: Sequence[Row]) -> None:
        self._files += 1
        lines = [",".join(field.name for field in FIELDS), *(",".join(map(cell, each.values())) for each in rows)]
        with self.vendor.lock:
            self.vendor.put(f"{self._files:04}.csv", ("\n".join(lines) + "\n").encode(), self.folder)

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        empty = self.vendor.folder("empty")
        ugly = self.vendor.folder("ugly")
        self.vendor.put("twice.csv", b"a,b,a\n1,2,3\n", ugly)
        return {
            "a revoked token": (self._source(refresh_token="1//r3v0ked"), CredentialError),
            "an empty folder": (
                replace(self.source(), connection=connection(self.vendor, folder_id=empty)),
                ConfigurationError,
            ),
            "a name twice": (replace(self.source(), connection=connection(self.vendor, folder_id=ugly)), DataError),
            "unknown option": (replace(self.source(), options={"delimeter": ";"}), ConfigurationError),
            "an unknown setting": (self._source(foldr="x"), ConfigurationError),
            "nobody answers": (self._source(base_url="http://127.0.0.1:1"), SourceUnavailable),
        }

    def context(self) -> RunContext:
        return RunContext(Settings(home=""), now=lambda: self.clock, kept=self.vendor.kept)

    def open(self, source: SourceSpec, ctx: RunContext) -> Reader:
        return DriveCsvReader(source, ctx)


@requirement("CON-07")
class TestDriveCsvReader(ReaderConformance):
    connectors = ("gdrive_csv",)

    @pytest.fixture
    def world(self) -> Iterator[ReaderWorld]:
        vendor = GoogleDrive()
        vendor.quotas = []
        with serving(vendor):
            yield DriveWorld(vendor)


# Files --------------------------------------------------------------------------------------------------------


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleDrive]:
    made = GoogleDrive()
    monkeypatch.setattr("dativo_provider.connectors.rest.client.monotonic", made.clock.monotonic)
    with serving(made):
        yield made


class Reading(VendorSuite):
    """The way of the suite to read; its tests are the documents'."""

    __test__ = False
    connector = "gdrive_csv"

    def source(self, vendor: Any, **more: Any) -> SourceSpec:
        retry = {"max_retries": 12, "budget_seconds": 100_000}
        given = connection(vendor, **{**self.given, **more})
        return SourceSpec("gdrive_csv", given, rate_limits={"retry": retry}, options=self.options)

    def context(self, vendor: Any) -> RunContext:
        return vendor.context()

    options: Mapping[str, Any] = {}
    given: Mapping[str, Any] = {}


def read(vendor: GoogleDrive, path: str = ".", since: Any = None, **more: Any) -> Read:
    suite = Reading()
    suite.options = more.pop("options", {})
    changed, given = more.pop("on_changed_file", "refuse"), more.pop("connection", {})
    suite.given = given
    spec = StreamSpec("s", path, "s", ContractSpec("s"), incremental=IncrementalSpec("file_modified_time"),
                      on_changed_file=changed)  # fmt: skip
    return suite.read(vendor, since, spec=spec, **more)


def numbers(made: Read) -> list[int]:
    return sorted(int(row["n"]) for row in made.rows)


def asked(vendor: GoogleDrive, path: str) -> int:
    return sum(each.path == f"/drive/v3{path}" for each in vendor.asked)


def test_files_are_found_below_a_folder_by_path_pattern_or_id(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    below = vendor.folder("2026", top)
    one = vendor.put("a.csv", b"n\n1\n", top)
    vendor.put("b.CSV", b"n\n2\n", below)
    vendor.put("c.txt.gz", gzip.compress(b"n\n3\n"), vendor.folder("deep", below))
    vendor.put("image.png", b"\x89PNG", below)
    vendor.put("notes.csv", b"", top, DOCUMENT)
    vendor.put("elsewhere.csv", b"n\n9\n")
    inside: dict[str, Any] = {"connection": {"folder_id": top}}
    assert numbers(read(vendor, ".", **inside)) == [1, 2, 3]
    assert numbers(read(vendor, "*.csv", **inside)) == [1]
    assert numbers(read(vendor, "2026", **inside)) == [2, 3]
    assert numbers(read(vendor, "2026/*.CSV,a.csv", **inside)) == [1, 2]
    assert numbers(read(vendor, one)) == [1]
    assert numbers(read(vendor, ".", connection={"query": "name contains 'elsewhere'"})) == [9]


def test_two_files_of_one_name_both_arrive_and_a_shortcut_is_what_it_points_at(vendor: GoogleDrive) -> None:
    top, other = vendor.folder("top"), vendor.folder("other")
    vendor.put("a.csv", b"n\n1\n", top)
    vendor.put("a.csv", b"n\n2\n", top)
    target = vendor.put("x.csv", b"n\n3\n", other)
    vendor.put("y.csv", parent=top, mime=SHORTCUT, target=target)
    assert numbers(read(vendor, connection={"folder_id": top})) == [1, 2, 3]


def test_pages_may_be_short_and_only_a_missing_token_ends_them(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    for number in range(23):
        vendor.put(f"{number}.csv", f"n\n{number}\n".encode(), top)
    vendor.page = 5
    empty = Answer(body={"files": [], "nextPageToken": "0"})
    vendor.faults.append(fault_on("/drive/v3/files", empty))
    assert numbers(read(vendor, connection={"folder_id": top})) == list(range(23))
    vendor.faults.append(
        lambda asked: Answer(body={"files": [], "nextPageToken": "again"}) if asked.path == "/drive/v3/files" else None
    )
    with pytest.raises(SourceUnavailable, match="circle"):
        read(vendor, connection={"folder_id": top})


def test_a_shared_drive_is_read_and_followed_by_its_own_log(vendor: GoogleDrive) -> None:
    vendor.put("mine.csv", b"n\n7\n")
    vendor.put("a.csv", b"n\n1\n", "0Ashared")
    given: dict[str, Any] = {"connection": {"drive_id": "0Ashared"}}
    first = read(vendor, **given)
    assert numbers(first) == [1]
    second = read(vendor, since=first.cursor, **given)
    assert second.rows == []
    vendor.put("b.csv", b"n\n2\n", "0Ashared")
    third = read(vendor, since=second.cursor, **given)
    assert numbers(third) == [2]
    lists = asked(vendor, "/files")
    assert read(vendor, since=third.cursor, **given).rows == []
    assert asked(vendor, "/files") == lists


@requirement("CON-07")
def test_a_file_that_may_not_be_downloaded_is_told_and_comes_when_it_may(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    vendor.put("a.csv", b"n\n1\n", top)
    locked = vendor.put("locked.csv", b"n\n2\n", vendor.folder("deep", top), locked=True)
    given: dict[str, Any] = {"connection": {"folder_id": top}}
    made = read(vendor, **given)
    assert numbers(made) == [1]
    assert [note for note in made.window.notes if "deep/locked.csv" in note and "downloaded" in note]
    vendor.change(locked, locked=False)
    later = read(vendor, since=made.cursor, **given)
    assert (numbers(later), later.window.notes) == ([2], ())


@requirement("CON-07")
def test_a_file_named_by_its_id_that_was_never_to_be_seen_stops_the_run(vendor: GoogleDrive) -> None:
    one, other = vendor.put("a.csv", b"n\n1\n"), vendor.put("b.csv", b"n\n2\n")
    unshared = "1id_of_a_file_that_nobody_shared"
    with pytest.raises(ConfigurationError, match=unshared) as caught:
        read(vendor, f"{one},{unshared}")
    assert "share" in caught.value.remedy
    cursor = read(vendor, f"{one},{other}").cursor
    vendor.erase(one)
    later = read(vendor, f"{one},{other}", since=cursor)  # it was read before: its rows stay
    assert (later.rows, len(later.window.notes)) == ([], 1)


# Changes ------------------------------------------------------------------------------------------------------


@requirement("CON-07", "REG-07")
def test_nothing_is_listed_when_the_log_names_nothing_of_the_folder(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    vendor.put("a.csv", b"n\n1\n", top)
    given: dict[str, Any] = {"connection": {"folder_id": top}}
    cursor = read(vendor, **given).cursor
    for number in range(30):
        vendor.put(f"elsewhere {number}.csv", b"n\n9\n")
    vendor.page = 7
    lists = asked(vendor, "/files")
    again = read(vendor, since=cursor, **given)
    assert again.window.kind == "empty"
    assert asked(vendor, "/files") == lists
    assert asked(vendor, "/changes") == 5


@requirement("CON-07")
def test_new_files_come_whatever_their_date_and_whatever_brought_them(vendor: GoogleDrive) -> None:
    from datetime import UTC, datetime

    top, out = vendor.folder("top"), vendor.folder("out")
    moved = vendor.put("moved.csv", b"n\n3\n", out)
    wandering = vendor.folder("wandering", out)
    vendor.put("inside.csv", b"n\n4\n", wandering)
    vendor.put("a.csv", b"n\n1\n", top)
    given: dict[str, Any] = {"connection": {"folder_id": top}}
    cursor = read(vendor, **given).cursor
    vendor.put("old.csv", b"n\n2\n", top, modified=datetime(2001, 1, 1, tzinfo=UTC))
    made = read(vendor, since=cursor, **given)
    assert numbers(made) == [2]
    vendor.change(moved, parent=top)
    vendor.change(wandering, parent=top)  # the log tells of the folder alone
    later = read(vendor, since=made.cursor, **given)
    assert numbers(later) == [3, 4]
    assert read(vendor, since=later.cursor, **given).rows == []


def test_what_only_moved_was_renamed_or_touched_is_not_read_again(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    a, b = vendor.put("a.csv", b"n\n1\n", top), vendor.put("b.csv", b"n\n2\n", top)
    given: dict[str, Any] = {"connection": {"folder_id": top}}
    cursor = read(vendor, **given).cursor
    vendor.change(a, name="z.csv", parent=vendor.folder("deep", top))
    vendor.clock.forward(hours=1)
    vendor.change(b, content=b"n\n2\n")
    made = read(vendor, since=cursor, **given)
    assert made.rows == []
    vendor.change(b, content=b"n\n2\n5\n")
    with pytest.raises(SourceChanged, match="has changed"):
        read(vendor, since=made.cursor, **given)
    assert numbers(read(vendor, since=made.cursor, on_changed_file="replace", **given)) == [1, 2, 5]


def test_files_that_are_gone_are_told_and_may_replace_the_table(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    a, b, c = (vendor.put(f"{name}.csv", f"n\n{name}\n".encode(), top) for name in (1, 2, 3))
    vendor.put("4.csv", b"n\n4\n", top)
    given: dict[str, Any] = {"connection": {"folder_id": top}}
    cursor = read(vendor, **given).cursor
    vendor.change(a, trashed=True)
    vendor.erase(b)
    vendor.change(c, parent="root")
    made = read(vendor, since=cursor, **given)
    assert made.rows == []
    assert any("their rows stay" in note for note in made.window.notes)
    with pytest.raises(SourceChanged):
        read(vendor, since=cursor, options={"on_deleted_file": "refuse"}, **given)
    replaced = read(vendor, since=cursor, options={"on_deleted_file": "replace"}, **given)
    assert (replaced.window.kind, numbers(replaced)) == ("full", [4])
    vendor.change(a, trashed=False)
    assert numbers(read(vendor, since=replaced.cursor, **given)) == [1]


@requirement("CON-07", "REG-07")
def test_a_job_that_is_pointed_elsewhere_reads_what_is_there(vendor: GoogleDrive) -> None:
    """The logs of changes tell of what was asked for before."""
    one, two = vendor.folder("one"), vendor.folder("two")
    vendor.put("a.csv", b"n\n1\n", one)
    vendor.put("b.csv", b"n\n2\n", two)
    cursor = read(vendor, "a*.csv", connection={"folder_id": one}).cursor
    made = read(vendor, "a*.csv,b*.csv", since=cursor, connection={"folder_id": two})
    assert numbers(made) == [2]
    vendor.put("c.csv", b"n\n3\n", two)
    assert read(vendor, "a*.csv,b*.csv", since=made.cursor, connection={"folder_id": two}).rows == []
    made = read(vendor, "*.csv", since=made.cursor, connection={"folder_id": two})
    assert numbers(made) == [3]
    found = read(vendor, "*.csv", since=made.cursor, connection={"query": "name contains 'a.csv'"})
    assert found.window.notes  # read before: its rows are there
    assert read(vendor, "*.csv", since=made.cursor, connection={"folder_id": two}).window.notes == ()


@requirement("CON-07")
def test_a_shared_drive_that_is_lost_stops_nothing_else(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    lost = vendor.put("lost.csv", b"n\n1\n", "0Alost")
    vendor.put("link.csv", parent=top, mime=SHORTCUT, target=lost)
    given: dict[str, Any] = {"connection": {"folder_id": top}}
    cursor = read(vendor, **given).cursor
    vendor.put("b.csv", b"n\n2\n", top)
    cursor = read(vendor, since=cursor, **given).cursor
    assert cursor is not None
    assert cursor.value["logs"].keys() == {"user", "0Alost"}
    vendor.erase(lost)
    gone = refusal(404, "Shared drive not found: 0Alost", "NOT_FOUND", "notFound", "driveId")
    vendor.faults.append(lambda asked: gone if asked.query.get("driveId") == "0Alost" else None)
    vendor.put("c.csv", b"n\n3\n", top)
    made = read(vendor, since=cursor, **given)
    assert numbers(made) == [3]
    assert made.cursor is not None
    assert made.cursor.value["drives"] == []


def test_a_position_that_drive_does_not_take_lists_everything(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    vendor.put("a.csv", b"n\n1\n", top)
    given: dict[str, Any] = {"connection": {"folder_id": top}}
    cursor = read(vendor, **given).cursor
    assert cursor is not None
    vendor.put("b.csv", b"n\n2\n", top)
    stale = replace(cursor, value={**cursor.value, "logs": {"user": "x"}})
    assert numbers(read(vendor, since=stale, **given)) == [2]


def test_a_file_that_arrives_when_the_folder_has_just_been_listed_comes_with_the_next_run(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    vendor.put("a.csv", b"n\n1\n", top)

    def arrive(asked: Asked) -> None:
        lists = [each for each in vendor.asked if each.path == "/drive/v3/files"]
        if len(lists) == 1 and asked.path != "/drive/v3/files":
            vendor.faults.clear()
            vendor.put("b.csv", b"n\n2\n", top)

    vendor.faults.append(arrive)
    given: dict[str, Any] = {"connection": {"folder_id": top}}
    first = read(vendor, **given)
    assert len(vendor.nodes) == 3
    assert numbers(first) + numbers(read(vendor, since=first.cursor, **given)) == [1, 2]


# Bytes --------------------------------------------------------------------------------------------------------


@requirement("CON-07", "ERR-02")
def test_a_download_that_breaks_off_goes_on_where_it_ended(vendor: GoogleDrive) -> None:
    content = b"n,s\n" + b"".join(b"%d,%s\n" % (n, b"x" * 50) for n in range(40_000))
    file = vendor.put("big.csv", content)
    vendor.broken_bodies = 7
    made = read(vendor, file)
    assert numbers(made) == list(range(40_000))
    ranges = [each.headers["range"] for each in vendor.asked if "range" in each.headers]
    assert len(ranges) >= 6


def test_a_file_that_changes_between_plan_and_read_stops_the_run(vendor: GoogleDrive) -> None:
    file = vendor.put("a.csv", b"n\n1\n")

    def replaced(asked: Asked) -> None:
        if asked.query.get("alt") == "media":
            vendor.nodes[file].content = b"n\n2\n"

    vendor.faults.append(replaced)
    with pytest.raises(SourceChanged, match="changed after this run was planned"):
        read(vendor, file)


def test_a_missing_right_is_named_also_when_only_content_is_refused(vendor: GoogleDrive) -> None:
    vendor.put("a.csv", b"n\n1\n")
    vendor.forbidden.add("drive.readonly")
    with pytest.raises(CredentialError) as caught:
        read(vendor)
    assert "drive.readonly" in caught.value.remedy


@proves("faults", "gdrive_csv")
@requirement("CON-07", "ERR-02")
def test_ten_thousand_records_survive_random_faults(vendor: GoogleDrive) -> None:
    top = vendor.folder("top")
    for first in range(0, 10_000, 125):
        lines = "".join(f"{number}\n" for number in range(first, first + 125))
        vendor.put(f"{first}.csv", f"n\n{lines}".encode(), top)
    vendor.page = 10
    faults = storm()

    def hurt(asked: Asked) -> Answer | None:
        """No 200 for a file: what is no file of the vendor's is told by its checksum, which another test tries."""
        answer = faults(asked)
        return None if answer and answer.status == 200 and asked.query.get("alt") == "media" else answer

    vendor.faults.append(hurt)
    assert numbers(read(vendor, connection={"folder_id": top}, want=4)) == list(range(10_000))


@proves("memory", "gdrive_csv")
@pytest.mark.slow
def test_a_large_file_is_read_in_little_memory(vendor: GoogleDrive) -> None:
    """150 MB, while no more than a few blocks are held, by Python or by Arrow."""
    line = b"1," + b"x" * 198 + b"\n"
    file = vendor.put("big.csv", b"n,s\n" + line * 800_000)
    assert len(vendor.nodes[file].content) > 150 << 20
    spec = StreamSpec("s", file, "s", ContractSpec("s"))
    with closing(open_reader(SourceSpec("gdrive_csv", connection(vendor)), RunContext(Settings(home="")))) as reader:
        [piece] = reader.slices(spec, reader.window(spec, WindowRequest(full=True)), 1)
        tracemalloc.start()
        before, rows, held = pa.total_allocated_bytes(), 0, 0
        for batch in reader.read(spec, piece):
            rows += batch.data.num_rows
            held = max(held, pa.total_allocated_bytes() - before)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert rows == 800_000
    assert peak < 64 << 20
    assert held < 64 << 20
