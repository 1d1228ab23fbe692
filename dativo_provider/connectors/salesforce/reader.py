"""An organization as a source: few records by REST, many by a job of Bulk API 2.0, deleted ones by both."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

from dativo_provider.config.problems import did_you_mean
from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.rest.answers import Missing
from dativo_provider.connectors.rest.batches import Batches
from dativo_provider.connectors.rest.client import Call
from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.connectors.rest.spec import Request
from dativo_provider.connectors.rest.streams import described, readings
from dativo_provider.connectors.rest.values import address
from dativo_provider.connectors.rest.walk import Asked, Walk
from dativo_provider.connectors.rest.walks import inside_of
from dativo_provider.connectors.rest.window import bounds, cut, plan_window
from dativo_provider.connectors.salesforce.bulk import BulkJob, Fetched, NotInBulk, fetched
from dativo_provider.connectors.salesforce.objects import SObject, sobject
from dativo_provider.connectors.salesforce.sets import read_set
from dativo_provider.connectors.salesforce.soql import Query
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, RateLimited, SourceUnavailable
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import ContractSpec, StreamSpec
from dativo_provider.model.stream import Slice, Stream, Window, WindowRequest

__all__ = ["SalesforceReader"]

_ROOT = "/services/data/v{version}"
_SLICES = 5  # calls of 20 s and longer are 25 at once, for everybody in the organization
_MOST = 100  # custom objects that discover asks for, each by a call of its own
_USED = re.compile(r"api-usage=(\d+)/(\d+)")


class SalesforceReader(RestReader):
    """Streams are objects by the names of the API; their columns are what describe shows to this user."""

    _tasks = 1  # that read at once, and share the limits
    _job: BulkJob | None = None  # that Salesforce works on for us

    # plan ---------------------------------------------------------------------------------------------------

    def discover(self) -> list[Stream]:
        with self.border():
            told = {each["name"]: each for each in self._get("/sobjects")["sobjects"] if each.get("queryable", True)}
            own = [name for name, each in told.items() if each.get("custom")]
            if len(own) > _MOST:
                self.ctx.log.warning(
                    "%d custom objects more are there, and can be read by their names", len(own) - _MOST
                )
            return [self._shown(name) for name in (*(name for name in self.api.streams if name in told), *own[:_MOST])]

    def describe(self, stream: StreamSpec) -> Stream:
        with self.border():
            found = self._object(stream)
            return described(found.name, found.spec, stream)

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        with self.border():
            increment = self._object(stream).spec.incremental
            if increment and (request.start or request.end):  # only what is in the bin is kept for so long
                increment = increment.model_copy(update={"kept": None})
            return plan_window(increment, stream, request, self.ctx.now())

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        with self.border():
            return cut(self._object(stream).spec.incremental, stream.name, window, min(want, _SLICES))

    # extract ------------------------------------------------------------------------------------------------

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        self._tasks = int(piece.spec.get("of", 1))
        found = self._object(stream)
        columns = readings(found.spec, described(found.name, found.spec, stream).fields)
        self._refuse_hidden(found, [each.path for each in columns])
        query = _query(found, [each.path for each in columns], piece, stream.where)
        if found.formulas:
            tally.detail["formula_fields"] = list(found.formulas)
        ignore = (*self.api.ignore, *(field.partition(".")[0] for field in query.fields))
        inside = inside_of(found.spec, piece)
        gathered = Batches(stream.name, found.name, found.spec, columns, inside, (), piece.as_text, ignore)
        yield from self._few_or_many(query, gathered, tally)
        self._tell(stream, gathered, tally)

    def _few_or_many(self, query: Query, gathered: Batches, tally: Tally) -> Iterator[Batch]:
        """The first page says how many records there are. An object too large for one is read in bulk as well."""
        pages, most = None, int(self._client().values["bulk_above"])
        first = self._first(pages := self._pages(query)) if query.fits_an_address and most else None
        if first is not None and pages is not None:
            pages = chain((first,), pages)
            if self._total(first, query) <= most:
                yield from self._by_rest(query, pages, gathered)
                return
        try:
            yield from self._in_bulk(query, gathered, tally)
        except NotInBulk:
            yield from self._by_rest(query, self._pages(query) if first is None or pages is None else pages, gathered)

    def _first(self, pages: Iterator[Page]) -> Page | None:
        """None where Salesforce cannot answer the query in the time of a request."""
        try:
            return next(pages)
        except SourceUnavailable as error:
            self.ctx.log.warning("Salesforce did not answer by REST, so it is asked for a bulk job: %s", error.message)
            return None

    def _total(self, page: Page, query: Query) -> int:
        total = at(page.data, "totalSize")
        if not isinstance(total, int):
            raise SourceUnavailable(
                f"a query of {query.object} was answered without `totalSize`",
                remedy="look whether base_url is right, or a proxy answers for Salesforce",
            )
        return total

    def _by_rest(self, query: Query, pages: Iterator[Page], gathered: Batches) -> Iterator[Batch]:
        """Raises `SourceUnavailable` when fewer records come than were announced."""
        seen = total = 0
        for page in pages:
            total = total or self._total(page, query)
            seen += len(page.records)
            yield from gathered.take(page)
        if seen != total:
            raise SourceUnavailable(
                f"Salesforce announced {total} records of {query.object} and gave {seen}", remedy="run again"
            )
        yield from gathered.rest()

    def _in_bulk(self, query: Query, gathered: Batches, tally: Tally) -> Iterator[Batch]:
        job = BulkJob(address(f"{_ROOT}/jobs/query", self._client().values), self._sent, self._fetched, self._pause)
        self._job = job
        try:
            for found in job.sets(query):
                with found.content as content:
                    for data, ops in read_set(content, query.fields, gathered.columns, gathered.as_text):
                        found.seen += data.num_rows
                        yield Batch(gathered.stream, data, gathered.origin, ops=ops)
                found.refuse_difference()
            self._job = None
        finally:
            self._abandon()
        tally.detail["bulk_job"] = job.id

    def interrupt(self) -> None:
        super().interrupt()
        self._abandon()

    def _abandon(self) -> None:
        """A job that was not read to its end would work on, and its results stay for a week."""
        job, self._job = self._job, None
        if job is not None and job.id:
            with suppress(DativoError):  # what ended the reading is told, not this
                self._client(self._tasks).farewell(job.abortion)

    def _pages(self, query: Query) -> Iterator[Page]:
        client = self._client(self._tasks)
        asked = Asked(Request(path=f"{_ROOT}/queryAll", params={"q": "{soql}"}), "records", self.api.paginate, {})
        return Walk(asked, {**client.values, "soql": query.text}, self._sent).pages()

    # objects ------------------------------------------------------------------------------------------------

    def _object(self, stream: StreamSpec) -> SObject:
        return self._by_name(stream.object or stream.name)

    def _by_name(self, name: str) -> SObject:
        known: dict[str, SObject] = self.__dict__.setdefault("_objects", {})
        if name not in known:
            told = self._describe(name)
            known[name] = sobject(told, self.api.streams.get(told["name"]))
        return known[name]

    def _describe(self, name: str) -> Any:
        try:
            return self._get("/sobjects/{object}/describe", object=name)
        except Missing:
            names = [each["name"] for each in self._get("/sobjects")["sobjects"]]
            hint = (
                did_you_mean(name, names)
                or "the API's name is on the object's page in Setup; or the user may not read it"
            )
            raise ConfigurationError(f"this user's Salesforce has no object '{name}'", remedy=hint) from None

    def _shown(self, name: str) -> Stream:
        found = self._by_name(name)
        return described(name, found.spec, StreamSpec(name, name, name, ContractSpec(name)))

    def _refuse_hidden(self, found: SObject, wanted: list[str]) -> None:
        shown = {each.path or name for name, each in found.spec.columns.items()}
        hidden = next((name for name in wanted if name not in shown), "")
        if hidden in found.without_value:
            raise ConfigurationError(
                f"'{hidden}' of {found.name} is no single value", remedy="read the fields of its parts, and not it"
            )
        if hidden:
            raise CredentialError(
                f"{found.name} shows no field '{hidden}' to this user",
                remedy=did_you_mean(hidden, shown) or "allow it in the user's field-level security, or do not read it",
            )

    # how ----------------------------------------------------------------------------------------------------

    def _get(self, path: str, **values: str) -> Any:
        url = address(_ROOT + path, {**self._client().values, **values})
        return self._sent(Call(url)).data

    def _sent(self, call: Call) -> Page:
        client = self._client(self._tasks)
        page = self.request(lambda: client.send(call), f"reading {call.url.partition('?')[0]}")
        self._watch(page.headers.get("sforce-limit-info", ""))
        return page

    def _fetched(self, call: Call) -> Fetched:
        """An answer that is no JSON, as a file on disk."""

        def fetch() -> Fetched:
            with client.stream(call) as body:
                return fetched(body)

        client = self._client(self._tasks)
        return self.request(fetch, "reading results of a bulk job")

    def _pause(self, seconds: float) -> None:
        self.ctx.cancelled.wait(seconds)
        self.ctx.check_cancelled()

    def _watch(self, told: str) -> None:
        """The organization's calls of 24 hours are everybody's: a run leaves some of them."""
        found = _USED.search(told)
        share = int(self._client().values["api_share"])
        if found and int(found[1]) * 100 >= int(found[2]) * share:
            raise RateLimited(
                f"{found[1]} of the {found[2]} API calls of 24 hours are used up, which is {share} %",
                remedy="run again later, or set source.connection.api_share",
            )


def _query(found: SObject, paths: list[str], piece: Slice, where: str) -> Query:
    """What columns are read from, and what tells the window and deletions."""
    needed = ["Id", *([found.cursor] if found.cursor else []), *(["IsDeleted"] if found.tells_deletions else [])]
    lo, hi = bounds(piece.spec)
    return Query(found.name, tuple(dict.fromkeys((*paths, *needed))), found.cursor, lo, hi, where)
