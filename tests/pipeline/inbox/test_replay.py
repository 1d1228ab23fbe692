"""Replays publish each row once, through the job's own contract and checks, and never move the live lane."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import dativo_provider.pipeline.inbox.replay as replaying
from dativo_provider.errors import ConfigurationError, Fenced, Unsupported
from dativo_provider.model.inbox import Selection
from dativo_provider.model.job import DeleteFlag, IncrementalSpec, TransformSpec
from dativo_provider.model.run import Lane
from dativo_provider.model.stream import Field
from dativo_provider.pipeline.inbox import actions
from dativo_provider.store import StreamKey, open_store
from tests.pipeline.build import ORDERS
from tests.pipeline.inbox.build import AT, InboxBench
from tests.support import requirement


def live(bench: InboxBench) -> Any:
    box = bench.box()
    return box.target.state(box.job, box.spec, Lane())


@requirement("SN-09", "QUA-05")
def test_a_fixed_row_is_published_once_with_its_source_and_the_live_lane_stays(bench: InboxBench) -> None:
    before = live(bench)
    bench.fix("amount = 12", where="id = 3")
    done = bench.replay(Selection(where="id = 3"))
    assert done.report is not None
    assert (done.report.error, done.chosen, done.report.books.accepted) == (None, 1, 1)
    assert bench.by_id() == {1: Decimal("5.00"), 3: Decimal("12.00")}
    [row] = [row for row in bench.rows() if row["id"] == 3]
    assert row["_dativo_source"] == "a.csv:4"
    assert live(bench) == before
    assert sorted(bench.statuses()) == ["quarantined", "quarantined", "replayed"]
    assert (bench.replay(Selection(where="id = 3")).report, len(bench.rows())) == (None, 2)


@requirement("QUA-05")
def test_a_row_that_fails_again_stays_with_its_new_reasons_beside_the_old_entry(bench: InboxBench) -> None:
    bench.fix("amount = 1", "id = null", where="id = 2")
    done = bench.replay(Selection(where="id = 2"))
    assert done.report is not None
    assert (done.report.error, done.report.books.quarantined) == (None, 1)
    [again] = [entry for entry in bench.open() if entry.source_reference == "a.csv:3"]
    assert again.reasons == ("id.required",)
    assert again.original == {"id": None, "region": "south", "amount": "1", "updated_at": "2026-01-01 00:00:00.000000Z"}
    assert again.row_id in {entry.row_id for entry in bench.entries() if entry.status == "replayed"}
    assert len(bench.rows()) == 1
    bench.fix("id = 2", where="raw->>'amount' = '1'")
    bench.replay(Selection(statuses=("reviewed",)))
    assert bench.by_id()[2] == Decimal("1.00")


@requirement("QUA-05")
def test_as_many_as_are_asked_for_are_replayed_and_the_others_wait(bench: InboxBench) -> None:
    bench.fix("amount = 12")
    done = bench.replay(limit=1)
    assert (done.chosen, len(bench.rows()), len(bench.open())) == (1, 2, 2)
    bench.replay(Selection(statuses=("reviewed",)))
    assert sorted(bench.by_id()) == [1, 2, 3]


def test_what_is_no_row_yet_is_left_with_a_remedy(bench: InboxBench) -> None:
    done = bench.replay(Selection(where="raw = '4,x'"))
    assert (done.report, list(done.skipped.values())) == (None, [1])
    bench.fix("id = 4", "amount = 1", where="raw = '4,x'")
    bench.replay(Selection(where="raw = '4,x'"))
    assert bench.by_id()[4] == Decimal("1.00")


def test_a_masked_value_is_never_published(bench: InboxBench) -> None:
    bench.fix("amount = 1", "region = '***'", where="id = 2")
    done = bench.replay(Selection(where="id = 2"))
    assert (done.report, len(bench.rows())) == (None, 1)
    assert next(iter(done.skipped)).startswith("masked")


def test_a_discarded_row_is_not_replayed(bench: InboxBench) -> None:
    bench.fix("amount = 1", where="id = 2")
    actions.discard(bench.box(), Selection(where="id = 2"), "ann", "junk")
    assert bench.replay(Selection(where="id = 2", statuses=())).report is None


@requirement("QUA-01", "QUA-02")
def test_an_inbox_with_every_row_of_a_delivery_can_be_replayed(tmp_path: Path) -> None:
    """All rows bad: the run is blocked and nothing is in the inbox; one good one among them and all are."""
    bench = InboxBench(tmp_path).delivered(f"1,n,,{AT}", f"2,n,,{AT}")
    assert bench.entries() == []
    bench.delivered(f"3,n,3.00,{AT}", name="b.csv")
    assert bench.fix("amount = id").rows == 2
    bench.replay()
    assert bench.by_id() == {1: Decimal(1), 2: Decimal(2), 3: Decimal(3)}


# -- never twice ---------------------------------------------------------------------------------------------


def beside(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """`act` happens once, after the rows of a replay were chosen and before it is planned."""
    real, left = replaying.run, [act]

    def run(*args: Any) -> Any:
        if left:
            left.pop()()
        return real(*args)

    monkeypatch.setattr(replaying, "run", run)


@requirement("QUA-05")
def test_of_two_replays_that_chose_the_same_row_one_publishes_it(
    bench: InboxBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.fix("amount = 12", where="id = 3")
    beside(monkeypatch, lambda: bench.replay(Selection(where="id = 3")))
    assert bench.replay(Selection(where="id = 3")).report is None  # fenced, begun anew, nothing left to do
    assert bench.by_id() == {1: Decimal("5.00"), 3: Decimal("12.00")}
    assert len(bench.rows()) == 2


@requirement("QUA-05")
def test_a_replay_beside_which_a_live_run_publishes_begins_anew(
    bench: InboxBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.fix("amount = 12", where="id = 3")
    beside(monkeypatch, lambda: bench.delivered(f"9,n,9.00,{AT}", name="b.csv"))
    done = bench.replay(Selection(where="id = 3"))
    assert done.report is not None
    assert done.report.error is None
    assert sorted(bench.by_id()) == [1, 3, 9]


def test_a_full_refresh_beside_a_replay_wins_and_its_own_entry_is_the_open_one(
    bench: InboxBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old entry must not be published beside the new one of the same row."""
    bench.fix("amount = 12", where="id = 3")
    beside(monkeypatch, lambda: bench.run(full_refresh=True))
    assert bench.replay(Selection(statuses=("reviewed",))).report is None
    assert sorted(bench.by_id()) == [1]
    assert len(bench.open()) == 3


def test_a_live_run_that_was_planned_before_a_replay_publishes_after_it(bench: InboxBench) -> None:
    from dativo_provider.model.run import RunRequest
    from dativo_provider.pipeline import steps

    bench.csv("b.csv", f"9,n,9.00,{AT}")
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    bench.fix("amount = 12", where="id = 3")
    bench.replay(Selection(where="id = 3"))
    for piece in plan.slices:
        steps.extract(plan.path, piece.index, ctx)
    steps.audit(plan.path, ctx)
    assert steps.publish(plan.path, ctx).outcome == "committed"
    assert sorted(bench.by_id()) == [1, 3, 9]


def test_a_claim_without_its_commit_means_nothing(bench: InboxBench, monkeypatch: pytest.MonkeyPatch) -> None:
    from dativo_provider.lake.iceberg import IcebergTarget

    bench.fix("amount = 12", where="id = 3")
    with monkeypatch.context() as patch:
        patch.setattr(IcebergTarget, "publish", _refused)
        bench.replay(Selection(where="id = 3"))
    assert sorted(bench.statuses()) == ["quarantined", "quarantined", "reviewed"]
    bench.replay(Selection(where="id = 3"))
    assert sorted(bench.by_id()) == [1, 3]


@requirement("QUA-05")
def test_a_replay_that_dies_right_after_its_commit_has_nothing_left_to_do(
    bench: InboxBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dativo_provider.lake.iceberg import IcebergTarget

    real = IcebergTarget.publish

    def publish(*args: Any) -> None:
        real(*args)
        raise KeyboardInterrupt

    bench.fix("amount = 12", where="id = 3")
    with monkeypatch.context() as patch:
        patch.setattr(IcebergTarget, "publish", publish)
        with pytest.raises(KeyboardInterrupt):
            bench.replay(Selection(where="id = 3"))
    assert bench.replay(Selection(where="id = 3")).report is None
    assert [row["id"] for row in bench.rows()].count(3) == 1


def _refused(*_args: Any) -> None:
    raise ConfigurationError("no")


@requirement("QUA-05")
def test_a_rollback_takes_replayed_rows_back_into_the_inbox(bench: InboxBench) -> None:
    from dativo_provider.lake.rollback import Rollback

    before = bench.table().current_snapshot().snapshot_id
    bench.fix("amount = 12", where="id = 3")
    bench.replay(Selection(where="id = 3"))
    box = bench.box()
    Rollback(
        box.target.catalog, box.target.files, "acme.orders", tenant="acme", to=str(before), run_id="r1",
        keep_cursor=False,
    ).run()  # fmt: skip
    assert sorted(bench.by_id()) == [1]
    assert sorted(bench.statuses()) == ["quarantined", "quarantined", "reviewed"]
    bench.replay(Selection(where="id = 3"))
    assert sorted(bench.by_id()) == [1, 3]


def test_many_replays_are_remembered_outside_of_the_property(
    bench: InboxBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dativo_provider.lake.state._LARGEST_CURSOR", 50)
    monkeypatch.setattr("dativo_provider.pipeline.base_cursor._LARGEST", 50)
    bench.fix("amount = id", where="id is not null")
    bench.fix("id = 4", "amount = 4", where="raw = '4,x'")
    for number in (2, 3, 4):
        bench.replay(Selection(rows=(bench.open()[0].row_id,)))
        assert sorted(bench.by_id()) == [1, *range(2, number + 1)]
    assert "log" in bench.table().properties["dativo.state.orders.orders.replay.inbox"]
    assert bench.statuses() == ["replayed"] * 3


# -- the same pipeline ---------------------------------------------------------------------------------------


def test_transformations_and_checks_of_today_judge_a_replay(tmp_path: Path) -> None:
    bench = InboxBench(tmp_path, rules=[{"type": "range", "column": "amount", "max": 100}])
    bench.transforms = (TransformSpec("upper", "region", "upper(region)"),)
    bench.delivered(f"1,n,5.00,{AT}", f"2,s,500.00,{AT}")
    assert len(bench.open()) == 1
    bench.replay()
    [entry] = bench.open()
    bench.rules = ()
    done = bench.replay()
    assert done.report is not None
    assert done.report.error is None
    assert {row["id"]: row["region"] for row in bench.rows()} == {1: "N", 2: "S"}
    assert entry.contract_version == "1.0.0"


def test_a_check_is_skipped_by_its_id(tmp_path: Path) -> None:
    bench = InboxBench(tmp_path, rules=[{"type": "range", "column": "amount", "max": 100}])
    bench.delivered(f"1,n,5.00,{AT}", f"2,s,500.00,{AT}")
    [reason] = bench.open()[0].reasons
    done = bench.replay(skip_checks=[reason])
    assert done.report is not None
    assert done.report.plan is not None
    assert done.report.plan.window.notes == (f"not judged in this replay: {reason}",)
    assert sorted(bench.by_id()) == [1, 2]


@pytest.mark.parametrize("check", ["amount.required", "amount.type", "no such check"])
def test_a_check_the_table_itself_needs_cannot_be_skipped(bench: InboxBench, check: str) -> None:
    done = bench.replay(Selection(where="id is not null"), skip_checks=[check])
    assert done.report is not None
    assert isinstance(done.report.error, ConfigurationError)
    assert sorted(bench.by_id()) == [1]


def test_what_a_whole_delivery_must_be_is_not_asked_of_a_replay(tmp_path: Path) -> None:
    bench = InboxBench(tmp_path, rules=[{"type": "row_count", "min": 2}])
    bench.delivered(f"1,n,5.00,{AT}", f"2,n,5.00,{AT}", f"3,n,,{AT}")
    bench.fix("amount = 1")
    done = bench.replay()
    assert done.report is not None
    assert done.report.error is None
    assert sorted(bench.by_id()) == [1, 2, 3]


@requirement("QUA-05")
def test_rows_are_replayed_under_a_later_version_of_the_contract(bench: InboxBench) -> None:
    """It has a column more, which the rows lack, and is stricter about an old one."""
    bench.renewed((*ORDERS, Field("channel", "string")))
    bench.fix("amount = 12", where="id = 3")
    bench.fix("amount = 1", "channel = 'web'", where="id = 2")
    bench.replay(Selection(statuses=("reviewed",)))
    assert {row["id"]: row["channel"] for row in bench.rows()} == {1: None, 2: "web", 3: None}


def test_a_row_that_no_longer_fits_the_contract_fails_by_itself(bench: InboxBench) -> None:
    bench.fix("amount = 12", where="id is not null")
    bench.renewed((*ORDERS[:3], replace(ORDERS[3], name="changed_at", required=True)))
    done = bench.replay(Selection(statuses=("reviewed",)))
    assert done.report is not None
    assert done.report.error is None
    assert {entry.reasons for entry in bench.open() if entry.contract_version == "2.0.0"} == {("changed_at.required",)}


# -- write modes ---------------------------------------------------------------------------------------------


def keyed(tmp_path: Path, mode: str, **target: Any) -> InboxBench:
    incremental = IncrementalSpec("file_modified_time")
    return InboxBench(tmp_path, stream={"key": ("id",), "incremental": incremental}, target={"mode": mode, **target})


LATER = "2026-02-01T00:00:00Z"


@requirement("QUA-05")
def test_a_merge_takes_a_replayed_row_unless_the_table_has_a_newer_one(tmp_path: Path) -> None:
    bench = keyed(tmp_path, "merge", order_by="updated_at")
    bench.delivered(f"1,n,5.00,{AT}", f"2,n,,{AT}", f"3,n,,{AT}")
    bench.delivered(f"2,n,7.00,{LATER}", name="b.csv")
    bench.fix("amount = 1")
    done = bench.replay()
    assert done.report is not None
    assert done.report.published is not None
    assert (done.report.published.inserted, done.report.published.ignored) == (1, 1)
    assert bench.by_id() == {1: Decimal(5), 2: Decimal(7), 3: Decimal(1)}


def test_a_merge_without_an_order_is_refused_unless_the_replayed_rows_are_the_newer_ones(tmp_path: Path) -> None:
    bench = keyed(tmp_path, "merge").delivered(f"1,n,5.00,{AT}", f"2,n,,{AT}")
    bench.fix("amount = 1")
    with pytest.raises(Unsupported, match="newer") as refused:
        bench.replay()
    assert "--overwrite" in refused.value.remedy
    bench.replay(overwrite=True)
    assert bench.by_id() == {1: Decimal(5), 2: Decimal(1)}


def test_a_history_takes_a_replayed_version_where_it_belongs_in_time(tmp_path: Path) -> None:
    bench = keyed(tmp_path, "scd2", order_by="updated_at")
    bench.delivered(f"1,n,5.00,{AT}", f"2,n,,{AT}")
    bench.delivered(f"2,n,7.00,{LATER}", name="b.csv")
    bench.fix("amount = 1")
    bench.replay()
    versions = sorted((row["amount"], row["is_current"]) for row in bench.rows() if row["id"] == 2)
    assert versions == [(Decimal(1), False), (Decimal(7), True)]


def test_a_history_without_an_order_is_refused(tmp_path: Path) -> None:
    bench = keyed(tmp_path, "scd2").delivered(f"1,n,5.00,{AT}", f"2,n,,{AT}")
    with pytest.raises(Unsupported, match="newer"):
        bench.replay(overwrite=True)


@pytest.mark.parametrize(
    "changed",
    [
        {"target": {"mode": "replace"}},
        {"target": {"mode": "delete_insert", "replace_by": "window"}},
        {"stream": {"incremental": IncrementalSpec("full_refresh")}},
    ],
    ids=str,
)
def test_what_the_next_run_writes_anew_is_refused_with_a_remedy(bench: InboxBench, changed: dict[str, Any]) -> None:
    bench.target, bench.stream = changed.get("target", {}), changed.get("stream", {})
    with pytest.raises(Unsupported, match="written anew") as refused:
        bench.replay()
    assert "source" in refused.value.remedy


def test_a_key_in_append_mode_keeps_a_row_from_being_doubled(tmp_path: Path) -> None:
    """The source has sent it again, whole, since it was set aside."""
    bench = InboxBench(tmp_path, stream={"key": ("id",), "incremental": IncrementalSpec("file_modified_time")})
    bench.delivered(f"1,n,5.00,{AT}", f"2,n,,{AT}")
    bench.delivered(f"2,n,7.00,{AT}", name="b.csv")
    bench.fix("amount = 7.00")
    done = bench.replay()
    assert done.report is not None
    assert (done.report.books.duplicates, len(bench.rows())) == (1, 2)


def test_a_row_that_says_a_row_is_gone_still_says_so(tmp_path: Path) -> None:
    fields = (*ORDERS, Field("gone", "boolean"))
    bench = InboxBench(
        tmp_path, fields, stream={"key": ("id",), "incremental": IncrementalSpec("file_modified_time")},
        target={"mode": "merge", "order_by": "updated_at", "delete_flag": DeleteFlag("gone")},
    )  # fmt: skip
    bench.csv("a.csv", f"1,n,5.00,{AT},false", f",n,5.00,{LATER},true", header="id,region,amount,updated_at,gone")
    bench.run()
    bench.fix("id = 1")
    bench.replay()
    assert bench.rows() == []


def test_another_job_with_a_stream_of_that_name_is_refused(bench: InboxBench) -> None:
    from dativo_provider.pipeline.run import run

    run(bench.spec("other"), bench.context())
    with pytest.raises(ConfigurationError, match="another job"):
        bench.replay()


def test_a_fenced_replay_ends_after_some_attempts(bench: InboxBench, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(20, 40))

    def run(*args: Any, real: Any = replaying.run) -> Any:
        bench.delivered(f"{next(numbers)},n,9.00,{AT}", name=f"f{next(numbers)}.csv")
        return real(*args)

    monkeypatch.setattr(replaying, "run", run)
    bench.fix("amount = 1", where="id = 2")
    done = bench.replay(Selection(where="id = 2"))
    assert done.report is not None
    assert isinstance(done.report.error, Fenced)


@requirement("QUA-05", "DQ-12")
def test_a_replay_leaves_no_history_that_a_delivery_would_be_judged_against(bench: InboxBench) -> None:
    key, store = StreamKey("acme", "orders", "orders"), open_store(bench.context())
    before = [store.history(key, name) for name in ("rows_accepted", "score")]
    bench.fix("amount = 7")
    assert bench.replay().report is not None
    assert [store.history(key, name) for name in ("rows_accepted", "score")] == before
    assert store.runs(limit=1)[0].lane == "replay"
