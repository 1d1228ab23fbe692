"""The pages of one request, and the records on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dativo_provider.connectors.rest.client import Call
from dativo_provider.connectors.rest.page import Page, at, put
from dativo_provider.connectors.rest.paginate import Paginator
from dativo_provider.connectors.rest.spec import Request
from dativo_provider.connectors.rest.values import address, filled, joined
from dativo_provider.errors import SourceUnavailable

__all__ = ["Asked", "Walk"]

Send = Callable[[Call], Page]
_LISTS = {"columns", "parent", "parents"}  # values that may be lists, which only a body says as such


@dataclass(frozen=True)
class Asked:
    """A request of the spec with where its records are and how its pages follow."""

    request: Request
    records: str
    paginate: Paginator
    params: Mapping[str, Any]  # of every request of the API


class Walk:
    """`values` fill the placeholders. Raises `SourceUnavailable` when the API asks for the same page twice."""

    def __init__(self, asked: Asked, values: Mapping[str, Any], send: Send) -> None:
        self._asked, self._values, self._send = asked, dict(values), send
        self._seen: set[int] = set()

    def pages(self) -> Iterator[Page]:
        yield from self._asked.paginate.pages(self._ask)

    def _ask(
        self, *, params: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None, url: str = ""
    ) -> Page:
        call = self._call(params or {}, body or {}, url)
        self._refuse_circle(call)
        page = self._send(call)
        return replace(page, records=_listed(at(page.data, self._asked.records)))

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
