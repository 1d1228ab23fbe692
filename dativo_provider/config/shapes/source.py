"""`source:` of a job."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dativo_provider.config.shapes.base import Mapped, Names, Shape, text_or
from dativo_provider.vocabulary import OnChangedFile

__all__ = ["Engine", "File", "Incremental", "Reader", "Sheet", "Source", "Strategy", "Table"]

Strategy = Literal[
    "full_refresh", "incremental", "cursor_field", "updated_at", "updated_after", "created",
    "file_modified_time", "spreadsheet_modified_time", "cdc",
]  # fmt: skip


class Incremental(Shape):
    """How later runs read only what is new."""

    strategy: Strategy = Field(
        default="incremental",
        description="`full_refresh` reads everything; `incremental`, `cursor_field`, `updated_at`, `updated_after` and "
        "`created` follow a cursor column; the two `…_modified_time` follow files; `cdc` follows the change log.",
    )
    cursor_field: str = Field(
        default="",
        description="Column whose growing values tell what is new; of files, with `key`, which rows were there before.",
    )
    lookback_hours: float | None = Field(default=None, ge=0, description="Read this far below the last position again.")
    lookback_days: float | None = Field(default=None, ge=0, description="The same in days.")
    lookback_seconds: int | None = Field(default=None, ge=0, description="The same in seconds.")
    lag_seconds: int | None = Field(
        default=None, ge=0, description="Stay this far behind now, for rows that commit late. Default 60."
    )
    state_path: str = Field(default="", description="Accepted for older jobs; state lives in the table.")


class _Entry(Shape):
    object: str = Field(default="", description="Name of the stream and of its schema object in the contract.")
    key: Names = Field(default=[], description="Columns that identify a row; default: the contract's primary key.")
    asset: str = Field(default="", description="Contract of this stream alone, by name.")
    asset_path: str = Field(default="", description="Contract of this stream alone, by path.")
    options: Mapped = Field(default={}, description="Options of the connector for this stream alone.")


class Table(_Entry):
    """One table or query of a database."""

    name: str = Field(default="", description="`schema.table`. Either this or `query`.")
    query: str = Field(default="", description="A SELECT instead of a table; needs `object`.")
    cursor_field: str = Field(default="", description="Cursor column of this table; default: the one of `incremental`.")
    columns: list[str] = Field(default=[], description="Columns to read; default: all.")
    where: str = Field(default="", description="SQL condition on the rows to read.")


class File(_Entry):
    """One file, folder or glob pattern."""

    path: str = Field(default="", description="File, folder or pattern (`data/*.csv`, `s3://bucket/in/**/*.csv.gz`).")
    file: str = Field(default="", description="The same as `path`.")
    file_path: str = Field(default="", description="The same as `path`.")
    file_id: str = Field(default="", description="Id of a file on a drive.")
    id: str = Field(default="", description="Stable name of the file in state; default: its path.")
    cursor_field: str = Field(default="", description="With `key`, tells rows that were delivered before.")
    on_changed_file: OnChangedFile | None = Field(
        default=None, description="What to do with a file that changed after it was read; default: the source's."
    )


class Sheet(_Entry):
    """One sheet of a spreadsheet."""

    spreadsheet_id: str = Field(description="Id of the spreadsheet.")
    sheet_id: str = Field(default="", description="Id or title of the sheet; default: the first.")
    range: str = Field(default="", description="Cells to read in A1 notation; default: all.")
    id: str = Field(default="", description="Stable name in state.")
    on_changed_file: OnChangedFile | None = Field(
        default=None,
        description="What to do with a sheet that was edited after it was read; default: replace its rows.",
    )


class Reader(Shape):
    """A reader of your own."""

    type: Literal["plugin", "custom"] = Field(default="plugin", description="How the reader is found.")
    plugin_path: str = Field(default="", description="`package.module.Class`.")
    implementation: str = Field(default="", description="The same as `plugin_path`.")
    config: Mapped = Field(default={}, description="Handed to the reader as `self.config`.")


class Engine(Shape):
    """Which implementation of the connector runs, and its options."""

    type: str = Field(
        default="native", description="`native`, or the bridge that shall read instead: `singer`, `meltano`, `airbyte`."
    )
    options: Mapped = Field(
        default={},
        description="`batch_size`, `chunk_size`, `encoding`, `delimiter`, `quote_char`, …; of a bridge what it shall "
        "run: `tap`, `tap_package`, `tap_version`, `tap_config`, or `package`, `docker_image`.",
    )


TableEntry = Annotated[Table, BeforeValidator(text_or("name"), json_schema_input_type=str | Table)]
FileEntry = Annotated[File, BeforeValidator(text_or("path"), json_schema_input_type=str | File)]


class Source(Shape):
    """Where rows come from. One stream per entry of `tables`, `objects`, `files` or `sheets`, or one stream alone."""

    objects: list[str] = Field(default=[], description="Objects of an API, one stream each.")
    tables: list[TableEntry] = Field(default=[], description="Tables of a database, one stream each.")
    files: list[FileEntry] = Field(default=[], description="Files, one stream each.")
    sheets: list[Sheet] = Field(default=[], description="Sheets of spreadsheets, one stream each.")
    table: str = Field(default="", description="A single table, instead of `tables`.")
    path: str = Field(default="", description="A single file, folder or pattern, instead of `files`.")
    query: str = Field(default="", description="A single SELECT, instead of `tables`.")
    object: str = Field(default="", description="Name of the single stream.")
    columns: list[str] = Field(default=[], description="Columns to read of the single table; default: all.")
    where: str = Field(default="", description="SQL condition on the rows of the single table.")
    cursor_field: str = Field(default="", description="Cursor column of the single table.")
    key: Names = Field(default=[], description="Columns that identify a row, for every stream without its own.")
    incremental: Incremental | None = Field(default=None, description="How later runs read only what is new.")
    on_changed_file: OnChangedFile = Field(
        default="refuse", description="A file that changed after it was read: fail, read it again, or replace its rows."
    )
    connection_id: str = Field(default="", description="Airflow connection; its id begins with `<tenant>_`.")
    connection: Mapped = Field(
        default={}, description="Host, port, database, …; may hold `${VAR}` and `${SECRET:NAME}`."
    )
    credentials: Mapped = Field(default={}, description="Merged over `connection`; for secrets.")
    dsn: str = Field(default="", description="A whole connection string instead of `connection`.")
    rate_limits: Mapped = Field(default={}, description="Requests per second and retries against an API.")
    pool_size: int = Field(
        default=5, ge=1, le=1000, description="Connections to the source at once, over all tasks of the tenant's jobs."
    )
    engine: Engine | None = Field(default=None, description="Implementation of the connector and its options.")
    options: Mapped = Field(default={}, description="Options of the connector; merged over `engine.options`.")
    reader: Reader | None = Field(default=None, description="A reader of your own.")
    custom_reader: str = Field(default="", description="`path.py:Class` or `lib.so:create_reader`.")
