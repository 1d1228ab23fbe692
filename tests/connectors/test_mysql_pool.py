"""How the MySQL reader uses its server: five connections at once, and batches as long as the job says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dativo_provider.model.job import SourceSpec
from dativo_provider.model.stream import WindowRequest
from tests.connectors.mysql_world import Job, context, reader, table
from tests.services.mariadb import MariaDatabase, MariaDB
from tests.support import requirement


@pytest.fixture
def maria(mariadb: MariaDB) -> Iterator[MariaDatabase]:
    with mariadb.database() as database:
        yield database


@requirement("CON-03")
def test_readers_of_one_process_use_five_connections_at_once(maria: MariaDatabase) -> None:
    ctx, stream = context(), table("", query="select 1 as id, sleep(0.3) as waited")
    count = "select count(*) from information_schema.processlist where db = database() and id <> connection_id()"

    def read(_: int) -> int:
        with reader(SourceSpec("mysql", maria.params), ctx) as opened:
            (piece,) = opened.slices(stream, opened.window(stream, WindowRequest(full=True)), 1)
            return sum(batch.rows for batch in opened.read(stream, piece))

    with ThreadPoolExecutor(12) as threads:
        reads, most = [threads.submit(read, number) for number in range(12)], 0
        while not all(each.done() for each in reads):
            most = max(most, maria.execute(count)[0][0])
            time.sleep(0.02)
    assert [each.result() for each in reads] == [1] * 12
    assert most == 5


@requirement("CON-03")
def test_batches_have_no_more_rows_than_the_job_asks_for(maria: MariaDatabase) -> None:
    maria.execute("create table t (id int primary key)", "insert into t select seq from seq_1_to_25001")
    job = Job(maria, table("t"), {"batch_size": 10_000})
    (piece,) = job.slices(job.plan(full=True))
    found = [batch.data for batch in job.batches(piece)]
    assert max(data.num_rows for data in found) == 10_000
    assert sorted(row for data in found for row in data.column("id").to_pylist()) == list(range(1, 25_002))
