"""Google's own documents refuse what its APIs would, from our readers and from our fakes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.rest.fake import Asked
from tests.connectors.vendors.discovery import Discovery
from tests.support import requirement

DRIVE, SHEETS = Discovery("drive.v3", "/drive/v3"), Discovery("sheets.v4")


def get(path: str, **query: str) -> Asked:
    return Asked("GET", path, query, {})


def post(path: str, body: Any) -> Asked:
    return Asked("POST", path, {}, {}, body)


@requirement("CON-07", "CON-08", "CON-15")
@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (get("/drive/v3/file"), "no method"),
        (Asked("POST", "/drive/v3/changes", {}, {}), "no method"),
        (get("/drive/v3/files", pagesize="10"), "Unknown name 'pagesize'"),
        (get("/drive/v3/files", pageSize="many"), "no integer"),
        (get("/drive/v3/files", pageSize="1001"), "out of bounds"),
        (get("/drive/v3/files", supportsAllDrives="True"), "no boolean"),
        (get("/drive/v3/changes"), "missing 'pageToken'"),
        (get("/drive/v3/files/1", alt="bytes"), "not one of its words"),
        (get("/drive/v3/files", fields="files(id,md5)"), "'md5'"),
        (get("/drive/v3/files", fields="files/shortcutDetails/target"), "'target'"),
        (get("/drive/v3/files", fields="files(owners(emailAddress),labels)"), "'labels'"),
        (get("/v4/spreadsheets/1", fields="sheets.properties.gridProperties.rows"), "'rows'"),
        (Asked("GET", "/drive/v3/files", {}, {}, {"q": ""}), "no body"),
        (post("/v4/spreadsheets/1:batchUpdate", {"requests": [{"addSheets": {}}]}), "'addSheets'"),
        (post("/v4/spreadsheets/1:batchUpdate", {"requests": [{"deleteSheet": {"sheetId": "7"}}]}), "no integer"),
        (post("/v4/spreadsheets/1/values:batchUpdateByDataFilter", {"valueInputOption": "TYPED"}), "'TYPED'"),
    ],
)
def test_a_request_that_google_does_not_know_is_refused(asked: Asked, why: str) -> None:
    document = DRIVE if asked.path.startswith("/drive") else SHEETS
    assert why in document.wrong(asked)


@requirement("CON-07", "CON-08")
def test_what_google_documents_passes() -> None:
    mask = "nextPageToken,files(id,owners(emailAddress,displayName),shortcutDetails/targetId,capabilities(canDownload))"
    assert DRIVE.wrong(get("/drive/v3/files", pageSize="1000", includeItemsFromAllDrives="true", fields=mask)) == ""
    assert DRIVE.wrong(get("/drive/v3/files/1", fields="*")) == ""
    told = {"data": [{"majorDimension": "ROWS", "values": [["a", 1.5, True, None]]}], "valueInputOption": "RAW"}
    assert SHEETS.wrong(post("/v4/spreadsheets/1/values:batchUpdateByDataFilter", told)) == ""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"files": [{"id": 7}]}, "files[0].id is no string"),
        ({"files": [{"size": 7}]}, "files[0].size is no string"),  # int64 travels as text
        ({"files": [{"capabilities": {"canRead": True}}]}, "'canRead'"),
        ({"items": []}, "'items'"),
    ],
)
def test_an_answer_of_a_fake_that_google_would_not_give_is_noticed(body: Any, why: str) -> None:
    assert why in DRIVE.answered_wrong(get("/drive/v3/files"), body)
    assert DRIVE.answered_wrong(get("/drive/v3/files"), {"files": [{"id": "7", "size": "7"}]}) == ""
