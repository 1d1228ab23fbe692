from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.inbox import Selection
from dativo_provider.pipeline.inbox import actions, sheet
from tests.pipeline.inbox.build import InboxBench
from tests.support import requirement

pytestmark = pytest.mark.one_set  # the log's lines do not depend on the table's library


@requirement("QUA-05")
def test_a_fix_stands_beside_the_original_and_says_who_made_it(bench: InboxBench) -> None:
    before = bench.quarantine()
    bench.fix("amount = cast(replace(raw->>'amount', 'x', '') as decimal(12,2))", where="id = 3")
    bench.fix("region = upper(region)", where="id = 3", by="bob")
    entry = bench.entries(Selection(statuses=("reviewed",)))[0]
    assert (entry.fix, entry.reviewed_by) == ({"amount": "12.00", "region": "SOUTH"}, "bob")
    assert entry.original is not None
    assert entry.original["amount"] == "12x"
    assert bench.quarantine() == before


def test_an_expression_that_fails_on_a_row_leaves_it_as_it_is(bench: InboxBench) -> None:
    acted = bench.fix("amount = cast(raw->>'amount' as decimal(12,2))", where="id is not null")
    assert (acted.rows, acted.skipped) == (1, {"the expression of amount fails": 1})


def test_a_value_can_be_set_to_null_and_to_nothing(bench: InboxBench) -> None:
    bench.fix("region = null", where="id = 2")
    bench.fix("region = ''", where="id = 3")
    assert [entry.fix for entry in bench.open()[:2]] == [{"region": None}, {"region": ""}]


def test_a_rejected_line_becomes_a_row_by_its_text(bench: InboxBench) -> None:
    bench.fix("id = split_part(raw, ',', 1)", "amount = 3.5", where="raw = '4,x'")
    assert bench.open()[2].values == {"id": "4", "amount": "3.5"}


def test_many_digits_survive_a_fix(bench: InboxBench) -> None:
    bench.fix("amount = 9999999999.99::decimal(12,2)", "id = 9007199254740993", where="id = 2")
    assert bench.open()[0].fix == {"amount": "9999999999.99", "id": "9007199254740993"}


@pytest.mark.parametrize("text", ["amount", "= 1", "amount =", "", "a = 1, b = 2 = 3,"])
def test_what_sets_no_column_is_refused(bench: InboxBench, text: str) -> None:
    with pytest.raises(ConfigurationError):
        bench.fix(text)
    assert bench.statuses() == ["quarantined"] * 3


def test_a_row_is_marked_and_keeps_its_fix(bench: InboxBench) -> None:
    bench.fix("amount = 1", where="id = 2")
    assert actions.mark(bench.box(), Selection(), "carl", "seen").rows == 3
    assert bench.statuses() == ["reviewed"] * 3
    assert (bench.entries()[0].fix, bench.entries()[0].note) == ({"amount": "1"}, "seen")


@requirement("QUA-05")
def test_a_row_is_discarded_only_with_a_reason_and_is_open_no_more(bench: InboxBench) -> None:
    with pytest.raises(ConfigurationError, match="reason"):
        actions.discard(bench.box(), Selection(where="id = 2"), "ann", " ")
    actions.discard(bench.box(), Selection(where="id = 2"), "ann", "a test order")
    assert [entry.original["id"] for entry in bench.open() if entry.original] == [3]
    [gone] = bench.entries(Selection(statuses=("deleted",)))
    assert (gone.note, gone.reviewed_by, gone.fix) == ("a test order", "ann", {})


# -- sheets --------------------------------------------------------------------------------------------------


def edited(path: Path, **cells: str) -> None:
    """Row 2 with other cells."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["id"] == "2":
            row.update(cells)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@requirement("QUA-05")
def test_only_the_cells_that_were_changed_in_a_sheet_are_fixed(bench: InboxBench, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    assert sheet.export(bench.box(), Selection(), path) == 3
    edited(path, amount="7.25", region="")
    acted = sheet.take(bench.box(), path, "eve")
    assert (acted.rows, acted.skipped) == (1, {"unchanged": 2})
    entry = bench.open()[0]
    assert (entry.fix, entry.reviewed_by) == ({"region": None, "amount": "7.25"}, "eve")


def test_a_row_that_was_replayed_meanwhile_is_not_touched_by_a_sheet(bench: InboxBench, tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    bench.fix("amount = 1", where="id = 2")
    sheet.export(bench.box(), Selection(where="id = 2"), path)
    bench.replay(Selection(where="id = 2"))
    edited(path, amount="8.00")
    acted = sheet.take(bench.box(), path, "eve")
    assert (acted.rows, acted.skipped) == (0, {"not open in the inbox": 1})
    assert str(bench.by_id()[2]) == "1.00"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,amount\n1,2\n", "no column _run and _row_id"),
        ("", "no column"),
        ("_run,_row_id,id\na,b,1\na,b,2\n", "second time"),
        ("_run,_row_id,id\na,b\n", "number of cells"),
        ("_run,_row_id,id\na,b,c,d\n", "number of cells"),
    ],
)
def test_a_sheet_that_is_none_is_refused_with_its_line(
    bench: InboxBench, tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "sheet.csv"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=problem) as refused:
        sheet.take(bench.box(), path, "eve")
    assert refused.value.where.startswith(f"{path}:")
