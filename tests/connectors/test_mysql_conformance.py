"""The suite that every reader inherits, on a real server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from dativo_provider.model.job import StreamSpec
from tests.conformance.readers import ReaderConformance, Row
from tests.connectors.database_world import DatabaseWorld
from tests.connectors.mysql_world import SERVERS, server_of


class MysqlWorld(DatabaseWorld):
    connector = "mysql"
    create = """create table events (
        id bigint primary key, name longtext, amount decimal(18,4), updated_at timestamp(6) not null)"""
    tls = {"ssl": {"mode": "verify_ca"}}  # MariaDB has none, MySQL one that it signed itself

    def add(self, rows: Sequence[Row]) -> None:
        with self.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute("set time_zone = '+00:00', sql_mode = 'NO_BACKSLASH_ESCAPES'")
            values = [
                (row["id"], row["name"], row["amount"], f"{row['updated_at']:%Y-%m-%d %H:%M:%S.%f}") for row in rows
            ]
            cursor.executemany("insert into events values (%s, %s, %s, %s)", values)

    def blocking(self) -> StreamSpec:
        return replace(self.stream(), query="select 1 as id, sleep(300) as waited")


class TestMysqlReader(ReaderConformance):
    connectors = ("mysql", "mariadb")

    @pytest.fixture(params=SERVERS)
    def world(self, request: pytest.FixtureRequest) -> Iterator[MysqlWorld]:
        with server_of(request).database() as database:
            yield MysqlWorld(database)
