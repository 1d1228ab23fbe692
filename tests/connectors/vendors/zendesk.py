"""Zendesk as its pages describe it (https://developer.zendesk.com/api-reference/, read 2026-11-22).

Rules, with the page below `api-reference/` or `documentation/` that each is from:
- tickets and users are exported by a cursor: `start_time` at first, later `cursor`; at most 1,000 a page; the answer
  has `after_cursor`, `after_url`, `end_of_stream`; a cursor asked again later brings what changed since
  (documentation/ticketing/managing-tickets/using-the-incremental-export-api)
- organizations are exported by time: `end_time` is the moment of the last record and `next_page` starts there, so that
  second comes twice (the same page)
- events of tickets are exported by time as well, each with its `child_events`; comments are among them only with
  `include=comment_events` (ticketing/ticket-management/incremental_exports, "Incremental Ticket Event Export")
- exports leave out the last minute; a `start_time` within it is refused with 400 StartTimeTooRecent (the same page)
- tickets go by `generated_timestamp`, not by `updated_at`; `support_type_scope` leaves out tickets of AI agents unless
  it is `all`; deleted tickets have the status `deleted`, deleted users are not `active`
  (ticketing/ticket-management/incremental_exports)
- exports take an administrator, and 10 of them a minute are let through, for all streams together (the same page)
- articles: `start_time`, at most 1,000 a page, `next_page` null at the end, no `end_of_stream`; archived ones are not
  there (documentation/help_center/help-center-api/understanding-incremental-article-exports)
- comments of a ticket: `page[size]` up to 100 and `page[after]`, `meta.has_more`, `meta.after_cursor`; a deleted ticket
  is 404 RecordNotFound (ticketing/tickets/ticket_comments, introduction/pagination)
- 429 with `Retry-After`; one of three bodies (introduction/rate-limits; airbytehq/airbyte#11899, #11035, #14253)
- OAuth tokens for a client's id and secret, or an API token with the user's address as Basic; a refresh token is good
  once (ticketing/oauth/grant_type_tokens, documentation/api-basics/authentication)
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, ClassVar

from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.vendor import Answer, Asked, Quota, Row, Vendor, route

__all__ = ["REFUSALS", "Zendesk"]

_MINUTE = 60
_CAP = 1_000
_COMMENTS = 100
_RIGHTS = {"tickets": "tickets:read", "comments": "tickets:read", "ticket_events": "tickets:read",
           "users": "users:read", "organizations": "organizations:read", "articles": "hc:read"}  # fmt: skip
REFUSALS = (
    {"error": "APIRateLimitExceeded",
     "description": "Number of allowed incremental export API requests per minute exceeded"},
    b"Number of allowed API requests per minute exceeded",
    {"detail": "Rate limited by Zendesk edge protection", "status": "429", "title": "Automated response"},
)  # fmt: skip


class Zendesk(Vendor):
    """`ghost`: the last page of a cursor comes again and again, with its own cursor and without an end.

    `after`: exports by time leave out what changed at `start_time` itself, as one of the guides has it.
    """

    credentials: ClassVar = {"subdomain": "acme", "access_token": "zt0ken-1234"}
    client: ClassVar = {"client_id": "dativo", "client_secret": "cl1ent-s3cret"}
    api_token: ClassVar = {"email": "ann@example.com", "api_token": "ap1-t0ken"}
    broken: ClassVar = {
        "a revoked token": {"access_token": "rev0ked-token"},
        "a wrong API token": {"access_token": "", "email": "ann@example.com", "api_token": "wr0ng-t0ken"},
        "a wrong secret": {"access_token": "", "client_id": "dativo", "client_secret": "wr0ng-s3cret"},
    }

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.records = {name: {} for name in (*_MADE, "comments", "ticket_events")}
        self.ghost = self.after = False
        self.refresh_token = "r3fresh-1"
        self.tokens = {self.credentials["access_token"]}
        self._numbers = count(35_436)
        self._told = count()
        refusal = Answer(429, REFUSALS[0], {"Retry-After": "7"})
        self.quotas = [
            Quota(10, 60, refusal, lambda asked: "/incremental/" in asked.path),
            Quota(200, 60, Answer(429, REFUSALS[1], {"Retry-After": "13"})),
        ]

    # records ----------------------------------------------------------------------------------------------------

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[int]:
        """Of streams that are read by time each a second younger than the one before, at least."""
        if stream in ("articles", "organizations"):
            every = max(every, timedelta(seconds=1)) if count <= 5_000 else every
        now, keys = self.clock.now().replace(microsecond=0), [next(self._numbers) for _ in range(count)]
        for place, key in enumerate(reversed(keys)):
            self.records[stream][key] = _MADE[stream](key, now - every * place)
        return keys

    def touch(self, stream: str, keys: Sequence[int]) -> None:
        for key in keys:
            row = self.records[stream].pop(key)  # what changes comes last
            row["updated_at"] = _iso(self.clock.now())
            if stream == "tickets":
                row["generated_timestamp"] = int(self.clock.now().timestamp())
            self.records[stream][key] = row

    def remove(self, stream: str, keys: Sequence[int]) -> None:
        if stream == "articles":
            for key in keys:
                del self.records[stream][key]
            return
        self.touch(stream, keys)
        for key in keys:
            self.records[stream][key] |= _GONE[stream](self.clock.now())

    def say(self, ticket: int, *texts: str) -> list[int]:
        """Comments of a ticket, which is changed by them."""
        self.touch("tickets", [ticket])
        keys = [next(self._numbers) for _ in texts]
        for key, text in zip(keys, texts, strict=True):
            self.records["comments"][key] = {
                "id": key, "ticket_id": ticket, "type": "Comment", "body": text, "html_body": f"<p>{text}</p>",
                "plain_body": text, "public": True, "author_id": 7, "audit_id": key + 1, "attachments": [], "via": {},
                "metadata": {}, "created_at": _iso(self.clock.now()),
            }  # fmt: skip
        self._happened(ticket, [self.records["comments"][key] for key in keys])
        return keys

    def _happened(self, ticket: int, comments: Sequence[Row]) -> None:
        """An event of each update, with what it changed and the comments it came with."""
        key, now = next(self._numbers), self.clock.now()
        told = [{"id": key + 1, "via": "Web form", "via_reference_id": None, "status": "open", "previous_value": "new",
                 "event_type": "Change"}]  # fmt: skip
        told += [
            _without({**each, "event_type": "Comment", "via_reference_id": None}, "ticket_id") for each in comments
        ]
        self.records["ticket_events"][key] = {
            "id": key, "ticket_id": ticket, "timestamp": int(now.timestamp()), "created_at": _iso(now), "updater_id": 7,
            "via": "Web form", "system": {"ip_address": "203.0.113.9"}, "metadata": {}, "event_type": "Audit",
            "merged_ticket_ids": [], "child_events": told,
        }  # fmt: skip

    def scope(self, stream: str) -> str:
        return _RIGHTS[stream]

    # login ------------------------------------------------------------------------------------------------------

    def login(self, asked: Asked) -> Answer | None:
        if asked.path == "/oauth/tokens":
            return None
        given = asked.headers.get("authorization", "")
        basic = "Basic " + b64encode(b"ann@example.com/token:ap1-t0ken").decode()
        if given == basic or given.removeprefix("Bearer ") in self.tokens:
            return None
        return Answer(401, {"error": "Couldn't authenticate you"})

    @route("/oauth/tokens", "POST")
    def token(self, asked: Asked) -> Answer:
        form = {key: values[0] for key, values in asked.body.items()}
        if {key: form.get(key) for key in self.client} != self.client:
            return _error(401, "invalid_client", "Client authentication failed")
        made: Row = {"access_token": f"zt0ken-{next(self._numbers)}", "token_type": "bearer", "scope": form["scope"]}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != self.refresh_token:
                return _error(400, "invalid_grant", "The provided refresh token is invalid")
            self.tokens.clear()
            self.refresh_token = made["refresh_token"] = f"r3fresh-{next(self._numbers)}"
        self.tokens.add(made["access_token"])
        return Answer(body=made)

    @route("/api/v2/users/me.json")
    def me(self, asked: Asked) -> Answer:
        return Answer(body={"user": {"id": 7, "role": "admin"}})

    # exports by cursor --------------------------------------------------------------------------------------------

    @route("/api/v2/incremental/{stream}/cursor.json")
    def by_cursor(self, asked: Asked, stream: str) -> Answer:
        if stream not in ("tickets", "users"):
            return self.missing(asked)
        if refusal := self._refuse(asked, stream):
            return refusal
        all_kinds = asked.query.get("support_type_scope") == "all" or stream == "users"
        rows = [each for each in self._settled(stream) if all_kinds or each["support_type"] == "agent"]
        at = _position(asked.query["cursor"]) if "cursor" in asked.query else (int(asked.query["start_time"]), -1)
        found = [each for each in rows if _place(stream, each) > at]
        page = self.listed(found, min(int(asked.query.get("per_page", _CAP)), _CAP))
        if self.ghost and not found[len(page) :]:
            page = page or rows[-1:]
        last = _place(stream, page[-1]) if page else at
        cursor = f"{last[0]}.{last[1]}"
        done = len(page) == len(found) and not self.ghost
        after = f"{self.url}{asked.path}?cursor={cursor}"
        told = {"after_cursor": cursor, "after_url": after, "before_cursor": None, "before_url": None}
        return Answer(body={stream: page, "end_of_stream": done, **told})

    # exports by time ----------------------------------------------------------------------------------------------

    @route("/api/v2/incremental/organizations.json")
    def organizations(self, asked: Asked) -> Answer:
        return self._refuse(asked, "organizations") or self._by_time(asked, "organizations")

    @route("/api/v2/incremental/ticket_events.json")
    def ticket_events(self, asked: Asked) -> Answer:
        answer = self._refuse(asked, "ticket_events") or self._by_time(asked, "ticket_events")
        if answer.status == 200 and asked.query.get("include") != "comment_events":
            answer.body["ticket_events"] = [_silent(each) for each in answer.body["ticket_events"]]
        return answer

    def _by_time(self, asked: Asked, stream: str) -> Answer:
        found = self._since(stream, int(asked.query["start_time"]))
        page = self.listed(found, min(int(asked.query.get("per_page", _CAP)), _CAP))
        end = _second(page[-1]) if page else None
        return Answer(body={
            stream: page, "count": len(page), "end_of_stream": len(page) == len(found), "end_time": end,
            "next_page": f"{self.url}{asked.path}?start_time={end}" if page else None,
        })  # fmt: skip

    @route("/api/v2/help_center/incremental/articles.json")
    def articles(self, asked: Asked) -> Answer:
        if refusal := self._refuse(asked, "articles"):
            return refusal
        found = self._since("articles", int(asked.query["start_time"]))
        page = self.listed(found, _CAP)
        end = _second(page[-1]) if page else None
        following = f"{self.url}{asked.path}?start_time={end}" if len(page) < len(found) else None
        return Answer(body={"articles": page, "count": len(page), "end_time": end, "next_page": following})

    # comments -----------------------------------------------------------------------------------------------------

    @route("/api/v2/tickets/{ticket}/comments.json")
    def comments(self, asked: Asked, ticket: str) -> Answer:
        known = self.records["tickets"].get(int(ticket))
        if known is None or known["status"] == "deleted":
            return _error(404, "RecordNotFound", "Not found")
        size = int(asked.query.get("page[size]", _COMMENTS))
        if size > _COMMENTS:
            return _error(400, "InvalidPaginationParameter", "page[size] must be at most 100")
        start = int(asked.query.get("page[after]", 0))
        found = [_without(each, "ticket_id") for each in self.records["comments"].values()
                 if each["ticket_id"] == int(ticket)][start:]  # fmt: skip
        page = self.listed(found, size)
        more = len(page) < len(found)
        meta = {"has_more": more, "after_cursor": str(start + len(page)) if more else None, "before_cursor": None}
        return Answer(body={"comments": page, "meta": meta, "links": {"next": None, "prev": None}})

    # rules that exports share -------------------------------------------------------------------------------------

    def _refuse(self, asked: Asked, stream: str) -> Answer | None:
        if _RIGHTS[stream] in self.forbidden:
            return _error(403, "Forbidden", "You do not have access to this page")
        recent = self.clock.now().timestamp() - _MINUTE
        if "cursor" not in asked.query and int(asked.query["start_time"]) > recent:
            return _error(400, "StartTimeTooRecent", "Too recent start_time. Use a start_time older than 1 minute.")
        return None

    def _settled(self, stream: str) -> list[Row]:
        latest = self.clock.now().timestamp() - _MINUTE
        rows = (each for each in self.records[stream].values() if _place(stream, each)[0] <= latest)
        return sorted(rows, key=lambda each: _place(stream, each))

    def _since(self, stream: str, start: int) -> list[Row]:
        return [each for each in self._settled(stream) if _second(each) >= start + self.after]


def _error(status: int, error: str, description: str) -> Answer:
    return Answer(status, {"error": error, "description": description})


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _silent(event: Row) -> Row:
    """What an event tells of its comments by itself: that there are some."""
    told = [{**each, "comment_present": True} for each in event["child_events"] if each["event_type"] != "Comment"]
    return {**event, "child_events": told}


def _second(row: Row) -> int:
    """The moment that exports by time go by."""
    if "timestamp" in row:
        return int(row["timestamp"])
    return int(datetime.fromisoformat(row["updated_at"]).astimezone(UTC).timestamp())


def _place(stream: str, row: Row) -> tuple[int, int]:
    return (row["generated_timestamp"] if stream == "tickets" else _second(row)), row["id"]


def _position(cursor: str) -> tuple[int, int]:
    first, _, second = cursor.partition(".")
    return int(first), int(second)


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _ticket(key: int, at: datetime) -> Row:
    """Its `updated_at` is an hour older than what the export goes by, as after a change of the system."""
    return {
        "id": key, "url": f"https://acme.zendesk.com/api/v2/tickets/{key}.json", "subject": f"Ticket {key}",
        "status": "open", "support_type": "ai_agent" if key % 5 == 0 else "agent", "priority": None, "tags": ["a"],
        "custom_fields": [{"id": 1, "value": ["x"]}, {"id": 2, "value": True}], "requester_id": 7,
        "satisfaction_rating": {"score": "good"} if key % 2 else "unoffered", "created_at": _iso(at),
        "updated_at": _iso(at - timedelta(hours=1)), "generated_timestamp": int(at.timestamp()),
    }  # fmt: skip


def _user(key: int, at: datetime) -> Row:
    return {
        "id": key, "name": f"User {key}", "email": f"u{key}@example.com", "active": True, "role": "end-user",
        "user_fields": {"plan": "pro"}, "created_at": _iso(at), "updated_at": _iso(at),
    }  # fmt: skip


def _organization(key: int, at: datetime) -> Row:
    return {
        "id": key, "name": f"Org {key}", "domain_names": ["example.com"], "organization_fields": {}, "deleted_at": None,
        "created_at": _iso(at), "updated_at": _iso(at),
    }  # fmt: skip


def _article(key: int, at: datetime) -> Row:
    text = f"How to solve problem {key}. " * 6
    return {
        "id": key, "title": f"Article {key}", "name": f"Article {key}", "locale": "en-us", "draft": False,
        "body": f"<h1>Article {key}</h1><p>{text}<a href='https://example.com/{key}'>More</a></p>",
        "html_url": f"https://acme.zendesk.com/hc/en-us/articles/{key}", "section_id": 3, "label_names": ["faq"],
        "created_at": _iso(at), "edited_at": _iso(at), "updated_at": _iso(at),
    }  # fmt: skip


_MADE: dict[str, Callable[[int, datetime], Row]] = {
    "tickets": _ticket, "users": _user, "organizations": _organization, "articles": _article,
}  # fmt: skip
_GONE: dict[str, Callable[[datetime], dict[str, Any]]] = {
    "tickets": lambda at: {"status": "deleted", "subject": "SCRUBBED"},
    "users": lambda at: {"active": False},
    "organizations": lambda at: {"deleted_at": _iso(at)},
}
