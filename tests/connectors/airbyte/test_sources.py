"""What sources of Airbyte do besides sending records, and how they are asked as images."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dativo_provider.errors import ConfigurationError, DativoError, SourceUnavailable
from dativo_provider.model.job import IncrementalSpec
from dativo_provider.model.stream import WindowRequest
from tests.conformance.readers import START, Run, extracted, opened, planned, rows_of
from tests.conformance.readers import run as run_whole
from tests.connectors.airbyte.world import SCRIPT, TOKEN, AirbyteWorld
from tests.support import requirement

DOCKER = f"""\
#!{sys.executable} -ISB
import json, os, pathlib, subprocess, sys
notes = pathlib.Path({{notes!r}})
with notes.open("a") as file:
    file.write(json.dumps(sys.argv[1:]) + chr(10))
if sys.argv[1] == "run":
    words = sys.argv[2:]
    folder = words[words.index("--volume") + 1].partition(":")[0]
    inside = words[next(n for n, word in enumerate(words) if word.startswith("airbyte/")) + 1:]
    inside = [word.replace("/dativo/", folder + "/") for word in inside]
    sys.exit(subprocess.call([sys.executable, "-ISB", {str(SCRIPT)!r}, *inside]))
"""


@pytest.fixture
def world(tmp_path: Path) -> AirbyteWorld:
    made = AirbyteWorld(tmp_path)
    made.add(rows_of(20))
    return made


def read(world: AirbyteWorld, incremental: bool = False) -> Run:
    spec = world.stream(incremental)
    return extracted(world, spec, planned(world, spec, WindowRequest(full=not incremental)))


@pytest.mark.parametrize("kind", ["STREAM", "GLOBAL", "LEGACY"])
def test_every_kind_of_state_is_given_back_as_it_was_said(world: AirbyteWorld, kind: str) -> None:
    world.more = {"state": kind}
    first = run_whole(world, incremental=True)
    world.add(rows_of(5, 21, START.replace(hour=13)))
    second = run_whole(world, first.cursor, incremental=True)
    assert sorted(second.ids) == list(range(21, 26))
    assert "sourceStats" not in world.told.read_text()


@requirement("CFG-16")
@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("die", SourceUnavailable),
        ("transient_error", SourceUnavailable),
        ("system_error", SourceUnavailable),
        ("config_error", ConfigurationError),
        ("incomplete", SourceUnavailable),
    ],
)
def test_what_a_source_gave_before_it_failed_is_not_taken(
    world: AirbyteWorld, what: str, kind: type[DativoError]
) -> None:
    first = run_whole(world, incremental=True)
    world.add(rows_of(3000, 21, START.replace(hour=13)))
    world.more = {"fault": {"at": 2500, "what": what}}
    with pytest.raises(kind) as caught:
        run_whole(world, first.cursor, incremental=True)
    assert TOKEN not in str(caught.value)
    world.more = {}
    assert sorted(run_whole(world, first.cursor, incremental=True).ids) == list(range(21, 3021))


def test_a_full_read_leaves_no_state_that_would_end_later_ones(world: AirbyteWorld) -> None:
    """https://github.com/airbytehq/airbyte/issues/42888"""
    assert len(read(world).ids) == 20
    assert read(world).cursor is None


def test_a_source_that_changes_its_settings_is_told_of(world: AirbyteWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    world.more = {"fault": {"at": 5, "what": "control"}}
    assert len(read(world).ids) == 20
    assert "changed its own settings" in caplog.text
    assert "begin with ***" in caplog.text


def test_a_stray_print_is_kept_beside_the_records(world: AirbyteWorld) -> None:
    world.more = {"fault": {"at": 5, "what": "print"}}
    made = read(world)
    assert (len(made.ids), len(made.rejects)) == (20, 1)
    assert "line 7 of source-toy" in made.rejects[0].reason


def test_records_that_are_gone_are_deletes(world: AirbyteWorld) -> None:
    world.more = {"fault": {"at": 5, "what": "gone"}}
    (batch,) = read(world).batches[0]
    assert (batch.ops.to_pylist() if batch.ops else []).count("delete") == 1


def test_a_stream_of_the_same_name_in_another_namespace_stays_out(world: AirbyteWorld) -> None:
    world.more = {"fault": {"at": 5, "what": "other stream"}}
    assert sorted(read(world).ids) == list(range(1, 21))


def test_a_record_without_its_namespace_is_of_the_stream_that_was_asked_for(world: AirbyteWorld) -> None:
    world.more = {"fault": {"at": 5, "what": "no namespace"}}
    assert sorted(read(world).ids) == [*range(1, 21), 77]


@pytest.mark.parametrize("kind", ["STREAM", "GLOBAL"])
def test_numbers_of_a_state_come_back_as_numbers(world: AirbyteWorld, kind: str) -> None:
    world.more = {"state": kind}
    first = run_whole(world, incremental=True)
    run_whole(world, first.cursor, incremental=True)
    assert '"page": 1.5' in json.dumps(json.loads(world.told.read_text())["state"])


@pytest.mark.parametrize(("name", "kind"), [("main.events", "incremental"), ("things", "full")])
def test_a_run_that_brings_everything_again_says_so(world: AirbyteWorld, name: str, kind: str) -> None:
    spec = world.stream(incremental=True, name=name)
    assert planned(world, spec, WindowRequest()).window.kind == kind


def test_streams_that_share_a_name_are_told_apart(world: AirbyteWorld) -> None:
    with opened(world) as reader:
        assert [each.name for each in reader.discover()] == ["things", "main.events", "hanging", "other.events"]


@pytest.mark.parametrize(
    ("cursor", "said"), [("", "does not say what is new"), ("updated", "has no property 'updated'")]
)
def test_a_cursor_that_the_source_cannot_follow_is_refused(world: AirbyteWorld, cursor: str, said: str) -> None:
    spec = replace(world.stream(), incremental=IncrementalSpec("incremental", cursor))
    with pytest.raises(ConfigurationError, match=said):
        extracted(world, spec, planned(world, spec, WindowRequest()))


def test_the_source_is_asked_for_the_columns_of_the_job(world: AirbyteWorld) -> None:
    spec = replace(world.stream(incremental=True), columns=("name",))
    extracted(world, spec, planned(world, spec, WindowRequest()))
    (asked,) = json.loads(world.told.read_text())["catalog"]["streams"]
    assert set(asked["stream"]["json_schema"]["properties"]) == {"id", "name", "updated_at"}
    assert (asked["sync_mode"], asked["cursor_field"]) == ("incremental", ["updated_at"])


@pytest.fixture
def docker(world: AirbyteWorld, tmp_path: Path) -> Path:
    """A command that notes how it is called and runs the source here."""
    notes, command = tmp_path / "notes.jsonl", tmp_path / "bin" / "docker"
    command.parent.mkdir()
    command.write_text(DOCKER.format(notes=str(notes)))
    command.chmod(0o755)
    world.variables = {"PATH": str(command.parent), "DOCKER_HOST": "unix:///nowhere", "AWS_SECRET_ACCESS_KEY": "x"}
    world.options = {"docker_image": "airbyte/source-toy:1.0", "memory_mb": 512}
    return notes


@requirement("CFG-16")
def test_an_image_is_run_with_its_files_and_ended(world: AirbyteWorld, docker: Path) -> None:
    first = run_whole(world, incremental=True)
    assert sorted(first.ids) == list(range(1, 21))
    assert run_whole(world, first.cursor, incremental=True).ids == []
    calls = [json.loads(line) for line in docker.read_text().splitlines()]
    reads = [call for call in calls if "read" in call]
    words = " ".join(reads[-1])
    for part in ("run --rm", "--user", ":/dativo:ro", "--memory 512m", "--cap-drop ALL", "airbyte/source-toy:1.0 read"):
        assert part in words
    files = "read --config /dativo/config.json --catalog /dativo/catalog.json --state /dativo/state.json"
    assert words.endswith(files)
    named = {call[call.index("--name") + 1] for call in calls if call[0] == "run"}
    assert {call[-1] for call in calls if call[0] == "rm"} == named


@pytest.mark.parametrize(
    "image", ["evil/image", "airbyte/source-x --privileged", "evil.com/airbyte/source-x", "-v=/:/h"]
)
def test_images_of_others_are_refused(world: AirbyteWorld, docker: Path, image: str) -> None:
    world.options = {"docker_image": image}
    with pytest.raises(ConfigurationError, match="none of Airbyte's images"):
        read(world)
    assert not docker.exists()
