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
    ),
)
