"""A fake of the Google Drive API. Its rules:

- lists: pageSize at most 1000 and coerced, a page may hold fewer than asked for, also none, and only the absence of
  `nextPageToken` ends it; trashed files are listed unless `q` says no; a shared drive's files need
  `includeItemsFromAllDrives`; only what `fields` names is told; the corpus `user` holds nothing that an account sees as
  member of a shared drive alone, `drive` is refused to those who are none (seen in googledrive 402).
  https://developers.google.com/workspace/drive/api/reference/rest/v3/files/list
- changes: one entry a file, a new change replaces it; `newStartPageToken` on the last page only; positions do not
  expire; trashing and moving are no removal; each shared drive has a log of its own.
  https://developers.google.com/workspace/drive/api/guides/about-changelogs
- downloads: `alt=media` keeps to `Range`; documents of Google cannot be downloaded, only exported, 10 MB at most.
  https://developers.google.com/workspace/drive/api/guides/manage-downloads
- My Drive's folder is asked for as `root` and told by its real id, as is its place in `parents`; an unknown parent is
  404. https://developers.google.com/workspace/drive/api/guides/about-files
- errors: over quota is 403 `userRateLimitExceeded`. https://developers.google.com/workspace/drive/api/guides/handle-errors
- sizes and versions are JSON texts (int64 of the discovery document).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from tests.connectors.vendors.google import Google, refusal
from tests.connectors.vendors.vendor import Answer, Asked, Quota, route

__all__ = ["DOCUMENT", "FOLDER", "GoogleDrive", "Node"]

FOLDER = "application/vnd.google-apps.folder"
DOCUMENT = "application/vnd.google-apps.document"
SHORTCUT = "application/vnd.google-apps.shortcut"
_EXPORTS = {
    DOCUMENT: {"text/markdown", "text/plain"},
    "application/vnd.google-apps.presentation": {"text/plain"},
    "application/vnd.google-apps.spreadsheet": {"text/csv"},
}
_LARGEST_EXPORT = 10 << 20
ROOT = "0AMyDriveOfTheAccount"


@dataclass
class Node:
    """A file or folder; `content` is what a download or an export gives."""

    id: str
    name: str
    parent: str
    mime: str = "text/csv"
    content: bytes = b""
    modified: datetime | None = None
    trashed: bool = False
    drive: str = ""
    target: str = ""
    version: int = 1
    plain: bytes | None = None  # what an export as text/plain gives, if that differs
    locked: bool = False  # its owner does not let readers download it

    def told(self) -> dict[str, Any]:
        google = self.mime.startswith("application/vnd.google-apps.")
        assert self.modified is not None
        at = self.modified.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told: dict[str, Any] = {
            "id": self.id, "name": self.name, "mimeType": self.mime, "parents": [_real(self.parent)],
            "modifiedTime": at, "createdTime": at, "trashed": self.trashed, "version": str(self.version),
            "capabilities": {"canDownload": not self.locked}, "webViewLink": f"https://drive.google.com/file/d/{self.id}",
        }  # fmt: skip
        if not google:
            told |= {"size": str(len(self.content)), "md5Checksum": hashlib.md5(self.content).hexdigest()}
        if self.drive:
            return told | {"driveId": self.drive}
        people = [{"emailAddress": "ann@example.com", "displayName": "Ann"}]
        return told | {"owners": people} | ({"shortcutDetails": {"targetId": self.target}} if self.target else {})


class GoogleDrive(Google):
    """My Drive is `root`. `content_scope` False: the token sees metadata only."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: dict[str, Node] = {}
        self.log: dict[str, dict[str, tuple[int, bool]]] = {}  # by log and file: position, removed
        self._numbers = count(1)
        self.broken_bodies = 0
        self.shared: set[str] = set()  # drives that the account is no member of: items were shared with it
        refused = refusal(403, "User Rate Limit Exceeded", "", "userRateLimitExceeded")
        self.quotas = [
            Quota(3000, 60, refused, lambda asked: asked.path != "/token"),
            Quota(1500, 60, refused, lambda asked: "alt" in asked.query or asked.path.endswith("/export")),
        ]

    # what people do -----------------------------------------------------------------------------------------

    def put(self, name: str, content: bytes = b"", parent: str = "root", mime: str = "text/csv", **more: Any) -> str:
        """Uploads a file or makes a folder; its id."""
        drive = self.nodes[parent].drive if parent in self.nodes else parent if parent.startswith("0A") else ""
        node = Node(
            f"1id_of_a_file_in_drive_{next(self._numbers):04}", name, parent, mime, content, drive=drive, **more
        )
        node.modified = node.modified or self.clock.now()
        self.nodes[node.id] = node
        self.note(node.id)
        return node.id

    def folder(self, name: str, parent: str = "root") -> str:
        return self.put(name, parent=parent, mime=FOLDER)

    def change(self, id: str, **facts: Any) -> None:
        """`content`, `name`, `parent`, `trashed`, ... are others now; only content moves the date."""
        node = self.nodes[id]
        for name, value in facts.items():
            setattr(node, name, value)
        node.version += 1
        if "content" in facts and "modified" not in facts:
            node.modified = self.clock.now()
        self.note(id)

    def erase(self, id: str) -> None:
        """Deleted for good, past the trash."""
        drive = self.nodes.pop(id).drive
        self.log.setdefault(drive, {})[id] = (next(self._numbers), True)

    def note(self, id: str) -> None:
        self.log.setdefault(self.nodes[id].drive, {})[id] = (next(self._numbers), False)

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[Any]:
        first = len(self.nodes)
        return [
            self.put(f"notes {first + number}.md", f"# Note {first + number}".encode(), mime="text/markdown")
            for number in range(count)
        ]

    def touch(self, stream: str, keys: Sequence[Any]) -> None:
        for key in keys:
            self.change(key, content=self.nodes[key].content + b"\nagain")

    def remove(self, stream: str, keys: Sequence[Any]) -> None:
        for key in keys:
            self.change(key, trashed=True)

    def scope(self, stream: str) -> str:
        return "drive.readonly"

    # files --------------------------------------------------------------------------------------------------

    @route("/drive/v3/about")
    def about(self, asked: Asked) -> Answer:
        return Answer(body={"user": {"permissionId": "1", "emailAddress": "ann@example.com"}})

    @route("/drive/v3/files")
    def list_files(self, asked: Asked) -> Answer:
        if refused := self._scope():
            return refused
        query = asked.query
        if query.get("corpora") == "drive" and query["driveId"] in self.shared:
            return refusal(404, f"Shared drive not found: {query['driveId']}", "NOT_FOUND", "notFound", "driveId")
        for parent in re.findall(r"'([^']+)' in parents", query.get("q", "")):
            if not (parent in self.nodes or parent.startswith("0A") or parent == "root"):
                return refusal(404, "File not found: .", "NOT_FOUND", "notFound", "fileId")
        found = [node for node in self.nodes.values() if self._visible(node, query) and _fits(node, query.get("q", ""))]
        start = int(query.get("pageToken", "0"))
        size = min(1000, int(query.get("pageSize", "100")))
        page = self.listed(found[start:], size)
        told: dict[str, Any] = {"files": [node.told() for node in page], "incompleteSearch": False}
        if start + len(page) < len(found):
            told["nextPageToken"] = str(start + len(page))
        return Answer(body=_masked(told, query.get("fields", "files(id,name)")))

    @route("/drive/v3/files/{id}")
    def file(self, asked: Asked, id: str) -> Answer:
        if refused := self._scope():
            return refused
        if _real(id) == ROOT:
            told = {"id": ROOT, "name": "My Drive", "mimeType": FOLDER, "trashed": False}
            return Answer(body=_masked(told, asked.query.get("fields", "id")))
        node = self.nodes.get(id)
        if node is None or (node.drive and asked.query.get("supportsAllDrives") != "true"):
            return refusal(404, f"File not found: {id}.", "NOT_FOUND", "notFound", "fileId")
        if asked.query.get("alt") == "media":
            return self._download(asked, node)
        return Answer(body=_masked(node.told(), asked.query.get("fields", "id")))

    @route("/drive/v3/files/{id}/export")
    def export(self, asked: Asked, id: str) -> Answer:
        if refused := self._scope():
            return refused
        node = self.nodes[id]
        if asked.query["mimeType"] not in _EXPORTS.get(node.mime, set()):
            return refusal(400, "The requested conversion is not supported.", "", "badRequest", "convertTo")
        plain = asked.query["mimeType"] == "text/plain"
        content = node.plain if plain and node.plain is not None else node.content
        if len(content) > _LARGEST_EXPORT:
            return refusal(403, "This file is too large to be exported.", "", "exportSizeLimitExceeded")
        return Answer(body=content, headers={"Content-Type": asked.query["mimeType"]})

    def _download(self, asked: Asked, node: Node) -> Answer:
        if node.mime.startswith("application/vnd.google-apps."):
            return refusal(403, "Only files with binary content can be downloaded.", "", "fileNotDownloadable")
        if node.locked:
            return refusal(403, "This file cannot be downloaded by the user.", "", "cannotDownloadFile")
        ranged = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        start = int(ranged[1]) if ranged else 0
        if ranged and start >= len(node.content):
            return Answer(416, b"", {"Content-Range": f"bytes */{len(node.content)}"})
        headers = {"Content-Type": node.mime}
        if ranged:
            headers["Content-Range"] = f"bytes {start}-{len(node.content) - 1}/{len(node.content)}"
        cut = self.broken_bodies > 0
        self.broken_bodies -= cut
        return Answer(206 if ranged else 200, node.content[start:], headers, cut=cut)

    def _visible(self, node: Node, query: Mapping[str, str]) -> bool:
        if node.drive and query.get("includeItemsFromAllDrives") != "true":
            return False
        if query.get("corpora") == "drive":
            return node.drive == query["driveId"]
        return not node.drive or node.drive in self.shared

    def _scope(self) -> Answer | None:
        if "drive.readonly" not in self.forbidden:
            return None
        return refusal(403, "Request had insufficient authentication scopes.", "", "insufficientPermissions")

    # changes ------------------------------------------------------------------------------------------------

    @route("/drive/v3/changes/startPageToken")
    def start(self, asked: Asked) -> Answer:
        return self._scope() or Answer(body={"startPageToken": str(next(self._numbers))})

    @route("/drive/v3/changes")
    def changes(self, asked: Asked) -> Answer:
        query = asked.query
        if not query["pageToken"].isdigit():
            return refusal(400, "Invalid Value", "", "invalid", "pageToken")
        log = sorted((at, id, gone) for id, (at, gone) in self.log.get(query.get("driveId", ""), {}).items())
        found = [each for each in log if each[0] >= int(query["pageToken"])]
        page = self.listed(
            [{"id": id, "gone": gone, "at": at} for at, id, gone in found], int(query.get("pageSize", 100))
        )
        told: dict[str, Any] = {"changes": [self._change(each["id"], each["gone"]) for each in page]}
        if len(page) < len(found):
            told["nextPageToken"] = str(found[len(page)][0])
        else:
            told["newStartPageToken"] = str(next(self._numbers))
        return Answer(body=_masked(told, query["fields"]))

    def _change(self, id: str, gone: bool) -> dict[str, Any]:
        told: dict[str, Any] = {"changeType": "file", "fileId": id, "removed": gone}
        return told if gone else told | {"file": self.nodes[id].told()}


def _real(id: str) -> str:
    return ROOT if id == "root" else id


@dataclass
class _Mask:
    names: dict[str, _Mask] = field(default_factory=dict)


def _masked(told: Any, fields: str) -> Any:
    """Only what `fields` names: `a,b(c,d)`."""
    return _only(told, _parsed(iter(re.findall(r"[\w/]+|[(),]", fields))))


def _parsed(tokens: Iterator[str]) -> _Mask:
    mask, last = _Mask(), ""
    for token in tokens:
        if token == ")":
            break
        if token == "(":
            mask.names[last] = _parsed(tokens)
        elif token != ",":
            last = token
            mask.names[last] = _Mask()
    return mask


def _only(told: Any, mask: _Mask) -> Any:
    if isinstance(told, list):
        return [_only(each, mask) for each in told]
    if not isinstance(told, Mapping) or not mask.names:
        return told
    return {name: _only(value, mask.names[name]) for name, value in told.items() if name in mask.names}


def _fits(node: Node, query: str) -> bool:
    """The parts of a query that our readers and tests use, joined by `and`."""
    for part in filter(None, (each.strip(" ()") for each in query.split(" and "))):
        if found := re.fullmatch(r"'(.+)' in parents", part):
            if _real(node.parent) != _real(found[1]):
                return False
        elif found := re.fullmatch(r"name contains '(.+)'", part):
            if found[1] not in node.name:
                return False
        elif part == "trashed=false":
            if node.trashed:
                return False
        else:
            raise AssertionError(f"the fake does not know {part}")
    return True
