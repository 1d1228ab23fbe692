from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.inbox import Selection
from dativo_provider.pipeline.inbox import causes, summaries
from tests.pipeline.inbox.build import AT, InboxBench
from tests.support import requirement

pytestmark = pytest.mark.one_set  # what is shown comes of DuckDB over rows that test_replay reads under every set


@requirement("QUA-01", "QUA-05", "QUA-04")
def test_rows_are_shown_with_their_source_their_reasons_and_their_original_values(bench: InboxBench) -> None:
    lacking, wrong, torn = bench.open()
    assert (lacking.source_reference, lacking.reasons) == ("a.csv:3", ("amount.required",))
    assert lacking.original == {"id": 2, "region": "south", "amount": None, "updated_at": "2026-01-01 00:00:00.000000Z"}
    assert wrong.original is not None
    assert wrong.original["amount"] == "12x"
    assert (torn.kind, torn.original, torn.raw, torn.values) == ("rejected", None, "4,x", None)
    assert torn.expires_at > torn.quarantined_at


@requirement("QUA-05")
def test_rows_are_grouped_by_cause_over_all_runs(bench: InboxBench) -> None:
    bench.delivered(f"6,south,1.00,{AT}", f"7,south,,{AT}", f"8,south,,{AT}", name="b.csv")
    found = causes(bench.spec(), bench.context())
    assert (found[0].reason, found[0].rows, found[0].runs) == ("amount.required", 3, 2)
    assert found[0].first_seen < found[0].last_seen
    assert {cause.reason for cause in found[1:]} == {"amount.type", "expected 4 columns, got 2"}


@requirement("QUA-05")
def test_what_every_run_left_is_counted_by_status(bench: InboxBench) -> None:
    bench.fix("amount = 1", where="id = 2")
    [summary] = summaries(bench.spec(), bench.context())
    assert (summary.quarantined, summary.reviewed, summary.replayed, summary.deleted) == (2, 1, 0, 0)
    assert summary.table == "acme.orders_quarantine"


@pytest.mark.parametrize(
    ("selection", "references"),
    [
        (Selection(check="amount.type"), ["a.csv:4"]),
        (Selection(where="id = 2"), ["a.csv:3"]),
        (Selection(where="raw->>'amount' like '%x'"), ["a.csv:4"]),
        (Selection(where="raw = '4,x'"), ["a.csv:5"]),
        (Selection(where="(raw->>'amount')::int > 1"), []),
        (Selection(run="no such run"), []),
        (Selection(statuses=("replayed",)), []),
    ],
    ids=str,
)
def test_a_selection_narrows(bench: InboxBench, selection: Selection, references: list[str]) -> None:
    assert [entry.source_reference for entry in bench.entries(selection)] == references


def test_a_row_is_selected_by_the_beginning_of_its_id(bench: InboxBench) -> None:
    wanted = bench.open()[1]
    assert bench.entries(Selection(rows=(wanted.row_id[:10],))) == [wanted]


@pytest.mark.parametrize("where", ["nope = 1", "(select 1)", "id; drop table entries", "read_text('/etc/passwd') = ''"])
def test_a_condition_that_is_none_or_reaches_out_is_refused(bench: InboxBench, where: str) -> None:
    with pytest.raises(ConfigurationError):
        bench.entries(Selection(where=where))


def test_what_is_typed_as_a_selection_is_never_sql(bench: InboxBench) -> None:
    assert bench.entries(Selection(run="' or true --", check="x'", rows=("' or 1=1",))) == []


def test_an_inbox_without_tables_is_empty(tmp_path: Path) -> None:
    bench = InboxBench(tmp_path)
    assert (bench.entries(), summaries(bench.spec(), bench.context()), causes(bench.spec(), bench.context())) == (
        [], [], [],
    )  # fmt: skip


@requirement("QUA-05")
def test_of_a_row_that_several_runs_set_aside_only_the_newest_is_open(bench: InboxBench) -> None:
    before = {entry.run for entry in bench.open()}
    bench.run(full_refresh=True)
    now = bench.open()
    assert len(now) == 3
    assert not {entry.run for entry in now} & before
    assert [entry.superseded for entry in bench.entries()].count(True) == 3
    assert sum(summary.superseded for summary in summaries(bench.spec(), bench.context())) == 3


@requirement("QUA-05")
def test_ten_thousand_rows_of_one_cause_are_counted_in_the_store_and_read_in_lots(tmp_path: Path) -> None:
    from dativo_provider.store import open_store

    bench = InboxBench(tmp_path)
    bench.delivered(f"0,north,1.00,{AT}", *(f"{n},south,,{AT}" for n in range(1, 10_001)))
    [entry] = open_store(bench.context()).quarantine()
    assert (entry.rows, dict(entry.reasons)) == (10_000, {"amount.required": 10_000})
    [cause] = causes(bench.spec(), bench.context())
    assert cause.rows == 10_000
    assert bench.fix("amount = 1", where="id <= 6000").rows == 6_000
    assert bench.replay().report.books.accepted == 6_000  # type: ignore[union-attr]
    assert len(bench.rows()) == 6_001
