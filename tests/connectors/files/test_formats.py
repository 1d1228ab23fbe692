"""What files hold that they should not, and values that a careless reader changes."""

from __future__ import annotations

import gzip
import io
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, cast

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dativo_provider.connectors.files.formats import format_named
from dativo_provider.connectors.files.formats.base import Division
from dativo_provider.connectors.files.read import batches_of, head_of
from dativo_provider.errors import ConfigurationError, DataError
from dativo_provider.model.job import IncrementalSpec, SourceSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field, WindowRequest
from tests.conformance.readers import FIELDS
from tests.conformance.readers import rows_of as suite_rows
from tests.connectors.files.local import opened, read_all, rejects, rows_of, stream_of
from tests.connectors.files.writing import WRITE, parquet
from tests.support import requirement

LONG_TEXT = (Field("id", "long"), Field("name", "string"))


def source(root: Path, name: str = "json", **rest: object) -> SourceSpec:
    return SourceSpec(name, roots=(str(root),), **rest)  # type: ignore[arg-type]


def read(tmp_path: Path, name: str, text: bytes, fields: tuple[Field, ...] = (), **options: object):  # type: ignore[no-untyped-def]
    (tmp_path / name).write_bytes(text)
    return read_all(source(tmp_path), name, fields, options=options)


# JSON Lines ----------------------------------------------------------------------------------------------------


def test_a_broken_line_is_rejected_with_its_number_and_the_others_arrive(tmp_path: Path) -> None:
    text = b'{"id": 1, "name": "a"}\n{"id": 2, "na\n\n[3]\n"x"\n{"id": 4, "name": "\xff"}\n{"id": 5, "name": "e"}'
    batches = read(tmp_path, "x.jsonl", text, LONG_TEXT)
    assert rows_of(batches) == [{"id": 1, "name": "a"}, {"id": 5, "name": "e"}]
    assert [place for place, _, _ in rejects(batches)] == [2, 4, 5, 6]
    assert [place for batch in batches for place in batch.positions.to_pylist()] == [1, 7]
    assert rejects(batches)[0][1] == '{"id": 2, "na'


@pytest.mark.parametrize("fields", [LONG_TEXT, ()])
def test_numbers_that_a_double_would_round_stay_exact(tmp_path: Path, fields: tuple[Field, ...]) -> None:
    text = b'{"id": 9007199254740993, "name": 12345678901234567890.125}\n{"id": "9223372036854775807", "name": true}\n'
    rows = rows_of(read(tmp_path, "x.jsonl", text, fields))
    assert [int(each["id"]) for each in rows] == [9007199254740993, 9223372036854775807]
    assert [each["name"] for each in rows] == ["12345678901234567890.125", "true"]


def test_what_the_contract_calls_text_keeps_its_json(tmp_path: Path) -> None:
    text = b'{"id": 1, "name": {"a": [1, 2.50, null]}}\n{"id": 2}\n{"id": 3, "name": null}\n'
    rows = rows_of(read(tmp_path, "x.jsonl", text, LONG_TEXT))
    assert [each["name"] for each in rows] == ['{"a":[1,2.50,null]}', None, None]


def test_a_type_that_changes_far_into_the_file_loses_nothing(tmp_path: Path) -> None:
    lines = b"".join(b'{"id": %d, "name": "%s"}\n' % (at, b"x" * 40) for at in range(60_000))
    batches = read(tmp_path, "x.jsonl", lines + b'{"id": "n/a", "name": 7}\n', LONG_TEXT)
    values = [str(each["id"]) for each in rows_of(batches)]
    assert values == [*map(str, range(60_000)), "n/a"]


def test_columns_with_dots_and_empty_names_are_columns(tmp_path: Path) -> None:
    text = b'{"a.b": 1, "": 2, "a": {"b": 3}}\n{"a.b": "x", "": null, "a": {"b": 4}}\n'
    rows = rows_of(read(tmp_path, "x.jsonl", text))
    assert [(str(each["a.b"]), each[""], each["a"]["b"]) for each in rows] == [("1", 2, 3), ("x", None, 4)]


def test_a_byte_order_mark_blank_lines_and_crlf_are_no_data(tmp_path: Path) -> None:
    text = b'\xef\xbb\xbf{"id": 1}\r\n\r\n{"id": 2}\r\n   \r\n'
    batches = read(tmp_path, "x.jsonl", text, (Field("id", "long"),))
    assert rows_of(batches) == [{"id": 1}, {"id": 2}]
    assert [place for batch in batches for place in batch.positions.to_pylist()] == [1, 3]


def test_keys_that_nobody_told_of_are_named_in_the_result(tmp_path: Path) -> None:
    lines = b"".join(b'{"id": %d, "name": "%s"}\n' % (at, b"x" * 90) for at in range(12_000))
    (tmp_path / "x.jsonl").write_bytes(lines + b'{"id": 1, "late": 2}\n')
    reader, stream = opened(source(tmp_path)), stream_of("x.jsonl", LONG_TEXT)
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
    assert sum(batch.rows for batch in reader.read(stream, piece)) == 12_001
    assert reader.result().detail["unknown_fields"] == ["late"]


def test_a_line_without_end_is_no_reason_to_take_all_memory(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="longer than 1 MB"):
        read(tmp_path, "x.jsonl", b'{"id": 1}\n{"a": "' + b"x" * (3 << 20), max_record_mb=1)


# JSON documents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options", "ids"),
    [
        (b'[{"id": 1}, {"id": 2}]', {}, [1, 2]),
        (b'{"id": 1}', {}, [1]),
        (b'{"id": 1}{"id": 2}\n{"id": 3}', {}, [1, 2, 3]),
        (
            b'{"a": [9, {"x": "]}"}], "data": {"n": 1, "items": [{"id": 1}, {"id": 2}]}}',
            {"records": "data.items"},
            [1, 2],
        ),
        (b"[]", {}, []),
        (b"", {}, []),
        (b" \n ", {}, []),
    ],
)
def test_a_document_is_an_array_one_at_a_path_or_values_in_a_row(
    tmp_path: Path, text: bytes, options: dict[str, str], ids: list[int]
) -> None:
    assert [each["id"] for each in rows_of(read(tmp_path, "x.json", text, LONG_TEXT, **options))] == ids


@pytest.mark.parametrize(
    "text",
    [
        b'[{"id": 1}, {"id": 2}',
        b'[{"id": 1} {"id": 2}]',
        b'[{"id": 1}]]',
        b'[{"id": 1},]',
        b'[{"id": NaN}]',
        b'[{"id": "\xff"}]',
        b"<html>",
    ],
)
def test_a_broken_document_is_refused_by_name(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, "x.json", text, LONG_TEXT)
    assert caught.value.where == "x.json"


def test_records_of_a_document_may_lie_on_any_border_of_the_reading(tmp_path: Path) -> None:
    rows = [b'{"id": %d, "name": "%s"}' % (at, "ü€😀".encode() * (at % 50)) for at in range(40_000)]
    found = rows_of(read(tmp_path, "x.json", b"[" + b",".join(rows) + b"]", LONG_TEXT))
    assert [each["id"] for each in found] == list(range(40_000))
    assert found[49]["name"] == "ü€😀" * 49


# Parquet and Avro ----------------------------------------------------------------------------------------------


def test_odd_parquet_types_become_what_iceberg_can_hold(tmp_path: Path) -> None:
    table = pa.table(
        {
            "big": pa.array([2**64 - 1], pa.uint64()),
            "word": pa.array(["x"]).dictionary_encode(),
            "long": pa.array(["y"], pa.large_string()),
            "at": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns", "UTC")),
            "nested": pa.array([{"a": [1]}]),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    (row,) = rows_of(read_all(source(tmp_path, "parquet"), "x.parquet"))
    assert row["big"] == Decimal(2**64 - 1)
    assert (row["word"], row["long"], row["nested"]) == ("x", "y", {"a": [1]})
    assert row["at"].microsecond == 123456


def test_row_groups_are_shared_out_and_keep_their_ordinals(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": range(1000)}), tmp_path / "x.parquet", row_group_size=100)
    reader, stream = opened(source(tmp_path, "parquet")), stream_of("x.parquet")
    with (tmp_path / "x.parquet").open("rb") as file:
        spans = format_named("parquet", {}).spans(file, Division("x.parquet", 0, 3))
    assert [(each.begin, each.end, each.line) for each in spans] == [(0, 4, 1), (4, 7, 401), (7, 10, 701)]
    assert reader.describe(stream).fields[0].type == "long"


@requirement("CON-20")
@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int32(), pa.string())], ids=["text", "categories"])
def test_a_text_that_parquet_stores_once_makes_no_larger_batches(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"id": range(20_000), "note": pa.array(["n" * 4096] * 20_000, pa.string()).cast(kind)})
    pq.write_table(table, tmp_path / "x.parquet")
    batches = list(read_all(source(tmp_path, "parquet"), "x.parquet"))
    assert sum(each.data.num_rows for each in batches) == 20_000
    assert max(each.data.nbytes for each in batches) < 32 << 20


@pytest.mark.parametrize("size", [100, 3_000, 1 << 20])
def test_batches_of_parquet_have_at_most_the_rows_that_the_job_says(tmp_path: Path, size: int) -> None:
    pq.write_table(pa.table({"id": range(10_000)}), tmp_path / "x.parquet")
    batches = read_all(source(tmp_path, "parquet"), "x.parquet", options={"batch_size": size})
    assert max(each.data.num_rows for each in batches) <= size
    assert [at for each in batches for at in each.data["id"].to_pylist()] == list(range(10_000))


@pytest.mark.parametrize("name", ["parquet", "avro"])
@pytest.mark.parametrize(
    "harm", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"not at all", lambda b: b[:-40] + b"\0" * 40]
)
def test_a_broken_binary_file_is_refused_by_name(tmp_path: Path, name: str, harm) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / f"x.{name}").write_bytes(harm(WRITE[name](suite_rows(500))))
    with pytest.raises(DataError) as caught:
        read_all(source(tmp_path, name), f"x.{name}", FIELDS)
    assert caught.value.where == f"x.{name}"


@pytest.mark.parametrize("codec", ["deflate", "bzip2", "xz"])
def test_a_packed_block_that_is_corrupt_goes_to_the_quarantine_where_that_is_asked(tmp_path: Path, codec: str) -> None:
    schema = {"type": "record", "name": "r", "fields": [{"name": "id", "type": "long"}]}
    sink = io.BytesIO()
    fastavro.writer(sink, schema, [{"id": at} for at in range(20_000)], codec=codec)
    data = bytearray(sink.getvalue())
    last = list(fastavro.block_reader(io.BytesIO(data)))[-1]
    data[last.offset + 8 : last.offset + 40] = b"\xff" * 32
    (tmp_path / "x.avro").write_bytes(data)
    with pytest.raises(DataError):
        read_all(source(tmp_path, "avro"), "x.avro")
    batches = read_all(source(tmp_path, "avro"), "x.avro", options={"on_broken_file": "quarantine"})
    assert len(rows_of(batches)) > 0
    assert len(rejects(batches)) == 1


def test_avro_unions_and_records_within_records_survive(tmp_path: Path) -> None:
    schema = {
        "type": "record", "name": "node",
        "fields": [
            {"name": "either", "type": ["int", "string"]},
            {"name": "next", "type": ["null", "node"]},
            {"name": "tags", "type": {"type": "map", "values": "string"}},
            {"name": "uid", "type": {"type": "string", "logicalType": "uuid"}},
        ],
    }  # fmt: skip
    uid = "7d444840-9dc0-11d1-b245-5ffdce74fad2"
    leaf = {"either": "x", "next": None, "tags": {"k": "v"}, "uid": uid}
    with (tmp_path / "x.avro").open("wb") as file:
        fastavro.writer(file, schema, [{**leaf, "either": 1, "next": leaf}, leaf])
    first, second = rows_of(read_all(source(tmp_path, "avro"), "x.avro"))
    assert (first["either"], second["either"], second["next"]) == ("1", "x", None)
    assert '"either":"x"' in first["next"]
    assert first["uid"] == uid


# all -----------------------------------------------------------------------------------------------------------


def test_a_broken_file_goes_to_the_quarantine_where_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'[{"id": 1}]')
    (tmp_path / "b.json").write_bytes(b'[{"id": 2}, {"id"')
    (tmp_path / "c.json").write_bytes(b'[{"id": 3}]')
    batches = read_all(source(tmp_path), ".", (Field("id", "long"),), options={"on_broken_file": "quarantine"})
    assert [each["id"] for each in rows_of(batches)] == [1, 3]
    ((place, _, reason),) = rejects(batches)
    assert place == 0
    assert "the rest of the file cannot be read" in reason


def test_a_broken_file_that_would_be_divided_goes_to_the_quarantine_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dativo_provider.connectors.csv.windows.SMALLEST_PART", 1)
    whole = parquet(suite_rows(100), row_group_size=10)
    (tmp_path / "good.parquet").write_bytes(whole)
    (tmp_path / "bad.parquet").write_bytes(whole[:-1000] + bytes(992) + whole[-8:])
    asked = {"on_broken_file": "quarantine"}
    batches = read_all(source(tmp_path, "parquet"), "*.parquet", LONG_TEXT, want=8, options=asked)
    assert len(rows_of(batches)) == 100
    assert [place for place, _, _ in rejects(batches)] == [0]
    with pytest.raises(DataError, match="no Parquet file"):
        read_all(source(tmp_path, "parquet"), "*.parquet", LONG_TEXT, want=8)


@pytest.mark.parametrize("name", ["json", "jsonl", "parquet", "avro"])
def test_a_file_that_takes_the_place_of_one_being_read_is_read_by_the_next_run(tmp_path: Path, name: str) -> None:
    """Of the same size: what is remembered of the old one must not be said of the new."""
    path, other = tmp_path / f"x.{name}", tmp_path / "other"
    (row,) = suite_rows(1, 11)
    path.write_bytes(WRITE[name]([row]))
    other.write_bytes(WRITE[name]([{**row, "id": 22}]))
    assert path.stat().st_size == other.stat().st_size
    reader = opened(source(tmp_path, "json" if name == "jsonl" else name))
    stream = stream_of(path.name, FIELDS, incremental=IncrementalSpec("file_modified_time"), key=("id",))
    stream = replace(stream, on_changed_file="append")
    window = reader.window(stream, WindowRequest())
    (piece,) = reader.slices(stream, window, 1)
    batches = reader.read(stream, piece)
    assert rows_of([next(batches)])[0]["id"] == 11
    os.replace(other, path)
    assert list(batches) == []
    cursor = reader.next_cursor(window, [reader.result()], None)
    (again,) = reader.slices(stream, reader.window(stream, WindowRequest(since=cursor)), 1)
    assert rows_of(list(reader.read(stream, again)))[0]["id"] == 22


def test_an_archive_and_a_name_without_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK")
    (tmp_path / "x").write_bytes(b"{}")
    with pytest.raises(DataError, match="archive"):
        read_all(source(tmp_path), "x.zip")
    with pytest.raises(ConfigurationError, match="format"):
        read_all(source(tmp_path), "x")


@pytest.mark.parametrize("name", ["x.tsv", "drive/x.TSV.gz"])
def test_a_file_of_tabs_is_told_by_its_name(name: str) -> None:
    file = io.BytesIO(b"id\tname\n1\ta,b\n")
    assert rows_of(list(batches_of(file, name, stream_of("x", LONG_TEXT), Settings(home="")))) == [
        {"id": 1, "name": "a,b"}
    ]
    assert head_of(io.BytesIO(b"id;name\n"), name, {"delimiter": ";"}).names == ("id", "name")


class Trickle:
    """Gives a few bytes however many are asked for, as a network does."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)
        self.close = self._file.close

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 7) if size >= 0 else 7)


@requirement("CON-07")
@pytest.mark.parametrize("name", sorted(WRITE.keys() - {"md"}))
def test_another_connector_reads_bytes_by_name(name: str) -> None:
    rows = suite_rows(300)
    data = WRITE[name](rows)
    packed = name not in ("parquet", "avro")
    file = io.BytesIO(gzip.compress(data) if packed else data)
    stream = stream_of("any", FIELDS)
    batches = list(batches_of(file, f"x.{name}{'.gz' if packed else ''}", stream, Settings(home="")))
    assert sum(batch.data.num_rows for batch in batches) == 300
    trickle = cast("BinaryIO", Trickle(data))
    assert sum(each.data.num_rows for each in batches_of(trickle, f"x.{name}", stream, Settings(home=""))) == 300
    assert head_of(io.BytesIO(data), f"x.{name}").names == tuple(field.name for field in FIELDS)
