"""Pages become batches: records in the window, once each, in pieces of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dativo_provider.connectors.rest.answers import fits
from dativo_provider.connectors.rest.arrow import Reading, to_batch, unknown
from dativo_provider.connectors.rest.derived import json_text
from dativo_provider.connectors.rest.moments import Written, moment_or_none
from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.spec import Listing
from dativo_provider.model.batch import Batch, Reject

__all__ = ["NAMES", "Batches", "Inside"]

_ROWS = 5_000  # of one batch
_BYTES = 8 << 20  # of the answers that wait to be one: as Python objects they are several times that
NAMES = 50  # of fields nobody knows that are told; keys may be data
_LONGEST = 65_536  # characters of a reject


@dataclass(frozen=True)
class Inside:
    """The window on a moment in the record, or in what lists it. Without a bound everything is inside."""

    path: str = ""
    listed: bool = False  # the moment stands in what lists the record
    form: Written = "iso"
    lo: datetime | None = None
    hi: datetime | None = None
    followed: bool = False  # by later runs, so that the newest moment is of interest where there is no bound

    def holds(self, found: datetime | None) -> bool:
        """What has no moment belongs to a full read alone."""
        if found is None:
            return self.lo is None
        return (self.lo is None or self.lo <= found) and (self.hi is None or found < self.hi)

    def moment(self, item: Any, record: Any) -> datetime | None:
        """`item` lists `record`."""
        return moment_or_none(at(item if self.listed else record, self.path), self.form)

    def holds_record(self, item: Any, record: Any) -> bool:
        return not self.bounded or self.holds(self.moment(item, record))

    def ends(self, items: Sequence[Any], each: str) -> bool:
        """Whether a page of a list that is newest first lies below the window. All of it: what stands further up than
        its moment says (moved, restored) does not hide what is newer and still to come."""
        return bool(items) and all(self._is_below(item, at(item, each)) for item in items)

    def _is_below(self, item: Any, record: Any) -> bool:
        found = self.moment(item, record) if self.lo else None
        return found is not None and self.lo is not None and found < self.lo

    @property
    def bounded(self) -> bool:
        return bool(self.path) and (self.followed or self.lo is not None or self.hi is not None)


def _beside(record: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`more` over what the record itself has of that name."""
    own = {name: found for name in more if isinstance(found := record.get(name), Mapping)}
    return {name: {**own.get(name, {}), **each} for name, each in more.items()}


@dataclass
class Batches:
    """Gathers what pages bring. `extra` are keys the spec does not know, `unplaced` records without a moment."""

    stream: str
    origin: str
    listing: Listing
    columns: Sequence[Reading]
    inside: Inside = Inside()
    latest: Sequence[Reading] = ()  # of a key that may come several times the first record counts
    as_text: Sequence[str] = ()
    ignore: Sequence[str] = ()  # keys that need no column
    all_gone: bool = False  # whether everything listed is gone
    expect: Mapping[str, Any] = field(default_factory=dict)  # what `listing.expect` comes to in this run
    blank_is_null: bool = False  # whether an empty text is no value
    odd: int = 0  # records that are listed with other values than those
    full: int = 0  # answers with as many records as the API shows at most
    extra: set[str] = field(default_factory=set)
    unplaced: int = 0
    newest: datetime | None = None  # moment of a record in the window
    rising: bool = True  # whether no record was older than one before it
    _waiting: list[Any] = field(default_factory=list)
    _gone: list[bool] = field(default_factory=list)
    _rejects: list[Reject] = field(default_factory=list)
    _known: set[Any] = field(default_factory=set)
    _last: datetime | None = None
    _number: int = 0
    _held: int = 0

    def take(self, page: Page, more: Mapping[str, Any] | None = None) -> Iterator[Batch]:
        """The batches that are full by now. The first page leaves at once, so that work begins early."""
        first = self._number == 0
        self.full += bool(self.listing.most) and len(page.records) >= self.listing.most
        for item in page.records:
            self._number += 1
            self._add(item, more)
        self._held += page.size
        if first or len(self._waiting) >= _ROWS or self._held >= _BYTES:
            yield from self.rest()

    def rest(self) -> Iterator[Batch]:
        waiting, gone, rejects = self._waiting, self._gone, tuple(self._rejects)
        self._waiting, self._gone, self._rejects, self._held = [], [], [], 0
        for start in range(0, len(waiting), _ROWS):
            end = start + _ROWS
            yield self._batch(waiting[start:end], gone[start:end], rejects if start == 0 else ())
        if rejects and not waiting:
            yield self._batch([], [], rejects)

    def _add(self, item: Any, more: Mapping[str, Any] | None) -> None:
        for record in self._rows(at(item, self.listing.each)):
            if not isinstance(record, Mapping):
                self._refuse(item)
                continue
            if self.blank_is_null:
                record = {name: None if value == "" else value for name, value in record.items()}
            if more:
                record = {**record, **_beside(record, more)}
            if fits(record, self.listing.only) and self._is_inside(item, record) and self._is_first(record):
                self.odd += not fits(item, self.expect)
                self._waiting.append(record)
                self._gone.append(self._is_gone(item))

    def _rows(self, record: Any) -> Iterator[Any]:
        if not self.listing.rows or not isinstance(record, Mapping):
            yield record
            return
        found = at(record, self.listing.rows)
        for row in found if isinstance(found, list) else [] if found is None else [found]:
            yield {**row, "item": record} if isinstance(row, Mapping) else row

    def _refuse(self, item: Any) -> None:
        self._rejects.append(Reject(self.origin, self._number, json_text(item)[:_LONGEST], "this is no record"))

    def _is_inside(self, item: Any, record: Any) -> bool:
        if not self.inside.bounded:
            return True
        found = self.inside.moment(item, record)
        self.unplaced += found is None
        self.rising = self.rising and (found is None or self._last is None or self._last <= found)
        self._last = found or self._last
        holds = self.inside.holds(found)
        if holds and found is not None:
            self.newest = found if self.newest is None else max(found, self.newest)
        return holds

    def _is_first(self, record: Mapping[str, Any]) -> bool:
        if not self.latest:
            return True
        key = tuple(at(record, each.path) for each in self.latest)
        fresh = key not in self._known
        self._known.add(key)
        return fresh

    def _is_gone(self, item: Any) -> bool:
        rules = self.listing.deleted
        return self.all_gone or (bool(rules) and fits(item, rules))

    def _batch(self, records: Sequence[Mapping[str, Any]], gone: Sequence[bool], rejects: Iterable[Reject]) -> Batch:
        import pyarrow as pa

        if len(self.extra) < NAMES:
            self.extra |= unknown(records, self.columns, self.ignore)
        data = to_batch(records, self.columns, self.as_text)
        ops = pa.array(["delete" if each else "upsert" for each in gone], pa.string()) if any(gone) else None
        return Batch(self.stream, data, self.origin, ops=ops, rejects=tuple(rejects))
