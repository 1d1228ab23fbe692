"""The bytes of a part of a file."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from dativo_provider.connectors.files.formats.base import Span

__all__ = ["part_of"]


def part_of(file: BinaryIO, span: Span) -> BinaryIO:
    """What `span` says in bytes, in order; `file` can be sought in. What is far away is fetched ahead."""
    if hasattr(file, "part"):
        return cast("BinaryIO", file.part(span.begin, span.end))
    file.seek(span.begin)
    return cast("BinaryIO", _Limited(file, span.end - span.begin))


class _Limited(io.RawIOBase):
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._left = file, size

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        most = self._left if size is None or size < 0 else min(size, self._left)
        data = self._file.read(most)
        self._left -= len(data)
        return data
