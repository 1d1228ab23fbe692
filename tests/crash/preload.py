"""Imported once by the fork server: the whole engine, of which every run would otherwise import the leaves anew.

Imports and what is made of them alone: anything that starts threads must wait for the child.
"""

import importlib
import pkgutil
from contextlib import suppress

from pydantic import ValidationError

from dativo_provider.lake.pending import Pending
from dativo_provider.model.checks import CheckResult, Verdict
from dativo_provider.model.run import Manifest, Plan, Published, RunRecord, State, load
from dativo_provider.model.settings import Settings
from dativo_provider.store.base import QuarantineEntry

THEIRS = (
    "alembic.autogenerate", "alembic.command", "boto3", "duckdb", "psycopg2", "pyarrow.compute", "pyarrow.csv",
    "pyarrow.parquet", "pyiceberg.catalog.rest", "pyiceberg.catalog.sql", "pyiceberg.io.pyarrow",
    "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.sqlite",
)  # fmt: skip
WRITTEN = (CheckResult, Manifest, Pending, Plan, Published, QuarantineEntry, RunRecord, Settings, State, Verdict)
ROOMS = ("connectors", "files", "lake", "model", "observability", "pipeline", "quality", "sql", "store", "transform")
ELSEWHERE = (".migrations", ".workers")  # Alembic runs the first; interpreters of their own the second

for name in THEIRS:
    importlib.import_module(name)

for room in ROOMS:
    package = importlib.import_module(f"dativo_provider.{room}")
    for leaf in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not any(part in leaf.name for part in ELSEWHERE):
            importlib.import_module(leaf.name)

for kind in WRITTEN:  # how each is read is made once
    with suppress(ValidationError):
        load(kind, b"")
