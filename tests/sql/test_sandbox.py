"""A tenant's SQL reaches no file, no network, no setting and no Python variable."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from dativo_provider.sql.sandbox import arrow_reader, connect
from tests.support import requirement

HOSTILE = [
    "SELECT * FROM read_text('{file}')",
    "SELECT * FROM read_blob('{file}')",
    "SELECT * FROM read_csv('{file}')",
    "SELECT * FROM read_json('{file}')",
    "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM parquet_metadata('{file}')",
    "SELECT * FROM sniff_csv('{file}')",
    "SELECT * FROM '{file}'",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM 'https://example.org/x.parquet'",
    "SELECT * FROM 's3://bucket/x.parquet'",
    "SELECT getenv('HOME')",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY secrets_of_caller FROM '{file}'",
    "EXPORT DATABASE '{folder}/dump'",
    "IMPORT DATABASE '{folder}'",
    "ATTACH '{folder}/other.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{file}'",
    "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "SET enable_external_access = true",
    "SET memory_limit = '99GB'",
    "SET threads = 64",
    "SET temp_directory = '{folder}'",
    "SET python_enable_replacements = true",
    "RESET lock_configuration",
    "PRAGMA enable_profiling = 'json'",
    "SELECT * FROM secrets_of_caller",
]


@pytest.mark.parametrize("statement", HOSTILE)
def test_every_way_out_is_shut(statement: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    secrets_of_caller = pa.table({"password": ["x"]})
    database = connect(64, 1, str(tmp_path / "spill"))
    with pytest.raises(duckdb.Error):
        database.execute(statement.format(file=secret, folder=tmp_path)).fetchall()
    assert secrets_of_caller.num_rows == 1
    assert sorted(os.listdir(tmp_path)) in (["secret.csv", "spill"], ["secret.csv"])


@requirement("ING-18")
def test_it_spills_to_the_given_folder_although_files_are_out_of_reach(tmp_path: Path) -> None:
    database = connect(80, 2, str(tmp_path / "spill"))
    database.execute("CREATE TABLE t AS SELECT i, hash(i)::VARCHAR AS s FROM range(3000000) r(i)").fetchall()
    assert database.execute("SELECT count(*) FROM (SELECT * FROM t ORDER BY s)").fetchall() == [(3000000,)]
    assert os.listdir(tmp_path / "spill")
    database.close()


def test_without_a_folder_it_refuses_rather_than_writes_into_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(duckdb.Error):
        connect(40, 1).execute("CREATE TABLE t AS SELECT hash(i)::VARCHAR AS s FROM range(9000000) r(i)").fetchall()
    assert os.listdir(tmp_path) == []


def test_moments_are_in_utc_whatever_the_machine_thinks() -> None:
    database = connect(64, 1)
    assert database.execute("SELECT (TIMESTAMPTZ '2024-07-01 00:00:00+00')::VARCHAR").fetchall() == [
        ("2024-07-01 00:00:00+00",)
    ]


def test_registered_rows_come_back_as_a_stream_of_batches() -> None:
    database = connect(64, 1)
    database.register("rows", pa.table({"a": list(range(5000))}))
    batches = list(arrow_reader(database.sql("SELECT a FROM rows"), 2048))
    assert [row for batch in batches for row in batch.column(0).to_pylist()] == list(range(5000))
