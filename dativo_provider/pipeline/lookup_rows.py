"""Rows of lookups, read once per run: of a table at one snapshot, or of a CSV or Parquet file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dativo_provider.config.roots import below_roots, located
from dativo_provider.errors import ConfigurationError, DataError
from dativo_provider.model.lookup import LookupSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import from_arrow, to_arrow

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LookupFile", "gathered"]


def gathered(rows: Iterable[pa.RecordBatch], fields: Sequence[Field], most_bytes: int, lookup: LookupSpec) -> pa.Table:
    """The rows in one piece. Raises `ConfigurationError` once they are more than `most_bytes`."""
    import pyarrow as pa

    schema = pa.schema([pa.field(item.name, to_arrow(item.type)) for item in fields])
    kept, size = [], 0
    for batch in rows:
        kept.append(batch)
        size += batch.nbytes
        if size > most_bytes:
            raise too_large(lookup, most_bytes)
    return pa.Table.from_batches(kept, schema).combine_chunks()


def too_large(lookup: LookupSpec, most_bytes: int) -> ConfigurationError:
    return ConfigurationError(
        f"lookup '{lookup.name}': the columns read of it do not fit into {most_bytes >> 20} MB, what this job's "
        "memory_limit leaves for lookups",
        where=lookup.declared_in,
        remedy="raise `memory_limit`, or let it have fewer rows or narrower columns; two large tables are better "
        "joined where both lie",
    )


class LookupFile:
    """A file below the tenant's roots, as it is now: its bytes are read once and `version` is their SHA-256."""

    def __init__(self, lookup: LookupSpec, roots: Sequence[str], most_bytes: int) -> None:
        """Raises `ConfigurationError` when there is no such file, it lies elsewhere, or it is too large."""
        self._lookup = lookup
        path = located(lookup.path, roots)
        if not roots or not below_roots(path, roots):
            raise self._wrong("lies outside the tenant's folders", "put it below the tenant's roots")
        if not Path(path).is_file():
            raise self._wrong("is no file", "correct `path:`; it begins at the tenant's first root")
        try:
            with Path(path).open("rb") as file:
                data = file.read(most_bytes + 1)
        except OSError as problem:
            raise self._wrong("cannot be read", "let Dativo's user read it") from problem
        if len(data) > most_bytes:
            raise too_large(lookup, most_bytes)
        self.version = hashlib.sha256(data).hexdigest()
        form = _FORMATS[Path(path).suffix.lower()]
        with self._readable():
            self._form = form(data, lookup.types)
            self.fields = tuple(Field(item.name, from_arrow(item.type)) for item in self._form.schema)

    def read(self, columns: Sequence[Field]) -> Iterator[pa.RecordBatch]:
        """Rows of some of its `fields`. Raises `DataError` for what cannot be read as declared, without its values."""
        import pyarrow as pa

        schema = pa.schema([pa.field(item.name, to_arrow(item.type)) for item in columns])
        with self._readable():
            for batch in self._form.batches(schema.names):
                yield batch.select(schema.names).cast(schema)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        import pyarrow as pa

        try:
            yield
        except (pa.ArrowInvalid, pa.ArrowKeyError) as problem:
            raise DataError(
                f"lookup '{self._lookup.name}': {self._lookup.path} cannot be read as declared "
                f"({str(problem).partition(':')[0]})",
                where=self._lookup.declared_in,
                remedy="a CSV file is UTF-8 with a header and commas; check it, and `types:`",
            ) from None

    def _wrong(self, problem: str, remedy: str) -> ConfigurationError:
        lookup = self._lookup
        return ConfigurationError(
            f"lookup '{lookup.name}': {lookup.path} {problem}", where=lookup.declared_in, remedy=remedy
        )


class _Form(Protocol):
    """What a suffix stands for."""

    schema: pa.Schema

    def __init__(self, data: bytes, types: Mapping[str, str]) -> None: ...
    def batches(self, columns: Sequence[str]) -> Iterable[pa.RecordBatch]: ...


class _Csv:
    """Text, unless `types` say otherwise: `01234` stays a postcode. Nothing between two commas is NULL, "" is text."""

    def __init__(self, data: bytes, types: Mapping[str, str]) -> None:
        import pyarrow as pa
        from pyarrow import csv

        self._bytes = data
        self._dialect = csv.ParseOptions(newlines_in_values=True)
        head = csv.open_csv(pa.BufferReader(data), parse_options=self._dialect).schema.names
        if missing := [name for name in types if name not in head]:
            raise pa.ArrowInvalid(f"it has no column {', '.join(missing)} to give a type")
        self.schema = pa.schema([pa.field(name, to_arrow(types.get(name, "string"))) for name in head])

    def batches(self, columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        import pyarrow as pa
        from pyarrow import csv

        convert = csv.ConvertOptions(
            column_types={name: self.schema.field(name).type for name in columns}, include_columns=list(columns),
            strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""],
        )  # fmt: skip
        reader: Iterable[pa.RecordBatch] = csv.open_csv(
            pa.BufferReader(self._bytes), parse_options=self._dialect, convert_options=convert
        )
        return reader


class _Parquet:
    def __init__(self, data: bytes, types: Mapping[str, str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._file = pq.ParquetFile(pa.BufferReader(data))
        self.schema = self._file.schema_arrow

    def batches(self, columns: Sequence[str]) -> Iterable[pa.RecordBatch]:
        batches: Iterable[pa.RecordBatch] = self._file.iter_batches(columns=list(columns))
        return batches


_FORMATS: Mapping[str, type[_Form]] = {".csv": _Csv, ".parquet": _Parquet}
