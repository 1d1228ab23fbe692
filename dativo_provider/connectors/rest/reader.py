"""An API as a source: what its spec says, read page by page."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import cached_property
from typing import Any

from dativo_provider.connectors.base import BaseReader, RequestRetry, Tally
from dativo_provider.connectors.rest import CAPABILITIES
from dativo_provider.connectors.rest.batches import Batches, Inside
from dativo_provider.connectors.rest.client import Call, Client
from dativo_provider.connectors.rest.limits import limits_of, rate_limits
from dativo_provider.connectors.rest.load import api_of
from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.settings import settings_of
from dativo_provider.connectors.rest.spec import Api, Listing
from dativo_provider.connectors.rest.spec import Stream as Spec
from dativo_provider.connectors.rest.streams import described, discovered, readings, spec_of
from dativo_provider.connectors.rest.walk import Asked, Walk
from dativo_provider.connectors.rest.window import bounds, cut, plan_window
from dativo_provider.model.batch import Batch
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.stream import Cursor, Field, Slice, Stream, Window, WindowRequest

__all__ = ["RestReader"]


class RestReader(BaseReader):
    """Asks with the limits of the spec, divided by the tasks that read at once."""

    capabilities = CAPABILITIES

    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        super().__init__(source, ctx)
        self._limits = rate_limits(source.options.get("rate_limits") or {})
        self._clients: dict[int, Client] = {}

    @property
    def retry(self) -> RequestRetry:  # type: ignore[override]
        return self._limits.requests_retry()

    @cached_property
    def api(self) -> Api:
        return api_of(self.source.connector, self.source.options.get("spec"))

    # plan ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        with self.border():
            spec = next(iter(self.api.streams.values()))
            asked = self._asked(Listing(request=self.api.check) if self.api.check else spec)
            next(iter(Walk(asked, self._client().values, self._sender(spec, 1)).pages()), None)

    def discover(self) -> list[Stream]:
        with self.border():
            return discovered(self.api)

    def describe(self, stream: StreamSpec) -> Stream:
        with self.border():
            return described(*spec_of(self.api, stream), stream)

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        with self.border():
            return plan_window(spec_of(self.api, stream)[1], stream, request, self.ctx.now())

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        return cut(spec_of(self.api, stream)[1], stream.name, window, want)

    # extract ------------------------------------------------------------------------------------------------

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        _, spec = spec_of(self.api, stream)
        gathered = self._gathered(stream, spec, piece)
        for page in self._pages(spec, piece):
            self._remember(spec, page, tally)
            yield from gathered.take(page)
            if gathered.below and spec.incremental and spec.incremental.descending:
                break
        yield from gathered.rest()
        self._tell(stream, gathered, tally)

    def _gathered(self, stream: StreamSpec, spec: Spec, piece: Slice) -> Batches:
        listing, columns = _listing(spec, piece), readings(spec, described(stream.name, spec, stream).fields)
        latest = spec.incremental.latest if spec.incremental and listing is not spec else False
        keys = readings(spec, tuple(Field(each) for each in spec.key)) if latest else ()
        return Batches(stream.name, listing.request.path, listing, columns, _inside(spec, piece), keys, piece.as_text)

    def _pages(self, spec: Spec, piece: Slice) -> Iterator[Page]:
        lo, hi = bounds(piece.spec)
        tasks = int(piece.spec.get("of", 1))
        values = {**self._client(tasks).values, "lo": lo, "hi": hi}
        asked = self._asked(_listing(spec, piece))
        yield from Walk(asked, values, self._sender(spec, tasks, piece.spec.get("token"))).pages()

    def _remember(self, spec: Spec, page: Page, tally: Tally) -> None:
        token = spec.incremental.token if spec.incremental else None
        found = at(page.data, token.path) if token else None
        if found is not None:
            tally.cursor = Cursor({"token": found})

    def _tell(self, stream: StreamSpec, gathered: Batches, tally: Tally) -> None:
        if gathered.extra:
            tally.detail["unknown_fields"] = sorted(gathered.extra)
            names = ", ".join(sorted(gathered.extra))
            self.ctx.log.warning("%s: the API sends fields that its spec does not know: %s", stream.name, names)
        if gathered.unplaced:
            tally.detail["unplaced"] = gathered.unplaced

    # how ----------------------------------------------------------------------------------------------------

    def _asked(self, listing: Listing) -> Asked:
        return Asked(listing.request, listing.records, listing.paginate or self.api.paginate, self.api.params)

    def _client(self, tasks: int = 1) -> Client:
        """With this task's share of the limits."""
        if tasks not in self._clients:
            values = settings_of(self.api, self.source, self.ctx)
            share = 1 / (tasks * self._limits.shared_by)
            limits = limits_of(self.api, self._limits)
            self._clients[tasks] = Client(self.api, values, self.ctx, self.masker, limits, share)
        return self._clients[tasks]

    def _sender(self, spec: Spec, tasks: int, token: Any = None) -> Any:
        limits = (spec.limit,) if spec.limit else ()
        client = self._client(tasks)
        start = {spec.incremental.token.param: token} if token and spec.incremental and spec.incremental.token else {}

        def send(call: Call) -> Page:
            if start and "?" not in call.url:
                call = Call(call.url, call.method, {**start, **call.params}, call.body, call.headers)
            return self.request(lambda: client.send(call, limits), f"reading {call.url.partition('?')[0]}")

        return send


def _listing(spec: Spec, piece: Slice) -> Listing:
    """Where a slice is read: later runs may have a place of their own."""
    later = piece.spec.get("lo") is not None or piece.spec.get("token") is not None
    return (spec.incremental.changes if later and spec.incremental else None) or spec


def _inside(spec: Spec, piece: Slice) -> Inside:
    increment = spec.incremental
    if increment is None or increment.token:
        return Inside()
    lo, hi = bounds(piece.spec)
    if increment.moment:
        return Inside(increment.moment, True, increment.format, lo, hi) if lo else Inside()
    column = spec.columns[increment.cursor]
    return Inside(column.path or increment.cursor, False, increment.format, lo, hi)
