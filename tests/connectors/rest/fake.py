"""An API of our own that pages in every way a spec can say, and misbehaves on demand.

It keeps to its own rules: pages never exceed their cap, tokens are good once, unknown credentials are refused.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

__all__ = ["Answer", "Asked", "FakeApi", "serving"]

Row = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None  # of JSON and of forms what they say, else bytes
    queries: Mapping[str, Sequence[str]] = field(default_factory=dict)  # where a name comes several times


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = None  # bytes go out as they are
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False  # the connection ends in the middle of the body


Fault = Callable[[Asked], Answer | None]


_ENCODER = msgspec.json.Encoder(decimal_format="number")


class FakeApi:
    """`rows` in the order they arrived. `faults` see each request first and may answer it."""

    token = "t0ps3cret"

    def __init__(self, page: int = 100) -> None:
        self.rows: list[Row] = []
        self.page = page
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.lock = threading.Lock()
        self.url = ""
        self.now: Callable[[], datetime] | None = None  # its clock, as `Date` tells it

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            for fault in self.faults:
                if (found := fault(asked)) is not None:
                    return found
            if asked.headers.get("authorization") != f"Bearer {self.token}":
                return Answer(401, {"error": {"message": "bad token"}})
            style = asked.path.strip("/").split("/")[0]
            return getattr(self, f"_{style}", self._nothing)(asked)

    # styles ---------------------------------------------------------------------------------------------------

    def _nothing(self, asked: Asked) -> Answer:
        return Answer(404, {"message": f"no {asked.path}"})

    def _me(self, asked: Asked) -> Answer:
        return Answer(body={"id": 1})

    def _single(self, asked: Asked) -> Answer:
        return Answer(body={"items": self._found(asked)})

    def _cursor(self, asked: Asked) -> Answer:
        start = int(asked.query.get("cursor", "0"))
        found = self._found(asked)
        page = found[start : start + self.page]
        more = start + self.page < len(found)
        meta = {"has_more": more, "next": str(start + self.page) if more else None}
        return Answer(body={"items": page, "meta": meta})

    def _after(self, asked: Asked) -> Answer:
        found = sorted(self._found(asked), key=lambda each: -each["id"])
        if "starting_after" in asked.query:
            found = [each for each in found if each["id"] < int(asked.query["starting_after"])]
        return Answer(body={"items": found[: self.page], "has_more": len(found) > self.page})

    def _offset(self, asked: Asked) -> Answer:
        start, found = int(asked.query.get("offset", 0)), self._found(asked)
        size = min(self.page, int(asked.query.get("limit", self.page)))
        return Answer(body={"items": found[start : start + size], "total": len(found)})

    def _page(self, asked: Asked) -> Answer:
        number, found = int(asked.query.get("page", 1)), self._found(asked)
        items = found[(number - 1) * self.page : number * self.page]
        return Answer(body={"items": items, "pages": -(-len(found) // self.page)})

    def _link(self, asked: Asked) -> Answer:
        number, found = int(asked.query.get("page", 1)), self._found(asked)
        headers = {}
        if number * self.page < len(found):
            headers["Link"] = f'<{self._with(asked, page=number + 1)}>; rel="next", <{self.url}/x>; rel="last"'
        return Answer(body=found[(number - 1) * self.page : number * self.page], headers=headers)

    def _next(self, asked: Asked) -> Answer:
        start, found = int(asked.query.get("start", 0)), self._found(asked)
        end = start + self.page
        return Answer(
            body={"items": found[start:end], "next": self._with(asked, start=end) if end < len(found) else None}
        )

    def _token_header(self, asked: Asked) -> Answer:
        start, found = int(asked.query.get("start", 0)), self._found(asked)
        end = start + self.page
        headers = {"X-Next-Start": str(end)} if end < len(found) else {}
        return Answer(body={"items": found[start:end]}, headers=headers)

    def _next_header(self, asked: Asked) -> Answer:
        start, found = int(asked.query.get("start", 0)), self._found(asked)
        end = start + self.page
        headers = {"Next-Page": self._with(asked, start=end)} if end < len(found) else {}
        return Answer(body={"items": found[start:end]}, headers=headers)

    def _graphql(self, asked: Asked) -> Answer:
        start = int(asked.body["variables"].get("after") or 0)
        page, end = self.rows[start : start + self.page], start + self.page
        info = {"hasNextPage": end < len(self.rows), "endCursor": str(end)}
        return Answer(body={"data": {"items": {"nodes": page, "pageInfo": info}}})

    def _time(self, asked: Asked) -> Answer:
        """Ascending by second, from `start_time` on, the edge second included again on the next page."""
        start = int(asked.query.get("start_time", 0))
        found = sorted((each for each in self.rows if _second(each) >= start), key=_second)
        return Answer(body={"items": found[: self.page], "end": len(found) <= self.page})

    def _search(self, asked: Asked) -> Answer:
        """A body with filters; refuses to go beyond 10 pages, as HubSpot's search does."""
        found = sorted(self.rows, key=lambda each: each["id"])
        for rule in asked.body.get("filters", []):
            found = [each for each in found if _holds(each, rule)]
        return Answer(body={"items": found[: self.page], "total": len(found)})

    # help -----------------------------------------------------------------------------------------------------

    def _found(self, asked: Asked) -> list[Row]:
        found: Sequence[Row] = self.rows
        if "since" in asked.query:
            found = [each for each in found if each["updated_at"] >= asked.query["since"]]
        if "until" in asked.query:
            found = [each for each in found if each["updated_at"] < asked.query["until"]]
        return list(found)

    def _with(self, asked: Asked, **params: Any) -> str:
        query = "&".join(f"{key}={value}" for key, value in {**asked.query, **params}.items())
        return f"{self.url}{asked.path}?{query}"


def _second(row: Row) -> int:
    return int(datetime.fromisoformat(row["updated_at"]).astimezone(UTC).timestamp())


def _holds(row: Row, rule: Mapping[str, Any]) -> bool:
    value, wanted = row[rule["field"]], rule["value"]
    return wanted is None or {"gt": value > wanted, "gte": value >= wanted, "lt": value < wanted}[rule["op"]]


class Api(Protocol):
    """What `serving` serves; it is told its own address."""

    url: str

    def answer(self, asked: Asked) -> Answer: ...


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body leave apart: the second would wait for the first's receipt
    api: Api

    def send_response(self, code: int, message: str | None = None) -> None:
        """With a `Date` only where the fake has a clock: those of most tests stand still."""
        self.send_response_only(code, message)
        if now := getattr(self.api, "now", None):
            self.send_header("Date", format_datetime(now(), usegmt=True))

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        queries = parse_qs(parts.query, keep_blank_values=True)
        query = {key: values[-1] for key, values in queries.items()}
        headers = {key.lower(): value for key, value in self.headers.items()}
        body = _said(self.rfile.read(int(headers.get("content-length", 0))), headers.get("content-type", ""))
        self._send(self.api.answer(Asked(self.command, unquote(parts.path), query, headers, body, queries)))

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - named by the library

    def _send(self, answer: Answer) -> None:
        raw = answer.body if isinstance(answer.body, bytes) else _ENCODER.encode(answer.body)
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(raw)), **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw[: len(raw) // 2] if answer.cut else raw)
        if answer.cut:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None: ...


def _said(content: bytes, kind: str) -> Any:
    if not content:
        return None
    if "form-urlencoded" in kind:
        return parse_qs(content.decode())
    return json.loads(content) if "json" in kind else content


@contextmanager
def serving(api: Api) -> Iterator[str]:
    """The address of `api` on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
