"""What the tests of database readers share: a world for the suite, a stream of the test's own database, runs of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

import pyarrow as pa

from dativo_provider.connectors.registry import open_reader
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, SourceUnavailable
from dativo_provider.model.batch import Batch, Unrepresentable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, IncrementalSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor, Slice, Stream, Window, WindowRequest
from dativo_provider.pipeline.whole import reading_whole
from tests.conformance.readers import CONTRACT, ReaderWorld, carried
from tests.services.framework import free_port


class DatabaseWorld(ReaderWorld):
    """The table `events` of a database of the test's own on a real server."""

    connector: ClassVar[str]
    create: ClassVar[str]
    named: ClassVar[str] = "events"  # the table, as the job names it
    tls: ClassVar[Mapping[str, Any]]  # what asks for TLS as the server has it not

    def __init__(self, database: Any) -> None:
        super().__init__()
        self.database = database
        self.clock -= timedelta(days=30)  # the server's own clock decides what is settled
        database.execute(self.create)

    def source(self) -> SourceSpec:
        return SourceSpec(self.connector, self.database.params, options={"min_slice_rows": 10})

    def stream(self, incremental: bool = False) -> StreamSpec:
        cursor = IncrementalSpec("incremental", "updated_at", 0, 0) if incremental else IncrementalSpec()
        return StreamSpec("events", self.named, "events", CONTRACT, incremental=cursor, key=("id",))

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        def with_(**changed: object) -> SourceSpec:
            return replace(self.source(), connection={**self.database.params, **changed})

        return {
            "wrong password": (with_(password="not-the-password"), CredentialError),
            "no such user": (with_(user="nobody_here"), CredentialError),
            "no such database": (with_(database="nothing_here"), ConfigurationError),
            "nobody listens": (with_(port=free_port()), SourceUnavailable),
            "misspelt parameter": (with_(pasword="x"), ConfigurationError),
            "no TLS there": (with_(**self.tls), ConfigurationError),
        }

    def open(self, source: SourceSpec, ctx: RunContext) -> Reader:
        return open_reader(source, ctx)


def context(**more: Any) -> RunContext:
    return RunContext(Settings(home=""), **more)


def table(name: str, cursor: str = "", lookback: int = 0, lag: int = 1, **more: Any) -> StreamSpec:
    strategy = "incremental" if cursor else "full_refresh"
    contract = more.pop("contract", ContractSpec(name))
    return StreamSpec(name, name, name, contract, incremental=IncrementalSpec(strategy, cursor, lookback, lag), **more)


@contextmanager
def reader(source_: SourceSpec, ctx: RunContext | None = None) -> Iterator[Reader]:
    with closing(open_reader(source_, ctx or context())) as opened:
        yield opened


@dataclass
class Job:
    """One stream of a database, run again and again; the cursor is kept as publish would keep it."""

    connector: ClassVar[str]

    database: Any
    stream: StreamSpec
    options: Mapping[str, Any] = field(default_factory=dict)
    cursor: Cursor | None = None

    @property
    def source(self) -> SourceSpec:
        return SourceSpec(self.connector, self.database.params, options=dict(self.options))

    def describe(self) -> Stream:
        with reader(self.source) as opened:
            return opened.describe(self.stream)

    def plan(self, **request: Any) -> Window:
        with reader(self.source) as opened:
            return carried(opened.window(self.stream, WindowRequest(since=self.cursor, **request)))

    def slices(self, window: Window, want: int = 1) -> list[Slice]:
        if window.kind == "empty":
            return []
        with reader(self.source) as opened:
            return [carried(piece) for piece in opened.slices(self.stream, window, want)]

    def read(self, window: Window, want: int = 1) -> pa.Table:
        batches = [batch for piece in self.slices(window, want) for batch in self.batches(piece)]
        return pa.Table.from_batches([batch.data for batch in batches]) if batches else pa.table({})

    def batches(self, piece: Slice) -> list[Batch]:
        """As `extract` does: once more, with a column as text, when its type cannot hold a value."""
        while True:
            try:
                with reader(self.source) as opened:
                    read = list(opened.read(self.stream, piece))
                    assert opened.result().complete
                    assert opened.result().rows == sum(batch.rows for batch in read)
                    return read
            except Unrepresentable as lost:
                if set(lost.columns) <= set(piece.as_text):
                    raise AssertionError("it is read as text already") from lost
                piece = replace(piece, as_text=(*piece.as_text, *lost.columns))

    def commit(self, window: Window) -> None:
        with reader(self.source) as opened:
            self.cursor = type(opened).next_cursor(window, [], self.cursor)

    def run(self, want: int = 1, **request: Any) -> list[dict[str, Any]]:
        """The rows of one whole run, which moves the cursor."""
        window = self.plan(**request)
        rows: list[dict[str, Any]] = self.read(window, want).to_pylist()
        self.commit(window)
        return rows


def whole(window: Window) -> Window:
    """As `plan` makes it for a full load that deletes what it does not bring."""
    job = JobSpec("acme", "j", "j", SourceSpec("x"), TargetSpec(mode="merge", delete_missing=True), ())
    return reading_whole(job, window)


def ids(rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    return sorted(row["id"] for row in rows)
