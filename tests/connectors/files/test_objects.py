"""Objects as stores really have them: uploaded in parts, in versions, empty, refused, under names that mislead."""

from __future__ import annotations

import errno
import gzip
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.connectors.csv.files import Hashed
from dativo_provider.errors import CredentialError, DataError, SourceUnavailable
from dativo_provider.files import FileInfo
from dativo_provider.files.s3 import make_client
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.stream import WindowRequest
from tests.conformance.readers import FIELDS, rows_of
from tests.connectors.files.local import opened, read_all, stream_of
from tests.connectors.files.local import rows_of as read_rows
from tests.connectors.files.remote import Bucket
from tests.connectors.files.test_buckets import Failing, events, read, reading
from tests.connectors.files.writing import WRITE, csv, jsonl
from tests.support import requirement


@pytest.fixture(params=["s3", "minio", "gcs", "azure"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    found: Bucket = request.getfixturevalue(f"{request.param}_bucket")
    return found


@requirement("CON-20", "CON-21")
def test_an_empty_object_has_no_rows_and_is_not_read_twice(bucket: Bucket) -> None:
    for ending in ("csv", "csv.gz", "jsonl", "json", "md"):
        bucket.put(f"in/empty.{ending}", b"")
    bucket.put("in/full.csv", csv(rows_of(2)))
    stream = events(f"{bucket.uri}/in/")
    ids, cursor = read(bucket.source(), stream)
    assert ids == [1, 2]
    assert read(bucket.source(), stream, cursor)[0] == []


@pytest.mark.parametrize("ending", ["parquet", "avro"])
def test_an_empty_object_of_a_format_that_cannot_be_empty_is_refused_by_name(s3_bucket: Bucket, ending: str) -> None:
    s3_bucket.put(f"in/empty.{ending}", b"")
    with pytest.raises(DataError, match=f"in/empty.{ending}"):
        read(s3_bucket.source(), events(f"{s3_bucket.uri}/in/"))


@requirement("ING-17")
def test_the_same_bytes_put_again_are_read_once(bucket: Bucket) -> None:
    """S3's ETag stays; Google's generation and Azure's ETag move, and the hash behind them stays."""
    stream = events(f"{bucket.uri}/in/")
    bucket.put("in/a.csv", csv(rows_of(3)))
    _, cursor = read(bucket.source(), stream)
    bucket.put("in/a.csv", csv(rows_of(3)))
    ids, after = read(bucket.source(), stream, cursor)
    assert ids == []
    assert read(bucket.source(), stream, after)[0] == []


NAMES = ["a%2Fb", "a%20b", "a?b#c", "a+b c", "ü€漢", "a..b", "x//y", "q'\"q"]


@requirement("CON-20", "CON-21")
def test_names_are_taken_as_they_are(bucket: Bucket) -> None:
    """MinIO has no folders without a name. What lies in a folder `..` is hidden, as all that begins with a dot."""
    names = [name for name in NAMES if bucket.connector != "minio" or "//" not in name]
    for number, name in enumerate(names):
        bucket.put(f"in/{name}.csv", csv(rows_of(1, number + 1)))
    bucket.put("in.csv", csv(rows_of(1, 99)))
    found = [row["id"] for row in read_rows(read_all(bucket.source(), f"{bucket.uri}/in/**", FIELDS))]
    assert sorted(found) == list(range(1, len(names) + 1))


def test_an_object_in_a_folder_of_two_dots_is_not_taken_for_another(gcs_bucket: Bucket) -> None:
    """Google keeps such a name; whoever makes a path of it reads what lies elsewhere."""
    gcs_bucket.put("x.csv", csv(rows_of(1, 99)))
    gcs_bucket.put("in/../x.csv", csv(rows_of(1, 5)))
    gcs_bucket.put("in/a.csv", csv(rows_of(1)))
    assert [row["id"] for row in read_rows(read_all(gcs_bucket.source(), "in/**/*.csv", FIELDS))] == [1]


# S3 of its own kind ---------------------------------------------------------------------------------------------


def uploaded(bucket: Bucket, name: str, data: bytes) -> str:
    """The ETag of an object that came in parts of 5 MB: it is no MD5 of its bytes."""
    client, where = make_client(bucket.properties), bucket.uri.removeprefix("s3://")
    upload = client.create_multipart_upload(Bucket=where, Key=name)["UploadId"]
    parts = []
    for number, at in enumerate(range(0, len(data), 5 << 20), 1):
        body = data[at : at + (5 << 20)]
        made = client.upload_part(Bucket=where, Key=name, UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": made["ETag"]})
    done = client.complete_multipart_upload(Bucket=where, Key=name, UploadId=upload, MultipartUpload={"Parts": parts})
    return str(done["ETag"])


@requirement("CON-20", "ING-17")
def test_an_object_that_came_in_parts_is_read_by_its_version_and_once(s3_bucket: Bucket) -> None:
    rows = [{**each, "name": "x" * 2000} for each in rows_of(4000)]
    assert "-2" in uploaded(s3_bucket, "in/a.jsonl", jsonl(rows))
    stream = events(f"{s3_bucket.uri}/in/", key=("id",), on_changed_file="append")
    ids, cursor = read(s3_bucket.source(), stream)
    assert ids == list(range(1, 4001))
    uploaded(s3_bucket, "in/a.jsonl", jsonl(rows))
    assert read(s3_bucket.source(), stream, cursor)[0] == []
    uploaded(s3_bucket, "in/a.jsonl", jsonl([{**each, "id": -each["id"]} for each in rows]))
    assert read(s3_bucket.source(), stream, cursor)[0] == list(range(-1, -4001, -1))


@requirement("CON-20")
def test_of_a_versioned_bucket_the_newest_versions_are_read_and_deleted_objects_are_not(minio_bucket: Bucket) -> None:
    bucket = minio_bucket
    client, where = make_client(bucket.properties), bucket.uri.removeprefix("s3://")
    client.put_bucket_versioning(Bucket=where, VersioningConfiguration={"Status": "Enabled"})
    stream = events(f"{bucket.uri}/in/", key=("id",), on_changed_file="append")
    for name in ("in/a.csv", "in/b.csv"):
        bucket.put(name, csv(rows_of(1, 1 if "a" in name else 2)))
    ids, cursor = read(bucket.source(), stream)
    bucket.put("in/a.csv", csv(rows_of(1, 3)))
    bucket.store.delete(f"{bucket.uri}/in/b.csv")
    assert len(client.list_object_versions(Bucket=where)["Versions"]) == 3
    assert (ids, read(bucket.source(), stream, cursor)[0], read(bucket.source(), stream)[0]) == ([1, 2], [3], [3])


class Refusing(Failing):
    """A bucket of three objects, of which one belongs to somebody else."""

    def walk(self, prefix: str) -> Iterator[FileInfo]:
        for name in "abc":
            yield FileInfo(f"s3://b/{name}.csv", len(self.data), 1.0, name)

    def read_part(self, info: FileInfo, at: int, size: int) -> bytes:
        if info.version == "b":
            raise CredentialError("the object store refused these credentials (AccessDenied)", where=info.uri)
        return super().read_part(info, at, size)


@requirement("ERR-04")
@pytest.mark.parametrize("on_broken_file", ["fail", "quarantine"])
def test_one_object_that_may_not_be_read_stops_the_run_and_is_named(on_broken_file: str) -> None:
    """It is not broken, so `quarantine` does not forgive it: its rows would be missing for ever."""
    reader = reading(Refusing(csv(rows_of(2)), lambda: None))
    stream: Any = events("s3://b/*.csv", options={"on_broken_file": on_broken_file})
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest()), 1)
    with pytest.raises(CredentialError) as caught:
        list(reader.read(stream, piece))
    assert caught.value.where == "s3://b/b.csv"


@requirement("ERR-04")
@pytest.mark.parametrize("name", ["jsonl.gz", "jsonl", "parquet", "avro"])
def test_a_disk_or_share_that_fails_is_no_broken_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`quarantine` would record the file as read, and its rows would be missing for ever."""
    data = WRITE[name.partition(".")[0]](rows_of(3000))
    (tmp_path / f"a.{name}").write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    kind = {"jsonl": "json", "jsonl.gz": "json"}.get(name, name)
    source = SourceSpec(kind, roots=(str(tmp_path),), options={"on_broken_file": "quarantine"})
    reader, stream = opened(source), stream_of(f"a.{name}", FIELDS)
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)

    read, calls = Hashed.readinto, count()

    def failing(self: Hashed, buffer: Any) -> int:
        if next(calls) > 1:
            raise OSError(errno.ESTALE, "Stale file handle")
        return read(self, memoryview(buffer)[:2048])

    monkeypatch.setattr(Hashed, "readinto", failing)
    with pytest.raises(SourceUnavailable):
        list(reader.read(stream, piece))
