"""Whatever a tap does, nothing is lost, doubled or shown; files and processes are gone afterwards."""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError, DativoError, SourceChanged, SourceUnavailable
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.stream import WindowRequest
from tests.conformance.readers import START, Run, extracted, planned, row, rows_of
from tests.conformance.readers import run as run_whole
from tests.connectors.singer.world import TOKEN, SingerWorld
from tests.support import requirement


class Broken(SingerWorld):
    """A tap that misbehaves as `fault` says."""

    fault: dict[str, Any]
    options: dict[str, Any]

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fault, self.options, self.told = {}, {}, folder / "told.json"

    def source(self, **more: Any) -> SourceSpec:
        return self.with_options(self.options, fault=self.fault, tells=str(self.told), **more)


@pytest.fixture
def world(tmp_path: Path) -> Broken:
    made = Broken(tmp_path)
    made.add(rows_of(20))
    return made


def read(world: Broken, spec: StreamSpec | None = None) -> Run:
    spec = spec or world.stream()
    return extracted(world, spec, planned(world, spec, WindowRequest(full=True)))


@requirement("CFG-16")
@pytest.mark.parametrize("what", ["die", "exit"])
def test_what_a_tap_gave_before_it_died_is_not_taken(world: Broken, what: str) -> None:
    first = run_whole(world, incremental=True)
    world.add(rows_of(3000, 21, START.replace(hour=13)))
    world.fault = {"at": 2500, "what": what}
    with pytest.raises(SourceUnavailable) as caught:
        run_whole(world, first.cursor, incremental=True)
    assert TOKEN not in str(caught.value)
    world.fault = {}
    after = run_whole(world, first.cursor, incremental=True)
    assert sorted(after.ids) == list(range(21, 3021))
    assert run_whole(world, after.cursor, incremental=True).ids == []


def test_the_last_words_of_a_tap_are_told_without_its_secrets(world: Broken) -> None:
    world.fault = {"at": 3, "what": "exit"}
    with pytest.raises(SourceUnavailable, match=r"exit code 3.*503.*asked with") as caught:
        read(world)
    assert TOKEN not in str(caught.value)


def test_a_tap_that_hangs_is_ended(world: Broken) -> None:
    world.fault, world.options = {"at": 3, "what": "hang"}, {"timeout_seconds": 0.5}
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"said nothing for 0\.5 s"):
        read(world)
    assert time.monotonic() - began < 8
    assert ended(json.loads(world.told.read_text())["pid"])


def test_a_tap_that_takes_too_much_memory_is_ended(world: Broken) -> None:
    world.fault, world.options = {"at": 3, "what": "swell"}, {"memory_mb": 200}
    with pytest.raises(SourceUnavailable, match="more than 200 MB"):
        read(world)


def test_what_a_tap_leaves_running_ends_with_it(world: Broken) -> None:
    world.fault = {"at": "end", "what": "stay behind"}
    began = time.monotonic()
    assert len(read(world).ids) == 20
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("print", "no JSON object"),
        ("half a message", "no JSON object"),
        ("no message", "no message of Singer's"),
    ],
)
def test_a_line_that_is_no_message_is_told_and_kept_with_its_number(world: Broken, what: str, reason: str) -> None:
    world.fault = {"at": 5, "what": what}
    made = read(world)
    assert sorted(made.ids) == list(range(1, 21))
    (reject,) = made.rejects
    assert (reject.position, reject.origin) == (8, "events")  # after SCHEMA, ACTIVATE_VERSION and five records
    assert "line 8 of tap-toy" in reject.reason
    assert reason in reject.reason
    assert made.results[0].rows == 21


@pytest.mark.parametrize(("asked", "found"), [("things", "things"), ("main-things", "main-things")])
def test_the_name_of_a_stream_goes_before_what_another_is_called_as_well(world: Broken, asked: str, found: str) -> None:
    (piece,) = planned(world, world.stream(name=asked), WindowRequest(full=True)).slices
    assert piece.spec["entry"]["tap_stream_id"] == found


def test_a_secret_that_a_tap_prints_is_not_set_aside(world: Broken) -> None:
    world.fault = {"at": 5, "what": "show"}
    (reject,) = read(world).rejects
    assert reject.raw == "logged in with ***"


def test_numbers_of_a_state_come_back_as_numbers(world: Broken) -> None:
    first = run_whole(world, incremental=True)
    run_whole(world, first.cursor, incremental=True)
    assert json.loads(world.told.read_text())["state"]["bookmarks"]["events"]["page"] == 1.5


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, "incremental"),
        ({"object": "things", "incremental": IncrementalSpec("incremental")}, "full"),
        ({"options": {"replication_method": "FULL_TABLE"}}, "full"),
        ({"options": {"replication_method": "LOG_BASED"}}, "incremental"),
    ],
)
def test_a_run_that_brings_everything_again_says_so(world: Broken, change: dict[str, Any], kind: str) -> None:
    spec = replace(world.stream(incremental=True), **change)
    assert planned(world, spec, WindowRequest()).window.kind == kind


def test_a_tap_sees_its_own_files_and_nothing_of_ours(world: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    read(world)
    told = json.loads(world.told.read_text())
    assert set(told["files"].values()) == {"0o600"}
    assert "s3cret" not in str(told["environment"])
    assert set(told["environment"]) <= {"HOME", "LANG", "LC_CTYPE", "PATH", "TMPDIR", "TZ"}
    assert not Path(told["folder"]).exists()


def test_what_a_tap_says_is_logged_without_its_secrets(world: Broken, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    read(world)
    assert "tap-toy: INFO begin with ***" in caplog.text
    assert TOKEN not in caplog.text


def test_records_marked_as_deleted_are_deletes(world: Broken) -> None:
    world.fault = {"at": 20 - 1, "what": "gone"}
    (batch,) = read(world).batches[0]
    ops = [] if batch.ops is None else batch.ops.to_pylist()
    assert (ops.count("delete"), len(ops)) == (1, 21)


@pytest.mark.parametrize("at", [0, 7], ids=["first", "in the middle"])
def test_properties_that_were_not_announced_are_told(world: Broken, caplog: pytest.LogCaptureFixture, at: int) -> None:
    world.fault = {"at": at, "what": "unannounced"}
    assert read(world).results[0].detail["unknown_fields"] == ["nickname"]
    assert "nickname" in caplog.text


def test_records_of_a_parent_that_is_read_along_stay_out(world: Broken) -> None:
    world.fault, world.options = {"at": 4, "what": "other stream"}, {"also_select": ["parents"]}
    assert sorted(read(world).ids) == list(range(1, 21))
    assert [each["stream"] for each in json.loads(world.told.read_text())["catalog"]["streams"]] == [
        "events",
        "parents",
    ]


def test_a_file_of_records_is_read_in_its_place(world: Broken) -> None:
    world.fault, world.options = {"at": 4, "what": "batch"}, {"batches": True}
    assert sorted(read(world).ids) == [*range(1, 21), 9001, 9002, 9003]


def test_a_file_of_records_is_read_wherever_its_message_says_that_it_is_one(world: Broken) -> None:
    world.fault, world.options = {"at": 4, "what": "batch", "head": 1000}, {"batches": True}
    assert sorted(read(world).ids) == [*range(1, 21), 9001, 9002, 9003]


def test_a_file_of_records_elsewhere_is_refused(world: Broken) -> None:
    world.fault, world.options = {"at": 4, "what": "batch", "elsewhere": True}, {"batches": True}
    with pytest.raises(SourceChanged, match="outside its own folder"):
        read(world)


def test_only_what_a_job_reads_is_selected(world: Broken) -> None:
    spec = replace(world.stream(incremental=True), columns=("name",))
    made = extracted(world, spec, planned(world, spec, WindowRequest()))
    assert made.batches[0][0].data.schema.names == ["name"]
    (entry,) = json.loads(world.told.read_text())["catalog"]["streams"]
    chosen = {tuple(each["breadcrumb"]): each["metadata"].get("selected") for each in entry["metadata"]}
    assert chosen[("properties", "amount")] is False
    assert all(chosen[("properties", name)] for name in ("id", "name", "updated_at"))
    assert entry["replication_method"] == "INCREMENTAL"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"object": "evnts", "name": "evnts"}, "did you mean 'events'|has no stream 'evnts'"),
        ({"options": {"replication_key": "updated"}}, "cannot follow 'updated'"),
        ({"options": {"replication_method": "SOMETIMES"}}, "no replication method"),
    ],
)
def test_a_job_that_asks_for_what_is_not_there_is_told(world: Broken, change: dict[str, Any], said: str) -> None:
    spec = replace(world.stream(incremental=True), **change)
    with pytest.raises(ConfigurationError, match=said):
        extracted(world, spec, planned(world, spec, WindowRequest()))


def test_a_row_that_changed_within_the_last_moment_comes_again(world: Broken) -> None:
    first = run_whole(world, incremental=True)
    assert len(first.ids) == 20
    world.add([row(7, name="changed")])
    second = run_whole(world, first.cursor, incremental=True)
    assert [(each["id"], each["name"]) for each in second.rows] == [(7, "changed")]
    assert run_whole(world, second.cursor, incremental=True).ids == []


def test_a_range_of_a_tap_is_refused(world: Broken) -> None:
    with pytest.raises(ConfigurationError, match="has no range"):
        planned(world, world.stream(incremental=True), WindowRequest(start="2026-01-01"))


def test_a_killed_caller_takes_the_tap_along(world: Broken) -> None:
    world.fault = {"at": 3, "what": "hang"}
    child = os.fork()
    if child == 0:
        with suppress(DativoError):
            read(world)
        os._exit(0)
    while not world.told.exists() or not world.told.read_text():
        time.sleep(0.02)
    tap = int(json.loads(world.told.read_text())["pid"])
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert ended(tap)


def ended(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False
