"""PostgreSQL, and what speaks its protocol with its catalogs."""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CAPABILITIES", "CONNECTORS"]

CAPABILITIES = Capabilities(
    incremental=True, sliceable=True, point_in_time=True, allowed_in_cloud=False, extra="postgres"
)

CONNECTORS = (
    ConnectorInfo(
        "postgres",
        ("source", "target"),
        "database",
        "PostgreSQL tables, views and queries",
        CAPABILITIES,
        ("updated_at", "incremental", "full_refresh"),
        reader="dativo_provider.connectors.postgres.reader:PostgresReader",
        connection={
            "host, port, database, user, password": "the server; `url` or `dsn` says them all at once. The role needs "
            "SELECT on what it reads",
            "sslmode, sslrootcert, …": "as libpq knows them",
        },
        options={
            "statement_timeout": "longest statement, as PostgreSQL writes it (`5min`); default: the role's",
            "lock_timeout": "longest wait for a lock; default `30s`",
            "threads": "threads of a task; default: the size of the table decides",
            "batch_size": "rows of a batch; default: about 8 MB of text",
            "min_slice_rows": "smallest piece that a task of its own reads; default 100,000",
            "clock": "who writes the cursor column: `server`, or `application`, whose clock may lag",
            "timezone": "zone of a cursor without one; default: the contract's, else UTC or the server's",
        },
    ),
)
