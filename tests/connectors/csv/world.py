"""A folder of CSV files for the tests of the CSV reader."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dativo_provider.connectors.csv.reader import CsvReader
from dativo_provider.errors import ConfigurationError, DataError, DativoError
from dativo_provider.model.batch import Batch
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field, Slice, WindowRequest
from tests.conformance.readers import CONTRACT, FIELDS, ReaderWorld, Row


class CsvWorld(ReaderWorld):
    """Each `add` delivers one more file."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder / "events"
        self.folder.mkdir()
        self._files = 0
        self.add([])

    def source(self) -> SourceSpec:
        return SourceSpec("csv", roots=(str(self.folder.parent),))

    def stream(self, incremental: bool = False) -> StreamSpec:
        strategy = "file_modified_time" if incremental else "full_refresh"
        return StreamSpec("events", "events/*.csv", "events", CONTRACT, incremental=IncrementalSpec(strategy))

    def add(self, rows: Sequence[Row]) -> None:
        self._files += 1
        path = self.folder / f"{self._files:04}.csv"
        lines = [",".join(field.name for field in FIELDS), *(",".join(map(cell, each.values())) for each in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
        os.utime(path, (self.clock.timestamp(), self.clock.timestamp()))

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        ugly = self.folder.parent / "ugly"
        ugly.mkdir(exist_ok=True)
        (ugly / "twice.csv").write_text("a,b,a\n1,2,3\n")
        empty = self.folder.parent / "empty"
        empty.mkdir(exist_ok=True)
        good = self.source()
        return {
            "no such folder": (replace(good, roots=(str(self.folder / "nowhere"),)), ConfigurationError),
            "no file": (replace(good, roots=(str(empty),)), ConfigurationError),
            "unknown option": (replace(good, options={"delimeter": ";"}), ConfigurationError),
            "a name twice": (replace(good, roots=(str(ugly),)), DataError),
        }

    def open(self, source: SourceSpec, ctx: RunContext) -> CsvReader:
        return CsvReader(source, ctx)


def cell(value: Any) -> str:
    """NULL is nothing, the empty string a pair of quotes."""
    if value is None:
        return ""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return '"' + text.replace('"', '""') + '"' if isinstance(value, str) else text


def opened(root: Path, **source: Any) -> CsvReader:
    return CsvReader(SourceSpec("csv", roots=(str(root),), **source), RunContext(Settings(home="")))


def stream_of(path: str, fields: Sequence[Field] = (), **rest: Any) -> StreamSpec:
    return StreamSpec("s", path, "s", ContractSpec("s", fields=tuple(fields)), **rest)


def read_all(root: Path, path: str, fields: Sequence[Field] = (), want: int = 1, **options: Any) -> list[Batch]:
    reader, stream = opened(root), stream_of(path, fields, options=options)
    window = reader.window(stream, WindowRequest(full=True))
    pieces: list[Slice] = reader.slices(stream, window, want)
    return [batch for piece in pieces for batch in reader.read(stream, piece)]


def rows_with_lines(batches: Sequence[Batch]) -> list[tuple[int, dict[str, Any]]]:
    return [
        (line, row)
        for batch in batches
        for line, row in zip(batch.positions.to_pylist(), batch.data.to_pylist(), strict=True)
    ]


def rejects(batches: Sequence[Batch]) -> list[tuple[int, str, str]]:
    return [(each.position, each.raw, each.reason) for batch in batches for each in batch.rejects]
