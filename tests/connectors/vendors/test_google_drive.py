"""Documents of Drive with their text, and its metadata by spec."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from dativo_provider.errors import CredentialError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from tests.connectors.rest.fake import serving
from tests.connectors.vendors.google import refusal
from tests.connectors.vendors.google_drive import DOCUMENT, GoogleDrive
from tests.connectors.vendors.suite import Read, VendorSuite
from tests.connectors.vendors.test_google_drive_csv import connection
from tests.connectors.vendors.vendor import Vendor, storm
from tests.support import requirement


@requirement("CON-15")
class TestDocuments(VendorSuite):
    connector, stream, make, key = "google_drive", "documents", GoogleDrive, ("file_id",)
    many = 1_000  # a request each
    # What a list repeats is told by its page tokens (test_google_drive_csv); only named fields are told at all.
    test_an_api_that_repeats_a_page_for_ever_is_left = None  # type: ignore[assignment]
    test_a_field_that_the_spec_does_not_know_is_told = None  # type: ignore[assignment]

    def source(self, vendor: Vendor, **more: Any) -> SourceSpec:
        assert isinstance(vendor, GoogleDrive)
        retry = {"max_retries": 12, "budget_seconds": 100_000}
        return SourceSpec(self.connector, connection(vendor, **more), rate_limits={"retry": retry})

    def context(self, vendor: Vendor) -> RunContext:
        assert isinstance(vendor, GoogleDrive)
        return vendor.context()

    def settle(self, vendor: Vendor) -> None:
        vendor.clock.forward(minutes=5)


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleDrive]:
    made = GoogleDrive()
    monkeypatch.setattr("dativo_provider.connectors.rest.client.monotonic", made.clock.monotonic)
    with serving(made):
        yield made


def read(vendor: GoogleDrive, since: Any = None, stream: str = "documents", **more: Any) -> Read:
    return TestDocuments().read(vendor, since, stream, **more)


@requirement("CON-15")
def test_each_kind_of_document_has_its_text_or_a_reason(vendor: GoogleDrive) -> None:
    slides = "application/vnd.google-apps.presentation"
    folder = vendor.folder("team / plans")
    vendor.put("Plan", "# Ziele\n\n* größer".encode(), folder, DOCUMENT)
    vendor.put("Talk", b"first slide", folder, slides)
    vendor.put("readme.md", b"\xef\xbb\xbf# Hi", mime="text/markdown")
    vendor.put("wide.txt", "ÿ wide".encode("utf-16"), mime="text/plain")
    vendor.put("latin.txt", "größer".encode("latin-1"), mime="text/plain")
    vendor.put("scan.pdf", b"%PDF", mime="application/pdf")
    vendor.put("Huge", b"x" * ((10 << 20) + 1), mime=DOCUMENT)
    vendor.put("Pictures", b"x" * ((10 << 20) + 1), mime=DOCUMENT, plain=b"no pictures")
    vendor.put("huge.txt", b"x" * ((10 << 20) + 1), mime="text/plain")
    made = read(vendor)
    found = {row["path"]: row for row in made.rows}
    plan = found["team %2F plans/Plan"]
    assert (plan["content"], plan["exported_as"], plan["characters"]) == ("# Ziele\n\n* größer", "text/markdown", 17)
    assert (plan["owner_email"], plan["name"]) == ("ann@example.com", "Plan")
    assert found["team %2F plans/Talk"]["content"] == "first slide"
    assert (found["Pictures"]["content"], found["Pictures"]["exported_as"]) == ("no pictures", "text/plain")
    assert found["readme.md"]["content"] == "# Hi"
    assert found["wide.txt"]["content"] == "ÿ wide"
    skipped = {path: row["skipped"] for path, row in found.items() if row["content"] is None}
    assert skipped == {
        "latin.txt": "encoding", "scan.pdf": "no text", "huge.txt": "large",
        "Huge": "the API answered 403: This file is too large to be exported.",
    }  # fmt: skip
    assert made.told("notes") == ["3 documents came without their text: the column `skipped` says why"]


def test_a_document_that_is_renamed_or_moved_away_is_followed(vendor: GoogleDrive) -> None:
    folder = vendor.folder("team")
    one, two = (vendor.put(name, b"text", folder, DOCUMENT) for name in ("one", "two"))
    first = read(vendor)
    vendor.change(one, name="uno")
    vendor.erase(two)
    made = read(vendor, first.cursor)
    assert [row["path"] for row in made.rows] == ["team/uno"]
    assert [row["file_id"] for row in made.gone] == [two]
    vendor.change(folder, trashed=True)
    last = read(vendor, made.cursor)
    assert (last.rows, [row["file_id"] for row in last.gone]) == ([], [one])


def test_a_job_of_another_folder_reads_that(vendor: GoogleDrive) -> None:
    one, two = vendor.folder("one"), vendor.folder("two")
    first, second = vendor.put("a", b"1", one, DOCUMENT), vendor.put("b", b"2", two, DOCUMENT)
    cursor = DocumentsBelow({"folder_id": one}).read(vendor).cursor
    made = DocumentsBelow({"folder_id": two}).read(vendor, cursor)
    assert [row["file_id"] for row in made.rows] == [second]
    assert [row["file_id"] for row in made.gone] == [first]


def test_a_run_without_changes_costs_one_request(vendor: GoogleDrive) -> None:
    vendor.add("documents", 20)
    cursor = read(vendor).cursor
    vendor.asked.clear()
    assert read(vendor, cursor).rows == []
    assert [each.path for each in vendor.asked if each.path != "/token"] == ["/drive/v3/changes"]


@requirement("CON-15")
def test_a_text_that_was_refused_comes_when_it_is_allowed_and_other_files_changed(vendor: GoogleDrive) -> None:
    vendor.put("flagged.txt", b"found harmless", mime="text/plain")
    locked = vendor.put("locked.txt", b"secret", mime="text/plain", locked=True)
    refused = refusal(403, "This file was identified as malware or spam.", "", "cannotDownloadAbusiveFile")
    vendor.faults.append(lambda asked: refused if asked.path.endswith("0001") else None)
    made = read(vendor)
    assert [row["content"] for row in made.rows] == [None, None]
    vendor.faults.clear()
    vendor.put("other.txt", b"other", mime="text/plain")
    vendor.asked.clear()
    made = read(vendor, made.cursor)
    assert sorted(row["content"] for row in made.rows) == ["found harmless", "other"]
    assert not [each for each in vendor.asked if each.path.endswith(locked)]  # its mark tells when it is unlocked
    vendor.put("more.txt", b"more", mime="text/plain")
    assert [row["content"] for row in read(vendor, made.cursor).rows] == ["more"]


@requirement("CON-15")
def test_a_document_whose_text_was_refused_is_gone_when_it_is_erased(vendor: GoogleDrive) -> None:
    file = vendor.put("flagged.txt", b"text", mime="text/plain")
    refused = refusal(403, "This file was identified as malware or spam.", "", "cannotDownloadAbusiveFile")
    vendor.faults.append(lambda asked: refused if "alt" in asked.query else None)
    made = read(vendor)
    vendor.erase(file)
    assert [row["file_id"] for row in read(vendor, made.cursor).gone] == [file]


@requirement("CON-07", "ERR-02")
def test_ten_thousand_files_are_listed_by_spec_through_a_storm(vendor: GoogleDrive) -> None:
    known = vendor.add("files", 10_000)
    vendor.put("trashed.txt", trashed=True)
    vendor.page = 460  # what Drive gives when parents are asked for
    vendor.faults.append(storm())
    made = read(vendor, stream="files", full=True)
    assert made.keys("id") == sorted(known)
    assert len(made.gone) == 1


def test_a_login_without_the_right_scope_is_told_which_one(vendor: GoogleDrive) -> None:
    vendor.add("files", 1)
    vendor.forbidden.add("drive.readonly")
    for stream in ("documents", "files"):
        with pytest.raises(CredentialError) as caught:
            read(vendor, stream=stream, full=True)
        assert "drive.readonly" in caught.value.remedy


@requirement("CON-15", "REG-08")
@pytest.mark.parametrize("seed", range(4))
def test_runs_after_any_changes_leave_what_a_full_read_finds(vendor: GoogleDrive, seed: int) -> None:
    """Files and folders made, edited, renamed, moved in and out, trashed, restored, erased, in any order."""
    chance = random.Random(seed)
    top = vendor.folder("top")
    folders, files = [top, vendor.folder("outside"), vendor.folder("a", top)], list[str]()
    scope = {"folder_id": top}
    table, cursor = dict[str, Any](), None

    def step() -> None:
        vendor.clock.forward(seconds=chance.random())
        what, parent = chance.randrange(8), chance.choice(folders)
        live = [id for id in files if id in vendor.nodes]
        if what <= 1 or not live:
            kind = chance.choice([DOCUMENT, "text/plain"])
            files.append(vendor.put(f"f{len(files)}", b"%d" % chance.randrange(99), parent, kind))
        elif what == 2:
            folders.append(vendor.folder(f"d{len(folders)}", parent))
        elif what == 3:
            vendor.change(chance.choice(live), content=b"%d" % chance.randrange(99))
        elif what == 4:
            vendor.change(chance.choice(live), name=f"n{chance.randrange(99)}", parent=parent)
        elif what == 5:
            vendor.change(chance.choice(live), trashed=chance.random() < 0.5)
        elif what == 6 and len(folders) > 3:
            moved = chance.choice(folders[3:])
            vendor.change(moved, parent=chance.choice([f for f in folders if not _below(vendor, f, moved)]))
        else:
            gone = chance.choice(live)
            vendor.erase(gone)

    for _ in range(12):
        for _ in range(chance.randrange(4)):
            step()
        made = DocumentsBelow(scope).read(vendor, cursor)
        table |= {row["file_id"]: row for row in made.rows}
        for row in made.gone:
            del table[row["file_id"]]
        cursor = made.cursor
        whole = DocumentsBelow(scope).read(vendor, full=True)
        wanted = {row["file_id"]: (row["path"], row["content"]) for row in whole.rows}
        assert {id: (row["path"], row["content"]) for id, row in table.items()} == wanted


def _below(vendor: GoogleDrive, folder: str, other: str) -> bool:
    while folder in vendor.nodes:
        if folder == other:
            return True
        folder = vendor.nodes[folder].parent
    return False


class DocumentsBelow(TestDocuments):
    __test__ = False

    def __init__(self, scope: dict[str, str]) -> None:
        self.scope = scope

    def source(self, vendor: Vendor, **more: Any) -> SourceSpec:
        return super().source(vendor, **self.scope, **more)
