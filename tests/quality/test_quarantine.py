"""Quarantined rows keep what the source said, to the last digit, under an id that every attempt gives them."""

from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dativo_provider.model.batch import Batch, Reject
from dativo_provider.model.tables import QUARANTINE_FIELDS
from dativo_provider.quality.quarantine import QUARANTINE_SCHEMA, quarantined_rows, rejected_rows
from tests.quality.support import a_plan
from tests.support import requirement


def raw_of(column: pa.Array) -> list[Any]:
    batch = Batch("orders", pa.RecordBatch.from_arrays([column], names=["v"]))
    rows = quarantined_rows(a_plan(), batch, pa.array([True] * len(column)), [["x"]] * len(column))
    return [json.loads(raw)["v"] for raw in rows.column("raw").to_pylist()]


@requirement("QUA-01", "QUA-02", "ING-04")
def test_only_the_bad_rows_are_kept_with_their_place_and_reasons() -> None:
    data = pa.record_batch({"id": ["1", "x", "3"], "note": ["a", None, "c"]})
    batch = Batch("orders", data, origin="file:///in/a.csv", positions=pa.array([2, 3, 4], pa.int64()))
    rows = quarantined_rows(a_plan(), batch, pa.array([False, True, True]), [["id.type"], ["a", "b"]])
    assert rows.schema == QUARANTINE_SCHEMA
    assert rows.schema.names == [field.name for field in QUARANTINE_FIELDS]
    row = rows.to_pylist()[0]
    assert row.pop("row_id") != rows.to_pylist()[1]["row_id"]
    assert row == {
        "run": "20240301T120000-abcd",
        "stream": "orders",
        "source_reference": "file:///in/a.csv:3",
        "raw": '{"id":"x","note":null}',
        "kind": "quarantined",
        "reasons": ["id.type"],
        "contract_version": "1.2.0",
        "quarantined_at": dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC),
        "expires_at": dt.datetime(2024, 3, 31, 12, tzinfo=dt.UTC),
    }
    assert rows.to_pylist()[1]["reasons"] == ["a", "b"]


def test_an_id_depends_on_the_rows_place_and_content_but_not_on_how_it_was_parsed() -> None:
    def ids(value: object, place: int | None, origin: str = "f") -> list[str]:
        positions = None if place is None else pa.array([place], pa.int64())
        batch = Batch("orders", pa.record_batch({"v": [value]}), origin, positions)
        return quarantined_rows(a_plan(), batch, pa.array([True]), [["r"]]).column("row_id").to_pylist()

    assert len({*ids("a", 5), *ids("b", 5), *ids("a", 6)}) == 3  # another row in the same line of the same file
    assert ids(1, 5) == ids("1", 5)
    assert ids("a", 5) != ids("a", 5, "g")
    assert ids("a", None) == ids("a", None) != ids("b", None)
    assert len(ids("a", 5)[0]) == 64


@requirement("QUA-01")
def test_text_that_is_no_row_is_kept_as_it_stood() -> None:
    rows = rejected_rows(a_plan(), [Reject("f.csv", 7, 'a,"b', "5 columns instead of 3")])
    row = rows.to_pylist()[0]
    assert (row["kind"], row["raw"], row["reasons"]) == ("rejected", 'a,"b', ["5 columns instead of 3"])
    assert row["source_reference"] == "f.csv:7"
    broken = rejected_rows(a_plan(), [Reject("f", 1, "\udcff", "not UTF-8")])
    assert broken.column("raw").to_pylist() == ["?"]
    assert rejected_rows(a_plan(), []).num_rows == 0


def test_rows_expire_after_the_contracts_retention() -> None:
    for given_days, days in (("90", 90), ("", 30), ("soon", 30)):
        plan = a_plan(properties={"dativo.quarantine.retention_days": given_days})
        row = rejected_rows(plan, [Reject("f", 1, "x", "y")]).to_pylist()[0]
        assert row["expires_at"] - row["quarantined_at"] == dt.timedelta(days=days)


@requirement("QUA-01")
@pytest.mark.parametrize(
    ("column", "written"),
    [
        (pa.array([Decimal("12345678901234567890.1200")], pa.decimal128(30, 4)), "12345678901234567890.1200"),
        (pa.array([Decimal("1E-20")], pa.decimal128(38, 20)), "0.00000000000000000001"),
        (pa.array([2**63 - 1]), 2**63 - 1),
        (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
        (pa.array([0.1], pa.float32()), 0.1),
        (pa.array([1e300]), 1e300),
        (pa.array([-math.inf]), "-inf"),
        (pa.array([math.nan]), "nan"),
        (pa.array([dt.datetime(2024, 1, 1, 1, 2, 3, 4)]), "2024-01-01 01:02:03.000004"),
        (pa.array([1], pa.timestamp("ns")), "1970-01-01 00:00:00.000000001"),
        (pa.array([0], pa.timestamp("us", "Europe/Berlin")), "1970-01-01 00:00:00.000000Z"),
        (pa.array([6585442], pa.int32()).cast(pa.date32()), "20000-04-30"),
        (pa.array([2**31 - 1], pa.int32()).cast(pa.date32()), "<value out of range: 2147483647>"),
        (pa.array([dt.time(1, 2)]), "01:02:00.000000"),
        (pa.array([dt.timedelta(days=1)]), "1 day, 0:00:00"),
        (pa.array([b"\x00\xff"]), "\\x00ff"),
        (pa.array([b"ab"], pa.binary(2)), "\\x6162"),
        (pa.array([True]), True),
        (pa.array(['ü😀\n"{']), 'ü😀\n"{'),
        (pa.array([""]), ""),
        (pa.array(["x"]).dictionary_encode(), "x"),
        (pa.array(["x"], pa.string_view()), "x"),
        (pa.array([None], pa.null()), None),
        (pa.array([[Decimal("1.50"), None]], pa.list_(pa.decimal128(5, 2))), ["1.50", None]),
        (pa.array([[("k", math.nan)]], pa.map_(pa.string(), pa.float64())), [["k", "nan"]]),
        (pa.array([{"a": b"x", "t": dt.date(2024, 1, 1), "f": 1.5}]), {"a": "\\x78", "t": "2024-01-01", "f": 1.5}),
    ],
)
def test_no_value_loses_anything_on_its_way_into_json(column: pa.Array, written: Any) -> None:
    assert raw_of(column) == [written]


def test_even_a_nested_date_out_of_pythons_reach_is_written() -> None:
    far = pa.array([2**31 - 1], pa.int32()).cast(pa.date32())
    assert "2147483647" in raw_of(pa.ListArray.from_arrays([0, 1], far))[0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text() | st.none(), min_size=1), st.data())
def test_any_text_survives(values: list[str | None], data: st.DataObject) -> None:
    texts = [None if v is None else v.encode(errors="replace").decode() for v in values]
    assert raw_of(pa.array(texts, pa.string())) == texts


def test_columns_named_alike_and_masked_columns_keep_their_places() -> None:
    columns = [pa.array([1]), pa.array([2]), pa.array(["a@example.org"]), pa.array([None], pa.string())]
    batch = Batch("orders", pa.RecordBatch.from_arrays(columns, names=["n", "n", "email", "phone"]))
    rows = quarantined_rows(a_plan(), batch, pa.array([True]), [["r"]], masked=("email", "phone"))
    assert json.loads(rows.column("raw")[0].as_py()) == {"n": 1, "n#2": 2, "email": "***", "phone": None}
