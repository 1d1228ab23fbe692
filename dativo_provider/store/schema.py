"""Tables of the SQL leaf. Columns are what one filters and charts by; `record` holds the whole thing."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

__all__ = ["COUNTS", "METADATA", "QUARANTINE", "RESULTS", "REVISIONS", "RUNS", "VALUES", "VERSION_TABLE"]

VERSION_TABLE = "dativo_store_version"
REVISIONS = ("0001",)  # of migrations/versions, oldest first
COUNTS = ("extracted", "accepted", "quarantined", "rejected", "duplicates", "filtered", "produced")
METADATA = MetaData()


def _moment(name: str, **options: bool) -> Column[object]:
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]


RUNS = Table(
    "dativo_runs",
    METADATA,
    Column("plan_id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("status", Text, nullable=False),
    _moment("started_at", nullable=False),
    _moment("finished_at"),
    Column("table_name", Text),
    Column("snapshot_id", BigInteger),
    *(Column(name, BigInteger, nullable=False) for name in COUNTS),
    Column("contract_version", Text),
    _moment("recorded_at", nullable=False),
    Column("record", Text, nullable=False),
    Index("dativo_runs_newest", "tenant", "job", "stream", "started_at"),
    Index("dativo_runs_started", "started_at"),
)

RESULTS = Table(
    "dativo_check_results",
    METADATA,
    Column("plan_id", Text, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("check_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("evaluated_by", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("evaluated", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    _moment("recorded_at", nullable=False),
    Column("record", Text, nullable=False),
)

VALUES = Table(
    "dativo_metrics",
    METADATA,
    Column("tenant", Text, primary_key=True),
    Column("job", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("plan_id", Text, primary_key=True),
    _moment("at", nullable=False),
    Column("value", Float(53), nullable=False),
    Index("dativo_metrics_newest", "tenant", "job", "stream", "name", "at"),
)

QUARANTINE = Table(
    "dativo_quarantine",
    METADATA,
    Column("plan_id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("job", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("table_name", Text, nullable=False),
    _moment("at", nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("reasons", Text, nullable=False),
    _moment("expires_at"),
    Index("dativo_quarantine_newest", "tenant", "job", "stream", "at"),
    Index("dativo_quarantine_expiry", "expires_at"),
)
