from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import World
from tests.support import requirement


def state(world: World, *words: str | Path) -> object:
    return world.dativo("state", words[0], "--config", world.job, *words[1:])


@requirement("STA-01", "STA-02", "STA-03", "STA-04")
def test_state_is_shown_for_people_and_for_programs(world: World) -> None:
    fresh = state(world, "show", "--json").json
    assert [(lane["lane"], lane["seq"], lane["cursor"]) for lane in fresh] == [("live", 0, None)]
    world.run()
    [lane] = state(world, "show", "--json").json
    assert (lane["tenant"], lane["job"], lane["stream"], lane["seq"]) == ("example", "orders", "orders", 1)
    assert lane["runs"] == [lane["last_run"]["plan_id"]]
    assert (lane["last_run"]["status"], lane["retry"], lane["pending"]) == ("published", None, "")
    shown = state(world, "show")
    assert shown.code == 0
    assert lane["runs"][0] in shown.out


@requirement("STA-04")
def test_a_failing_stream_shows_its_error_its_attempts_and_that_nobody_will_retry(world: World) -> None:
    world.run()
    with (world.data / "orders.csv").open("a") as file:
        file.write("9,broken\n")  # a file that was read before has changed
    for _ in range(2):
        assert world.run().code == 2
    [lane] = state(world, "show", "--json").json
    assert lane["retry"]["attempts"] == 2
    assert lane["retry"]["error"]["message"]
    assert lane["retry"]["next_at"] is None
    assert "by hand" in state(world, "show").out


@requirement("STA-05", "STA-07")
def test_a_reset_reads_the_files_again_and_a_key_keeps_their_rows_from_doubling(world: World) -> None:
    world.run()
    [before] = world.query("select count(*) as n from orders", "--json").json
    done = state(world, "reset")
    assert done.code == 0, done.err
    assert "reads from the beginning" in done.out
    assert "told by" in done.out
    assert world.run().code in (0, 1)
    assert world.query("select count(*) as n from orders", "--json").json == [before]
    [lane] = state(world, "show", "--json").json
    assert (lane["seq"], lane["rewound"]) == (3, False)
    listed = world.dativo("runs", "--json").json
    assert [record["status"] for record in listed] == ["published", "state_changed", "published"]


@requirement("STA-05")
def test_what_was_exported_can_be_imported_elsewhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run()
    file = world.folder / "state.json"
    assert state(world, "export", "--file", file).code == 0
    known = json.loads(file.read_text())["lanes"][0]["cursor"]
    monkeypatch.setenv("DATIVO_HOME", str(world.folder / "another"))
    taken = state(world, "import", "--file", file)
    assert taken.code == 0, taken.err
    [lane] = state(world, "show", "--json").json
    assert (lane["cursor"]["value"], lane["seq"]) == (known, 1)
    assert world.run("--json").json["streams"][0]["status"] == "nothing_new"


@requirement("STA-05")
def test_state_files_of_the_original_are_taken_over_and_the_rest_is_named(world: World) -> None:
    folder = world.folder / "example"
    folder.mkdir()
    entries = {
        "file_orders.csv": {"last_modified": "2099-01-01T00:00:00", "file_id": "orders.csv"},
        "file_gone.csv": {"last_modified": "2026-01-01T00:00:00", "file_id": "gone.csv"},
        "invoices.updated_at": {"last_value": "2026-01-01T00:00:00", "updated_at": "2026-01-02T00:00:00"},
    }
    (folder / "csv.orders.state.json").write_text(json.dumps(entries))
    taken = state(world, "import", "--file", folder)
    assert taken.code == 0, taken.err
    assert "file_gone.csv: no stream of the job has such a file" in taken.out
    assert "invoices.updated_at: no stream of the job has this object and cursor" in taken.out
    assert world.run("--json").json["streams"][0]["status"] == "nothing_new"


@requirement("STA-05")
def test_a_file_that_changed_after_the_original_read_it_is_read(world: World) -> None:
    file = world.folder / "csv.orders.state.json"
    file.write_text(json.dumps({"file_orders.csv": {"last_modified": "1999-01-01T00:00:00", "file_id": "orders.csv"}}))
    taken = state(world, "import", "--file", file)
    assert taken.code == 2
    assert "has changed since" in taken.out


def test_what_is_no_state_is_refused(world: World) -> None:
    bad = world.folder / "bad.json"
    for text in ("", "[]", "{", '{"format": "dativo-state/1", "tenant": "globex", "lanes": []}'):
        bad.write_text(text)
        assert state(world, "import", "--file", bad).code == 2, text
    assert state(world, "import", "--file", world.folder / "nowhere").code == 2
    assert state(world, "import").code == 2


@requirement("STA-09")
def test_a_run_under_way_is_not_disturbed_unless_asked(world: World) -> None:
    from dataclasses import replace

    from dativo_provider.config import settings_from
    from dativo_provider.model.context import RunContext
    from dativo_provider.store import open_store

    world.run()
    store = open_store(RunContext(settings_from({"home": str(world.folder / "home")})))
    [record] = store.runs()
    store.begin(replace(record, plan_id="20990101T000000-00000000", status="running", started_at="2099-01-01T00:00:00"))
    refused = state(world, "reset")
    assert refused.code == 2
    assert "has not ended" in refused.err
    assert state(world, "reset", "--force").code == 0


def test_a_value_needs_a_column(world: World) -> None:
    assert state(world, "set").code == 2
    assert state(world, "set", "--cursor", "{").code == 2
    assert state(world, "set", "--cursor", "[]").code == 2
    refused = state(world, "set", "--to", "2026-01-01")
    assert refused.code == 2
    assert "--cursor JSON" in refused.err
