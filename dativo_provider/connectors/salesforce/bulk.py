"""Queries that Salesforce works off by itself. https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.html"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from dativo_provider.connectors.rest.client import Body, Call
from dativo_provider.connectors.rest.page import Page
from dativo_provider.connectors.salesforce.soql import Query
from dativo_provider.errors import ConfigurationError, DativoError, SourceChanged, SourceUnavailable

__all__ = ["BulkJob", "Fetched", "NotInBulk", "fetched"]

_SET = 50_000  # records
_HELD = 32 << 20  # bytes of a set in memory; the rest lies on disk
_FIRST, _GROWS, _LONGEST = 1.0, 1.5, 30.0  # seconds between two questions
_TRIES = 2
_PASSES = ("retried", "timeout", "timed out", "internal", "server", "unavailable", "lock")


class NotInBulk(Exception):
    """Salesforce has objects that Bulk API does not read."""


@dataclass
class Fetched:
    """A set of results. `announced` is how many records it has, `seen` how many were found in it."""

    content: IO[bytes]
    announced: int
    following: str  # locator of the next set
    seen: int = 0

    def refuse_difference(self) -> None:
        if self.seen != self.announced:
            raise SourceUnavailable(
                f"Salesforce announced {self.announced} records of a set and gave {self.seen}", remedy="run again"
            )


def fetched(body: Body) -> Fetched:
    """A whole set, so that nothing of one that breaks off was used. Raises `SourceUnavailable` for something else."""
    count, kind = body.headers.get("sforce-numberofrecords", ""), body.headers.get("content-type", "")
    if not count.isdigit() or not kind.startswith("text/csv"):
        raise SourceUnavailable(
            f"results of a bulk job came as '{kind}' and without their number", remedy="look for a proxy that answers"
        )
    content: IO[bytes] = SpooledTemporaryFile(_HELD)  # type: ignore[assignment]  # noqa: SIM115 - the reader closes it
    for part in body.parts:
        content.write(part)
    content.seek(0)
    locator = body.headers.get("sforce-locator", "")
    return Fetched(content, int(count), "" if locator == "null" else locator)


class BulkJob:
    """`send` asks, `fetch` brings a set of results, `pause` lets seconds pass or raises `Cancelled`."""

    def __init__(
        self, path: str, send: Callable[[Call], Page], fetch: Callable[[Call], Fetched], pause: Callable[[float], None]
    ) -> None:
        self._path, self._send, self._fetch, self._pause = path, send, fetch, pause
        self.id = ""

    @property
    def abortion(self) -> Call:
        return Call(self._own, "PATCH", body={"state": "Aborted"})

    def sets(self, query: Query) -> Iterator[Fetched]:
        """Raises `NotInBulk`, `SourceUnavailable` when records are missing at the end."""
        total, seen = self._done(query), 0
        following, known = None, set[str]()
        while following != "":
            found = self._fetch(self._results(following))
            if found.following in known:
                raise SourceUnavailable("the results of a bulk job go round in a circle", remedy="run again")
            known.add(found.following)
            seen += found.announced
            following = found.following
            yield found
        if seen != total:
            raise SourceUnavailable(f"a bulk job has {total} records and its results {seen}", remedy="run again")
        self._drop()

    def _done(self, query: Query) -> int:
        """How many records the finished job has. One that failed for a reason that may pass is made once more."""
        for left in reversed(range(_TRIES)):
            self.id = self._made(query)
            state = self._awaited()
            if state["state"] == "JobComplete":
                return int(state["numberRecordsProcessed"])
            why = str(state.get("errorMessage") or state["state"])
            passes = state["state"] == "Aborted" or any(word in why.lower() for word in _PASSES)
            if not passes:
                raise ConfigurationError(
                    f"Salesforce refused to read {query.object} in bulk: {why}",
                    remedy="read fewer columns, or set source.connection.bulk_above higher",
                )
            if not left:
                break
        raise SourceUnavailable(
            f"a bulk job over {query.object} ended as {state['state']}: {why}",
            remedy="run again; the page Bulk Data Load Jobs of Setup says more",
        )

    def _made(self, query: Query) -> str:
        asked = {"operation": "queryAll", "query": query.text, "contentType": "CSV", "columnDelimiter": "COMMA",
                 "lineEnding": "LF"}  # fmt: skip
        try:
            return str(self._send(Call(self._path, "POST", body=asked)).data["id"])
        except ConfigurationError as error:
            if "not supported by the Bulk API" in error.message:
                raise NotInBulk from None
            raise

    def _awaited(self) -> Mapping[str, Any]:
        """It may be in progress for hours: the task's own time is its end."""
        wait = _FIRST
        while True:
            self._pause(wait)
            state = self._send(Call(self._own)).data
            if not isinstance(state, Mapping) or "state" not in state:
                raise SourceChanged(
                    "a bulk job does not say its state", where=self._own, remedy="set source.connection.version"
                )
            if state["state"] in ("JobComplete", "Failed", "Aborted"):
                return state
            wait = min(wait * _GROWS, _LONGEST)

    def _results(self, locator: str | None) -> Call:
        params: dict[str, Any] = {"maxRecords": _SET} | ({"locator": locator} if locator else {})
        return Call(f"{self._own}/results", params=params, headers={"Accept": "text/csv"})

    @property
    def _own(self) -> str:
        return f"{self._path}/{self.id}"

    def _drop(self) -> None:
        """Its results would lie there for a week."""
        with suppress(DativoError):  # nothing is lost by it
            self._send(Call(self._own, "DELETE"))
