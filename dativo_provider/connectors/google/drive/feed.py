"""What changed since the last run, by Drive's own logs: one of the account, one of each shared drive.

https://developers.google.com/workspace/drive/api/guides/about-changelogs - positions do not expire. An entry says that
something of a file changed, also who may see it: what really changed is told by listing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

from dativo_provider.connectors.google.drive.listing import Drive
from dativo_provider.connectors.rest.answers import Missing
from dativo_provider.connectors.rest.client import Call
from dativo_provider.errors import ConfigurationError

__all__ = ["asked_for", "positions", "touched"]

_USER = "user"
_FIELDS = "nextPageToken,newStartPageToken,changes(changeType,fileId,removed,file(id,mimeType,parents))"


def asked_for(*wanted: str) -> str:
    """Stands for what a job reads: the logs tell nothing of what it did not ask for when it followed them."""
    return hashlib.sha256("\0".join(wanted).encode()).hexdigest()[:12]


def positions(drive: Drive, drives: Collection[str]) -> dict[str, str]:
    """Where each log ends now; asked for before a list is made, so that what changes meanwhile is seen again.

    A shared drive that is lost has none.
    """
    found: dict[str, str] = {}
    for log in (_USER, *sorted(drives)):
        try:
            told = drive.ask(Call("/changes/startPageToken", params={"supportsAllDrives": "true", **_of(log)}))
        except Missing:
            if log == _USER:
                raise
            continue
        found[log] = str(told["startPageToken"])
    return found


def touched(drive: Drive, tokens: Mapping[str, str], known: Collection[str]) -> tuple[bool, dict[str, str]]:
    """Whether a log names something of `known` (files and folders; none: anything counts), and where it ends now.

    A position that Drive does not take any more counts as a change, and so does a shared drive that is lost.
    """
    found, ends = False, dict[str, str]()
    for log, token in tokens.items():
        try:
            hit, end = _follow(drive, log, token, known)
        except (ConfigurationError, Missing):
            return True, {}
        found, ends = found or hit, {**ends, log: end}
    return found, ends


def _follow(drive: Drive, log: str, token: str, known: Collection[str]) -> tuple[bool, str]:
    params = {
        "pageToken": token, "pageSize": 1000, "includeRemoved": "true", "supportsAllDrives": "true",
        "includeItemsFromAllDrives": "true", "includeCorpusRemovals": "true", "fields": _FIELDS, **_of(log),
    }  # fmt: skip
    found, end = False, token
    for page in drive.pages("/changes", params):
        found = found or any(_concerns(change, known) for change in page.get("changes", ()))
        end = page.get("newStartPageToken", end)
    return found, str(end)


def _of(log: str) -> dict[str, str]:
    return {} if log == _USER else {"driveId": log}


def _concerns(change: Mapping[str, Any], known: Collection[str]) -> bool:
    if not known or change.get("changeType") == "drive":
        return True
    file = change.get("file") or {}
    return change.get("fileId") in known or any(parent in known for parent in file.get("parents", ()))
