"""Worlds with nothing on this machine: the catalog is a server, warehouse and metadata store are in S3."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from dativo_provider.model.context import RunContext
from dativo_provider.model.settings import CatalogSettings, Settings, StoreSettings
from tests.crash.postgres_world import PostgresWorld


@dataclass
class RemoteWorld(PostgresWorld):
    """Nothing on this machine: catalog in PostgreSQL, warehouse and metadata store in S3."""

    bucket: str = ""
    storage: dict[str, str] = field(default_factory=dict)

    def context(self) -> RunContext:
        catalog = CatalogSettings(
            properties={"type": "sql", "uri": self.catalog_uri, **self.storage},
            warehouse=f"s3://{self.bucket}/lake",
            embedded=False,
        )
        store = StoreSettings("lake", f"s3://{self.bucket}/lake/_dativo", embedded=False)
        return RunContext(Settings(home=str(self.home), catalog=catalog, store=store, distributed=True))


@dataclass
class NessieWorld(RemoteWorld):
    """`catalog_uri` is Nessie's; the bucket is its warehouse. Each world has a branch of its own."""

    catalog: ClassVar[str] = "dativo_provider.lake.catalogs.seeded:SeededRestCatalog"
    branch: str = ""

    def context(self) -> RunContext:
        made = super().context()
        properties = {"type": "nessie", "uri": self.catalog_uri, "branch": self.branch, **self.storage}
        catalog = CatalogSettings(properties=properties, warehouse=f"s3://{self.bucket}", embedded=False)
        store = StoreSettings("lake", f"s3://{self.bucket}/_dativo-{self.branch}", embedded=False)
        return RunContext(replace(made.settings, catalog=catalog, store=store))

    def as_a_stranger(self) -> dict[str, Any]:
        return {"type": "rest", "uri": f"{self.catalog_uri}/iceberg/{self.branch}", **self.storage}
