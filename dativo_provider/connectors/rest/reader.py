"""An API as a source: what its spec says, read page by page."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from dativo_provider.connectors.base import BaseReader, RequestRetry, Tally
from dativo_provider.connectors.rest import CAPABILITIES
from dativo_provider.connectors.rest.batches import NAMES, Batches, Inside
from dativo_provider.connectors.rest.client import Client
from dativo_provider.connectors.rest.early import reached
from dativo_provider.connectors.rest.fields import told_fields
from dativo_provider.connectors.rest.gone import keys_alone
from dativo_provider.connectors.rest.limits import limits_of, rate_limits
from dativo_provider.connectors.rest.load import api_of
from dativo_provider.connectors.rest.settings import settings_of
from dativo_provider.connectors.rest.spec import Api, Listing
from dativo_provider.connectors.rest.spec import Stream as Spec
from dativo_provider.connectors.rest.streams import described, discovered, readings, spec_of
from dativo_provider.connectors.rest.values import filled
from dativo_provider.connectors.rest.walks import Walks, inside_of, listing_of
from dativo_provider.connectors.rest.window import EARLY, bounds, cut, plan_window
from dativo_provider.errors import CredentialError, RateLimited
from dativo_provider.model.batch import Batch
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.stream import Cursor, Field, ReadResult, Slice, Stream, Window, WindowRequest

__all__ = ["RestReader"]


class RestReader(BaseReader):
    """Asks with the limits of the spec, shared with the tasks that read at once."""

    capabilities = CAPABILITIES

    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        super().__init__(source, ctx)
        self._limits = rate_limits(source.rate_limits)
        self._clients: dict[int, Client] = {}
        self._fields: dict[str, tuple[Field, ...]] = {}  # by stream

    @property
    def retry(self) -> RequestRetry:  # type: ignore[override]
        return self._limits.requests_retry()

    @cached_property
    def api(self) -> Api:
        options = self.source.options
        return api_of(self.source.connector, options.get("spec"), str(options.get("spec_path") or ""))

    # plan ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        with self.border():
            first = next(each for each in self.api.streams.values() if each.parent is None)
            asked = Spec(request=self.api.check, columns=first.columns) if self.api.check else first
            walks = Walks(self.api, Slice(0, ""), self._client(), self.request)
            next(walks.pages(asked, (each.path or name for name, each in asked.columns.items())), None)

    def discover(self) -> list[Stream]:
        with self.border():
            return [self._discovered(name, each) for name, each in self.api.streams.items()]

    def _discovered(self, name: str, spec: Spec) -> Stream:
        try:
            return discovered(name, spec, self._told(name, spec))
        except CredentialError as error:
            self.ctx.log.warning("%s: fields of your own are not listed: %s", name, error)
            return discovered(name, spec)

    def describe(self, stream: StreamSpec) -> Stream:
        with self.border():
            return described(*spec_of(self.api, stream), stream, self._own(stream))

    def _own(self, stream: StreamSpec) -> tuple[Field, ...]:
        """Fields that users have added; not asked for when the job names columns of the spec alone."""
        name, spec = spec_of(self.api, stream)
        return () if stream.columns and spec.columns.keys() >= {*stream.columns} else self._told(name, spec)

    def _told(self, name: str, spec: Spec) -> tuple[Field, ...]:
        if spec.fields is None:
            return ()
        if name not in self._fields:
            items = Walks(self.api, Slice(0, name), self._client(), self.request).fields(spec.fields, spec.permission)
            self._fields[name] = tuple(told_fields(spec, items))
        return self._fields[name]

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        with self.border():
            increment = self.api.increment(spec_of(self.api, stream)[1])
            return plan_window(increment, stream, request, self.ctx.now())

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        with self.border():
            _, spec = spec_of(self.api, stream)
            made = cut(self.api.increment(spec), stream.name, window, want)
            if spec.incremental and spec.incremental.gone and window.lo:
                made[-1] = _with(made[-1], gone=window.lo)  # one task reads them, of the whole window
            if spec.fields is None:
                return made
            own = {each.name: each.type for each in self._own(stream)}  # the same for all tasks
            return [_with(each, fields=own) for each in made]

    # extract ------------------------------------------------------------------------------------------------

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        _, spec = spec_of(self.api, stream)
        gathered = self._gathered(stream, spec, piece)
        walks = Walks(self.api, piece, self._client(_tasks(piece)), self.request)
        descending = bool(spec.incremental and spec.incremental.descending)
        try:
            for page, holder in walks.pages(spec, [each.path for each in gathered.columns]):
                if spec.parent is None:  # else records may still hang on what was read of it
                    _remember(walks, tally)
                yield from gathered.take(page, holder)
                if descending and gathered.inside.ends(page.records, gathered.listing.each):
                    break
        except RateLimited as error:
            tally.cursor = reached(spec, piece, gathered, walks.position)
            if tally.cursor is None:
                raise
            self._ended_early(error)
        yield from gathered.rest()
        yield from self._gone(stream, spec, piece, gathered)
        _remember(walks, tally)
        self._tell(stream, gathered, tally)
        if walks.gone:
            tally.detail["parents_gone"] = walks.gone

    def _gone(self, stream: StreamSpec, spec: Spec, piece: Slice, beside: Batches) -> Iterator[Batch]:
        gone = spec.incremental.gone if spec.incremental else None
        if gone is None or not piece.spec.get("gone"):
            return
        whole = _with(piece, lo=piece.spec["gone"])
        inside = Inside(gone.moment, True, gone.format, *bounds(whole.spec))
        gathered = Batches(stream.name, gone.request.path, Listing(), beside.columns, ignore=["*"], all_gone=True)
        for page in Walks(self.api, whole, self._client(_tasks(piece)), self.request).listed(spec, gone):
            yield from gathered.take(keys_alone(spec, gone, inside, page))
        yield from gathered.rest()

    def _gathered(self, stream: StreamSpec, spec: Spec, piece: Slice) -> Batches:
        own = piece.spec.get("fields")
        told = self._own(stream) if own is None else (Field(name, kind) for name, kind in own.items())
        listing, columns = listing_of(spec, piece), readings(spec, described(stream.name, spec, stream, told).fields)
        latest = spec.incremental.latest if spec.incremental and listing is not spec else False
        keys = readings(spec, tuple(Field(each) for each in spec.key)) if latest else ()
        inside = inside_of(spec, piece)
        ours = [name for name, is_put in (("parent", spec.parent), ("item", listing.rows)) if is_put]
        known = [(each.path or name).partition(".")[0] for name, each in spec.columns.items()]  # if not asked for
        ignore = (*self.api.ignore, *spec.ignore, *ours, *known)
        expect = filled(listing.expect, self._client().values) or {}
        path = listing.request.path
        return Batches(stream.name, path, listing, columns, inside, keys, piece.as_text, ignore, expect=expect,
                       blank_is_null=self.api.blank_is_null)  # fmt: skip

    def _ended_early(self, error: RateLimited) -> None:
        note = f"this read ended early, and the next run goes on from there: {error.message}"
        self.ctx.log.warning(note)
        self._client().notes.append(note)

    def _tell(self, stream: StreamSpec, gathered: Batches, tally: Tally) -> None:
        if notes := list(dict.fromkeys(note for client in self._clients.values() for note in client.notes)):
            tally.detail["notes"] = notes
        if gathered.extra:
            found = tally.detail["unknown_fields"] = sorted(gathered.extra)[:NAMES]
            names = ", ".join(found)
            self.ctx.log.warning("%s: the API sends fields that its spec does not know: %s", stream.name, names)
        if gathered.odd:
            tally.detail["unexpected"] = gathered.odd
            wanted = ", ".join(f"{path}={value}" for path, value in gathered.expect.items())
            message = "%s: %d records are not listed with %s, which their columns rely on; fields may be empty"
            self.ctx.log.warning(message, stream.name, gathered.odd, wanted)
        if gathered.full:
            tally.detail["perhaps_cut"] = gathered.full
            message = "%s: %d lists have the %d records that the API shows at most; it may have more of them"
            self.ctx.log.warning(message, stream.name, gathered.full, gathered.listing.most)
        if gathered.newest:
            tally.detail["newest"] = gathered.newest.isoformat()
        if gathered.unplaced:
            tally.detail["unplaced"] = gathered.unplaced
            message = "%s: %d records have no moment at '%s' in the form '%s'; only full reads bring them"
            self.ctx.log.warning(message, stream.name, gathered.unplaced, gathered.inside.path, gathered.inside.form)

    @classmethod
    def next_cursor(cls, window: Window, results: Sequence[ReadResult], base: Cursor | None) -> Cursor | None:
        """A window's end, and the newest moment that any run has seen: the end says nothing of how old the rows are."""
        early = next((each.cursor for each in results if each.cursor and EARLY in each.cursor.value), None)
        found = early or super().next_cursor(window, results, base)
        if window.cursor is None or found is None:
            return found
        told = [result.detail.get("newest") for result in results] + [base.value.get("newest") if base else None]
        seen = [each for each in told if each]
        return Cursor({**found.value, "newest": max(seen, key=datetime.fromisoformat)}) if seen else found

    def interrupt(self) -> None:
        for client in list(self._clients.values()):
            client.interrupt()

    # how ----------------------------------------------------------------------------------------------------

    def _client(self, tasks: int = 1) -> Client:
        """With this task's share of the limits."""
        if tasks not in self._clients:
            values = settings_of(self.api, self.source, self.ctx)
            self._clients[tasks] = Client(
                self.api, values, self.ctx, self.masker, limits_of(self.api, self._limits), 1 / self._limits.shared_by,
                tasks=tasks, patience=self.retry.budget_seconds, fresh=self._fresh, keep=self.keep,
            )  # fmt: skip
        return self._clients[tasks]

    def _fresh(self) -> Mapping[str, Any]:
        """Settings and credentials as they are now; an Airflow connection is fetched anew each time."""
        return settings_of(self.api, self.again() if self.again else self.source, self.ctx)


def _with(piece: Slice, **more: Any) -> Slice:
    return replace(piece, spec={**piece.spec, **more})


def _remember(walks: Walks, tally: Tally) -> None:
    if walks.position is not None:
        tally.cursor = Cursor({"token": walks.position})


def _tasks(piece: Slice) -> int:
    """How many tasks read the window at once, and share the limits."""
    return int(piece.spec.get("of", 1))
