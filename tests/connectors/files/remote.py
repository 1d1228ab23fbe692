"""Object stores for the tests of the readers of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dativo_provider.connectors.files.reader import FilesReader
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError
from dativo_provider.files import FileStore, open_files
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from tests.conformance.readers import CONTRACT, ReaderWorld, Row
from tests.connectors.files.local import opened
from tests.connectors.files.writing import WRITE


@dataclass(frozen=True)
class Bucket:
    """A place in a store that is running: its URI, the job's words for it, and PyIceberg's."""

    connector: str
    uri: str
    connection: Mapping[str, Any]
    properties: Mapping[str, str]
    refused: Mapping[str, Any] | None = None  # a connection whose keys are wrong, where the store looks at keys

    @property
    def store(self) -> FileStore:
        return open_files(self.uri, self.properties)

    def source(self, **rest: Any) -> SourceSpec:
        return SourceSpec(self.connector, connection=self.connection, roots=(self.uri,), **rest)

    def put(self, name: str, data: bytes) -> str:
        self.store.write(f"{self.uri}/{name}", data)
        return f"{self.uri}/{name}"


class BucketWorld(ReaderWorld):
    """Each `add` delivers one more file, of another format than the last where there are several."""

    def __init__(self, bucket: Bucket, *endings: str) -> None:
        super().__init__()
        self.bucket, self.endings, self._files = bucket, endings, 0
        self.add([])

    def source(self) -> SourceSpec:
        return self.bucket.source()

    def stream(self, incremental: bool = False) -> StreamSpec:
        strategy = "file_modified_time" if incremental else "full_refresh"
        path = f"{self.bucket.uri}/events/**/*"
        return StreamSpec("events", path, "events", CONTRACT, incremental=IncrementalSpec(strategy))

    def add(self, rows: Sequence[Row]) -> None:
        ending = self.endings[self._files % len(self.endings)]
        self._files += 1
        self.bucket.put(f"events/dt={self._files % 3}/{self._files:04}.{ending}", WRITE[ending](rows))

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        good, nowhere = self.source(), f"{self.bucket.uri}/nowhere"
        found: dict[str, tuple[SourceSpec, type[DativoError]]] = {
            "no file": (replace(good, roots=(nowhere,)), ConfigurationError),
            "unknown option": (replace(good, options={"delimeter": ";"}), ConfigurationError),
            "unknown setting": (replace(good, connection={**good.connection, "acces_key": "x"}), ConfigurationError),
            "no root": (replace(good, roots=("/tmp",)), ConfigurationError),
        }
        if self.bucket.refused:
            found["wrong key"] = (replace(good, connection=self.bucket.refused), CredentialError)
        return found

    def open(self, source: SourceSpec, ctx: RunContext) -> FilesReader:
        return opened(source, ctx)
