"""Rows a command is pointed at: a Parquet or CSV file, a table of the catalog, or what a job has published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

    from dativo_provider.model.batch import Batch
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec, StreamSpec
    from dativo_provider.pipeline.existing import Rows
    from dativo_provider.quality.metrics.base import Scene

__all__ = ["job_rows", "named_rows", "scene_of"]


def named_rows(name: str, ctx: RunContext) -> Rows:
    """Of a file, by its ending, of the Parquet files below a folder, else of a table `<namespace>.<table>`.

    Raises `ConfigurationError` where is none.
    """
    path = Path(name)
    if path.suffix.lower() in _FILES or path.exists():
        if path.is_dir():
            return _folder(path)
        if not path.is_file():
            raise ConfigurationError(f"there is no file {name}")
        return _FILES.get(path.suffix.lower(), _csv)(path.absolute(), ctx)
    return _table(name, ctx)


def job_rows(job: JobSpec, stream: StreamSpec, ctx: RunContext) -> Rows:
    """Of the published table, with the contract's classifications."""
    from dativo_provider.cli.tables import open_lake

    rows = _table(open_lake(job, ctx).name_of(job, stream), ctx, job)
    known = {field.name: field.classification for field in stream.contract.fields}
    return replace(
        rows, fields=tuple(replace(f, classification=known.get(f.name) or f.classification) for f in rows.fields)
    )


def _parquet(path: Path, _: RunContext) -> Rows:
    import pyarrow.parquet as pq

    from dativo_provider.errors import DataError

    try:
        schema = pq.read_schema(path)
    except (OSError, ValueError) as error:
        raise DataError("this is no Parquet file", where=str(path)) from error
    # a buffer of what comes next is kept until the file is closed, and grows as long as the file
    return _arrow(path.name, schema, lambda: pq.ParquetFile(path, pre_buffer=False).iter_batches())


def _folder(path: Path) -> Rows:
    """With the columns that the names of folders are (`day=2026-11-01`)."""
    import pyarrow.dataset as ds

    from dativo_provider.errors import DataError

    try:
        found = ds.dataset(path, format="parquet", partitioning="hive")
    except (OSError, ValueError) as error:
        raise DataError("not every file of the folder is Parquet", where=str(path)) from error
    if not found.files:
        raise ConfigurationError(f"the folder {path} holds no Parquet file")
    return _arrow(path.name, found.schema, lambda: iter(found.to_batches(batch_readahead=1, fragment_readahead=1)))


def _table(name: str, ctx: RunContext, job: JobSpec | None = None) -> Rows:
    from dativo_provider.lake.catalog import open_catalog
    from dativo_provider.lake.read import scan
    from dativo_provider.lake.table import find_table

    table = find_table(open_catalog(ctx.settings, job), name) if "." in name else None
    if table is None:
        raise ConfigurationError(
            f"'{name}' is neither a file nor a table of the catalog",
            remedy="name FILE.parquet, FILE.csv or NAMESPACE.TABLE",
        )
    rows = _arrow(name, scan(table, limit=0).schema, lambda: iter(scan(table)))
    silent = {key.rpartition(".")[2] for key, kept in table.properties.items() if _BOUNDS in key and kept == "none"}
    fields = (replace(f, classification="personal" if f.name in silent else "") for f in rows.fields)
    return replace(rows, fields=tuple(f for f in fields if not f.name.startswith("_dativo_")))


_BOUNDS = "write.metadata.metrics.column."  # columns without bounds are personal ones


def _arrow(name: str, schema: pa.Schema, read: Callable[[], Iterator[pa.RecordBatch]]) -> Rows:
    from dativo_provider.model.batch import Batch
    from dativo_provider.model.stream import Field
    from dativo_provider.model.types import from_arrow
    from dativo_provider.pipeline.existing import Rows

    fields = tuple(Field(field.name, from_arrow(field.type)) for field in schema)

    def batches(_: Sequence[str]) -> Iterator[Batch]:
        yield from (Batch(name, each, origin=name) for each in read())

    return Rows(name, fields, batches)


def _csv(path: Path, ctx: RunContext) -> Rows:
    """Through the connector: dialect, header and types as a job would find them."""
    from dativo_provider.connectors.registry import open_reader
    from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
    from dativo_provider.model.stream import WindowRequest
    from dativo_provider.pipeline.existing import Rows

    spec = StreamSpec(path.stem, path.name, path.stem, ContractSpec(""))
    source = SourceSpec("csv", roots=(str(path.parent),))
    reader = open_reader(source, ctx)
    fields = reader.describe(spec).fields
    reader.close()

    def batches(as_text: Sequence[str]) -> Iterator[Batch]:
        again = open_reader(source, ctx)
        try:
            again.describe(spec)
            window = again.window(spec, WindowRequest(full=True))
            for piece in again.slices(spec, window, 1):
                yield from again.read(spec, replace(piece, as_text=tuple(as_text)))
        finally:
            again.close()

    return Rows(path.name, fields, batches, loose=True)


_FILES: Mapping[str, Callable[[Path, RunContext], Rows]] = {
    ".parquet": _parquet,
    ".pq": _parquet,
    ".csv": _csv,
    ".tsv": _csv,
    ".gz": _csv,
}


def scene_of(rows: Rows, ctx: RunContext) -> Scene:
    """The rows as they are, cast to their own types: what cannot be cast is NULL."""
    from dativo_provider.model.books import Books
    from dativo_provider.quality.metrics.base import Scene
    from dativo_provider.transform.cast import Caster

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        caster = Caster([field for field in rows.fields if field.name in columns])
        for batch in rows.batches(_texts(rows)):
            if batch.data.num_rows:
                yield caster.cast(batch.data).data

    return Scene(read, Books(produced=1), ctx.now(), ctx.settings, rows.fields)


def _texts(rows: Rows) -> Sequence[str]:
    """What a typed parse might stumble over later in the file is read as text, and cast value by value."""
    return [field.name for field in rows.fields if field.type != "string"] if rows.loose else ()
