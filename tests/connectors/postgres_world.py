"""What the tests of the PostgreSQL reader share: a job's source on the test's own database, and a run of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dativo_provider.model.job import SourceSpec
from tests.connectors import database_world
from tests.connectors.database_world import context, ids, reader, table, whole
from tests.services.postgres import Database

__all__ = ["Job", "context", "ids", "reader", "source", "table", "whole"]


def source(database: Database, **options: Any) -> SourceSpec:
    return SourceSpec("postgres", database.params, options=options)


@dataclass
class Job(database_world.Job):
    connector = "postgres"
