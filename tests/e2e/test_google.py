"""Google's connectors into Iceberg, by the example jobs of their pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.connectors.rest.fake import serving
from tests.connectors.vendors.google import Google
from tests.connectors.vendors.google_drive import DOCUMENT, GoogleDrive
from tests.connectors.vendors.google_sheets import BOOK, GoogleSheets, Tab
from tests.e2e.trial import Trial
from tests.support import requirement


@pytest.fixture
def sheets() -> Iterator[GoogleSheets]:
    made = GoogleSheets()
    made.clock.forward(seconds=(datetime.now(UTC) - made.clock.now() - timedelta(hours=2)).total_seconds())
    made.quotas = []
    with serving(made):
        yield made


@pytest.fixture
def drive() -> Iterator[GoogleDrive]:
    made = GoogleDrive()
    made.quotas = []
    with serving(made):
        yield made


def login(trial: Trial, google: Google) -> None:
    given = google.credentials
    trial.secret("google_oauth2", json.dumps(given), given["client_secret"], given["refresh_token"])


def example(trial: Trial, google: Google, connector: str, name: str, **connection: Any) -> Path:
    login(trial, google)
    limits = {"requests": 100_000, "per": "1m"}
    job = trial.example(connector, name, {"token_url": f"{google.url}/token", **connection}, rate_limits=limits)
    job.write_text(job.read_text().replace("1mHIWnDvW9cALRMq9OdNfRwjAthCUFUOACPp0Lkyl7b4", BOOK))
    return job


@requirement("CON-08")
def test_sheets_of_a_spreadsheet_are_one_table_that_follows_edits(trial: Trial, sheets: GoogleSheets) -> None:
    urls = {"base_url": f"{sheets.url}/v4", "drive_base_url": f"{sheets.url}/drive/v3"}
    job = example(trial, sheets, "google_sheets", "budget", **urls)
    january = Tab(1, "2026-01", [["Budget"], ["team", "sum"], ["red", 10], ["", 5]])
    january.merges = [{"sheetId": 1, "startRowIndex": 2, "endRowIndex": 4, "startColumnIndex": 0, "endColumnIndex": 1}]
    sheets.tabs = [january, Tab(2, "2026-02", [["Budget"], ["team", "sum"], ["blue", 7]]), Tab(3, "notes", [["x"]])]
    assert trial.dativo("validate", job).code == 0
    assert trial.succeeds(job)["books"]["extracted"] == 3
    asked = len(sheets.asked)
    assert trial.succeeds(job)["books"]["extracted"] == 0
    assert sum("batchGet" in each.path for each in sheets.asked[asked:]) == 2  # the two headers
    sheets.clock.forward(minutes=5)
    sheets.edit(sheets.tabs[1], [["Budget"], ["team", "sum"], ["blue", 9]])
    assert trial.succeeds(job)["books"]["extracted"] == 3
    found = trial.rows(job, "select team, sum from budget order by sum")
    assert found == [{"team": "red", "sum": 5}, {"team": "blue", "sum": 9}, {"team": "red", "sum": 10}]


@requirement("CON-07")
def test_csv_files_of_a_folder_arrive_once_whatever_their_date(trial: Trial, drive: GoogleDrive) -> None:
    top = drive.folder("partners")
    march = drive.folder("03", drive.folder("2026", top))
    drive.put("a.csv", b"deal_id,amount\n1,10\n2,20\n", march)
    drive.put("notes.txt", b"x", march)
    job = example(trial, drive, "gdrive_csv", "deals", base_url=f"{drive.url}/drive/v3", folder_id=top)
    assert trial.dativo("validate", job).code == 0
    assert trial.succeeds(job)["books"]["extracted"] == 2
    drive.put("elsewhere.csv", b"deal_id,amount\n8,80\n")
    assert trial.succeeds(job)["books"]["extracted"] == 0
    drive.put("late.csv", b"deal_id,amount\n3,30\n", march, modified=datetime(2001, 1, 1, tzinfo=UTC))
    assert trial.succeeds(job)["books"]["extracted"] == 1
    assert trial.rows(job, "select sum(amount) total from deals") == [{"total": 60}]


@requirement("CON-15")
def test_documents_of_a_shared_drive_stay_as_they_are_there(trial: Trial, drive: GoogleDrive) -> None:
    plan = drive.put("Plan", b"# Plan", "0AExampleOfASharedDrive", DOCUMENT)
    gone = drive.put("old.md", b"old", "0AExampleOfASharedDrive", "text/markdown")
    job = example(trial, drive, "google_drive", "handbook", base_url=f"{drive.url}/drive/v3")
    assert trial.dativo("validate", job).code == 0
    assert trial.succeeds(job)["books"]["extracted"] == 2
    drive.clock.forward(hours=1)
    drive.change(plan, content=b"# Plan B")
    drive.change(gone, trashed=True)
    trial.succeeds(job)
    assert trial.rows(job, "select path, content from documents") == [{"path": "Plan", "content": "# Plan B"}]


@requirement("CON-08")
def test_a_table_is_shown_as_a_sheet_that_follows_it(trial: Trial, sheets: GoogleSheets) -> None:
    login(trial, sheets)
    path = trial.example("google_sheets", "report", {})
    job = yaml.safe_load(path.read_text())
    urls = {"base_url": f"{sheets.url}/v4", "token_url": f"{sheets.url}/token"}
    job["target"]["connection"].update(urls, spreadsheet_id=BOOK)
    path.write_text(yaml.safe_dump(job))
    (trial.tenant / "data" / "orders_1.csv").write_text("id,region,amount\n1,north,2.5\n2,south,4\n")
    assert trial.dativo("validate", path).code == 0
    trial.succeeds(path)
    tab = next(each for each in sheets.tabs if each.title == "Report")
    assert sorted(tab.values({})[1:]) == [[1, "north", 2.5], [2, "south", 4]]
    writes = sum("batchUpdate" in asked.path for asked in sheets.asked)
    trial.succeeds(path)  # nothing new
    assert sum("batchUpdate" in asked.path for asked in sheets.asked) == writes
    (trial.tenant / "data" / "orders_2.csv").write_text("id,region,amount\n3,east,1\n2,south,5\n")
    sheets.forbidden.add("spreadsheets")
    assert trial.dativo("run", path).code == 2  # the table has the rows, the sheet could not be written
    sheets.forbidden.clear()
    trial.succeeds(path)
    found = sorted(tab.values({})[1:]) if tab in sheets.tabs else None
    assert found == [[1, "north", 2.5], [2, "south", 5], [3, "east", 1]]
