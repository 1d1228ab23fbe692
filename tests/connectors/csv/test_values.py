"""Typed columns: what the fast parse gives is what the cast makes of the text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dativo_provider.connectors.csv.convert import read_text, typed_columns
from dativo_provider.connectors.csv.dialect import dialect_of
from dativo_provider.model.stream import Field
from dativo_provider.transform.cast import Caster
from tests.connectors.csv.test_lines import small_blocks
from tests.connectors.csv.world import opened, read_all, rejects, stream_of
from tests.support import requirement

FIELDS = (
    Field("l", "long"),
    Field("i", "int"),
    Field("d", "double"),
    Field("f", "float"),
    Field("m", "decimal(12,3)"),
    Field("b", "boolean"),
    Field("day", "date"),
    Field("at", "timestamptz"),
    Field("local", "timestamp"),
    Field("clock", "time"),
    Field("t", "string"),
    Field("u", "uuid"),
)
NAMES = [field.name for field in FIELDS]
VALUES = st.sampled_from(
    [
        "", '""', "0", "1", "-1", "007", "+7", " 7 ", "\t7", "7.0", "7.", ".5", "1e3", "1E400", "-1e-400", "0x1F",
        "0X1f", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "2147483648", "1_000", "1,5",
        "nan", "NaN", "inf", "-Infinity", "true", "TRUE", "False", "yes", "0.1", "123456789.123", "0.1234", "1e-3",
        "2024-02-29", "2023-02-29", "0000-01-01", "0001-01-01", "9999-12-31", "2024-1-1", "20240101",
        "2024-02-29T10:11:12Z", "2024-02-29 10:11:12.123456+02:00", "2024-02-29T10:11:12.1234567Z", "2024-02-29T10:11",
        "2024-02-29 10:11:12 UTC", "0001-01-01T00:00:00+10:00", "9999-12-31T23:00:00-05:00", "10:11", "10:11:12.5",
        "24:00:00", "12345678-1234-1234-1234-123456789abc", "x", "NULL", "\\N", "é",
    ]
)  # fmt: skip
DIALECT = dialect_of({})
quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def quoted(value: str) -> str:
    return f'"{value}"' if "," in value else value


def cast(batches) -> tuple[list[dict], list[dict]]:
    """Rows as the cast makes them, and which values it refused."""
    caster, rows, failures = Caster(FIELDS), [], []
    for batch in batches:
        done = caster.cast(batch.data)
        rows += done.data.to_pylist()
        refused = {name: mask.to_pylist() for name, mask in done.failures.items()}
        failures += [{name: True for name, mask in refused.items() if mask[at]} for at in range(batch.data.num_rows)]
    return rows, failures


@requirement("CON-05", "REG-10")
@quick
@example(rows=[["", "", "", "", "2147483648", "", "", "", "", "", "", ""]], size=100)
@given(
    rows=st.lists(st.lists(VALUES, min_size=len(FIELDS), max_size=len(FIELDS)), min_size=1, max_size=8),
    size=st.sampled_from([100, 400, 4 << 20]),
)
def test_typed_columns_and_text_columns_cast_alike(tmp_path: Path, rows: list[list[str]], size: int) -> None:
    lines = [",".join(NAMES), *(",".join(map(quoted, row)) for row in rows)]
    (tmp_path / "f.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with small_blocks(size):
        typed, text = read_all(tmp_path, "f.csv", FIELDS), read_all(tmp_path, "f.csv")
    assert repr(cast(typed)) == repr(cast(text))
    assert [batch.positions for batch in typed] == [batch.positions for batch in text]


def test_clean_columns_come_typed(tmp_path: Path) -> None:
    row = '7,7,0.5,0.5,1.25,true,2024-02-29,2024-02-29T01:00:00+01:00,2024-02-29T01:00:00,10:11:12,"a ""b""",u-1\n'
    (tmp_path / "f.csv").write_text(",".join(NAMES) + "\n" + row)
    (batch,) = read_all(tmp_path, "f.csv", FIELDS)
    assert [str(kind) for kind in batch.data.schema.types] == [
        "int64", "int32", "double", "float", "decimal128(12, 3)", "bool", "date32[day]", "timestamp[us, tz=UTC]",
        "timestamp[us]", "time64[us]", "string", "string",
    ]  # fmt: skip
    assert batch.data.to_pylist()[0] | {"clock": None, "local": None} == {
        "l": 7, "i": 7, "d": 0.5, "f": 0.5, "m": Decimal("1.250"), "b": True, "day": date(2024, 2, 29),
        "at": datetime(2024, 2, 29, tzinfo=UTC), "local": None, "clock": None, "t": 'a "b"', "u": "u-1",
    }  # fmt: skip


@requirement("REG-10")
def test_64_bit_ids_stay_exact_even_beside_wrong_ones(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("id\n9007199254740993\nwrong\n9223372036854775807\n")
    (batch,) = read_all(tmp_path, "f.csv", [Field("id", "long")])
    assert batch.data.to_pydict() == {"id": ["9007199254740993", "wrong", "9223372036854775807"]}


def test_a_column_that_failed_once_is_text_from_there_on_and_the_others_stay_typed(tmp_path: Path) -> None:
    lines = [f"{at},{at}" for at in range(200)]
    lines[100] = "x,100"
    (tmp_path / "f.csv").write_text("a,b\n" + "\n".join(lines) + "\n")
    with small_blocks(128):
        batches = read_all(tmp_path, "f.csv", [Field("a", "long"), Field("b", "long")])
    kinds = [batch.data.schema.field("a").type for batch in batches]
    assert kinds[0] == pa.int64()
    assert kinds[-1] == pa.string()
    assert {batch.data.schema.field("b").type for batch in batches} == {pa.int64()}
    assert sum(batch.data.num_rows for batch in batches) == 200


@pytest.mark.parametrize("kind", ["decimal(38,10)", "decimal(38,2)", "decimal(37,2)", "decimal(12,2)"])
@given(value=st.integers(10**27, 10**39))
@quick
def test_a_decimal_too_large_for_its_type_is_never_another_number(value: int, kind: str) -> None:
    types = typed_columns([Field("m", kind)], ["m"], ())
    try:
        (found,) = read_text(f"{value}\n".encode(), ["m"], DIALECT, types, lambda _row: "skip").column("m").to_pylist()
    except pa.ArrowInvalid:
        return
    assert Decimal(found) == value


def test_columns_asked_for_as_text_are_text(tmp_path: Path) -> None:
    from dativo_provider.model.stream import Slice, WindowRequest

    (tmp_path / "f.csv").write_text("a,b\n1,2\n")
    reader, stream = opened(tmp_path), stream_of("f.csv", [Field("a", "long"), Field("b", "long")])
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
    (batch,) = reader.read(stream, Slice(piece.index, piece.stream, piece.spec, as_text=("b",)))
    assert batch.data.schema.types == [pa.int64(), pa.string()]


def test_null_is_not_the_empty_string(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('t,l\n,\n"",5\nNULL,6\n"  ",7\n')
    (batch,) = read_all(tmp_path, "f.csv", [Field("t", "string"), Field("l", "long")])
    assert batch.data.to_pydict() == {"t": [None, "", "NULL", "  "], "l": [None, 5, 6, 7]}


# encodings -----------------------------------------------------------------------------------------------------


@requirement("CON-05")
@pytest.mark.parametrize(
    ("encoding", "option"),
    [
        ("utf-8", {}),
        ("utf-8-sig", {}),
        ("utf-16", {}),
        ("utf-16", {"encoding": "utf-16"}),
        ("utf-16-be", {"encoding": "utf-16-be"}),
        ("latin-1", {"encoding": "latin-1"}),
        ("cp1252", {"encoding": "windows-1252"}),
        ("shift_jis", {"encoding": "shift_jis"}),
    ],
)
def test_text_in_any_encoding_arrives(tmp_path: Path, encoding: str, option: dict[str, str]) -> None:
    text = "n\r\n" + ("東京\r\n" if encoding == "shift_jis" else "Grüße\r\n") * 2
    (tmp_path / "f.csv").write_bytes(text.encode(encoding))
    (batch,) = read_all(tmp_path, "f.csv", **option)
    assert batch.data.to_pydict() == {"n": text.split()[1:]}
    assert batch.positions.to_pylist() == [2, 3]


@requirement("CON-05")
@pytest.mark.parametrize(
    ("wrong", "options", "reason"),
    [(b"\xe9", {}, "utf-8"), (b"\x81", {"encoding": "cp1252"}, "cp1252"), (b"\x80", {"encoding": "ascii"}, "ascii")],
)
def test_wrong_bytes_reject_their_row_only(tmp_path: Path, wrong: bytes, options: dict[str, str], reason: str) -> None:
    (tmp_path / "f.csv").write_bytes(b'a,b\n1,x\n"2\n",' + wrong + b"\n3,y,z\n4,w\n")
    batches = read_all(tmp_path, "f.csv", [Field("a", "long")], **options)
    assert [row for batch in batches for row in batch.data.to_pylist()] == [{"a": 1, "b": "x"}, {"a": 4, "b": "w"}]
    found = rejects(batches)
    assert [(line, why) for line, _, why in found] == [(3, f"not valid {reason}"), (5, "expected 2 columns, got 3")]
    assert found[0][1].startswith('"2\n",')


@quick
@given(data=st.binary(max_size=60))
def test_any_bytes_give_rows_or_rejects_and_lose_no_line(tmp_path: Path, data: bytes) -> None:
    data = data.replace(b'"', b"").replace(b"\r", b"")
    (tmp_path / "f.csv").write_bytes(b"a,b\n" + data)
    batches = read_all(tmp_path, "f.csv")
    lines = [at for at, line in enumerate(data.split(b"\n"), 2) if line]
    places = sorted(line for batch in batches for line in batch.positions.to_pylist())
    assert sorted(places + [line for line, _, _ in rejects(batches)]) == lines


def test_latin_1_text_read_as_utf_8_names_the_line_of_every_row(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_bytes(b"a,b\n" + b"1,\xe9\n" * 50)
    with small_blocks(32):
        assert [line for line, _, _ in rejects(read_all(tmp_path, "f.csv"))] == list(range(2, 52))
