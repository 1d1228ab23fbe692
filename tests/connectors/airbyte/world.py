"""A file that the toy source reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dativo_provider.connectors.airbyte.reader import AirbyteReader
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.settings import Settings
from tests.conformance.readers import CONTRACT, ReaderWorld, Row
from tests.connectors.bridge.support import an_environment, as_json

__all__ = ["SCRIPT", "TOKEN", "AirbyteWorld"]

TOKEN = "t0pS3cretOfTap"
SCRIPT = Path(__file__).with_name("toy_source.py")


class AirbyteWorld(ReaderWorld):
    """`variables` are the operator's; `more` goes into the source's settings."""

    repeatable = False

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.envs = an_environment(folder / "envs", "airbyte-source-toy==1.0", "source-toy", SCRIPT)
        self.path, self.told = folder / "rows.jsonl", folder / "told.json"
        self.path.write_text("")
        self.options: dict[str, Any] = {"package": "airbyte-source-toy", "version": "1.0"}
        self.more: dict[str, Any] = {}
        self.variables: dict[str, str] = {}

    def source(self, **more: Any) -> SourceSpec:
        connection = {"path": str(self.path), "token": TOKEN, "tells": str(self.told), **self.more, **more}
        return SourceSpec("airbyte", connection, options=self.options)

    def stream(self, incremental: bool = False, name: str = "main.events") -> StreamSpec:
        increment = IncrementalSpec("incremental", "updated_at", lag_seconds=0) if incremental else IncrementalSpec()
        return StreamSpec(name, name, "events", CONTRACT, incremental=increment)

    def add(self, rows: Sequence[Row]) -> None:
        with self.path.open("a") as file:
            file.write(as_json(rows))

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        other = SourceSpec("airbyte", {}, options={"package": "airbyte-source-toy==2.0"})
        return {
            "a wrong token": (self.source(token="wr0ngs3cret"), CredentialError),
            "nobody answers": (self.source(down=True), SourceUnavailable),
            "no environment": (other, ConfigurationError),
            "nothing to run": (SourceSpec("airbyte"), ConfigurationError),
            "no Docker": (SourceSpec("airbyte", options={"docker_image": "airbyte/source-x"}), ConfigurationError),
        }

    def blocking(self) -> StreamSpec | None:
        return self.stream(name="hanging")

    def context(self) -> RunContext:
        settings = Settings(home="", envs=str(self.envs))
        return RunContext(settings, now=lambda: self.clock, variables={"PATH": "/nowhere", **self.variables})

    def open(self, source: SourceSpec, ctx: RunContext) -> Reader:
        return AirbyteReader(source, ctx)
