from __future__ import annotations

import csv
import io

from tests.cli.conftest import World
from tests.support import requirement


def test_rows_as_a_table_as_json_and_as_csv(world: World) -> None:
    world.run()
    sql = "select id, amount, ordered_at, null as nothing, [1, 2] as list from orders order by id limit 2"
    shown = world.query(sql)
    assert shown.code == 0, shown.err
    assert "12.50" in shown.out
    assert "2026-03-01T09:15:00+00:00" in shown.out
    rows = world.query(sql, "--json").json
    assert rows[0] == {
        "id": 1, "amount": "12.50", "ordered_at": "2026-03-01T09:15:00+00:00", "nothing": None, "list": [1, 2]
    }  # fmt: skip
    table = list(csv.reader(io.StringIO(world.query(sql, "--csv").out)))
    assert table[0] == ["id", "amount", "ordered_at", "nothing", "list"]
    assert table[1] == ["1", "12.50", "2026-03-01T09:15:00+00:00", "", "[1, 2]"]
    assert len(table) == 3


def test_long_answers_are_cut_on_the_screen_only(world: World) -> None:
    world.run()
    sql = "select r from orders, range(100) t(r) order by all"
    shown = world.query(sql)
    assert "the first 50 rows" in shown.out
    assert len(world.query(sql, "--json").json) == 400


def test_the_quarantine_is_a_table_beside(world: World) -> None:
    world.run()
    rows = world.query("select kind, raw, reasons from orders_quarantine order by source_reference", "--json").json
    assert [row["kind"] for row in rows] == ["quarantined", "quarantined"]
    assert "N/A" in rows[0]["raw"]
    assert any("amount" in reason for reason in rows[0]["reasons"])
    assert any("email" in reason for reason in rows[1]["reasons"])


def test_tables_can_be_joined_with_themselves_and_each_other(world: World) -> None:
    world.run()
    [row] = world.query("select count(*) as n from orders a join orders b using (id)", "--json").json
    assert row["n"] == 4
    [row] = world.query("select count(*) as n from orders, orders_quarantine", "--json").json
    assert row["n"] == 8


def test_before_the_first_run_there_is_no_table(world: World) -> None:
    asked = world.query("select 1 from orders")
    assert asked.code == 2
    assert "run it first" in asked.err


def test_an_unknown_table_names_the_known_ones(world: World) -> None:
    world.run()
    asked = world.query("select 1 from oders")
    assert asked.code == 2
    assert "orders, orders_quarantine" in asked.err


def test_an_unknown_run_says_where_to_look(world: World) -> None:
    world.run()
    for name in ("20260101T000000-00000000", "../../etc"):
        asked = world.query("select 1 from orders", "--run", name)
        assert asked.code == 2
        assert "dativo runs" in asked.err


@requirement("ERR-08")
def test_hostile_sql_is_refused(world: World) -> None:
    world.run()
    for sql in (
        "copy orders to 'stolen.csv'",
        "select * from read_text('/etc/passwd')",
        "drop table orders",
        "attach 'x.db'",
        "select 1; select 2",
        "install httpfs",
    ):
        asked = world.query(sql)
        assert asked.code == 2, sql
        assert "root:" not in asked.out + asked.err
    assert not (world.folder / "stolen.csv").exists()
    assert world.query("select count(*) as n from orders", "--json").json == [{"n": 4}]
