"""CSV files: one by one, by pattern or by folder; plain, gzip or zstd."""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CAPABILITIES", "CONNECTORS"]

CAPABILITIES = Capabilities(incremental=True, sliceable=True, threaded=True, ordered_cursor=False)

CONNECTORS = (
    ConnectorInfo(
        "csv",
        ("source", "target"),
        "files",
        "CSV files, plain or compressed",
        CAPABILITIES,
        ("file_modified_time", "full_refresh"),
        reader="dativo_provider.connectors.csv.reader:CsvReader",
    ),
)
