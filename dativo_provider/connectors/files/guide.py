"""What the pages of the connectors of files say."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CHANGES", "FORMAT", "JSON", "NOTES", "ROWS"]

FORMAT: Mapping[str, str] = {
    "format": "`csv`, `json`, `jsonl`, `parquet`, `avro` or `markdown_kv`; default: the end of each file's name",
}
JSON: Mapping[str, str] = {
    "records": "of a JSON document: the dotted path of the array that holds the records; default: the document itself",
    "max_record_mb": "longest record or line; default 64",
    "encoding": "of text; default `utf-8`, and a byte order mark overrules it",
}
ROWS: Mapping[str, str] = {"batch_size": "most rows of a batch"}
CHANGES: Mapping[str, str] = {
    "on_broken_file": "`fail` (default), or `quarantine`: the rows before the break are kept, and one entry of the "
    "quarantine stands for the rest of the file",
}
NOTES = (
    "Text may be packed with gzip or zstd. Numbers keep every digit; what a column's type cannot hold is judged row by "
    "row.",
    "A later run reads files that are new. One that changed after it was read stops the run, unless `on_changed_file` "
    "says `append` (with a key) or `replace`.",
    "A file that changes while it is read stops the run, and the next one reads it whole.",
    "Columns that some files lack are NULL there; what becomes of columns the contract lacks is said by "
    "[`schema_policy`](../schema-evolution.md).",
)
