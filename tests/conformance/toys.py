"""Three readers that prove the interface carries, unchanged, what the first two sources do not need: cursors known
only after reading, deletes with acknowledgement, and several streams in one read."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from dativo_provider.connectors.base import BaseReader, RequestRetry, Tally
from dativo_provider.errors import CredentialError, DativoError, RateLimited, SourceUnavailable
from dativo_provider.model.batch import Batch
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.stream import Capabilities, Cursor, Slice, Stream, Window, WindowRequest
from dativo_provider.model.types import to_arrow
from tests.conformance.readers import CONTRACT, FIELDS, ReaderWorld, Row

__all__ = ["Change", "ChangeLog", "ChangeReader", "ChangeWorld", "PageApi", "PageReader", "PageWorld", "SchemaWorld"]

SCHEMA = pa.schema([pa.field(each.name, to_arrow(each.type)) for each in FIELDS])
PAGE = 40


class ToyReader(BaseReader):
    """Finds its server, a Python object, under `connection.server`."""

    retry = RequestRetry(initial_seconds=0.001)

    @property
    def server(self) -> Any:
        return self.source.connection["server"]

    def check(self) -> None:
        self.request(lambda: self.server.log_in(self.source.connection.get("token", "")), "log in")

    def discover(self) -> list[Stream]:
        return [Stream("events", FIELDS)]

    def describe(self, stream: StreamSpec) -> Stream:
        return Stream(stream.name, FIELDS)


class Server:
    """Answers only to the right token."""

    def log_in(self, token: str) -> None:
        if token != "sesame":
            raise CredentialError(f"the token '{token}' is not accepted", remedy="renew the token")


class ToyWorld(ReaderWorld):
    reader: type[ToyReader]

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server = server

    def source(self) -> SourceSpec:
        return SourceSpec("toy", {"server": self.server, "token": "sesame"})

    def stream(self, incremental: bool = False) -> StreamSpec:
        strategy = IncrementalSpec("incremental" if incremental else "full_refresh")
        return StreamSpec("events", "events", "events", CONTRACT, incremental=strategy)

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        wrong = replace(self.source(), connection={"server": self.server, "token": "open-barley"})
        return {"wrong token": (wrong, CredentialError)}

    def open(self, source: SourceSpec, ctx: RunContext) -> ToyReader:
        return self.reader(source, ctx)


# An API that hands out pages and, with the last one, the token to come back with ----------------------------------


class PageApi(Server):
    """Tokens are opaque to the reader (here: positions). Every fifth answer is a refusal worth a retry."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.calls = 0

    def page(self, token: str) -> tuple[list[Row], str, bool]:
        self.calls += 1
        if self.calls % 5 == 0:
            raise RateLimited("too many requests", retry_after=0.001)
        start = int(token.removeprefix("t") or 0)
        rows = self.rows[start : start + PAGE]
        return rows, f"t{start + len(rows)}", start + len(rows) < len(self.rows)


class PageReader(ToyReader):
    capabilities = Capabilities(incremental=True, ordered_cursor=False)

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        """The end is not known: nothing but reading tells it."""
        since = request.since.value["token"] if request.since and not request.full else ""
        kind: Any = "full" if request.full else "incremental"
        return Window(kind, detail={"token": since})

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        return [Slice(0, stream.name, dict(window.detail))]

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        token, more = str(piece.spec["token"]), True
        while more:
            at = token
            rows, token, more = self.request(lambda at=at: self.server.page(at), "page")  # type: ignore[misc]
            if rows:
                yield Batch(stream.name, pa.RecordBatch.from_pylist(rows, SCHEMA), f"page {at}")
        tally.cursor = Cursor({"token": token})


class PageWorld(ToyWorld):
    reader = PageReader
    gigantic, width = 4000, 8
    repeatable = False

    def __init__(self) -> None:
        super().__init__(PageApi())

    def add(self, rows: Sequence[Row]) -> None:
        self.server.rows += rows


# A change log that keeps what was not acknowledged ------------------------------------------------------------------


@dataclass
class Change:
    op: str
    row: Row
    stream: str = "events"
    lsn: int = 0


@dataclass
class ChangeLog(Server):
    """What `confirm` has confirmed is thrown away, like the segments behind a replication slot."""

    changes: list[Change] = field(default_factory=list)
    confirmed: int = 0
    last: int = 0

    def append(self, *changes: Change) -> None:
        for each in changes:
            self.last += 1
            self.changes.append(replace(each, lsn=self.last))

    def confirm(self, lsn: int) -> None:
        if lsn < self.confirmed:
            raise SourceUnavailable("a slot cannot go back")
        self.confirmed = lsn
        self.changes = [each for each in self.changes if each.lsn > lsn]

    def between(self, low: int, high: int) -> list[Change]:
        return [each for each in self.changes if low < each.lsn <= high]


class ChangeReader(ToyReader):
    """Reads up to the position that was the log's end when the run was planned; several streams come mixed."""

    capabilities = Capabilities(
        incremental=True, ordered_cursor=False, deletes=True, acknowledges=True, interleaved=True
    )

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        low = request.since.value["lsn"] if request.since and not request.full else 0
        high = self.server.last
        if low == high:
            return Window("empty")
        kind: Any = "full" if request.full else "incremental"
        return Window(kind, detail={"low": low, "high": high}, cursor=Cursor({"lsn": high}))

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        return [Slice(0, stream.name, dict(window.detail))]

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        run: list[Change] = []
        for change in self.server.between(piece.spec["low"], piece.spec["high"]):
            if run and (run[0].stream != change.stream or len(run) == PAGE):
                yield _as_batch(run)
                run = []
            run.append(change)
        if run:
            yield _as_batch(run)
        tally.cursor = Cursor({"lsn": piece.spec["high"]})

    def committed(self, cursor: Cursor | None) -> None:
        if cursor is not None:
            self.request(lambda: self.server.confirm(cursor.value["lsn"]), "confirm")


def _as_batch(changes: Sequence[Change]) -> Batch:
    data = pa.RecordBatch.from_pylist([each.row for each in changes], SCHEMA)
    places = pa.array([each.lsn for each in changes], pa.int64())
    ops = pa.array([each.op for each in changes], pa.string())
    return Batch(changes[0].stream, data, "log", places, ops)


class ChangeWorld(ToyWorld):
    reader = ChangeReader
    gigantic, width = 4000, 8

    def __init__(self) -> None:
        super().__init__(ChangeLog())

    def add(self, rows: Sequence[Row]) -> None:
        self.server.append(*(Change("insert", each) for each in rows))


class SchemaWorld(ChangeWorld):
    """Rows of another stream stand between ours."""

    def add(self, rows: Sequence[Row]) -> None:
        for each in rows:
            self.server.append(Change("insert", each), Change("update", each | {"id": -7}, "customers"))
