"""`target:` of a job."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dativo_provider.config.shapes.base import Interval, Mapped, Names, Shape, Wrong, text_or
from dativo_provider.config.shapes.evolution import Policies
from dativo_provider.config.shapes.source import Engine
from dativo_provider.vocabulary import OnTimeout, PublishTo, WriteMode

__all__ = [
    "Approval",
    "DeleteFlag",
    "FileFormat",
    "History",
    "MarkdownKv",
    "Partition",
    "Partitioning",
    "SchemaMode",
    "StateEncryption",
    "StoragePattern",
    "Target",
    "Writer",
]

FileFormat = Literal["parquet", "iceberg", "delta", "csv", "json", "markdown_kv"]
SchemaMode = Literal["strict", "merge", "relaxed"]
StoragePattern = Literal["row_per_kv", "document_level", "hybrid", "raw", "string"]

_GRAMMAR = "identity, day, month, hour, bucket[N] or truncate[W]"
_CALL = re.compile(r"\s*(\w+)\s*(?:\[\s*(\d+)\s*\])?\s*\(\s*(?:(\d+)\s*,\s*)?(.+?)\s*\)\s*")
_TRANSFORM = re.compile(r"(identity|day|month|hour)|(bucket|truncate)\[(\d{1,9})\]")
_PLURALS = {"days": "day", "months": "month", "hours": "hour"}


def _transform(text: str) -> str:
    name = _PLURALS.get(text, text).replace(" ", "")
    match = _TRANSFORM.fullmatch(name)
    if match is None:
        raise Wrong(f"'{text}' is not a partition transform", f"use {_GRAMMAR}")
    if match[3] is not None and int(match[3]) < 1:
        raise Wrong(f"'{text}': the number must be at least 1", f"use {_GRAMMAR}")
    return name


def _partition(value: Any) -> Any:
    """`day(created_at)`, `bucket[16](id)`, `bucket(16, id)` or a bare column."""
    if not isinstance(value, str):
        return value
    match = _CALL.fullmatch(value)
    if match is None:
        return {"column": value}
    number = match[2] or match[3]
    return {"column": match[4], "transform": f"{match[1]}[{number}]" if number else match[1]}


class Partition(Shape):
    """One partition field of the table."""

    column: str = Field(min_length=1, description="Column of the contract, or `ingest_date` (the day of the run).")
    transform: Annotated[str, BeforeValidator(lambda v: _transform(v) if isinstance(v, str) else v)] = Field(
        default="identity", description=f"{_GRAMMAR}."
    )


Partitioning = list[Annotated[Partition, BeforeValidator(_partition, json_schema_input_type=str | Partition)]]


class MarkdownKv(Shape):
    """How Markdown-KV documents are stored."""

    mode: Literal["string", "raw_file", "structured"] = Field(default="structured", description="Storage option.")
    structured_pattern: Literal["row_per_kv", "document_level", "hybrid"] | None = Field(
        default=None, description="Shape of the rows in mode `structured`."
    )
    file_extension: Literal[".md", ".mdkv"] = Field(default=".md", description="Extension in mode `raw_file`.")
    path_pattern: str = Field(default="", description="Name of a raw file, with `{doc_id}`, `{date}`, `{timestamp}`.")


class DeleteFlag(Shape):
    """Source rows that say: the row of this key is gone."""

    column: str = Field(min_length=1, description="Column of the contract.")
    value: bool | int | str = Field(default=True, description="What the column says of a deleted row.")


class History(Shape):
    """Columns of write mode `scd2`."""

    valid_from: str = Field(default="valid_from", min_length=1, description="When the version began.")
    valid_to: str = Field(default="valid_to", min_length=1, description="When it ended; empty while it is current.")
    is_current: str = Field(default="is_current", min_length=1, description="Whether it is the current version.")
    track: Names = Field(
        default=[], description="A change of these columns makes a new version; default: of any. Others are updated."
    )


def _reference(text: str) -> str:
    if "${" not in text:
        raise Wrong("a key stands in the file", "write ${SECRET:NAME}")
    return text


Reference = Annotated[str, AfterValidator(_reference)]


class StateEncryption(Shape):
    """The key of states, and those of older ones. Each is 32 bytes as base64, by reference."""

    key: Reference = Field(description="`${SECRET:NAME}`: 32 bytes as base64.")
    key_id: str = Field(default="1", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the key in the records.")
    old_keys: dict[str, Reference] = Field(default={}, description="Keys that records of before were encrypted with.")


class Writer(Shape):
    """A writer of your own."""

    type: Literal["plugin", "custom"] = Field(default="plugin", description="How the writer is found.")
    plugin_path: str = Field(default="", description="`package.module.Class`.")
    implementation: str = Field(default="", description="The same as `plugin_path`.")
    config: Mapped = Field(default={}, description="Handed to the writer.")


def _catalog(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class Approval(Shape):
    """What a run that waits for its approval does in Airflow."""

    timeout: Interval = Field(default=604_800, description="How long it asks: seconds, or `12h`, `3d`. Default a week.")
    on_timeout: OnTimeout = Field(
        default="wait",
        description="Then: `wait` fails the task and leaves the rows on their branch, `reject` drops them, and the "
        "next run reads them again.",
    )


class Target(Shape):
    """Where rows are published."""

    file_format: FileFormat = Field(default="parquet", description="Format of the data files.")
    write_mode: WriteMode | None = Field(
        default=None,
        description="How published rows change the table. Default: `append` for incremental reads, else `replace`.",
    )
    order_by: str = Field(
        default="",
        description="Column that says which version of a row is newer: older rows never overwrite newer (`merge`), "
        "versions begin then (`scd2`).",
    )
    delete_flag: Annotated[
        DeleteFlag | None, BeforeValidator(text_or("column"), json_schema_input_type=str | DeleteFlag | None)
    ] = Field(default=None, description="`merge`, `scd2`: where this column is `value`, the row of the key is deleted.")
    delete_missing: bool = Field(
        default=False, description="`merge`, `scd2`: a full load deletes the rows it does not bring, up to a tenth."
    )
    allow_mass_delete: bool = Field(default=False, description="Let `delete_missing` delete more than a tenth.")
    replace_by: Literal["partition", "window"] | None = Field(
        default=None,
        description="`delete_insert`: replace the window of the cursor that a run covers, or the partitions it has "
        "rows of. Default: the window where there is one.",
    )
    history: History | None = Field(default=None, description="`scd2`: names of its columns, and what it tracks.")
    mode: SchemaMode | None = Field(
        default=None,
        description="Schema changes: `strict` freezes, `merge` evolves, `relaxed` evolves and empties values that do "
        "not fit.",
    )
    schema_policy: Policies | None = Field(
        default=None,
        description="Schema changes by kind and column: `evolve`, `freeze`, `discard_row`, `discard_value`; "
        "overrules `mode`.",
    )
    partitioning: Partitioning | None = Field(
        default=None, description="Columns, calls such as `day(created_at)` or `bucket[16](id)`, or mappings."
    )
    parquet_target_size_mb: int = Field(default=150, ge=1, le=2048, description="Size at which files are split, in MB.")
    compression: Literal["zstd", "snappy", "gzip", "lz4", "none"] = Field(
        default="zstd", description="Compression of the Parquet files."
    )
    namespace: str = Field(
        default="",
        description="Namespace of the table: the tenant's id, alone or followed by `_…`. Default: by the tenant file.",
    )
    publish: PublishTo = Field(
        default="main",
        description="`branch`: the rows wait on a branch of their own until somebody approves them.",
    )
    approval: Approval | None = Field(default=None, description="`publish: branch` in Airflow, which asks a person.")
    branch: str = Field(default="", description="Publish to this branch of the table instead of `main`.")
    catalog: Annotated[Mapped, BeforeValidator(_catalog, json_schema_input_type=str | dict[str, Any])] = Field(
        default={},
        description="Iceberg catalog of this job by type (sql, rest, nessie, glue); default: the deployment's.",
    )
    warehouse: str = Field(default="", description="Root of the table's files; must lie under the tenant's roots.")
    system_columns: bool = Field(default=True, description="Add `_dativo_run`, `_dativo_loaded_at`, `_dativo_source`.")
    allow_empty_replace: bool = Field(
        default=False, description="Let a run that read no row empty what it replaces: the table, or its window."
    )
    state_encryption: StateEncryption | None = Field(default=None, description="Encrypts cursors at rest.")
    connection_id: str = Field(default="", description="Airflow connection; its id begins with `<tenant>_`.")
    connection: Mapped = Field(
        default={},
        description="`nessie`, `s3`, `minio`, `gcs` or `azure` blocks, or the keys of S3 directly: `bucket`, `prefix`, "
        "`endpoint`, `access_key_id`, `secret_access_key`, `region`, `secure`; `path` of a parquet folder.",
    )
    markdown_kv_storage: MarkdownKv | None = Field(default=None, description="Storage of Markdown-KV documents.")
    storage_pattern: StoragePattern | None = Field(
        default=None, description="Short form of `markdown_kv_storage` with mode `structured`."
    )
    engine: Engine | None = Field(default=None, description="Implementation of the connector and its options.")
    options: Mapped = Field(default={}, description="Options of the connector.")
    writer: Writer | None = Field(default=None, description="A writer of your own.")
    custom_writer: str = Field(default="", description="`path.py:Class` or `lib.so:create_writer`.")
