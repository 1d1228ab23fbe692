"""Shares of a PostgreSQL table for several tasks, whose keys its collations order in their own ways."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from dativo_provider.connectors.postgres import slices
from tests.connectors.postgres_world import Job, table
from tests.services.postgres import Database
from tests.support import requirement


@requirement("CON-04")
@pytest.mark.parametrize(
    "kind",
    [
        'text collate "C"',
        'text collate "en-x-icu"',
        'varchar(20) collate "de-x-icu"',
        'character(20) collate "C"',
        "uuid",
        'text collate "folded"',
    ],
)
def test_texts_as_keys_are_cut_so_that_each_row_is_in_one_share(database: Database, kind: str) -> None:
    """The order of the database's own collation is another one than the column's, for some of these."""
    dice = random.Random(kind)
    folded = "create collation folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
    database.execute(folded, f"create table t (k {kind}, n int, primary key (k, n))")
    texts = ["".join(dice.choices("aAbBzZ019 _-'\\äÄéß", k=dice.randint(0, 12))) for _ in range(1500)]
    connection = database.connect()
    with connection.cursor() as cursor:
        if kind == "uuid":
            cursor.execute("insert into t select md5(seq::text)::uuid, seq - 1 from generate_series(1, 1500) seq")
        else:
            rows = [(text, number) for number, text in enumerate(texts)]
            cursor.executemany("insert into t values (%s, %s)", rows)
        cursor.execute("analyze t")
    connection.close()
    job = Job(database, table("public.t"), {"min_slice_rows": 20})
    found = [[row["n"] for batch in job.batches(piece) for row in batch.data.to_pylist()]
             for piece in job.slices(job.plan(), 16)]  # fmt: skip
    assert Counter(number for each in found for number in each) == Counter(range(1500))
    assert len(found) > 6, "cut at all"
    assert max(map(len, found)) < 750


@requirement("CON-04")
def test_statistics_from_before_a_collation_changed_cut_ascending_shares(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer system library orders texts otherwise than the `analyze` of before."""
    made = 'create table t (k text collate "en-x-icu" primary key)'
    database.execute(made, "insert into t select md5(n::text) from generate_series(1, 1500) n", "analyze t")
    histogram = slices._histogram
    monkeypatch.setattr(slices, "_histogram", lambda *given: histogram(*given)[::-1])
    job = Job(database, table("public.t"), {"min_slice_rows": 20})
    found = [sum(batch.rows for batch in job.batches(piece)) for piece in job.slices(job.plan(), 8)]
    assert sum(found) == 1500
    assert len(found) == 8
