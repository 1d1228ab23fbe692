"""Google: spreadsheets by the Sheets API; files, folders and documents by the Drive API."""

from __future__ import annotations

from dativo_provider.connectors.files import CAPABILITIES as FILES
from dativo_provider.connectors.google.guide import (
    DRIVE,
    DRIVE_NOTES,
    DRIVE_OPTIONS,
    LOGIN,
    SHEET_NOTES,
    SHEET_OPTIONS,
)
from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.connectors.rest import CAPABILITIES as REST
from dativo_provider.model.stream import Capabilities

__all__ = ["CONNECTORS", "SHEETS"]

SHEETS = Capabilities(incremental=True, ordered_cursor=False)

CONNECTORS = (
    ConnectorInfo(
        "google_drive",
        ("source",),
        "api",
        "Documents and files of Google Drive",
        REST,
        ("updated_at",),
        reader="dativo_provider.connectors.google.drive.reader:DriveReader",
    ),
    ConnectorInfo(
        "gdrive_csv",
        ("source",),
        "api",
        "CSV files of Google Drive",
        FILES,
        ("file_modified_time", "full_refresh"),
        reader="dativo_provider.connectors.google.drive.csv:DriveCsvReader",
        connection={**LOGIN, **DRIVE},
        options=DRIVE_OPTIONS,
        notes=DRIVE_NOTES,
    ),
    ConnectorInfo(
        "google_sheets",
        ("source", "target"),
        "api",
        "Sheets of Google spreadsheets",
        SHEETS,
        ("spreadsheet_modified_time", "full_refresh"),
        reader="dativo_provider.connectors.google.sheets.reader:SheetsReader",
        target="dativo_provider.pipeline.sheet_target:SheetTarget",  # joins this room and that of tables
        connection={
            **LOGIN,
            "spreadsheet_id": "of spreadsheets for `dativo discover`, the long part of their address",
            "drive_base_url": "address of the Drive API, for doubles and gateways",
        },
        options=SHEET_OPTIONS,
        notes=SHEET_NOTES,
    ),
)
