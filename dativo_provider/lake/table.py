"""Namespaces and tables: made on first use, owned by a tenant, fit for the wanted columns or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError, StorageUnavailable
from dativo_provider.lake.catalogs.races import lost_races
from dativo_provider.lake.changes import apply_changes
from dativo_provider.lake.evolve import Evolution
from dativo_provider.lake.owner import TENANT, check_owner, check_tenant
from dativo_provider.lake.partition import iceberg_spec, same_spec
from dativo_provider.lake.schema import iceberg_schema
from dativo_provider.lake.translate import translated
from dativo_provider.model.job import JobSpec, PartitionSpec
from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.model.stream import Field

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["WantedTable", "ensure_table", "find_table", "inbox_log_name", "quarantine_name", "table_name"]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_EVOLVE_ATTEMPTS = 5


@dataclass(frozen=True)
class WantedTable:
    """`partitioning` empty: as the table is."""

    name: str
    tenant: str
    fields: tuple[Field, ...]
    partitioning: tuple[PartitionSpec, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    policies: SchemaPolicies = SchemaPolicies()
    ordered: bool = False

    @property
    def evolution(self) -> Evolution:
        return Evolution(self.fields, self.name, self.dropped, self.policies, self.ordered)


def table_name(job: JobSpec, table: str, domain: str = "") -> str:
    """`<namespace>.<table>`; the namespace is one level. Raises `ConfigurationError` for unsafe names."""
    default = f"{job.tenant}_{domain}" if domain else job.tenant
    namespace = job.target.namespace or re.sub(r"\W", "_", default.lower())
    for kind, name in (("namespace", namespace), ("table", table)):
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"'{name}' is no {kind} name", where=job.path or job.dag_id,
                remedy="use letters, digits, _ and -; a namespace has one level",
            )  # fmt: skip
    return f"{namespace}.{table}"


def quarantine_name(table: str) -> str:
    return f"{table}_quarantine"


def inbox_log_name(table: str) -> str:
    """Of the table that says what people did about the rows in the quarantine of `table`."""
    return f"{quarantine_name(table)}_log"


def find_table(catalog: Catalog, name: str) -> Table | None:
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError

    with translated(name):
        try:
            return catalog.load_table(name)
        except (NoSuchTableError, NoSuchNamespaceError):
            return None


def ensure_table(catalog: Catalog, wanted: WantedTable) -> Table:
    """The table, created or evolved. Safe when several processes do it at once.

    Raises `ConfigurationError` (another tenant's, other partitions) or `DataError` (columns that do not fit).
    """
    with translated(wanted.name):
        _ensure_namespace(catalog, wanted)
        table = find_table(catalog, wanted.name) or _create(catalog, wanted)
        check_owner(table, wanted.tenant)
        table = _evolved(catalog, table, wanted)
        _check_spec(table, wanted)
        return table


def _ensure_namespace(catalog: Catalog, wanted: WantedTable) -> None:
    from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchNamespaceError

    namespace = wanted.name.rpartition(".")[0]
    for _ in range(2):
        try:
            check_tenant(catalog.load_namespace_properties(namespace), wanted.tenant, namespace)
            return
        except NoSuchNamespaceError:
            pass
        try:
            lost_races(lambda: catalog.create_namespace(namespace, {TENANT: wanted.tenant}))
        except NamespaceAlreadyExistsError:
            continue  # another process was faster: see whose it is
        return


def _create(catalog: Catalog, wanted: WantedTable) -> Table:
    from pyiceberg.exceptions import TableAlreadyExistsError

    schema = iceberg_schema(wanted.fields)
    spec = iceberg_spec(wanted.partitioning, schema, wanted.name)
    properties = {**wanted.properties, TENANT: wanted.tenant, "write.metadata.previous-versions-max": "100"}
    try:
        return lost_races(lambda: catalog.create_table(wanted.name, schema, partition_spec=spec, properties=properties))
    except TableAlreadyExistsError:
        return catalog.load_table(wanted.name)


def _evolved(catalog: Catalog, table: Table, wanted: WantedTable) -> Table:
    from pyiceberg.exceptions import CommitFailedException

    for _ in range(_EVOLVE_ATTEMPTS):
        changes = wanted.evolution.changes(table)
        if not changes:
            return table
        try:
            apply_changes(table, changes)
            return catalog.load_table(wanted.name)
        except CommitFailedException:  # another process changed it: see what is left to do
            table = catalog.load_table(wanted.name)
    raise StorageUnavailable("the table's schema keeps changing", where=wanted.name, remedy="run again")


def _check_spec(table: Table, wanted: WantedTable) -> None:
    if not wanted.partitioning:
        return
    spec = iceberg_spec(wanted.partitioning, table.schema(), wanted.name)
    if not same_spec(table.spec(), spec):
        raise ConfigurationError(
            f"the table is partitioned by {_described(table)}, the job wants "
            + ", ".join(f"{part.transform}({part.column})" for part in wanted.partitioning),
            where=wanted.name,
            remedy="write the table's own partitioning in the job, or publish to a new table",
        )


def _described(table: Table) -> str:
    schema = table.schema()
    parts = [f"{part.transform}({schema.find_column_name(part.source_id)})" for part in table.spec().fields]
    return ", ".join(parts) or "nothing"
