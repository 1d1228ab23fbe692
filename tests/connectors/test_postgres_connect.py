"""Logging in: parameters, TLS, replicas, and errors that say what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from dativo_provider.connectors.postgres.errors import translate
from dativo_provider.connectors.postgres.login import parameters
from dativo_provider.connectors.postgres.options import options_of
from dativo_provider.connectors.registry import connector
from dativo_provider.errors import (
    ConfigurationError,
    CredentialError,
    DativoError,
    MissingExtra,
    SourceChanged,
    SourceUnavailable,
    Unsupported,
)
from dativo_provider.model.context import Connection
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.stream import WindowRequest
from tests.connectors.postgres_world import Job, context, ids, reader, source, table
from tests.services import postgres as leaf
from tests.services.framework import ROOT, run, scratch
from tests.services.postgres import Database, Postgres
from tests.support import requirement


def checked(connection: Mapping[str, Any], **options: Any) -> None:
    with reader(SourceSpec("postgres", connection, options=options)) as opened:
        opened.check()


# parameters ---------------------------------------------------------------------------------------------------


@requirement("CON-04")
@pytest.mark.parametrize("form", ["url", "dsn", "sqlalchemy", "aliases"])
def test_every_way_to_write_a_connection_works(database: Database, form: str) -> None:
    p = database.params
    connection = {
        "url": {"url": database.url},
        "dsn": {"dsn": f"host={p['host']} port={p['port']} dbname={p['database']} user={p['user']}",
                "password": p["password"]},
        "sqlalchemy": {"url": database.url.replace("postgresql://", "postgresql+psycopg2://")},
        "aliases": {"host": p["host"], "port": str(p["port"]), "dbname": p["database"], "username": p["user"],
                    "password": p["password"], "application_name": "orders", "connect_timeout": 5},
    }[form]  # fmt: skip
    checked(connection)


@dataclass(frozen=True)
class Connections:
    found: Connection

    def get(self, connection_id: str) -> Connection:
        return self.found


def test_an_airflow_connection_logs_in(database: Database) -> None:
    p = database.params
    extra = {"sslmode": "prefer", "cursor": "dictcursor"}  # the hook's own words are left alone
    kept = Connection("postgres", p["host"], p["port"], p["user"], p["password"], p["database"], extra)
    with reader(SourceSpec("postgres", connection_id="acme_db"), context(connections=Connections(kept))) as opened:
        opened.check()
        opened.discover()
    wrong = replace(kept, password="zzz-not-it")
    with reader(SourceSpec("postgres", connection_id="acme_db"), context(connections=Connections(wrong))) as opened:
        with pytest.raises(CredentialError) as caught:
            opened.check()
        assert "zzz-not-it" not in str(caught.value)


@pytest.mark.parametrize(
    ("kept", "words"),
    [(Connection("mysql", "h"), "not postgres"), (Connection("postgres", "h", extra={"iam": True}), "IAM tokens")],
)
def test_an_airflow_connection_that_does_not_fit_is_refused(kept: Connection, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        parameters(SourceSpec("postgres", connection_id="x"), context(connections=Connections(kept)))


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ({"host": "h", "pasword": "x"}, "'password'"),
        ({"host": "h", "passfile": "/home/dativo/.pgpass"}, "known: host"),
        ({"url": "postgresql://h/d?service=prod"}, "known: host"),
        ({"url": "http://[", "password": "x"}, "special characters as %XX"),
        ({"user": "u"}, "set source.connection.host"),
    ],
)
def test_a_parameter_that_is_none_is_named_with_the_nearest(connection: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parameters(SourceSpec("postgres", connection), context())
    assert words in caught.value.remedy


@pytest.mark.parametrize(
    "connection",
    [
        {"host": "/var/run/postgresql"},
        {"host": "db, @abstract"},
        {"url": "postgresql:///d?host=/tmp"},
        {"host": "h", "sslkey": "/etc/ssl/private/key.pem"},
    ],
)
def test_a_job_cannot_borrow_the_rights_of_the_account_that_runs_it(connection: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="a job may not set") as caught:
        parameters(SourceSpec("postgres", connection), context())
    assert "connection_id" in caught.value.remedy
    kept = Connection("postgres", "/var/run/postgresql", extra={"sslkey": "/etc/key.pem"})
    found = parameters(SourceSpec("postgres", connection_id="x"), context(connections=Connections(kept)))
    assert found["host"] == "/var/run/postgresql"


def test_a_connection_written_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="both"):
        parameters(SourceSpec("postgres", {"host": "h"}, "an_id"), context())


def test_passwords_of_the_account_that_runs_us_are_never_used(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    p = database.params
    monkeypatch.setenv("PGPASSWORD", p["password"])
    pgpass = tmp_path / "pgpass"
    pgpass.write_text(f"*:*:*:*:{p['password']}\n")
    pgpass.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(pgpass))
    psycopg2.connect(host=p["host"], port=p["port"], user=p["user"], dbname=p["database"]).close()
    with pytest.raises(CredentialError):
        checked({key: value for key, value in p.items() if key != "password"})


@pytest.mark.parametrize(
    ("option", "value"),
    [("threads", -1), ("batch_size", "many"), ("lock_timeout", "1s; drop"), ("clock", "sundial"), ("threads", True)],
)
def test_an_option_that_is_none_is_refused(option: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=option):
        options_of(SourceSpec("postgres", {}, options={option: value}))


def test_options_of_others_are_left_alone() -> None:
    found = options_of(
        SourceSpec("postgres", {}, options={"pool": 5, "threads": 3}), table("t", options={"threads": 4})
    )
    assert found.threads == 4


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connector("postgres").extra == "postgres"
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(MissingExtra, match="postgres"):
        checked({"host": "h"})


def test_knowing_the_connector_loads_no_driver() -> None:
    code = (
        "import sys; from dativo_provider.connectors.registry import connector; connector('postgres'); "
        "import dativo_provider.connectors.postgres; "
        "print([m for m in ('psycopg2', 'pyarrow', 'orjson') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    assert done.stdout.strip() == "[]"


def test_a_server_that_is_too_old_is_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from dativo_provider.connectors.postgres import session

    monkeypatch.setattr(session, "_OLDEST", 990000)
    with pytest.raises(Unsupported, match="as version 1"):
        checked(database.params)


# refusals -----------------------------------------------------------------------------------------------------


def refusal(connection: Mapping[str, Any]) -> DativoError:
    with pytest.raises(DativoError) as caught:
        checked(connection)
    return caught.value


def test_a_missing_database_lists_those_there_are(database: Database) -> None:
    error = refusal({**database.params, "database": "nothing_here"})
    assert isinstance(error, ConfigurationError)
    assert 'database "nothing_here" does not exist' in error.message
    assert database.name in error.remedy


def test_an_unreachable_host_may_be_retried(database: Database) -> None:
    error = refusal({**database.params, "host": "no-such-host.invalid"})
    assert isinstance(error, SourceUnavailable)
    assert "no-such-host.invalid" in str(error)
    assert "resolves" in error.remedy


def test_a_user_without_rights_is_a_matter_of_credentials(database: Database) -> None:
    role = f"bare_{database.name}"
    database.execute("create table t (id int)", f"create role {role} login password 'p'")
    try:
        limited = Database(f"postgresql://{role}:p@{database.url.partition('@')[2]}", database.name)
        job = Job(limited, table("t"))
        with pytest.raises(CredentialError, match="permission denied for table t") as caught:
            job.run(full=True)
        assert "SELECT" in caught.value.remedy
        with reader(job.source) as opened:
            assert opened.discover() == []
    finally:
        database.execute(f"drop role {role}")


@pytest.mark.parametrize(
    ("name", "hint"), [("ordrs", "public.orders"), ("pubic.orders", "public.orders"), ("sales.order", "sales.orders")]
)
def test_a_missing_table_is_named_with_the_nearest(database: Database, name: str, hint: str) -> None:
    database.execute("create schema sales", "create table orders (id int)", "create table sales.orders (id int)")
    with pytest.raises(SourceChanged, match=r"there are: public.orders, sales.orders") as caught:
        Job(database, table(name)).describe()
    assert hint in caught.value.remedy


def test_a_missing_column_is_named_with_the_nearest(database: Database) -> None:
    database.execute("create table t (id int, amount int)")
    with pytest.raises(SourceChanged, match=r"public.t has no column amuont \(has: id, amount\)") as caught:
        Job(database, table("t", columns=("id", "amuont"))).describe()
    assert "'amount'" in caught.value.remedy
    with pytest.raises(SourceChanged, match='column "nope" does not exist'):
        Job(database, table("t", where="nope = 1")).run(full=True)


def test_a_query_with_two_columns_of_one_name_is_refused(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="2 columns named 'a'"):
        Job(database, table("q", query="select 1 as a, 2 as a")).describe()


def test_a_lock_held_by_others_is_waited_for_until_the_timeout(database: Database) -> None:
    database.execute("create table t (id int)")
    job = Job(database, table("t"), {"lock_timeout": "200ms"})
    (piece,) = job.slices(job.plan(full=True))
    holder = database.connect()
    holder.autocommit = False
    holder.cursor().execute("lock table t in access exclusive mode")
    try:
        with reader(job.source) as opened, pytest.raises(SourceUnavailable, match="lock timeout"):
            list(opened.read(job.stream, piece))
    finally:
        holder.close()


def test_a_statement_beyond_its_time_is_a_matter_of_configuration(database: Database) -> None:
    job = Job(database, table("q", query="select pg_sleep(5)"), {"statement_timeout": "200ms"})
    with pytest.raises(ConfigurationError, match="statement timeout") as caught:
        job.run(full=True)
    assert "options.statement_timeout" in caught.value.remedy


def test_a_query_cancelled_by_others_may_be_retried(database: Database) -> None:
    import threading
    import time

    def cancel() -> None:
        time.sleep(0.5)
        database.execute("select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'dativo'")

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(SourceUnavailable, match="user request"):
        Job(database, table("q", query="select pg_sleep(20)")).run(full=True)
    thread.join()


def test_only_errors_of_the_driver_are_translated() -> None:
    assert translate(ValueError("x")) is None


# TLS ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a certificate it gave to `localhost`, and another authority."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here")
    folder = tmp_path_factory.mktemp("tls")
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    for name in ("ca", "other"):
        run([*new, "-subj", f"/CN={name}", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt"])
    (folder / "ext").write_text("subjectAltName=DNS:localhost\n")
    request = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    run([*request, "-keyout", f"{folder}/server.key", "-out", f"{folder}/server.csr"])
    sign = ["openssl", "x509", "-req", "-days", "2", "-CAcreateserial", "-extfile", f"{folder}/ext"]
    authority = ["-CA", f"{folder}/ca.crt", "-CAkey", f"{folder}/ca.key"]
    run([*sign, *authority, "-in", f"{folder}/server.csr", "-out", f"{folder}/server.crt"])
    return folder


@pytest.fixture(scope="module")
def secured(certificates: Path) -> Iterator[Postgres]:
    """A server that speaks TLS only."""
    from tests.services.plugin import started

    folder = scratch("tls")
    for name in ("server.key", "server.crt"):
        shutil.copy(certificates / name, folder)
        (folder / name).chmod(0o600)
        if leaf.account():
            shutil.chown(folder / name, leaf.account())
    (folder / "hba").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n")
    settings = {
        "ssl": "on", "ssl_key_file": f"{folder}/server.key", "ssl_cert_file": f"{folder}/server.crt",
        "hba_file": f"{folder}/hba",
    }  # fmt: skip
    server = started("postgres", lambda: leaf.start(settings, own=True))
    yield server
    server.stop()
    shutil.rmtree(folder)


@requirement("CON-04")
@pytest.mark.parametrize(
    ("mode", "host", "authority", "expected"),
    [
        ("disable", "127.0.0.1", "", CredentialError),
        ("require", "127.0.0.1", "", None),
        ("verify-ca", "127.0.0.1", "ca", None),
        ("verify-ca", "127.0.0.1", "other", ConfigurationError),
        ("verify-full", "localhost", "ca", None),
        ("verify-full", "127.0.0.1", "ca", ConfigurationError),
        ("verify-full", "localhost", "missing", ConfigurationError),
        ("nonsense", "127.0.0.1", "", ConfigurationError),
    ],
)
def test_tls_modes(
    secured: Postgres, certificates: Path, mode: str, host: str, authority: str, expected: type[DativoError] | None
) -> None:
    connection = {**secured.at("postgres").params, "host": host, "sslmode": mode}
    if host == "localhost":
        connection["hostaddr"] = "127.0.0.1"
    if authority:
        connection["sslrootcert"] = str(certificates / f"{authority}.crt")
    if expected is None:
        checked(connection)
    else:
        assert type(refusal(connection)) is expected


def test_a_read_over_tls_can_be_cancelled_and_completes(secured: Postgres, certificates: Path) -> None:
    with secured.database() as database:
        connection = {**database.params, "sslmode": "verify-ca", "sslrootcert": str(certificates / "ca.crt")}
        stream = table("q", query="select g as id from generate_series(1, 300000) g")
        with reader(SourceSpec("postgres", connection)) as opened:
            (piece,) = opened.slices(stream, opened.window(stream, WindowRequest(full=True)), 1)
            assert sum(batch.rows for batch in opened.read(stream, piece)) == 300_000
            early = opened.read(stream, piece)
            next(early)
            early.close()  # type: ignore[attr-defined]


# a replica ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Postgres, Postgres]]:
    """A primary and its hot standby."""
    from tests.services.plugin import started

    primary = started("postgres", lambda: leaf.start({"synchronous_commit": "remote_apply"}, own=True))
    assert primary.folder
    folder = scratch("replica")
    if leaf.account():
        shutil.chown(folder, leaf.account())
    backup = [f"{leaf.binaries()}/pg_basebackup", "-D", f"{folder}/data", "-R", "-X", "stream", "-c", "fast"]
    run([*backup, "-d", primary.url], user=leaf.account(), cwd=folder)
    secret = primary.at("postgres").params["password"]
    replica = leaf.serve(folder, secret, {"hot_standby": "on"})
    yield primary, replica
    replica.stop()
    primary.stop()


def replayed(primary: Postgres, replica: Postgres) -> None:
    import time

    (position,) = primary.at("postgres").execute("select pg_current_wal_lsn()::text")[0]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if replica.at("postgres").execute(f"select pg_last_wal_replay_lsn() >= '{position}'")[0][0]:
            return
        time.sleep(0.05)
    raise AssertionError("the replica does not follow")


@requirement("CON-04")
def test_a_replica_is_read_in_full_with_threads_asked_for(pair: tuple[Postgres, Postgres]) -> None:
    primary, replica = pair
    with primary.database() as database:
        database.execute("create table t as select g as id from generate_series(1, 50000) g")
        replayed(primary, replica)
        job = Job(replica.at(database.name), table("t"), {"threads": 4})
        assert len(job.run(full=True)) == 50_000


def test_increments_of_a_replica_lose_nothing(pair: tuple[Postgres, Postgres]) -> None:
    import time

    primary, replica = pair
    with primary.database() as database:
        database.execute("create table t (id serial primary key, at timestamptz default now())")
        database.execute("insert into t (at) values (now() - interval '1 hour')")
        late = database.connect()
        late.autocommit = False
        late.cursor().execute("insert into t default values")
        database.execute("insert into t default values")
        replayed(primary, replica)
        for cursor in ("id", "at"):
            job = Job(replica.at(database.name), table("t", cursor, lag=1))
            window = job.plan()
            assert window.kind == "empty"
            assert any("open on the primary" in note for note in window.notes)
        late.commit()
        late.close()
        replayed(primary, replica)
        time.sleep(1.1)
        for cursor in ("id", "at"):
            assert ids(Job(replica.at(database.name), table("t", cursor, lag=1)).run()) == [1, 2, 3]


# discovery ----------------------------------------------------------------------------------------------------


def test_discovery_lists_what_can_be_read_with_its_comments(database: Database) -> None:
    database.execute(
        "create schema sales",
        "create table sales.orders (id bigint, line int, note text not null, primary key (line, id))",
        "comment on table sales.orders is 'What was ordered'",
        "comment on column sales.orders.note is 'Free text; may be long'",
        "insert into sales.orders select g, 1, 'n' from generate_series(1, 1000) g",
        "create view sales.recent as select * from sales.orders",
        "create materialized view sales.totals as select count(*) as n from sales.orders",
        "create table events (id bigint not null, at date) partition by range (at)",
        "create table events_2026 partition of events for values from ('2026-01-01') to ('2027-01-01')",
        "insert into events select g, '2026-05-05' from generate_series(1, 500) g",
        "analyze",
    )
    with reader(source(database)) as opened:
        found = {stream.name: stream for stream in opened.discover()}
    assert sorted(found) == ["public.events", "sales.orders", "sales.recent", "sales.totals"]
    orders = found["sales.orders"]
    assert orders.primary_key == ("line", "id")
    assert orders.description == "What was ordered"
    assert [(field.name, field.type, field.required, field.description) for field in orders.fields] == [
        ("id", "long", True, ""),
        ("line", "int", True, ""),
        ("note", "string", True, "Free text; may be long"),
    ]
    assert orders.estimated_rows == 1000
    assert (orders.estimated_bytes or 0) > 0
    assert found["public.events"].estimated_rows == 500
    assert found["sales.recent"].estimated_rows is None
    assert len(Job(database, table("events")).run(full=True)) == 500


def test_foreign_tables_are_read_too(database: Database, postgres: Postgres) -> None:
    try:
        database.execute("create extension postgres_fdw")
    except psycopg2.Error:
        pytest.skip("this server has no postgres_fdw")
    p = database.params
    database.execute(
        "create table t (id int)", "insert into t select generate_series(1, 5)",
        f"create server s foreign data wrapper postgres_fdw options (host '{p['host']}', port '{p['port']}', "
        f"dbname '{p['database']}')",
        f"create user mapping for current_user server s options (user '{p['user']}', password '{p['password']}')",
        "create foreign table f (id int) server s options (table_name 't')",
    )  # fmt: skip
    job = Job(database, table("f", "id", lag=0))
    window = job.plan()
    assert any("on another server" in note for note in window.notes)
    assert ids(job.read(window).to_pylist()) == [1, 2, 3, 4, 5]


def test_a_query_is_described_with_the_comments_of_its_columns(database: Database) -> None:
    database.execute(
        "create domain cents as numeric(12,2)",
        "create table t (id bigint, price cents, n numeric(5,-2))" if _knows_negative_scales(database)
        else "create table t (id bigint, price cents, n numeric(7,0))",
        "comment on column t.price is 'In cents'",
    )  # fmt: skip
    described = Job(database, table("q", query="select t.*, price * 2 as twice, 'x' as word from t")).describe()
    assert [(field.name, field.type, field.description) for field in described.fields] == [
        ("id", "long", ""),
        ("price", "decimal(12,2)", "In cents"),
        ("n", "decimal(7,0)", ""),
        ("twice", "string", ""),
        ("word", "string", ""),
    ]


def _knows_negative_scales(database: Database) -> bool:
    return bool(database.execute("select current_setting('server_version_num')::int >= 150000")[0][0])


def test_names_without_quotes_fold_as_in_postgresql(database: Database) -> None:
    database.execute('create table orders (id int)', 'create table "Orders" (other int)')  # fmt: skip
    assert Job(database, table("ORDERS")).describe().fields[0].name == "id"
    assert Job(database, table("Orders")).describe().fields[0].name == "other"
    assert Job(database, table('public."Orders"')).describe().fields[0].name == "other"
    assert Job(database, table(f"{database.name}.public.orders")).describe().fields[0].name == "id"
