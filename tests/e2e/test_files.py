"""Files of buckets, documents and a bare address into Iceberg, by jobs as their pages show them."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.readers import rows_of
from tests.connectors.files.conftest import speaking_s3
from tests.connectors.files.remote import Bucket
from tests.connectors.files.writing import csv, jsonl, parquet
from tests.connectors.rest.fake import FakeApi, serving
from tests.e2e.trial import Trial
from tests.services.s3 import S3
from tests.support import requirement

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from dativo_provider.cli.main import main
from dativo_provider.files.s3 import S3Files
real, calls, last = S3Files.read_part, [], int(sys.argv[1])

def read_part(self, info, at, size):
    calls.append(at)
    if len(calls) == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, info, at, size)

S3Files.read_part = read_part
sys.argv = ["dativo", *sys.argv[2:]]
main()
"""


@pytest.fixture
def bucket(s3: S3) -> Bucket:
    return speaking_s3("s3", s3)


def job(trial: Trial, name: str, connector: str, source: dict[str, Any], **more: Any) -> Path:
    path = trial.tenant / "jobs" / f"{name}.yaml"
    path.write_text(json.dumps({"tenant_id": "acme", "source_connector": connector, "source": source, **more}))
    return path


def bucket_job(trial: Trial, bucket: Bucket, **source: Any) -> Path:
    """Reads events of any format; the secret key is a secret of the tenant."""
    tenant = {"tenant_id": "acme", "roots": {"files": ["data", bucket.uri]}}
    (trial.tenant / "tenant.yaml").write_text(json.dumps(tenant))
    secret = bucket.connection["secret_access_key"]
    trial.monkeypatch.setenv("DATIVO_SECRET__ACME__LANDING", secret)
    trial.secrets.append(secret)
    said = {
        "connection": {**bucket.connection, "secret_access_key": "${SECRET:landing}"},
        "files": [{"path": f"{bucket.uri}/in/**/*", "object": "events", "key": ["id"]}],
        "incremental": {"strategy": "file_modified_time"},
        **source,
    }
    return job(trial, "events", "s3", said, retry_config={"max_retries": 0})


@requirement("CON-20", "REG-07", "SEC-05")
def test_a_bucket_of_many_formats_is_one_table_and_each_object_is_read_once(trial: Trial, bucket: Bucket) -> None:
    path = bucket_job(trial, bucket, options={"on_broken_file": "quarantine"})
    bucket.put("in/a/1.csv.gz", gzip.compress(csv(rows_of(100))))
    bucket.put("in/2.parquet", parquet(rows_of(100, 101)))
    assert trial.succeeds(path)["books"]["extracted"] == 200
    bucket.put("in/b/3.jsonl", jsonl(rows_of(50, 201)))
    bucket.put("in/4.parquet", parquet(rows_of(10))[:-20])
    answer = trial.run(path)
    books = answer.json["streams"][0]["books"]
    assert (answer.code, books["extracted"], books["accepted"], books["rejected"]) == (1, 51, 50, 1)
    counted = "select count(*) n, count(distinct id) d, sum(cast(amount as decimal(18,4))) s from events"
    assert trial.rows(path, counted) == [{"n": 250, "d": 250, "s": "7843.7500"}]
    assert trial.succeeds(path)["books"]["extracted"] == 0


@requirement("CON-20", "ING-25")
def test_a_run_killed_in_the_middle_leaves_nothing_and_the_next_reads_all(trial: Trial, bucket: Bucket) -> None:
    path = bucket_job(trial, bucket)
    for number in range(4):
        bucket.put(f"in/{number}.jsonl", jsonl(rows_of(500, 1 + 500 * number)))
    command = [sys.executable, "-c", KILLED, "6", "run", "--config", str(path)]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    assert trial.values("acme.events", "id") == []
    assert trial.succeeds(path)["books"]["accepted"] == 2000
    assert trial.rows(path, "select count(*) n, count(distinct id) d from events") == [{"n": 2000, "d": 2000}]


@requirement("CON-20", "ING-17")
def test_columns_that_later_objects_bring_follow_the_schema_policy(trial: Trial, bucket: Bucket) -> None:
    path = bucket_job(trial, bucket)
    bucket.put("in/1.jsonl", b'{"id": 1, "name": "a"}\n')
    trial.succeeds(path)
    bucket.put("in/2.jsonl", b'{"id": 2, "name": "b", "late": 2.5}\n')
    trial.succeeds(path)
    assert trial.rows(path, "select id, late from events order by id") == [
        {"id": 1, "late": None}, {"id": 2, "late": 2.5},
    ]  # fmt: skip


@requirement("CON-06")
def test_documents_become_pairs_and_a_changed_one_replaces_its_own(trial: Trial) -> None:
    source = {
        "files": [{"path": ".", "object": "facts", "key": ["doc_id", "ord"], "on_changed_file": "append"}],
        "incremental": {"strategy": "file_modified_time"},
    }
    path = job(trial, "facts", "markdown_kv", source, target={"write_mode": "merge"})
    (trial.data / "shop.md").write_text("owner:: Ada\n# Hours\nmonday:: 9-17\n")
    (trial.data / "café.md").write_text("owner:: Bo\n")
    trial.succeeds(path)
    (trial.data / "shop.md").write_text("owner:: Eve\n# Hours\nmonday:: 10-18\n")
    trial.succeeds(path)
    found = trial.rows(path, "select doc_id, section, key, value from facts order by doc_id, ord")
    assert [tuple(each.values()) for each in found] == [
        ("café", "_default", "owner", "Bo"),
        ("shop", "_default", "owner", "Eve"),
        ("shop", "Hours", "monday", "10-18"),
    ]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    made = FakeApi()
    with serving(made) as made.url:
        yield made


@requirement("CON-29", "REG-07")
def test_an_address_becomes_a_table_that_is_merged_as_it_changes(trial: Trial, api: FakeApi) -> None:
    trial.monkeypatch.setenv("DATIVO_SECRET__ACME__RATES", api.token)
    trial.secrets.append(api.token)
    source = {
        "objects": ["rates"], "key": ["id"], "connection": {"token": "${SECRET:rates}"},
        "options": {
            "url": f"{api.url}/offset", "records": "items", "params": {"since": "{lo:iso}"},
            "paginate": {"type": "offset", "param": "offset", "size": 100, "size_param": "limit"},
        },
        "incremental": {"strategy": "updated_at", "cursor_field": "updated_at", "lookback_days": 900},
    }  # fmt: skip
    path = job(trial, "rates", "json_api", source, target={"write_mode": "merge"})
    api.rows = [{"id": at, "rate": at / 4, "updated_at": f"2026-03-01T00:00:{at % 60:02}Z"} for at in range(250)]
    assert trial.succeeds(path)["books"]["extracted"] == 250
    api.rows[7] |= {"rate": 99.5, "updated_at": "2026-03-02T00:00:00Z"}
    trial.succeeds(path)
    counted = trial.rows(path, "select count(*) n, max(rate) r from rates")
    assert counted == [{"n": 250, "r": 99.5}]
