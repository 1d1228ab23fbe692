"""What every API connector must do against its vendor's fake, as tests that a vendor's test module inherits.

    class TestStripe(VendorSuite):
        connector, stream, make = "stripe", "customers", Stripe

Time is virtual: waits, back-offs and limits move `vendor.clock`. Windows, slices, cursors and results travel as JSON
between the steps of a read, as they do between tasks. Vendors whose nature differs override one small method.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from dativo_provider.connectors.registry import open_reader
from dativo_provider.errors import CredentialError, DativoError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor, ReadResult, Window, WindowRequest
from tests.conformance.readers import BATCH_LIMIT, carried
from tests.connectors.rest.fake import Answer, Asked, serving
from tests.connectors.vendors.vendor import Row, Vendor, repeated, storm
from tests.support import requirement

__all__ = ["Read", "VendorSuite", "fault_on"]

_WAITING = 3 * 5_000  # records that a reader may hold: what it gathers for a batch, and pages on their way


@dataclass
class Read:
    """One run: its records in order, deletions apart, and what it would commit."""

    window: Window
    rows: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    rejects: int = 0
    largest: int = 0  # bytes of a batch
    waiting: int = 0  # records sent and not given yet, at most
    results: list[ReadResult] = field(default_factory=list)
    cursor: Cursor | None = None

    def keys(self, *names: str) -> list[Any]:
        return sorted(_key(row, names) for row in self.rows)

    def told(self, what: str) -> Any:
        """`what` of the results' details, the first that has it."""
        return next((result.detail[what] for result in self.results if what in result.detail), None)


def _key(row: Row, names: Sequence[str]) -> Any:
    return row[names[0]] if len(names) == 1 else tuple(row[name] for name in names)


class VendorSuite:
    """`stream` is the one whose reads are tried; `key` its key. `deletes`: later runs tell what is gone."""

    connector: ClassVar[str]
    stream: ClassVar[str]
    make: ClassVar[Callable[[], Vendor]]
    key: ClassVar[tuple[str, ...]] = ("id",)
    deletes: ClassVar[bool] = True
    spread: ClassVar[timedelta] = timedelta()  # between records of the large reads
    many: ClassVar[int] = 10_000
    shared: RunContext | None = None  # of all readers of a test, where it opens many

    @pytest.fixture
    def vendor(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
        made = type(self).make()
        monkeypatch.setattr("dativo_provider.connectors.rest.client.monotonic", made.clock.monotonic)
        with serving(made):
            yield made

    # How it is read -------------------------------------------------------------------------------------------

    def source(self, vendor: Vendor, **connection: Any) -> SourceSpec:
        retry = {"max_retries": 12, "budget_seconds": 100_000}
        given = {"base_url": vendor.url, **vendor.credentials, **connection}
        return SourceSpec(self.connector, given, rate_limits={"retry": retry})

    def spec(self, stream: str = "", **increment: Any) -> StreamSpec:
        name = stream or self.stream
        rule = IncrementalSpec("updated_at", "updated_at", **{"lag_seconds": 0, **increment})
        return StreamSpec(name, name, name, ContractSpec(name), incremental=rule)

    def context(self, vendor: Vendor) -> RunContext:
        return self.shared or RunContext(Settings(home=""), now=vendor.clock.now, cancelled=vendor.clock)

    def open(self, vendor: Vendor, **connection: Any) -> Reader:
        return open_reader(self.source(vendor, **connection), self.context(vendor))

    def read(self, vendor: Vendor, since: Cursor | None = None, stream: str = "", **more: Any) -> Read:
        """A run from `since` on: `full=True` reads what is there, `want` tasks share it."""
        spec = more.get("spec") or self.spec(stream)
        with closing(self.open(vendor)) as reader:
            window = carried(reader.window(spec, WindowRequest(since=since, full=more.get("full", False))))
            slices = [] if window.kind == "empty" else reader.slices(spec, window, more.get("want", 1))
        made = Read(window)
        for piece in slices:
            with closing(self.open(vendor)) as reader:
                self._slice(vendor, reader, spec, carried(piece), made)
        made.cursor = carried(type(reader).next_cursor(window, made.results, since)) if made.results else since
        return made

    def _slice(self, vendor: Vendor, reader: Reader, spec: StreamSpec, piece: Any, made: Read) -> None:
        before = vendor.sent - len(made.rows) - len(made.gone)
        for batch in reader.read(spec, piece):
            ops = batch.ops.to_pylist() if batch.ops is not None else ["upsert"] * batch.data.num_rows
            made.waiting = max(made.waiting, vendor.sent - before - len(made.rows) - len(made.gone))
            for row, op in zip(batch.data.to_pylist(), ops, strict=True):
                (made.gone if op == "delete" else made.rows).append(row)
            made.rejects += len(batch.rejects)
            made.largest = max(made.largest, batch.data.nbytes)
        made.results.append(carried(reader.result()))

    def keys(self, made: Read) -> list[Any]:
        return made.keys(*self.key)

    # check, discover ------------------------------------------------------------------------------------------

    def test_check_passes_with_good_credentials(self, vendor: Vendor) -> None:
        with closing(self.open(vendor)) as reader:
            reader.check()
        assert vendor.asked, "check asked nothing"

    @requirement("ERR-01", "SEC-05")
    def test_check_refuses_credentials_that_are_not_good_and_shows_none(self, vendor: Vendor) -> None:
        for case, credentials in vendor.broken.items():
            with pytest.raises(CredentialError) as caught, closing(self.open(vendor, **credentials)) as reader:
                reader.check()
            assert caught.value.remedy, case
            shown = f"{caught.value} {caught.value.remedy} {caught.value.where}"
            assert not [each for each in credentials.values() if len(str(each)) > 5 and str(each) in shown], case

    def test_a_right_that_is_missing_is_named(self, vendor: Vendor) -> None:
        scope = vendor.scope(self.stream)
        if not scope:
            pytest.skip("this vendor names no right")
        vendor.add(self.stream, 3)
        vendor.forbidden.add(scope)
        with pytest.raises(CredentialError) as caught:
            self.read(vendor)
        assert scope in f"{caught.value.message} {caught.value.remedy}"

    def test_discover_lists_every_stream_with_described_columns(self, vendor: Vendor) -> None:
        with closing(self.open(vendor)) as reader:
            found = {each.name: each for each in reader.discover()}
        assert self.stream in found
        assert set(self.key) <= {column.name for column in found[self.stream].fields}
        assert all(each.description for each in found.values())

    # reads ----------------------------------------------------------------------------------------------------

    @requirement("REG-08")
    def test_records_come_once_whatever_pages_hold(self, vendor: Vendor) -> None:
        vendor.page = 5
        known: list[Any] = []
        for count in (0, 1, 4, 1, 8):  # 0, 1, 5, 6, 14 records on pages of five
            known += vendor.add(self.stream, count)
            self.settle(vendor)
            assert self.keys(self.read(vendor, full=True)) == sorted(known)

    @requirement("ERR-02")
    def test_ten_thousand_records_survive_random_faults_in_bounded_memory(self, vendor: Vendor) -> None:
        known = vendor.add(self.stream, self.many, self.spread)
        self.settle(vendor)
        vendor.faults.append(storm())
        made = self.read(vendor)
        assert self.keys(made) == sorted(known)
        assert made.largest <= BATCH_LIMIT
        assert made.waiting <= _WAITING

    @requirement("ERR-05")
    def test_the_limit_is_kept_and_used(self, vendor: Vendor) -> None:
        """Not one refusal, and nine tenths of what the vendor allows."""
        if not vendor.quotas:
            pytest.skip("this vendor tells no limit")
        vendor.page = 5
        vendor.add(self.stream, 5 * 150, self.spread)
        self.settle(vendor)
        asked, began = len(vendor.asked), vendor.clock.monotonic()
        self.read(vendor, full=True)
        spent, count = vendor.clock.monotonic() - began, len(vendor.asked) - asked
        assert [quota.refused for quota in vendor.quotas] == [0] * len(vendor.quotas)
        ideal = max((count - quota.requests * 0.05) * quota.per / quota.requests for quota in self.counting(vendor))
        assert spent <= ideal / 0.9, f"{count} requests took {spent:.1f} s, {ideal:.1f} s would do"

    def counting(self, vendor: Vendor) -> Sequence[Any]:
        """The quotas that count what a full read of `stream` asks."""
        last = vendor.asked[-1]
        return [quota for quota in vendor.quotas if quota.of(last)]

    def test_an_api_that_repeats_a_page_for_ever_is_left(self, vendor: Vendor) -> None:
        vendor.page = 5
        vendor.add(self.stream, 40, self.spread)
        self.settle(vendor)
        vendor.faults.append(repeated(vendor))
        with pytest.raises(DativoError) as caught:
            self.read(vendor, full=True)
        assert caught.value.remedy

    def test_a_field_that_the_spec_does_not_know_is_told(self, vendor: Vendor) -> None:
        [key] = vendor.add(self.stream, 1)
        self.settle(vendor)
        self.drift(vendor, key)
        assert "brand_new" in (self.read(vendor, full=True).told("unknown_fields") or [])

    def test_the_announced_end_of_an_api_is_told(self, vendor: Vendor, caplog: pytest.LogCaptureFixture) -> None:
        vendor.add(self.stream, 1)
        self.settle(vendor)
        vendor.more_headers["Sunset"] = "Sat, 31 Jul 2027 23:59:59 GMT"
        self.read(vendor, full=True)
        assert "the vendor ends this part of its API" in caplog.text

    # increments -----------------------------------------------------------------------------------------------

    @requirement("REG-07")
    def test_later_runs_read_what_changed(self, vendor: Vendor) -> None:
        known = vendor.add(self.stream, 12, self.spread)
        self.settle(vendor)
        first = self.read(vendor)
        assert self.keys(first) == sorted(known)
        self.settle(vendor)
        second = self.read(vendor, first.cursor)
        assert self.keys(second) == []
        vendor.touch(self.stream, known[:3])
        more = vendor.add(self.stream, 2)
        self.settle(vendor)
        third = self.read(vendor, second.cursor)
        assert self.keys(third) == sorted([*known[:3], *more])
        assert third.rejects == 0

    @requirement("REG-08")
    def test_what_changes_at_the_edge_of_a_run_is_neither_lost_nor_doubled(self, vendor: Vendor) -> None:
        """In the very second in which the window of a run ends, before and after the run reads."""
        before = vendor.add(self.stream, 3)
        made = self.read(vendor)
        after = vendor.add(self.stream, 3)
        self.settle(vendor)
        following = self.read(vendor, made.cursor)
        assert set(self.keys(made)) | set(self.keys(following)) == {*before, *after}
        assert max(Counter(map(str, self.keys(following))).values()) == 1

    def test_what_is_deleted_is_told(self, vendor: Vendor) -> None:
        if not self.deletes:
            pytest.skip("this API does not tell")
        known = vendor.add(self.stream, 6, self.spread)
        self.settle(vendor)
        made = self.read(vendor)
        vendor.remove(self.stream, known[1:3])
        self.settle(vendor)
        found = self.read(vendor, made.cursor)
        assert sorted(_key(row, self.key) for row in found.gone) == sorted(known[1:3])
        assert not set(map(str, known[1:3])) & set(map(str, self.keys(found)))

    @requirement("REG-07", "REG-08", "ERR-02")
    def test_any_history_ends_in_the_same_table(self, vendor: Vendor) -> None:
        """Records come, change and go between runs, small pages fail at times, and what the runs tell is merged."""
        self.shared = self.context(vendor)
        chance, there, table = random.Random(7), dict[Any, None](), set[Any]()
        vendor.page, cursor = 40 if self.spread else 3, None  # what goes by time cannot page within a moment
        vendor.faults.append(storm(0.05))
        for _ in range(10):
            there |= dict.fromkeys(vendor.add(self.stream, chance.randrange(5)))
            vendor.touch(self.stream, chance.sample([*there], min(len(there), chance.randrange(4))))
            gone = chance.sample([*there], min(len(there), chance.randrange(3))) if self.deletes else []
            if gone:
                vendor.remove(self.stream, gone)
            there = {key: None for key in there if key not in gone}
            vendor.clock.forward(seconds=chance.choice([0, 1, 60, 65, 300]))  # to the edge of what APIs show
            vendor.clock.forward(microseconds=-vendor.clock.now().microsecond % 1_000_000)
            cursor = self.merged(table, self.read(vendor, cursor))
        self.settle(vendor)
        self.merged(table, self.read(vendor, cursor))
        assert sorted(table) == sorted(there)

    def merged(self, table: set[Any], made: Read) -> Cursor | None:
        table |= {_key(row, self.key) for row in made.rows}
        table -= {_key(row, self.key) for row in made.gone}
        return made.cursor

    # What a vendor may say otherwise --------------------------------------------------------------------------

    def settle(self, vendor: Vendor) -> None:
        """Enough time passes for the API to show what happened."""
        vendor.clock.forward(minutes=10)

    def drift(self, vendor: Vendor, key: Any) -> None:
        """The record has the field `brand_new` from now on."""
        vendor.records[self.stream][key]["brand_new"] = "?"


def fault_on(path: str, answer: Answer, times: int = 1) -> Callable[[Asked], Answer | None]:
    """The first `times` requests of a path that ends so are answered with `answer`."""
    left = [times]

    def fault(asked: Asked) -> Answer | None:
        if asked.path.endswith(path) and left[0] > 0:
            left[0] -= 1
            return answer
        return None

    return fault
