"""CSV files: one by one, by pattern or by folder; plain, gzip or zstd."""

from __future__ import annotations

from dativo_provider.connectors.files import guide
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
        options={
            "delimiter": "default `,`; of files named `.tsv`, a tab",
            "quote_char": 'default `"`; empty turns quoting off',
            "escape_char": "default: none; a quote is doubled",
            "encoding": "default `utf-8`",
            "header": "whether the first line names the columns; default true",
            "column_names": "names where there is no header",
            "null_values": "unquoted texts that are NULL; default: the empty one",
            "skip_rows": "lines before the header",
            "batch_size": "most rows of a batch; also `chunk_size`",
            "max_record_mb": "longest record; default 64",
            **guide.WHICH,
        },
        notes=(guide.PLACE, guide.CHANGED, guide.PATHS),
    ),
)
