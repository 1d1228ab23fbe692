"""How fast files are read, beside what reads them bare.

Parquet: MB of file a minute. JSON Lines beside `pyarrow.json` with the same types and DuckDB's `read_json`. Avro beside
`fastavro` alone. CSV from a bucket (a real S3 server on this machine) beside the same file from a local folder.
Ratios are of processor seconds, so that other work on the machine does not change them.

.venv/bin/python -m benchmarks.files_read [--megabytes 200] [--rounds 3]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.json as pajson
import pyarrow.parquet as pq

from benchmarks.result import Result
from dativo_provider.connectors.registry import connector
from dativo_provider.files import open_files
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field, WindowRequest
from tests.services import s3

GOAL_PARQUET = 500.0  # MB a minute
GOAL_JSONL = 0.5  # of pyarrow.json, which does not judge, place or number rows
GOAL_AVRO = 0.4  # of fastavro, whose rows are dicts and no columns yet
GOAL_BUCKET = 0.7  # of the local file; the client's own work is in it
FIELDS = (
    Field("id", "long"), Field("shop", "string"), Field("price", "decimal(12,2)"), Field("rate", "double"),
    Field("paid", "boolean"), Field("note", "string"),
)  # fmt: skip
KINDS = {"id": pa.int64(), "shop": pa.string(), "price": pa.decimal128(12, 2), "rate": pa.float64(), "paid": pa.bool_()}
STEP = 50_000


def block(start: int) -> pa.Table:
    rows = range(start, start + STEP)
    return pa.table({
        "id": rows, "shop": [f"shop {at % 977}" for at in rows], "price": [f"{at % 9000}.{at % 100:02}" for at in rows],
        "rate": [at / 7 for at in rows], "paid": [at % 3 == 0 for at in rows],
        "note": [f"sleepy deposits {at * 7919 % 100003} detect" for at in rows],
    })  # fmt: skip


def json_text(table: pa.Table) -> bytes:
    line = '{{"id":{id},"shop":"{shop}","price":{price},"rate":{rate},"paid":{yes},"note":"{note}"}}\n'
    rows = (line.format(**row, yes="true" if row["paid"] else "false") for row in table.to_pylist())
    return "".join(rows).encode()


def repeated(path: Path, text: bytes, megabytes: int, head: bytes = b"") -> int:
    """The rows' text as often as it takes; how often."""
    count = max(1, (megabytes << 20) // len(text))
    with path.open("wb") as file:
        file.write(head)
        for _ in range(count):
            file.write(text)
    return count * STEP


def parquet(path: Path, megabytes: int) -> int:
    table, rows = block(0), 0
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        while not path.exists() or path.stat().st_size < megabytes << 20:
            writer.write_table(pa.concat_tables([block(rows + STEP * at) for at in range(4)]))
            rows += 4 * STEP
    return rows


def avro(path: Path, megabytes: int) -> int:
    kinds = {"id": "long", "shop": "string", "price": "string", "rate": "double", "paid": "boolean", "note": "string"}
    schema = {"type": "record", "name": "r", "fields": [{"name": name, "type": kind} for name, kind in kinds.items()]}
    records, count = block(0).to_pylist(), max(1, megabytes // 4)
    with path.open("wb") as file:
        fastavro.writer(file, schema, chain.from_iterable(repeat(records, count)), codec="deflate")
    return count * STEP


def by_reader(source: SourceSpec, path: str) -> int:
    stream = StreamSpec("lines", path, "lines", ContractSpec("lines", fields=FIELDS))
    reader = connector(source.connector).load("source")(source, RunContext(Settings(home="")))
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
    for batch in reader.read(stream, piece):
        del batch
    rows: int = reader.result().rows
    reader.close()
    return rows


def by_arrow(path: Path) -> int:
    options = pajson.ParseOptions(explicit_schema=pa.schema([*KINDS.items(), ("note", pa.string())]))
    return int(pajson.read_json(path, parse_options=options).num_rows)


def by_fastavro(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in fastavro.reader(file))


def by_duckdb(path: Path) -> int:
    columns = "{id: BIGINT, shop: VARCHAR, price: 'DECIMAL(12,2)', rate: DOUBLE, paid: BOOLEAN, note: VARCHAR}"
    read = f"select * from read_json('{path}', format = 'newline_delimited', columns = {columns})"
    with duckdb.connect() as connection:
        connection.execute("set threads to 2")
        return int(connection.sql(read).to_arrow_table().num_rows)


def spent(read: Callable[[], int], rows: int) -> tuple[float, float]:
    """Seconds, and seconds of this process's processors."""
    started, used = time.perf_counter(), time.process_time()
    assert read() == rows
    return time.perf_counter() - started, time.process_time() - used


def rounds(count: int, rows: int, **reads: Callable[[], int]) -> dict[str, list[tuple[float, float]]]:
    """What each took, in turns."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in reads}
    for _ in range(count):
        for name, read in reads.items():
            taken[name].append(spent(read, rows))
    return taken


def ratios(theirs: list[tuple[float, float]], ours: list[tuple[float, float]]) -> list[float]:
    return [their[1] / our[1] for their, our in zip(theirs, ours, strict=True)]


def rate(rows: int, taken: list[tuple[float, float]]) -> dict[str, float]:
    seconds, used = (median(each) for each in zip(*taken, strict=True))
    return {"rows_per_second": round(rows / seconds), "rows_per_cpu_second": round(rows / used)}


def local(folder: Path, name: str) -> SourceSpec:
    return SourceSpec(name, roots=(str(folder),))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="dativo-bench-"))
    try:
        for each in (of_parquet, of_json, of_avro, of_bucket):
            each(folder, asked).record()
    finally:
        shutil.rmtree(folder)


def of_parquet(folder: Path, asked: Any) -> Result:
    path = folder / "a.parquet"
    rows = parquet(path, asked.megabytes // 4)
    ours = rounds(asked.rounds, rows, ours=lambda: by_reader(local(folder, "parquet"), path.name))["ours"]
    size = path.stat().st_size / (1 << 20)
    return Result(
        "files_parquet", f"Parquet, {size:.0f} MB of zstd, to batches", "of file a minute", "MB",
        [size / seconds * 60 for seconds, _ in ours], GOAL_PARQUET,
        detail={**rate(rows, ours), "mb_per_cpu_minute": round(size / median(used for _, used in ours) * 60)},
    )  # fmt: skip


def of_json(folder: Path, asked: Any) -> Result:
    path = folder / "a.jsonl"
    rows = repeated(path, json_text(block(0)), asked.megabytes)
    taken = rounds(
        asked.rounds, rows, ours=lambda: by_reader(local(folder, "json"), path.name),
        arrow=lambda: by_arrow(path), duckdb=lambda: by_duckdb(path),
    )  # fmt: skip
    return Result(
        "files_jsonl", f"JSON Lines, {rows:,} rows", "CPU of pyarrow.json / ours", "x",
        ratios(taken["arrow"], taken["ours"]), GOAL_JSONL,
        detail={**rate(rows, taken["ours"]), "duckdb": median(ratios(taken["duckdb"], taken["ours"]))},
    )  # fmt: skip


def of_avro(folder: Path, asked: Any) -> Result:
    path = folder / "a.avro"
    rows = avro(path, asked.megabytes // 10)
    taken = rounds(
        asked.rounds, rows, ours=lambda: by_reader(local(folder, "avro"), path.name), bare=lambda: by_fastavro(path)
    )
    return Result(
        "files_avro", f"Avro, {rows:,} rows", "CPU of fastavro alone / ours", "x",
        ratios(taken["bare"], taken["ours"]), GOAL_AVRO, detail=rate(rows, taken["ours"]),
    )  # fmt: skip


def of_bucket(folder: Path, asked: Any) -> Result:
    path, sink = folder / "a.csv", pa.BufferOutputStream()
    pacsv.write_csv(block(0), sink, pacsv.WriteOptions(include_header=False))
    rows = repeated(path, sink.getvalue().to_pybytes(), asked.megabytes, b"id,shop,price,rate,paid,note\n")
    server = s3.start()
    try:
        uri = f"s3://{server.bucket()}/a.csv"
        open_files(uri, server.properties).write(uri, path.read_bytes())
        words = {
            "endpoint": server.endpoint,
            "access_key_id": server.access_key,
            "secret_access_key": server.secret_key,
        }
        remote = SourceSpec("s3", words, roots=(uri.rpartition("/")[0],))
        taken = rounds(
            asked.rounds,
            rows,
            near=lambda: by_reader(local(folder, "csv"), path.name),
            far=lambda: by_reader(remote, uri),
        )
    finally:
        server.stop()
    return Result(
        "files_bucket", f"CSV of a bucket, {rows:,} rows", "CPU of the same file in a folder / ours", "x",
        ratios(taken["near"], taken["far"]), GOAL_BUCKET,
        detail={"bucket": rate(rows, taken["far"]), "folder": rate(rows, taken["near"])},
    )  # fmt: skip


if __name__ == "__main__":
    main()
