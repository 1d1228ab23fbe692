"""Where a job looks in Drive: folders by any of their names, shortcuts, what is not there, and other options later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from dativo_provider.connectors.google.drive.csv import DriveCsvReader
from dativo_provider.errors import ConfigurationError, SourceChanged
from tests.connectors.rest.fake import Answer, Asked, serving
from tests.connectors.vendors.google_drive import DOCUMENT, FOLDER, SHORTCUT, GoogleDrive
from tests.connectors.vendors.test_google_drive import DocumentsBelow
from tests.connectors.vendors.test_google_drive_csv import Reading, numbers, read
from tests.support import requirement


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleDrive]:
    made = GoogleDrive()
    made.quotas = []
    monkeypatch.setattr("dativo_provider.connectors.rest.client.monotonic", made.clock.monotonic)
    with serving(made):
        yield made


@pytest.fixture
def top(vendor: GoogleDrive) -> str:
    return vendor.folder("top")


def inside(folder: str) -> dict[str, Any]:
    return {"connection": {"folder_id": folder}}


def shortcut(vendor: GoogleDrive, parent: str, target: str, name: str = "link.csv") -> str:
    return vendor.put(name, parent=parent, mime=SHORTCUT, target=target)


@requirement("CON-07", "REG-07")
def test_a_new_file_in_my_drive_itself_is_seen_though_the_log_calls_the_folder_by_its_id(vendor: GoogleDrive) -> None:
    vendor.put("a.csv", b"n\n1\n")
    cursor = read(vendor, "*.csv").cursor
    vendor.put("b.csv", b"n\n2\n")
    made = read(vendor, "*.csv", since=cursor)
    assert numbers(made) == [2]
    assert read(vendor, "*.csv", since=made.cursor).window.kind == "empty"


@requirement("CON-07")
def test_a_shortcut_to_a_folder_stands_for_that_folder(vendor: GoogleDrive, top: str) -> None:
    other = vendor.folder("other")
    vendor.put("a.csv", b"n\n1\n", other)
    shortcut(vendor, other, top, "back")  # round in a circle
    link = shortcut(vendor, top, other, "link")
    first = read(vendor, **inside(top))
    assert numbers(first) == numbers(read(vendor, "link/*.csv", **inside(top))) == numbers(read(vendor, **inside(link)))
    vendor.put("b.csv", b"n\n2\n", other)
    assert numbers(read(vendor, since=first.cursor, **inside(top))) == [2]


@requirement("CON-07")
@pytest.mark.parametrize("member", [True, False])
def test_a_folder_of_a_shared_drive_is_read_by_members_and_by_those_it_is_shared_with(
    vendor: GoogleDrive, member: bool
) -> None:
    """What is seen as a member alone is not in the account's own corpus; who is none may not name the drive."""
    below = vendor.folder("2026", vendor.folder("team", "0Ashared"))
    vendor.put("a.csv", b"n\n1\n", below)
    if not member:
        vendor.shared.add("0Ashared")
    folder = vendor.nodes[below].parent
    first = read(vendor, **inside(folder))
    assert numbers(first) == [1]
    vendor.put("b.csv", b"n\n2\n", below)
    if not member:
        vendor.log.setdefault("", {}).update(vendor.log["0Ashared"])  # it shows in the account's own log
    later = read(vendor, since=first.cursor, **inside(folder))
    assert numbers(later) == [2]


@requirement("CON-07", "CON-15", "REG-07")
def test_the_first_files_of_a_shared_drive_that_was_empty_are_seen(vendor: GoogleDrive) -> None:
    given = {"drive_id": "0Ashared"}
    documents = DocumentsBelow(given).read(vendor)
    tables = read(vendor, "*.csv", connection=given)
    assert documents.rows == tables.rows == []
    vendor.put("a.csv", b"n\n1\n", "0Ashared")
    made = DocumentsBelow(given).read(vendor, documents.cursor)
    assert [row["path"] for row in made.rows] == ["a.csv"]
    assert numbers(read(vendor, "*.csv", since=tables.cursor, connection=given)) == [1]


@requirement("CON-15")
@pytest.mark.parametrize("erased", [False, True])
def test_documents_behind_a_shortcut_that_was_moved_away_or_deleted_are_gone(
    vendor: GoogleDrive, top: str, erased: bool
) -> None:
    """Only the shortcut's own entry tells: neither the target nor a folder that is read changed."""
    other = vendor.folder("other")
    plan = vendor.put("Plan", b"# Plan", other, DOCUMENT)
    link = shortcut(vendor, top, other, "link")
    made = DocumentsBelow({"folder_id": top}).read(vendor)
    assert [row["path"] for row in made.rows] == ["link/Plan"]
    if erased:
        vendor.erase(link)
    else:
        vendor.change(link, parent=vendor.folder("elsewhere"))
    later = DocumentsBelow({"folder_id": top}).read(vendor, made.cursor)
    assert ([row["file_id"] for row in later.gone], later.rows) == ([plan], [])


@requirement("CON-07")
def test_a_file_named_tsv_has_tabs_whatever_its_id(vendor: GoogleDrive, top: str) -> None:
    vendor.put("a.tsv", b"n\tm\n1\tx\n", top)
    vendor.put("b.csv", b"n,m\n2,y\n", top)
    made = read(vendor, **inside(top))
    assert sorted((row["n"], row["m"]) for row in made.rows) == [("1", "x"), ("2", "y")]
    suite = Reading()
    suite.given = inside(top)["connection"]
    with closing(suite.open(vendor)) as reader:
        assert {tuple(field.name for field in each.fields) for each in reader.discover()} == {("n", "m")}


@requirement("CON-07")
def test_a_shortcut_whose_file_is_gone_is_told_and_read_when_that_is_back(vendor: GoogleDrive, top: str) -> None:
    vendor.put("a.csv", b"n\n1\n", top)
    target = vendor.put("x.csv", b"n\n2\n", vendor.folder("other"), trashed=True)
    link = shortcut(vendor, top, target)
    made = read(vendor, **inside(top))
    assert numbers(made) == [1]
    assert [note for note in made.window.notes if "link.csv" in note and "shortcuts" in note]
    with pytest.raises(ConfigurationError, match=link):
        read(vendor, link)
    vendor.change(target, trashed=False)  # an entry of the target alone, which lies elsewhere
    later = read(vendor, since=made.cursor, **inside(top))
    assert (numbers(later), later.window.notes) == ([2], ())


@requirement("CON-07")
def test_a_shortcut_to_a_locked_file_is_read_when_that_is_unlocked(vendor: GoogleDrive, top: str) -> None:
    vendor.put("a.csv", b"n\n1\n", top)
    target = vendor.put("x.csv", b"n\n2\n", vendor.folder("other"), locked=True)
    shortcut(vendor, top, target)
    made = read(vendor, **inside(top))
    assert numbers(made) == [1]
    vendor.change(target, locked=False)
    assert numbers(read(vendor, since=made.cursor, **inside(top))) == [2]


@requirement("CON-15")
def test_a_shortcut_whose_document_is_gone_is_told_and_read_when_that_is_back(vendor: GoogleDrive, top: str) -> None:
    vendor.put("Plan", b"# Plan", top, DOCUMENT)
    target = vendor.put("Talk", b"# Talk", vendor.folder("other"), DOCUMENT, trashed=True)
    shortcut(vendor, top, target, "link")
    made = DocumentsBelow({"folder_id": top}).read(vendor)
    assert [row["path"] for row in made.rows] == ["Plan"]
    assert "link" in made.told("notes")[0]
    vendor.change(target, trashed=False)
    later = DocumentsBelow({"folder_id": top}).read(vendor, made.cursor)
    assert ([row["path"] for row in later.rows], later.told("notes")) == (["link"], None)


@requirement("CON-15")
def test_documents_that_were_locked_or_too_long_come_when_they_may(vendor: GoogleDrive, top: str) -> None:
    locked = vendor.put("locked.txt", b"secret", top, "text/plain", locked=True)
    vendor.put("long.txt", b"x" * 100, top, "text/plain")
    vendor.put("Long", b"y" * 100, top, DOCUMENT)
    short = DocumentsBelow({"folder_id": top, "largest": "50"})
    made = short.read(vendor)
    assert [row["content"] for row in made.rows] == [None] * 3
    vendor.change(locked, locked=False)
    made = short.read(vendor, made.cursor)
    assert [row["content"] for row in made.rows] == ["secret"]
    made = DocumentsBelow({"folder_id": top, "largest": "200"}).read(vendor, made.cursor)
    assert sorted(row["content"][0] for row in made.rows) == ["x", "y"]


@requirement("CON-07", "CON-15")
def test_a_folder_that_is_none_or_in_the_trash_stops_the_run(vendor: GoogleDrive, top: str) -> None:
    """Else a table would follow and lose its rows."""
    file = vendor.put("a.csv", b"n\n1\n", top)
    with pytest.raises(ConfigurationError, match="no folder"):
        read(vendor, **inside(file))
    made = DocumentsBelow({"folder_id": top}).read(vendor)
    vendor.change(top, trashed=True)
    with pytest.raises(SourceChanged, match="trash"):
        DocumentsBelow({"folder_id": top}).read(vendor, made.cursor)
    vendor.erase(top)
    with pytest.raises(SourceChanged):
        read(vendor, **inside(top))


@requirement("CON-07")
@pytest.mark.parametrize("mime", ["application/vnd.google-apps.spreadsheet", FOLDER])
def test_what_is_named_and_has_no_bytes_stops_the_run(vendor: GoogleDrive, mime: str) -> None:
    named = vendor.put("deals", b"n\n1\n", mime=mime)
    with pytest.raises(ConfigurationError, match=named) as caught:
        read(vendor, named)
    assert "google_sheets" in caught.value.remedy


@requirement("CON-07")
def test_a_file_that_is_named_by_its_path_has_to_be_there_once(vendor: GoogleDrive, top: str) -> None:
    with pytest.raises(ConfigurationError, match=r"deals\.csv"):
        read(vendor, "deals.csv,*.txt", **inside(top))
    file = vendor.put("deals.csv", b"n\n1\n", top)
    made = read(vendor, "deals.csv", **inside(top))
    assert numbers(made) == [1]
    vendor.erase(file)
    assert read(vendor, "deals.csv", since=made.cursor, **inside(top)).rows == []


@requirement("CON-07", "REG-07")
def test_options_that_make_other_rows_are_told_or_read_everything_again(vendor: GoogleDrive, top: str) -> None:
    vendor.put("a.csv", b"n;m\n1;2\n", top)
    cursor = read(vendor, options={"delimiter": ";"}, **inside(top)).cursor
    given: dict[str, Any] = {
        "since": cursor,
        "options": {"delimiter": ";", "header": False, "column_names": ["n", "m"]},
    }
    told = read(vendor, **given, **inside(top))
    assert told.rows == []
    assert "--full-refresh" in told.window.notes[0]
    following = DriveCsvReader.next_cursor(told.window, [], cursor)
    assert read(vendor, **{**given, "since": following}, **inside(top)).window.notes == ()
    again = read(vendor, **given, on_changed_file="replace", **inside(top))
    assert [row["n"] for row in again.rows] == ["n", "1"]
    assert read(vendor, **{**given, "since": again.cursor}, on_changed_file="replace", **inside(top)).rows == []


@requirement("CON-07", "ERR-02")
def test_a_download_that_breaks_off_behind_its_last_byte_has_ended(vendor: GoogleDrive) -> None:
    content = b"n\n1\n2\n"
    file = vendor.put("a.csv", content)

    def broken(asked: Asked) -> Answer | None:
        whole = asked.query.get("alt") == "media" and "range" not in asked.headers
        return Answer(200, content * 2, {"Content-Type": "text/csv"}, cut=True) if whole else None

    vendor.faults.append(broken)
    assert numbers(read(vendor, file)) == [1, 2]
