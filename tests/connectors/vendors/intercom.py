"""Intercom as its pages describe it (https://developers.intercom.com/docs/references/2.17/, read 2026-11-22).

Rules, with the page below that each is from:
- requests count in stretches of ten seconds, a sixth of 10,000; each answer has `X-RateLimit-Limit`, `-Remaining` and
  `-Reset` (seconds since 1970), a refusal is 429 `rate_limit_exceeded` without `Retry-After`
  (rest-api/errors/rate-limiting)
- errors are `{"type": "error.list", "errors": [{"code", "message"}]}`; 403 for a scope (rest-api/errors/http-responses)
- without the header `Intercom-Version: 2.17` moments are searched by whole days: `>` begins on the next (changelog)
- contacts: lists and searches of at most 150, `pages.next.starting_after`; only `=`, `!=`, `>`, `<` and their like, two
  levels of groups, fifteen filters (contacts/searchcontacts)
- contacts may be missing from searches for minutes after they were made (contacts/searchcontacts)
- conversations: searched by POST, at most 150, under `conversations`; parts come with a single one, the newest 500
  (conversations/searchconversations, retrieveconversation)
- companies: scrolled, 100 a page, from the place that the last answer left; `scroll_param` stays the same. One scroll
  at a time (`scroll_exists`); it ends with an empty page, or a minute after its last request, and a request that failed
  asks for a new one (companies/scrolloverallcompanies)
- articles: at most 250 a page, newest change first, `pages.total_pages` (api.intercom.io/articles)
- admins: one answer (admins/listadmins)
- hosts of other regions refuse a token (rest-api, intro)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar

from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.vendor import Answer, Asked, Quota, Row, Vendor, route

__all__ = ["Intercom"]

_DAY = 86_400
_RIGHTS = {
    "contacts": "Read and list users and companies", "companies": "Read and list users and companies",
    "conversations": "Read conversations", "admins": "Read admins", "articles": "Read and list articles",
}  # fmt: skip
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda found, wanted: bool(found == wanted), "!=": lambda found, wanted: bool(found != wanted),
    ">": lambda found, wanted: bool(found > wanted), "<": lambda found, wanted: bool(found < wanted),
}  # fmt: skip


class Intercom(Vendor):
    """`index_lag`: seconds that a contact is not found after it changed."""

    credentials: ClassVar = {"access_token": "dG9rOnNlY3JldA1"}
    broken: ClassVar = {"a wrong token": {"access_token": "wr0ng-token"}}

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.records = {name: {} for name in (*_RIGHTS, "parts")}
        self.index_lag = 0
        self.scroll: dict[str, Any] | None = None  # its token, rows still to come and last request
        self.scrolls = 0
        refusal = Answer(429, _errors("rate_limit_exceeded", "Exceeded rate limit of 1666 in 10_seconds"))
        self.quotas = [Quota(1_666, 10, refusal)]
        self._numbers = count(5_001)

    # records ----------------------------------------------------------------------------------------------------

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[str]:
        now, keys = self.clock.now(), [str(next(self._numbers)) for _ in range(count)]
        for place, key in enumerate(reversed(keys)):
            self.records[stream][key] = _MADE[stream](key, int((now - every * place).timestamp()))
        return keys

    def touch(self, stream: str, keys: Sequence[str]) -> None:
        for key in keys:
            self.records[stream][key]["updated_at"] = int(self.clock.now().timestamp())

    def say(self, conversation: str, *texts: str) -> list[str]:
        """Parts of a conversation, which is changed by them."""
        self.touch("conversations", [conversation])
        keys = [str(next(self._numbers)) for _ in texts]
        at = int(self.clock.now().timestamp())
        for key, text in zip(keys, texts, strict=True):
            self.records["parts"][key] = {
                "type": "conversation_part", "id": key, "part_type": "comment", "body": f"<p>{text}</p>",
                "created_at": at, "updated_at": at, "author": {"type": "admin", "id": "7"}, "of": conversation,
            }  # fmt: skip
        return keys

    def scope(self, stream: str) -> str:
        return _RIGHTS[stream]

    # requests ---------------------------------------------------------------------------------------------------

    def login(self, asked: Asked) -> Answer | None:
        if asked.headers.get("authorization") != f"Bearer {self.credentials['access_token']}":
            return Answer(401, _errors("unauthorized", "Access Token Invalid"))
        if "application/json" not in asked.headers.get("accept", ""):
            return Answer(406, _errors("not_acceptable", "The Accept header should send a media type of JSON"))
        return None

    def answer(self, asked: Asked) -> Answer:
        answer = super().answer(asked)
        told = {
            "X-RateLimit-Limit": "1666",
            "X-RateLimit-Remaining": "0" if answer.status == 429 else "1665",
            "X-RateLimit-Reset": str(int(self.clock.now().timestamp() // 10 + 1) * 10),
        }
        return replace(answer, headers={**told, **answer.headers})

    @route("/me")
    def me(self, asked: Asked) -> Answer:
        return Answer(body={"type": "admin", "id": "7", "app": {"id_code": "abc"}})

    @route("/contacts")
    def contacts(self, asked: Asked) -> Answer:
        rows = sorted(self.records["contacts"].values(), key=_identity)
        return self._refused_for("contacts") or self._after(
            "data", rows, int(asked.query.get("per_page", 10)), asked.query.get("starting_after")
        )

    @route("/contacts/search", "POST")
    def search_contacts(self, asked: Asked) -> Answer:
        latest = self.clock.now().timestamp() - self.index_lag
        rows = [each for each in self.records["contacts"].values() if each["updated_at"] <= latest]
        return self._refused_for("contacts") or self._search("data", rows, asked, 50)

    @route("/conversations/search", "POST")
    def search_conversations(self, asked: Asked) -> Answer:
        rows = list(self.records["conversations"].values())
        return self._refused_for("conversations") or self._search("conversations", rows, asked, 20)

    @route("/conversations/{id}")
    def conversation(self, asked: Asked, id: str) -> Answer:
        if id not in self.records["conversations"]:
            return Answer(404, _errors("not_found", "Conversation not found"))
        parts = [_without(each, "of") for each in self.records["parts"].values() if each["of"] == id]
        told = {"type": "conversation_part.list", "total_count": len(parts), "conversation_parts": parts[-500:]}
        return Answer(body={**self.records["conversations"][id], "conversation_parts": told})

    @route("/companies/scroll")
    def companies(self, asked: Asked) -> Answer:
        now, token = self.clock.now(), asked.query.get("scroll_param")
        if self.scroll and now - self.scroll["used"] >= timedelta(minutes=1):
            self.scroll = None
        if refused := self._refused_for("companies"):
            return refused
        if not token and self.scroll:
            return Answer(400, _errors("scroll_exists", "scroll already exists for this workspace"))
        if not token:
            self.scrolls += 1
            rows = sorted(self.records["companies"].values(), key=lambda each: -each["last_request_at"])
            self.scroll = {"token": f"scroll-{self.scrolls}", "rows": rows}
        if not self.scroll or token not in (None, self.scroll["token"]):
            return Answer(404, _errors("not_found", "scroll parameter not found"))
        return self._scrolled(self.scroll, now)

    def _scrolled(self, scroll: dict[str, Any], now: datetime) -> Answer:
        page = self.listed(scroll["rows"], 100)
        scroll.update(rows=scroll["rows"][len(page) :], used=now)
        if not page:
            self.scroll = None
        body = {"type": "list", "data": page, "pages": None, "total_count": None, "scroll_param": scroll["token"]}
        return Answer(body=body)

    @route("/articles")
    def articles(self, asked: Asked) -> Answer:
        size = int(asked.query.get("per_page", 25))
        if size > 250:
            return Answer(400, _errors("parameter_invalid", "per_page must be at most 250"))
        rows = sorted(self.records["articles"].values(), key=lambda each: (-each["updated_at"], -int(each["id"])))
        number = int(asked.query.get("page", 1))
        return self._refused_for("articles") or self._numbered(rows, number, self.page or size)

    @route("/admins")
    def admins(self, asked: Asked) -> Answer:
        body = {"type": "admin.list", "admins": list(self.records["admins"].values())}
        return self._refused_for("admins") or Answer(body=body)

    # rules ------------------------------------------------------------------------------------------------------

    def _refused_for(self, stream: str) -> Answer | None:
        if _RIGHTS[stream] not in self.forbidden:
            return None
        return Answer(403, _errors("forbidden", "The token lacks a scope"))

    def _numbered(self, rows: list[Row], number: int, size: int) -> Answer:
        page = self.listed(rows[(number - 1) * size :], size)
        pages = {"type": "pages", "page": number, "per_page": size, "total_pages": -(-len(rows) // size)}
        return Answer(body={"type": "list", "data": page, "total_count": len(rows), "pages": pages})

    def _after(self, name: str, rows: list[Row], size: int, at: str | None) -> Answer:
        if size > 150:
            return Answer(400, _errors("parameter_invalid", "per_page must be at most 150"))
        start = next((place for place, each in enumerate(rows, 1) if each["id"] == at), 0)
        page = self.listed(rows[start:], size)
        following = {"next": {"starting_after": page[-1]["id"]}} if start + len(page) < len(rows) else {}
        return Answer(
            body={"type": "list", name: page, "total_count": len(rows), "pages": {"type": "pages", **following}}
        )

    def _search(self, name: str, rows: list[Row], asked: Asked, usual: int) -> Answer:
        wanted, paging = asked.body.get("query"), asked.body.get("pagination", {})
        sort = asked.body.get("sort", {"field": "updated_at", "order": "descending"})
        if sort["order"] not in ("ascending", "descending"):
            return Answer(400, _errors("invalid_sort_order", "order is ascending or descending"))
        if wanted and (why := _unfit(wanted, 1)):
            return Answer(400, _errors("parameter_invalid", why))
        by_day = asked.headers.get("intercom-version") != "2.17" and name == "data"
        found = [each for each in rows if not wanted or _holds(each, wanted, by_day)]
        found.sort(key=lambda each: (each[sort["field"]], int(each["id"])), reverse=sort["order"] == "descending")
        return self._after(name, found, int(paging.get("per_page", usual)), paging.get("starting_after"))


def _errors(code: str, message: str) -> Row:
    return {"type": "error.list", "request_id": "b1", "errors": [{"code": code, "message": message}]}


def _unfit(query: Row, level: int) -> str:
    if "field" in query:
        return "" if query["operator"] in _OPERATORS else f"{query['operator']} is no operator"
    if level > 2 or not 1 <= len(query["value"]) <= 15:
        return "groups have two levels and fifteen filters"
    return next(filter(None, (_unfit(each, level + 1) for each in query["value"])), "")


def _holds(row: Row, query: Row, by_day: bool) -> bool:
    if "field" not in query:
        return (all if query["operator"] == "AND" else any)(_holds(row, each, by_day) for each in query["value"])
    found, wanted = row[query["field"]], query["value"]
    if by_day:
        found, wanted = found // _DAY, wanted // _DAY
    return _OPERATORS[query["operator"]](found, wanted)


def _identity(row: Row) -> int:
    return int(row["id"])


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _contact(key: str, at: int) -> Row:
    return {
        "type": "contact", "id": key, "external_id": None, "role": "user", "email": f"c{key}@example.com",
        "name": f"Contact {key}", "created_at": at, "updated_at": at, "location": {"type": "location", "city": "Oslo"},
        "custom_attributes": {"Plan": "pro", "plan": 2}, "tags": {"type": "list", "data": [], "has_more": False},
    }  # fmt: skip


def _conversation(key: str, at: int) -> Row:
    return {
        "type": "conversation", "id": key, "title": None, "state": "open", "open": True, "read": True,
        "created_at": at, "updated_at": at, "team_assignee_id": int(key) if int(key) % 2 else key,
        "admin_assignee_id": 0, "source": {"type": "email", "id": "9", "body": "<p>Hi</p>", "author": {"id": "3"}},
        "statistics": {"count_conversation_parts": 1},
    }  # fmt: skip


def _company(key: str, at: int) -> Row:
    return {"type": "company", "id": key, "company_id": f"x{key}", "name": f"Company {key}", "created_at": at,
            "updated_at": at, "last_request_at": at, "plan": {}, "custom_attributes": {}}  # fmt: skip


def _admin(key: str, at: int) -> Row:
    return {"type": "admin", "id": key, "name": f"Admin {key}", "email": f"a{key}@example.com", "team_ids": [1]}


def _article(key: str, at: int) -> Row:
    return {
        "type": "article", "id": key, "workspace_id": "abc", "title": f"Article {key}", "description": "How to",
        "body": f"<h2>Article {key}</h2><p>It is easy.</p>", "author_id": 7, "state": "published",
        "url": f"https://help.example.com/{key}", "parent_id": 3, "parent_ids": [3], "parent_type": "collection",
        "default_locale": "en", "translated_content": None, "statistics": {"views": 1}, "tags": {"tags": []},
        "created_at": at, "updated_at": at,
    }  # fmt: skip


_MADE: dict[str, Callable[[str, int], Row]] = {
    "contacts": _contact, "conversations": _conversation, "companies": _company, "admins": _admin,
    "articles": _article,
}  # fmt: skip
