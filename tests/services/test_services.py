"""The servers come up, are fresh for each test, and go away whatever happens to us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.services import postgres as postgres_leaf
from tests.services import s3 as s3_leaf
from tests.services.framework import ROOT, Unavailable, services_folder
from tests.services.plugin import started
from tests.services.postgres import Database, Postgres
from tests.services.s3 import S3

# a process that a shell put in the background is born deaf to SIGINT
HOLD = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.services import postgres
s = postgres.start(own=True)
print(s.server.guard.pid, s.folder, flush=True)
time.sleep(60)
"""


def test_a_database_is_empty_and_answers(database: Database) -> None:
    assert database.execute("select count(*) from pg_tables where schemaname = 'public'") == [(0,)]


def test_databases_are_dropped_after_use(postgres: Postgres) -> None:
    with postgres.database() as first, postgres.database() as second:
        assert first.name != second.name
    names = {name for (name,) in postgres.at("postgres").execute("select datname from pg_database")}
    assert not names & {first.name, second.name}


def test_a_bucket_refuses_to_overwrite_on_condition(s3: S3, bucket: str) -> None:
    client = s3.client()
    client.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")
    with pytest.raises(client.exceptions.ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*")
    assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_no_server_outlives_the_process_that_asked_for_it(postgres: Postgres, how: signal.Signals) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    guard, folder = holder.stdout.readline().split()
    holder.send_signal(how)
    holder.wait(timeout=10)
    deadline = time.monotonic() + 15
    while (Path(folder).exists() or _running(int(guard))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(folder).exists()
    assert not _running(int(guard))


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "zombie" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc").exists() else True


def _none() -> Postgres:
    raise Unavailable("nowhere to be found")


def test_a_missing_server_skips_and_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATIVO_REQUIRE_SERVICES", raising=False)
    with pytest.raises(pytest.skip.Exception, match="nowhere"):
        started("postgres", _none)
    monkeypatch.setenv("DATIVO_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="nowhere"):
        started("postgres", _none)


def test_the_environment_names_the_server_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres_leaf.URL, "postgresql://me@elsewhere/db")
    monkeypatch.setenv(s3_leaf.URL, "https://elsewhere")
    monkeypatch.setenv("DATIVO_TEST_S3_KEY", "k")
    monkeypatch.setenv("DATIVO_TEST_S3_SECRET", "s")
    assert postgres_leaf.start().url == "postgresql://me@elsewhere/db"
    assert s3_leaf.start().endpoint == "https://elsewhere"


def test_moto_serves_where_the_gateway_was_not_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATIVO_SERVICES_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv(s3_leaf.URL, raising=False)
    assert services_folder() == tmp_path
    store = s3_leaf.start()
    try:
        assert store.kind == "moto"
        assert store.bucket() in {bucket["Name"] for bucket in store.client().list_buckets()["Buckets"]}
    finally:
        store.stop()
