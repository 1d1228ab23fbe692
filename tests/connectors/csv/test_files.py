"""Compression, fingerprints, huge records: what happens to a file on its way."""

from __future__ import annotations

import gzip
import hashlib
import os
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest

from dativo_provider.connectors.csv import blocks as blocks_module
from dativo_provider.errors import CredentialError, DataError, SourceChanged, SourceUnavailable
from dativo_provider.model.stream import Field, WindowRequest
from tests.connectors.csv.test_lines import small_blocks
from tests.connectors.csv.world import opened, read_all, rejects, rows_with_lines, stream_of
from tests.support import proves, requirement

TEXT = b"a,b\n" + b"".join(b"%d,row %d\n" % (at, at) for at in range(5000))


def zstd(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04" + bytes(20), "a ZIP archive, as Excel writes"),
        (b"PAR1" + bytes(20), "Parquet"),
        (b"%PDF-1.7\n%abc\n1,2\n", "a PDF"),
        (bytes(range(256)) * 10, "bytes that are no text"),
    ],
)
def test_files_of_another_kind_are_no_rows(tmp_path: Path, content: bytes, kind: str) -> None:
    """Their lines would be: a table would be replaced by them."""
    (tmp_path / "f.csv").write_bytes(content)
    with pytest.raises(DataError, match=kind) as caught:
        read_all(tmp_path, "f.csv", [Field("a", "string")])
    assert "f.csv" in caught.value.where


@requirement("CON-05")
@pytest.mark.parametrize(
    "pack", [gzip.compress, zstd, lambda data: gzip.compress(data[:999]) + gzip.compress(data[999:])]
)
@pytest.mark.parametrize("name", ["f.csv", "f.csv.gz"])
def test_packed_files_are_told_by_their_content(tmp_path: Path, pack, name: str) -> None:
    (tmp_path / name).write_bytes(pack(TEXT))
    with small_blocks(4096):
        batches = read_all(tmp_path, name, [Field("a", "long")])
    assert [(line, row["a"]) for line, row in rows_with_lines(batches)] == [(at + 2, at) for at in range(5000)]


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("lost", [1, 10, 5000])
def test_a_truncated_archive_is_an_error_not_a_short_file(tmp_path: Path, pack, lost: int) -> None:
    (tmp_path / "f.csv.gz").write_bytes(pack(TEXT)[:-lost])
    with small_blocks(4096), pytest.raises(DataError, match=r"truncated or corrupt") as caught:
        read_all(tmp_path, "f.csv.gz")
    assert caught.value.where == "f.csv.gz"
    assert "deliver the file again" in caught.value.remedy


def test_a_corrupt_archive_is_an_error(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(TEXT))
    data[-6] ^= 255
    (tmp_path / "f.csv.gz").write_bytes(data)
    with pytest.raises(DataError, match="truncated or corrupt"):
        read_all(tmp_path, "f.csv.gz")


@requirement("CON-05")
def test_the_hash_is_of_the_bytes_on_disk(tmp_path: Path) -> None:
    for name, data in {
        "plain.csv": TEXT,
        "packed.csv.gz": gzip.compress(TEXT),
        "empty.csv": b"",
        "mark.csv": b"\xef\xbb\xbf",
    }.items():
        (tmp_path / name).write_bytes(data)
        reader, stream = opened(tmp_path), stream_of(name)
        (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
        list(reader.read(stream, piece))
        facts = os.stat(tmp_path / name)
        assert reader.result().detail["files"][name] == {
            "size": facts.st_size,
            "mtime_ns": facts.st_mtime_ns,
            "sha256": hashlib.sha256(data).hexdigest(),
            "rows": 5000 if len(data) > 3 else 0,
        }


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "a,b\n", "a,b", "\ufeffa,b\r\n\r\n"])
def test_empty_files_and_headers_alone_give_no_row(tmp_path: Path, text: str) -> None:
    (tmp_path / "f.csv").write_text(text, encoding="utf-8", newline="")
    assert read_all(tmp_path, "f.csv") == []


def test_a_cell_larger_than_a_block_is_read(tmp_path: Path) -> None:
    cell = "x\n" * 5000
    (tmp_path / "f.csv").write_text(f'a,b\n1,2\n3,"{cell}"\n4,5\n')
    with small_blocks(256):
        batches = read_all(tmp_path, "f.csv")
    assert rows_with_lines(batches) == [
        (2, {"a": "1", "b": "2"}),
        (3, {"a": "3", "b": cell}),
        (5004, {"a": "4", "b": "5"}),
    ]


def test_a_record_beyond_the_limit_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('a,b\n1,2\n3,"' + "y\n" * (1 << 20), newline="")
    with small_blocks(1 << 16), pytest.raises(DataError, match="line 3 is longer than 1 MB") as caught:
        read_all(tmp_path, "f.csv", max_record_mb=1)
    assert caught.value.where == "f.csv:3"
    assert "close the quote" in caught.value.remedy


@proves("memory", "csv")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for times in (1, 4):
        (tmp_path / "f.csv").write_bytes(TEXT + TEXT[4:] * 12 * times)
        with small_blocks(1 << 15):
            reader, stream = opened(tmp_path), stream_of("f.csv", [Field("a", "long")])
            (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
            tracemalloc.start()
            arrow = 0
            for _ in reader.read(stream, piece):
                arrow = max(arrow, pa.total_allocated_bytes())
            peaks.append(tracemalloc.get_traced_memory()[1] + arrow)
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_raw_text_of_rejects_is_limited(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("a,b\n1," + "z" * 100_000 + ",3\n")
    ((line, raw, reason),) = rejects(read_all(tmp_path, "f.csv"))
    assert (line, len(raw), reason) == (2, 64 << 10, "expected 2 columns, got 3")


# headers -------------------------------------------------------------------------------------------------------


def test_a_name_twice_in_the_header_is_refused_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("\nid,name,id\n1,2,3\n")
    with pytest.raises(DataError, match="names 'id' more than once") as caught:
        read_all(tmp_path, "f.csv")
    assert caught.value.where == "f.csv"
    assert "column_names" in caught.value.remedy


def test_names_are_trimmed_and_a_missing_one_is_counted(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(' a ,"b b",\n1,2,3\n')
    assert rows_with_lines(read_all(tmp_path, "f.csv")) == [(2, {"a": "1", "b b": "2", "column_3": "3"})]


def test_too_few_names_are_refused(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("a,b,c\n1,2,3\n")
    with pytest.raises(DataError, match="has 3 columns, the option 'column_names' names 2"):
        read_all(tmp_path, "f.csv", column_names=["x", "y"])


def test_a_header_in_another_encoding_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes("größe,b\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match="header is not valid utf-8") as caught:
        read_all(tmp_path, "f.csv")
    assert "latin-1" in caught.value.remedy


def test_columns_of_several_files_are_matched_by_name(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2.csv").write_text("b,c,a\ny,9,2\n")
    fields = [Field("a", "long"), Field("b"), Field("c", "long")]
    batches = read_all(tmp_path, "*.csv", fields)
    assert [(batch.origin, batch.data.to_pylist()) for batch in batches] == [
        ("1.csv", [{"a": 1, "b": "x"}]),
        ("2.csv", [{"b": "y", "c": 9, "a": 2}]),
    ]
    assert [field.name for field in opened(tmp_path).describe(stream_of("*.csv", fields)).fields] == ["a", "b", "c"]


def test_names_that_end_in_tsv_mean_tabs_unless_the_job_says_otherwise(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("a\tb\n1\tx,y\n")
    (tmp_path / "b.csv").write_text("a,b\n2,x\n")
    (tmp_path / "c.tsv.gz").write_bytes(gzip.compress(b"a\tb\n3\tz\n"))
    rows = [row for _, row in rows_with_lines(read_all(tmp_path, "."))]
    assert [(int(row["a"]), row["b"]) for row in rows] == [(1, "x,y"), (2, "x"), (3, "z")]
    assert [field.name for field in opened(tmp_path).describe(stream_of("*.tsv")).fields] == ["a", "b"]
    (tmp_path / "d.tsv").write_text("a;b\n4;\tx\n")
    (found,) = [row for _, row in rows_with_lines(read_all(tmp_path, "d.tsv", delimiter=";"))]
    assert (int(found["a"]), found["b"]) == (4, "\tx")


# changes between plan and read -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda path: path.unlink(), "was removed"),
        (lambda path: path.write_text("a\n2\n"), "changed"),
        (lambda path: os.utime(path, ns=(1, 1)), "changed"),
        (lambda path: path.write_text("a\n1\n2\n"), "changed"),
    ],
)
def test_a_file_that_changed_since_the_plan_stops_the_run(tmp_path: Path, change, what: str) -> None:
    path = tmp_path / "f.csv"
    path.write_text("a\n1\n")
    os.utime(path, ns=(5, 5))
    reader, stream = opened(tmp_path), stream_of("f.csv")
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
    change(path)
    with pytest.raises(SourceChanged, match=what) as caught:
        list(reader.read(stream, piece))
    assert caught.value.where == "f.csv"
    assert "new run" in caught.value.remedy


def test_a_file_that_grows_while_it_is_read_stops_the_run(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(TEXT)
    reader, stream = opened(tmp_path), stream_of("f.csv")
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
    with small_blocks(2048):
        batches = reader.read(stream, piece)
        next(batches)
        with path.open("ab") as file:
            file.write(b"9,9\n")
        with pytest.raises(SourceChanged, match="changed"):
            list(batches)


def test_errors_of_the_disk_are_worth_another_try(tmp_path: Path) -> None:
    reader = opened(tmp_path)
    assert isinstance(reader.translate(OSError(5, "Input/output error")), SourceUnavailable)
    assert isinstance(reader.translate(PermissionError(13, "Permission denied", "f.csv")), CredentialError)
    assert isinstance(reader.translate(FileNotFoundError(2, "No such file", "f.csv")), SourceChanged)
    assert reader.translate(ValueError("x")) is None


def test_block_size_is_a_few_megabytes() -> None:
    assert 1 << 20 <= blocks_module.BLOCK_BYTES <= 16 << 20
