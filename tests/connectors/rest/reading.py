"""Reads the streams of `FakeApi` with a spec of `toy`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from tests.connectors.rest.fake import FakeApi
from tests.connectors.rest.toy import SPEC, text

__all__ = ["START", "Kept", "add", "ids", "one", "reader", "stream_of", "table", "token_spec"]

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Kept(dict[str, str]):
    """A secret of several fields that all tasks write back to; `written` is what it became, in order."""

    def __init__(self, **fields: str) -> None:
        super().__init__(fields)
        self.written: list[str] = []

    def put(self, name: str, value: str) -> None:
        self[name] = value
        self.written.append(value)

    def prove(self, name: str) -> None:
        self.put(name, self[name])


def add(api: FakeApi, count: int, *, every: timedelta = timedelta(seconds=1), first: int = 1) -> None:
    moments = [(number, START + (number - 1) * every) for number in range(first, first + count)]
    api.rows += [
        {"id": number, "name": f"row {number}", "amount": 1.5, "updated_at": at.isoformat().replace("+00:00", "Z")}
        for number, at in moments
    ]


def reader(api: FakeApi, spec: dict[str, Any] = SPEC, **retry: Any) -> RestReader:
    limits = {"retry": {"max_retries": 6, "max_backoff_seconds": 0.01, **retry}}
    source = SourceSpec(
        "rest", {"base_url": api.url, "token": api.token}, options={"spec": text(spec)}, rate_limits=limits
    )
    return RestReader(source, RunContext(Settings(home=""), now=lambda: START + timedelta(days=1)))


def ids(made: RestReader, style: str, lo: datetime | None = None, hi: datetime | None = None) -> list[int]:
    spec = stream_of(style)
    piece = Slice(0, style, {"lo": lo and lo.isoformat(), "hi": hi and hi.isoformat()})
    return [each["id"] for batch in made.read(spec, piece) for each in batch.data.to_pylist()]


def one(**stream: Any) -> dict[str, Any]:
    """The spec with this one stream."""
    return SPEC | {"streams": {"single": SPEC["streams"]["single"] | stream}}


def table(made: RestReader, name: str = "single") -> Any:
    import pyarrow as pa

    batches = made.read(stream_of(name), Slice(0, name))
    return pa.Table.from_batches([batch.data for batch in batches])


def token_spec() -> dict[str, Any]:
    stream = SPEC["streams"]["cursor"] | {
        "incremental": {"token": {"path": "meta.position", "param": "position"}},
        "request": "/cursor",
    }
    return SPEC | {"streams": {"cursor": stream}}


def stream_of(name: str, **parts: Any) -> StreamSpec:
    """The stream as a job names it; its contract says nothing unless `parts` give one."""
    return StreamSpec(name, name, "t", **{"contract": ContractSpec("events"), **parts})
