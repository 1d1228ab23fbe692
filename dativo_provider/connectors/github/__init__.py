"""GitHub: its spec, and a reader of trees, whose files later runs read only where they differ."""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.connectors.rest import CAPABILITIES

__all__ = ["CONNECTORS"]

CONNECTORS = (
    ConnectorInfo(
        "github", ("source",), "api", "Issues, pull requests, commits and files of a repository", CAPABILITIES,
        ("updated_at",), reader="dativo_provider.connectors.github.reader:GitHubReader",
    ),
)  # fmt: skip
