"""Documents of Drive with their text, a row each, and what the spec lists: metadata of files, shared drives."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.google.drive.feed import asked_for, positions, touched
from dativo_provider.connectors.google.drive.listing import Drive, Item
from dativo_provider.connectors.google.drive.text import LASTING, Text, text_of
from dativo_provider.connectors.google.login import Clients
from dativo_provider.connectors.google.reader import asking
from dativo_provider.connectors.rest.ahead import in_order
from dativo_provider.connectors.rest.batches import Batches
from dativo_provider.connectors.rest.client import Client
from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.connectors.rest.streams import spec_of
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Cursor, Slice

__all__ = ["DriveReader"]

_FULL = 4 << 20  # characters that make a batch
_SCOPE = ("folder_id", "drive_id", "query", "largest")
_PLAIN = {"name": "name", "drive_id": "driveId", "mime_type": "mimeType", "created_at": "createdTime",
          "modified_at": "modifiedTime", "version": "version", "size": "size", "md5": "md5Checksum",
          "web_view_link": "webViewLink", "owner_email": "owners.0.emailAddress",
          "owner_name": "owners.0.displayName"}  # fmt: skip


class DriveReader(RestReader):
    """The position of `documents` holds a mark of each, and where the logs of changes ended."""

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        own = spec_of(self.api, stream)[0] == "documents"
        yield from self._documents(stream, piece, tally) if own else super().batches(stream, piece, tally)

    def _documents(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Iterator[Batch]:
        drive, before = Drive(asking(self, self._client), self._value("drive_id")), piece.spec.get("token") or {}
        asked = asked_for(stream.object, *(self._value(name) for name in _SCOPE))
        logs, known = before.get("logs") or {}, before.get("known", {})
        if logs and before.get("asked") == asked:
            watched = {*known, *before["watched"]} if before["watched"] else set[str]()
            news, logs = touched(drive, logs, watched)
            if not news:
                tally.cursor = Cursor({"token": {**before, "logs": logs}})
                return
        drives = {*before.get("drives", ()), *filter(None, [drive.drive_id])}
        starts = positions(drive, drives)
        items = {item.id: item for item in self._listed(drive)}
        largest = int(self._value("largest"))
        marks = {id: _mark(item, largest) for id, item in items.items()}
        changed = [item for id, item in items.items() if known.get(id) != marks[id]]
        gone = ({"file_id": id, "gone": True} for id in known if id not in items)
        gathered = self._gathered(stream, spec_of(self.api, stream)[1], piece)
        without = dict[str, str]()
        yield from _bounded(gathered, _noting(in_order(self._record, changed), without), gone)
        refused = {id: "" for id, why in without.items() if why not in LASTING and items[id].open}  # asked for again
        tally.cursor = Cursor({"token": {
            "known": {**marks, **refused}, "asked": asked, "watched": drive.watched,
            "drives": sorted(drive.drives | (drives & starts.keys())),
            "logs": starts if drive.drives <= drives else {},  # a new drive's log is followed from the next run on
        }})  # fmt: skip
        told = f"{len(without)} documents came without their text: the column `skipped` says why"
        if notes := [*drive.notes, *([told] if without else []), *self._client().notes]:
            tally.detail["notes"] = notes

    def _listed(self, drive: Drive) -> Iterator[Item]:
        query, folder = self._value("query"), self._value("folder_id") or self._value("drive_id") or "root"
        return drive.found(query) if query else drive.below(folder)

    def _record(self, item: Item) -> Mapping[str, Any]:
        begin = partial(self._client().stream, limits=("content",))
        largest = int(self._value("largest"))
        text: Text = self.request(lambda: text_of(begin, item, largest), f"reading {item.id}")
        told = {name: at(item.told, path) for name, path in _PLAIN.items()}
        digest = None if text.content is None else hashlib.sha256(text.content.encode()).hexdigest()
        return {
            **told, "file_id": item.id, "path": item.path, "exported_as": text.kind, "content": text.content,
            "content_sha256": digest, "characters": None if text.content is None else len(text.content),
            "skipped": text.skipped,
        }  # fmt: skip

    # how ----------------------------------------------------------------------------------------------------

    def _client(self, tasks: int = 1) -> Client:
        if tasks not in self._clients:
            google = Clients(self)
            google.tasks = tasks
            self._clients[tasks] = google.client("google_drive")
        return self._clients[tasks]

    def _value(self, name: str) -> str:
        return str(self._client().values.get(name) or "")


def _mark(item: Item, largest: int) -> str:
    """Another one when text, name or place is another, or whether the text is to be had.

    Only an upload's date may lie, and an upload has a checksum. How long an export is shows when it is made.
    """
    content = (item.md5, item.size > largest) if item.md5 else (item.told.get("modifiedTime"), largest)
    told = f"{content}\0{item.path}\0{item.mime}\0{item.open}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _noting(records: Iterable[Mapping[str, Any]], without: dict[str, str]) -> Iterator[Mapping[str, Any]]:
    """The same, and in `without`, by id, why a text that should be there is not."""
    for record in records:
        if record["skipped"] not in (None, "no text"):
            without[record["file_id"]] = record["skipped"]
        yield record


def _bounded(
    gathered: Batches, records: Iterable[Mapping[str, Any]], gone: Iterable[Mapping[str, Any]]
) -> Iterator[Batch]:
    held = 0
    for record in records:
        yield from gathered.take(Page("", None, (record,)))
        held += len(record["content"] or "")
        if held >= _FULL:
            held = 0
            yield from gathered.rest()
    for record in gone:
        yield from gathered.take(Page("", None, (record,)))
    yield from gathered.rest()
