"""Which published files are read for a few keys, when only their bloom filters can tell."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dativo_provider.files import local_path
from dativo_provider.lake.bloom import may_hold, xxh64
from dativo_provider.lake.rows import live_tasks
from dativo_provider.model.stream import Field
from tests.lake.support import Lake, job, settings
from tests.support import requirement

NUMBERS = [-(2**31), -1, 0, 7, 2**31 - 1]
FIELDS = (Field("id", "string", required=True), Field("n", "long"), Field("day", "date"))


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_hashes_are_those_of_the_specification(text: bytes, hashed: int) -> None:
    assert xxh64(text) == hashed


def keys(count: int, start: int = 0) -> list[str]:
    """Random in order, the same in every test; of lengths that take each path through the hash."""
    return [f"{uuid.uuid5(uuid.NAMESPACE_OID, str(n))}{'x' * (n % 40)}" for n in range(start, start + count)]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Three files of keys that lie among each other."""
    made = Lake(settings(tmp_path_factory.mktemp("lake")), job(), FIELDS)
    for file in range(3):
        rows = [{"id": key, "n": n, "day": None} for n, key in enumerate(keys(500, 500 * file))]
        made.run(rows)
    return made


def within(lake: Lake, wanted: list[str], **more: list[Any]) -> tuple[set[str], tuple[int, int, int]]:
    asked = {"id": wanted, **more}
    found = lake.target.published_within(lake.plan(), dict.fromkeys(asked, (None, None)), asked)
    read = set(found.rows.read_all()["id"].to_pylist())
    return read, (found.files, found.out_of_bounds, found.out_of_filters)


@requirement("DQ-06", "ING-05")
def test_random_keys_that_are_new_open_no_published_column(lake: Lake) -> None:
    read, counted = within(lake, keys(20, 5000))
    assert (read, counted) == (set(), (3, 0, 3))


@requirement("DQ-06")
def test_a_file_with_one_of_the_keys_is_always_read(lake: Lake) -> None:
    for at in (0, 499, 500, 1499):
        read, counted = within(lake, [*keys(3, 6000), *keys(1, at)])
        assert keys(1, at)[0] in read
        assert counted == (3, 0, 2)


def test_a_key_of_two_columns_must_be_possible_in_both(lake: Lake) -> None:
    """`n` has no filter, so that `id` decides; a column we cannot hash decides nothing."""
    assert within(lake, keys(2, 7000), n=[1, 2])[1] == (3, 0, 3)
    assert within(lake, keys(2, 499), n=[1, 2])[1] == (3, 0, 1)


def test_bounds_rule_out_files_before_filters_are_asked(lake: Lake) -> None:
    found = lake.target.published_within(lake.plan(), {"n": (1000, 2000)}, {"n": [1000]})
    assert (found.files, found.out_of_bounds, found.out_of_filters) == (3, 3, 0)


@pytest.mark.parametrize("kind", ["int", "long", "date", "string"])
def test_no_value_of_a_filter_is_missed(tmp_path: Path, kind: str) -> None:
    lake = Lake(settings(tmp_path), job(), (Field("id", kind, required=True),))
    held: list[Any] = [str(n) * 9 for n in NUMBERS] if kind == "string" else NUMBERS
    if kind == "date":
        held = pa.array([-700000, -1, 0, 20000], pa.int32()).cast(pa.date32()).to_pylist()
    lake.run([{"id": value} for value in held])
    (task,) = live_tasks(lake.target.table(lake.name()))
    assert pq.read_metadata(local_path(task.file.file_path)).row_group(0).column(0).bloom_filter_length
    table = lake.target.table(lake.name())
    assert all(may_hold(table, task, {"id": [value]}) for value in held)


def test_numbers_wider_than_the_files_are_not_in_them(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), job(), (Field("id", "int", required=True),))
    lake.run([{"id": 1}])
    (task,) = live_tasks(lake.target.table(lake.name()))
    assert not may_hold(lake.target.table(lake.name()), task, {"id": [2**40]})
