"""A folder of files for the tests of the readers of files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dativo_provider.connectors.files.reader import FilesReader
from dativo_provider.connectors.registry import connector
from dativo_provider.errors import ConfigurationError, DataError, DativoError
from dativo_provider.model.batch import Batch
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field, WindowRequest
from tests.conformance.readers import CONTRACT, ReaderWorld, Row, typed
from tests.connectors.files.writing import WRITE


class LocalWorld(ReaderWorld):
    """Each `add` delivers one more file."""

    def __init__(self, folder: Path, name: str, ending: str) -> None:
        super().__init__()
        self.name, self.ending = name, ending
        self.folder = folder / "events"
        self.folder.mkdir()
        self._files = 0
        self.add([])

    def source(self) -> SourceSpec:
        return SourceSpec(self.name, roots=(str(self.folder.parent),))

    def stream(self, incremental: bool = False) -> StreamSpec:
        strategy = "file_modified_time" if incremental else "full_refresh"
        return StreamSpec(
            "events", f"events/*.{self.ending}", "events", CONTRACT, incremental=IncrementalSpec(strategy)
        )

    def add(self, rows: Sequence[Row]) -> None:
        self._files += 1
        path = self.folder / f"{self._files:04}.{self.ending}"
        path.write_bytes(WRITE[self.ending](rows))
        os.utime(path, (self.clock.timestamp(), self.clock.timestamp()))

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        empty, ugly = self.folder.parent / "empty", self.folder.parent / "ugly"
        for each in (empty, ugly):
            each.mkdir(exist_ok=True)
        (ugly / f"torn.{self.ending}").write_bytes(WRITE[self.ending]([])[:-3] + b"\x00{")
        good = self.source()
        found = {
            "no such folder": (replace(good, roots=(str(self.folder / "nowhere"),)), ConfigurationError),
            "no file": (replace(good, roots=(str(empty),)), ConfigurationError),
            "unknown option": (replace(good, options={"delimeter": ";"}), ConfigurationError),
        }
        return (
            found
            if self.ending in ("jsonl", "md")
            else {**found, "torn": (replace(good, roots=(str(ugly),)), DataError)}
        )

    def open(self, source: SourceSpec, ctx: RunContext) -> FilesReader:
        return opened(source, ctx)


class MarkdownWorld(LocalWorld):
    """Each row of the suite's is a section, whose pairs are its columns as JSON, which holds any text in one line."""

    columns = frozenset(("doc_id", "section", "key", "value", "value_json", "ord", "extracted_at"))
    rows_each, width = 4, 400  # a document is a batch, and 16 MB at most

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "markdown_kv", "md")

    def rows(self, batch: Batch, stream: str) -> Iterator[Row]:
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for each in batch.data.to_pylist():
            found.setdefault((each["doc_id"], each["section"]), {})[each["key"]] = json.loads(each["value_json"])
        yield from map(typed, found.values())


def opened(source: SourceSpec, ctx: RunContext | None = None) -> FilesReader:
    made: FilesReader = connector(source.connector).load("source")(source, ctx or RunContext(Settings(home="")))
    return made


def stream_of(path: str, fields: Sequence[Field] = (), **rest: Any) -> StreamSpec:
    return StreamSpec("s", path, "s", ContractSpec("s", fields=tuple(fields)), **rest)


def read_all(source: SourceSpec, path: str, fields: Sequence[Field] = (), want: int = 1, **rest: Any) -> list[Batch]:
    reader, stream = opened(source), stream_of(path, fields, **rest)
    window = reader.window(stream, WindowRequest(full=True))
    return [batch for piece in reader.slices(stream, window, want) for batch in reader.read(stream, piece)]


def rows_of(batches: Sequence[Batch]) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.data.to_pylist()]


def rejects(batches: Sequence[Batch]) -> list[tuple[int, str, str]]:
    return [(each.position, each.raw, each.reason) for batch in batches for each in batch.rejects]
