"""The reader suite over an API of our own, for the ways of paging that are least alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.stream import Window
from tests.conformance.readers import CONTRACT, ReaderConformance, ReaderWorld, Row
from tests.connectors.rest.fake import FakeApi, serving
from tests.connectors.rest.toy import SPEC, text


class RestWorld(ReaderWorld):
    def __init__(self, api: FakeApi, style: str) -> None:
        super().__init__()
        self.api, self.style = api, style

    def source(self) -> SourceSpec:
        return self._source(token=self.api.token)

    def _source(self, **connection: Any) -> SourceSpec:
        limits = {"retry": {"max_retries": 0}}
        options = {"spec": text(SPEC)}
        return SourceSpec("rest", {"base_url": self.api.url, **connection}, options=options, rate_limits=limits)

    def stream(self, incremental: bool = False) -> StreamSpec:
        increment = IncrementalSpec("updated_at", "updated_at", lag_seconds=0) if incremental else IncrementalSpec()
        return StreamSpec(self.style, self.style, "events", CONTRACT, incremental=increment)

    def add(self, rows: Sequence[Row]) -> None:
        with self.api.lock:
            self.api.rows += [{**each, "updated_at": _iso(each["updated_at"])} for each in rows]
            self.api.page = 100 if len(self.api.rows) < 10_000 else 5_000

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        return {
            "a wrong token": (self._source(token="wr0ngs3cret"), CredentialError),
            "no token": (self._source(), CredentialError),
            "an unknown setting": (self._source(token="x", tokn="y"), ConfigurationError),
            "nobody answers": (self._source(token="x", base_url="http://127.0.0.1:1"), SourceUnavailable),
        }

    def stamp(self, window: Window | None = None) -> datetime:
        if window is not None and window.hi is not None:
            return datetime.fromisoformat(str(window.hi)).astimezone(UTC)
        return self.clock

    def open(self, source: SourceSpec, ctx: RunContext) -> Reader:
        return RestReader(source, ctx)


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


class TestRestReader(ReaderConformance):
    connectors = ("rest",)

    @pytest.fixture(params=["cursor", "search"])
    def world(self, request: pytest.FixtureRequest) -> Iterator[ReaderWorld]:
        api = FakeApi()
        with serving(api):
            yield RestWorld(api, request.param)
