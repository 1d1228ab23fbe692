"""The suite that every reader inherits, on a real server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from dativo_provider.connectors.registry import open_reader
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from tests.conformance.readers import CONTRACT, ReaderConformance, ReaderWorld, Row
from tests.services.framework import free_port
from tests.services.postgres import Database, Postgres

CREATE = """create table public.events (
    id bigint, name text, amount numeric(18,4), updated_at timestamptz not null)"""


class PostgresWorld(ReaderWorld):
    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.clock -= timedelta(days=30)  # the server's own clock decides what is settled
        database.execute(CREATE)

    def source(self) -> SourceSpec:
        return SourceSpec("postgres", self.database.params, options={"min_slice_rows": 10})

    def stream(self, incremental: bool = False) -> StreamSpec:
        cursor = IncrementalSpec("incremental", "updated_at", 0, 0) if incremental else IncrementalSpec()
        return StreamSpec("events", "public.events", "events", CONTRACT, incremental=cursor, key=("id",))

    def add(self, rows: Sequence[Row]) -> None:
        connection = self.database.connect()
        with connection.cursor() as cursor:
            from psycopg2.extras import execute_values

            values = [(row["id"], row["name"], row["amount"], row["updated_at"]) for row in rows]
            execute_values(cursor, "insert into public.events values %s", values, page_size=10_000)
        connection.close()

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        def with_(**changed: object) -> SourceSpec:
            return replace(self.source(), connection={**self.database.params, **changed})

        return {
            "wrong password": (with_(password="not-the-password"), CredentialError),
            "no such user": (with_(user="nobody_here"), CredentialError),
            "no such database": (with_(database="nothing_here"), ConfigurationError),
            "nobody listens": (with_(port=free_port()), SourceUnavailable),
            "misspelt parameter": (with_(pasword="x"), ConfigurationError),
            "no TLS there": (with_(sslmode="require"), ConfigurationError),
        }

    def blocking(self) -> StreamSpec:
        return replace(self.stream(), query="select 1 as id, pg_sleep(300) is null as waited")

    def open(self, source: SourceSpec, ctx: RunContext) -> Reader:
        return open_reader(source, ctx)


class TestPostgresReader(ReaderConformance):
    @pytest.fixture
    def world(self, postgres: Postgres) -> Iterator[PostgresWorld]:
        with postgres.database() as database:
            yield PostgresWorld(database)
