from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from dativo_provider.errors import (
    ConfigurationError,
    CredentialError,
    InternalError,
    MissingExtra,
    StorageUnavailable,
    Unsupported,
)
from dativo_provider.model.settings import StoreSettings
from dativo_provider.store import Store, connect, upgrade
from dativo_provider.store import engine as engine_module
from dativo_provider.store.engine import open_engine, store_url, writing
from dativo_provider.store.revisions import current_revision
from dativo_provider.store.schema import METADATA, REVISIONS, VERSION_TABLE
from tests.conformance.stores import a_run
from tests.services.postgres import Database
from tests.support import requirement

UPGRADE = (
    "import sys; from dativo_provider.model.settings import StoreSettings as S; from dativo_provider import store; "
)


def sql(uri: str) -> StoreSettings:
    return StoreSettings("sql", uri, embedded=False)


def in_processes(code: str, *arguments: str, times: int = 3) -> None:
    command = [sys.executable, "-c", UPGRADE + code, *arguments]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(times)]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in running]
    assert [code for _, code in ended] == [0] * times, ended


def test_the_revisions_of_the_package_are_the_ones_it_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(engine_module.__file__).parent / "migrations"))
    chain = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(chain)) == REVISIONS


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_upgraded_tables_are_the_declared_ones(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    uri = f"sqlite:///{tmp_path}/s.db" if kind == "sqlite" else request.getfixturevalue("database").url
    assert upgrade(sql(uri)) == REVISIONS[-1]
    with writing(open_engine(store_url(uri))) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_a_new_file_is_made_with_its_folders_and_lets_readers_in_while_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "store.db"
    with connect(sql(str(path))) as store:
        engine = open_engine(store_url(str(path)))
        with writing(engine) as writer:
            writer.execute(sqlalchemy.text("delete from dativo_runs"))
            assert store.runs() == []


def test_a_server_without_tables_names_the_command_that_makes_them(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="dativo store upgrade") as failure:
        connect(sql(database.url))
    assert database.params["password"] not in str(failure.value)


def test_tables_of_a_newer_version_are_left_alone(database: Database, tmp_path: Path) -> None:
    for uri in (database.url, f"sqlite:///{tmp_path}/s.db"):
        upgrade(sql(uri))
        with writing(open_engine(store_url(uri))) as connection:
            connection.execute(sqlalchemy.text(f"update {VERSION_TABLE} set version_num = '9999'"))
        with pytest.raises(ConfigurationError, match="revision 9999"):
            connect(sql(uri))


def test_processes_that_upgrade_one_server_at_once_all_succeed(database: Database) -> None:
    in_processes("print(store.upgrade(S('sql', sys.argv[1])))", database.url)
    assert current_revision(open_engine(store_url(database.url))) == REVISIONS[-1]


def test_processes_that_open_one_new_file_at_once_all_succeed(tmp_path: Path) -> None:
    in_processes("store.connect(S('sql', sys.argv[1])).runs()", str(tmp_path / "store.db"))


def test_an_upgrade_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    engine = open_engine(store_url(str(tmp_path / "s.db")))
    with writing(engine) as connection:
        connection.execute(sqlalchemy.text("create table dativo_quarantine (x int)"))
    with pytest.raises(StorageUnavailable, match="already exists"):
        upgrade(sql(str(tmp_path / "s.db")))
    assert current_revision(engine) == ""


def test_a_user_who_may_not_create_tables_is_told_so(database: Database) -> None:
    password = "s3cret-of-the-reader"
    database.execute(
        f"create role {database.name}_r login password '{password}'", "revoke create on schema public from public"
    )
    uri = database.url.replace("://postgres:", f"://{database.name}_r:").replace(database.params["password"], password)
    try:
        with pytest.raises(CredentialError, match="permission denied") as failure:
            upgrade(sql(uri))
        assert password not in str(failure.value)
    finally:
        database.execute(f"drop owned by {database.name}_r", f"drop role {database.name}_r")


@requirement("SEC-05")
def test_a_wrong_password_is_a_credential_error_that_shows_none(database: Database) -> None:
    uri = database.url.replace(database.params["password"], "wr0ng-pass")
    with pytest.raises(CredentialError, match="authentication failed") as failure:
        connect(sql(uri))
    assert "wr0ng-pass" not in str(failure.value)


def test_a_server_that_is_not_there_may_come_back(database: Database) -> None:
    with pytest.raises(StorageUnavailable):
        connect(sql("postgresql://u:p@127.0.0.1:1/x"))
    with pytest.raises(ConfigurationError, match="does not exist"):
        connect(sql(database.url + "_nowhere"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("this is no database, only text" * 50)
    with pytest.raises(ConfigurationError, match="not a database"):
        connect(sql(str(tmp_path / "store.db")))
    with pytest.raises(CredentialError):
        connect(sql(str(tmp_path / "store.db" / "below" / "a.db")))


@pytest.mark.parametrize(
    ("uri", "kind"),
    [("mysql://u:p@h/x", Unsupported), ("http://h:port:x", ConfigurationError), ("", ConfigurationError)],
)
def test_other_addresses_are_refused(uri: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        connect(sql(uri))


def test_postgres_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'airflow-provider-dativo\[postgres\]'"):
        connect(sql("postgresql://h/x"))


def test_a_value_no_database_takes_is_a_bug_of_ours(database: Database) -> None:
    upgrade(sql(database.url))
    with connect(sql(database.url)) as store, pytest.raises(InternalError) as failure:
        store.begin(a_run(started_at="2026-11-20", contract_version="1", status=None, run_id=None))
    assert "[parameters:" not in str(failure.value)


def test_lake_leaves_need_no_upgrade() -> None:
    assert upgrade(StoreSettings("lake", "file:///x")) == ""


def test_two_writers_of_one_file_take_turns(tmp_path: Path) -> None:
    settings: Any = sql(str(tmp_path / "s.db"))
    stores: list[Store] = [connect(settings) for _ in range(2)]
    for _ in range(20):
        for store in stores:
            store.begin(a_run())
    assert len(stores[0].runs(limit=None)) == 40
