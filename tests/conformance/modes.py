"""What every write mode must guarantee on every catalog and storage. Inherit and give the fixture `where`.

`ModeBasics` is what each combination must show; `ModeSuite` is everything, for the cheapest one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError, ContractViolation, Fenced
from dativo_provider.files import canonical
from dativo_provider.lake.datafile import live_files, run_folder
from dativo_provider.model.job import ContractSpec, HistorySpec, PartitionSpec
from dativo_provider.model.run import Lane
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field, Window
from tests.conformance.targets import Died, commits, lost_response
from tests.lake.support import FIELDS, Lake, job
from tests.support import requirement

DAY = datetime(2026, 1, 1, tzinfo=UTC)
Row = dict[str, Any]


def at(day: float) -> datetime:
    return DAY + timedelta(days=day)


def row(number: int, value: str | None = "a", day: float | None = 1) -> Row:
    return {"id": number, "value": value, "at": None if day is None else at(day)}


def window(low: int | None, high: int | None) -> Window:
    bounds = [None if day is None else at(day).isoformat() for day in (low, high)]
    return Window("incremental", "at", "timestamptz", *bounds)


def history(lake: Lake) -> list[tuple[Any, ...]]:
    """Key, value, days from and to which it was valid, whether it is."""
    rows = lake.rows("id", "valid_from", "value", "valid_to", "is_current")
    return [(key, value, days(since), days(until), now) for key, since, value, until, now in rows]


def days(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - DAY) / timedelta(days=1)


class ModeBasics:
    @pytest.fixture
    def open(self, where: Settings) -> Callable[..., Lake]:
        def opened(mode: str, *, fields: tuple[Field, ...] = FIELDS, **more: Any) -> Lake:
            return Lake(where, job(mode=mode, **more), fields)

        return opened

    @requirement("ING-08", "ING-10", "ING-25")
    def test_a_merge_updates_inserts_and_deletes_in_one_snapshot(self, open: Callable[..., Lake]) -> None:
        lake = open("merge")
        lake.run([row(n) for n in range(5)])
        plan = lake.plan()
        made = lake.extract(plan, [row(2, "b"), row(7, "b")], marks=[{"id": 3}, {"id": 99}])
        published = lake.publish(plan, [made])
        assert (published.inserted, published.updated, published.deleted) == (1, 1, 1)
        expected = [(0, "a"), (1, "a"), (2, "b"), (4, "a"), (7, "b")]
        assert lake.rows("id", "value") == expected
        again = lake.publish(plan, [made])
        assert (again.outcome, again.inserted, again.updated, again.deleted) == ("already", 1, 1, 1)
        assert lake.rows("id", "value") == expected
        assert len(lake.target.table(lake.name()).metadata.snapshots) == 2

    @requirement("ING-08", "ING-25")
    def test_a_delete_insert_replaces_the_partitions_it_brings(self, open: Callable[..., Lake]) -> None:
        lake = open("delete_insert", partitioning=(PartitionSpec("at", "day"),))
        lake.run([row(n, day=n // 2) for n in range(8)])
        published = lake.run([row(20, day=1), row(21, day=9)])
        assert (published.inserted, published.updated, published.deleted) == (2, 0, 2)
        assert lake.ids() == [0, 1, 4, 5, 6, 7, 20, 21]

    @requirement("ING-08", "ING-25")
    def test_a_history_keeps_every_version(self, open: Callable[..., Lake]) -> None:
        lake = open("scd2", order_by="at")
        lake.run([row(1, "a", 1), row(2, "a", 1)])
        published = lake.run([row(1, "b", 3), row(3, "a", 3)], marks=[{"id": 2, "at": at(4)}])
        assert (published.inserted, published.updated, published.deleted) == (2, 2, 0)
        expected = [(1, "a", 1, 3, False), (1, "b", 3, None, True), (2, "a", 1, 4, False), (3, "a", 3, None, True)]
        assert history(lake) == expected
        assert lake.run([row(1, "b", 3)], marks=[{"id": 2, "at": at(4)}]).updated == 0
        assert history(lake) == expected

    @requirement("ING-25")
    @pytest.mark.parametrize("mode", ["merge", "delete_insert", "scd2"])
    def test_a_rival_and_a_lost_response_change_nothing(self, open: Callable[..., Lake], mode: str) -> None:
        """The table moves between plan and commit, then the commit lands and its answer is lost."""
        more = {"partitioning": (PartitionSpec("at", "day"),)} if mode == "delete_insert" else {}
        lake = open(mode, **more)
        lake.run([row(1, "a"), row(2, "a")])
        busy: list[int] = []
        lost = lost_response(ConnectionError("reset by peer"))

        def behave(real: Any, catalog: Any, *rest: Any) -> Any:
            if not busy:
                busy.append(1)
                table = open(mode).target.table(lake.name())
                table.transaction().set_properties({"foreign": "moved"}).commit_transaction()
                table.delete("id = 2")
            return lost(real, catalog, *rest)

        plan = lake.plan()
        made = lake.extract(plan, [row(1, "b")])
        with commits(behave):
            assert lake.publish(plan, [made]).outcome == "committed"
        assert [value for _, value in lake.rows("id", "value") if value == "b"] == ["b"]
        assert lake.publish(plan, [made]).outcome == "already"


class ModeSuite(ModeBasics):
    # -- merge ----------------------------------------------------------------------------------------

    @requirement("ING-08")
    def test_only_files_that_hold_a_key_are_written_anew(self, open: Callable[..., Lake]) -> None:
        lake = open("merge")
        for start in (0, 100, 200):
            lake.run([row(n) for n in range(start, start + 100)])
        lake.run([row(n) for n in range(50, 300, 50) if n != 200 and n != 250])
        before = set(live_files(lake.target.table(lake.name())))
        lake.run([row(210, "b"), row(350, "b")])
        after = set(live_files(lake.target.table(lake.name())))
        assert len(before - after) == 1
        assert len(after - before) == 2
        assert len(lake.ids()) == 301

    @requirement("ING-10")
    def test_keys_of_several_columns_are_joined(self, open: Callable[..., Lake]) -> None:
        lake = open("merge", key=("id", "value"), order_by="")
        lake.run([row(n % 10, f"v{n % 7}", n) for n in range(70)])
        assert len(lake.rows("id", "value")) == 70
        published = lake.run([row(3, "v4", 500), row(3, "v99", 500)])
        assert (published.inserted, published.updated) == (1, 1)
        assert lake.rows("id", "value", "at").count((3, "v4", at(500))) == 1
        assert len(lake.rows("id")) == 71

    def test_a_key_is_never_null_to_match(self, open: Callable[..., Lake]) -> None:
        """Rows without a key are set aside before; should the table have some, nothing matches them."""
        lake = open("merge", key=("value",))
        plain = Lake(lake.settings, job())
        plain.run([row(1, None), row(2, "x")])
        assert lake.run([row(3, "x")], marks=[{"value": None, "id": 1}]).deleted == 0
        assert lake.rows("id", "value") == [(1, None), (3, "x")]

    def test_an_older_row_does_not_overwrite_a_newer_one(self, open: Callable[..., Lake]) -> None:
        lake = open("merge", order_by="at")
        lake.run([row(n, "a", 5) for n in range(4)])
        published = lake.run(
            [row(0, "old", 4), row(1, "new", 6), row(2, "same", 5), row(3, "none", None), row(4, "b", 1)],
            marks=[{"id": 2, "at": at(4)}],
        )
        assert (published.inserted, published.updated, published.deleted, published.ignored) == (1, 2, 0, 2)
        assert lake.rows("id", "value") == [(0, "a"), (1, "new"), (2, "same"), (3, "a"), (4, "b")]

    def test_a_deletion_that_does_not_say_when_it_was_counts(self, open: Callable[..., Lake]) -> None:
        """Lists of what is gone hold keys alone; kept apart from rows, whose missing order is an old one."""
        lake = open("merge", order_by="at")
        lake.run([row(1, "a", 5), row(2, "a", 5)])
        published = lake.run([row(2, "none", None)], marks=[{"id": 1, "at": None}])
        assert (published.deleted, published.ignored) == (1, 1)
        assert lake.rows("id", "value") == [(2, "a")]

    def test_a_table_with_a_key_twice_has_it_once_afterwards(self, open: Callable[..., Lake]) -> None:
        lake = open("merge")
        Lake(lake.settings, job()).run([row(1, "x"), row(1, "y"), row(2, "z")])
        published = lake.run([row(1, "b")])
        assert (published.inserted, published.updated, published.deleted) == (0, 1, 1)
        assert lake.rows("id", "value") == [(1, "b"), (2, "z")]

    def test_an_empty_merge_commits_its_state_and_no_row(self, open: Callable[..., Lake]) -> None:
        lake = open("merge")
        lake.run([row(1)], cursor=1)
        assert lake.run([], cursor=2).updated == 0
        assert (lake.ids(), lake.state().seq) == ([1], 2)

    # -- deletes by absence ---------------------------------------------------------------------------

    @requirement("ING-10")
    @pytest.mark.parametrize("mode", ["merge", "scd2"])
    def test_a_full_load_deletes_what_it_does_not_bring(self, open: Callable[..., Lake], mode: str) -> None:
        lake = open(mode, delete_missing=True)
        lake.run([row(n) for n in range(30)])
        assert lake.run([row(n) for n in range(2, 30)]).outcome == "committed"
        left = lake.ids() if mode == "merge" else [key for key, *_, now in history(lake) if now]
        assert left == list(range(2, 30))

    @pytest.mark.parametrize("mode", ["merge", "scd2"])
    def test_more_than_a_tenth_is_not_deleted_by_absence(self, open: Callable[..., Lake], mode: str) -> None:
        lake = open(mode, delete_missing=True)
        lake.run([row(n) for n in range(20)])
        with pytest.raises(ContractViolation, match="3 of the 20 rows"):
            lake.run([row(n) for n in range(17)])
        assert len(lake.ids()) == 20
        lake.run([row(n) for n in range(18)])
        allowed = open(mode, delete_missing=True, allow_mass_delete=True)
        allowed.run([row(0)])
        left = lake.ids() if mode == "merge" else [key for key, *_, now in history(lake) if now]
        assert left == [0]

    def test_what_was_set_aside_is_not_missing(self, open: Callable[..., Lake]) -> None:
        lake = open("merge", delete_missing=True)
        lake.run([row(n) for n in range(30)])
        lake.run([row(n) for n in range(2, 30)], marks=[{"id": 0, "_dativo_op": "keep"}])
        assert lake.ids() == [0, *range(2, 30)]
        plan = lake.plan()
        made = replace(lake.extract(plan, [row(n) for n in range(5, 30)]), unread=1)
        assert lake.publish(plan, [made]).deleted == 0

    def test_a_part_of_the_rows_deletes_nothing_by_absence(self, open: Callable[..., Lake]) -> None:
        lake = open("merge", delete_missing=True, allow_mass_delete=True)
        lake.run([row(n) for n in range(5)])
        lake.run([row(9)], lane=Lane("backfill", "x"))
        lake.run([row(8)], window=window(1, 2))
        assert lake.ids() == [0, 1, 2, 3, 4, 8, 9]

    def test_deleting_by_absence_beside_another_job_is_refused(self, open: Callable[..., Lake]) -> None:
        open("merge").run([row(1)])
        with pytest.raises(ConfigurationError, match=r"orders\.orders"):
            open("merge", name="other", delete_missing=True).plan()
        open("merge", name="other").run([row(2)])

    # -- delete_insert --------------------------------------------------------------------------------

    @pytest.mark.parametrize("partitioned", [False, True])
    def test_a_window_is_replaced_and_its_edges_are_kept(self, open: Callable[..., Lake], partitioned: bool) -> None:
        more = {"partitioning": (PartitionSpec("at", "month"),)} if partitioned else {}
        lake = open("delete_insert", **more)
        lake.run([row(n, day=n * 10) for n in range(10)] + [row(50, day=None)], window=window(None, 100))
        published = lake.run([row(70, day=30)], window=window(20, 50))
        assert (published.inserted, published.deleted) == (1, 3)
        assert lake.ids() == [0, 1, 5, 6, 7, 8, 9, 50, 70]

    def test_files_inside_the_window_are_dropped_without_being_read(self, open: Callable[..., Lake]) -> None:
        lake = open("delete_insert")
        for number in range(5):
            lake.run([row(number, day=number)], window=window(number, number + 1))
        before = live_files(lake.target.table(lake.name()))
        for path in list(before)[1:4]:
            lake.target.files.delete(path)
        lake.run([row(9, day=1.5)], window=window(1, 4)) if len(before) == 5 else None
        assert lake.ids() == [0, 4, 9]

    def test_an_empty_window_is_blocked_where_it_would_delete(self, open: Callable[..., Lake]) -> None:
        lake = open("delete_insert")
        lake.run([row(1, day=1), row(2, day=2)], window=window(None, 3))
        with pytest.raises(ContractViolation, match="1 rows of its window"):
            lake.run([], window=window(2, 3))
        lake.run([], window=window(3, 4))
        open("delete_insert", allow_empty_replace=True).run([], window=window(2, 3))
        assert lake.ids() == [1]

    def test_a_backfill_replaces_its_own_window(self, open: Callable[..., Lake]) -> None:
        lake = open("delete_insert")
        lake.run([row(n, day=n) for n in range(6)], window=window(None, 6))
        lake.run([row(30, day=3)], window=window(2, 4), lane=Lane("backfill", "x"))
        assert (lake.ids(), lake.state().seq) == ([0, 1, 4, 5, 30], 1)

    def test_a_delete_insert_beside_another_job_is_refused(self, open: Callable[..., Lake]) -> None:
        open("append").run([row(1)])
        with pytest.raises(ConfigurationError, match=r"orders\.orders"):
            open("delete_insert", name="other").plan()

    def test_a_table_without_partitions_has_none_to_replace(self, open: Callable[..., Lake]) -> None:
        with pytest.raises(ConfigurationError, match="no partitions"):
            open("delete_insert").run([row(1)])

    def test_files_of_an_older_partition_spec_give_up_their_rows_one_by_one(self, open: Callable[..., Lake]) -> None:
        lake = open("delete_insert", partitioning=(PartitionSpec("at", "month"),))
        lake.run([row(n, day=n) for n in range(10)])
        table = lake.target.table(lake.name())
        update = table.update_spec()
        update.remove_field("at_month")
        update.add_field("at", "day", "at_day")
        update.commit()
        moved = open("delete_insert", partitioning=(PartitionSpec("at", "day"),))
        published = moved.run([row(40, day=4), row(41, day=11)])
        assert (published.inserted, published.deleted) == (2, 1)
        assert moved.ids() == [0, 1, 2, 3, 5, 6, 7, 8, 9, 40, 41]
        assert len({file.spec_id for file in live_files(moved.target.table(moved.name())).values()}) == 1

    # -- history --------------------------------------------------------------------------------------

    def test_a_late_version_finds_its_place(self, open: Callable[..., Lake]) -> None:
        lake = open("scd2", order_by="at")
        lake.run([row(1, "a", 1)])
        lake.run([row(1, "c", 5)])
        lake.run([row(1, "b", 3)])
        lake.run([row(1, "z", 0)])
        expected = [(1, "z", 0, 1, False), (1, "a", 1, 3, False), (1, "b", 3, 5, False), (1, "c", 5, None, True)]
        assert history(lake) == expected

    def test_a_version_confirmed_later_than_a_late_one_comes_back(self, open: Callable[..., Lake]) -> None:
        lake = open("scd2", order_by="at")
        lake.run([row(1, "a", 1)])
        lake.run([row(1, "a", 9)])
        assert history(lake) == [(1, "a", 1, None, True)]
        lake.run([row(1, "b", 4)])
        assert history(lake) == [(1, "a", 1, 4, False), (1, "b", 4, 9, False), (1, "a", 9, None, True)]

    def test_deleted_and_born_again(self, open: Callable[..., Lake]) -> None:
        lake = open("scd2", order_by="at")
        lake.run([row(1, "a", 1)], marks=[{"id": 9, "at": at(1)}])
        lake.run([], marks=[{"id": 1, "at": at(3)}])
        lake.run([row(1, "a", 6)])
        lake.run([], marks=[{"id": 1, "at": at(2)}])
        assert history(lake) == [(1, "a", 1, 2, False), (1, "a", 6, None, True)]

    def test_only_tracked_columns_make_versions(self, open: Callable[..., Lake]) -> None:
        fields = (*FIELDS, Field("note"))
        lake = open("scd2", order_by="at", fields=fields, history=HistorySpec("since", "until", "now", ("value",)))
        lake.run([{**row(1, "a", 1), "note": "x"}])
        lake.run([{**row(1, "a", 2), "note": "y"}])
        lake.run([{**row(1, "b", 3), "note": "z"}])
        assert lake.rows("since", "note", "now") == [(at(1), "y", False), (at(3), "z", True)]

    def test_without_an_order_versions_begin_when_they_are_seen(self, open: Callable[..., Lake]) -> None:
        lake = open("scd2")
        for day, rows in enumerate([[row(1, "a"), row(2, "a")], [row(1, "b"), row(2, "a")], [row(1, "b")]]):
            published = lake.run(rows, created_at=at(day).isoformat())
        assert (published.inserted, published.updated) == (0, 0)
        assert history(lake) == [(1, "a", 0, 1, False), (1, "b", 1, None, True), (2, "a", 0, None, True)]

    def test_a_backfill_needs_to_know_when(self, open: Callable[..., Lake]) -> None:
        lake = open("scd2")
        lake.run([row(1, "b", 5)])
        with pytest.raises(ConfigurationError, match="order_by"):
            lake.run([row(1, "a", 1)], lane=Lane("backfill", "x"))
        ordered = open("scd2", order_by="at", table="ordered")
        ordered.run([row(1, "b", 5)])
        ordered.run([row(1, "a", 1)], lane=Lane("backfill", "x"))
        assert history(ordered) == [(1, "a", 1, 5, False), (1, "b", 5, None, True)]

    def test_a_history_of_every_type_and_of_nothing_but_a_key(self, open: Callable[..., Lake]) -> None:
        fields = (
            Field("id", "long", required=True), Field("d", "decimal(12,2)"), Field("b", "binary"),
            Field("l", "list<long>"), Field("s", "struct<a:long,b:list<string>>"), Field("m", "map<string,double>"),
            Field("t", "time"),
        )  # fmt: skip
        lake = open("scd2", fields=fields)
        first = {"id": 1, "d": Decimal("1.50"), "b": b"\0\xff", "l": [1, None], "s": {"a": 1, "b": ["x", None]},
                 "m": [("k", 1.0)], "t": None}  # fmt: skip
        lake.run([first])
        assert lake.run([first]).updated == 0
        assert lake.run([{**first, "s": {"a": 1, "b": ["y"]}}]).updated == 1
        found = lake.target.table(lake.name()).scan(row_filter="is_current = true").to_arrow().to_pylist()
        assert (found[0]["s"], found[0]["b"], found[0]["m"]) == ({"a": 1, "b": ["y"]}, b"\0\xff", [("k", 1.0)])
        bare = open("scd2", table="bare", fields=(Field("id", "long", required=True),))
        bare.run([{"id": 1}])
        assert bare.run([{"id": 1}]).updated == 0

    # -- every mode, whatever the table has been through ----------------------------------------------

    @requirement("ING-25")
    @pytest.mark.parametrize(
        "spec",
        [
            ("id", "bucket[3]"),
            ("value", "identity"),
            ("at", "month"),
            ("at", "day"),
            ("at", "hour"),
            ("value", "truncate[1]"),
        ],
        ids=str,
    )
    def test_every_partitioning_merges_alike(self, open: Callable[..., Lake], spec: tuple[str, str]) -> None:
        lake = open("merge", partitioning=(PartitionSpec(*spec),))
        lake.run([row(n, f"v{n % 3}", n) for n in range(20)])
        lake.run([row(n, "w", n + 40) for n in range(0, 25, 3)], marks=[{"id": 1}])
        moved = dict.fromkeys(range(0, 25, 3), "w")
        assert lake.rows("id", "value") == sorted(({n: f"v{n % 3}" for n in range(20) if n != 1} | moved).items())
        for number in (4, 6):
            [found] = lake.target.table(lake.name()).scan(f"id = {number}").to_arrow().to_pylist()
            assert found["value"] == (moved.get(number) or f"v{number % 3}")

    @requirement("ING-25")
    @pytest.mark.parametrize("mode", ["merge", "scd2"])
    def test_rows_of_older_schemas_and_specs_survive_being_written_anew(
        self, open: Callable[..., Lake], mode: str
    ) -> None:
        old = (Field("id", "int"), Field("f", "float"), Field("s", "struct<a:long>"), Field("gone"))
        first = open(mode, fields=old, partitioning=(PartitionSpec("id", "bucket[2]"),))
        first.run([{"id": n, "f": n / 2, "s": {"a": n}, "gone": f"g{n}"} for n in range(6)])
        table = first.target.table(first.name())
        update = table.update_schema()
        update.rename_column("f", "factor")
        update.commit()
        spec = table.update_spec()
        spec.remove_field("id_bucket")
        spec.commit()
        new = (Field("id", "long"), Field("factor", "double"), Field("s", "struct<a:long,b:string>"), Field("x"))
        lake = open(mode, fields=new)
        lake.run([{"id": 1, "factor": 9.5, "s": {"a": 9, "b": "b"}, "x": "x"}, {"id": 2**40}])
        now = lake.target.table(lake.name()).scan().to_arrow().to_pylist()
        kept = {found["id"]: found for found in now if found.get("is_current", True)}
        assert sorted(kept) == [0, 1, 2, 3, 4, 5, 2**40]
        assert (kept[1]["factor"], kept[1]["s"], kept[1]["x"]) == (9.5, {"a": 9, "b": "b"}, "x")
        assert (kept[3]["factor"], kept[3]["s"], kept[3]["gone"], kept[3]["x"]) == (
            1.5,
            {"a": 3, "b": None},
            "g3",
            None,
        )

    def test_rows_another_engine_deleted_by_position_stay_deleted(self, open: Callable[..., Lake]) -> None:
        lake = open("merge")
        lake.run([row(n) for n in range(5)])
        delete_by_position(lake, [1, 3])
        assert lake.ids() == [0, 2, 4]
        lake.run([row(2, "b")])
        assert lake.rows("id", "value") == [(0, "a"), (2, "b"), (4, "a")]

    @pytest.mark.parametrize("mode", ["merge", "scd2"])
    def test_personal_columns_keep_their_bounds_to_themselves(self, open: Callable[..., Lake], mode: str) -> None:
        fields = (Field("email", "string", classification="PII"), Field("value"))
        contract = ContractSpec("orders", "1.0.0")
        lake = open(mode, fields=fields, key=("email",), contract=contract)
        lake.run([{"email": f"p{n}@example.org", "value": "a"} for n in range(5)])
        lake.run([{"email": "p2@example.org", "value": "b"}])
        table = lake.target.table(lake.name())
        identity = table.schema().find_field("email").field_id
        assert len(live_files(table)) >= 2
        assert all(identity not in (file.lower_bounds or {}) for file in live_files(table).values())

    # -- attempts -------------------------------------------------------------------------------------

    @requirement("ING-25")
    def test_a_rival_merge_costs_only_what_it_changed(
        self, where: Settings, open: Callable[..., Lake], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from dativo_provider.lake.modes import rewrite

        lake = open("merge")
        for start in (0, 100):
            lake.run([row(n) for n in range(start, start + 50)])
        rival, busy, written = open("merge", name="rival"), list[int](), list[int]()
        real_write = rewrite._written
        monkeypatch.setattr(rewrite, "_written", lambda *given: (written.append(1), real_write(*given))[1])

        def behave(real: Any, catalog: Any, *rest: Any) -> Any:
            if not busy:
                busy.append(len(written))
                rival.run([row(110, "r"), row(111, "r")])
            return real(catalog, *rest)

        plan = lake.plan()
        made = lake.extract(plan, [row(10, "b"), row(110, "b")])
        with commits(behave):
            lake.publish(plan, [made])
        found = dict(lake.rows("id", "value"))
        assert (found[10], found[110], found[111], len(lake.ids())) == ("b", "b", "r", 100)
        assert (busy, len(written)) == ([2], 4)  # both files, the rival's one, and what the rival made of it
        self._all_reachable(lake, plan.plan_id)

    def _all_reachable(self, lake: Lake, plan_id: str) -> None:
        """Nothing that an attempt wrote in vain is left."""
        table = lake.target.table(lake.name())
        live = {canonical(path) for path in live_files(table)}
        folder = run_folder(table.location(), plan_id)
        assert {canonical(info.uri) for info in lake.target.files.list(folder)} <= live

    @requirement("STA-09")
    @pytest.mark.parametrize("mode", ["merge", "delete_insert", "scd2"])
    def test_of_two_runs_from_one_base_the_second_is_fenced_in_every_mode(
        self, open: Callable[..., Lake], mode: str
    ) -> None:
        more = {"partitioning": (PartitionSpec("at", "day"),)} if mode == "delete_insert" else {}
        lake = open(mode, **more)
        one, two = lake.plan(), lake.plan()
        late = lake.extract(two, [row(1, "late")])
        lake.publish(one, [lake.extract(one, [row(1, "b")])])
        with pytest.raises(Fenced):
            lake.publish(two, [late])
        assert [value for (value,) in lake.rows("value")] == ["b"]

    @requirement("ING-04")
    def test_what_a_dead_merge_wrote_can_be_swept(self, open: Callable[..., Lake]) -> None:
        lake = open("merge")
        lake.run([row(1), row(2)])
        plan = lake.plan()
        made = lake.extract(plan, [row(1, "b")])

        def die(*_: Any) -> Any:
            raise Died

        with commits(die), pytest.raises(Died):
            lake.publish(plan, [made])
        assert lake.target.sweep(plan) == 2
        assert lake.rows("id", "value") == [(1, "a"), (2, "a")]


def delete_by_position(lake: Lake, positions: list[int]) -> None:
    """What Spark does with merge-on-read, by PyIceberg's own parts."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
    from pyiceberg.typedef import Record

    table = lake.target.table(lake.name())
    [path] = live_files(table)
    uri = f"{table.location()}/data/deletes.parquet"
    ids = {"file_path": b"2147483546", "pos": b"2147483545"}
    schema = pa.schema([
        pa.field("file_path", pa.string(), False, {b"PARQUET:field_id": ids["file_path"]}),
        pa.field("pos", pa.int64(), False, {b"PARQUET:field_id": ids["pos"]}),
    ])  # fmt: skip
    rows = pa.table([[path] * len(positions), positions], schema=schema)
    with table.io.new_output(uri).create() as sink:
        pq.write_table(rows, sink)
    size = len(table.io.new_input(uri))
    made = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES, file_path=uri, file_format=FileFormat.PARQUET, partition=Record(),
        record_count=len(positions), file_size_in_bytes=size, column_sizes={}, value_counts={}, null_value_counts={},
        nan_value_counts={}, lower_bounds={}, upper_bounds={}, key_metadata=None, split_offsets=None, equality_ids=None,
        sort_order_id=None, spec_id=0,
    )  # fmt: skip
    transaction = table.transaction()
    producer = transaction.update_snapshot().fast_append()
    producer.append_data_file(made)
    producer.commit()
    transaction.commit_transaction()
