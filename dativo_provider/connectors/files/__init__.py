"""Files of any format in local folders and object stores, read alike."""

from __future__ import annotations

from dativo_provider.connectors.files.guide import CHANGES, FORMAT, JSON, NOTES, ROWS
from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CAPABILITIES", "CONNECTORS"]

CAPABILITIES = Capabilities(incremental=True, sliceable=True, threaded=True, ordered_cursor=False)

_LOCAL = "dativo_provider.connectors.files.local"
_PLAIN = "dativo_provider.lake.plain.target:PlainTarget"  # lives in a room of its own
_STRATEGIES = ("file_modified_time", "full_refresh")

CONNECTORS = (
    ConnectorInfo(
        "json", ("source", "target"), "files", "JSON documents and JSON Lines in local folders", CAPABILITIES,
        _STRATEGIES, reader=f"{_LOCAL}:JsonReader", options={**FORMAT, **JSON, **ROWS, **CHANGES}, notes=NOTES,
    ),
    ConnectorInfo(
        "parquet", ("source", "target"), "files", "Parquet files in local folders", CAPABILITIES,
        _STRATEGIES, reader=f"{_LOCAL}:ParquetReader", target=_PLAIN, options={**ROWS, **CHANGES}, notes=NOTES,
    ),
    ConnectorInfo(
        "avro", ("source",), "files", "Avro files in local folders", Capabilities(
            incremental=True, sliceable=True, threaded=True, ordered_cursor=False, extra="avro",
        ),
        _STRATEGIES, reader=f"{_LOCAL}:AvroReader", options={**ROWS, **CHANGES}, notes=NOTES,
    ),
)  # fmt: skip
