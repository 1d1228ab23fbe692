"""What the tests of the MySQL reader share: both servers, a job's source on a database of its own, a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.connectors import database_world
from tests.connectors.database_world import context, ids, reader, table, whole
from tests.services.mariadb import MariaDatabase, MariaDB

__all__ = [
    "SERVERS", "Job", "context", "database_of", "ids", "is_mysql", "numbers", "reader", "server_of", "table", "whole",
]  # fmt: skip

SERVERS = ("mariadb", "mysql")


def server_of(request: pytest.FixtureRequest) -> MariaDB:
    """The server that a fixture is for, by its parameter: one of `SERVERS`."""
    server: MariaDB = request.getfixturevalue(request.param)
    return server


def database_of(request: pytest.FixtureRequest) -> Iterator[MariaDatabase]:
    with server_of(request).database() as database:
        yield database


def is_mysql(database: MariaDatabase) -> bool:
    return "MariaDB" not in database.execute("select version()")[0][0]


def numbers(first: int, last: int) -> str:
    """What stands behind FROM and has a column `seq`; MariaDB's own sequences are unknown to MySQL."""
    listed = f"json_table(concat('[0', repeat(',0', {last - first}), ']'), '$[*]' columns (place for ordinality))"
    return f"(select place + {first - 1} as seq from {listed} as listed) as numbers"


@dataclass
class Job(database_world.Job):
    connector = "mysql"

    def types(self) -> dict[str, str]:
        return {each.name: each.type for each in self.describe().fields}
