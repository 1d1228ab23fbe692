"""Facts that wait for a store that does not answer: one small file each, first in a shared place, else at home."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence

from pydantic import ValidationError

from dativo_provider.errors import DativoError
from dativo_provider.files import FileMissing, FileStore, join, open_files
from dativo_provider.model.run import dump, load
from dativo_provider.store.base import Store
from dativo_provider.store.events import Event
from dativo_provider.store.when import moment

__all__ = ["Spool"]

_UNREADABLE = "unreadable"
_LOG = logging.getLogger("dativo.store")


class Spool:
    """`folders` (URIs) in order of preference, each opened by `opener` at its first use.

    Applying a fact twice changes nothing, so several processes may deliver at once.
    """

    def __init__(self, folders: Sequence[str], opener: Callable[[str], FileStore] = open_files) -> None:
        self._folders, self._opener = folders, opener

    def add(self, event: Event) -> bool:
        """False when it could be written nowhere."""
        name = f"{moment(event.at):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}.json"
        for folder in self._folders:
            try:
                return self._opener(folder).write_new(join(folder, name), dump(event))
            except DativoError as problem:
                _LOG.debug("cannot spool to %s: %s", folder, problem)
        return False

    def deliver(self, store: Store) -> int:
        """Hands what waits to `store`, oldest first, and forgets it; the number. Raises what `store` raises."""
        count = 0
        for files, uri in self._waiting():
            event = _read(files, uri)
            if event is not None:
                event.apply(store)
                files.delete(uri)
                count += 1
        return count

    def _waiting(self) -> Iterator[tuple[FileStore, str]]:
        for folder in self._folders:
            files = self._opener(folder)
            for info in files.list(folder):
                if not info.uri.endswith(f".{_UNREADABLE}"):
                    yield files, info.uri


def _read(files: FileStore, uri: str) -> Event | None:
    """None when another process took it, or when it is no fact of ours; that one is set aside."""
    try:
        data = files.read(uri)
    except FileMissing:
        return None
    try:
        return load(Event, data)
    except ValidationError:
        _LOG.warning("%s is not a record of a run and was set aside", uri)
        files.write(f"{uri}.{_UNREADABLE}", data)
        files.delete(uri)
        return None
