"""What every reader must do, as tests that a connector's test module inherits.

    class TestPostgresReader(ReaderConformance):
        @pytest.fixture
        def world(self, tmp_path): ...   # a ReaderWorld: a private, empty source and the jobs that read it

Rows of every world have the columns of `FIELDS`. Each step of a run opens its own reader, and windows, slices,
cursors and results travel as JSON in between, as they do between tasks.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from dativo_provider.connectors.registry import connector
from dativo_provider.errors import Cancelled, DativoError
from dativo_provider.model.batch import Batch, Reject, Unrepresentable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.run import dump, load
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor, Field, ReadResult, Slice, Stream, Window, WindowRequest
from tests.support import requirement

__all__ = ["FIELDS", "ReaderConformance", "ReaderWorld", "Row", "Run", "row", "rows_of", "run"]

Row = dict[str, Any]
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BATCH_LIMIT = 32 << 20  # bytes of one batch; readers aim at 16 MB
FIELDS = (
    Field("id", "long", required=True),
    Field("name", "string"),
    Field("amount", "decimal(18,4)"),
    Field("updated_at", "timestamptz", required=True),
)
CONTRACT = ContractSpec("events", fields=FIELDS, primary_key=("id",))
_PHASES = [Phase.explicit, Phase.generate]


def row(number: int, at: datetime = START, **values: Any) -> Row:
    return {"id": number, "name": f"row {number}", "amount": Decimal(number) / 4, "updated_at": at} | values


def rows_of(count: int, start: int = 1, at: datetime = START) -> list[Row]:
    return [row(number, at) for number in range(start, start + count)]


class ReaderWorld(ABC):
    """A source of the suite's own. It starts empty but valid: `check` passes and a full read gives no row."""

    tells_null_from_empty = True
    repeatable = True  # False: the source ends where it ends when it is read, so a second read may give more
    gigantic, width = 24_000, 2_000  # rows, and letters in each, that are more than one batch may hold
    columns = frozenset(field.name for field in FIELDS)  # that `discover` tells
    rows_each = 1  # rows that the reader gives for each row of the suite's

    def __init__(self) -> None:
        self.clock = datetime.now(UTC).replace(microsecond=0)

    @abstractmethod
    def source(self) -> SourceSpec: ...

    @abstractmethod
    def stream(self, incremental: bool = False) -> StreamSpec:
        """The stream of `FIELDS`, with `CONTRACT`; incremental without lookback and lag where it can be."""

    @abstractmethod
    def add(self, rows: Sequence[Row]) -> None:
        """The rows arrive at the source and are committed there."""

    @abstractmethod
    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        """Sources that `check` must refuse, by what is wrong with them, and the error each must raise."""

    def stamp(self, window: Window | None = None) -> datetime:
        """The `updated_at` of rows that arrive now; where `window` has an upper bound on it, exactly that bound."""
        if window is not None and window.hi is not None:
            return datetime.fromisoformat(str(window.hi)).replace(tzinfo=UTC)
        return self.clock

    def later(self) -> None:
        """Enough time passes that everything added so far may be read."""
        self.clock += timedelta(hours=1)

    def many(self) -> list[Row]:
        """No two names are the same, or a file would hold them once."""
        return [row(number, name=f"{number:0{self.width}}") for number in range(1, self.gigantic + 1)]

    def rows(self, batch: Batch, stream: str) -> Iterator[Row]:
        """Those of the batch with the types of `FIELDS`, whether the reader gives types or text."""
        if not stream or batch.stream == stream:
            yield from map(typed, batch.data.to_pylist())

    def blocking(self) -> StreamSpec | None:
        """A stream whose read waits for minutes unless it is cancelled, where such a thing can be made."""
        return None

    def context(self) -> RunContext:
        return RunContext(Settings(home=""), now=lambda: self.clock)

    @abstractmethod
    def open(self, source: SourceSpec, ctx: RunContext) -> Reader: ...


@dataclass
class Run:
    """What one run read, and what it would commit."""

    window: Window
    described: Stream
    slices: list[Slice] = field(default_factory=list)
    batches: list[list[Batch]] = field(default_factory=list)
    results: list[ReadResult] = field(default_factory=list)
    cursor: Cursor | None = None
    stream: str = ""
    world: ReaderWorld | None = None

    @property
    def rows(self) -> list[Row]:
        assert self.world is not None
        return [row for batches in self.batches for batch in batches for row in self.world.rows(batch, self.stream)]

    @property
    def rejects(self) -> list[Reject]:
        return [each for batches in self.batches for batch in batches for each in batch.rejects]

    @property
    def ids(self) -> list[int]:
        return [each["id"] for each in self.rows]


def typed(row: Mapping[str, Any]) -> Row:
    return {name: _typed(name, value) for name, value in row.items()}


def _typed(name: str, value: Any) -> Any:
    if value is None or name == "name":
        return value
    if name == "id":
        return int(value)
    if name == "amount":
        return Decimal(str(value))
    if name == "updated_at":
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return value


def carried(value: Any) -> Any:
    """`value` after the JSON that takes it to another process."""
    return load(type(value), dump(value))


@contextmanager
def opened(world: ReaderWorld, source: SourceSpec | None = None, ctx: RunContext | None = None) -> Iterator[Reader]:
    with closing(world.open(source or world.source(), ctx or world.context())) as reader:
        yield reader


def planned(world: ReaderWorld, spec: StreamSpec, request: WindowRequest, want: int = 1) -> Run:
    with opened(world) as reader:
        described = reader.describe(spec)
        window = carried(reader.window(spec, request))
        slices = [] if window.kind == "empty" else reader.slices(spec, window, want)
        return Run(window, described, [carried(each) for each in slices], stream=spec.name, world=world)


def extracted(world: ReaderWorld, spec: StreamSpec, run: Run, base: Cursor | None = None) -> Run:
    for piece in run.slices:
        with opened(world) as reader:
            batches, result = read_held(reader, spec, piece)
            run.batches.append(batches)
            run.results.append(carried(result))
    with opened(world) as reader:
        cursor = type(reader).next_cursor(run.window, run.results, base)
    run.cursor = carried(cursor) if cursor else None
    return run


def read_held(reader: Reader, spec: StreamSpec, piece: Slice) -> tuple[list[Batch], ReadResult]:
    """Reads as `extract` does: again, with columns as text, when the typed parse cannot hold a value."""
    while True:
        try:
            return list(reader.read(spec, piece)), reader.result()
        except Unrepresentable as lost:
            if set(lost.columns) <= set(piece.as_text):
                raise AssertionError("Unrepresentable names columns that are text already") from lost
            piece = replace(piece, as_text=(*piece.as_text, *lost.columns))


def run(world: ReaderWorld, since: Cursor | None = None, *, incremental: bool = False, want: int = 1) -> Run:
    """One whole run and its commit."""
    spec = world.stream(incremental)
    made = planned(world, spec, WindowRequest(since=since, full=not incremental), want)
    extracted(world, spec, made, since)
    with opened(world) as reader:
        reader.committed(made.cursor)
    return made


def counted(rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(each[column.name] for column in FIELDS) for each in rows)


class ReaderConformance:
    """Inherit and give a `world` fixture. Rows of the CSV-like `Reject` kind count in `result().rows`.

    `connectors` are those of the registry whose reader this is: tests/connectors/test_matrix.py wants one for each.
    """

    connectors: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture
    def world(self) -> ReaderWorld:
        raise AssertionError("a conformance class needs a `world` fixture")

    # check, discover, describe ------------------------------------------------------------------------------

    def test_it_is_the_reader_of_the_connectors_it_names(self, world: ReaderWorld) -> None:
        with opened(world) as reader:
            assert [connector(name).load("source") for name in self.connectors] == [type(reader)] * len(self.connectors)

    def test_check_passes_on_a_good_source(self, world: ReaderWorld) -> None:
        world.add(rows_of(1))
        with opened(world) as reader:
            reader.check()

    def test_check_names_what_is_wrong_by_the_class_of_its_error(self, world: ReaderWorld) -> None:
        broken = world.broken()
        assert broken, "a world must know at least one way to be broken"
        for case, (source, expected) in broken.items():
            with pytest.raises(expected) as caught, opened(world, source) as reader:
                reader.check()
            assert str(caught.value), case
            assert_without_secrets(str(caught.value), source)

    def test_discover_lists_the_stream_with_its_columns(self, world: ReaderWorld) -> None:
        world.add(rows_of(3))
        with opened(world) as reader:
            found = reader.discover()
        names = [{column.name for column in stream.fields} for stream in found]
        assert world.columns in names

    def test_describe_gives_the_columns_in_the_order_they_are_read(self, world: ReaderWorld) -> None:
        world.add(rows_of(3))
        made = run(world)
        data = next(batch.data for batches in made.batches for batch in batches if batch.data.num_rows)
        assert [column.name for column in made.described.fields] == data.schema.names

    # full reads ---------------------------------------------------------------------------------------------

    def test_an_empty_source_gives_no_row_and_is_complete(self, world: ReaderWorld) -> None:
        made = run(world)
        assert made.rows == []
        assert all(result.complete and result.rows == 0 for result in made.results)

    def test_a_single_row_arrives_as_it_is(self, world: ReaderWorld) -> None:
        world.add([row(7)])
        assert counted(run(world).rows) == counted([row(7)])

    def test_a_full_read_gives_every_row_once(self, world: ReaderWorld) -> None:
        rows = rows_of(500)
        world.add(rows[:200])
        world.add(rows[200:])
        world.later()
        assert counted(run(world).rows) == counted(rows)

    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=_PHASES)
    @example(want=300)  # more than a run may have; each slice is a reader, so few are wanted else
    @given(want=st.integers(1, 30))
    def test_slices_cover_the_window_exactly_once(self, world: ReaderWorld, want: int) -> None:
        if not run(world).rows:
            for start in range(1, 400, 57):
                world.add(rows_of(57, start))
            world.later()
        made = run(world, want=want)
        assert len(made.slices) <= min(want, 256)
        assert [piece.index for piece in made.slices] == sorted({piece.index for piece in made.slices})
        assert sorted(made.ids) == list(range(1, 400))

    def test_the_result_counts_what_was_yielded(self, world: ReaderWorld) -> None:
        world.add(rows_of(123))
        world.later()
        made = run(world, want=3)
        for batches, result in zip(made.batches, made.results, strict=True):
            assert result.rows == sum(batch.rows for batch in batches)
            assert result.complete

    def test_positions_and_ops_fit_their_rows(self, world: ReaderWorld) -> None:
        world.add(rows_of(40))
        world.later()
        for batch in (each for batches in run(world).batches for each in batches):
            assert batch.positions is None or len(batch.positions) == batch.data.num_rows
            assert batch.ops is None or len(batch.ops) == batch.data.num_rows
            assert batch.origin or batch.stream

    # values -------------------------------------------------------------------------------------------------

    @requirement("REG-10")
    def test_64_bit_integers_stay_exact(self, world: ReaderWorld) -> None:
        ids = [2**63 - 1, -(2**63), 2**53 + 1, -1, 0]
        world.add([row(number, amount=Decimal("1.2500")) for number in ids])
        world.later()
        assert sorted(run(world).ids) == sorted(ids)

    def test_decimals_stay_exact(self, world: ReaderWorld) -> None:
        amounts = [Decimal("99999999999999.9999"), Decimal("-0.0001"), Decimal("0.1"), None]
        world.add([row(number, amount=amount) for number, amount in enumerate(amounts)])
        world.later()
        assert {each["id"]: each["amount"] for each in run(world).rows} == dict(enumerate(amounts))

    def test_text_survives_whatever_it_holds(self, world: ReaderWorld) -> None:
        texts = [
            'say "hi"',
            "a,b;c\td",
            "two\nlines",
            "cr\r\nlf",
            "Grüße 東京 👋🏽 \u202e",
            "\\N",
            "NULL",
            " padded ",
            "'",
            "é",
        ]
        world.add([row(number, name=text) for number, text in enumerate(texts)])
        world.later()
        assert {each["id"]: each["name"] for each in run(world).rows} == dict(enumerate(texts))

    def test_null_and_the_empty_string_stay_two_things(self, world: ReaderWorld) -> None:
        if not world.tells_null_from_empty:
            pytest.skip("this source has one value for both")
        world.add([row(1, name=None), row(2, name="")])
        world.later()
        assert {each["id"]: each["name"] for each in run(world).rows} == {1: None, 2: ""}

    @requirement("REG-09")
    def test_instants_keep_their_microseconds_and_their_zone(self, world: ReaderWorld) -> None:
        at = datetime(2026, 3, 29, 1, 59, 59, 123456, tzinfo=UTC)
        world.add([row(1, at), row(2, at + timedelta(microseconds=1))])
        world.later()
        assert {each["id"]: each["updated_at"] for each in run(world).rows} == {
            1: at,
            2: at + timedelta(microseconds=1),
        }

    # increments ---------------------------------------------------------------------------------------------

    @requirement("REG-07")
    def test_a_second_run_finds_nothing_new(self, world: ReaderWorld) -> None:
        self.needs_increments(world)
        world.add(rows_of(20, at=world.stamp()))
        world.later()
        first = run(world, incremental=True)
        assert sorted(first.ids) == list(range(1, 21))
        world.later()
        second = run(world, first.cursor, incremental=True)
        assert second.rows == []
        third = run(world, second.cursor, incremental=True)
        assert third.rows == []

    def test_a_run_on_an_empty_source_does_not_lose_what_comes_next(self, world: ReaderWorld) -> None:
        self.needs_increments(world)
        first = run(world, incremental=True)
        world.add(rows_of(5, at=world.stamp()))
        world.later()
        assert sorted(run(world, first.cursor, incremental=True).ids) == [1, 2, 3, 4, 5]

    def test_each_run_gives_the_new_rows_only(self, world: ReaderWorld) -> None:
        self.needs_increments(world)
        cursor = None
        for start in (1, 101, 201):
            world.add(rows_of(100, start, world.stamp()))
            world.later()
            made = run(world, cursor, incremental=True, want=3)
            assert sorted(made.ids) == list(range(start, start + 100))
            cursor = made.cursor

    @requirement("REG-08")
    def test_boundary_rows_are_neither_lost_nor_doubled(self, world: ReaderWorld) -> None:
        """Rows that arrive between plan and read, at the very bound of the window, belong to the next run."""
        self.needs_increments(world)
        world.add(rows_of(10, at=world.stamp()))
        world.later()
        spec = world.stream(incremental=True)
        made = planned(world, spec, WindowRequest())
        world.add(rows_of(3, 11, world.stamp(made.window)))
        extracted(world, spec, made)
        world.later()
        after = run(world, made.cursor, incremental=True)
        assert sorted(made.ids + after.ids) == list(range(1, 14))

    def test_a_slice_read_twice_gives_the_same_rows(self, world: ReaderWorld) -> None:
        """A retried task reads what the failed one read, whatever has arrived since."""
        world.add(rows_of(30, at=world.stamp()))
        world.later()
        spec = world.stream(incremental=True)
        made = planned(world, spec, WindowRequest(), want=2)
        first = extracted(world, spec, read_again(made)).ids
        world.add(rows_of(4, 31, world.stamp(made.window)))
        again = extracted(world, spec, read_again(made)).ids
        assert sorted(again)[: len(first)] == sorted(first)
        assert len(again) == len(first) or not world.repeatable

    def test_the_next_cursor_needs_no_source(self, world: ReaderWorld) -> None:
        self.needs_increments(world)
        with opened(world) as reader:
            kind = type(reader)
        base = Cursor({"kept": True})
        assert kind.next_cursor(Window(kind="empty"), [], base) == base
        world.add(rows_of(3, at=world.stamp()))
        world.later()
        made = run(world, incremental=True)
        assert kind.next_cursor(made.window, made.results, None) == made.cursor

    # bounds -------------------------------------------------------------------------------------------------

    def test_batches_stay_small(self, world: ReaderWorld) -> None:
        world.add(world.many())
        world.later()
        made = run(world)
        batches = [batch for batches in made.batches for batch in batches]
        told = [batch.data.num_rows for batch in batches if batch.stream == made.stream]
        assert sum(told) == world.gigantic * world.rows_each
        assert max(batch.data.nbytes for batch in batches) <= BATCH_LIMIT

    def test_cancelling_ends_a_read_within_five_seconds(self, world: ReaderWorld) -> None:
        ctx, blocking = world.context(), world.blocking()
        world.add(rows_of(1) if blocking else world.many())
        world.later()
        spec = blocking or world.stream()
        piece = planned(world, spec, WindowRequest(full=True)).slices[0]
        with opened(world, ctx=ctx) as reader:
            batches = reader.read(spec, piece)
            if not blocking:
                next(batches)
            asked = time.monotonic()
            timer = threading.Timer(0.5 if blocking else 0, ctx.cancel)
            timer.start()
            with pytest.raises(Cancelled):
                drained(batches, timer, wait=not blocking)
            assert time.monotonic() - asked < 5.5
        assert ctx.on_cancel == []

    def test_an_unfinished_read_has_no_complete_result(self, world: ReaderWorld) -> None:
        world.add(rows_of(10))
        world.later()
        spec = world.stream()
        piece = planned(world, spec, WindowRequest(full=True)).slices[0]
        with opened(world) as reader:
            batches = reader.read(spec, piece)
            next(iter(batches))
            batches.close()  # type: ignore[attr-defined]
            with suppress(DativoError):
                assert not reader.result().complete

    def test_closing_twice_is_harmless(self, world: ReaderWorld) -> None:
        reader = world.open(world.source(), world.context())
        reader.close()
        reader.close()

    def needs_increments(self, world: ReaderWorld) -> None:
        with opened(world) as reader:
            if not reader.capabilities.incremental:
                pytest.skip("this reader always reads everything")


def drained(batches: Iterator[Batch], timer: threading.Timer, wait: bool) -> None:
    if wait:
        timer.join()
    for _ in batches:
        pass


def read_again(made: Run) -> Run:
    return Run(made.window, made.described, made.slices, stream=made.stream, world=made.world)


def assert_without_secrets(text: str, source: SourceSpec) -> None:
    for key in ("password", "token", "api_key", "secret"):
        value = source.connection.get(key)
        assert not value or str(value) not in text, f"the error shows the source's {key}"
