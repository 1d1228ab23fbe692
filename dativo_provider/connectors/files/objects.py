"""An object store as a place: listed by prefix, read by ranges of the version that was listed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar, cast

from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.files.formats import ENDINGS, names_of
from dativo_provider.connectors.files.patterns import Pattern, patterns_of
from dativo_provider.connectors.files.place import Handle
from dativo_provider.connectors.files.ranges import Ahead, Anywhere, waited
from dativo_provider.errors import ConfigurationError, StorageUnavailable
from dativo_provider.files import FileInfo, ObjectStore, canonical, scheme

__all__ = ["ObjectPlace"]

T = TypeVar("T")
Request = Callable[[Callable[[], Any], str], Any]
_PARALLEL = 4
_WINDOW = 4  # ranges of a file that is read in any order that are held at once
_LARGEST_STEP = 8 << 20
_FOLDER = names_of(*set(ENDINGS.values()))


class ObjectPlace:
    """`open_store` opens the store of a URI. A path without a scheme is below the first root that has one.

    Memory: three ranges of at most `block_bytes` for a file that is read in order, four for one that is not.
    """

    def __init__(
        self,
        roots: Sequence[str],
        open_store: Callable[[str], ObjectStore],
        request: Request,
        still_wanted: Callable[[], None],
        block_bytes: int,
    ) -> None:
        self._roots = [canonical(root).rstrip("/") for root in roots if "://" in root and scheme(root) != "file"]
        self._open_store, self._request, self._still_wanted = open_store, request, still_wanted
        self._step = max(1 << 20, min(_LARGEST_STEP, block_bytes))
        self._stores: dict[str, ObjectStore] = {}
        self._pool = ThreadPoolExecutor(_PARALLEL, thread_name_prefix="dativo-objects")
        self._early: dict[str, Future[bytes]] = {}

    def check(self) -> None:
        if not self._roots:
            raise ConfigurationError(
                "the job has no bucket it may read",
                remedy="let the operator add one under 'roots.files' in tenant.yaml",
            )
        for root in self._roots:
            self._request(partial(self._first, root + "/"), "listing")

    def _first(self, prefix: str) -> FileInfo | None:
        return next(self._walk(prefix), None)

    def find(self, wanted: str) -> list[Found]:
        found: list[FileInfo] = self._request(lambda: list(self._listed(wanted)), "listing")
        named = {info.uri: info for info in found}
        return [_found(named[uri]) for uri in sorted(named)]

    def spelled(self, wanted: str) -> list[str]:
        return [self._located(pattern.uri) for pattern in patterns_of(wanted)]

    def expect(self, files: Iterable[Found]) -> None:
        """Small files that will be opened next are fetched meanwhile."""
        for file in files:
            if 0 < file.size <= self._step and file.path not in self._early:
                self._early[file.path] = self._pool.submit(self._fetch, file, 0, file.size)

    def open(self, file: Found, jumps: bool) -> Handle:
        return _Object(self._opened(file, jumps))

    def same(self, file: Found, before: Mapping[str, Any]) -> bool:
        """By the store's own hash of the bytes, where it has one."""
        known, now = (version.partition("/")[2] for version in (str(before.get("version", "")), file.version))
        return bool(now) and known == now

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    # listing ------------------------------------------------------------------------------------------------

    def _listed(self, wanted: str) -> Iterator[FileInfo]:
        for pattern in patterns_of(wanted):
            located = Pattern(self._located(pattern.uri))
            yield from self._plain(located) if located.plain else self._matching(located)

    def _matching(self, pattern: Pattern) -> Iterator[FileInfo]:
        for info in self._walk(pattern.prefix):
            if pattern.matches(info.uri):
                yield info

    def _plain(self, pattern: Pattern) -> Iterator[FileInfo]:
        """An object of that name, else what is below such a folder."""
        first = None if pattern.uri.endswith("/") else self._first(pattern.uri)
        if first is not None and first.uri == pattern.uri:
            yield first
            return
        below = Pattern(f"{pattern.uri.rstrip('/')}/**")
        yield from (info for info in self._matching(below) if _FOLDER.search(info.uri))

    def _walk(self, prefix: str) -> Iterator[FileInfo]:
        for number, info in enumerate(self._store(prefix).walk(prefix)):
            if number % 1000 == 0:
                self._still_wanted()
            yield info

    def _located(self, path: str) -> str:
        """Below the roots, whatever its spelling. Raises `ConfigurationError`."""
        if "://" not in path:
            self._require_roots()
            path = f"{self._roots[0]}/{path.removeprefix('./').strip('/') if path != '.' else ''}"
        uri = canonical(path)
        parts = uri.partition("://")[2].split("/")
        inside = any(uri == root or uri.startswith(f"{root}/") for root in self._roots)
        if not inside or ".." in parts or "." in parts:
            raise ConfigurationError(
                "the path leaves the places this job may read", where=path,
                remedy="use one below the tenant's roots, or let the operator add one under 'roots.files'",
            )  # fmt: skip
        return uri

    def _require_roots(self) -> None:
        if not self._roots:
            self.check()

    # reading ------------------------------------------------------------------------------------------------

    def _opened(self, file: Found, jumps: bool) -> BinaryIO:
        early = self._early.pop(file.path, None)
        if early is not None or file.size <= self._step:
            data = waited(early, self._still_wanted) if early else self._fetch(file, 0, file.size)
            return io.BytesIO(data)

        def fetch(at: int, size: int) -> bytes:
            return self._fetch(file, at, size)

        if jumps:
            made: Any = Anywhere(fetch, file.size, self._pool, self._still_wanted, self._step, _WINDOW * self._step)
        else:
            made = io.BufferedReader(Ahead(fetch, file.size, self._pool, self._still_wanted, self._step), self._step)
        return cast("BinaryIO", made)

    def _fetch(self, file: Found, at: int, size: int) -> bytes:
        if not size:
            return b""
        info = FileInfo(file.path, file.size, file.mtime_ns / 1e9, file.version)

        def once() -> bytes:
            data = self._store(file.path).read_part(info, at, size)
            if len(data) != size:
                raise StorageUnavailable("the object store's answer was cut off", where=file.path, remedy="run again")
            return data

        return cast("bytes", self._request(once, f"reading {file.path}"))

    def _store(self, uri: str) -> ObjectStore:
        kind = scheme(uri)
        if kind not in self._stores:
            self._stores[kind] = self._open_store(uri)
        return self._stores[kind]


class _Object:
    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.file.close()

    def finish(self, whole: bool) -> dict[str, Any]:
        """Every range was of the listed version."""
        return {}


def _found(info: FileInfo) -> Found:
    return Found(info.uri, info.size, round(info.mtime * 1_000_000) * 1000, info.version)
