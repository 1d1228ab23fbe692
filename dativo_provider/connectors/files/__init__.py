"""Files of any format in local folders and object stores, read alike."""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CAPABILITIES", "CONNECTORS"]

CAPABILITIES = Capabilities(incremental=True, sliceable=True, threaded=True, ordered_cursor=False)

_PLAIN = "dativo_provider.lake.plain.target:PlainTarget"  # lives in a room of its own
_STRATEGIES = ("file_modified_time", "full_refresh")


def _local(name: str, kind: str, description: str, target: str = "") -> ConnectorInfo:
    reader = f"dativo_provider.connectors.files.local:{kind}"
    roles = ("source", "target") if name != "avro" else ("source",)
    return ConnectorInfo(name, roles, "files", description, CAPABILITIES, _STRATEGIES, reader=reader, target=target)  # type: ignore[arg-type]


CONNECTORS = (
    _local("json", "JsonReader", "JSON documents and JSON Lines in local folders"),
    _local("parquet", "ParquetReader", "Parquet files in local folders", _PLAIN),
    _local("avro", "AvroReader", "Avro files in local folders"),
)
