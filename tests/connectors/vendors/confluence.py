"""Confluence Cloud as its pages describe it (https://developer.atlassian.com/cloud/confluence/rest/v2/, 2026-11-22).

Rules, with the page below that each is from:
- `limit` is 1 to 250, by itself 25 (50 of attachments); the next page is `_links.next` and the same in a `Link` header,
  relative to the site, with all parameters and a `cursor`; both are absent on the last page (intro)
- a cursor is a position by key, so that what comes and goes meanwhile makes no gap; one that is not known, and any
  parameter that is not as it should be, is 400 INVALID_REQUEST_PARAMETER (intro)
- pages: `sort` by id, created-date, modified-date or title, `-` turns it; `status` current, archived, deleted, trashed,
  by itself current and archived; without `body-format` there is no body (api-group-page, api-group-blog-post)
- attachments: `sort` created-date or modified-date; `status` current, archived, trashed (api-group-attachment)
- there is no filter by date; what the account may not see is left out (api-group-page)
- moments are ISO with milliseconds; the trash does not move `version.createdAt` (our guess, the harder case)
- 429 with `Retry-After`, and `X-RateLimit-Reset` in ISO (cloud/confluence/rate-limiting)
- API tokens with the account's address as Basic, OAuth tokens as Bearer; a scope that is missing is 401 "scope does not
  match" (intro; support.atlassian.com/confluence/kb/scoped-api-tokens-in-confluence-cloud)
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar
from urllib.parse import quote

from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.vendor import Answer, Asked, Quota, Row, Vendor, route

__all__ = ["Confluence"]

_RIGHTS = {"spaces": "read:space:confluence", "pages": "read:page:confluence", "blog_posts": "read:page:confluence",
           "attachments": "read:attachment:confluence"}  # fmt: skip
_SORTS: dict[str, Callable[[Row], Any]] = {
    "id": lambda row: int(row["id"].removeprefix("att")), "title": lambda row: row["title"],
    "created-date": lambda row: row["createdAt"], "modified-date": lambda row: row["version"]["createdAt"],
}  # fmt: skip
_STATUSES = {"pages": "current archived deleted trashed", "blog_posts": "current deleted trashed",
             "attachments": "current archived trashed"}  # fmt: skip


class Confluence(Vendor):
    """`hidden` are ids that the account may not see. `prefix` stands before every path, as behind the gateway."""

    credentials: ClassVar = {"site": "acme", "email": "ann@example.com", "api_token": "atlass1an-token"}
    broken: ClassVar = {
        "a wrong token": {"api_token": "wr0ng-token"},
        "a token that was revoked": {"email": "", "access_token": "rev0ked-token"},
    }

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.records = {name: {} for name in _RIGHTS}
        self.hidden: set[str] = set()
        self.quotas = [Quota(300, 60, Answer(429, {"message": "Rate limit exceeded"}, {"Retry-After": "5"}))]
        self.changes = 0
        self._kept: tuple[Any, tuple[list[str], list[Row]]] | None = None
        self._numbers = count(98_306)

    # records ----------------------------------------------------------------------------------------------------

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[str]:
        self.changes += 1
        now, prefix = self.clock.now(), "att" if stream == "attachments" else ""
        keys = [f"{prefix}{next(self._numbers)}" for _ in range(count)]
        for place, key in enumerate(reversed(keys)):
            self.records[stream][key] = _MADE[stream](key, now - every * place)
        return keys

    def touch(self, stream: str, keys: Sequence[str]) -> None:
        self.changes += 1
        for key in keys:
            version = self.records[stream][key]["version"]
            self.records[stream][key]["version"] = {
                **version, "createdAt": _iso(self.clock.now()), "number": version["number"] + 1
            }  # fmt: skip

    def remove(self, stream: str, keys: Sequence[str]) -> None:
        self.changes += 1
        for key in keys:
            self.records[stream][key]["status"] = "trashed"

    def scope(self, stream: str) -> str:
        return _RIGHTS[stream]

    # requests ---------------------------------------------------------------------------------------------------

    def login(self, asked: Asked) -> Answer | None:
        given = asked.headers.get("authorization", "")
        if given in ("Basic " + b64encode(b"ann@example.com:atlass1an-token").decode(), "Bearer oauth-t0ken"):
            return None
        return Answer(401, {"code": 401, "message": "Unauthorized"})

    @route("/wiki/api/v2/spaces")
    def spaces(self, asked: Asked) -> Answer:
        return self._answer(asked, "spaces", 25)

    @route("/wiki/api/v2/pages")
    def pages(self, asked: Asked) -> Answer:
        return self._answer(asked, "pages", 25)

    @route("/wiki/api/v2/blogposts")
    def blog_posts(self, asked: Asked) -> Answer:
        return self._answer(asked, "blog_posts", 25)

    @route("/wiki/api/v2/attachments")
    def attachments(self, asked: Asked) -> Answer:
        return self._answer(asked, "attachments", 50)

    @route("/ex/confluence/c1/wiki/api/v2/pages")
    def gateway(self, asked: Asked) -> Answer:
        return self._answer(asked, "pages", 25)

    # rules ------------------------------------------------------------------------------------------------------

    def _answer(self, asked: Asked, stream: str, usual: int) -> Answer:
        if _RIGHTS[stream] in self.forbidden:
            return Answer(401, {"code": 401, "message": "Unauthorized; scope does not match"})
        size, sort = int(asked.query.get("limit", usual)), asked.query.get("sort", "id")
        place = _SORTS.get(sort.removeprefix("-"))
        wanted = set(asked.queries.get("status", ["current", "archived"]))
        if place is None or not 1 <= size <= 250 or wanted - {*_STATUSES.get(stream, "current archived").split()}:
            return _wrong("a parameter is not as it should be")
        at = _position(asked.query["cursor"]) if "cursor" in asked.query else None
        if at == "":
            return _wrong("the cursor is not known")
        return self._page(asked, size, sort, self._after(stream, sort, frozenset(wanted), at))

    def _page(self, asked: Asked, size: int, sort: str, rows: list[Row]) -> Answer:
        page = self.listed(rows, size)
        links = {"base": f"{self.url}/wiki"}
        if len(page) < len(rows):
            mark = _mark(_SORTS[sort.removeprefix("-")], page[-1])
            links["next"] = _next(asked, urlsafe_b64encode(mark.encode()).decode())
        headers = {"Link": f'<{links["next"]}>; rel="next"'} if "next" in links else {}
        bodies = asked.query.get("body-format") == "storage"
        shown = [each if bodies or "body" not in each else {**each, "body": {}} for each in page]
        return Answer(body={"results": shown, "_links": links}, headers=headers)

    def _after(self, stream: str, sort: str, wanted: frozenset[str], at: str | None) -> list[Row]:
        """What comes after the position `at`."""
        marks, rows = self._ordered(stream, sort.removeprefix("-"), wanted)
        if sort.startswith("-"):
            return rows[: len(rows) if at is None else bisect_left(marks, at)][::-1]
        return rows[0 if at is None else bisect_right(marks, at) :]

    def _ordered(self, stream: str, sort: str, wanted: frozenset[str]) -> tuple[list[str], list[Row]]:
        """Ascending. Kept until a record changes: thousands of them are sorted for each page else."""
        known = (stream, sort, wanted, frozenset(self.hidden), self.changes)
        if self._kept is None or self._kept[0] != known:
            found = sorted(
                ((_mark(_SORTS[sort], row), key) for key, row in self.records[stream].items()
                 if row["status"] in wanted and key not in self.hidden)
            )  # fmt: skip
            self._kept = known, ([mark for mark, _ in found], [self.records[stream][key] for _, key in found])
        return self._kept[1]


def _mark(place: Callable[[Row], Any], row: Row) -> str:
    """Where a record stands, unlike every other."""
    found = place(row)
    shown = f"{found:020d}" if isinstance(found, int) else str(found)
    return f"{shown}|{int(row['id'].removeprefix('att')):020d}"


def _position(cursor: str) -> str:
    try:
        return urlsafe_b64decode(cursor).decode()
    except ValueError:
        return ""


def _next(asked: Asked, cursor: str) -> str:
    pairs = [("cursor", cursor), *((name, each) for name, all_ in asked.queries.items() for each in all_
                                   if name != "cursor")]  # fmt: skip
    path = asked.path[asked.path.index("/wiki/") :]
    return f"{path}?" + "&".join(f"{name}={quote(each)}" for name, each in pairs)


def _wrong(title: str) -> Answer:
    return Answer(400, {"errors": [{"status": 400, "code": "INVALID_REQUEST_PARAMETER", "title": title}]})


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _version(at: datetime) -> Row:
    return {"createdAt": _iso(at), "number": 1, "message": "", "minorEdit": False, "authorId": "5b10a2844c20165700"}


def _page_row(key: str, at: datetime) -> Row:
    return {
        "id": key, "status": "current", "title": f"Page {key}", "spaceId": "42", "parentId": "1", "parentType": "page",
        "position": 7, "authorId": "5b10a2844c20165700", "ownerId": None, "lastOwnerId": None, "createdAt": _iso(at),
        "version": _version(at), "body": {"storage": {"representation": "storage", "value": _TEXT.format(key)}},
        "_links": {"webui": f"/spaces/DOC/pages/{key}", "editui": f"/pages/edit/{key}", "tinyui": f"/x/{key}"},
    }  # fmt: skip


def _attachment(key: str, at: datetime) -> Row:
    return {
        "id": key, "status": "current", "title": f"{key}.png", "pageId": "1", "mediaType": "image/png",
        "mediaTypeDescription": "PNG Image", "comment": "", "fileId": "f", "fileSize": 12, "createdAt": _iso(at),
        "version": _version(at), "webuiLink": "/x", "downloadLink": "/download/x", "_links": {},
    }  # fmt: skip


def _space(key: str, at: datetime) -> Row:
    return {
        "id": key, "key": f"S{key}", "name": f"Space {key}", "type": "global", "status": "current", "authorId": "5b",
        "createdAt": _iso(at), "homepageId": "1", "description": {"plain": {"value": "All of it"}}, "icon": None,
        "currentActiveAlias": f"S{key}", "_links": {"webui": f"/spaces/S{key}"},
    }  # fmt: skip


_TEXT = "<h1>Page {}</h1><p>How it is done.</p>"
_MADE: dict[str, Callable[[str, datetime], Row]] = {
    "pages": _page_row, "blog_posts": _page_row, "attachments": _attachment, "spaces": _space,
}  # fmt: skip
