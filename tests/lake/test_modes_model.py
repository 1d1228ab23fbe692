"""merge, delete_insert and scd2 against what a dict would do, over random runs with NULLs, composite keys, partitions,
columns that come later, deletes, twins and plans that come too late."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dativo_provider.errors import Fenced
from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.run import Plan
from dativo_provider.model.stream import Field, Window
from tests.lake import support
from tests.lake.support import Lake, job

DAY = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = (Field("a", "long"), Field("b", "string"), Field("value", "string"), Field("at", "timestamptz"))
LATER = (*FIELDS, Field("extra", "string"))
Key = tuple[int, str]

keys = st.tuples(st.integers(0, 3), st.sampled_from(["x", "y", "x'\"y"]))
values = st.sampled_from([None, "p", "q"])
moments = st.integers(0, 9)
partitions = st.sampled_from([
    (), (PartitionSpec("a", "bucket[2]"),), (PartitionSpec("at", "day"),), (PartitionSpec("value"), PartitionSpec("b")),
])  # fmt: skip


class Machine(RuleBasedStateMachine):
    """What every mode's machine does; `apply` is the model."""

    mode: dict[str, Any]

    @initialize(partitioning=partitions)
    def begin(self, partitioning: tuple[PartitionSpec, ...]) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.where = support.settings(Path(self.folder.name))
        self.partitioning = self.fixed(partitioning)
        self.fields: tuple[Field, ...] = FIELDS
        self.late: list[tuple[Plan, Any]] = []
        self.published = False
        self.reset()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def fixed(self, partitioning: tuple[PartitionSpec, ...]) -> tuple[PartitionSpec, ...]:
        return partitioning

    def lake(self) -> Lake:
        made = job(key=("a", "b"), partitioning=self.partitioning, **self.mode)
        return Lake(self.where, made, self.fields)

    def publish(self, rows: list[dict[str, Any]], marks: list[dict[str, Any]], **more: Any) -> None:
        lake = self.lake()
        plan = lake.plan(**more)
        made = lake.extract(plan, rows, marks=marks)
        before = lake.target.table(lake.name()).scan().count()
        published = lake.publish(plan, [made])
        assert lake.target.table(lake.name()).scan().count() == before + published.inserted - published.deleted
        assert lake.publish(plan, [made]).outcome == "already"
        for other, late in self.late:
            with suppress(Fenced):
                assert lake.publish(other, [late]).outcome == "already"
        self.late, self.published = [(plan, made)], True

    @rule()
    def a_plan_that_comes_too_late(self) -> None:
        lake = self.lake()
        plan = lake.plan()
        self.late.append((plan, lake.extract(plan, [{"a": 0, "b": "x", "value": "late", "at": DAY}])))

    @rule()
    def a_column_comes(self) -> None:
        self.fields = LATER

    def row(self, key: Key, value: str | None, day: int) -> dict[str, Any]:
        extra = {"extra": f"e{day}"} if self.fields is LATER else {}
        return {"a": key[0], "b": key[1], "value": value, "at": DAY + timedelta(days=day), **extra}

    def found(self, *columns: str) -> list[tuple[Any, ...]]:
        return self.lake().rows(*columns) if self.published else []

    def expected(self) -> list[tuple[Any, ...]]:
        raise NotImplementedError

    def reset(self) -> None:
        raise NotImplementedError


class Merging(Machine):
    mode = {"mode": "merge", "order_by": "at"}

    def reset(self) -> None:
        self.model: dict[Key, tuple[str | None, int]] = {}

    @rule(
        upserts=st.dictionaries(keys, st.tuples(values, moments), max_size=6),
        gone=st.dictionaries(keys, moments, max_size=2),
    )
    def run(self, upserts: dict[Key, tuple[str | None, int]], gone: dict[Key, int]) -> None:
        gone = {key: day for key, day in gone.items() if key not in upserts}
        rows = [self.row(key, *found) for key, found in upserts.items()]
        marks = [{"a": a, "b": b, "at": DAY + timedelta(days=day)} for (a, b), day in gone.items()]
        self.publish(rows, marks)
        for key, (value, day) in upserts.items():
            if key not in self.model or day >= self.model[key][1]:
                self.model[key] = (value, day)
        for key, day in gone.items():
            if key in self.model and day >= self.model[key][1]:
                del self.model[key]

    def expected(self) -> list[tuple[Any, ...]]:
        return [(*key, value, DAY + timedelta(days=day)) for key, (value, day) in self.model.items()]

    @invariant()
    def the_table_is_the_dict(self) -> None:
        if hasattr(self, "folder"):
            assert sorted(self.found("a", "b", "value", "at"), key=repr) == sorted(self.expected(), key=repr)


class Replacing(Machine):
    mode = {"mode": "delete_insert", "replace_by": "window"}

    def reset(self) -> None:
        self.model: list[tuple[Any, ...]] = []

    @rule(
        low=moments,
        length=st.integers(1, 5),
        rows=st.lists(st.tuples(keys, values, st.integers(0, 4)), min_size=1, max_size=6),
    )
    def run(self, low: int, length: int, rows: list[tuple[Key, str | None, int]]) -> None:
        made = [self.row(key, value, low + offset % length) for key, value, offset in rows]
        bounds = [(DAY + timedelta(days=day)).isoformat() for day in (low, low + length)]
        self.publish(made, [], window=Window("incremental", "at", "timestamptz", *bounds))
        outside = [row for row in self.model if not low <= (row[3] - DAY).days < low + length]
        self.model = outside + [(row["a"], row["b"], row["value"], row["at"]) for row in made]

    def expected(self) -> list[tuple[Any, ...]]:
        return self.model

    @invariant()
    def the_table_is_the_list(self) -> None:
        if hasattr(self, "folder"):
            assert sorted(self.found("a", "b", "value", "at"), key=repr) == sorted(self.model, key=repr)


class Remembering(Machine):
    """The model keeps, of each key, versions as [begin, last seen, end, value]."""

    mode = {"mode": "scd2", "order_by": "at"}

    def reset(self) -> None:
        self.model: dict[Key, dict[int, tuple[str, str | None]]] = {}

    def fixed(self, partitioning: tuple[PartitionSpec, ...]) -> tuple[PartitionSpec, ...]:
        return (*partitioning, PartitionSpec("is_current"))

    @precondition(lambda self: self.fields is FIELDS)
    @rule(events=st.dictionaries(st.tuples(keys, moments), st.one_of(values, st.just("gone")), max_size=7))
    def run(self, events: dict[tuple[Key, int], str | None]) -> None:
        rows = [self.row(key, value, day) for (key, day), value in events.items() if value != "gone"]
        marks = [
            {"a": a, "b": b, "at": DAY + timedelta(days=day)} for ((a, b), day), v in events.items() if v == "gone"
        ]
        self.publish(rows, marks)
        for (key, day), value in events.items():
            self.model.setdefault(key, {})[day] = ("delete", None) if value == "gone" else ("row", value)
        self.model = {key: self.pruned(history) for key, history in self.model.items()}

    @staticmethod
    def pruned(history: dict[int, tuple[str, str | None]]) -> dict[int, tuple[str, str | None]]:
        """Of a run of equal events the table knows the first and, of rows, the last."""
        kept: dict[int, tuple[str, str | None]] = {}
        days = sorted(history)
        for at, day in enumerate(days):
            before = history[days[at - 1]] if at else ("delete", None)
            after = history[days[at + 1]] if at + 1 < len(days) else None
            first, last = history[day] != before, history[day] != after and history[day][0] == "row"
            if first or last:
                kept[day] = history[day]
        return kept

    def expected(self) -> list[tuple[Any, ...]]:
        found = []
        for key, history in self.model.items():
            days, versions = sorted(history), list[list[Any]]()
            for at, day in enumerate(days):
                op, value = history[day]
                if op == "row" and (not at or history[days[at - 1]] != history[day]):
                    versions.append([*key, value, DAY + timedelta(days=day), None])
                elif op == "row":
                    continue
                if op == "delete" and versions and versions[-1][4] is None:
                    versions[-1][4] = DAY + timedelta(days=day)
                elif op == "row" and len(versions) > 1 and versions[-2][4] is None:
                    versions[-2][4] = DAY + timedelta(days=day)
            found += [(*version, version[4] is None) for version in versions]
        return found

    @invariant()
    def the_table_is_the_history(self) -> None:
        if hasattr(self, "folder"):
            columns = ("a", "b", "value", "valid_from", "valid_to", "is_current")
            assert sorted(self.found(*columns), key=repr) == sorted(self.expected(), key=repr)


_QUICK = settings(
    max_examples=int(os.environ.get("DATIVO_MODEL_EXAMPLES", "6")),
    stateful_step_count=6,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
for _machine in (Merging, Replacing, Remembering):
    _machine.TestCase.settings = _QUICK
TestMerging, TestReplacing, TestRemembering = Merging.TestCase, Replacing.TestCase, Remembering.TestCase
