from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.quality.evidence.seal import sealed
from tests.cli.conftest import Command, World
from tests.support import requirement


def run_twice(world: World) -> None:
    world.run()
    (world.data / "more.csv").write_text((world.data / "orders.csv").read_text() + "\n")
    world.run()


@requirement("DQ-12", "DQ-16")
def test_the_score_comes_with_its_coverage_and_with_what_nobody_checks(world: World) -> None:
    world.run()
    found = world.dativo("quality", "score", "--config", world.job, "--json").json
    assert found["total"]["coverage"] == 1
    assert 0 < found["total"]["value"] < 100
    assert found["goal"] == 95
    assert found["goal_reached"] is (found["total"]["value"] > 95)
    assert found["columns"]["amount"]["value"] < 100
    shown = world.dativo("quality", "score", "--config", world.job)
    assert shown.code == 0
    assert f"score {found['total']['value']:g} of 100, over 100% of the checks" in shown.out
    for name in found["unchecked"]:
        assert name in shown.out


@requirement("DQ-12")
def test_the_trend_has_every_audited_run_oldest_first(world: World) -> None:
    assert "no run has left a score" in world.dativo("quality", "trend", "--config", world.job).out
    run_twice(world)
    points = world.dativo("quality", "trend", "--config", world.job, "--json").json
    assert len(points) == 2
    assert points[0]["at"] < points[1]["at"]
    assert str(points[0]["score"]) in world.dativo("quality", "trend", "--config", world.job).out


@requirement("DQ-17")
def test_an_auditor_gets_every_result_with_its_versions(world: World) -> None:
    world.run()
    rows = list(csv.DictReader(io.StringIO(world.dativo("quality", "evidence").out)))
    record = world.dativo("runs", "--last", "--json").json[0]
    assert len(rows) == len(record["verdict"]["results"])
    assert {row["data_version"] for row in rows} == {str(record["snapshot_id"])}
    assert {row["contract_version"] for row in rows} == {record["contract_version"]}
    assert {row["engine"] for row in rows} <= {"stream", "scan", "stats", "engine", "none"}
    failed = [row for row in rows if row["outcome"] == "failed"]
    assert failed
    assert int(failed[0]["failed"]) > 0
    assert float(rows[0]["run_seconds"]) > 0
    looked = [row for row in rows if row["engine"] in ("stream", "scan")]
    assert all(float(row["seconds"]) > 0 for row in looked)
    assert sum(float(row["seconds"]) for row in looked) < float(rows[0]["run_seconds"])
    assert {row["engine_version"].split()[0] for row in looked} <= {"pyarrow", "duckdb"}
    assert all(re.search(r" \d+\.\d+", row["engine_version"]) for row in looked)
    again = world.dativo("quality", "evidence", "--config", world.job, "--format", "json").json
    assert [row["check_id"] for row in again] == [row["check_id"] for row in rows]


@requirement("DQ-17")
@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (lambda rows: [{**rows[0], "outcome": "skipped"}, *rows[1:]], "row 1 is not as it was"),
        (lambda rows: [*rows[:1], *rows[2:]], "row 2 is not as it was"),
        (lambda rows: [*rows[:-2], rows[-1], rows[-2]], "is not as it was"),
        (lambda rows: rows[:-1], "its digest is"),
        (lambda rows: [*sealed({**row, "decided_by": "nobody"} for row in rows)], "its digest is"),
        (lambda rows: rows, ""),
    ],
    ids=["a cell", "a row gone", "rows moved", "the end cut off", "all made anew", "nothing"],
)
def test_evidence_shows_that_somebody_has_changed_it(
    world: World, kind: str, changed: Callable[[list[Any]], list[Any]], told: str
) -> None:
    world.run()
    file = world.folder / f"evidence.{kind}"
    said = world.dativo("quality", "evidence", "--format", kind, "--output", file).out
    [digest] = re.findall(r"digest ([0-9a-f]{64})", said)
    rows = json.loads(file.read_text()) if kind == "json" else list(csv.DictReader(file.open(newline="")))
    written(file, changed(rows))
    answer = world.dativo("quality", "evidence", "--verify", file, "--digest", digest)
    assert (answer.code, told in answer.err) == (2 if told else 0, True)


def written(file: Path, rows: list[Any]) -> None:
    with file.open("w", newline="") as out:
        if file.suffix == ".json":
            json.dump(rows, out)
            return
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


@requirement("DQ-17")
def test_evidence_is_cut_by_time_and_a_failed_run_is_in_it(world: World) -> None:
    world.run()
    assert world.dativo("quality", "evidence", "--to", "2001-01-01", "--format", "json").json == []
    assert world.dativo("quality", "evidence", "--from", "2999-01-01", "--format", "json").json == []
    wrong = world.dativo("quality", "evidence", "--from", "yesterday")
    assert wrong.code == 2
    assert "--from yesterday: this is no time" in wrong.err
    world.edit(world.job, "source:\n", "schema_validation_mode: strict\nsource:\n")
    (world.data / "new.csv").write_text((world.data / "orders.csv").read_text())
    world.run()
    statuses = {row["status"] for row in world.dativo("quality", "evidence", "--format", "json").json}
    assert statuses == {"published", "blocked"}


@requirement("DQ-12", "DQ-03")
def test_drift_is_reported_with_a_recommendation(world: World) -> None:
    header, *rest = (world.data / "orders.csv").read_text().splitlines()
    (world.data / "orders.csv").write_text("\n".join([f"{header},colour", *(f"{row},red" for row in rest)]) + "\n")
    world.run()
    found = world.dativo("quality", "drift", "--config", world.job, "--json").json
    assert found["added"] == [{"column": "colour", "type": "string"}]
    assert found["removed"] == found["type_changes"] == []
    assert "add it to the contract" in found["recommendations"][0]
    assert "colour" in world.dativo("quality", "drift", "--config", world.job).out


@requirement("DQ-17")
def test_the_report_is_one_file_that_needs_no_network_and_shows_no_row(world: World) -> None:
    run_twice(world)
    written = world.dativo("quality", "report", "--config", world.job, "--output", world.folder / "r.html")
    assert written.code == 0, written.err
    html = (world.folder / "r.html").read_text()
    assert not re.search(r"https?://|<script|<link|@import", html)
    assert "<svg" in html
    assert "Score:" in html
    assert "@example" not in html
    first = world.dativo("runs", "--json").json[1]["plan_id"]
    world.dativo("quality", "report", "--config", world.job, "--run", first, "--output", world.folder / "1.html")
    assert "failed" in (world.folder / "1.html").read_text()


def test_a_job_without_runs_and_an_unknown_stream_are_told(world: World, dativo: Command) -> None:
    assert "no audited run" in world.dativo("quality", "score", "--config", world.job).err
    assert "no stream 'x'" in world.dativo("quality", "trend", "--config", world.job, "--stream", "x").err
    assert "is of one job" in dativo("quality", "score").err
    assert json.loads(world.dativo("quality", "trend", "--config", world.job, "--json").out) == []


@requirement("DQ-09", "DQ-12")
def test_a_level_is_accepted_with_who_and_why_and_then_a_run_publishes(world: World) -> None:
    rule = "{name: as_many, type: change, metric: rows, min: -50, max: 100}"
    world.edit(world.job, "source:\n", f"data_contract:\n  quality_checks:\n    - {rule}\nsource:\n")
    world.run()
    header, *rest = (world.data / "orders.csv").read_text().splitlines()
    (world.data / "more.csv").write_text("\n".join([header, *rest * 4]) + "\n")
    blocked = world.run()
    assert blocked.code == 2
    assert "dativo quality accept --config" in blocked.err + blocked.out
    said = ("quality", "accept", "--config", world.job)
    assert "is accepted for a reason" in world.dativo(*said).err
    done = world.dativo(*said, "--check", "as_many", "--by", "ann", "--reason", "a new shop")
    assert (done.code, "on normal is rows_accepted" in done.out) == (0, True)
    assert "this was accepted before" in world.dativo(*said, "--reason", "again").out
    assert world.run().code == 1, "published, with the rows that are always set aside"
    shown = world.dativo("quality", "trend", "--config", world.job, "--json").json
    [level] = [each for point in shown for each in point["accepted"]]
    assert (level["by"], level["reason"], list(level["levels"])) == ("ann", "a new shop", ["rows_accepted"])
    [row] = [row for row in world.dativo("quality", "evidence", "--format", "json").json if row["accepted_by"]]
    assert (row["check"], row["accepted_by"], row["accepted_because"]) == ("as_many", "ann", "a new shop")
    table = world.dativo("quality", "trend", "--config", world.job).out
    assert "a new shop" in re.sub(r"\s+", " ", table)
