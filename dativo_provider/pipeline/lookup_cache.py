"""Lookups on this machine's disk, as Arrow that tasks map into their memory: read and checked once, shared by all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.model.lookup import LookupPin, LookupSpec
from dativo_provider.model.run import dump

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LookupCache", "key_of"]

_MOST_BYTES = 1 << 30
_UNUSED_SECONDS = 24 * 3600  # it may hold personal data, and the table may long have lost it


def key_of(tenant: str, spec: LookupSpec, pin: LookupPin) -> str:
    """Differs with everything the rows depend on, so what is kept is never out of date."""
    facts = dump(spec) + repr((tenant, pin.of, pin.version, pin.columns)).encode()
    return hashlib.sha256(facts).hexdigest()


class LookupCache:
    """Files by key; when they grow beyond `most_bytes`, those not used for longest go. Processes may share it."""

    def __init__(self, folder: str, most_bytes: int = _MOST_BYTES) -> None:
        self._folder, self._most = Path(folder), most_bytes

    def get(self, key: str, make: Callable[[], pa.Table]) -> pa.Table:
        """What is kept under `key`, else what `make` gives, kept from now on. Raises only what `make` raises."""
        path = self._folder / f"{key}.arrow"
        found = _mapped(path)
        if found is not None:
            return found
        rows = make()
        try:
            self._keep(path, rows)
        except OSError:  # no disk to keep it on: it is read again next time
            return rows
        kept = _mapped(path)
        return rows if kept is None else kept

    def _keep(self, path: Path, rows: pa.Table) -> None:
        import pyarrow as pa

        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
                writer.write_table(rows)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        self._tidy(path)

    def _tidy(self, newest: Path) -> None:
        """Files that are mapped stay readable after they are gone."""
        found = [(stat.st_mtime, stat.st_size, each) for each in self._folder.iterdir() if (stat := each.stat())]
        size = sum(bytes_ for _, bytes_, _ in found)
        for used, bytes_, each in sorted(found):
            if each != newest and (size > self._most or used < time.time() - _UNUSED_SECONDS):
                each.unlink(missing_ok=True)
                size -= bytes_


def _mapped(path: Path) -> pa.Table | None:
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as file:
            rows = pa.ipc.open_file(file).read_all()
        os.utime(path)
    except (OSError, pa.ArrowInvalid):
        return None
    return rows
