"""Shares of a table for several tasks: whatever its key is, each row is in exactly one, and the shares are even."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.connectors.mysql_world import SERVERS, Job, database_of, is_mysql, numbers, table
from tests.services.mariadb import MariaDatabase
from tests.support import requirement

# Letters that collations fold or order in their own ways, blanks, and characters that mean something in SQL.
LETTERS = "aAbBzZ019 _-%'\"\\`.~äÄßéøyYijIJ"


@pytest.fixture(params=SERVERS)
def maria(request: pytest.FixtureRequest) -> Iterator[MariaDatabase]:
    yield from database_of(request)


def sizes(job: Job, want: int) -> list[int]:
    return [sum(batch.rows for batch in job.batches(piece)) for piece in job.slices(job.plan(), want)]


@requirement("CON-03")
@pytest.mark.parametrize(
    "kind",
    [
        "varchar(20) character set utf8mb4 collate utf8mb4_general_ci",
        "varchar(20) character set utf8mb4 collate utf8mb4_unicode_ci",
        "varchar(20) character set utf8mb4 collate utf8mb4_bin",
        "char(20) character set utf8mb3 collate utf8mb3_general_ci",
        "varchar(20) character set latin1 collate latin1_swedish_ci",
        "varchar(20) character set latin1 collate latin1_german2_ci",
        "char(20) character set latin1 collate latin1_general_cs",
        "varbinary(80)",
    ],
)
def test_texts_as_keys_are_cut_so_that_each_row_is_in_one_share(maria: MariaDatabase, kind: str) -> None:
    """Keys that a collation holds equal are rows of one share, whatever their case and the blanks behind them."""
    dice = random.Random(kind)
    kind = kind.replace("utf8mb3", "utf8") if is_mysql(maria) else kind
    texts = ["".join(dice.choices(LETTERS, k=dice.randint(0, 12))) for _ in range(1500)]
    rows = [(text, number) for number, text in enumerate(texts)]
    maria.execute(f"create table t (k {kind}, n int, primary key (k, n))")
    with maria.connect() as connection, connection.cursor() as cursor:
        cursor.executemany("insert into t values (%s, %s)", rows)
    maria.execute("analyze table t")
    job = Job(maria, table("t"), {"min_slice_rows": 20})
    found = [[row["n"] for batch in job.batches(piece) for row in batch.data.to_pylist()]
             for piece in job.slices(job.plan(), 16)]  # fmt: skip
    assert Counter(number for each in found for number in each) == Counter(range(1500))
    assert len(found) > 6, "cut at all"
    assert max(map(len, found)) < 750


@requirement("CON-03")
def test_letters_that_are_one_together_are_where_the_collation_has_them(maria: MariaDatabase) -> None:
    """In Czech `ch` is a letter behind `h`: no order of single characters has it there."""
    dice = random.Random(3)
    maria.execute("create table t (k varchar(20) collate utf8mb4_czech_ci, n int, primary key (k, n))")
    with maria.connect() as connection, connection.cursor() as cursor:
        rows = [("".join(dice.choices("cccchhdiCH", k=12)), number) for number in range(1500)]
        cursor.executemany("insert into t values (%s, %s)", rows)
    maria.execute("analyze table t")
    found = sizes(Job(maria, table("t"), {"min_slice_rows": 20}), 16)
    assert (len(found) > 4, sum(found)) == (True, 1500)


@requirement("CON-03")
def test_identifiers_as_text_are_shared_evenly(maria: MariaDatabase) -> None:
    dice = random.Random(7)
    kinds: dict[str, Callable[[uuid.UUID], str | bytes]] = {
        "char(36)": str, "binary(16)": lambda each: each.bytes, "varchar(60)": lambda each: f"order-of-2024-{each}",
    }  # fmt: skip
    if not is_mysql(maria):
        kinds["uuid"] = str
    for kind, written in kinds.items():
        made = [(written(uuid.UUID(int=dice.getrandbits(128), version=4)),) for _ in range(8000)]
        maria.execute("drop table if exists t", f"create table t (k {kind} primary key)")
        with maria.connect() as connection, connection.cursor() as cursor:
            cursor.executemany("insert into t values (%s)", made)
        maria.execute("analyze table t")
        found = sizes(Job(maria, table("t"), {"min_slice_rows": 500}), 4)
        assert (len(found), sum(found)) == (4, 8000), kind
        assert max(found) < 2 * min(found), (kind, found)


def test_numbers_written_as_text_share_a_long_beginning(maria: MariaDatabase) -> None:
    maria.execute("create table t (k varchar(40) primary key)",
                  f"insert into t select concat('customer-', lpad(seq, 9, '0')) from {numbers(1, 8000)}",
                  "analyze table t")  # fmt: skip
    found = sizes(Job(maria, table("t"), {"min_slice_rows": 500}), 4)
    assert (len(found), sum(found)) == (4, 8000)
    assert max(found) < 3 * min(found), found


def test_keys_of_other_alphabets_and_of_kinds_without_a_scale_are_read_whole(maria: MariaDatabase) -> None:
    words = ["Ж", "ж", "漢字", "😀", "", "a", "z" * 20, "я"]
    maria.execute("create table t (k varchar(20) collate utf8mb4_unicode_ci, n int, primary key (k, n))",
                  "create table s (k enum('b', 'a', 'c'), n int, primary key (k, n))",
                  f"insert into s select elt(1 + seq % 3, 'a', 'b', 'c'), seq from {numbers(1, 300)}")  # fmt: skip
    with maria.connect() as connection, connection.cursor() as cursor:
        cursor.executemany("insert into t values (%s, %s)", [(words[n % 8], n) for n in range(400)])
    maria.execute("analyze table t, s")
    assert sum(sizes(Job(maria, table("t"), {"min_slice_rows": 10}), 8)) == 400
    assert sizes(Job(maria, table("s"), {"min_slice_rows": 10}), 8) == [300]
