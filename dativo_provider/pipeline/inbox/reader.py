"""Reads the rows of a replay, as text: the cast judges them by the contract as it is now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dativo_provider.model.batch import Aside, Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.matching import match_names
from dativo_provider.model.reader import Reader
from dativo_provider.model.stream import (
    Capabilities,
    Cursor,
    Field,
    ReadResult,
    Slice,
    Stream,
    Window,
    WindowRequest,
)
from dativo_provider.pipeline.inbox.parts import VALUES, Parts
from dativo_provider.pipeline.workplace import run_files

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["InboxReader"]


class InboxReader(Reader):
    """Its cursor is every replay whose rows are published; it moves with the commit that holds them."""

    capabilities = Capabilities(ordered_cursor=False)
    _rows = 0

    @property
    def _parts(self) -> Parts:
        folder = str(self.source.options["folder"])
        return Parts(run_files(folder, self.ctx), folder)

    def check(self) -> None:
        self._parts.chosen()

    def discover(self) -> list[Stream]:
        return []

    def describe(self, stream: StreamSpec) -> Stream:
        """A column that the contract has gained since is there, without values: each row is judged by itself."""
        names = list(self._parts.chosen().columns)
        wanted = [*stream.contract.fields, *map(Field, self.source.options["columns"])]
        made = set(self.source.options["made"])
        for item, place in zip(wanted, match_names(wanted, names), strict=True):
            if place is None and item.name not in made and item.name not in names:
                names.append(item.name)
        return Stream(stream.name, tuple(Field(name) for name in names))

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        return Window("range", overlap=bool(stream.key), detail={"replay": self.source.options["replay"]})

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        names = [field.name for field in self.describe(stream).fields]
        return [Slice(0, stream.name, {"columns": names}, rows=self._parts.chosen().rows)]

    def read(self, stream: StreamSpec, piece: Slice) -> Iterator[Batch]:
        self._rows = 0
        for part in self._parts.read():
            for batch in part.to_batches(max_chunksize=10_000):
                self._rows += batch.num_rows
                aside = Aside(batch.column("_reference"), batch.column("_row_id"))
                yield Batch(stream.name, _columns(batch, piece.spec["columns"]), aside=aside)

    def result(self) -> ReadResult:
        return ReadResult(self._rows)

    @classmethod
    def next_cursor(cls, window: Window, _results: Sequence[ReadResult], base: Cursor | None) -> Cursor | None:
        done = dict(base.value.get("replays", {})) if base else {}
        return Cursor({"replays": {**done, window.detail["replay"]: 1}})


def _columns(batch: pa.RecordBatch, names: Sequence[str]) -> pa.RecordBatch:
    import pyarrow as pa

    rows = [dict(pairs) for pairs in batch.column(VALUES).to_pylist()]
    return pa.RecordBatch.from_arrays([pa.array([row.get(n) for row in rows], pa.string()) for n in names], names=names)
