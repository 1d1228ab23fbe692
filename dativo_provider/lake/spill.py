"""Rows of partitions on the local disk, until they are enough for a row group: small row groups make files slow to
read, and what each leaves in the footers of open files adds up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.lake.translate import translated

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Spill"]

Key = tuple[Any, ...]


class Spill:
    """Rows come in lots, a file each; a lot's rows can be taken once it is sealed, and its file goes with the last."""

    def __init__(self) -> None:
        self._folder = TemporaryFolder("partitions")
        self._waiting: dict[Key, list[tuple[int, int]]] = {}  # lots, and the places of the rows in them
        self._bytes: Counter[Key] = Counter()
        self._left: Counter[int] = Counter()  # what waits in each lot
        self._lot = 0
        self._writer: pa.ipc.RecordBatchFileWriter | None = None

    def put(self, key: Key, rows: pa.Table) -> None:
        import pyarrow as pa

        with translated(self._folder.name):
            if self._writer is None:
                self._writer = pa.ipc.new_file(str(self._path(self._lot)), rows.schema)
            for batch in rows.combine_chunks().to_batches():
                self._writer.write_batch(batch)
                self._waiting.setdefault(key, []).append((self._lot, self._left[self._lot]))
                self._left[self._lot] += 1
        self._bytes[key] += rows.nbytes

    def seal(self) -> None:
        if self._writer is not None:
            with translated(self._folder.name):
                self._writer.close()
            self._writer, self._lot = None, self._lot + 1

    def bytes_of(self, key: Key) -> int:
        return self._bytes[key]

    def take(self, key: Key) -> list[pa.RecordBatch]:
        """The rows of `key` in the order they came; they no longer wait."""
        del self._bytes[key]
        with translated(self._folder.name):
            return [self._read(lot, place) for lot, place in self._waiting.pop(key, ())]

    def drain(self) -> Iterator[tuple[Key, list[pa.RecordBatch]]]:
        for key in list(self._waiting):
            yield key, self.take(key)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._folder.cleanup()

    def _read(self, lot: int, place: int) -> pa.RecordBatch:
        import pyarrow as pa

        with pa.OSFile(str(self._path(lot))) as file:  # not mapped: mapped pages count as this process's memory
            batch = pa.ipc.open_file(file).get_batch(place)
        self._left[lot] -= 1
        if not self._left[lot]:
            self._path(lot).unlink()
        return batch

    def _path(self, lot: int) -> Path:
        return Path(self._folder.name, f"{lot}.arrow")
