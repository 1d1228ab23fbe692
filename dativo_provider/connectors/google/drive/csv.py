"""CSV files of Drive, parsed as local ones are. The feed of changes says whether anything has to be looked at."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.csv.dialect import TABBED
from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.csv.survey import newest
from dativo_provider.connectors.csv.windows import cut, files_of, next_cursor
from dativo_provider.connectors.files.formats.base import Asked, Span
from dativo_provider.connectors.files.options import Options, options_of
from dativo_provider.connectors.files.reader import FilesReader
from dativo_provider.connectors.files.survey import Surveyed, discovered
from dativo_provider.connectors.google.drive.feed import asked_for, positions, touched
from dativo_provider.connectors.google.drive.listing import Drive
from dativo_provider.connectors.google.drive.place import DrivePlace
from dativo_provider.connectors.google.reader import GoogleReader, asking
from dativo_provider.connectors.rest.client import Client
from dativo_provider.errors import ConfigurationError, RetryableError
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Cursor, ReadResult, Slice, Stream, Window, WindowRequest

__all__ = ["DriveCsvReader"]

_DISCOVERED_FILES = 100
_TABS = {"delimiter": "\t"}
_STATE = ("logs", "drives", "asked", "watched")  # beside the files


class DriveCsvReader(GoogleReader, FilesReader):
    """State holds the files by id with their checksums, and where each log of changes ended."""

    form: ClassVar[str] = "csv"
    place: DrivePlace

    def place_of(self) -> DrivePlace:
        known = self._client().values
        shared = str(known.get("drive_id") or "")
        folder = str(known.get("folder_id") or shared or "root")
        drive = Drive(asking(self, self._client), shared)
        return DrivePlace(drive, self._client, self._again, folder=folder, query=str(known.get("query") or ""))

    # plan ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        with self.border():
            self.place.check()
            found = self._all()
            if not found:
                who = self.google.login.connection.get("client_email") or "the account"
                raise ConfigurationError(
                    "no CSV file is to be seen there", where="Drive",
                    remedy=f"share the folder with {who}, or correct folder_id, drive_id or query",
                )  # fmt: skip
            self._surveyed(newest(found, 1)[0], options_of(self.source.options, self.form), infer=False)

    def discover(self) -> list[Stream]:
        with self.border():
            options = options_of(self.source.options, self.form)
            told = [self._told(file, options, infer=True) for file in newest(self._all(), _DISCOVERED_FILES)]
            return discovered([replace(each, file=self._named(each.file)) for each in told if each])

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        with self.border():
            since = dict(request.since.value) if request.since else {}
            known = {*since.get("files", {}), *since.get("watched", ()), *map(str.strip, stream.object.split(","))}
            asked = self._job_asks(stream)
            logs = (since.get("logs") or {}) if since.get("asked") == asked else {}
            if logs and not (request.full or request.start or request.end):
                news, logs = touched(self.place.drive, logs, known if since.get("watched") else ())
                if not news:
                    return Window("empty", detail={"logs": logs})
            drives = {*since.get("drives", ()), *filter(None, [self.place.drive.drive_id])}
            before = positions(self.place.drive, drives)
            made = self._planned(stream, request)
            seen = self.place.drive.drives
            # a drive seen for the first time has no position from before this list: the next run takes one
            told = {"logs": before if seen <= drives else {}, "drives": sorted(seen | (drives & before.keys())),
                    "asked": asked, "watched": self.place.drive.watched,
                    "tabbed": sorted(id for id, path in self.place.paths.items() if TABBED.search(path))}  # fmt: skip
            return replace(made, detail={**made.detail, **told})

    def _planned(self, stream: StreamSpec, request: WindowRequest) -> Window:
        """Tells which files are left out, and which are gone and keep their rows (`on_deleted_file: ignore`)."""
        made, known = super().window(stream, request), files_of(request.since).keys()
        self._require_named(stream, known)
        notes, gone = [*made.notes, *self.place.drive.notes], sorted(known - self.place.paths.keys())
        if self.place.locked:
            notes.append(f"left out, for they may not be downloaded: {', '.join(self.place.locked)}")
        if gone and made.kind not in ("full", "range"):
            notes.append(f"their rows stay: files moved away or deleted since they were read: {', '.join(gone)}")
        return replace(made, notes=tuple(notes))

    def _require_named(self, stream: StreamSpec, known: Collection[str]) -> None:
        """Raises `ConfigurationError` for what the job names, and what was never to be seen or holds no bytes."""
        named = {each.strip() for each in stream.object.split(",")}
        if self.place.foreign:
            raise ConfigurationError(
                f"these are no files of CSV, but Google's own: {', '.join(sorted(self.place.foreign))}", where="Drive",
                remedy="read spreadsheets with google_sheets, documents with google_drive, a folder by folder_id",
            )  # fmt: skip
        unseen = sorted([*(named & self.place.drive.lost).difference(known), *(() if known else self.place.unmet)])
        if unseen:
            raise ConfigurationError(
                f"files that the job names are not to be seen: {', '.join(unseen)}", where="Drive",
                remedy="correct them, share them with the account, or take them out of source.files",
            )  # fmt: skip

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        """Files are not divided: each byte is fetched once."""
        tabbed = window.detail.get("tabbed", ())
        return [replace(each, spec={**each.spec, "tabbed": tabbed}) for each in cut(stream, window, want)]

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        self._tabbed = frozenset(piece.spec.get("tabbed", ()))
        yield from super().batches(stream, piece, tally)

    def _file(
        self, stream: StreamSpec, file: Found, asked: Asked, span: Span | None, columns: Mapping[str, str | None]
    ) -> Generator[Batch, None, dict[str, Any]]:
        """An id does not tell what the name of a `.tsv` file does."""
        if file.path in self._tabbed:
            stream = replace(stream, options={**_TABS, **self.source.options, **stream.options})
        return super()._file(stream, file, asked, span, columns)

    def _surveyed(self, file: Found, options: Options, infer: bool) -> Surveyed:
        tabs = _TABS if TABBED.search(self.place.paths.get(file.path, "")) else {}
        return super()._surveyed(file, replace(options, of_format={**tabs, **options.of_format}), infer)

    @classmethod
    def next_cursor(cls, window: Window, results: Iterable[ReadResult], base: Cursor | None) -> Cursor | None:
        made = next_cursor(window, list(results), base)
        told = {name: window.detail[name] for name in _STATE if name in window.detail}
        return Cursor({**(made.value if made else {"files": {}}), **told}) if told else made

    # how ----------------------------------------------------------------------------------------------------

    def _named(self, file: Found) -> Found:
        return replace(file, path=self.place.paths[file.path])

    def _job_asks(self, stream: StreamSpec) -> str:
        known, options = self._client().values, self._options(stream)
        scope = (str(known.get(name) or "") for name in ("folder_id", "drive_id", "query"))
        return asked_for(stream.object, str(options.marks), str(options.modified_after), *scope)

    def _client(self) -> Client:
        return self.google.client("google_drive")

    def _again(self, error: RetryableError, attempt: int) -> None:
        self._wait("the download", attempt, self.retry.delay(attempt, error.retry_after), error)
        self.ctx.check_cancelled()
