"""The pages of one request, and the records on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dativo_provider.connectors.rest.answers import said_in
from dativo_provider.connectors.rest.client import Call
from dativo_provider.connectors.rest.page import Page, at, put
from dativo_provider.connectors.rest.paginate import Paginator
from dativo_provider.connectors.rest.spec import Request
from dativo_provider.connectors.rest.values import address, filled, joined
from dativo_provider.errors import SourceChanged, SourceUnavailable

__all__ = ["Asked", "Walk"]

Send = Callable[[Call], Page]
_ABSENT = object()
_SAME, _EMPTY = 4, 10_000  # pages in a row that are one too many; some APIs look through much to find little
_LISTS = {"columns", "parent", "parents"}  # values that may be lists, which only a body says as such


@dataclass(frozen=True)
class Asked:
    """A request of the spec with where its records are and how its pages follow."""

    request: Request
    records: str
    paginate: Paginator
    params: Mapping[str, Any]  # of every request of the API
    optional: bool = False  # whether an answer may leave its records out


class Walk:
    """`values` fill the placeholders. Raises `SourceUnavailable` when the API asks for the same page twice."""

    def __init__(self, asked: Asked, values: Mapping[str, Any], send: Send) -> None:
        self._asked, self._values, self._send = asked, dict(values), send
        self._seen: set[int] = set()
        self._last: int | None = None
        self._same = 0  # pages in a row that hold the same

    def pages(self) -> Iterator[Page]:
        for page in self._asked.paginate.pages(self._ask):
            self._refuse_repetition(page)
            yield page

    def _ask(
        self,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        url: str = "",
        once: bool = False,
    ) -> Page:
        call = replace(self._call(params or {}, body or {}, url), once=once)
        self._refuse_circle(call)
        page = self._send(call)
        found = at(page.data, self._asked.records, _ABSENT)
        if found is _ABSENT and page.data is not None and not self._asked.optional:
            said = f" (it says: {said})" if (said := said_in(page.data)) else ""
            raise SourceChanged(
                f"an answer has no '{self._asked.records}', where its records stand{said}", where=page.url,
                remedy="correct `records` or `errors` in the spec; `optional: true` where an empty list is left out",
            )  # fmt: skip
        return replace(page, records=[] if found is _ABSENT else _listed(found))

    def _refuse_repetition(self, page: Page) -> None:
        """New tokens, but never another record: such pages have no end."""
        import msgspec

        if self._asked.paginate.same_request:
            return
        mark = hash(msgspec.json.encode(page.records, enc_hook=str)) if page.records else None
        self._same = self._same + 1 if mark == self._last else 1
        self._last = mark
        if self._same >= (_SAME if page.records else _EMPTY):
            raise SourceUnavailable(
                f"the API gave the same page {self._same} times, each time with another one to follow", where=page.url,
                remedy="run again later; if it stays, correct `paginate` in the spec",
            )  # fmt: skip

    def _call(self, params: Mapping[str, Any], body: Mapping[str, Any], url: str) -> Call:
        request = self._asked.request
        flat = self._values | {name: joined(self._values[name]) for name in _LISTS & self._values.keys()}
        headers = {name: str(value) for name, value in (filled(request.headers, flat) or {}).items()}
        if url:
            return Call(url, request.method, {}, None, headers)
        every = {**self._asked.params, **request.params}
        said: dict[str, Any] = filled(request.body, self._values) or {}
        for path, value in body.items():
            said = put(said, path, value)
        query = {**(filled(every, flat) or {}), **params}
        return Call(address(request.path, flat), request.method, query, said or None, headers)

    def _refuse_circle(self, call: Call) -> None:
        if self._asked.paginate.same_request or self._asked.paginate.rising:
            return
        mark = hash((call.url, repr(sorted(call.params.items(), key=str)), repr(call.body)))
        if mark in self._seen:
            raise SourceUnavailable(
                "the API asks for a page that was read before: its pages go round in a circle",
                where=call.url.partition("?")[0],
                remedy="run again later; if it stays, correct `paginate` in the spec",
            )
        self._seen.add(mark)


def _listed(found: Any) -> list[Any]:
    """A single object is one record, and nothing is none."""
    if found is None:
        return []
    return found if isinstance(found, list) else [found]
