"""Singer taps, each in an environment of its own. https://hub.meltano.com/singer/spec"""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CONNECTORS"]

CONNECTORS = (
    ConnectorInfo(
        "singer",
        ("source",),
        "api",
        "A Singer tap from PyPI",
        Capabilities(incremental=True, ordered_cursor=False, deletes=True),
        ("incremental",),
        reader="dativo_provider.connectors.singer.reader:SingerReader",
    ),
)
