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
from tests.services.mariadb import MariaDatabase, MariaDB

CREATE = """create table events (
    id bigint primary key, name longtext, amount decimal(18,4), updated_at timestamp(6) not null)"""


class MysqlWorld(ReaderWorld):
    def __init__(self, database: MariaDatabase) -> None:
        super().__init__()
        self.database = database
        self.clock -= timedelta(days=30)  # the server's own clock decides what is settled
        database.execute(CREATE)

    def source(self) -> SourceSpec:
        return SourceSpec("mysql", self.database.params, options={"min_slice_rows": 10})

    def stream(self, incremental: bool = False) -> StreamSpec:
        cursor = IncrementalSpec("incremental", "updated_at", 0, 0) if incremental else IncrementalSpec()
        return StreamSpec("events", "events", "events", CONTRACT, incremental=cursor, key=("id",))

    def add(self, rows: Sequence[Row]) -> None:
        with self.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("set time_zone = '+00:00', sql_mode = 'NO_BACKSLASH_ESCAPES'")
            values = [
                (row["id"], row["name"], row["amount"], f"{row['updated_at']:%Y-%m-%d %H:%M:%S.%f}") for row in rows
            ]
            cursor.executemany("insert into events values (%s, %s, %s, %s)", values)

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        def with_(**changed: object) -> SourceSpec:
            return replace(self.source(), connection={**self.database.params, **changed})

        return {
            "wrong password": (with_(password="not-the-password"), CredentialError),
            "no such user": (with_(user="nobody_here"), CredentialError),
            "no such database": (with_(database="nothing_here"), ConfigurationError),
            "nobody listens": (with_(port=free_port()), SourceUnavailable),
            "misspelt parameter": (with_(pasword="x"), ConfigurationError),
            "no TLS there": (with_(ssl={"mode": "required"}), ConfigurationError),
        }

    def blocking(self) -> StreamSpec:
        return replace(self.stream(), query="select 1 as id, sleep(300) as waited")

    def open(self, source: SourceSpec, ctx: RunContext) -> Reader:
        return open_reader(source, ctx)


class TestMysqlReader(ReaderConformance):
    @pytest.fixture
    def world(self, mariadb: MariaDB) -> Iterator[MysqlWorld]:
        with mariadb.database() as database:
            yield MysqlWorld(database)
