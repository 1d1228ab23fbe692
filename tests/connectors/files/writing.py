"""Rows as the bytes of a file of each format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import fastavro
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from dativo_provider.model.types import to_arrow
from tests.conformance.readers import FIELDS, Row
from tests.connectors.csv.world import cell

Write = Callable[[Sequence[Row]], bytes]
SCHEMA = pa.schema([(field.name, to_arrow(field.type)) for field in FIELDS])
_AVRO = {
    "type": "record",
    "name": "event",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": ["null", "string"]},
        {"name": "amount", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 4}]},
        {"name": "updated_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    ],
}


def csv(rows: Sequence[Row]) -> bytes:
    lines = [",".join(field.name for field in FIELDS), *(",".join(map(cell, each.values())) for each in rows)]
    return ("\n".join(lines) + "\n").encode()


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def jsonl(rows: Sequence[Row]) -> bytes:
    encode = msgspec.json.Encoder(decimal_format="number").encode
    return b"".join(encode({name: _plain(value) for name, value in each.items()}) + b"\n" for each in rows)


def document(rows: Sequence[Row]) -> bytes:
    """Pretty-printed, as people and APIs write it."""
    return b"[\n" + b",\n".join(line for line in jsonl(rows).splitlines()) + b"\n]\n"


def parquet(rows: Sequence[Row], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(each) for each in rows], SCHEMA), sink, **options)
    return sink.getvalue()


def avro(rows: Sequence[Row]) -> bytes:
    sink = io.BytesIO()
    fastavro.writer(sink, _AVRO, [dict(each) for each in rows])
    return sink.getvalue()


def markdown(rows: Sequence[Row]) -> bytes:
    """A section for each row."""
    lines = ([f"# {at}", *(f"{name}:: {_json(value)}" for name, value in each.items())] for at, each in enumerate(rows))
    return "".join(f"{line}\n" for section in lines for line in section).encode()


def _json(value: Any) -> str:
    return json.dumps(str(value) if isinstance(value, Decimal) else _plain(value))


WRITE: Mapping[str, Write] = {
    "csv": csv, "jsonl": jsonl, "json": document, "parquet": parquet, "avro": avro, "md": markdown,
}  # fmt: skip
