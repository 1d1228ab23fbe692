"""Staged files: their size, their names, their partitions, what they tell publish, and what they keep to themselves."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dativo_provider.errors import ConfigurationError, CredentialError, Fenced, InternalError, StorageUnavailable
from dativo_provider.files import local_path
from dativo_provider.lake import writer as writer_module
from dativo_provider.lake.spill import Spill
from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.run import Manifest, StagedFile
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from tests.lake.support import FIELDS, Lake, batch, job, settings
from tests.services.s3 import S3
from tests.support import requirement

MIB = 1 << 20
NOISE = (Field("id", "long", required=True), Field("noise", "string"))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(settings(tmp_path))


def noise(rows: int, width: int = 1000) -> pa.RecordBatch:
    text = pa.array([os.urandom(width // 2).hex() for _ in range(rows)])
    return pa.record_batch([pa.array(range(rows), pa.int64()), text], names=["id", "noise"])


def paths(files: tuple[StagedFile, ...]) -> list[Path]:
    return [local_path(file.path) for file in files]


def partitioned(home: Path, *parts: tuple[str, str], fields: tuple[Field, ...] = FIELDS, **more: Any) -> Lake:
    specs = tuple(PartitionSpec(column, transform) for column, transform in parts)
    return Lake(settings(home), job(partitioning=specs, **more), fields)


# -- size ---------------------------------------------------------------------------------------------


@requirement("ING-05", "REG-05", "SN-15")
def test_files_split_at_the_target_size(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), job(file_size_mb=1), NOISE)
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    for _ in range(4):
        writer.write(noise(2500))
    files = writer.close()
    sizes = [path.stat().st_size for path in paths(files)]
    assert [file.bytes for file in files] == sizes
    assert sum(file.rows for file in files) == 10_000
    assert len(files) >= 3
    assert all(MIB <= size < 2.2 * MIB for size in sizes[:-1]), sizes


def test_one_large_batch_is_split_too(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), job(file_size_mb=1), NOISE)
    writer = lake.target.stage(lake.plan(), 0, "1", "data")
    writer.write(noise(10_000))
    assert len(writer.close()) >= 3


def test_row_groups_are_even_and_bounded() -> None:
    table = pa.Table.from_batches([noise(1000, 1000)])
    groups = [part.num_rows for part in writer_module._slices(table, table.nbytes // 3, 10_000)]
    assert groups == [334, 334, 332]
    assert [p.num_rows for p in writer_module._slices(table, table.nbytes, 300)] == [250] * 4


def test_no_rows_no_file(lake: Lake) -> None:
    writer = lake.target.stage(lake.plan(), 0, "1", "data")
    writer.write(batch([]))
    assert writer.close() == ()


# -- names --------------------------------------------------------------------------------------------


@requirement("ING-25", "REG-02")
def test_twins_with_the_same_attempt_never_share_a_name(lake: Lake) -> None:
    plan = lake.plan()
    one, two = (lake.extract(plan, range(10)) for _ in range(2))
    assert one.files[0].path != two.files[0].path
    assert paths(one.files)[0].name.startswith("s00000-a1-0000-")
    assert paths(one.files)[0].parent.name == f"run-{plan.plan_id}"
    assert "=" not in one.files[0].path


# -- content ------------------------------------------------------------------------------------------

EVERY_TYPE = tuple(
    Field(f"c_{name.partition('(')[0].partition('<')[0]}_{number}", name)
    for number, name in enumerate(
        [
            "boolean", "int", "long", "float", "double", "decimal(9,2)", "decimal(18,4)", "decimal(38,10)", "date",
            "time", "timestamp", "timestamptz", "string", "uuid", "binary", "list<long>", "map<string,double>",
            "struct<a:long,b:struct<c:string,d:list<decimal(5,1)>>>",
        ]
    )
)  # fmt: skip
VALUES = (
    True, -(2**31), 2**63 - 1, 1.5, -0.1, Decimal("-1234567.89"), Decimal("99999999999999.9999"),
    Decimal("-9999999999999999999999999999.9999999999"), date(1969, 12, 31), time(23, 59, 59, 999999),
    datetime(1969, 12, 31, 23, 59, 59, 999999), datetime(2026, 7, 1, 12, 0, 0, 1, tzinfo=UTC), "naïve 漢字 '\"\n",
    "0b7e1c1e-6d3a-4a58-9d4c-3b6f0c0a7d11", b"\x00\xff", [1, None, -3], [("k", 1.0), ("l", None)],
    {"a": 1, "b": {"c": None, "d": [Decimal("1.5")]}},
)  # fmt: skip


@requirement("REG-09", "REG-10")
def test_every_type_comes_back_as_it_went_in(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), job(key=()), EVERY_TYPE)
    full = {field.name: value for field, value in zip(EVERY_TYPE, VALUES, strict=True)}
    rows = pa.RecordBatch.from_pylist(
        [full, {}], schema=pa.schema([(field.name, to_arrow(field.type)) for field in EVERY_TYPE])
    )
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(rows)
    files = writer.close()
    published = lake.extract(plan, [])
    lake.publish(plan, [type(published)(**{**published.__dict__, "files": files})])
    back = lake.target.table(plan.table).scan().to_arrow().to_pylist()
    assert back == rows.to_pylist()
    assert [r for b in lake.target.read_staged(plan, files) for r in b.to_pylist()] == rows.to_pylist()
    assert duckdb.sql(f"select count(*) from read_parquet('{paths(files)[0]}')").fetchall() == [(2,)]


def test_files_carry_field_ids_and_no_arrow_schema(lake: Lake) -> None:
    plan = lake.plan()
    made = lake.extract(plan, range(2000))
    footer = pq.read_metadata(paths(made.files)[0])
    assert footer.metadata is None or b"ARROW:schema" not in footer.metadata
    schema = pq.read_schema(paths(made.files)[0])
    assert [schema.field(name).metadata[b"PARQUET:field_id"] for name in schema.names] == [b"1", b"2", b"3"]
    column = footer.row_group(0).column(0)
    assert column.compression == "ZSTD"
    assert column.has_column_index
    assert column.has_offset_index


def test_keys_get_a_bloom_filter(lake: Lake) -> None:
    made = lake.extract(lake.plan(), range(1000))
    columns = [pq.read_metadata(paths(made.files)[0]).row_group(0).column(n) for n in range(2)]
    assert [bool(column.bloom_filter_length) for column in columns] == [True, False]


@requirement("ING-06")
@pytest.mark.parametrize(("codec", "written"), [("snappy", "SNAPPY"), ("zstd", "ZSTD"), ("none", "UNCOMPRESSED")])
def test_the_codec_is_the_jobs(tmp_path: Path, codec: str, written: str) -> None:
    lake = Lake(settings(tmp_path), job(compression=codec))
    made = lake.extract(lake.plan(), range(10))
    assert pq.read_metadata(paths(made.files)[0]).row_group(0).column(0).compression == written


def test_an_unknown_codec_names_the_known_ones(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path), job(compression="rar"))
    with pytest.raises(ConfigurationError, match="snappy"):
        lake.extract(lake.plan(), [1])


def test_manifests_know_the_bounds_without_reading_a_footer(lake: Lake) -> None:
    plan = lake.plan()
    low, high = (lake.extract(plan, range(s, s + 100), piece=n) for n, s in enumerate((0, 1000)))
    for file in (*low.files, *high.files):
        assert file.stats["columns"]["record_count"] == 100
    lake.publish(plan, [low, high])
    table = lake.target.table(plan.table)
    found = [task.file.file_path for task in table.scan(row_filter="id >= 1000").plan_files()]
    assert found == [high.files[0].path]


def test_a_text_too_long_for_a_footer_leaves_its_column_without_bounds(tmp_path: Path) -> None:
    """Bounds of the file's other row groups would hide the row from every reader that prunes."""
    lake = Lake(settings(tmp_path), job(file_size_mb=1), NOISE)
    plan = lake.plan()
    short = pa.record_batch([pa.array(range(20_000), pa.int64()), pa.array(["b" * 90] * 20_000)], names=["id", "noise"])
    long = pa.record_batch([pa.array([20_000], pa.int64()), pa.array(["z" * 5000])], names=["id", "noise"])
    writer = lake.target.stage(plan, 0, "1", "data")
    for rows in (short, long):
        writer.write(rows)
    (file,) = writer.close()
    assert pq.read_metadata(paths((file,))[0]).num_row_groups > 1
    lake.publish(plan, [Manifest(plan.plan_id, 0, "1", (file,))])
    found = lake.target.table(plan.table).scan(row_filter="noise >= 'y'", selected_fields=("id",))
    assert found.to_arrow()["id"].to_pylist() == [20_000]


def test_personal_columns_leave_no_bounds_anywhere_in_the_metadata(tmp_path: Path) -> None:
    fields = (
        *FIELDS,
        Field("email", "string", classification="PII"),
        Field("phone", "string", classification="pii:phone"),
    )
    lake = Lake(settings(tmp_path), fields=fields)
    secret = "someone.special"
    lake.run([{"id": n, "email": f"{secret}{n}@example.org", "phone": f"+49-{secret}"} for n in range(50)], bad=[7])
    from pyiceberg.manifest import DataFile

    table = lake.target.table(lake.name())
    snapshot = table.current_snapshot()
    assert snapshot is not None
    entries = [e for m in snapshot.manifests(table.io) for e in m.fetch_manifest_entry(table.io)]
    ids = {table.schema().find_field(name).field_id for name in ("email", "phone")}
    file: DataFile = entries[0].data_file
    assert ids.isdisjoint(file.lower_bounds or {})
    assert ids.isdisjoint(file.upper_bounds or {})
    assert table.schema().find_field("id").field_id in (file.lower_bounds or {})
    assert table.properties["write.metadata.metrics.column.email"] == "none"
    for path in (tmp_path / "warehouse").rglob("*"):
        if path.suffix == ".json":
            assert secret not in path.read_text()
        if path.suffix == ".avro":
            assert secret not in repr(list(avro_values(path)))


def test_a_table_that_learned_of_personal_data_later_keeps_its_bounds_to_itself(tmp_path: Path) -> None:
    Lake(settings(tmp_path), fields=(*FIELDS, Field("email"))).run([{"id": 1, "email": "a@example.org"}])
    lake = Lake(settings(tmp_path), fields=(*FIELDS, Field("email", classification="PII")))
    plan = lake.plan()
    made = lake.extract(plan, [{"id": 2, "email": "b@example.org"}])
    email = str(lake.target.table(plan.table).schema().find_field("email").field_id)
    assert email not in made.files[0].stats["columns"]["lower_bounds"]
    lake.publish(plan, [made])
    assert lake.target.table(plan.table).properties["write.metadata.metrics.column.email"] == "none"


def avro_values(path: Path) -> Iterator[Any]:
    """Every value of every record in an Avro file, whatever its schema says it is."""
    from pyiceberg.avro.file import AvroFile
    from pyiceberg.io.pyarrow import PyArrowFileIO

    with AvroFile[Any](PyArrowFileIO().new_input(f"file://{path}")) as records:
        for record in records:
            yield [record[at] for at in range(len(record))]


def test_quarantined_raw_rows_leave_no_bounds(lake: Lake) -> None:
    lake.run([1], bad=[4711])
    table = lake.target.table(lake.name(quarantine=True))
    snapshot = table.current_snapshot()
    assert snapshot is not None
    entry = snapshot.manifests(table.io)[0].fetch_manifest_entry(table.io)[0]
    for name in ("raw", "source_reference", "row_id"):
        assert table.schema().find_field(name).field_id not in (entry.data_file.lower_bounds or {})


# -- columns ------------------------------------------------------------------------------------------


def test_rows_without_an_optional_column_read_as_null(lake: Lake) -> None:
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(pa.record_batch([pa.array([1, 2], pa.int64())], names=["id"]))
    made = lake.extract(plan, [])
    lake.publish(plan, [type(made)(**{**made.__dict__, "files": writer.close()})])
    assert lake.target.table(plan.table).scan().to_arrow()["value"].to_pylist() == [None, None]


def test_rows_without_a_required_column_cannot_be_published(lake: Lake) -> None:
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(pa.record_batch([pa.array(["a"])], names=["value"]))
    made = lake.extract(plan, [])
    with pytest.raises(Fenced, match="lack id"):
        lake.publish(plan, [type(made)(**{**made.__dict__, "files": writer.close()})])


def test_a_null_in_a_required_column_is_a_bug_that_is_caught(lake: Lake) -> None:
    writer = lake.target.stage(lake.plan(), 0, "1", "data")
    with pytest.raises(InternalError, match="required column 'id'"):
        writer.write(batch([{"value": "no id"}]))


def test_unknown_columns_are_a_bug_that_is_caught(lake: Lake) -> None:
    writer = lake.target.stage(lake.plan(), 0, "1", "data")
    writer.write(batch([1]))
    with pytest.raises(InternalError, match="more"):
        writer.write(batch([2]).append_column("more", pa.array([1])))


def test_narrower_arrow_types_are_widened_and_never_cut(lake: Lake) -> None:
    writer = lake.target.stage(lake.plan(), 0, "1", "data")
    columns = [pa.array([1], pa.int32()), pa.array(["x"]).dictionary_encode()]
    writer.write(pa.record_batch(columns, names=["id", "value"]))
    schema = pq.read_schema(paths(writer.close())[0])
    assert (schema.field("id").type, schema.field("value").type) == (pa.int64(), pa.string())


def test_dictionaries_are_written_as_they_come_and_read_as_plain_values(tmp_path: Path) -> None:
    """Columns that say the same in every row, such as the run's id, cost next to nothing that way."""
    lake = partitioned(tmp_path, ("value", "identity"))
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    for words in (["a", "b"], ["b", "c"]):
        texts = pa.DictionaryArray.from_arrays(pa.array([0, 1, None] * 500, pa.int32()), pa.array(words))
        writer.write(pa.record_batch([pa.array(range(1500), pa.int64()), texts], names=["id", "value"]))
    made = lake.extract(plan, [])
    lake.publish(plan, [type(made)(**{**made.__dict__, "files": writer.close()})])
    table = lake.target.table(plan.table)
    counts = {word: table.scan(row_filter=f"value == '{word}'").to_arrow().num_rows for word in "abc"}
    assert counts == {"a": 500, "b": 1000, "c": 500}
    assert table.scan(row_filter="value is null").to_arrow().num_rows == 1000
    task = next(iter(table.scan().plan_files()))
    assert pq.read_schema(local_path(task.file.file_path)).field("value").type == pa.string()


# -- partitions ---------------------------------------------------------------------------------------


@requirement("REG-01")
def test_two_partitions_of_one_batch_both_survive(tmp_path: Path) -> None:
    lake = partitioned(tmp_path, ("value", "identity"))
    plan = lake.plan()
    made = lake.extract(plan, [{"id": n, "value": "ab"[n % 2]} for n in range(1000)])
    assert sorted(file.partition["value"] for file in made.files) == ["a", "b"]
    assert [file.rows for file in made.files] == [500, 500]
    lake.publish(plan, [made])
    assert lake.ids() == list(range(1000))
    table = lake.target.table(plan.table)
    assert len(list(table.scan(row_filter="value == 'a'").plan_files())) == 1
    assert table.scan(row_filter="value == 'a'").to_arrow().num_rows == 500


def test_values_that_differ_only_in_case_are_two_partitions(tmp_path: Path) -> None:
    lake = partitioned(tmp_path, ("value", "identity"))
    values = ["EU/West", "eu_west", "", None, "a=b/c", "EU/West"]
    lake.run([{"id": n, "value": value} for n, value in enumerate(values)])
    table = lake.target.table(lake.name())
    assert len(list(table.scan().plan_files())) == 5
    assert table.scan(row_filter="value == 'EU/West'").to_arrow()["id"].to_pylist() == [0, 5]
    assert table.scan(row_filter="value is null").to_arrow()["id"].to_pylist() == [3]
    assert table.scan(row_filter="value == ''").to_arrow()["id"].to_pylist() == [2]


@pytest.mark.parametrize("transform", ["year", "month", "day", "hour"])
def test_time_partitions_prune(tmp_path: Path, transform: str) -> None:
    lake = partitioned(tmp_path, ("at", transform))
    start = datetime(1969, 12, 30, 22, 30, tzinfo=UTC)
    lake.run([{"id": n, "at": start + timedelta(hours=7 * n)} for n in range(100)])
    table = lake.target.table(lake.name())
    assert lake.ids() == list(range(100))
    edge = start + timedelta(hours=7 * 50)
    kept = table.scan(row_filter=f"at >= '{edge.isoformat()}'")
    assert sorted(kept.to_arrow()["id"].to_pylist()) == list(range(50, 100))
    if transform != "year":
        assert len(list(kept.plan_files())) < len(list(table.scan().plan_files()))


def test_bucket_and_truncate_together(tmp_path: Path) -> None:
    lake = partitioned(tmp_path, ("id", "bucket[4]"), ("value", "truncate[1]"))
    lake.run([{"id": n, "value": "xyz"[n % 3] * 5} for n in range(300)])
    table = lake.target.table(lake.name())
    assert lake.ids() == list(range(300))
    assert len(list(table.scan().plan_files())) == 12
    assert len(list(table.scan(row_filter="id == 34").plan_files())) <= 3
    assert table.scan(row_filter="id == 34 and value == 'yyyyy'").to_arrow()["id"].to_pylist() == [34]


def test_many_partitions_with_few_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "_OPEN_LOCAL", 3)
    monkeypatch.setattr(writer_module, "_PARTITIONED_BYTES", 1)
    lake = partitioned(tmp_path, ("value", "identity"))
    lake.run([{"id": n, "value": f"p{n % 10}"} for n in range(5000)])
    assert lake.ids() == list(range(5000))
    table = lake.target.table(lake.name())
    assert table.scan(row_filter="value == 'p7'").to_arrow().num_rows == 500


def of_words(start: int, words: list[str]) -> pa.RecordBatch:
    """Each word ten times, as a dictionary of its own."""
    texts = pa.DictionaryArray.from_arrays(pa.array([*range(len(words))] * 10, pa.int32()), pa.array(words))
    return pa.record_batch([pa.array(range(start, start + len(texts)), pa.int64()), texts], names=["id", "value"])


@pytest.fixture
def small_lots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every batch is a lot. The folder of temporary files."""
    monkeypatch.setattr(writer_module, "_PARTITIONED_BYTES", 1)
    monkeypatch.setattr(writer_module, "_OPEN_LOCAL", 2)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


@requirement("PRF-03")
@pytest.mark.parametrize("least_group", [1 << 20, 500])
def test_few_rows_of_a_partition_wait_for_more_so_that_row_groups_are_few(
    small_lots: Path, least_group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row group per lot and partition would make footers grow with the rows, and with them memory."""
    monkeypatch.setattr(writer_module, "_LEAST_GROUP_BYTES", least_group)
    lake = partitioned(tmp_path, ("id", "bucket[4]"), ("value", "identity"))
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    for start in range(0, 5000, 100):
        writer.write(of_words(start, [f"p{n}" for n in range(start % 7, start % 7 + 10)]))
    files = writer.close()
    read = [pq.ParquetFile(path) for path in paths(files)]
    if least_group == 1 << 20:
        assert len(files) == len({tuple(file.partition.values()) for file in files})
        assert {each.metadata.num_row_groups for each in read} == {1}
    ids = [each.read(["id"])["id"].to_pylist() for each in read]
    assert all(each == sorted(each) for each in ids)
    assert sorted(at for each in ids for at in each) == list(range(5000))
    assert not list(small_lots.iterdir())
    made = lake.extract(plan, [])
    lake.publish(plan, [type(made)(**{**made.__dict__, "files": files})])
    found = lake.target.table(plan.table).scan(row_filter="value == 'p8'").to_arrow()
    assert set(found["value"].to_pylist()) == {"p8"}
    assert found.num_rows == sum(10 for start in range(0, 5000, 100) if start % 7 <= 8 < start % 7 + 10)


def test_an_aborted_writer_leaves_no_rows_on_the_local_disk(small_lots: Path, tmp_path: Path) -> None:
    lake = partitioned(tmp_path, ("value", "identity"))
    writer = lake.target.stage(lake.plan(), 0, "1", "data")
    for start in (0, 100, 200):
        writer.write(of_words(start, ["a", "b"]))
    assert list(small_lots.iterdir())
    writer.abort()
    assert not list(small_lots.iterdir())


def test_a_lot_leaves_the_disk_with_the_last_of_its_rows() -> None:
    spill, rows = Spill(), pa.table({"id": [1, 2, 3]})
    folder = Path(spill._folder.name)
    for key in ("a", "b"):
        spill.put((key,), rows)
    spill.seal()
    assert [batch.num_rows for batch in spill.take(("a",))] == [3]
    assert spill.bytes_of(("a",)) == 0
    assert len(list(folder.glob("*.arrow"))) == 1
    assert [key for key, _ in spill.drain()] == [("b",)]
    assert not list(folder.glob("*.arrow"))
    spill.close()


def test_a_full_disk_of_waiting_rows_is_retryable(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    spill = Spill()
    monkeypatch.setattr(pa.ipc, "new_file", full)
    with pytest.raises(StorageUnavailable, match="disk"):
        spill.put((1,), pa.table({"id": [1]}))
    spill.close()


def test_rows_keep_their_order_within_a_partition(tmp_path: Path) -> None:
    lake = partitioned(tmp_path, ("value", "identity"))
    plan = lake.plan()
    made = lake.extract(plan, [{"id": n, "value": "ab"[n % 2]} for n in range(1000)])
    ids = pq.read_table(paths(made.files)[0])["id"].to_pylist()
    assert ids == sorted(ids)


def test_a_column_made_later_stages_without_partitions_and_cannot_publish_so(tmp_path: Path) -> None:
    """What extract stages for the `transform` task lacks the columns that task makes."""
    lake = partitioned(tmp_path, ("value", "identity"))
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(pa.record_batch([pa.array([1, 2], pa.int64())], names=["id"]))
    files = writer.close()
    assert len(files) == 1
    made = lake.extract(plan, [])
    with pytest.raises(Fenced, match="partitioning"):
        lake.publish(plan, [type(made)(**{**made.__dict__, "files": files})])


def test_partitioning_by_a_personal_column_is_refused(tmp_path: Path) -> None:
    fields = (*FIELDS, Field("email", "string", classification="pii"))
    with pytest.raises(ConfigurationError, match="personal data"):
        partitioned(tmp_path, ("email", "identity"), fields=fields).plan()


# -- when it goes wrong -------------------------------------------------------------------------------


def test_a_full_disk_is_retryable_and_leaves_nothing_visible(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.run([1])
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(batch(range(2, 100)))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(StorageUnavailable, match="disk") as caught:
        writer.close()
    assert "free space" in caught.value.remedy
    writer.abort()
    monkeypatch.undo()
    assert lake.ids() == [1]
    lake.target.sweep(plan)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    from pyiceberg.io.pyarrow import PyArrowFileIO

    from dativo_provider.lake.sink import ParquetSink

    schema = pa.schema([("id", pa.int64())])
    options = {"use_dictionary": False, "compression": "none"}

    def fill() -> None:
        sink = ParquetSink(PyArrowFileIO(), "file:///dev/full", schema, options)
        sink.write(pa.table({"id": range(10_000)}, schema=schema))

    with pytest.raises(StorageUnavailable, match="disk"):
        fill()


def test_credentials_that_expire_in_mid_slice_are_no_reason_to_retry(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = lake.target.stage(lake.plan(), 0, "1", "data")
    writer.write(batch([1]))

    def expired(*_: Any, **__: Any) -> None:
        raise OSError(
            "When uploading part for key 'x' in bucket 'y': AWS Error UNKNOWN (HTTP status 400) during "
            "UploadPart operation: Unable to parse ExceptionName: ExpiredToken Message: The token has expired."
        )

    monkeypatch.setattr(pq.ParquetWriter, "write_table", expired)
    with pytest.raises(CredentialError, match="ExpiredToken"):
        writer.close()
    writer.abort()


def test_an_aborted_writer_leaves_only_invisible_files(lake: Lake) -> None:
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(batch(range(10)))
    writer.abort()
    writer.abort()
    assert lake.ids() == []
    assert lake.target.sweep(plan) == 0


def test_the_same_files_in_an_object_store(tmp_path: Path, bucket: str, s3: S3) -> None:
    lake = Lake(
        settings(tmp_path, warehouse=f"s3://{bucket}/lake", properties=s3.properties), job(file_size_mb=1), NOISE
    )
    plan = lake.plan()
    writer = lake.target.stage(plan, 0, "1", "data")
    writer.write(noise(5000))
    files = writer.close()
    assert len(files) >= 2
    found = {info.uri: info.size for info in lake.target.files.list(f"{plan.table_location}/data")}
    assert found == {file.path: file.bytes for file in files}
