"""Files of Drive, listed: below a folder, by a query, or by id; in My Drive and in shared drives alike.

https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list - a page may hold fewer files than asked
for, also none: only the absence of `nextPageToken` ends the list. Names are not unique; ids are, and outlive a move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from dativo_provider.connectors.rest.answers import Missing
from dativo_provider.connectors.rest.client import Call
from dativo_provider.errors import ConfigurationError, SourceChanged, SourceUnavailable

__all__ = ["FOLDER", "GOOGLE", "Drive", "Item"]

GOOGLE = "application/vnd.google-apps."
FOLDER, SHORTCUT = f"{GOOGLE}folder", f"{GOOGLE}shortcut"
_FIELDS = (
    "id,driveId,name,mimeType,parents,size,md5Checksum,version,createdTime,modifiedTime,trashed,"
    "owners(emailAddress,displayName),webViewLink,shortcutDetails(targetId),capabilities(canDownload)"
)
_EVERYWHERE = {"supportsAllDrives": "true", "includeItemsFromAllDrives": "true"}
Ask = Callable[[Call], Any]


@dataclass(frozen=True)
class Item:
    """A file or folder; `path` is that below the folder it was looked for in."""

    told: Mapping[str, Any]
    path: str = ""

    @property
    def id(self) -> str:
        return str(self.told["id"])

    @property
    def mime(self) -> str:
        return str(self.told.get("mimeType", ""))

    @property
    def size(self) -> int:
        return int(self.told.get("size", 0))

    @property
    def md5(self) -> str:
        """Of uploaded files only."""
        return str(self.told.get("md5Checksum", ""))

    @property
    def drive(self) -> str:
        """The shared drive it lies in; empty in My Drive."""
        return str(self.told.get("driveId", ""))

    @property
    def open(self) -> bool:
        """Whether its owner lets readers download it."""
        return bool(self.told.get("capabilities", {}).get("canDownload", True))

    @property
    def modified_ns(self) -> int:
        at = datetime.fromisoformat(self.told["modifiedTime"])
        return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000


@dataclass
class Drive:
    """`ask` makes a request; `drive_id` is the shared drive to stay in. `folders`, `shortcuts` and `drives` are those
    seen.

    `lost` are ids that were asked for and are not there, or in the trash, `dangling` the paths of shortcuts to such;
    `locked` are files that may not be downloaded.
    """

    ask: Ask
    drive_id: str = ""
    folders: set[str] = field(default_factory=set)
    shortcuts: set[str] = field(default_factory=set)  # their own entries tell that they were moved or deleted
    drives: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    dangling: set[str] = field(default_factory=set)
    locked: set[str] = field(default_factory=set)
    unjoined: set[str] = field(default_factory=set)  # shared drives that the account is no member of
    queried: bool = False

    @property
    def watched(self) -> list[str]:
        """Beside files that were read, what an entry of a log may tell news of; empty: every entry may."""
        return [] if self.queried else sorted(self.folders | self.shortcuts | self.lost | self.locked)

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.dangling:
            return ()
        named = ", ".join(sorted(self.dangling))
        return (f"left out, for what these shortcuts point at is gone or not shared: {named}",)

    def below(self, folder: str, deep: bool = True) -> Iterator[Item]:
        """Files and shortcuts' targets anywhere below a folder, by one query for each folder in it.

        A query for several parents at once may miss files
        (https://github.com/googleapis/google-api-nodejs-client/issues/1957).
        Raises `ConfigurationError` for what is no folder, `SourceChanged` for one that is gone or in the trash.
        """
        top = self._folder(folder)
        waiting, seen = [(top, "")], {top.id}
        while waiting:
            parent, path = waiting.pop()
            self.folders.add(parent.id)
            found = self._listed(f"'{parent.id}' in parents", path, parent.drive)
            for item in chain.from_iterable(map(self._resolved, found)):
                if item.mime != FOLDER:
                    yield item
                elif deep and item.id not in seen:
                    seen.add(item.id)
                    waiting.append((item, f"{item.path}/"))

    def _folder(self, id: str) -> Item:
        """The folder as the log knows it, which may be named `root`, or by a shortcut to it."""
        if id == self.drive_id:
            return Item({"id": id, "driveId": id, "mimeType": FOLDER})
        told = self.ask(Call(f"/files/{id}", params={"fields": _FIELDS, "supportsAllDrives": "true"}))
        if told.get("trashed"):
            raise SourceChanged(
                "the folder is in the trash", where=f"folder {id}", remedy="restore it, or correct folder_id"
            )
        [found] = self._resolved(Item(told)) or [Item(told)]
        if found.mime != FOLDER:
            raise ConfigurationError(
                "this is no folder, or a shortcut to one that is gone", where=f"folder_id {id}",
                remedy="take the last part of the folder's own address",
            )  # fmt: skip
        self.drives.update(filter(None, [found.drive]))
        return found

    def found(self, query: str) -> Iterator[Item]:
        """Files that a query of Drive's own language finds."""
        self.queried = True
        for item in self._listed(f"({query})" if query else "", ""):
            yield from (each for each in self._resolved(item) if each.mime != FOLDER)

    def by_id(self, ids: Sequence[str]) -> Iterator[Item]:
        """Those that are still there."""
        for each in ids:
            try:
                told = self.ask(Call(f"/files/{each}", params={"fields": _FIELDS, "supportsAllDrives": "true"}))
            except Missing:
                told = {"trashed": True}
            if told.get("trashed"):
                self.lost.add(each)
            else:
                yield from self._resolved(self._item(told, ""))

    def _resolved(self, item: Item) -> list[Item]:
        """What a shortcut stands for, at the shortcut's place; nothing when that is lost."""
        if item.mime != SHORTCUT:
            return [item]
        self.shortcuts.add(item.id)
        target = item.told.get("shortcutDetails", {}).get("targetId", "")
        found = [Item(each.told, item.path) for each in self.by_id([target] if target else [])]
        if not found:
            self.lost.add(item.id)
            self.dangling.add(item.path or item.id)
        return found

    def _listed(self, query: str, path: str, drive: str = "") -> Iterator[Item]:
        """`drive` is where the query looks: an account's own corpus lacks what it sees as member of a drive alone."""
        drive = self.drive_id or ("" if drive in self.unjoined else drive)
        wanted = " and ".join(filter(None, (query, "trashed=false")))
        params = {
            "q": wanted, "pageSize": 1000, "spaces": "drive", "orderBy": "name", **_EVERYWHERE,
            "fields": f"nextPageToken,incompleteSearch,files({_FIELDS})",
            **({"corpora": "drive", "driveId": drive} if drive else {"corpora": "user"}),
        }  # fmt: skip
        try:
            for page in self.pages("/files", params):
                for told in page.get("files", ()):
                    yield self._item(told, path)
        except Missing:  # who sees a folder of a drive, and is no member of it, is refused the drive
            if not drive or drive == self.drive_id:
                raise
            self.unjoined.add(drive)
            yield from self._listed(query, path)

    def _item(self, told: Mapping[str, Any], path: str) -> Item:
        self.drives.update(filter(None, [told.get("driveId")]))
        return Item(told, path + str(told["name"]).replace("/", "%2F"))

    def pages(self, path: str, params: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Raises `SourceUnavailable` when the same page is asked for twice."""
        token, seen = params.get("pageToken"), set[str]()
        while True:
            page = self.ask(Call(path, params={**params, **({"pageToken": token} if token else {})}))
            yield page
            token = page.get("nextPageToken")
            if not token:
                return
            if token in seen:
                raise SourceUnavailable(
                    "Drive asks for a page that was read before: its pages go round in a circle", where=path,
                    remedy="run again later",
                )  # fmt: skip
            seen.add(token)
