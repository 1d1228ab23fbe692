"""Files of Drive, listed: below a folder, by a query, or by id; in My Drive and in shared drives alike.

https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list - a page may hold fewer files than asked
for, also none: only the absence of `nextPageToken` ends the list. Names are not unique; ids are, and outlive a move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dativo_provider.connectors.rest.answers import Missing
from dativo_provider.connectors.rest.client import Call
from dativo_provider.errors import SourceUnavailable

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
    def modified_ns(self) -> int:
        at = datetime.fromisoformat(self.told["modifiedTime"])
        return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000


@dataclass
class Drive:
    """`ask` makes a request; `drive_id` is the shared drive to stay in. `folders` and `drives` are those seen.

    `lost` are ids that were asked for and are not there, or in the trash.
    """

    ask: Ask
    drive_id: str = ""
    folders: set[str] = field(default_factory=set)
    drives: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)

    def below(self, folder: str, deep: bool = True) -> Iterator[Item]:
        """Files and shortcuts' targets anywhere below a folder, by one query for each folder in it.

        A query for several parents at once may miss files
        (https://github.com/googleapis/google-api-nodejs-client/issues/1957).
        """
        waiting, seen = [(folder, "")], {folder}
        while waiting:
            parent, path = waiting.pop()
            self.folders.add(parent)
            for item in self._listed(f"'{parent}' in parents", path):
                if item.mime != FOLDER:
                    yield from self._resolved(item)
                elif deep and item.id not in seen:
                    seen.add(item.id)
                    waiting.append((item.id, f"{item.path}/"))

    def found(self, query: str) -> Iterator[Item]:
        """Files that a query of Drive's own language finds."""
        for item in self._listed(f"({query})" if query else "", ""):
            if item.mime != FOLDER:
                yield from self._resolved(item)

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

    def _resolved(self, item: Item) -> Iterator[Item]:
        """What a shortcut stands for, at the shortcut's place."""
        if item.mime != SHORTCUT:
            yield item
            return
        target = item.told.get("shortcutDetails", {}).get("targetId", "")
        for found in self.by_id([target] if target else []):
            if found.mime != FOLDER:
                yield Item(found.told, item.path)

    def _listed(self, query: str, path: str) -> Iterator[Item]:
        wanted = " and ".join(filter(None, (query, "trashed=false")))
        params = {
            "q": wanted, "pageSize": 1000, "spaces": "drive", "orderBy": "name",
            "corpora": "drive" if self.drive_id else "user", **_EVERYWHERE,
            "fields": f"nextPageToken,incompleteSearch,files({_FIELDS})",
            **({"driveId": self.drive_id} if self.drive_id else {}),
        }  # fmt: skip
        for page in self.pages("/files", params):
            for told in page.get("files", ()):
                yield self._item(told, path)

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
