"""A file that the toy tap reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dativo_provider.connectors.singer.reader import SingerReader
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.settings import Settings
from tests.conformance.readers import CONTRACT, ReaderWorld, Row
from tests.connectors.bridge.support import an_environment, as_json

__all__ = ["TOKEN", "SingerWorld"]

TOKEN = "t0pS3cretOfTap"
OPTIONS = {"tap": "tap-toy", "tap_version": "1.0"}


class SingerWorld(ReaderWorld):
    repeatable = False

    def __init__(self, folder: Path) -> None:
        super().__init__()
        script = Path(__file__).with_name("toy_tap.py")
        self.envs = an_environment(folder / "envs", "tap-toy==1.0", "tap-toy", script)
        self.path = folder / "rows.jsonl"
        self.path.write_text("")

    def source(self, **more: Any) -> SourceSpec:
        return self.with_options({}, **more)

    def with_options(self, options: Mapping[str, Any], **more: Any) -> SourceSpec:
        connection = {"path": str(self.path), "token": TOKEN, **more}
        return SourceSpec("singer", connection, options={**OPTIONS, **options})

    def stream(self, incremental: bool = False, name: str = "events") -> StreamSpec:
        increment = IncrementalSpec("incremental", "updated_at", lag_seconds=0) if incremental else IncrementalSpec()
        return StreamSpec(name, name, "events", CONTRACT, incremental=increment)

    def add(self, rows: Sequence[Row]) -> None:
        with self.path.open("a") as file:
            file.write(as_json(rows))

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        return {
            "a wrong token": (self.source(token="wr0ngs3cret"), CredentialError),
            "nobody answers": (self.source(down=True), SourceUnavailable),
            "no environment": (self.with_options({"tap_version": "2.0"}), ConfigurationError),
            "no such command": (self.with_options({"tap": "tap-toi", "tap_package": "tap-toy"}), ConfigurationError),
            "an unknown option": (self.with_options({"tab": "x"}), ConfigurationError),
        }

    def blocking(self) -> StreamSpec | None:
        return self.stream(name="hanging")

    def context(self) -> RunContext:
        return RunContext(Settings(home="", envs=str(self.envs)), now=lambda: self.clock)

    def open(self, source: SourceSpec, ctx: RunContext) -> Reader:
        return SingerReader(source, ctx)
