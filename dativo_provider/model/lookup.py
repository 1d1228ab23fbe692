"""Tables beside the source, whose rows a job's transformations may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dativo_provider.model.stream import Field

__all__ = ["LookupPin", "LookupSpec"]


@dataclass(frozen=True)
class LookupSpec:
    """A LEFT JOIN of at most one row: `key` pairs the table's columns with the row's. Either an Iceberg table of the
    job's catalog (`[<namespace>.]<table>`) or a file; `types` are those of a CSV file's columns that are no text."""

    name: str
    key: Mapping[str, str]
    table: str = ""
    path: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
    declared_in: str = field(default="", compare=False)


@dataclass(frozen=True)
class LookupPin:
    """What one run sees of a lookup, whatever happens to the table or file meanwhile.

    `version` is a table's uuid and snapshot, or a file's SHA-256; `copy` is the URI of what the plan kept of a file.
    """

    name: str
    of: str  # the table's name, or the file's path
    version: str
    columns: tuple[Field, ...]
    rows: int
    copy: str = ""
    copy_version: str = ""  # SHA-256 of the copy
