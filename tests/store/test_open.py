from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dativo_provider.model.context import RunContext
from dativo_provider.model.settings import CatalogSettings, Settings, StoreSettings
from dativo_provider.store import BestEffort, best_effort, open_store
from dativo_provider.store.open import store_settings
from tests.conformance.stores import a_run
from tests.services.s3 import S3


@pytest.fixture(autouse=True)
def rested() -> None:
    best_effort._down.clear()


def test_the_store_of_a_machine_is_a_file_at_home(tmp_path: Path) -> None:
    ctx = RunContext(Settings(home=str(tmp_path)))
    run = a_run()
    open_store(ctx).begin(run)
    assert (tmp_path / "store.db").is_file()
    assert open_store(ctx).runs() == [run]


@pytest.mark.parametrize(
    ("store", "uri"),
    [
        (StoreSettings(), "sqlite:////home/store.db"),
        (StoreSettings("lake"), "file:///home"),
        (StoreSettings("sql", "postgresql://h/x"), "postgresql://h/x"),
    ],
)
def test_the_place_is_under_home_unless_it_is_named(store: StoreSettings, uri: str) -> None:
    assert store_settings(Settings(home="/home", store=store)).uri == uri


def test_records_wait_beside_a_remote_warehouse(tmp_path: Path, s3: S3, bucket: str) -> None:
    settings = Settings(
        home=str(tmp_path),
        catalog=CatalogSettings(properties=s3.properties, warehouse=f"s3://{bucket}/wh"),
        store=StoreSettings("sql", "postgresql://u:p@127.0.0.1:1/x", embedded=False),
    )
    store = open_store(RunContext(settings))
    store.begin(a_run())
    found = s3.client().list_objects_v2(Bucket=bucket, Prefix="wh/_dativo/spool/")
    assert len(found["Contents"]) == 1
    lake = replace(settings, store=StoreSettings("lake", f"s3://{bucket}/wh/_dativo", embedded=False))
    back = open_store(RunContext(lake))
    assert isinstance(back, BestEffort)
    assert back.deliver() == 1
    assert len(back.runs()) == 1
    assert s3.client().list_objects_v2(Bucket=bucket, Prefix="wh/_dativo/store/events/acme/")["KeyCount"] == 1


def test_records_wait_at_home_when_the_warehouse_is_away_too(tmp_path: Path) -> None:
    away = {"s3.endpoint": "http://127.0.0.1:1", "s3.access-key-id": "k", "s3.secret-access-key": "s"}
    settings = Settings(
        home=str(tmp_path),
        catalog=CatalogSettings(properties={**away, "s3.connect-timeout": "1"}, warehouse="s3://nowhere/wh"),
        store=StoreSettings("lake", "s3://nowhere/wh/_dativo", embedded=False),
    )
    open_store(RunContext(settings)).begin(a_run())
    assert len(list((tmp_path / "spool").iterdir())) == 1


def test_importing_the_room_loads_no_database_library() -> None:
    heavy = {"sqlalchemy", "alembic", "boto3", "pyarrow"}
    code = f"import sys, dativo_provider.store; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
