"""Maintenance of plain tables: who lists folders sees every row once, whoever died or was faster."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from dativo_provider.errors import ConfigurationError, StorageUnavailable, Unsupported
from dativo_provider.files import local_path
from dativo_provider.lake.maintain import JOBS
from dativo_provider.lake.maintain import compact as leaf
from dativo_provider.lake.plain.catalog import FolderCatalog
from dativo_provider.lake.refs import set_ref
from dativo_provider.lake.rollback import Rollback
from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.maintenance import MaintenanceSpec
from dativo_provider.model.settings import Settings
from tests.conformance.targets import Died, commits
from tests.lake.killing import Point, in_child, start_child
from tests.lake.maintain.support import SPEC, age, data_paths, maintain, small_files
from tests.lake.plain.test_folders import folder, seen, sleeping, versions
from tests.lake.support import Lake, job, settings
from tests.services.s3 import S3
from tests.support import requirement

PARTS = (PartitionSpec("value"), PartitionSpec("at", "day"))
START = datetime(2026, 1, 1, tzinfo=UTC)


def lake_of(where: Settings, mode: str = "append", **target: Any) -> Lake:
    return Lake(where, job(connector="parquet", mode=mode, **target))


@pytest.fixture
def where(tmp_path: Path) -> Settings:
    return settings(tmp_path)


@pytest.fixture
def lake(where: Settings) -> Lake:
    return lake_of(where)


def tag(lake: Lake, name: str, version: str = "") -> int:
    return set_ref(lake.target.catalog, lake.name(), name, "tag", version, lake.target.allow)


def rollback(lake: Lake, to: object) -> None:
    catalog, files = lake.target.catalog, lake.target.files
    Rollback(
        catalog, files, lake.name(), tenant="acme", to=str(to), run_id="undo", keep_cursor=False,
        allow=lake.target.allow,
    ).run()  # fmt: skip
    lake.target.tidy(lake.name())


def head(lake: Lake) -> int:
    return int(lake.target.table(lake.name()).current_snapshot().snapshot_id)


# -- compact ------------------------------------------------------------------------------------------------


@requirement("TAG-08", "ING-07")
def test_small_files_become_one_per_folder_and_keep_what_only_folders_say(where: Settings) -> None:
    lake = lake_of(where, partitioning=PARTS)
    values = ["EU/West", None, "01"]
    for number in range(4):
        days = [{"id": 10 * number + n, "value": v, "at": START + timedelta(days=n)} for n, v in enumerate(values)]
        lake.run(days)
    before = lake.rows("id", "value", "at")
    done = maintain(lake, "compact")
    assert (done.outcome, done.before.files, done.after.files) == ("done", 12, 3)
    assert lake.rows("id", "value", "at") == before
    assert seen(lake) == lake.ids()
    assert {path.parent.name for path in folder(lake).rglob("*.parquet")} == {f"at_day=2026-01-0{n}" for n in (1, 2, 3)}
    assert all("value=" in str(path) for path in folder(lake).rglob("*.parquet"))


def test_copies_of_an_attempt_that_lost_its_race_are_taken_back(where: Settings, lake: Lake) -> None:
    rows = small_files(lake)
    busy: list[int] = []

    def behave(real: Any, catalog: Any, *rest: Any) -> Any:
        if not busy:
            busy.append(1)
            lake_of(where).run([900])
        return real(catalog, *rest)

    with commits(behave):
        assert maintain(lake, "compact").outcome == "done"
    assert seen(lake) == lake.ids() == [*rows, 900]
    assert len(data_paths(lake)) == 2


@pytest.mark.parametrize("then", ["compact", "orphans", "a run"])
def test_copies_of_a_compaction_that_died_go_as_soon_as_it_can_never_commit(lake: Lake, then: str) -> None:
    rows = small_files(lake)

    def die(*_: Any) -> Any:
        raise Died

    with commits(die), pytest.raises(Died):
        maintain(lake, "compact")
    assert (len(seen(lake)), lake.ids()) == (2 * len(rows), rows)  # what folders cannot hide
    if then != "compact":
        small_files(lake, count=1, start=500)
        rows = lake.ids()
    if then == "a run":
        lake.target.sweep_old(lake.plan())
    else:
        maintain(lake, then)
    assert seen(lake) == lake.ids() == rows


def test_tidying_takes_nothing_of_a_compaction_that_may_still_commit(where: Settings, lake: Lake) -> None:
    rows = small_files(lake)

    def behave(real: Any, catalog: Any, *rest: Any) -> Any:
        other = lake_of(where)
        maintain(other, "orphans")
        other.target.tidy(other.name())
        return real(catalog, *rest)

    with commits(behave):
        maintain(lake, "compact")
    assert seen(lake) == lake.ids() == rows


def test_a_sleeping_compaction_commits_nothing_whose_copies_were_taken_back(where: Settings, lake: Lake) -> None:
    """Its files were cleared away when a run came first: it has to copy them again before it commits."""
    rows = small_files(lake)
    busy: list[int] = []

    def behave(real: Any, catalog: Any, *rest: Any) -> Any:
        if not busy:
            busy.append(1)
            rival = lake_of(where)
            rival.run([900])
            rival.target.tidy(rival.name())
        return real(catalog, *rest)

    with commits(behave):
        maintain(lake, "compact")
    assert seen(lake) == lake.ids() == [*rows, 900]
    assert all(local_path(path).exists() for path in data_paths(lake))


def test_files_replaced_by_a_compaction_stay_as_long_as_the_job_says(where: Settings) -> None:
    lake = lake_of(where, options={"replaced_grace_minutes": 60})
    rows = small_files(lake)
    age(folder(lake), days=10)  # older than what sweeps take for unknown
    before = lake.target.table(lake.name())
    maintain(lake, "compact")
    assert sorted(before.scan().to_arrow()["id"].to_pylist()) == lake.ids() == rows
    assert maintain(lake, "orphans").outcome == "nothing"


def test_the_quarantine_is_compacted_too(lake: Lake) -> None:
    for number in range(4):
        lake.run([number], bad=[100 + number])
    found = Lake.name
    with mock.patch.object(Lake, "name", lambda self, quarantine=True: found(self, quarantine)):
        done = maintain(lake, "compact")
    assert (done.outcome, done.after.files) == ("done", 1)
    assert seen(lake, "row_id", quarantine=True) == lake.quarantine() == [f"r{100 + n}" for n in range(4)]


# -- versions -----------------------------------------------------------------------------------------------


@requirement("ML-04")
def test_tagged_files_are_neither_compacted_nor_expired(lake: Lake) -> None:
    rows = small_files(lake, count=3)
    tagged = tag(lake, "model_v1")
    small_files(lake, count=3, start=500)
    for name in ("compact", "expire", "orphans"):
        maintain(lake, name, later=2)
    table = lake.target.table(lake.name())
    assert sorted(table.scan(snapshot_id=tagged).to_arrow()["id"].to_pylist()) == rows
    assert (len(data_paths(lake)), seen(lake)) == (4, lake.ids())


def test_a_tag_made_while_files_are_rewritten_keeps_them(lake: Lake) -> None:
    small_files(lake)
    real = leaf._write

    def late(*arguments: Any) -> Any:
        made = real(*arguments)
        tag(lake, "late")
        return made

    with mock.patch.object(leaf, "_write", late):
        assert "another writer" in maintain(lake, "compact").note
    assert len(data_paths(lake)) == 6
    assert seen(lake) == lake.ids()


@requirement("ML-04")
def test_tags_and_replacing_runs_refuse_each_other(where: Settings, lake: Lake) -> None:
    full = lake_of(where, "replace")
    full.run([1])
    with pytest.raises(Unsupported, match="out of the folders"):
        tag(full, "model_v1")
    tag(lake, "model_v1")
    with pytest.raises(ConfigurationError, match="tag 'model_v1' holds"):
        full.plan()


@requirement("SN-22")
def test_branches_are_refused(lake: Lake) -> None:
    lake.run([1])
    with pytest.raises(Unsupported, match="no branches"):
        set_ref(lake.target.catalog, lake.name(), "trial", "branch", "", lake.target.allow)
    with pytest.raises(Unsupported, match="no branches"):
        Lake(lake.settings, job(connector="parquet", publish="branch")).plan()


@requirement("SN-22", "ING-25")
def test_a_rollback_takes_files_out_of_the_folders(lake: Lake) -> None:
    lake.run([1], cursor=1)
    good = head(lake)
    lake.run([2], cursor=2)
    rollback(lake, good)
    assert seen(lake) == lake.ids() == [1]
    assert lake.state().cursor.value["value"] == 1
    lake.run([2], cursor=2)
    assert seen(lake) == lake.ids() == [1, 2]


@requirement("SN-22")
def test_there_is_no_way_back_to_files_that_have_left_the_folders(where: Settings, lake: Lake) -> None:
    small_files(lake)
    old = head(lake)
    maintain(lake, "compact")
    with pytest.raises(ConfigurationError, match="cannot come back"):
        rollback(lake, old)
    table = lake.target.table(lake.name())
    with pytest.raises(ConfigurationError, match="have left the folders"):
        lake.target.allow(table, table.metadata.snapshot_by_id(old), "read")
    with pytest.raises(ConfigurationError, match="kept by a tag"):
        tag(lake, "late", str(old))


def test_a_rollback_does_not_take_tagged_files_away(lake: Lake) -> None:
    lake.run([1])
    good = head(lake)
    lake.run([2])
    tag(lake, "model_v1")
    with pytest.raises(ConfigurationError, match="tag 'model_v1' holds"):
        rollback(lake, good)
    assert seen(lake) == lake.ids() == [1, 2]


# -- metadata -----------------------------------------------------------------------------------------------


@requirement("TAG-08")
def test_old_versions_of_the_manifest_go_and_the_oldest_first(lake: Lake, tmp_path: Path) -> None:
    rows = small_files(lake, count=12)
    spec = MaintenanceSpec(keep_metadata=2)
    maintain(lake, "metadata", spec=spec)
    age(tmp_path)
    gone: list[str] = []
    with mock.patch.object(type(lake.target.files), "delete", lambda _files, uri: gone.append(uri)):
        assert maintain(lake, "metadata", spec=spec).outcome == "done"
    assert [int(uri.rpartition("/v")[2].partition(".")[0]) for uri in gone] == list(range(1, len(gone) + 1))
    maintain(lake, "metadata", spec=spec)
    assert len(list(versions(lake).glob("*.metadata.json"))) == 3
    (versions(lake) / "version-hint.text").unlink()
    assert lake_of(lake.settings).ids() == rows


@requirement("ING-25")
def test_a_swept_number_is_not_free_even_when_the_hint_lags(lake: Lake) -> None:
    """The slowest of writers wrote the hint last."""
    lake.run([1])
    plan = lake.plan()
    made = lake.extract(plan, [2])

    def swept(version: int) -> None:
        for number in range(1, version + 1):
            (versions(lake) / f"v{number}.metadata.json").unlink()
        (versions(lake) / "version-hint.text").write_text(str(version - 1))

    with mock.patch.object(FolderCatalog, "_put", sleeping(lake, swept)):
        lake.publish(plan, [made])
    assert lake_of(lake.settings).ids() == [1, 2, 10, 11, 12]


# -- beside runs --------------------------------------------------------------------------------------------

BUSY = MaintenanceSpec(target_mb=1, min_files=3, min_manifests=3, retention_days=0, keep_snapshots=3, keep_metadata=5)
COMMIT = "dativo_provider.lake.plain.catalog:FolderCatalog.commit_table"
COPY = "dativo_provider.lake.plain.placement:Placement.__call__"
DELETE = "dativo_provider.files.local:LocalFiles.delete"


def upkeep(where: Settings, name: str) -> str:
    return maintain(lake_of(where), name, later=2).outcome


@requirement("TAG-08", "ING-25")
@pytest.mark.crash
@pytest.mark.parametrize(
    "point",
    [Point(COPY), Point(COPY, "after"), Point(COMMIT, "after"), Point(DELETE), Point(DELETE, "after", 2)],
    ids=str,
)
def test_a_compaction_killed_anywhere_leaves_every_row_once(where: Settings, point: Point) -> None:
    lake = lake_of(where)
    rows = small_files(lake)
    assert in_child(upkeep, where, "compact", kill=point).killed
    assert lake.ids() == rows
    assert upkeep(where, "compact") in {"done", "nothing"}
    assert seen(lake) == lake.ids() == rows
    assert all(local_path(path).exists() for path in data_paths(lake))


def publish(where: Settings, first: int, runs: int) -> int:
    lake = lake_of(where)
    for number in range(first, first + runs):
        lake.run(range(number * 10, number * 10 + 10), [number], cursor=number)
        lake.target.sweep_old(lake.plan())
    return runs


def care(where: Settings, seed: int, rounds: int) -> list[str]:
    dice, lake = random.Random(seed), lake_of(where)
    return [maintain(lake, dice.choice(["compact", *JOBS]), spec=BUSY).outcome for _ in range(rounds)]


def beside(where: Settings) -> Lake:
    """A publisher, two carers who may meet, and a third who dies."""
    lake = lake_of(where)
    small_files(lake, count=4)
    publisher = start_child(publish, where, 4, 8)
    carers = [start_child(care, where, seed, 6) for seed in (1, 2)]
    dying = start_child(care, where, 3, 6, kill=Point(COPY, "after", 2))
    ended = [child.wait() for child in (publisher, *carers)]
    dying.wait()
    assert [each.error for each in ended] == ["", "", ""]
    assert any("done" in each.result for each in ended[1:])
    assert lake.ids() == list(range(120))
    assert lake.quarantine() == sorted(f"r{number}" for number in range(4, 12))
    assert lake.state().seq == 12
    for name in ("compact", "orphans"):
        maintain(lake, name, spec=SPEC)
    return lake


@requirement("TAG-08", "ING-25")
def test_a_compaction_gives_way_to_one_that_has_deleted_its_files(
    where: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, real = lake_of(where), leaf._write
    small_files(lake)
    rows = lake.ids()

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(leaf, "_write", real)
        assert maintain(lake, "compact").outcome == "done"
        return real(*given)

    monkeypatch.setattr(leaf, "_write", overtaken)
    done = maintain(lake, "compact")
    assert "1 of 1 groups were changed by another writer" in done.note
    assert (lake.ids(), seen(lake)) == (rows, rows)


def test_a_file_that_is_gone_though_the_table_has_it_fails_the_compaction(where: Settings) -> None:
    lake = lake_of(where)
    small_files(lake)
    local_path(data_paths(lake)[0]).unlink()
    with pytest.raises(StorageUnavailable):
        maintain(lake, "compact")


@requirement("TAG-08", "ING-25")
@pytest.mark.crash
@pytest.mark.slow
def test_maintenance_beside_runs_loses_and_doubles_nothing(where: Settings) -> None:
    lake = beside(where)
    assert seen(lake) == lake.ids()


@requirement("TAG-08", "CON-31")
@pytest.mark.crash
@pytest.mark.slow
def test_maintenance_beside_runs_in_an_object_store(tmp_path: Path, bucket: str, s3: S3) -> None:
    lake = beside(settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=s3.properties))
    listed = {info.uri for info in lake.target.files.list(lake.target.layout.data(lake.name().split(".")))}
    assert listed == set(data_paths(lake))
