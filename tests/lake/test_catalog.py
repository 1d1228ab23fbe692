"""Catalogs, real ones; and what they say when they cannot be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError, CredentialError, MissingExtra, StorageUnavailable, Unsupported
from dativo_provider.lake.catalog import catalog_properties, open_catalog, warehouse_of
from dativo_provider.lake.catalogs import races as module
from dativo_provider.lake.iceberg import IcebergTarget
from dativo_provider.model.context import RunContext
from dativo_provider.model.settings import Settings
from tests.conformance.catalogs import CatalogSuite
from tests.lake.places import on_glue, on_nessie, on_rest
from tests.lake.support import FIELDS, Lake, job, settings
from tests.services.framework import free_port
from tests.services.glue import Glue
from tests.services.nessie import Nessie
from tests.services.postgres import Database
from tests.services.rest import Rest
from tests.services.s3 import S3
from tests.support import requirement


class TestSqlite(CatalogSuite):
    @pytest.fixture
    def where(self, tmp_path: Path) -> Settings:
        return settings(tmp_path / "new" / "home")


class TestPostgres(CatalogSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, database: Database) -> Settings:
        return settings(tmp_path, properties={"uri": database.url}, embedded=False)


class TestSqliteWithS3(CatalogSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, bucket: str, s3: S3) -> Settings:
        return settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=s3.properties)


class TestRest(CatalogSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, rest: Rest, s3: S3) -> Settings:
        return on_rest(tmp_path, rest, s3)


class TestNessie(CatalogSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, nessie: Nessie, s3: S3) -> Settings:
        return on_nessie(tmp_path, nessie, s3)


class TestGlue(CatalogSuite):
    @pytest.fixture
    def where(self, tmp_path: Path, glue: Glue, bucket: str, s3: S3) -> Settings:
        return on_glue(tmp_path, glue, s3, bucket)


def test_an_unreachable_catalog_is_retryable_and_says_which(tmp_path: Path) -> None:
    uri = f"postgresql://someone:a-secret@127.0.0.1:{free_port()}/lake"
    with pytest.raises(StorageUnavailable) as caught:
        open_catalog(settings(tmp_path, properties={"uri": uri}, embedded=False))
    assert "catalog dativo" in str(caught.value)
    assert "a-secret" not in str(caught.value)


@requirement("ING-08")
def test_a_refused_log_in_is_no_reason_to_retry(tmp_path: Path, database: Database) -> None:
    host = database.url.rpartition("@")[2]
    uri = f"postgresql://nobody_here:wrong-secret@{host}"
    with pytest.raises(CredentialError, match="nobody_here") as caught:
        open_catalog(settings(tmp_path, properties={"uri": uri}, embedded=False))
    assert "wrong-secret" not in str(caught.value)


def test_a_missing_database_is_a_setting_to_correct(tmp_path: Path, database: Database) -> None:
    uri = database.url.rsplit("/", 1)[0] + "/nowhere"
    with pytest.raises(ConfigurationError, match="nowhere"):
        open_catalog(settings(tmp_path, properties={"uri": uri}, embedded=False))


def test_a_url_that_is_none_is_a_setting_to_correct(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="catalog URL"):
        open_catalog(settings(tmp_path, properties={"uri": "no-url:a-secret"}))


def test_a_missing_driver_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ModuleNotFoundError("No module named 'psycopg2'")

    monkeypatch.setattr("pyiceberg.catalog.load_catalog", fail)
    with pytest.raises(MissingExtra, match="postgres"):
        open_catalog(settings(tmp_path))


def test_a_kind_of_catalog_nobody_knows_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="'glu'") as caught:
        open_catalog(settings(tmp_path, properties={"type": "glu"}))
    assert "glue" in caught.value.remedy


def test_a_home_that_is_a_file_is_a_setting_to_correct(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(ConfigurationError, match="folder is needed"):
        open_catalog(settings(tmp_path / "home"))


def test_a_folder_other_engines_cannot_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="other engines"):
        open_catalog(settings(tmp_path / "50%"))


def test_a_job_may_name_its_own_catalog_and_warehouse(tmp_path: Path) -> None:
    own = job(
        catalog={"name": "mine", "uri": f"sqlite:///{tmp_path}/mine.db"},
        warehouse=f"file://{tmp_path}/mine",
        connection={"s3": {"endpoint": "http://store", "access_key_id": "k", "secret_access_key": "s"}},
    )
    name, properties = catalog_properties(settings(tmp_path / "other"), own)
    assert name == "mine"
    assert properties["s3.endpoint"] == "http://store"
    lake = Lake(settings(tmp_path / "other"), own)
    lake.run([1])
    assert lake.target.table("acme.orders").location() == f"file://{tmp_path}/mine/acme/orders"
    assert (tmp_path / "mine.db").exists()


def test_sqlite_writers_wait_for_each_other(tmp_path: Path) -> None:
    _, properties = catalog_properties(settings(tmp_path))
    assert properties["uri"].endswith("catalog.db?timeout=60")
    assert warehouse_of(Settings(home="/somewhere")) == "file:///somewhere/warehouse"


def test_a_race_that_never_ends_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    calls: list[int] = []

    def taken() -> None:
        calls.append(1)
        raise ValueError("table iceberg_tables already exists")

    with pytest.raises(ValueError, match="already exists"):
        module.lost_races(taken, attempts=3)
    assert len(calls) == 3


@pytest.mark.parametrize("spelling", ["{}/lake", "file:{}/lake", "file://localhost{}/lake/"])
def test_every_spelling_of_a_local_warehouse_works(tmp_path: Path, spelling: str) -> None:
    lake = Lake(settings(tmp_path, warehouse=spelling.format(tmp_path)))
    lake.run([1], bad=[2])
    assert lake.target.table(lake.name()).location() == f"file://{tmp_path}/lake/acme/orders"
    assert (lake.ids(), lake.quarantine()) == ([1], ["r2"])


def test_many_targets_of_one_process_leave_no_connections(tmp_path: Path, database: Database) -> None:
    where = settings(tmp_path, properties={"uri": database.url}, embedded=False)
    for _ in range(20):
        Lake(where).plan()
    [(count,)] = database.execute("select count(*) from pg_stat_activity where datname = current_database()")
    assert count < 5


# -- a tenant wrote the job ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["py-io-impl", "py-catalog-impl", "s3.retry-strategy-impl", "s3.role-arn", "s3.profile-name"]
)
def test_a_job_cannot_load_code_or_take_roles_through_the_catalog(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigurationError, match=key):
        catalog_properties(settings(tmp_path), job(catalog={key: "os.system"}))


def test_the_deployments_keys_are_never_sent_to_a_jobs_own_store(tmp_path: Path) -> None:
    where = settings(tmp_path, properties={"s3.endpoint": "http://ours", "s3.access-key-id": "ours", "s3.region": "eu"})
    with pytest.raises(ConfigurationError, match="no key"):
        catalog_properties(where, job(connection={"s3": {"endpoint": "http://theirs"}}))
    own = {"endpoint": "http://theirs", "access_key_id": "theirs", "secret_access_key": "x"}
    _, properties = catalog_properties(where, job(connection={"s3": own}))
    assert "ours" not in str(properties)
    assert properties["s3.endpoint"] == "http://theirs"


@pytest.mark.parametrize("target", [{"catalog": {"uri": "${HIDDEN}"}}, {"warehouse": "${HIDDEN}"}])
def test_a_reference_cannot_hide_a_path(tmp_path: Path, target: dict[str, Any]) -> None:
    made = replace(job(**target), allowed_variables=("HIDDEN",))
    hidden = {"HIDDEN": "sqlite:////etc/catalog.db" if "catalog" in target else "file:///etc"}
    with pytest.raises(ConfigurationError, match="reference"):
        IcebergTarget(made, RunContext(settings(tmp_path), variables=hidden))


def test_a_reference_may_hide_a_databases_password(tmp_path: Path, database: Database) -> None:
    made = replace(job(catalog={"uri": "${CATALOG}"}), allowed_variables=("CATALOG",))
    target = IcebergTarget(made, RunContext(settings(tmp_path), variables={"CATALOG": database.url}))
    assert target.prepare(made, made.streams[0], FIELDS).table == "acme.orders"
