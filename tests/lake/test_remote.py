"""Object stores whose answers are cut off on their way: what was not read is never taken for read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import LocalFileSystem, PyFileSystem

from dativo_provider.lake.io import file_io
from dativo_provider.lake.remote import RemoteFileIO, WholeAnswers
from dativo_provider.lake.sink import filesystem_of
from tests.services.s3 import S3
from tests.services.toxiproxy import Link, Toxiproxy
from tests.support import requirement

BODY = bytes(range(256)) * 8


@pytest.fixture
def link(s3: S3, toxiproxy: Toxiproxy) -> Link:
    return toxiproxy.link(s3.endpoint.rpartition("/")[2])


@pytest.fixture
def io(s3: S3, link: Link) -> RemoteFileIO:
    return RemoteFileIO({**s3.properties, "s3.endpoint": f"http://{link.address}"})


@pytest.fixture
def uri(s3: S3, bucket: str) -> str:
    s3.client().put_object(Bucket=bucket, Key="file", Body=BODY)
    return f"s3://{bucket}/file"


def test_every_store_but_the_local_disk_is_doubted() -> None:
    assert {file_io(f"{kind}://x/y").rpartition(".")[2] for kind in ("s3", "s3a", "gs")} == {"RemoteFileIO"}
    assert file_io("file:///x/y").endswith(".PyArrowFileIO")


@requirement("ERR-01", "ING-25")
@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("cut", [0, 17, 60, 120])
def test_a_file_is_not_empty_because_the_answer_was_cut_off(
    io: RemoteFileIO, link: Link, uri: str, cut: int, seekable: bool
) -> None:
    link.toxic("limit_data", bytes=cut)
    with pytest.raises(OSError, match=r"cut off|NETWORK_CONNECTION"):
        io.new_input(uri).open(seekable)
    link.heal()
    with io.new_input(uri).open(seekable) as opened:
        assert opened.read() == BODY


@requirement("ERR-01", "ING-25")
def test_a_file_has_no_length_of_zero_because_the_answer_was_cut_off(io: RemoteFileIO, link: Link, uri: str) -> None:
    """Manifest lists keep the lengths of manifests."""
    link.toxic("limit_data", bytes=60)
    with pytest.raises(OSError, match="cut off"):
        len(io.new_input(uri))
    link.heal()
    assert len(io.new_input(uri)) == len(BODY)


@requirement("ERR-01", "ING-25")
@pytest.mark.parametrize("cut", [0, 17, 60, 120, 700])
def test_bytes_that_did_not_come_are_not_made_up(io: RemoteFileIO, link: Link, uri: str, cut: int) -> None:
    with io.new_input(uri).open() as opened:
        link.toxic("limit_data", bytes=cut)
        with pytest.raises(OSError, match=r"cut off|NETWORK_CONNECTION"):
            opened.read()


@pytest.mark.parametrize("body", [b"\0" * 1000, b"\xff" * 1000, b"1" + b"\0" * 99, b"\0"])
def test_bytes_are_what_they_are(io: RemoteFileIO, s3: S3, bucket: str, body: bytes) -> None:
    s3.client().put_object(Bucket=bucket, Key="zeros", Body=body)
    with io.new_input(f"s3://{bucket}/zeros").open() as opened:
        assert opened.read() == body
        assert opened.read() == b""
        opened.seek(-1, 2)
        assert (opened.read(5), opened.tell(), opened.size()) == (body[-1:], len(body), len(body))


@requirement("ING-25")
def test_columns_that_did_not_come_are_not_those_of_the_file_before(io: RemoteFileIO, bucket: str, link: Link) -> None:
    for name, first in (("a", 0), ("b", 1000)):
        table = pa.table({"id": pa.array(range(first, first + 1000)), "text": [str(first)] * 1000})
        filesystem, path = filesystem_of(io, f"s3://{bucket}/{name}")
        with filesystem.open_output_stream(path) as stream:
            pq.write_table(table, stream, compression="none", use_dictionary=False)
    assert columns(io, bucket, "a") == list(range(1000))
    opened = columns_of(io, bucket, "b")
    link.toxic("limit_data", bytes=60)
    with pytest.raises(OSError, match="cut off"):
        opened.read(["id"])
    link.heal()
    assert columns(io, bucket, "b") == list(range(1000, 2000))


class Forgetful:
    """Says 200 when it begins to complete an upload, and fails then."""

    type_name = "s3"
    get_file_info = LocalFileSystem().get_file_info

    def open_output_stream(self, path: str, metadata: object = None) -> pa.NativeFile:
        return pa.BufferOutputStream()


@requirement("ERR-01", "ING-25")
def test_an_upload_whose_end_nobody_knows_is_not_taken_for_done(tmp_path: Path) -> None:
    opened = PyFileSystem(WholeAnswers(Forgetful())).open_output_stream(str(tmp_path / "file"))
    opened.write(b"1" * 100)
    with pytest.raises(OSError, match="cut off"):
        opened.close()


def test_what_is_written_is_there(io: RemoteFileIO, s3: S3, bucket: str) -> None:
    filesystem, path = filesystem_of(io, f"s3://{bucket}/large")
    with filesystem.open_output_stream(path) as opened:
        for _ in range(3):
            opened.write(BODY * 4096)
        assert opened.tell() == 3 * 4096 * len(BODY)
    assert s3.client().get_object(Bucket=bucket, Key="large")["Body"].read() == BODY * 3 * 4096


def columns(io: RemoteFileIO, bucket: str, name: str) -> list[Any]:
    return columns_of(io, bucket, name).read(["id"])["id"].to_pylist()


def columns_of(io: RemoteFileIO, bucket: str, name: str) -> pq.ParquetFile:
    filesystem, path = filesystem_of(io, f"s3://{bucket}/{name}")
    return pq.ParquetFile(path, filesystem=filesystem, pre_buffer=False)


def test_what_is_not_there_is_not_there(io: RemoteFileIO, bucket: str) -> None:
    missing = io.new_input(f"s3://{bucket}/nothing")
    assert not missing.exists()
    with pytest.raises(FileNotFoundError):
        missing.open()
