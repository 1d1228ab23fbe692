"""What the pages of Google's connectors say."""

from __future__ import annotations

from collections.abc import Mapping

from dativo_provider.connectors.csv import CONNECTORS as LOCAL
from dativo_provider.connectors.files.guide import CHANGES

__all__ = ["DRIVE", "DRIVE_NOTES", "DRIVE_OPTIONS", "LOGIN", "SHEET_NOTES", "SHEET_OPTIONS"]

LOGIN: Mapping[str, str] = {
    "google_oauth2": "the JSON of a login: a service account's key, or `client_id`, `client_secret`, `refresh_token`; "
    "default: the tenant's secret `google_oauth2` (`secrets/<tenant>/google_oauth2.json`). Also `service_account_json`",
    "credentials_file": "the same as a file below the tenant's folders. Also `service_account_file`",
    "client_id, client_secret, refresh_token": "a user's login, each by itself",
    "client_email, private_key": "a service account, each by itself; `subject` is the user it acts for",
    "scope": "scopes a service account asks for; default: those for reading",
    "base_url, token_url": "addresses of the API and of the token endpoint, for doubles and gateways",
}
DRIVE: Mapping[str, str] = {
    "folder_id": "the folder that paths of `source.files` are below, the last part of its address; default: My "
    "Drive, or the shared drive",
    "drive_id": "a shared drive",
    "query": "instead of a folder, a query of "
    "[Drive's own language](https://developers.google.com/workspace/drive/api/guides/ref-search-terms)",
}
DRIVE_OPTIONS: Mapping[str, str] = {
    **{name: text for name, text in {**CHANGES, **LOCAL[0].options}.items() if name != "hive_partitioning"},
    "on_deleted_file": "files that were moved away or trashed after they were read: `ignore` (default; their rows "
    "stay), `refuse`, or `replace`: read what is left and replace the table",
}
DRIVE_NOTES = (
    "Scope: `drive.readonly`. A service account sees what was shared with its e-mail address, and shared drives that "
    "it is a member of.",
    "`source.files` names ids (`file_id`), paths below the folder, or patterns: `2026/**/*.csv`. A folder means the "
    "CSV files below it. Shortcuts, also of folders, stand for what they point at; one whose file is gone is reported.",
    "A folder of a shared drive is read as the drive's members see it; an account that is no member sees what was "
    "shared with it.",
    "Files are known by their ids and told apart by their checksums: renaming, moving within the folder and a touched "
    "date read nothing again, and an upload with an old date is not missed. One that changed stops the run, unless "
    "`on_changed_file` says `append` (with a key) or `replace`.",
    "Options that make other rows of the same bytes (a delimiter, a header) read nothing again by themselves: the run "
    "tells it, unless `on_changed_file: replace` reads everything again.",
    "Drive's log of changes is asked first; where it names nothing of the folder, nothing is listed.",
    "A file of any size is read as it comes. A download that breaks off goes on where it ended, and its MD5 is "
    "compared with Drive's.",
    "Limits count in units: 325,000 a minute and user, 1,000,000 a minute and project, one terabyte a day and project "
    "([limits](https://developers.google.com/workspace/drive/api/guides/limits)). A list costs 100, a download 200 and "
    "a look-up 5: 3,000 requests and 1,500 downloads a minute are kept.",
)
SHEET_OPTIONS: Mapping[str, str] = {
    "sheet_id": "number (`gid`), title, or pattern of titles (`2026-*`: several as one stream); default: the first",
    "range": "`A1:F`, `B2:D90` or a named range; default: the whole grid, whatever its size",
    "header": "whether a row names the columns; default true",
    "header_row": "its number; default: the first row that is not blank",
    "header_rows": "rows of the header, joined as `Q1 / Sales`; default 1",
    "column_names": "names instead of those in the sheet, from the left",
    "duplicate_headers": "`refuse` (default), or `letter`: names that are there twice get the letter of their column",
    "merged": "`first` (default): a merged area has its value in its first cell; `fill`: in every one",
    "errors": "`reject` (default): a row with `#REF!` and its like goes to the quarantine; `null`, `text`",
    "blank": "values that make no row by themselves: `[false]` where boxes are ticked",
}
SHEET_NOTES = (
    "Scopes: `spreadsheets.readonly`, and `drive.metadata.readonly` to tell whether anything changed; without it "
    "every run reads the sheet and compares. Share the spreadsheet with the e-mail address of a service account.",
    "With `incremental: {strategy: spreadsheet_modified_time}` of a spreadsheet that did not change since the last run "
    "only the headers are read. A sheet that was edited, or is read by other options now, is read as a whole and "
    "replaces its rows, unless `on_changed_file` says otherwise.",
    "Google allows 60 reads a minute and user, 300 a minute and project "
    "([limits](https://developers.google.com/workspace/sheets/api/limits)). A request reads about 2 MB, so a minute is "
    "enough for some million cells.",
    "Values are what cells hold, not how they look: numbers, booleans and text by their kind, dates by the format of "
    "their column or the contract's type, in the spreadsheet's time zone, exact to the millisecond. Text is not "
    "parsed: `007` stays. Numbers of more than 15 digits are rounded by Sheets itself: keep them as text.",
    "Blank rows are left out wherever they are; a value below no name goes to the quarantine, its cell named.",
    "Somebody who edits a sheet of several requests while it is read stops the run; nothing of it is published.",
    "As a target the rows are published to a table of the deployment's catalog first, by any write mode and "
    "exactly once, and then shown in a sheet: `target.connection` names `spreadsheet_id` and `sheet` (default: "
    "the table's name), and logs in as a source does; the scope is `spreadsheets`. The sheet is the job's own: "
    "what people write into it is replaced with the next change, and one with content of somebody else's is "
    "refused.",
    "Readers of the sheet see the rows of before or of after, never a half: rows are written to a hidden sheet "
    "and taken over in one request, which a second writer cannot repeat. A run that dies between table and sheet "
    "is made good by its retry or the next run. Ten million cells a spreadsheet, for a moment twice the rows.",
    "Written are numbers that a double holds, booleans, text (never a formula), dates as dates in the "
    "spreadsheet's zone, to the millisecond; longer numbers, nested values and binary as text; NULL as an empty "
    "cell.",
    "A formula that changes by itself (`NOW`, `IMPORTRANGE`) is no edit for Drive: read it with `full_refresh`.",
)
