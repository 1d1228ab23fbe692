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
from dativo_provider.errors import SourceUnavailable

__all__ = ["DrivePlace", "matcher"]

_ID = re.compile(r"[A-Za-z0-9_-]{20,}")
_CSV = names_of("csv")
_MAGIC = set("*?[")


class DrivePlace:
    """`folder` and `query` say where patterns are looked for; without both in all of My Drive or the shared drive."""

    def __init__(
        self, drive: Drive, client: Callable[[], Client], retry: Callable[[SourceUnavailable, int], None],
        *, folder: str = "", query: str = "",
    ) -> None:  # fmt: skip
        self.drive, self._client, self._retry = drive, client, retry
        self._folder, self._query = folder, query
        self.paths: dict[str, str] = {}  # of what was found last, by id
        self.locked: list[str] = []  # paths of what was found last and may not be downloaded

    def check(self) -> None:
        self.drive.ask(Call("/about", params={"fields": "user(permissionId)"}))

    def find(self, wanted: str) -> list[Found]:
        """Ids, paths below the folder, or patterns; a folder means the CSV files below it. Sorted by path."""
        parts = [part.strip() for part in wanted.split(",") if part.strip()]
        ids = [part for part in parts if _ID.fullmatch(part)]
        paths = [part for part in parts if part not in ids]
        items = [*self.drive.by_id(ids), *(self._matching(paths) if paths else ())]
        found = {item.id: item for item in items if not item.mime.startswith(GOOGLE)}
        files = {id: item for id, item in found.items() if _readable(item)}
        self.locked = sorted(item.path for id, item in found.items() if id not in files)
        self.paths = {each.id: each.path for each in files.values()}
        return [_found(each) for each in sorted(files.values(), key=lambda each: (each.path, each.id))]

    def expect(self, files: Iterable[Found]) -> None:
        """Nothing is fetched before its turn."""

    def open(self, file: Found, jumps: bool) -> Handle:
        return RemoteFile(Remote(lambda at: self.body(file.path, at), self._retry), file)

    def same(self, file: Found, before: Mapping[str, Any]) -> bool:
        """Another checksum is another content."""
        return bool(file.version) and before.get("version") == file.version

    def close(self) -> None:
        """Holds nothing."""

    def _matching(self, patterns: Sequence[str]) -> Iterator[Item]:
        fits = [matcher(pattern) for pattern in patterns]
        deep = any("/" in each or "**" in each or not _MAGIC & set(each) for each in patterns)
        found = self.drive.found(self._query) if self._query else self.drive.below(self._folder, deep)
        return (item for item in found if any(fit(item.path) for fit in fits))

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


def _readable(item: Item) -> bool:
    return bool(item.told.get("capabilities", {}).get("canDownload", True))


def _found(item: Item) -> Found:
    return Found(item.id, item.size, item.modified_ns, item.md5)
