"""The rows of one replay, written down before its plan: Parquet files of bounded size in the warehouse.

    <warehouse>/_dativo/inbox/<tenant>/<job>/<stream>/<replay id>/part-00000.parquet, …, chosen.json

They hold rows, so they go when the replay has published, and those of dead replays with the next one after a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from dativo_provider.errors import SourceChanged
from dativo_provider.files import FileStore
from dativo_provider.lake.catalog import warehouse_of
from dativo_provider.model.context import RunContext
from dativo_provider.model.inbox import Entry
from dativo_provider.model.job import JobSpec
from dativo_provider.model.run import dump, load
from dativo_provider.pipeline.inbox.expressions import lots
from dativo_provider.pipeline.inbox.values import text_of
from dativo_provider.pipeline.workplace import run_files

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["IDENTITY", "Chosen", "Parts", "parts_of"]

IDENTITY = ("_run", "_row_id", "_reference", "_expires_at")  # beside the values, which stand below a name of their own
VALUES = "_values"
_ROWS = 20_000
_LEFT_FOR = 86_400.0


@dataclass(frozen=True)
class Chosen:
    """`columns` are those any of the rows has."""

    columns: tuple[str, ...] = ()
    rows: int = 0
    parts: int = 0


class Parts:
    def __init__(self, files: FileStore, folder: str) -> None:
        self._files, self.folder = files, folder

    def write(self, entries: Iterable[Entry]) -> Chosen:
        """`entries` must have values."""
        columns, rows, count = dict[str, None](), 0, 0
        for lot in lots(entries, _ROWS):
            columns.update(dict.fromkeys(name for entry in lot for name in entry.values or ()))
            self._files.write_new(self._uri(count), _parquet(lot))
            rows, count = rows + len(lot), count + 1
        made = Chosen(tuple(columns), rows, count)
        self._files.write_new(f"{self.folder}/chosen.json", dump(made))
        return made

    def chosen(self) -> Chosen:
        """Raises `SourceChanged` when they are gone."""
        return load(Chosen, self._read(f"{self.folder}/chosen.json"))

    def read(self) -> Iterator[pa.Table]:
        import pyarrow.parquet as pq

        for number in range(self.chosen().parts):
            yield pq.read_table(BytesIO(self._read(self._uri(number))))

    def remove(self) -> None:
        for info in self._files.list(self.folder):
            self._files.delete(info.uri)

    def remove_dead(self, now: float) -> None:
        """Those of replays of this stream that nobody has touched for a day."""
        for info in self._files.list(self.folder.rpartition("/")[0]):
            if info.mtime < now - _LEFT_FOR:
                self._files.delete(info.uri)

    def _uri(self, number: int) -> str:
        return f"{self.folder}/part-{number:05d}.parquet"

    def _read(self, uri: str) -> bytes:
        try:
            return self._files.read(uri)
        except FileNotFoundError as gone:
            raise SourceChanged(
                "the rows of this replay are gone", where=uri, remedy="start a new replay; nothing was published by it"
            ) from gone


def parts_of(job: JobSpec, stream: str, replay: str, ctx: RunContext) -> Parts:
    folder = f"{warehouse_of(ctx.settings)}/_dativo/inbox/{job.tenant}/{job.id}/{stream}/{replay}"
    return Parts(run_files(folder, ctx), folder)


def _parquet(lot: list[Entry]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = [(entry.run, entry.row_id, entry.source_reference, entry.expires_at) for entry in lot]
    columns = {
        name: pa.array(values, pa.string()) for name, values in zip(IDENTITY, zip(*keys, strict=True), strict=True)
    }
    pairs = [[(name, text_of(value)) for name, value in (entry.values or {}).items()] for entry in lot]
    columns[VALUES] = pa.array(pairs, pa.map_(pa.string(), pa.string()))
    sink = BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()
