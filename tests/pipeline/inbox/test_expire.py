from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.lake.inbox import InboxTables
from dativo_provider.model.inbox import Selection
from dativo_provider.pipeline.inbox import actions
from dativo_provider.pipeline.inbox.expire import Expired, expire
from dativo_provider.pipeline.maintain import maintain
from tests.pipeline.inbox.build import AT, InboxBench
from tests.support import requirement


def later(bench: InboxBench, days: float) -> Any:
    return replace(bench.context(), now=lambda: datetime.now(UTC) + timedelta(days=days))


def data_text(bench: InboxBench) -> bytes:
    """What a reader of the live files of the inbox sees."""
    return repr([bench.quarantine(), bench.rows("acme.orders_quarantine_log")]).encode()


@requirement("QUA-05")
def test_rows_past_their_time_leave_with_what_was_noted_about_them(bench: InboxBench) -> None:
    bench.fix("amount = 12", where="id = 3")
    bench.replay(Selection(where="id = 3"))
    assert expire(bench.spec(), later(bench, 29)) == [Expired("orders")]
    assert expire(bench.spec(), later(bench, 31), dry_run=True) == [Expired("orders", 3, 2)]
    assert len(bench.entries()) == 3
    assert expire(bench.spec(), later(bench, 31)) == [Expired("orders", 3, 2)]
    assert (bench.entries(), bench.quarantine(), bench.rows("acme.orders_quarantine_log")) == ([], [], [])
    assert sorted(bench.by_id()) == [1, 3]


@requirement("QUA-05")
def test_the_values_of_a_discarded_row_go_and_the_decision_stays(bench: InboxBench) -> None:
    bench.fix("region = 'my secret'", where="id = 3")
    actions.discard(bench.box(), Selection(where="id = 3"), "ann", "junk")
    assert b"12x" in data_text(bench)
    assert expire(bench.spec(), bench.context()) == [Expired("orders", 1, 1)]
    assert b"12x" not in data_text(bench)
    assert b"my secret" not in data_text(bench)
    [line] = bench.rows("acme.orders_quarantine_log")
    assert (line["status"], line["by"], line["note"]) == ("deleted", "ann", "junk")
    assert expire(bench.spec(), bench.context()) == [Expired("orders")]


def test_a_discarded_row_that_is_read_again_does_not_come_back(tmp_path: Path) -> None:
    from dativo_provider.model.job import IncrementalSpec

    bench = InboxBench(tmp_path, stream={"key": ("id",), "incremental": IncrementalSpec("file_modified_time")})
    bench.delivered(f"1,n,1.00,{AT}", f"2,n,,{AT}")
    actions.discard(bench.box(), Selection(), "ann", "junk")
    expire(bench.spec(), bench.context())
    bench.delivered(f"1,n,1.00,{AT}", f"2,n,,{AT}", f"3,n,3.00,{AT}", name="a.csv")
    assert bench.entries() == []


@pytest.mark.parametrize("how", ["discarded", "shorter kept"])
def test_older_entries_of_a_row_never_outlive_the_newest_one(bench: InboxBench, how: str) -> None:
    fields, version = bench.fields, "2.0.0"
    if how == "shorter kept":
        keep_for(bench, days=1)
    bench.renewed(fields, version).run(full_refresh=True)
    if how == "discarded":
        actions.discard(bench.box(), Selection(), "ann", "junk")
    else:
        bench.fix("amount = 1", where="id in (2, 3)")
        assert bench.replay().report is not None
    [done] = expire(bench.spec(), later(bench, 2))
    assert done.rows == 6
    assert bench.open() == []


def keep_for(bench: InboxBench, days: int) -> None:
    """From now on rows that are set aside are kept so long."""
    settled = bench.spec

    def spec(name: str = "orders") -> Any:
        job = settled(name)
        (stream,) = job.streams
        contract = replace(stream.contract, properties={"dativo.quarantine.retention_days": str(days)})
        return replace(job, streams=(replace(stream, contract=contract),))

    bench.spec = spec  # type: ignore[method-assign]


@requirement("QUA-05")
def test_rows_that_an_unfinished_replay_had_written_down_go_with_the_next_expiry(bench: InboxBench) -> None:
    bench.fix("amount = 5", where="id = 2")
    bench.rules = [{"type": "condition", "expression": "amount < 5", "on_violation": "block"}]
    assert bench.replay(Selection(where="id = 2")).report.published is None  # type: ignore[union-attr]
    inbox = bench.home / "warehouse" / "_dativo" / "inbox"
    assert list(inbox.rglob("*.parquet"))
    expire(bench.spec(), bench.context())
    assert list(inbox.rglob("*.parquet"))
    expire(bench.spec(), later(bench, 2))
    assert not list(inbox.rglob("*.parquet"))


def test_an_expiry_that_dies_halfway_opens_no_replayed_row(bench: InboxBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.fix("amount = 12", where="id = 3")
    bench.replay(Selection(where="id = 3"))
    real, calls = InboxTables.remove, []

    def remove(self: InboxTables, *args: Any) -> int:
        calls.append(args[0])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(self, *args)

    monkeypatch.setattr(InboxTables, "remove", remove)
    with pytest.raises(KeyboardInterrupt):
        expire(bench.spec(), later(bench, 31))
    assert bench.open() == []
    assert bench.replay().report is None


def test_maintenance_expires_the_inbox_and_then_its_bytes(bench: InboxBench) -> None:
    job = bench.spec()
    job = replace(job, maintenance=replace(job.maintenance, retention_days=0))
    bench.fix("amount = 12", where="id = 3")
    planned = {each.table: each for each in maintain(job, later(bench, 31), ["inbox"], dry_run=True)}
    assert planned["acme.orders orders"].outcome == "planned"
    done = maintain(job, later(bench, 31), ["inbox", "expire"])
    assert not [each for each in done if each.outcome == "failed"], done
    assert {each.table for each in done} == {
        "acme.orders orders", "acme.orders", "acme.orders_quarantine", "acme.orders_quarantine_log",
    }  # fmt: skip
    assert bench.entries() == []
    folder = bench.home / "warehouse" / "acme"
    left = [
        path for name in ("orders_quarantine", "orders_quarantine_log") for path in (folder / name).rglob("*.parquet")
    ]
    assert left == []
