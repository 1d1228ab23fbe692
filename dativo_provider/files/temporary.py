"""Temporary folders that do not pile up: what a killed process has left behind goes when the next one is made."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

__all__ = ["TemporaryFolder"]

_PREFIX, _LOCK = "dativo-", ".in-use"
_NEW = 60.0  # seconds within which a folder may not be locked yet


class TemporaryFolder:
    """`name` is a folder of its own below TMPDIR, gone after `cleanup`; a `with` statement gives the name.

    Its owner holds a lock in it, which the kernel drops when that process dies. Making a folder deletes those of this
    user that hold a lock file nobody holds.
    """

    def __init__(self, purpose: str) -> None:
        self._lock = -1
        _sweep()
        self.name = tempfile.mkdtemp(prefix=f"{_PREFIX}{purpose}-")
        self._lock = os.open(Path(self.name, _LOCK), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def cleanup(self) -> None:
        """Safe to call twice."""
        if self._lock >= 0:
            shutil.rmtree(self.name, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.cleanup()

    def __del__(self) -> None:
        self.cleanup()


def _sweep() -> None:
    left: list[str] = []
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:  # some folders let write, but not look
        left = [entry.path for entry in entries if entry.name.startswith(_PREFIX) and _is_left_behind(entry)]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)


def _is_left_behind(folder: os.DirEntry[str]) -> bool:
    try:
        facts = folder.stat(follow_symlinks=False)
        if facts.st_uid != os.geteuid() or time.time() - facts.st_mtime < _NEW:
            return False
        lock = os.open(Path(folder.path, _LOCK), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:  # not one of these folders, or already gone
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
