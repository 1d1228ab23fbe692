"""Everything that can be wrong around a run: a clear error, exit code 2, nothing visible, no row lost afterwards."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.faults import ExpiringS3, Gate
from tests.e2e.trial import TABLE, Trial
from tests.services.postgres import Database
from tests.services.s3 import S3
from tests.support import requirement

pytestmark = pytest.mark.timeout(120)


def shop(database: Database, ids: range, amount: str = "numeric(12,2)") -> None:
    database.execute(
        f"create table if not exists orders (id bigint primary key, region text, amount {amount}, "
        "updated_at timestamptz not null)",
        f"insert into orders select n, 'north', '1.50', timestamptz '2026-03-01' + n * interval '1 s' "
        f"from generate_series({ids.start}, {ids.stop - 1}) n",
    )


# Credentials --------------------------------------------------------------------------------------------------


@requirement("ERR-08")
def test_a_wrong_password_of_the_source(trial: Trial, database: Database) -> None:
    shop(database, range(1, 6))
    trial.secrets += ["wrong-s3cret", database.params["password"]]
    wrong = trial.postgres_job({**database.params, "password": "wrong-s3cret"})
    trial.fails(wrong, "CredentialError", "password authentication failed", "user, password")
    trial.recovers(trial.postgres_job(database.params), range(1, 6))


@requirement("ERR-08")
def test_a_wrong_password_of_the_catalog(trial: Trial, database: Database) -> None:
    trial.secrets += ["wrong-s3cret", database.params["password"]]
    trial.deliver("a.csv", range(5))
    job, wrong = trial.csv_job(), database.url.replace(quote(database.params["password"]), "wrong-s3cret")
    trial.keep_in(catalog_uri=wrong)
    trial.fails(job, "CredentialError", "password authentication failed", "DATIVO_CATALOG_URI")
    trial.keep_in(catalog_uri=database.url)
    trial.recovers(job, range(5))


@requirement("ERR-08")
def test_wrong_keys_of_the_warehouse(trial: Trial, s3: S3, bucket: str) -> None:
    trial.secrets += ["wrong-s3cret", s3.secret_key]
    trial.deliver("a.csv", range(5))
    job = trial.csv_job()
    trial.keep_in(f"s3://{bucket}/lake", **{**s3.properties, "s3.secret-access-key": "wrong-s3cret"})
    trial.fails(job, "CredentialError", "refused these credentials", "renew them")
    trial.keep_in(f"s3://{bucket}/lake", **s3.properties)
    trial.recovers(job, range(5))


@requirement("ERR-08", "ING-25")
@pytest.mark.parametrize("step", ["extract", "publish"])
def test_keys_that_expire_in_the_middle(trial: Trial, s3: S3, bucket: str, step: str) -> None:
    """After the first staged file is complete; or when the commit's own files are to be written."""
    trial.secrets.append(s3.secret_key)
    ids = range(40_000)
    trial.deliver("a.csv", ids)
    job = trial.csv_job(target={"parquet_target_size_mb": 1})
    with ExpiringS3(s3.endpoint) as proxy:
        trial.keep_in(f"s3://{bucket}/lake", **{**s3.properties, "s3.endpoint": proxy.endpoint})
        proxy.expired = late_in_extract() if step == "extract" else in_publish
        trial.fails(job, "CredentialError", "xpired", "renew them")
        assert proxy.refused
        proxy.expired = lambda method, path: False
        trial.recovers(job, ids)


def late_in_extract() -> Callable[[str, str], bool]:
    """From the end of the first staged file on, everything is refused."""
    over: list[bool] = []

    def expired(method: str, path: str) -> bool:
        if "/data/run-" in path and method in ("PUT", "POST"):
            over.append(True)
        return len(over) > 2

    return expired


def in_publish(method: str, path: str) -> bool:
    return method in ("PUT", "POST") and "/metadata/" in path and path.endswith((".avro", "?uploads", "?uploads="))


# Source -------------------------------------------------------------------------------------------------------


@requirement("ERR-08")
def test_a_table_that_is_not_there(trial: Trial, database: Database) -> None:
    job = trial.postgres_job(database.params)
    trial.fails(job, "SourceChanged", "public.orders", "correct `tables[].name`")
    shop(database, range(1, 6))
    trial.recovers(job, range(1, 6))


@requirement("ERR-08")
def test_a_column_that_is_not_there(trial: Trial, database: Database) -> None:
    shop(database, range(1, 6))
    job = trial.postgres_job(database.params)
    trial.succeeds(job)
    database.execute("alter table orders rename amount to amonut", "insert into orders values (6, 'n', 1, now())")
    trial.fails(job, "DataError", "amount", "did you mean 'amonut'?")
    database.execute("alter table orders rename amonut to amount")
    trial.recovers(job, range(1, 7))


@requirement("ERR-08")
def test_a_cursor_column_that_is_not_there(trial: Trial, database: Database) -> None:
    shop(database, range(1, 6))
    job = trial.postgres_job(database.params, table={"cursor_field": "changed_at"})
    trial.fails(job, "InvalidConfig", "changed_at", "Did you mean 'updated_at'?", "orders.yaml:1:")
    trial.recovers(trial.postgres_job(database.params), range(1, 6))


@requirement("ERR-08", "REG-03")
@pytest.mark.parametrize("change", ["vanishes", "is cut", "grows"])
def test_a_file_that_changes_between_plan_and_read(trial: Trial, change: str) -> None:
    path = trial.deliver("a.csv", range(5))
    job, text = trial.csv_job(), path.read_text()
    with before_extract(trial, lambda: alter(path, change)):
        trial.fails(job, "SourceChanged", "a.csv", "run")
    path.write_text(text)
    trial.recovers(job, range(5))


def alter(path: Path, change: str) -> None:
    if change == "vanishes":
        path.unlink()
    elif change == "is cut":
        path.write_text(path.read_text()[:-20])
    else:
        path.write_text(path.read_text() + "9,north,1.50,2026-03-01T00:00:00Z\n")


class before_extract:  # noqa: N801 - reads as a statement
    """`act` happens after the plan, once."""

    def __init__(self, trial: Trial, act: Callable[[], None]) -> None:
        self._patch, self._act = trial.monkeypatch, act

    def __enter__(self) -> None:
        import dativo_provider.pipeline.side_by_side as slices

        self._real = slices.extract

        def extract(*args: Any) -> Any:
            self._act()
            return self._real(*args)

        self._patch.setattr(slices, "extract", extract)

    def __exit__(self, *_: object) -> None:
        import dativo_provider.pipeline.side_by_side as slices

        self._patch.setattr(slices, "extract", self._real)


@requirement("ERR-08")
@pytest.mark.parametrize("damage", ["truncated", "corrupt"])
def test_a_compressed_file_that_is_not_whole(trial: Trial, damage: str) -> None:
    plain = trial.deliver("a.csv", range(50_000))
    packed, target = gzip.compress(plain.read_bytes()), plain.with_name("a.csv.gz")
    plain.unlink()
    middle = len(packed) // 2
    target.write_bytes(packed[:middle] if damage == "truncated" else packed[:middle] + b"????" + packed[middle + 4 :])
    job = trial.csv_job()
    trial.fails(job, "DataError", "a.csv.gz", "truncated or corrupt", "deliver the file again")
    target.write_bytes(packed)
    trial.recovers(job, range(50_000))


@requirement("ERR-08")
@pytest.mark.parametrize("how", ["replace", "--full-refresh"])
def test_an_empty_source_empties_no_table(trial: Trial, database: Database, how: str) -> None:
    """Whether the job replaces, or an operator asks for it."""
    shop(database, range(1, 6))
    job = trial.postgres_job(database.params, incremental=how != "replace")
    trial.succeeds(job)
    database.execute("delete from orders")
    words = [how] if how.startswith("--") else []
    trial.fails(job, "ContractViolation", "would empty it", "allow_empty_replace", words=words)
    shop(database, range(7, 9))
    trial.succeeds(job, *words)
    assert trial.ids() == [7, 8]


@requirement("ERR-08")
@pytest.mark.parametrize("how", ["replace", "--full-refresh"])
@pytest.mark.parametrize("left", ["no file", "a header", "an empty file"])
def test_an_empty_folder_empties_no_table(trial: Trial, how: str, left: str) -> None:
    path = trial.deliver("a.csv", range(5))
    job = trial.csv_job(incremental=how != "replace")
    trial.succeeds(job)
    if left == "no file":
        path.unlink()
    else:
        path.write_text("" if left == "an empty file" else "id,region,amount,updated_at\n")
    words = [how] if how.startswith("--") else []
    trial.fails(job, "ContractViolation", "would empty it", "allow_empty_replace", words=words)
    trial.deliver("a.csv", range(3))
    trial.succeeds(job, *words)
    assert trial.ids() == [0, 1, 2]


# Storage ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("NOT TESTED: a full disk (mounting a tmpfs needs root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@requirement("ERR-08", "ING-25")
def test_a_full_disk(trial: Trial, small_disk: Path) -> None:
    ids = random.Random(1).sample(range(2**40), 200_000)
    trial.deliver("a.csv", ids)
    job = trial.csv_job()
    trial.keep_in((small_disk / "warehouse").as_uri())
    trial.fails(job, "StorageUnavailable", "disk", "full", "free space")
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    trial.recovers(job, ids)


@requirement("ERR-08")
def test_a_full_disk_under_the_whole_home(trial: Trial, small_disk: Path) -> None:
    """Catalog and metadata store are on it too."""
    trial.monkeypatch.setenv("DATIVO_HOME", str(small_disk))
    trial.warehouse, trial.catalog["uri"] = (small_disk / "warehouse").as_uri(), f"sqlite:///{small_disk}/catalog.db"
    ids = random.Random(1).sample(range(2**40), 200_000)
    trial.deliver("a.csv", ids)
    job = trial.csv_job()
    trial.fails(job, "StorageUnavailable", "disk", "full", "free space")
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    trial.recovers(job, ids)


@requirement("ERR-08", "ING-25")
@pytest.mark.parametrize("since", ["plan", "extract"])
def test_a_catalog_that_does_not_answer(trial: Trial, database: Database, since: str) -> None:
    params = database.params
    trial.deliver("a.csv", range(5))
    job = trial.csv_job()
    trial.secrets.append(params["password"])
    with Gate(params["host"], params["port"]) as gate:
        trial.keep_in(catalog_uri=database.url.replace(f":{params['port']}/", f":{gate.port}/"))
        trial.succeeds(job)
        trial.deliver("b.csv", range(5, 9))
        if since == "plan":
            gate.close()
            trial_fails_unseen(trial, job)
        else:
            with before_extract(trial, gate.close):
                trial_fails_unseen(trial, job)
        gate.open()
        assert trial.ids() == [*range(5)]
        trial.recovers(job, range(9))


def trial_fails_unseen(trial: Trial, job: Path) -> None:
    """Like `fails`, while nobody can look."""
    answer = trial.run(job)
    assert answer.code == 2, answer.out
    error = answer.json["streams"][0]["error"]
    assert error["error_type"] == "StorageUnavailable", error
    assert "the catalog did not answer" in error["message"]
    assert "check that its database runs" in error["remedy"]
    assert error["retryable"]


# Table --------------------------------------------------------------------------------------------------------


@requirement("ERR-08")
def test_a_table_of_another_schema(trial: Trial) -> None:
    trial.deliver("a.csv", range(5))
    trial.succeeds(trial.csv_job())
    trial.deliver("b.csv", range(5, 9))
    text = {"logicalType": "boolean"}
    clash = trial.csv_job(contract=trial.contract("other", amount=text))
    trial.fails(clash, "DataError", "does not fit the table", "amount", "new table")
    trial.recovers(trial.csv_job(), range(9))


@requirement("ERR-08")
def test_a_table_of_another_tenant(trial: Trial) -> None:
    trial.deliver("a.csv", range(5))
    job = trial.csv_job()
    trial.succeeds(job)
    with trial.table().transaction() as transaction:
        transaction.set_properties({"dativo.tenant": "globex"})
    trial.deliver("b.csv", range(5, 9))
    trial.fails(job, "ConfigurationError", "another tenant", TABLE, "own tenant")
    with trial.table().transaction() as transaction:
        transaction.set_properties({"dativo.tenant": "acme"})
    trial.recovers(job, range(9))


@requirement("ERR-08")
@pytest.mark.parametrize("how", ["replace", "--full-refresh"])
def test_two_jobs_of_which_one_would_delete_the_other_s_rows(trial: Trial, how: str) -> None:
    trial.deliver("a.csv", range(5))
    trial.succeeds(trial.csv_job("first"))
    second = trial.csv_job("second", incremental=how != "replace")
    if how != "replace":
        trial.succeeds(second)
    trial.deliver("b.csv", range(5, 9))
    words = [how] if how.startswith("--") else []
    error = trial.fails(second, "ConfigurationError", "would delete the rows of", "table of its own", words=words)
    assert "first" in error["message"]
    trial.recovers(trial.csv_job("first"), range(9))


@requirement("ERR-08")
def test_two_append_jobs_keep_their_own_books_and_double_no_key(trial: Trial) -> None:
    jobs = [trial.csv_job("first"), trial.csv_job("second")]
    for name, ids in (("a.csv", range(5)), ("b.csv", range(5, 9))):
        trial.deliver(name, ids)
        books = [trial.succeeds(job)["books"] for job in jobs]
        assert [(each["accepted"], each["duplicates"]) for each in books] == [(len(ids), 0), (0, len(ids))]
    assert trial.ids() == [*range(9)]


# Contract -----------------------------------------------------------------------------------------------------


@requirement("ERR-08")
def test_a_contract_that_requires_what_the_source_has_not(trial: Trial, database: Database) -> None:
    shop(database, range(1, 6))
    wrong = trial.contract("wrong", currency={"logicalType": "string", "required": True})
    trial.fails(trial.postgres_job(database.params, contract=wrong), "DataError", "currency", "contract requires")
    trial.recovers(trial.postgres_job(database.params), range(1, 6))


@requirement("ERR-08")
def test_a_contract_whose_types_no_row_of_the_source_has(trial: Trial, database: Database) -> None:
    shop(database, range(1, 6))
    wrong = trial.contract("wrong", region={"logicalType": "integer", "required": True})
    trial.fails(trial.postgres_job(database.params, contract=wrong), "ContractViolation", "all 5 rows", "dativo query")
