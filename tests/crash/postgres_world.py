"""The same world over a PostgreSQL table: incremental by timestamp, with lookback and late-committing writers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dativo_provider.model.job import ContractSpec, IncrementalSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
from dativo_provider.model.stream import Field
from tests.crash.world import FIELDS, World

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext

CREATE = """create table orders (id bigint primary key, region text, amount numeric(12,2),
            updated_at timestamptz not null default now())"""


@dataclass
class PostgresWorld(World):
    """`add_file` is one more transaction of a writer; `late` ones stay open until the next is written."""

    params: dict[str, Any] = field(default_factory=dict)

    def job(self, name: str = "orders") -> JobSpec:
        fields = (*FIELDS, Field("updated_at", "timestamptz", required=True))
        stream = StreamSpec(
            name="orders",
            object="public.orders",
            table="orders",
            contract=ContractSpec("orders", version="1.0.0", fields=fields),
            key=("id",),
            incremental=IncrementalSpec("updated_at", "updated_at", lookback_seconds=3600, lag_seconds=0),
        )
        source = SourceSpec("postgres", self.params)
        return JobSpec("acme", name, name, source, TargetSpec(namespace="acme"), (stream,), slices=2)

    def create(self) -> None:
        self._execute(CREATE)

    def add_file(self, rng: random.Random, rows: int = 40) -> None:
        self.files += 1
        values = []
        for offset in range(rows):
            identity = self.files * 1_000_000 + offset
            bad = rng.random() < 0.1
            (self.bad if bad else self.good).add(identity)
            values.append(f"({identity}, 'south', {'null' if bad else f'{identity % 1000}.50'})")
        self._execute(f"insert into orders (id, region, amount) values {', '.join(values)}")

    def _execute(self, statement: str) -> None:
        import psycopg2

        connection = psycopg2.connect(**self.params)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()


@dataclass
class RemoteWorld(PostgresWorld):
    """Nothing on this machine: catalog in PostgreSQL, warehouse and metadata store in S3."""

    bucket: str = ""
    storage: dict[str, str] = field(default_factory=dict)

    def context(self) -> RunContext:
        from dativo_provider.model.context import RunContext
        from dativo_provider.model.settings import CatalogSettings, Settings, StoreSettings

        catalog = CatalogSettings(
            properties={"type": "sql", "uri": self.catalog_uri, **self.storage},
            warehouse=f"s3://{self.bucket}/lake",
            embedded=False,
        )
        store = StoreSettings("lake", f"s3://{self.bucket}/lake/_dativo", embedded=False)
        return RunContext(Settings(home=str(self.home), catalog=catalog, store=store, distributed=True))
