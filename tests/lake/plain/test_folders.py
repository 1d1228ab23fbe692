"""What readers of the folders see, and what is left behind when runs die."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq
import pytest

from dativo_provider.errors import ConfigurationError, DataError, Fenced, Unsupported
from dativo_provider.files import local_path
from dativo_provider.lake.plain.catalog import FolderCatalog
from dativo_provider.model.job import ContractSpec, PartitionSpec
from dativo_provider.model.run import Lane
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from tests.conformance.targets import Died, commits
from tests.lake import support
from tests.lake.support import FIELDS, Lake, batch, job, settings
from tests.services.s3 import S3
from tests.support import requirement

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(support.TARGET, "connector", "parquet")


@pytest.fixture
def where(tmp_path: Path) -> Settings:
    return settings(tmp_path)


@pytest.fixture
def lake(where: Settings) -> Lake:
    return Lake(where)


def folder(lake: Lake, quarantine: bool = False) -> Path:
    return local_path(lake.target.layout.data(lake.name(quarantine).split(".")))


def seen(lake: Lake, column: str = "id", quarantine: bool = False) -> list[Any]:
    """As who lists the folder sees it, hidden names left out."""
    files = [path for path in folder(lake, quarantine).rglob("*.parquet") if not path.name.startswith((".", "_"))]
    return sorted(value for path in files for value in pq.ParquetFile(path).read(columns=[column])[column].to_pylist())


@requirement("ING-07", "ING-08", "CON-32")
def test_files_are_where_the_contract_says(where: Settings) -> None:
    contract = ContractSpec("orders", "1.0.0", domain="Sales", data_product="Web-Shop")
    parts = (PartitionSpec("value"), PartitionSpec("at", "day"))
    lake = Lake(where, job(contract=contract, partitioning=parts))
    lake.run([1, 2], bad=[9])
    root = local_path(lake.target.layout.root)
    [plan_id] = lake.state().runs
    found = sorted(str(path.relative_to(root).parent) for path in root.glob("sales/**/orders_*.parquet"))
    null = "__HIVE_DEFAULT_PARTITION__"
    assert found == [
        f"sales/web_shop/orders/value=v1/at_day={null}",
        f"sales/web_shop/orders/value=v2/at_day={null}",
        "sales/web_shop/orders_quarantine",
    ]
    assert all(f"_{plan_id}_s00000-a1-" in path.name for path in root.glob("sales/**/*.parquet"))
    assert (lake.ids(), lake.quarantine()) == ([1, 2], ["r9"])


@requirement("ING-07")
def test_ingest_date_is_a_folder(where: Settings) -> None:
    lake = Lake(where, job(partitioning=(PartitionSpec("_dativo_loaded_at", "day"),), system_columns=True))
    plan = lake.plan()
    fields = lake.target.wanted(lake.job, lake.spec, FIELDS).fields
    late = datetime(2026, 1, 2, 23, 59, 59, 999999, tzinfo=UTC)
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(batch([{"id": 1, "_dativo_loaded_at": late}], fields))
    lake.publish(plan, [replace(lake.extract(plan, []), files=writer.close())])
    [file] = folder(lake).rglob("*.parquet")
    assert file.parent.name == "ingest_date=2026-01-02"


@requirement("REG-02", "ING-25")
def test_a_second_run_of_a_day_overwrites_nothing(where: Settings) -> None:
    """Three runs with equal rows, equal partitions and equal attempts."""
    lake = Lake(where, job(partitioning=(PartitionSpec("value"),)))
    for _ in range(3):
        lake.run([{"id": 1, "value": "EU/West"}, {"id": 2, "value": "eu_west"}])
    assert seen(lake) == [1, 1, 1, 2, 2, 2]


@requirement("ING-04")
def test_who_lists_folders_sees_nothing_before_the_audit(lake: Lake) -> None:
    lake.run([1])
    plan = lake.plan()
    lake.extract(plan, [2], bad=[9])
    assert seen(lake) == [1]
    assert not folder(lake, quarantine=True).exists()


def test_replaced_files_are_gone_after_the_commit(where: Settings, lake: Lake) -> None:
    lake.run([1, 2])
    full = Lake(where, job(mode="replace"))
    full.run([7])
    assert seen(full) == full.ids() == [7]


def test_replaced_files_stay_as_long_as_the_job_says(where: Settings, lake: Lake) -> None:
    lake.run([1, 2])
    before = lake.target.table(lake.name())
    full = Lake(where, job(mode="replace", options={"replaced_grace_minutes": 60}))
    full.run([7])
    assert full.ids() == [7]
    assert sorted(before.scan().to_arrow()["id"].to_pylist()) == [1, 2]  # who began to read goes on
    assert seen(full) == [1, 2, 7]
    assert tidied(full, after=timedelta(minutes=59)) == 0
    assert tidied(full, after=timedelta(minutes=61)) == 1
    assert seen(full) == [7]


def tidied(lake: Lake, after: timedelta) -> int:
    real = lake.target._tidying()
    return int(replace(real, now=time.time() + after.total_seconds()).run(lake.name()))


def test_copies_of_a_run_that_was_fenced_after_copying_are_taken_back(where: Settings, lake: Lake) -> None:
    plan = lake.plan()
    made = lake.extract(plan, [1])
    rival = Lake(where)
    ready = rival.plan()
    theirs = rival.extract(ready, [2])
    busy: list[int] = []

    def behave(real: Any, catalog: Any, *rest: Any) -> Any:
        if not busy:
            busy.append(1)
            rival.publish(ready, [theirs])
        return real(catalog, *rest)

    with commits(behave), pytest.raises(Fenced):
        lake.publish(plan, [made])
    assert seen(lake) == lake.ids() == [2]


def died_before_commit(lake: Lake, rows: list[int], lane: Lane | None = None) -> Any:
    def behave(*_: Any) -> Any:
        raise Died

    plan = lake.plan(lane)
    made = lake.extract(plan, rows)
    with commits(behave), pytest.raises(Died):
        lake.publish(plan, [made])
    return plan, made


@requirement("ING-25")
def test_copies_of_a_run_that_died_go_with_the_next_one(lake: Lake) -> None:
    died_before_commit(lake, [1])
    assert seen(lake) == [1]  # audited, but of no commit: this is what folders cannot hide
    assert lake.ids() == []
    plan = lake.plan()
    lake.publish(plan, [lake.extract(plan, [5])])
    lake.target.sweep_old(plan)
    assert seen(lake) == lake.ids() == [5]


def test_a_run_that_may_still_commit_keeps_its_copies(lake: Lake) -> None:
    plan, made = died_before_commit(lake, [1])
    back = lake.plan(Lane("backfill", "2025"))
    lake.publish(back, [lake.extract(back, [2])])
    lake.target.sweep_old(back)
    assert lake.publish(plan, [made]).outcome == "committed"
    assert seen(lake) == lake.ids() == [1, 2]


def test_a_zombie_of_long_ago_does_not_take_back_what_is_published(lake: Lake) -> None:
    """Its plan id has left the state's history, so that it is fenced and not `already`."""
    plan = lake.plan()
    made = lake.extract(plan, [100])
    lake.publish(plan, [made])
    for number in range(33):
        lake.run([number])
    with pytest.raises(Fenced):
        lake.publish(plan, [made])
    assert seen(lake) == lake.ids() == [*range(33), 100]


def test_files_of_other_people_are_left_alone(lake: Lake) -> None:
    lake.run([1])
    theirs = folder(lake) / "notes.parquet"
    theirs.write_bytes(b"mine")
    age(folder(lake))
    assert lake.target.sweep_table(lake.name(), HOUR) == 0
    assert theirs.exists()


def age(place: Path, days: float = 5) -> None:
    old = time.time() - days * 86400
    for path in place.rglob("*"):
        os.utime(path, (old, old))


def test_a_sweep_leaves_what_is_published_and_removes_what_is_not(lake: Lake, tmp_path: Path) -> None:
    lake.run([1], bad=[8])
    dead = lake.plan()
    lake.extract(dead, [5], bad=[6])
    orphan = folder(lake) / "orders_p0_s0.parquet"
    orphan.write_bytes(b"copied by a run whose folder is gone")
    age(tmp_path)
    removed = lake.target.sweep_table(lake.name(), HOUR)
    assert removed >= 3
    assert not orphan.exists()
    assert (lake.ids(), lake.quarantine(), seen(lake)) == ([1], ["r8"], [1])
    lake.run([2], bad=[9])
    assert (lake.ids(), lake.quarantine()) == ([1, 2], ["r8", "r9"])


def test_giving_up_a_plan_takes_its_copies_back(lake: Lake) -> None:
    lake.run([0])
    plan, _ = died_before_commit(lake, [1])
    assert lake.target.sweep(plan) == 3  # staged, announced, copied
    assert seen(lake) == lake.ids() == [0]


def test_tidying_while_a_run_publishes_takes_nothing_of_it(where: Settings, lake: Lake) -> None:
    """Between its copies and its commit a run's files are in the folders and in no manifest."""
    plan = lake.plan()
    made = lake.extract(plan, [1])

    def behave(real: Any, catalog: Any, *rest: Any) -> Any:
        Lake(where).target._tidying().run(lake.name())
        return real(catalog, *rest)

    with commits(behave):
        lake.publish(plan, [made])
    assert seen(lake) == lake.ids() == [1]


def test_a_commit_during_tidying_is_not_undone(where: Settings, lake: Lake) -> None:
    """The folder is listed before the manifest is read, never after."""
    lake.run([1])
    plan = lake.plan()
    made = lake.extract(plan, [2])
    target = lake.target
    real, busy = type(target.files).list, list[int]()

    def listing(files: Any, prefix: str) -> Any:
        found = real(files, prefix)
        if not busy and prefix == target.layout.data(plan.table.split(".")):
            busy.append(1)
            Lake(where).publish(plan, [made])
        return found

    with mock.patch.object(type(target.files), "list", listing):
        target._tidying().run(lake.name())
    assert seen(lake) == lake.ids() == [1, 2]


# -- versions -------------------------------------------------------------------------------------------


def versions(lake: Lake) -> Path:
    return local_path(lake.target.layout.home(lake.name().split("."))) / "metadata"


@pytest.mark.parametrize("hint", ["1", "", "99", "nonsense", None])
def test_the_hint_may_lag_or_be_lost(where: Settings, lake: Lake, hint: str | None) -> None:
    for number in range(4):
        lake.run([number])
    path = versions(lake) / "version-hint.text"
    path.unlink() if hint is None else path.write_text(hint)
    again = Lake(where)
    assert again.ids() == [0, 1, 2, 3]
    again.run([4])
    assert Lake(where).ids() == [0, 1, 2, 3, 4]


@requirement("ING-25")
def test_of_two_who_write_one_version_the_second_begins_again(where: Settings, lake: Lake) -> None:
    """Both have looked, and both found the number free."""
    lake.run([0])
    real, busy = FolderCatalog._put, list[int]()

    def put(catalog: FolderCatalog, *version: Any) -> bool:
        if not busy:
            busy.append(1)
            Lake(where, job(name="other")).run([2])
        return real(catalog, *version)

    plan = lake.plan()
    made = lake.extract(plan, [1])
    with mock.patch.object(FolderCatalog, "_put", put):
        lake.publish(plan, [made])
    assert seen(lake) == lake.ids() == [0, 1, 2]


@requirement("ING-25")
def test_a_writer_that_slept_through_a_sweep_of_versions_cannot_take_a_free_number(lake: Lake) -> None:
    """The number it wants has been used and swept: creating the file works, and must not count."""
    lake.run([1])
    plan = lake.plan()
    made = lake.extract(plan, [2])
    with mock.patch.object(FolderCatalog, "_put", sleeping(lake, lambda version: _sweep(lake, [version]))):
        lake.publish(plan, [made])
    assert Lake(lake.settings).ids() == [1, 2, 10, 11, 12]


def sleeping(lake: Lake, swept: Callable[[int], None]) -> Any:
    """`_put` of a writer that has chosen its number, sleeps while three others publish, and wakes after a sweep."""
    real, busy = FolderCatalog._put, list[int]()

    def put(catalog: FolderCatalog, name: Any, version: int, data: bytes) -> bool:
        if not busy:
            busy.append(1)
            for number in range(10, 13):
                Lake(lake.settings, job(name=f"other{number}", connector="parquet")).run([number])
            swept(version)
        return real(catalog, name, version, data)

    return put


def _sweep(lake: Lake, numbers: Iterable[int]) -> None:
    for number in numbers:
        (versions(lake) / f"v{number}.metadata.json").unlink()


def test_numbers_go_on_when_a_table_is_made_anew(lake: Lake) -> None:
    lake.run([1])
    before = lake.target.table(lake.name()).metadata_location
    lake.target.catalog.drop_table(lake.name())
    lake.run([2])
    assert lake.ids() == [2]
    assert _number(lake.target.table(lake.name()).metadata_location) > _number(before) + 1


def _number(uri: str) -> int:
    return int(uri.rpartition("/v")[2].partition(".")[0])


# -- what is refused ------------------------------------------------------------------------------------


@requirement("ING-08")
@pytest.mark.parametrize("mode", ["merge", "delete_insert", "scd2"])
def test_modes_that_need_a_table_format_are_refused(where: Settings, mode: str) -> None:
    with pytest.raises(Unsupported):
        Lake(where, job(mode=mode)).plan()


def test_local_folders_are_refused_where_tasks_run_on_several_machines(where: Settings) -> None:
    with pytest.raises(ConfigurationError, match="folder of its own"):
        Lake(replace(where, distributed=True)).plan()


def test_files_without_a_column_are_refused(where: Settings) -> None:
    with pytest.raises(ConfigurationError, match="every column"):
        Lake(where, job(partitioning=(PartitionSpec("id"),), key=()), (Field("id", "long"),)).plan()


def test_a_value_longer_than_a_name_is_refused_without_being_shown(where: Settings) -> None:
    lake = Lake(where, job(partitioning=(PartitionSpec("value"),)))
    with pytest.raises(DataError, match="too long") as caught:
        lake.run([{"id": 1, "value": "x" * 300}])
    assert "xxx" not in str(caught.value)
    assert lake.ids() == []


# -- object stores --------------------------------------------------------------------------------------


@requirement("ING-12", "CON-31")
def test_every_published_object_says_what_it_is(tmp_path: Path, bucket: str, s3: S3) -> None:
    contract = ContractSpec(
        "orders", "1.2.0", domain="sales", data_product="shop", owner="Zoë",
        properties={"dativo.governance.retention_days": "90", "dativo.classification.default": "internal"},
    )  # fmt: skip
    where = settings(tmp_path, properties=s3.properties)
    connection = {"bucket": bucket, "prefix": "in"}
    made = job(
        contract=contract, connector="s3", warehouse=f"s3://{bucket}/in", connection=connection,
        partitioning=(PartitionSpec("value"),), compression="snappy",
    )  # fmt: skip
    lake = Lake(where, made)
    lake.run([{"id": 1, "value": "EU/West"}], bad=[7])
    client = s3.client()
    keys = [item["Key"] for item in client.list_objects_v2(Bucket=bucket, Prefix="in/sales/")["Contents"]]
    assert len(keys) == 2
    main = next(key for key in keys if "value=EU%2FWest" in key)
    said = client.head_object(Bucket=bucket, Key=main)["Metadata"]
    assert said.pop("ingest-timestamp") > "2026"
    assert int(said.pop("file-size-bytes")) == client.head_object(Bucket=bucket, Key=main)["ContentLength"]
    assert said == {
        "asset-name": "orders", "asset-version": "1.2.0", "asset-domain": "sales", "data-product": "shop",
        "tenant-id": "acme", "branch": "main", "owner": "Zo%C3%AB", "retention-days": "90",
        "classification": "internal", "record-count": "1", "partition": "value=EU/West", "file-format": "parquet",
        "compression": "snappy",
    }  # fmt: skip
    for key in keys:
        tags = client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags}.items() >= {"tenant-id": "acme", "owner": "Zo_"}.items()
        assert len(tags) <= 10
