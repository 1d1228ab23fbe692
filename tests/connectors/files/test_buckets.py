"""Objects that change, vanish or hide while they are read, and stores that fail in the middle."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import pytest

from dativo_provider.connectors.base import RequestRetry
from dativo_provider.connectors.files.buckets import S3Reader
from dativo_provider.connectors.files.patterns import Pattern
from dativo_provider.errors import ConfigurationError, SourceChanged, StorageUnavailable
from dativo_provider.files import FileInfo
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor, WindowRequest
from tests.conformance.readers import CONTRACT, FIELDS, rows_of
from tests.connectors.files.local import opened, read_all, stream_of
from tests.connectors.files.local import rows_of as read_rows
from tests.connectors.files.remote import Bucket
from tests.connectors.files.writing import csv, jsonl, parquet
from tests.support import requirement


def events(path: str, **rest: Any) -> StreamSpec:
    return StreamSpec("events", path, "events", CONTRACT, incremental=IncrementalSpec("file_modified_time"), **rest)


def read(source: SourceSpec, stream: StreamSpec, since: Cursor | None = None) -> tuple[list[int], Cursor | None]:
    """The ids of an incremental run, and its cursor."""
    reader = opened(source)
    window = reader.window(stream, WindowRequest(since=since))
    pieces = reader.slices(stream, window, 1) if window.kind != "empty" else []
    ids = [row["id"] for piece in pieces for batch in reader.read(stream, piece) for row in batch.data.to_pylist()]
    return ids, reader.next_cursor(window, [reader.result()] if pieces else [], since)


@pytest.fixture(params=["s3", "minio", "gcs", "azure"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    found: Bucket = request.getfixturevalue(f"{request.param}_bucket")
    return found


@requirement("CON-20", "CON-21", "STA-07")
def test_objects_of_one_second_are_told_apart_by_name_and_version(bucket: Bucket) -> None:
    """All of this happens within a second or two, which is all that a store's clock shows."""
    stream = events(f"{bucket.uri}/in/*.jsonl", key=("id",), on_changed_file="append")
    bucket.put("in/a.jsonl", jsonl(rows_of(3)))
    first, cursor = read(bucket.source(), stream)
    bucket.put("in/b.jsonl", jsonl(rows_of(2, 4)))
    second, cursor = read(bucket.source(), stream, cursor)
    bucket.put("in/a.jsonl", jsonl(rows_of(3, 6)))
    third, cursor = read(bucket.source(), stream, cursor)
    assert (first, second, third) == ([1, 2, 3], [4, 5], [6, 7, 8])
    assert read(bucket.source(), stream, cursor)[0] == []


@requirement("ING-17")
@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_an_object_that_is_another_than_was_planned_is_not_read(bucket: Bucket, change: str) -> None:
    path = bucket.put("in/a.parquet", parquet(rows_of(50)))
    reader, stream = opened(bucket.source()), events(f"{bucket.uri}/in/")
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest()), 1)
    if change == "replaced":
        bucket.put("in/a.parquet", parquet(rows_of(50, 100)))
    else:
        bucket.store.delete(path)
    with pytest.raises(SourceChanged) as caught:
        list(reader.read(stream, piece))
    assert caught.value.where == path


def test_an_object_that_is_replaced_while_it_is_read_is_noticed_and_read_whole_next_time(s3_bucket: Bucket) -> None:
    """Its first ranges are of one version; the store must not give the next ones of another."""
    bucket, size = s3_bucket, 8000
    long = [{**each, "name": "x" * 1000} for each in rows_of(size)]
    path = bucket.put("in/a.csv", csv(long))
    stream = events(path)
    settings = Settings(home="", memory_limit_mb=220, threads=1)
    reader = opened(bucket.source(), RunContext(settings))
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest()), 1)
    batches = reader.read(stream, piece)
    assert next(iter(batches)).rows
    bucket.put("in/a.csv", csv([{**each, "id": -each["id"]} for each in long]))
    with pytest.raises(SourceChanged):
        list(batches)
    ids, _ = read(bucket.source(), stream)
    assert ids == [-each["id"] for each in long]


@requirement("ING-17")
def test_objects_that_are_gone_are_followed_where_that_is_asked(bucket: Bucket) -> None:
    paths = [bucket.put(f"in/{name}.csv", csv(rows_of(2, at))) for name, at in (("a", 1), ("b", 3))]
    _, cursor = read(bucket.source(), events(f"{bucket.uri}/in/"))
    bucket.store.delete(paths[0])
    assert read(bucket.source(), events(f"{bucket.uri}/in/"), cursor)[0] == []
    with pytest.raises(SourceChanged, match="gone"):
        read(bucket.source(), events(f"{bucket.uri}/in/", options={"on_deleted_file": "refuse"}), cursor)
    following = events(f"{bucket.uri}/in/", options={"on_deleted_file": "replace"})
    window = opened(bucket.source()).window(following, WindowRequest(since=cursor))
    assert (window.kind, [each["path"] for each in window.detail["files"]]) == ("full", paths[1:])
    ids, after = read(bucket.source(), following, cursor)
    assert (ids, list(after.value["files"]) if after else []) == ([3, 4], paths[1:])
    assert read(bucket.source(), following, after)[0] == []


def test_keys_may_hold_any_sign(bucket: Bucket) -> None:
    names = ["in/with space.csv", "in/a+b&c.csv", "in/ü€/100%.csv", "in/x=1/(y).csv"]
    for number, name in enumerate(names):
        bucket.put(name, csv(rows_of(1, number + 1)))
    bucket.put("in/_temporary/0.csv", b"no\n")
    bucket.put("in/_SUCCESS", b"")
    bucket.put("in2/other.csv", csv(rows_of(1, 99)))
    for path in (f"{bucket.uri}/in", f"{bucket.uri}/in/**/*.csv", "in"):
        assert sorted(row["id"] for row in read_rows(read_all(bucket.source(), path, FIELDS))) == [1, 2, 3, 4]


def test_packed_objects_and_large_ones_are_read_in_ranges(bucket: Bucket) -> None:
    rows = rows_of(20_000)
    bucket.put("a.csv.gz", gzip.compress(csv(rows)))
    bucket.put("b.parquet", parquet(rows, row_group_size=3000, compression="none"))
    bucket.put("c.jsonl", jsonl(rows))
    source = bucket.source()
    ctx = RunContext(Settings(home="", memory_limit_mb=220, threads=2))
    for name in ("a.csv.gz", "b.parquet", "c.jsonl"):
        reader, stream = opened(source, ctx), stream_of(f"{bucket.uri}/{name}", FIELDS)
        (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
        assert [row["id"] for row in read_rows(list(reader.read(stream, piece)))] == list(range(1, 20_001))


def test_a_large_object_is_shared_out_over_tasks(s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dativo_provider.connectors.csv.windows.SMALLEST_PART", 1 << 20)
    rows = [{**each, "name": "x" * 500} for each in rows_of(16_000)]
    s3_bucket.put("a.jsonl", jsonl(rows))
    s3_bucket.put(
        "b.parquet", parquet([{**each, "id": -each["id"]} for each in rows], row_group_size=1000, compression="none")
    )
    stream = events(f"{s3_bucket.uri}/*")
    reader = opened(s3_bucket.source())
    window = reader.window(stream, WindowRequest())
    pieces = reader.slices(stream, window, 6)
    assert sum("part" in piece.spec for piece in pieces) > 3
    ids, results = [], []
    for piece in pieces:
        reading = opened(s3_bucket.source())
        ids += [row["id"] for batch in reading.read(stream, piece) for row in batch.data.to_pylist()]
        results.append(reading.result())
    assert sorted(ids) == sorted([*range(-16_000, 0), *range(1, 16_001)])
    cursor = reader.next_cursor(window, results, None)
    assert cursor is not None
    assert [each["rows"] for each in cursor.value["files"].values()] == [16_000, 16_000]
    assert read(s3_bucket.source(), stream, cursor)[0] == []


@pytest.mark.parametrize(
    "path", ["s3://other/in/*.csv", "s3://{bucket}/in/../../other/x", "s3://{bucket}x/a.csv", "gs://x/y"]
)
def test_nothing_outside_the_roots_is_looked_at(s3_bucket: Bucket, path: str) -> None:
    path = path.replace("{bucket}", s3_bucket.uri.removeprefix("s3://"))
    with pytest.raises(ConfigurationError):
        read_all(s3_bucket.source(), path)


def test_a_store_of_the_jobs_own_needs_a_key_of_its_own() -> None:
    source = SourceSpec("s3", connection={"endpoint": "http://127.0.0.1:9"}, roots=("s3://b",))
    with pytest.raises(ConfigurationError, match="no key"):
        opened(source).check()


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("s3://b/in/*.csv", ["in/a.csv"], ["in/x/a.csv", "in/.a.csv", "in/_a.csv", "in/a.csv/"]),
        ("s3://b/in/**/*.csv", ["in/a.csv", "in/x/y/a.csv"], ["in/_t/a.csv", "in2/a.csv"]),
        ("s3://b/in/20[0-9][!0]-?/x*", ["in/2023-1/x", "in/2023-1/xyz.json"], ["in/2020-1/x", "in/2023-12/x"]),
        ("s3://b/in/_x/*", ["in/_x/a"], ["in/_x/.a"]),
        ("s3://b/in/.*", ["in/.a"], ["in/x/.a"]),
    ],
)
def test_patterns_match_whole_keys(pattern: str, matching: list[str], others: list[str]) -> None:
    made = Pattern(pattern)
    assert [made.matches(f"s3://b/{key}") for key in matching] == [True] * len(matching)
    assert [made.matches(f"s3://b/{key}") for key in others] == [False] * len(others)


# A store that fails ---------------------------------------------------------------------------------------------


Fault = bytes | Exception | None


class Failing:
    """An object whose ranges arrive cut or not at all, for as often as `faults` says."""

    def __init__(self, data: bytes, faults: Callable[[], Fault]) -> None:
        self.data, self.faults = data, faults

    def walk(self, prefix: str) -> Iterator[FileInfo]:
        yield FileInfo("s3://b/a.csv", len(self.data), 1.0, "v1")

    def read_part(self, info: FileInfo, at: int, size: int) -> bytes:
        fault = self.faults()
        if isinstance(fault, Exception):
            raise fault
        return self.data[at : at + size] if fault is None else fault


def reading(store: Any, **settings: Any) -> S3Reader:
    class Reader(S3Reader):
        retry = RequestRetry(attempts=4, initial_seconds=0.001)

        def _open(self, uri: str) -> Any:
            return store

    return Reader(SourceSpec("s3", roots=("s3://b",)), RunContext(Settings(home="", **settings)))


@requirement("ERR-01", "ERR-02")
def test_cut_and_lost_answers_are_asked_for_again_and_nothing_is_lost_or_doubled() -> None:
    faults: Iterator[Fault] = cycle([b"id", StorageUnavailable("503"), None, None])
    store = Failing(csv(rows_of(80_000)), lambda: next(faults))
    reader, stream = reading(store, memory_limit_mb=220, threads=2), events("s3://b/a.csv")
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest()), 1)
    assert [row["id"] for row in read_rows(list(reader.read(stream, piece)))] == list(range(1, 80_001))


def test_a_store_that_stays_away_ends_the_read_with_its_error() -> None:
    store = Failing(csv(rows_of(10)), lambda: StorageUnavailable("503"))
    reader, stream = reading(store), events("s3://b/a.csv")
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest()), 1)
    with pytest.raises(StorageUnavailable):
        list(reader.read(stream, piece))
