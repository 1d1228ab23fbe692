"""Formats of files: a leaf each, named here by the word of the option `format` and by the ends of file names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from dativo_provider.connectors.files.formats.base import Asked, Format, Head
from dativo_provider.errors import ConfigurationError, DataError

__all__ = ["ENDINGS", "FORMATS", "Asked", "Format", "Head", "format_named", "format_of", "names_of"]

# By word: `module:Class`, imported when it is needed.
FORMATS = {
    "csv": "csv:CsvText",
    "json": "json:JsonDocument",
    "jsonl": "jsonl:JsonLines",
    "parquet": "parquet:Parquet",
    "avro": "avro:Avro",
    "markdown_kv": "markdown_kv:MarkdownKv",
}
ENDINGS = {
    **dict.fromkeys(("csv", "tsv", "txt"), "csv"),
    "json": "json",
    **dict.fromkeys(("jsonl", "ndjson", "jsonlines"), "jsonl"),
    **dict.fromkeys(("parquet", "pq"), "parquet"),
    "avro": "avro",
    **dict.fromkeys(("md", "mdkv", "markdown"), "markdown_kv"),
}
_PACKED = re.compile(r"\.(gz|gzip|zst|zstd)$", re.IGNORECASE)
_ARCHIVES = (".zip", ".tar", ".tgz", ".7z", ".rar")


def names_of(*formats: str) -> re.Pattern[str]:
    """Which names in a folder are files of these formats, packed or not."""
    endings = "|".join(ending for ending, name in ENDINGS.items() if name in formats)
    return re.compile(rf"\.({endings})(\.(gz|gzip|zst|zstd))?$", re.IGNORECASE)


def format_of(path: str, options: Mapping[str, Any]) -> Format:
    """What `options.format` says, else the end of the name. Raises `ConfigurationError`, `DataError`."""
    given = options.get("format")
    if given:
        return format_named(str(given), options)
    if path.lower().endswith(_ARCHIVES):
        raise DataError("an archive is no file of rows", where=path, remedy="unpack it, or pack each file with gzip")
    ending = _PACKED.sub("", path).rpartition(".")[2].lower()
    if ending not in ENDINGS:
        raise ConfigurationError(
            "the name does not tell the format of the file", where=path,
            remedy=f"say it: options.format: {' | '.join(sorted(FORMATS))}",
        )  # fmt: skip
    return format_named(ENDINGS[ending], options)


def format_named(name: str, options: Mapping[str, Any]) -> Format:
    """`options` beside `format` are the format's own. Raises `ConfigurationError` for one that it does not have."""
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, 1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise ConfigurationError(f"unknown format '{name}'", remedy=f"{hint}known: {', '.join(sorted(FORMATS))}")
    module, _, kind = FORMATS[name].partition(":")
    own = {key: value for key, value in options.items() if key != "format"}
    made: Format = getattr(import_module(f"{__name__}.{module}"), kind)(own)
    return made
