"""The pages of a stream: of its own list, or of one list for each record of the stream it hangs on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice, product
from typing import Any

from dativo_provider.connectors.rest.ahead import in_order
from dativo_provider.connectors.rest.answers import Forbidden, Missing, fits
from dativo_provider.connectors.rest.batches import Inside
from dativo_provider.connectors.rest.client import Call, Client
from dativo_provider.connectors.rest.clock import seconds_to
from dativo_provider.connectors.rest.fields import asked_names
from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.paginate.base import Moved
from dativo_provider.connectors.rest.spec import Api, Listing, Parent, Request, Stream, Token, UserFields
from dativo_provider.connectors.rest.walk import Asked, Walk
from dativo_provider.connectors.rest.window import asked_from, bounds, settled_at
from dativo_provider.errors import SourceUnavailable
from dativo_provider.model.stream import Slice

__all__ = ["Walks", "inside_of", "listing_of"]

Repeat = Callable[[Callable[[], Page], str], Page]
Holder = Mapping[str, Any]  # `{"parent": {...}}` of the record that a page belongs to
_PATIENCE = 300  # seconds that a window may lie ahead of the API's clock


class Walks:
    """`repeat` makes a call again while what it raises may pass. `gone` counts parents the API no longer knows.

    `position` is the API's own, of the last page of the stream that has one: this one, or the one it hangs on.
    """

    def __init__(self, api: Api, piece: Slice, client: Client, repeat: Repeat) -> None:
        self._api, self._piece, self._client, self._repeat = api, piece, client, repeat
        lo, hi = bounds(piece.spec)
        self._values = {**client.values, "lo": lo, "hi": hi}
        self.gone = 0
        self.position: Any = None
        self._hi: datetime | None = settled_at(piece.spec)  # until the API's clock was seen to be beyond it

    def pages(self, spec: Stream, paths: Iterable[str]) -> Iterator[tuple[Page, Holder]]:
        """In the order of the lists. Each with what its records hang on. `paths` are what is read of a record."""
        columns = asked_names(spec, paths)
        if spec.parent is None:
            for page in self._walk(spec, listing_of(spec, self._piece), {}, columns):
                self._remember(spec, page)
                yield page, {}
            return
        holders = _holders(self._beside(spec)._parents(spec.parent), spec.parent.batch)
        rest: list[Holder] = []
        for holder, pages in in_order(lambda holder: (holder, self._begun(spec, holder, columns)), holders):
            self.gone += pages is None
            for page in pages or ():
                yield page, {} if spec.parent.batch else holder
                rest += _rest(spec.parent, page)
        while rest:
            again, rest = rest, []
            for holder in _holders(iter(again), spec.parent.batch):
                for page in self._walk(spec, listing_of(spec, self._piece), holder, columns):
                    yield page, {}
                    rest += _rest(spec.parent, page)

    def listed(self, spec: Stream, listing: Listing) -> Iterator[Page]:
        """Of a list of its own that `spec` has beside the others."""
        return self._walk(spec, listing, {}, asked_names(spec, ()))

    def fields(self, told: UserFields, right: str = "") -> Iterator[Any]:
        """What the API tells of the fields that users have added. `right` is what it takes to read their records."""
        asked = Asked(told.request, told.records, told.paginate, self._api.params)
        for page in Walk(asked, self._values, self._sender((), right=right)).pages():
            yield from page.records

    def _remember(self, spec: Stream, page: Page) -> None:
        token = spec.incremental.token if spec.incremental else None
        found = at(page.data, token.path) if token else None
        self.position = self.position if found is None else found

    def _beside(self, spec: Stream) -> Walks:
        """Reads those that `spec` hangs on: all of them where its records change without them."""
        own = spec.incremental
        if own is None or own.by_parent or own.token:
            return self
        spec_of_all = {"settled": self._piece.spec.get("hi") or self._piece.spec.get("settled")}  # bounds nothing
        return Walks(self._api, replace(self._piece, spec=spec_of_all), self._client, self._repeat)

    def _parents(self, parent: Parent) -> Iterator[Holder]:
        holding = self._api.streams[parent.stream]
        inside = inside_of(holding, self._piece)
        listing = listing_of(holding, self._piece)
        once = bool(holding.incremental and holding.incremental.latest and listing is not holding)
        descending = bool(holding.incremental and holding.incremental.descending)
        known: set[tuple[Any, ...]] = set()  # of parents that may be listed several times
        for page, _ in self.pages(holding, (*parent.values.values(), *parent.where)):
            for item in page.records:
                record = at(item, listing.each)
                found = {name: at(record, path) for name, path in parent.values.items()}
                mark = tuple(found.values()) if once else ()
                if inside.holds_record(item, record) and fits(record, parent.where) and mark not in known:
                    known.update((mark,) if once else ())
                    yield found
            if descending and inside.ends(page.records, listing.each):
                return

    def _begun(self, spec: Stream, holder: Holder, columns: list[str]) -> Iterator[Page] | None:
        """The pages of one parent, the first of them asked for now; None when the API no longer knows it."""
        pages = self._walk(spec, listing_of(spec, self._piece), holder, columns)
        try:
            first = next(pages, None)
        except Missing:
            if spec.parent is None or spec.parent.batch or spec.parent.missing == "fail":
                raise
            return None
        return pages if first is None else chain((first,), pages)

    def _walk(self, spec: Stream, listing: Listing, holder: Holder, columns: list[str]) -> Iterator[Page]:
        lo = asked_from(self._api.increment(spec), self._values["lo"])
        values = {**self._values, **holder, "lo": lo, "columns": columns}
        limit, paginate = listing.limit or spec.limit, listing.paginate or self._api.paginate
        token = spec.incremental.token if spec.incremental else None
        send = self._sender((limit,) if limit else (), token, spec.permission)
        for chosen in _repeats(listing.request):
            params = {**self._api.params, **chosen}
            asked = Asked(listing.request, listing.records, paginate, params, listing.optional)
            yield from Walk(asked, values, send).pages()

    def _sender(self, limits: Sequence[str], token: Token | None = None, right: str = "") -> Callable[[Call], Page]:
        known = self._piece.spec.get("token")
        start = {token.param: known} if token and token.param and known else {}

        def send(call: Call) -> Page:
            if start and "?" not in call.url:
                call = Call(call.url, call.method, {**start, **call.params}, call.body, call.headers)
            try:
                page = self._repeat(lambda: self._sent(call, limits), f"reading {call.url.partition('?')[0]}")
                if self._too_early(page):
                    return self._repeat(lambda: self._sent(call, limits), f"reading {page.url} once more")
                return page
            except Forbidden as error:
                raise error.naming(right) from None

        return send

    def _sent(self, call: Call, limits: Sequence[str]) -> Page:
        try:
            return self._client.send(call, limits)
        except (SourceUnavailable, Missing) as error:
            if not call.once:
                raise
            raise Moved(f"a page was lost ({error.message})", where=error.where, remedy=error.remedy) from error

    def _too_early(self, page: Page) -> bool:
        """Whether the first answer came before the window ended by the API's own clock. It has ended on return."""
        hi, self._hi = self._hi, None
        early = seconds_to(hi, page.headers) if hi else 0
        if early > _PATIENCE:
            raise SourceUnavailable(
                f"the API's clock is behind: the window ends in {early:.0f} s there", where=page.url, retry_after=early,
                remedy="set this machine's clock, or give the stream a longer lag",
            )  # fmt: skip
        if early:
            self._client.pause(early)
        return early > 0


def _holders(parents: Iterator[Holder], size: int) -> Iterator[Holder]:
    """What fills a request: one parent, or so many that `parent` has lists of their values."""
    if not size:
        yield from ({"parent": parent} for parent in parents)
    while size and (many := list(islice(parents, size))):
        yield {"parents": many, "parent": {name: [each[name] for each in many] for name in many[0]}}


def _rest(parent: Parent, page: Page) -> Iterator[Holder]:
    """Parents of a page that have more rows than it holds."""
    for item in page.records if parent.rest else ():
        found = {name: at(item, path) for name, path in parent.rest.items()}
        if None not in found.values():
            yield found


def _repeats(request: Request) -> Iterator[Mapping[str, Any]]:
    """The parameters of each reading of a list."""
    for values in product(*request.repeat.values()):
        yield dict(zip(request.repeat, values, strict=True))


def listing_of(spec: Stream, piece: Slice) -> Listing:
    """Where a slice is read: later runs may have a place of their own."""
    later = piece.spec.get("lo") is not None or piece.spec.get("token") is not None
    return (spec.incremental.changes if later and spec.incremental else None) or spec


def inside_of(spec: Stream, piece: Slice) -> Inside:
    increment = spec.incremental
    if increment is None or increment.token or increment.by_parent:
        return Inside()
    lo, hi = bounds(piece.spec)
    if increment.moment:
        return Inside(increment.moment, True, increment.format, lo, hi) if lo else Inside()
    column, followed = spec.columns[increment.cursor], settled_at(piece.spec) is not None
    return Inside(column.path or increment.cursor, False, spec.cursor_format, lo, hi, followed)
