"""Files that another connector fetches: bytes of a known format as batches, in bounded memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from dativo_provider.connectors.files.formats import Asked, Format, Head, format_of
from dativo_provider.model.batch import Batch
from dativo_provider.model.budget import Budget
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.settings import Settings

__all__ = ["batches_of", "head_of"]

_LEAST_BLOCK, _LARGEST_BLOCK = 64 << 10, 4 << 20


def batches_of(
    file: BinaryIO,
    name: str,
    stream: StreamSpec,
    settings: Settings,
    options: Mapping[str, Any] | None = None,
    as_text: tuple[str, ...] = (),
) -> Generator[Batch, None, None]:
    """The rows of `file`, whose `read(n)` gives some bytes and b"" at the end; it may be packed.

    Its format is `options["format"]`, else the end of `name`, which is also the origin of the batches. Positions are
    lines or ordinals. What needs a seekable file is kept on disk. Raises `DataError` for a broken file.
    """
    form, threads = format_of(name, options or {}), max(1, settings.threads)
    size = min(_LARGEST_BLOCK, max(_LEAST_BLOCK, Budget.of(settings).block_bytes))
    with ThreadPoolExecutor(threads, thread_name_prefix="dativo-files") as pool, _fit(file, form) as fit:
        yield from form.batches(fit, Asked(stream, name, pool, threads, size, as_text), None)


def head_of(file: BinaryIO, name: str, options: Mapping[str, Any] | None = None, infer: bool = True) -> Head:
    """Names of the columns and, with `infer`, types from a sample. Raises `DataError` for a broken file."""
    form = format_of(name, options or {})
    with _fit(file, form) as fit:
        return form.head(fit, name, infer)


@contextmanager
def _fit(file: BinaryIO, form: Format) -> Iterator[BinaryIO]:
    if not form.jumps:
        yield cast("BinaryIO", _Filled(file))
        return
    with tempfile.TemporaryFile(prefix="dativo-") as kept:
        shutil.copyfileobj(file, kept, 1 << 20)
        kept.seek(0)
        yield kept


class _Filled:
    """`read(n)` gives `n` bytes unless the end is reached, as parsers expect; `tell` counts them."""

    def __init__(self, file: BinaryIO) -> None:
        self._read, self._at, self.close = file.read, 0, file.close

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        parts, left = list[bytes](), size
        while left and (data := self._read(left)):
            parts.append(data)
            left -= len(data) if size > 0 else 0
        made = parts[0] if len(parts) == 1 else b"".join(parts)
        self._at += len(made)
        return made
