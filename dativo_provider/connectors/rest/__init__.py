"""APIs by spec: each YAML in `specs/` is a connector, and `rest` reads a spec of the user's own."""

from __future__ import annotations

from pathlib import Path

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CAPABILITIES", "CONNECTORS"]

CAPABILITIES = Capabilities(incremental=True, sliceable=True, ordered_cursor=False, deletes=True)
_READER = "dativo_provider.connectors.rest.reader:RestReader"
_NAMES = ("rest", *sorted(path.stem for path in (Path(__file__).parent / "specs").glob("*.yaml")))

CONNECTORS = tuple(
    ConnectorInfo(name, ("source",), "api", "", CAPABILITIES, ("updated_at",), reader=_READER) for name in _NAMES
)
