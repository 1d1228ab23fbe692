"""The suite that every reader inherits, on a real server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from dativo_provider.model.job import StreamSpec
from tests.conformance.readers import ReaderConformance, Row
from tests.connectors.database_world import DatabaseWorld
from tests.services.postgres import Postgres


class PostgresWorld(DatabaseWorld):
    connector, named = "postgres", "public.events"
    create = """create table public.events (
        id bigint, name text, amount numeric(18,4), updated_at timestamptz not null)"""
    tls = {"sslmode": "require"}

    def add(self, rows: Sequence[Row]) -> None:
        connection = self.database.connect()
        with connection.cursor() as cursor:
            from psycopg2.extras import execute_values

            values = [(row["id"], row["name"], row["amount"], row["updated_at"]) for row in rows]
            execute_values(cursor, "insert into public.events values %s", values, page_size=10_000)
        connection.close()

    def blocking(self) -> StreamSpec:
        return replace(self.stream(), query="select 1 as id, pg_sleep(300) is null as waited")


class TestPostgresReader(ReaderConformance):
    connectors = ("postgres",)

    @pytest.fixture
    def world(self, postgres: Postgres) -> Iterator[PostgresWorld]:
        with postgres.database() as database:
            yield PostgresWorld(database)
