"""A value of any type survives the way into the quarantine, back as text, and through the cast again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pyarrow as pa
import pytest

from dativo_provider.model.types import to_arrow
from dativo_provider.pipeline.inbox.values import text_of
from dativo_provider.quality.raw import columns_as_json
from dativo_provider.transform.cast import convert
from tests.support import requirement

pytestmark = pytest.mark.one_set  # values go through JSON and the cast

UTC = dt.UTC
VALUES: list[tuple[str, list[Any]]] = [
    ("boolean", [True, False, None]),
    ("int", [-(2**31), 2**31 - 1]),
    ("long", [-(2**63), 2**63 - 1, 9007199254740993]),
    ("float", [0.1, -1.5e30]),
    ("double", [0.1, 1e300, 5e-324, -0.0, 123456789.123]),
    ("decimal(38,10)", [Decimal("1234567890123456789012345678.0123456789"), Decimal("-0.0000000001")]),
    ("date", [dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2026, 2, 28)]),
    ("time", [dt.time(0, 0), dt.time(23, 59, 59, 999999)]),
    ("timestamp", [dt.datetime(2026, 3, 1, 9, 15, 0, 123456), dt.datetime(1700, 1, 1)]),
    ("timestamptz", [dt.datetime(2026, 3, 1, 9, 15, 0, 123456, UTC), dt.datetime(1900, 1, 1, tzinfo=UTC)]),
    ("string", ["", " a ", "null", "NaN", 'say "hi"', "line\nbreak", "ß→😀", "{}", "1e5"]),
    ("binary", [b"", b"\x00\xff\\x41"]),
    ("list<long>", [[1, None, 2**60], []]),
    ("list<string>", [["a", "", 'q"'], None]),
    ("struct<a:long,b:string>", [{"a": 1, "b": "x"}, {"a": None, "b": ""}]),
    ("map<string,double>", [[("k", 0.5)], []]),
    ("map<long,struct<a:string>>", [[(7, {"a": "x"}), (8, None)]]),
]


@requirement("QUA-05")
@pytest.mark.parametrize(("kind", "values"), VALUES, ids=[kind for kind, _ in VALUES])
def test_a_value_comes_back_as_it_was(kind: str, values: list[Any]) -> None:
    column = pa.array(values, to_arrow(kind))
    assert back(column, kind).equals(column)


def test_a_uuid_comes_back_whatever_form_the_source_had() -> None:
    identity = UUID("6f1c5a0e-7d3b-4c1e-9a51-2f0d8b7c4e11")
    wanted, _ = convert(pa.array([str(identity)]), "uuid")
    for source in (pa.array([str(identity)]), wanted):
        assert back(source, "uuid").equals(wanted)


def back(column: pa.Array, kind: str) -> pa.Array:
    batch = pa.RecordBatch.from_arrays([column], names=["v"])
    [raw] = columns_as_json(batch, pa.repeat(pa.scalar(True), len(column)))
    stored = [orjson.loads(orjson.dumps({"v": value}))["v"] for value in raw]
    made, failed = convert(pa.array([text_of(value) for value in stored], pa.string()), kind)
    assert failed is None or not any(failed.to_pylist())
    return made
