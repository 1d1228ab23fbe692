"""One Parquet file being written: on a disk or in an object store, durable once it is closed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.files import local_path, scheme
from dativo_provider.files.local import fsync_path
from dativo_provider.lake.translate import translated

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["Encoding", "ParquetSink", "filesystem_of", "sync_folders"]

CODECS = ("zstd", "snappy", "gzip", "lz4", "none")
_SAMPLE_ROWS = 20_000  # at most; of small files a part, since counting would cost as much as encoding
_SAMPLE_SHARE = 10
_FEW = 0.5  # a dictionary pays where at most this share of values is distinct


def filesystem_of(io: Any, uri: str) -> tuple[Any, str]:
    """The pyarrow file system of a PyIceberg FileIO and the path within it."""
    kind, netloc, path = io.parse_location(uri, io.properties)
    return io.fs_by_scheme(kind, netloc), path


@dataclass(frozen=True)
class Encoding:
    """How values are written. `bloom` names the key columns that get a bloom filter."""

    compression: str = "zstd"
    bloom: frozenset[str] = frozenset()
    group_rows: int = 524_288

    def __post_init__(self) -> None:
        if self.compression not in CODECS:
            raise ConfigurationError(
                f"unknown compression '{self.compression}'", remedy=f"use one of {', '.join(CODECS)}"
            )

    def options(self, sample: pa.Table, schema: pa.Schema) -> dict[str, Any]:
        """For `ParquetWriter`; dictionaries only where the first rows repeat themselves."""
        found: dict[str, Any] = {
            "compression": self.compression,
            "use_dictionary": _repetitive(sample),
            "store_decimal_as_integer": True,
            "store_schema": False,
            "write_page_index": True,
        }
        if self.compression == "zstd":
            found["compression_level"] = 1
        if filters := self._bloom_filters(schema):
            found["bloom_filter_options"] = filters
        return found

    def _bloom_filters(self, schema: pa.Schema) -> dict[str, Mapping[str, Any]]:
        import pyarrow as pa

        names = [
            name for name in schema.names if name in self.bloom and not pa.types.is_boolean(schema.field(name).type)
        ]
        return {
            name: {"ndv": self.group_rows, "fpp": 0.001}
            for name in names
            if not pa.types.is_nested(schema.field(name).type)
        }


def _repetitive(sample: pa.Table) -> list[str] | bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    # Spread over the rows: neighbours of a sorted key repeat where the column as a whole does not.
    if sample.num_rows < 1000:
        return True
    step = max(_SAMPLE_SHARE, 1 + sample.num_rows // _SAMPLE_ROWS)
    head = sample.take(pa.array(range(0, sample.num_rows, step)))
    most = int(head.num_rows * _FEW)
    found = []
    for name in head.column_names:
        kind = head.schema.field(name).type
        if (
            pa.types.is_nested(kind)
            or pa.types.is_dictionary(kind)
            or pc.count_distinct(head[name], mode="all").as_py() <= most
        ):
            found.append(name)
    return found


class ParquetSink:
    """`size` is what has been written so far, as the file system knows it."""

    def __init__(self, io: Any, uri: str, schema: pa.Schema, options: Mapping[str, Any]) -> None:
        import pyarrow.parquet as pq

        self.uri, self.rows = uri, 0
        self._footers: list[Any] = []
        with translated(uri):
            filesystem, path = filesystem_of(io, uri)
            if scheme(uri) == "file":
                local_path(uri).parent.mkdir(parents=True, exist_ok=True)
            self._stream = filesystem.open_output_stream(path)
            self._writer = pq.ParquetWriter(self._stream, schema, metadata_collector=self._footers, **options)

    @property
    def size(self) -> int:
        return int(self._stream.tell())

    def write(self, rows: pa.Table) -> None:
        """One row group."""
        with translated(self.uri):
            self._writer.write_table(rows, row_group_size=rows.num_rows)
        self.rows += rows.num_rows

    def close(self) -> tuple[pq.FileMetaData, int]:
        """The footer and the file's size, once the bytes are safe."""
        with translated(self.uri):
            self._writer.close()
            size = self.size
            self._stream.close()
            if scheme(self.uri) == "file":
                fsync_path(local_path(self.uri))
        return self._footers[0], size

    def abort(self) -> None:
        """Close what is open, whatever state it is in; the partial file stays invisible and is swept."""
        for part in (self._writer, self._stream):
            with suppress(Exception):  # the first failure is already on its way to the operator
                part.close()


def sync_folders(uris: Collection[str]) -> None:
    """Make the names of local files as durable as their bytes."""
    for folder in {local_path(uri).parent for uri in uris if scheme(uri) == "file"}:
        with translated(str(folder)):
            fsync_path(folder)
