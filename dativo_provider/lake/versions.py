"""Tables that transformations look things up in: at one snapshot, and only a tenant's own or shared ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, SourceChanged
from dativo_provider.lake.owner import TENANT
from dativo_provider.lake.published import Ranges, rows_within
from dativo_provider.lake.read import no_rows, scan, typed
from dativo_provider.lake.schema import read_fields
from dativo_provider.lake.table import find_table, table_name
from dativo_provider.lake.translate import translated
from dativo_provider.model.job import JobSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.target import PublishedRows, TableVersion

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["SHARED", "lookup_name", "table_version"]

SHARED = "dativo.shared"
_EMPTY = "0"  # no snapshot yet


def lookup_name(job: JobSpec, written: str) -> str:
    """`<namespace>.<table>`; without a namespace the job's own."""
    return written if "." in written else table_name(job, written)


def table_version(catalog: Catalog, name: str, job: JobSpec, version: str = "") -> TableVersion:
    """Raises `ConfigurationError` when there is no such table or it is not the tenant's, `SourceChanged` when the
    version has expired or the table was made anew."""
    table = find_table(catalog, name)
    if table is None:
        raise ConfigurationError(
            "there is no such table to look up in", where=name, remedy="correct `table:`, or publish the table first"
        )
    _check_readable(catalog, table, job.tenant)
    found = version or f"{table.metadata.table_uuid}/{table.metadata.current_snapshot_id or _EMPTY}"
    snapshot = _snapshot(table, found)
    fields = _fields(table, snapshot)
    return TableVersion(
        name,
        found,
        fields,
        lambda columns: _rows(table, snapshot, columns),
        lambda ranges, keys: _within(table, snapshot, ranges, keys, fields),
    )


def _within(
    table: Table, snapshot: int | None, ranges: Ranges, keys: Mapping[str, Sequence[Any]], fields: Sequence[Field]
) -> PublishedRows:
    every = {item.name: item for item in fields}
    wanted = [every[name] for name in ranges]
    return PublishedRows(no_rows(wanted)) if snapshot is None else rows_within(table, snapshot, ranges, keys, wanted)


def _check_readable(catalog: Catalog, table: Table, tenant: str) -> None:
    """A table says whose it is; one that says nothing belongs to the owner of its namespace."""
    name = ".".join(table.name())
    with translated(name):
        of_namespace = catalog.load_namespace_properties(table.name()[:-1])
    owner = table.properties.get(TENANT) or of_namespace.get(TENANT)
    if owner != tenant and str(table.properties.get(SHARED, "")).lower() != "true":
        whose = "another tenant's" if owner else "nobody's"
        raise ConfigurationError(
            f"the table is {whose}, and this job is of '{tenant}'",
            where=name,
            remedy=f"the operator may open a table to every tenant with its property {SHARED}=true",
        )


def _snapshot(table: Table, version: str) -> int | None:
    uuid, _, snapshot = version.partition("/")
    if snapshot == _EMPTY:
        return None
    if uuid != str(table.metadata.table_uuid) or table.snapshot_by_id(int(snapshot)) is None:
        raise SourceChanged(
            "the snapshot this run was planned with is no longer there",
            where=".".join(table.name()),
            remedy="start a new run (clear the plan task), and keep snapshots for longer than runs take",
        )
    return int(snapshot)


def _fields(table: Table, snapshot: int | None) -> tuple[Field, ...]:
    found = table.snapshot_by_id(snapshot) if snapshot else None
    schema = table.schemas().get(found.schema_id) if found and found.schema_id is not None else None
    return tuple(read_fields(schema or table.schema()))


def _rows(table: Table, snapshot: int | None, fields: Sequence[Field]) -> Iterator[pa.RecordBatch]:
    if snapshot is None:
        yield from no_rows(fields)
        return
    with translated(".".join(table.name())):
        rows = scan(table, columns=[item.name for item in fields], snapshot_id=snapshot)
        yield from typed(rows, fields)
