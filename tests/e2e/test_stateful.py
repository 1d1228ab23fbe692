"""Random histories of deliveries, runs, crashes between steps, retries of old plans, refreshes and backfills.

After each step the table, its quarantine and the books are what a model in memory says.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dativo_provider.errors import Fenced, SourceChanged
from dativo_provider.model.books import Books
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, JobSpec, SourceSpec, StreamSpec
from dativo_provider.model.run import Plan, Published, RunRequest
from dativo_provider.pipeline import steps
from dativo_provider.pipeline.records import total_books
from dativo_provider.pipeline.workplace import open_folder, open_run
from tests.pipeline.build import ORDERS, Bench
from tests.services.postgres import Database
from tests.support import requirement

pytestmark = pytest.mark.timeout(300)
EXAMPLES = int(os.environ.get("DATIVO_STATEFUL_EXAMPLES", "6"))
STEPS = ("plan", "extract", "audit", "publish")
START, TICK = datetime(2026, 1, 1, tzinfo=UTC), 1e-9
Row = tuple[int, bool]
Content = dict[str, list[Row]]
ROWS: st.SearchStrategy[list[Row]] = st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=8)


@dataclass(frozen=True)
class Version:
    """One row of the source at one time."""

    key: int
    hour: int
    good: bool


@dataclass(frozen=True)
class Expected:
    """Ids in table and quarantine after a run; `more` is the machine's own."""

    good: Counter[int]
    bad: Counter[int]
    more: Any


class History(RuleBasedStateMachine):
    """`good` and `bad` are the ids that must be in table and quarantine. `old` are plans a retry may come for."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="dativo-stateful-"))
        self.bench = Bench(self.root)
        self.good: Counter[int] = Counter()
        self.bad: Counter[int] = Counter()
        self.old: list[tuple[Plan, Expected]] = []

    def teardown(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def spec(self) -> JobSpec:
        raise NotImplementedError

    def expected(self, request: RunRequest) -> Expected:
        """After such a run, as the source is now."""
        raise NotImplementedError

    # Steps ----------------------------------------------------------------------------------------------------

    def advance(self, plan: Plan, last: str) -> Published | None:
        """From a plan up to and with the step `last`."""
        ctx: RunContext = self.bench.context()
        for piece in plan.slices if last != "plan" else ():
            steps.extract(plan.path, piece.index, ctx)
        if last in ("audit", "publish"):
            steps.transform(plan.path, ctx)
            steps.audit(plan.path, ctx)
        return steps.publish(plan.path, ctx) if last == "publish" else None

    def start(self, last: str = "publish", **request: Any) -> None:
        asked = RunRequest(**request)
        wanted = self.expected(asked)
        plan = steps.plan(self.spec(), "orders", self.bench.context(), asked)
        self.old.append((plan, wanted))
        published = self.advance(plan, last)
        if published:
            self.landed(plan, wanted)
            assert published.outcome == "committed"

    def landed(self, plan: Plan, wanted: Expected) -> None:
        folder = open_folder(plan.path, self.bench.context())
        books: Books = total_books(folder.manifests(plan))
        books.check("the model")
        kept = self.good.total() if plan.job.target.mode == "append" else 0
        assert books.accepted == wanted.good.total() - kept
        assert books.left_out == wanted.bad.total() - self.bad.total()
        self.good, self.bad = wanted.good, wanted.bad

    @rule()
    def run(self) -> None:
        self.start()

    @rule(last=st.sampled_from(STEPS[:-1]))
    def run_killed_after(self, last: str) -> None:
        self.start(last)

    @precondition(lambda self: self.old)
    @rule(data=st.data())
    def retry_an_old_plan(self, data: st.DataObject) -> None:
        """What a cleared task does, however late."""
        at = data.draw(st.integers(0, len(self.old) - 1))
        plan, wanted = self.old[at]
        ctx = self.bench.context()
        _folder, _plan, target = open_run(plan.path, ctx)
        state = target.state(plan.job, plan.spec, plan.lane)
        done, moved = plan.plan_id in state.runs, state.seq != plan.base.seq
        try:
            published = self.advance(plan, "publish")
        except Fenced:
            assert moved
            assert not done
            return
        except SourceChanged:  # a file has changed under an old plan that had not been read
            assert not done
            return
        assert published
        assert published.outcome == ("already" if done else "committed")
        if not done:
            self.landed(plan, wanted)

    @invariant()
    def table_is_the_model(self) -> None:
        assert Counter(row["id"] for row in self.bench.rows()) == self.good
        raws = Counter(int(json.loads(row["raw"])["id"]) for row in self.bench.quarantine())
        assert raws == self.bad


class Files(History):
    """Keyed CSV files; one that is delivered again under its name is read again, and known keys are dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.bench.stream = {"key": ("id",), "on_changed_file": "append"}
        self.bench.job = {"slices": 3}
        self.content: Content = {}
        self.read: Content = {}
        self.known: set[tuple[str, int, int]] = set()
        self.clock = 1_700_000_000
        self.later: dict[str, tuple[Content, set[tuple[str, int, int]]]] = {}

    def spec(self) -> JobSpec:
        return self.bench.spec()

    @initialize(rows=ROWS)
    def first(self, rows: list[Row]) -> None:
        self.deliver("a.csv", rows)

    @rule(name=st.sampled_from(["a.csv", "b.csv", "c.csv"]), rows=ROWS)
    def deliver(self, name: str, rows: list[Row]) -> None:
        """With a good row of its own: a run of which nothing can be published blocks."""
        self.clock += 10
        self.content[name] = [*rows, (1000 + self.clock - 1_700_000_000, True)]
        lines = [f"{key},x,{'1.00' if good else ''},2026-03-01T00:00:00Z" for key, good in self.content[name]]
        os.utime(self.bench.csv(name, *lines), (self.clock, self.clock))

    @rule()
    def refresh(self) -> None:
        self.start(full_refresh=True)

    def expected(self, request: RunRequest) -> Expected:
        full = request.full_refresh
        names = [name for name in sorted(self.content) if full or self.read.get(name) != self.content[name]]
        rows = [(name, line, *row) for name in names for line, row in enumerate(self.content[name])]
        good = Counter(key for _, _, key, fine in rows if fine)
        if not full:
            good = self.good + Counter(good.keys() - self.good.keys())
        known = self.known | {(name, line, key) for name, line, key, fine in rows if not fine}
        return Expected(good, Counter(key for _, _, key in known), (dict(self.content), known))

    def landed(self, plan: Plan, wanted: Expected) -> None:
        super().landed(plan, wanted)
        self.read, self.known = wanted.more


class Table(History):
    """A PostgreSQL table with keys, updates and late rows; lookback; backfills."""

    database: ClassVar[Database]
    LOOKBACK = 3600 * 5

    def __init__(self) -> None:
        super().__init__()
        self.database.execute(
            "drop table if exists orders",
            "create table orders (id bigint, region text, amount numeric(12,2), updated_at timestamptz)",
        )
        self.source: list[Version] = []
        self.published: Counter[Version] = Counter()
        self.aside: set[Version] = set()
        self.hour = 100
        self.cursor: float | None = None

    def spec(self) -> JobSpec:
        made = self.bench.spec()
        increment = IncrementalSpec("updated_at", "updated_at", lookback_seconds=self.LOOKBACK, lag_seconds=0)
        fields = replace(made.streams[0].contract, fields=ORDERS)
        stream = StreamSpec("orders", "public.orders", "orders", fields, key=("id",), incremental=increment)
        return replace(made, source=SourceSpec("postgres", self.database.params), streams=(stream,), slices=2)

    def insert(self, key: int, good: bool, hour: int) -> None:
        if any((each.key, each.hour) == (key, hour) for each in self.source):
            return
        self.source.append(Version(key, hour, good))
        amount = "1.00" if good else "null"
        self.database.execute(f"insert into orders values ({key}, 'x', {amount}, '{moment(hour)}')")

    @initialize()
    def first(self) -> None:
        self.insert(1, True, self.hour)

    @rule(rows=ROWS, late=st.integers(0, 9))
    def write(self, rows: list[Row], late: int) -> None:
        """New rows and new versions of old ones; `late` ones carry a time long past, maybe before the lookback."""
        self.hour += 2
        for key, good in [*rows, (1000 + self.hour, True)]:
            self.insert(key, good, self.hour - (late if key % 3 == 0 else 0))

    @rule()
    def refresh(self) -> None:
        self.start(full_refresh=True)

    @rule(first=st.integers(90, 160), hours=st.integers(1, 40))
    def backfill(self, first: int, hours: int) -> None:
        self.start(start=moment(first), end=moment(first + hours))

    def expected(self, request: RunRequest) -> Expected:
        rows, cursor = self.window(request)
        bad = {each for each in rows if not each.good}
        good = Counter(each for each in rows if each.good)
        if not request.full_refresh:
            good = self.published + Counter(good.keys() - self.published.keys())
            bad |= self.aside
        else:
            bad = bad | self.aside
        return Expected(_keys(good), _keys(Counter(bad)), (good, bad, cursor))

    def window(self, request: RunRequest) -> tuple[list[Version], float | None]:
        if request.start and request.end:
            low, high = hour_of(request.start), hour_of(request.end)
            return [each for each in self.source if low <= each.hour < high], self.cursor
        if request.full_refresh or self.cursor is None:
            return list(self.source), max(each.hour for each in self.source) + TICK
        low = self.cursor - self.LOOKBACK / 3600
        rows = [each for each in self.source if low <= each.hour]
        return rows, max([self.cursor, *(each.hour + TICK for each in rows)])

    def landed(self, plan: Plan, wanted: Expected) -> None:
        super().landed(plan, wanted)
        self.published, self.aside, self.cursor = wanted.more


def _keys(versions: Counter[Version]) -> Counter[int]:
    found: Counter[int] = Counter()
    for version, count in versions.items():
        found[version.key] += count
    return found


def moment(hour: int) -> str:
    return (START + timedelta(hours=hour)).isoformat()


def hour_of(text: str) -> float:
    return (datetime.fromisoformat(text) - START) / timedelta(hours=1)


def play(machine: type[History]) -> None:
    steps_each = settings(
        max_examples=EXAMPLES, stateful_step_count=12, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=steps_each)  # type: ignore[no-untyped-call]


@requirement("ING-25", "STA-09", "STA-07", "REG-02", "REG-03")
def test_any_history_of_files_ends_as_the_model_says() -> None:
    play(Files)


@requirement("ING-25", "STA-09", "STA-08", "REG-08")
def test_any_history_of_a_table_ends_as_the_model_says(database: Database) -> None:
    Table.database = database
    play(Table)
