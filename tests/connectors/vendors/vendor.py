"""What the fake of every vendor is: routes over stored records, a login, limits, and faults on demand.

    class Stripe(Vendor):
        credentials = {"api_key": "sk_test_1"}

        @route("/customers/{id}")
        def customer(self, asked: Asked, id: str) -> Answer: ...

A vendor's docstring names the page that each of its rules is from.
"""

from __future__ import annotations

import random
import re
import threading
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from tests.connectors.rest.fake import Answer, Asked, Fault
from tests.connectors.vendors.clock import Clock

__all__ = ["Answer", "Asked", "Quota", "Row", "Vendor", "first", "repeated", "route", "storm"]

Row = dict[str, Any]
Method = TypeVar("Method", bound=Callable[..., Answer])


def route(path: str, method: str = "GET") -> Callable[[Method], Method]:
    """The decorated method answers `path`; `{name}` in it is one segment, `{name...}` the rest, given by name."""

    def marked(method_: Method) -> Method:
        rest = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
        pattern = re.sub(r"\\{(\w+)\\.\\.\\.\\}", r"(?P<\1>.+)", rest)
        setattr(method_, "route", (method, re.compile(pattern)))  # noqa: B010 - functions have no such attribute
        return method_

    return marked


@dataclass
class Quota:
    """So many requests in any stretch of `per` seconds, of those that `of` names. Counts what it refused."""

    requests: int
    per: float
    refusal: Answer = field(default_factory=lambda: Answer(429, {"message": "slow down"}, {"Retry-After": "1"}))
    of: Callable[[Asked], bool] = lambda asked: True
    refused: int = 0
    _left: deque[float] = field(default_factory=deque)

    def admit(self, asked: Asked, now: float) -> Answer | None:
        if not self.of(asked):
            return None
        while self._left and self._left[0] <= now - self.per + 1e-9:
            self._left.popleft()
        if len(self._left) >= self.requests:
            self.refused += 1
            return self.refusal
        self._left.append(now)
        return None


class Vendor:
    """`credentials` are the connection that works, `broken` those that must not, by what is wrong with them.

    `quotas` count in the clock's time; each request takes `latency` seconds of it. `page` caps a page below what the
    vendor gives, so that few records make many pages.
    """

    credentials: ClassVar[Mapping[str, Any]] = {"token": "t0ps3cret"}
    broken: ClassVar[Mapping[str, Mapping[str, Any]]] = {"a wrong token": {"token": "wr0ngs3cret"}}

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.quotas: list[Quota] = []
        self.latency = 0.0
        self.page = 0  # 0: as many as asked for
        self.sent = 0  # records on all pages, for those who call `listed`
        self.records: dict[str, dict[Any, Row]] = {}  # by stream and key
        self.more_headers: dict[str, str] = {}  # on every answer
        self.forbidden: set[str] = set()  # scopes that the credentials have lost
        self.lock = threading.Lock()
        self.url = ""
        self._routes = [
            (*method.route, method) for name in dir(self) if hasattr(method := getattr(self, name), "route")
        ]

    # What a vendor fills --------------------------------------------------------------------------------------

    @abstractmethod
    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[Any]:
        """Makes records: the last is from now, each `every` younger than the one before. Returns their keys."""

    @abstractmethod
    def touch(self, stream: str, keys: Sequence[Any]) -> None:
        """They change now."""

    def remove(self, stream: str, keys: Sequence[Any]) -> None:
        """They are deleted now."""
        raise NotImplementedError

    def scope(self, stream: str) -> str:
        """The name of the right that reading `stream` takes, as the vendor's refusal tells it; none: ''."""
        return ""

    def login(self, asked: Asked) -> Answer | None:
        """The refusal of a request whose credentials are not good."""
        good = asked.headers.get("authorization") == f"Bearer {self.credentials['token']}"
        return None if good else Answer(401, {"message": "bad credentials"})

    # What every vendor does -----------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            self.clock.sleep(self.latency)
            known = self._routed(asked)
            if known is None:
                return self.missing(asked)
            method, found = known
            answer = self._refused(asked) or method(asked, **found)
            return replace(answer, headers={**self.more_headers, **answer.headers})

    def missing(self, asked: Asked) -> Answer:
        return Answer(404, {"message": f"no {asked.method} {asked.path}"})

    def listed(self, rows: Sequence[Row], size: int) -> list[Row]:
        """The beginning of `rows` that one page holds."""
        found = list(rows[: min(size, self.page or size)])
        self.sent += len(found)
        return found

    def _routed(self, asked: Asked) -> tuple[Callable[..., Answer], dict[str, str]] | None:
        for verb, pattern, method in self._routes:
            if verb == asked.method and (found := pattern.fullmatch(asked.path)):
                return method, found.groupdict()
        return None

    def _refused(self, asked: Asked) -> Answer | None:
        refusals = (quota.admit(asked, self.clock.monotonic()) for quota in self.quotas)
        return first(refusals) or first(fault(asked) for fault in self.faults) or self.login(asked)


def first(answers: Any) -> Answer | None:
    return next((each for each in answers if each is not None), None)


# Faults -------------------------------------------------------------------------------------------------------


def storm(share: float = 0.1, seed: int = 6) -> Fault:
    """Of all requests, `share` fail: in each way that an API can."""
    chance = random.Random(seed)
    ways = [
        Answer(500, {"message": "oops"}),
        Answer(502, b"<html>Bad gateway</html>"),
        Answer(503, b"", {"Retry-After": "2"}),
        Answer(429, {"message": "slow down"}, {"Retry-After": "1"}),
        Answer(200, b"<!doctype html><html>please log in</html>"),
        Answer(200, b'{"data": [{"id": 1'),
        Answer(200, {"data": [{"id": "lost"}], "results": [{"id": "lost"}]}, cut=True),
    ]
    return lambda asked: chance.choice(ways) if chance.random() < share else None


def repeated(vendor: Vendor, after: int = 1, most: int = 60) -> Fault:
    """The API falls into a rut: after `after` good answers of a path it gives the last of them for ever."""
    answers: dict[str, list[Answer]] = {}

    def fault(asked: Asked) -> Answer | None:
        assert len(vendor.asked) < most, "the reader asks for ever"
        seen = answers.setdefault(asked.path, [])
        if len(seen) < after:
            known = vendor._routed(asked)
            assert known is not None
            seen.append(known[0](asked, **known[1]))
        return seen[-1]

    return fault
