"""APIs by spec: each YAML in `specs/` is a connector, and `rest` reads a spec of the user's own."""

from __future__ import annotations

from dativo_provider.config.apis import shipped
from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CAPABILITIES", "CONNECTORS", "READER"]

CAPABILITIES = Capabilities(incremental=True, sliceable=True, ordered_cursor=False, deletes=True)
READER = "dativo_provider.connectors.rest.reader:RestReader"

CONNECTORS = tuple(
    ConnectorInfo(name, ("source",), "api", "", CAPABILITIES, ("updated_at",), reader=READER)
    for name in ("rest", *shipped())
)
