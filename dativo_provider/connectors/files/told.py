"""Columns that the path of a file tells: `{name}` in the path of a job, and folders `name=value`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote

import pyarrow as pa

from dativo_provider.connectors.files.patterns import expression
from dativo_provider.model.batch import Batch

__all__ = ["PathColumns", "globbed", "with_columns"]

_NAMED = re.compile(r"\{([A-Za-z_]\w*)\}")
_FOLDER = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_NULL = "__HIVE_DEFAULT_PARTITION__"  # https://duckdb.org/docs/stable/data/partitioning/hive_partitioning


def globbed(wanted: str) -> str:
    """The pattern that finds what a path with `{name}` means; each stands for a part of one folder's or file's name."""
    return _NAMED.sub("*", wanted)


class PathColumns:
    """`patterns` are paths with `{name}`, spelled as those of the files that will be asked about."""

    def __init__(self, patterns: Sequence[str], hive: bool) -> None:
        self.named = tuple(dict.fromkeys(name for each in patterns for name in _NAMED.findall(each)))
        self._expressions = [_expression(each) for each in patterns if _NAMED.search(each)]
        self._hive = hive

    def of(self, path: str) -> dict[str, str | None]:
        """What `path` says, as text: `{name}` counts for more than a folder of that name."""
        found: dict[str, str | None] = dict(_folders(path)) if self._hive else {}
        match = next(filter(None, (each.fullmatch(path) for each in self._expressions)), None)
        return {**dict.fromkeys(self.named), **found, **(match.groupdict() if match else {})}


def _folders(path: str) -> Iterator[tuple[str, str | None]]:
    for folder in path.split("/")[:-1]:
        if match := _FOLDER.fullmatch(folder):
            yield match[1], None if match[2] == _NULL else unquote(match[2])


def _expression(pattern: str) -> re.Pattern[str]:
    """A name that stands twice has to be the same text twice."""
    parts, seen = list[str](), set[str]()
    for at, part in enumerate(_NAMED.split(pattern)):
        if at % 2 == 0:
            parts.append(expression(part))
        else:
            parts.append(f"(?P={part})" if part in seen else f"(?P<{part}>[^/]+)")
            seen.add(part)
    return re.compile("".join(parts), re.DOTALL)


def with_columns(batch: Batch, told: Mapping[str, str | None], wanted: Sequence[str]) -> Batch:
    """`batch` with a column for each that `wanted` names (none: all).

    It stands in place of one of that name in the file, unless it is NULL.
    """
    added = {name: value for name, value in told.items() if not wanted or name in wanted}
    if not added or not batch.data.num_rows:
        return batch
    columns = dict(zip(batch.data.schema.names, batch.data.columns, strict=True))
    for name, value in added.items():
        if value is None and name in columns:
            continue  # the path does not say it: the file's own stands
        columns[name] = pa.repeat(pa.scalar(value, pa.string()), batch.data.num_rows)
    return replace(batch, data=pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)))
