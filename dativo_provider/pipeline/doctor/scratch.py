"""A place in the warehouse that only one examination uses, and that is gone afterwards."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from dativo_provider.files import FileStore, join, local_path, scheme
from dativo_provider.lake.catalog import warehouse_of
from dativo_provider.model.context import RunContext
from dativo_provider.pipeline.workplace import run_files

__all__ = ["clear", "scratch"]


@contextmanager
def scratch(ctx: RunContext) -> Iterator[tuple[FileStore, str]]:
    """The warehouse's files and a folder in it."""
    folder = join(warehouse_of(ctx.settings), "_dativo", "doctor", secrets.token_hex(8))
    files = run_files(folder, ctx)
    try:
        yield files, folder
    finally:
        clear(files, folder)


def clear(files: FileStore, folder: str) -> None:
    """Everything in it, and where folders are real, the folder."""
    for info in files.list(folder):
        files.delete(info.uri)
    if scheme(folder) == "file":
        shutil.rmtree(local_path(folder), ignore_errors=True)
