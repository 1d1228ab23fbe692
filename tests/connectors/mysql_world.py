"""What the tests of the MySQL reader share: a job's source on the test's own database, and a run of it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.connectors import database_world
from tests.connectors.database_world import context, ids, reader, table, whole

__all__ = ["Job", "context", "ids", "reader", "table", "whole"]


@dataclass
class Job(database_world.Job):
    connector = "mysql"

    def types(self) -> dict[str, str]:
        return {each.name: each.type for each in self.describe().fields}
