from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, World
from tests.support import requirement


@pytest.fixture
def inbox(world: World) -> World:
    """Row 3 has no number as its amount, row 5 no address as its email."""
    assert world.run().code == 1
    return world


def ask(world: World, action: str, *words: str | Path) -> Answer:
    return world.dativo("quarantine", action, "--config", world.job, *words)


@requirement("QUA-01", "QUA-05")
def test_the_inbox_is_listed_grouped_and_shown(inbox: World) -> None:
    [run] = ask(inbox, "list", "--json").json
    assert (run["quarantined"], run["reviewed"], run["table"]) == (2, 0, "example.orders_quarantine")
    groups = ask(inbox, "groups", "--json").json
    assert {group["reason"]: group["rows"] for group in groups} == {"amount.type": 1, "email.regex": 1}
    assert "N/A" in ask(inbox, "show", "--check", "amount.type").out
    [row] = ask(inbox, "show", "--json", "--where", "id = 5").json
    assert (row["original"]["id"], row["reasons"], row["status"]) == (5, ["email.regex"], "quarantined")
    assert "--limit 0" in ask(inbox, "show", "--limit", "1").out


@requirement("QUA-05")
def test_a_row_is_fixed_replayed_and_in_the_table(inbox: World) -> None:
    told = ask(inbox, "fix", "--where", "id = 3", "--set", "amount = 12.5", "--by", "ann")
    assert (told.code, told.out) == (0, "1 row corrected\n")
    assert "N/A → 12.5" in ask(inbox, "show", "--status", "reviewed").out
    replayed = ask(inbox, "replay", "--status", "reviewed")
    assert replayed.code == 0, replayed.err
    again = ask(inbox, "replay", "--status", "reviewed")
    assert (again.code, again.out) == (0, "nothing to replay\n")
    assert inbox.query("select amount from orders where id = 3", "--json").json == [{"amount": "12.50"}]
    [run] = ask(inbox, "list", "--json").json
    assert (run["quarantined"], run["replayed"]) == (1, 1)


@requirement("QUA-05")
def test_a_row_that_fails_again_makes_the_exit_code_1(inbox: World) -> None:
    replayed = ask(inbox, "replay", "--where", "id = 3", "--json")
    assert (replayed.code, replayed.json["chosen"]) == (1, 1)
    assert replayed.json["run"]["books"]["quarantined"] == 1


def test_rows_make_the_round_trip_through_a_sheet(inbox: World, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    assert "2 rows" in ask(inbox, "export", "--file", path).out
    rows = list(csv.DictReader(path.open()))
    rows[1]["email"] = "nobody@example.com"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert "1 row corrected; 1 row left as they are: unchanged" in ask(inbox, "import", "--file", path).out
    assert ask(inbox, "replay", "--status", "reviewed").code == 0


def test_rows_are_discarded_with_a_reason_and_expire(inbox: World) -> None:
    assert ask(inbox, "discard", "--where", "id = 3").code == 2
    assert ask(inbox, "discard", "--where", "id = 3", "--note", "test order").code == 0
    [gone] = ask(inbox, "expire", "--json").json
    assert (gone["rows"], gone["stream"]) == (1, "orders")
    assert len(ask(inbox, "show", "--status", "all", "--json").json) == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("fix",), "nothing to set"),
        (("fix", "--set", "amount"), "sets no column"),
        (("fix", "--set", "amount = nope"), "there is no column 'nope'"),
        (("show", "--where", "(select 1)"), "sub-query"),
        (("export",), "needs a file"),
        (("groups", "--where", "id = 1"), "without reading values"),
        (("list", "--stream", "nope"), "no stream"),
        (("replay", "--skip-check", "nope"), "there is no check"),
    ],
)
def test_what_cannot_be_done_says_why(inbox: World, words: tuple[str, ...], problem: str) -> None:
    told = ask(inbox, *words)
    assert told.code == 2
    assert problem in told.err + told.out
