"""How an extract shares out `memory_limit`. The figures are measured; tests/e2e/test_memory.py holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from dativo_provider.model.settings import Settings

__all__ = ["SORTED_ROW_BYTES", "USUAL", "Budget"]

_BASE_MB = 200  # interpreter, Arrow, PyIceberg and an open catalog, before the first row
_LEAST_MB = 8
_COLUMN_BYTES = 6 << 10  # what the footer of an open Parquet file takes for each of its columns
SORTED_ROW_BYTES = 100  # sorting rows by partition: their values as Python's, their order
_UPLOAD_BYTES = 12 << 20  # an object store's stream keeps an upload part in memory


@dataclass(frozen=True)
class Budget:
    """`free_mb` is what is left for rows."""

    free_mb: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(max(_LEAST_MB, (settings.memory_limit_mb - _BASE_MB) // settings.parties))

    @property
    def block_bytes(self) -> int:
        """Text that a reader parses at once: about eight blocks are on their way, and Arrow's form may be larger."""
        return (self.free_mb << 20) // 100

    @property
    def group_bytes(self) -> int:
        """Arrow bytes gathered for a row group: as many are encoded meanwhile, and Parquet buffers both."""
        return (self.free_mb << 20) // 10

    @property
    def lookup_bytes(self) -> int:
        """Arrow bytes of all lookups of a job together: they are mapped, so tasks of one machine share them."""
        return (self.free_mb << 20) // 4

    def open_files(self, columns: int, remote: bool) -> int:
        """Parquet files that may be written at once."""
        each = columns * _COLUMN_BYTES + (_UPLOAD_BYTES if remote else 0)
        return max(4, (self.free_mb << 20) // 3 // each)


USUAL = Budget.of(Settings(home=""))
