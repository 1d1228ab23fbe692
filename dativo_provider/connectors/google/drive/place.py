"""A folder of Drive, a query or some ids as a place of files (`connectors/files`). Files are known by their ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.files.formats import names_of
from dativo_provider.connectors.files.patterns import Pattern
from dativo_provider.connectors.files.place import Handle
from dativo_provider.connectors.google.drive.content import Remote, RemoteFile
from dativo_provider.connectors.google.drive.listing import GOOGLE, Drive, Item
from dativo_provider.connectors.rest.client import Body, Call, Client
from dativo_provider.errors import RetryableError

__all__ = ["DrivePlace", "matcher"]

_ID = re.compile(r"[A-Za-z0-9_-]{20,}")
_CSV = names_of("csv")
_MAGIC = set("*?[")


class DrivePlace:
    """`folder` and `query` say where patterns are looked for; without both in all of My Drive or the shared drive."""

    def __init__(
        self, drive: Drive, client: Callable[[], Client], retry: Callable[[RetryableError, int], None],
        *, folder: str = "", query: str = "",
    ) -> None:  # fmt: skip
        self.drive, self._client, self._retry = drive, client, retry
        self._folder, self._query = folder, query
        self.paths: dict[str, str] = {}  # of what was found last, by id
        self.locked: list[str] = []  # paths of what was found last and may not be downloaded
        self.foreign: set[str] = set()  # ids of those asked for that are Google's own, without bytes
        self.unmet: list[str] = []  # paths that were asked for by name and name nothing

    def check(self) -> None:
        self.drive.ask(Call("/about", params={"fields": "user(permissionId)"}))

    def find(self, wanted: str) -> list[Found]:
        """Ids, paths below the folder, or patterns; a folder means the CSV files below it. Sorted by path."""
        parts = [part.strip() for part in wanted.split(",") if part.strip()]
        ids = [part for part in parts if _ID.fullmatch(part)]
        paths = [part for part in parts if part not in ids]
        items = [*self.drive.by_id(ids), *(self._matching(paths) if paths else ())]
        self.foreign = {item.id for item in items if item.mime.startswith(GOOGLE)}.intersection(ids)
        found = {item.id: item for item in items if not item.mime.startswith(GOOGLE)}
        files = {id: item for id, item in found.items() if item.open}
        self.drive.locked = found.keys() - files.keys()
        self.locked = sorted(found[id].path for id in self.drive.locked)
        self.paths = {each.id: each.path for each in files.values()}
        return [_found(each) for each in sorted(files.values(), key=lambda each: (each.path, each.id))]

    def spelled(self, wanted: str) -> list[str]:
        """Files are known by ids, which tell no columns."""
        return []

    def expect(self, files: Iterable[Found]) -> None:
        """Nothing is fetched before its turn."""

    def open(self, file: Found, jumps: bool) -> Handle:
        return RemoteFile(Remote(lambda at: self.body(file.path, at), self._retry, file.size), file)

    def same(self, file: Found, before: Mapping[str, Any]) -> bool:
        """Another checksum is another content."""
        return bool(file.version) and before.get("version") == file.version

    def close(self) -> None:
        """Holds nothing."""

    def _matching(self, patterns: Sequence[str]) -> list[Item]:
        fits = [matcher(pattern) for pattern in patterns]
        deep = any("/" in each or "**" in each or not _MAGIC & set(each) for each in patterns)
        found = self.drive.found(self._query) if self._query else self.drive.below(self._folder, deep)
        items = [item for item in found if any(fit(item.path) for fit in fits)]
        met = {pattern for pattern, fit in zip(patterns, fits, strict=True) if any(fit(item.path) for item in items)}
        self.unmet = [each for each in patterns if each not in met and _CSV.search(each) and not _MAGIC & set(each)]
        return items

    def body(self, id: str, at: int = 0) -> AbstractContextManager[Body]:
        return _body(self._client(), id, at)


@contextmanager
def _body(client: Client, id: str, at: int) -> Iterator[Body]:
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", **({"Range": f"bytes={at}-"} if at else {})}
    call = Call(f"/files/{id}", params={"alt": "media", "supportsAllDrives": "true"}, headers=headers)
    with client.stream(call, ("content",)) as body:
        yield body


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a path is meant by `pattern`."""
    wanted = pattern.strip("/").removeprefix("./")
    if wanted in ("", "."):
        return lambda path: bool(_CSV.search(path))
    if _MAGIC & set(wanted):
        return Pattern(wanted).matches
    return lambda path: path == wanted or (path.startswith(f"{wanted}/") and bool(_CSV.search(path)))


def _found(item: Item) -> Found:
    return Found(item.id, item.size, item.modified_ns, item.md5)
