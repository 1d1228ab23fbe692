"""`dativo state set` and `import` on cursor columns of a real database: the next run reads from there on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Answer, World
from tests.services.postgres import Database
from tests.support import requirement

KINDS = [
    ("timestamptz", "2026-03-01T14:00:00+02:00", "2026-03-01T12:00:00.000000+00:00", "best with its zone"),
    ("timestamp", "2026-03-01T12:00:00", "2026-03-01T12:00:00.000000", "without a zone"),
    ("date", "2026-03-01", "2026-03-01", "write an ISO date"),
    ("int", "2", "2", "a whole number"),
    ("bigint", "2", "2", "a whole number"),
]
WRONG = {"timestamp": "2026-03-01T12:00:00+02:00", "int": "2147483648", "bigint": "2026-03-01"}


def shop(world: World, database: Database, kind: str) -> Path:
    """A job over three rows, whose cursors lie before, at and after the value of `KINDS`."""
    values = ("1", "2", "3") if "int" in kind else tuple(f"'2026-0{month}-01T12:00:00Z'" for month in (2, 3, 4))
    database.execute(f"create table orders (id int primary key, at {kind})")
    for number, value in enumerate(values, 1):
        database.execute(f"insert into orders values ({number}, {value})")
    os.environ["DATIVO_SECRET__EXAMPLE__SHOP"] = database.params["password"]  # the fixture's monkeypatch undoes it
    source = {
        "connection": {**database.params, "password": "${SECRET:shop}"},
        "tables": [{"name": "public.orders", "object": "orders", "key": ["id"]}],
        "incremental": {"strategy": "cursor_field", "cursor_field": "at"},
    }
    target = {"write_mode": "merge"}
    job = world.job.with_name("shop.yaml")
    job.write_text(
        json.dumps({"tenant_id": "example", "source_connector": "postgres", "source": source, "target": target})
    )
    return job


def state(world: World, job: Path, *words: str | Path) -> Answer:
    return world.dativo("state", words[0], "--config", job, *words[1:])


def extracted(world: World, job: Path) -> int:
    ran = world.dativo("run", "--config", job, "--json")
    assert ran.code == 0, ran.err
    return int(ran.json["streams"][0]["books"]["extracted"])


@requirement("STA-02", "STA-03", "STA-05")
@pytest.mark.parametrize(("kind", "written", "kept", "expected"), KINDS, ids=[kind for kind, *_ in KINDS])
def test_a_cursor_set_by_hand_is_where_the_next_run_begins(
    world: World, database: Database, kind: str, written: str, kept: str, expected: str
) -> None:
    job = shop(world, database, kind)
    assert extracted(world, job) == 3
    wrong = state(world, job, "set", "--to", WRONG.get(kind, "soon"))
    assert wrong.code == 2
    assert "is no value of cursor 'at'" in wrong.err
    assert expected in wrong.err
    done = state(world, job, "set", "--to", written)
    assert done.code == 0, done.err
    [lane] = state(world, job, "show", "--json").json
    assert lane["cursor"]["value"]["value"] == kept
    assert extracted(world, job) == 2


@requirement("STA-05")
def test_a_whole_cursor_must_be_of_the_streams_form(world: World, database: Database) -> None:
    job = shop(world, database, "bigint")
    assert extracted(world, job) == 3
    for written, said in [
        ({"column": "at", "type": "long", "value": "soon"}, "is no value of cursor 'at', which is long"),
        ({"column": "id", "type": "long", "value": "2"}, "is a value of column 'at'"),
        ({"files": {}}, "is a value of column 'at'"),
    ]:
        refused = state(world, job, "set", "--cursor", json.dumps(written))
        assert refused.code == 2, written
        assert said in refused.err
    done = state(world, job, "set", "--cursor", '{"column": "at", "type": "string", "value": 2}')
    assert done.code == 0, done.err
    [lane] = state(world, job, "show", "--json").json
    assert lane["cursor"]["value"] == {"column": "at", "type": "long", "value": "2"}


@requirement("STA-05")
@pytest.mark.parametrize("name", ["public.orders.at", "orders.at"])
@pytest.mark.parametrize(("kind", "last"), [("timestamptz", "2026-03-01T12:00:00"), ("bigint", 2)])
def test_a_state_file_of_the_original_is_taken_over_by_object_and_cursor(
    world: World, database: Database, kind: str, last: object, name: str
) -> None:
    job = shop(world, database, kind)
    assert extracted(world, job) == 3
    folder = world.folder / "example"
    folder.mkdir()
    entries = {
        name: {"last_value": last, "updated_at": "2026-03-02T00:00:00"},
        "orders.id": {"last_value": 1, "updated_at": "2026-03-02T00:00:00"},
        "customers.at": {"last_value": last, "updated_at": "2026-03-02T00:00:00"},
    }
    (folder / "postgres.orders.state.json").write_text(json.dumps(entries))
    taken = state(world, job, "import", "--file", folder)
    assert taken.code == 0, taken.err
    for left in ("orders.id", "customers.at"):
        assert f"{left}: no stream of the job has this object and cursor" in taken.out
    assert extracted(world, job) == 2


@requirement("STA-05")
def test_a_value_of_the_original_that_does_not_fit_the_column_is_left_and_named(
    world: World, database: Database
) -> None:
    job = shop(world, database, "bigint")
    assert extracted(world, job) == 3
    file = world.folder / "postgres.orders.state.json"
    file.write_text(json.dumps({"orders.at": {"last_value": "2026-03-01", "updated_at": "2026-03-02T00:00:00"}}))
    taken = state(world, job, "import", "--file", file)
    assert taken.code == 2
    assert "is no value of cursor 'at', which is long" in taken.out
    assert extracted(world, job) == 0, "it stays behind the last row"
