"""MySQL into Iceberg, by the example job of its page; and what a dying server leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.trial import Trial
from tests.services.mariadb import MariaDatabase, MariaDB
from tests.support import requirement

ORDERS = """create table orders (order_id bigint unsigned primary key, amount decimal(12,2), ordered date,
    updated_at datetime not null, key (updated_at))"""


@pytest.fixture
def shop(mariadb: MariaDB) -> Iterator[MariaDatabase]:
    with mariadb.database() as database:
        database.execute(ORDERS)
        yield database


def example(trial: Trial, shop: MariaDatabase, **source: Any) -> Path:
    trial.secret("shop", shop.params["password"])
    address = {**shop.params, "password": "${SECRET:shop}"}
    job = trial.example("mysql", "orders", address, connection_id=None, **source)
    job.write_text(job.read_text().replace("shop.orders", "orders"))
    return job


@requirement("CON-03")
def test_the_example_job_merges_what_changes(trial: Trial, shop: MariaDatabase) -> None:
    job = example(trial, shop)
    shop.execute("set sql_mode = ''", "insert into orders select 18446744073709551000 + seq, seq / 7, '0000-00-00', "
                 "'2024-01-01' - interval seq hour from seq_1_to_500")  # fmt: skip
    assert trial.succeeds(job)["books"]["extracted"] == 500
    shop.execute("update orders set amount = -1, updated_at = '2024-02-01' where order_id = 18446744073709551001")
    assert trial.succeeds(job)["books"]["extracted"] == 1
    found = trial.dativo(
        "query", "--config", job, "--json",
        "select count(*) n, count(ordered) dates, max(order_id)::text most, sum(amount = -1) ones from orders",
    ).json  # fmt: skip
    assert found == [{"n": 500, "dates": 0, "most": "18446744073709551500", "ones": 1}]


@requirement("ERR-07")
def test_a_connection_that_breaks_in_the_middle_is_read_again_and_no_row_comes_twice(
    trial: Trial, shop: MariaDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    shop.execute("insert into orders select seq, 1, null, '2024-01-01' from seq_1_to_300000")
    job = example(trial, shop, options={"batch_size": 500})
    job.write_text(job.read_text() + "\nretry_config: {initial_delay_seconds: 0}\n")
    killer = threading.Thread(target=kill_the_reader, args=(shop,))
    killer.start()
    assert trial.succeeds(job)["books"]["extracted"] == 300_000
    killer.join()
    assert "the server did not send the rows to their end" in caplog.text
    query = "select count(*) n, count(distinct order_id) d from orders"
    assert trial.rows(job, query) == [{"n": 300_000, "d": 300_000}]


def kill_the_reader(shop: MariaDatabase) -> None:
    """Waits for the read of the rows, and ends its connection."""
    reading = (
        f"select id from information_schema.processlist where db = '{shop.params['database']}' "
        "and id <> connection_id() and info like 'select `order_id`%%'"
    )
    for _ in range(1000):
        for (thread,) in shop.execute(reading):
            shop.execute(f"kill connection {thread}")
            return
        time.sleep(0.01)
