"""Files of any size in the memory that a job allows, and listings that do not pile up."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dativo_provider.connectors.files.buckets import S3Reader
from dativo_provider.connectors.files.formats import Asked, format_named
from dativo_provider.files import FileInfo
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor, WindowRequest
from tests.support import proves, requirement

ROOT = Path(__file__).parents[3]
MEGABYTES, MEGABYTE = 100, 1 << 20
# A bucket whose one object is a local file; prints rows and the megabytes that reading took beside the interpreter.
READ = """
import os, re, sys
from pathlib import Path
import pyarrow.json, pyarrow.parquet, pyarrow.csv
from dativo_provider.connectors.files.buckets import S3Reader
from dativo_provider.files import FileInfo
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field, WindowRequest

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10

class Disk:
    def walk(self, prefix):
        yield FileInfo("s3://b/" + path.name, path.stat().st_size, 1.0, "v")

    def read_part(self, info, at, size):
        return os.pread(handle, size, at)

class Reader(S3Reader):
    def _open(self, uri):
        return Disk()

path = Path(sys.argv[1])
handle = os.open(path, os.O_RDONLY)
fields = (Field("id", "long"), Field("name", "string"), Field("price", "double"))
stream = StreamSpec("s", "s3://b/" + path.name, "s", ContractSpec("s", fields=fields))
reader = Reader(SourceSpec("s3", roots=("s3://b",)), RunContext(Settings(home="", memory_limit_mb=512)))
(piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
before, rows = peak(), 0
for batch in reader.read(stream, piece):
    rows += batch.rows
print(rows, peak() - before)
"""


def jsonl(path: Path) -> int:
    block = b"".join(b'{"id": %d, "name": "%s", "price": 1.5}\n' % (at, b"x" * 60) for at in range(10_000))
    with path.open("wb") as file:
        for _ in range(MEGABYTES):
            file.write(block)
    return 10_000 * MEGABYTES


def packed(path: Path) -> int:
    block = gzip.compress(b"".join(b"%d,%s,1.5\n" % (at, b"x" * 60) for at in range(10_000)), 1)
    with path.open("wb") as file:
        file.write(gzip.compress(b"id,name,price\n"))
        for _ in range(MEGABYTES):
            file.write(block)
    return 10_000 * MEGABYTES


def parquet(path: Path) -> int:
    rows = 250_000
    table = pa.table({"id": range(rows), "name": [f"{at:060}" for at in range(rows)], "price": [1.5] * rows})
    with pq.ParquetWriter(path, table.schema, compression="none", use_dictionary=False) as writer:
        for _ in range(10):
            writer.write_table(table, row_group_size=rows)
    return 10 * rows


def document(path: Path) -> int:
    block = ",".join(json.dumps({"id": at, "name": "x" * 60, "price": 1.5}) for at in range(10_000))
    with path.open("w") as file:
        file.write("[" + block)
        for _ in range(29):
            file.write("," + block)
        file.write("]")
    return 300_000


MAKE: Mapping[str, Callable[[Path], int]] = {
    "a.jsonl": jsonl,
    "a.csv.gz": packed,
    "a.parquet": parquet,
    "a.json": document,
}


@proves("memory", "s3", "minio", "gcs", "azure_blob", "json", "parquet")
@requirement("CON-20", "PRF-03")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="NOT TESTED: memory is read from /proc")
@pytest.mark.parametrize("name", MAKE)
def test_a_large_object_is_read_in_the_memory_of_the_job(name: str, tmp_path: Path) -> None:
    rows = MAKE[name](tmp_path / name)
    command = [sys.executable, "-c", READ, str(tmp_path / name)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found, megabytes = map(int, done.stdout.split())
    assert found == rows
    assert megabytes < 256  # half of the 512; the rest is for the interpreter and for writing the rows


@requirement("PRF-03")
@pytest.mark.parametrize("texts", [["x" * 50_000] * 3000, [None] + ["y", "x" * 50_000] * 1500], ids=["one", "two"])
def test_a_long_text_that_a_dictionary_holds_once_does_not_make_a_batch_of_any_size(texts: list[str | None]) -> None:
    """A file of a few kilobytes."""
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": range(len(texts)), "name": texts}), sink, compression="zstd")
    with ThreadPoolExecutor(1) as pool:
        asked = Asked(StreamSpec("s", "x", "s", ContractSpec("s")), "x", pool, block_bytes=4 << 20)
        found = [(each.rows, each.data.nbytes) for each in format_named("parquet", {}).batches(sink, asked, None)]
    assert sum(rows for rows, _ in found) == len(texts)
    assert max(size for _, size in found) <= 33 << 20


def large_documents(rows: int) -> bytes:
    return json.dumps([{"id": at, "name": "x" * MEGABYTE} for at in range(rows)]).encode()


def large_blocks(rows: int, **said: Any) -> bytes:
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}],
    }
    sink = io.BytesIO()
    fastavro.writer(sink, schema, [{"id": at, "name": "x" * MEGABYTE} for at in range(rows)], **said)
    return sink.getvalue()


@proves("memory", "json", "avro")
@requirement("PRF-03")
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("json", large_documents),
        ("avro", large_blocks),
        ("avro", partial(large_blocks, codec="deflate")),
        ("avro", partial(large_blocks, sync_interval=8 * MEGABYTE)),
    ],
)
def test_batches_of_long_records_are_small(name: str, make: Callable[[int], bytes]) -> None:
    stream, rows = StreamSpec("s", "x", "s", ContractSpec("s")), 40
    with ThreadPoolExecutor(1) as pool:
        asked = Asked(stream, "x", pool, block_bytes=MEGABYTE)
        sizes = [
            (each.data.num_rows, each.data.nbytes)
            for each in format_named(name, {}).batches(io.BytesIO(make(rows)), asked, None)
        ]
    assert sum(count for count, _ in sizes) == rows
    assert max(size for _, size in sizes) < 4 * MEGABYTE


def test_the_head_of_a_document_is_told_from_a_few_megabytes() -> None:
    file = io.BytesIO(large_documents(40))
    assert format_named("json", {}).head(file, "x", infer=True).types == {"id": "long", "name": "string"}
    assert file.tell() < 10 * MEGABYTE


class Crowded:
    """A bucket of very many objects, of which a later run finds some more."""

    def __init__(self, count: int) -> None:
        self.count = count

    def walk(self, prefix: str) -> Iterator[FileInfo]:
        for number in range(self.count):
            yield FileInfo(f"s3://b/in/{number:07}.jsonl", 1000, 1.7e9 + number // 50, f"{number:032x}")


def reading(count: int) -> S3Reader:
    class Reader(S3Reader):
        def _open(self, uri: str) -> Crowded:  # type: ignore[override]
            return Crowded(count)

    return Reader(SourceSpec("s3", roots=("s3://b",)), RunContext(Settings(home="")))


@requirement("CON-20", "STA-07")
def test_a_bucket_of_very_many_objects_is_listed_within_a_kilobyte_each() -> None:
    """So 100,000 of them take less than 100 MB, and those of the second before are neither lost nor doubled."""
    stream = StreamSpec("s", "s3://b/in/", "s", ContractSpec("s"), incremental=IncrementalSpec("file_modified_time"))
    count = 10_025  # the last second has come in part
    first = reading(count).window(stream, WindowRequest())
    known = {each["path"]: {**each, "rows": 1} for each in first.detail["files"]}
    tracemalloc.start()
    second = reading(count + 75).window(stream, WindowRequest(since=Cursor({"files": known})))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(first.detail["files"]) == count
    assert [each["path"] for each in second.detail["files"]] == [
        f"s3://b/in/{at:07}.jsonl" for at in range(count, count + 75)
    ]
    assert peak < 1024 * count
