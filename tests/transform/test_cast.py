"""Casts are lossless or say so, for every pair of types and for any text."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dativo_provider.errors import ConfigurationError, DataError
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.transform.cast import Caster, convert, missing_columns
from tests.support import requirement

UTC = dt.UTC


def held(value: Any, name: str, kind: pa.DataType | None = None, timezone: str = "UTC") -> Any:
    """The value in its new type, or `...` when it cannot be held."""
    converted, failed = convert(pa.array([value, None], kind or pa.string()), name, timezone)
    converted.validate(full=True)
    assert converted.type == to_arrow(name)
    assert converted[1].as_py() is None
    assert failed is None or failed[1].as_py() is False
    if failed is not None and failed[0].as_py():
        assert converted[0].as_py() is None
        return ...
    return converted[0].as_py()


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("1", "long", 1),
        (" -7 ", "long", -7),
        ("+7", "long", 7),
        ("12.0", "long", 12),
        ("12.5", "long", ...),
        ("1e3", "long", ...),
        ("0x1F", "long", ...),
        ("", "long", ...),
        ("9223372036854775807", "long", 9223372036854775807),
        ("9223372036854775808", "long", ...),
        ("2147483648", "int", ...),
        ("1.5", "double", 1.5),
        ("-0", "double", -0.0),
        ("1e308", "double", 1e308),
        ("1e400", "double", ...),
        ("-inf", "double", -math.inf),
        ("1,5", "double", ...),
        ("0.1", "float", 0.10000000149011612),
        ("1.25", "decimal(6,2)", Decimal("1.25")),
        ("1.250", "decimal(6,2)", Decimal("1.25")),
        ("1.255", "decimal(6,2)", ...),
        ("1e2", "decimal(6,2)", Decimal("100.00")),
        ("10000", "decimal(6,2)", ...),
        ("-9999.99", "decimal(6,2)", Decimal("-9999.99")),
        ("1e-40", "decimal(6,2)", ...),
        ("9" * 60, "decimal(38,0)", ...),
        ("9" * 60, "long", ...),
        ("0" * 60 + "7", "long", 7),
        ("NaN", "decimal(6,2)", ...),
        ("true", "boolean", True),
        ("T", "boolean", True),
        ("YES", "boolean", True),
        ("on", "boolean", True),
        ("1", "boolean", True),
        ("f", "boolean", False),
        ("Off", "boolean", False),
        ("0", "boolean", False),
        ("2", "boolean", ...),
        ("", "boolean", ...),
        ("2024-02-29", "date", dt.date(2024, 2, 29)),
        ("2023-02-29", "date", ...),
        ("2024-02-29T00:00:00", "date", dt.date(2024, 2, 29)),
        ("2024-02-29 01:00:00", "date", ...),
        ("29/02/2024", "date", ...),
        ("0000-01-01", "date", ...),
        ("10:30", "time", dt.time(10, 30)),
        ("10:30:01.123456000", "time", dt.time(10, 30, 1, 123456)),
        ("10:30:01.1234567", "time", ...),
        ("24:00:00", "time", ...),
        ("10:30Z", "time", ...),
        ("\\x00fF", "binary", b"\x00\xff"),
        ("\\x0", "binary", ...),
        ("00ff", "binary", ...),
        ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("{a0eebc999c0b4ef8bb6d6bb9bd380a11}", "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("a0eebc99", "uuid", ...),
        ("", "string", ""),
        (" x ", "string", " x "),
    ],
)
@requirement("CFG-08", "DQ-03", "REG-10")
def test_text_becomes_exactly_the_value_it_spells_or_fails(text: str, name: str, wanted: Any) -> None:
    assert held(text, name) == wanted
    assert str(held(text, name)) == str(wanted)  # -0.0, scales


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31T10:00:00",
        "2024-01-31 10:00:00",
        "2024-01-31T10:00",
        "2024-01-31 10",
        "2024-01-31T10:00:00.0",
        "2024-01-31 10:00:00.000000000",
        " 2024-01-31 10:00:00 ",
    ],
)
def test_every_iso_form_of_wall_time_is_understood(text: str) -> None:
    assert held(text, "timestamp") == dt.datetime(2024, 1, 31, 10)
    assert held(text, "timestamptz") == dt.datetime(2024, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31T10:00:00Z",
        "2024-01-31T10:00:00.000z",
        "2024-01-31 10:00:00 UTC",
        "2024-01-31 12:00:00+02",
        "2024-01-31 12:00:00+0200",
        "2024-01-31T12:00:00 +02:00",
        "2024-01-31T04:30:00.000000000-05:30",
    ],
)
@requirement("REG-09")
def test_a_zone_counts_in_timestamptz_and_is_never_dropped_in_timestamp(text: str) -> None:
    assert held(text, "timestamptz", timezone="Asia/Tokyo") == dt.datetime(2024, 1, 31, 10, tzinfo=UTC)
    assert held(text, "timestamp") is ...


@pytest.mark.parametrize(
    "text",
    ["01/31/2024 10:00", "31.01.2024 10:00", "2024-13-01 10:00", "2024-01-31 10:00:00.1234567", "10:00", "", "now"],
)
def test_what_would_have_to_be_guessed_fails(text: str) -> None:
    assert held(text, "timestamp") is ...
    assert held(text, "timestamptz") is ...


@requirement("REG-09")
def test_wall_time_is_read_in_the_columns_zone_also_where_clocks_change() -> None:
    berlin = {"name": "timestamptz", "timezone": "Europe/Berlin"}
    assert held("2024-07-01 12:00", **berlin) == dt.datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert held("2024-10-27 02:30", **berlin) == dt.datetime(2024, 10, 27, 0, 30, tzinfo=UTC)  # the earlier of two
    assert held("2024-03-31 02:30", **berlin) is ...  # never was
    typed = held(dt.datetime(2024, 7, 1, 12), kind=pa.timestamp("ns"), **berlin)
    assert typed == dt.datetime(2024, 7, 1, 10, tzinfo=UTC)
    assert held(dt.datetime(2024, 3, 31, 2, 30), kind=pa.timestamp("ms"), **berlin) is ...
    assert held(dt.date(2024, 7, 1), kind=pa.date32(), **berlin) == dt.datetime(2024, 6, 30, 22, tzinfo=UTC)


def test_zoned_and_naive_texts_may_stand_in_one_column() -> None:
    texts = ["2024-07-01 12:00", "2024-07-01T12:00Z", None, "soon"]
    converted, failed = convert(pa.array(texts), "timestamptz", "Europe/Berlin")
    assert [v and v.hour for v in converted.to_pylist()] == [10, 12, None, None]
    assert failed.to_pylist() == [False, False, False, True]


def test_an_unknown_time_zone_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="Mars/Olympus"):
        Caster([Field("at", "timestamptz", timezone="Mars/Olympus")])


@pytest.mark.parametrize(
    ("value", "kind", "name", "wanted"),
    [
        (1.0, pa.float64(), "long", 1),
        (1.5, pa.float64(), "long", ...),
        (math.nan, pa.float64(), "long", ...),
        (-0.0, pa.float64(), "long", 0),
        (2**53 + 1, pa.int64(), "double", ...),
        (2**40, pa.int64(), "int", ...),
        (2.0**63, pa.float64(), "long", ...),
        (-(2.0**63), pa.float64(), "long", -(2**63)),
        (2147483648.0, pa.float32(), "int", ...),
        (2**63, pa.uint64(), "int", ...),
        (255, pa.uint8(), "int", 255),
        (Decimal("1180591620717411303424"), pa.decimal128(38, 0), "double", 2.0**70),
        (Decimal("16777217"), pa.decimal128(9, 0), "float", ...),
        (Decimal("-100.00"), pa.decimal128(9, 2), "decimal(4,2)", ...),
        (Decimal("-99.99"), pa.decimal128(9, 2), "decimal(4,2)", Decimal("-99.99")),
        (2**63 - 1, pa.int64(), "decimal(38,19)", Decimal("9223372036854775807")),
        (2**63 - 1, pa.int64(), "decimal(38,20)", ...),
        (2**64 - 1, pa.uint64(), "long", ...),
        (2**64 - 1, pa.uint64(), "decimal(20,0)", Decimal(2**64 - 1)),
        (7, pa.int64(), "decimal(3,2)", Decimal("7.00")),
        (70, pa.int64(), "decimal(3,2)", ...),
        (0.1, pa.float64(), "decimal(20,18)", Decimal("0.1")),
        (1.255, pa.float64(), "decimal(6,2)", ...),
        (0.5, pa.float64(), "float", 0.5),
        (0.1, pa.float64(), "float", ...),
        (Decimal("0.1"), pa.decimal128(38, 10), "double", 0.1),
        (Decimal("1234567890123456789.01"), pa.decimal128(38, 2), "double", ...),
        (Decimal("1.255"), pa.decimal128(9, 3), "decimal(6,2)", ...),
        (Decimal("1.250"), pa.decimal128(9, 3), "decimal(6,2)", Decimal("1.25")),
        (Decimal("1.0"), pa.decimal128(9, 3), "int", 1),
        (Decimal("1.5"), pa.decimal128(9, 3), "int", ...),
        (True, pa.bool_(), "long", 1),
        (True, pa.bool_(), "double", ...),
        (1, pa.int64(), "boolean", True),
        (2, pa.int64(), "boolean", ...),
        (1.0, pa.float64(), "boolean", ...),
        (dt.datetime(2024, 1, 1), pa.timestamp("us"), "date", dt.date(2024, 1, 1)),
        (dt.datetime(2024, 1, 1, 1), pa.timestamp("us"), "date", ...),
        (dt.datetime(2024, 1, 1), pa.timestamp("us", "UTC"), "date", ...),
        (dt.datetime(2024, 1, 1), pa.timestamp("us", "UTC"), "timestamp", ...),
        (dt.date(2024, 1, 1), pa.date32(), "timestamp", dt.datetime(2024, 1, 1)),
        (dt.datetime(2024, 1, 1), pa.timestamp("s", "Asia/Tokyo"), "timestamptz", dt.datetime(2024, 1, 1, tzinfo=UTC)),
        (1700000000, pa.int64(), "timestamp", ...),
        (1700000000, pa.int64(), "timestamptz", ...),
        (1, pa.int64(), "date", ...),
        (1, pa.int64(), "time", ...),
        (1, pa.int64(), "uuid", ...),
        (1, pa.int64(), "binary", ...),
        (1, pa.int64(), "list<long>", ...),
        (dt.date(2024, 1, 1), pa.date32(), "long", ...),
        (dt.date(2024, 1, 1), pa.date32(), "double", ...),
        (dt.date(2024, 1, 1), pa.date32(), "decimal(9,2)", ...),
        (dt.time(1, 2, 3), pa.time32("s"), "time", dt.time(1, 2, 3)),
        (b"\xff", pa.binary(), "string", ...),
        (b"a", pa.binary(), "string", "a"),
        (bytes(16), pa.binary(16), "uuid", "00000000-0000-0000-0000-000000000000"),
        (bytes(3), pa.large_binary(), "binary", bytes(3)),
        (5, pa.int8(), "string", "5"),
        ("a", pa.dictionary(pa.int8(), pa.string()), "string", "a"),
        ("1", pa.large_string(), "long", 1),
        ("1", pa.string_view(), "long", 1),
        (b"a", pa.binary_view(), "binary", b"a"),
        (None, pa.null(), "long", None),
    ],
)
@requirement("CFG-08", "REG-10")
def test_typed_values_are_converted_only_when_nothing_is_lost(
    value: Any, kind: pa.DataType, name: str, wanted: Any
) -> None:
    assert held(value, name, kind) == wanted


def test_a_typed_nanosecond_is_not_cut_off() -> None:
    values = pa.array([1, 1000], pa.int64()).cast(pa.timestamp("ns"))
    converted, failed = convert(values, "timestamp")
    assert failed.to_pylist() == [True, False]
    assert converted[1].as_py() == dt.datetime(1970, 1, 1, 0, 0, 0, 1)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-999999999999, max_value=999999999999, places=3))
def test_a_decimal_of_fifteen_digits_is_the_nearest_double(value: Decimal) -> None:
    assert held(value, "double", pa.decimal128(15, 3)) == float(value)


WIDE = Context(prec=600)
DIGITS = st.text("0123456789", max_size=45)


def fitting(number: Decimal, precision: int, scale: int) -> Decimal | None:
    """The number as decimal(precision, scale) holds it exactly, by Python's arithmetic."""
    if number and not -200 < number.adjusted() < 200:
        return None
    made = number.quantize(Decimal(1).scaleb(-scale), context=WIDE)
    return made if made == number and abs(made) < Decimal(10) ** (precision - scale) else None


@st.composite
def decimal_types(draw: st.DrawFn) -> tuple[int, int]:
    precision = draw(st.sampled_from([38, 38, 20, 9, 1]))
    return precision, draw(st.integers(0, precision))


@settings(max_examples=300, deadline=None)
@given(
    st.tuples(st.sampled_from(["", "-", "+"]), DIGITS, DIGITS, st.none() | st.integers(-60, 60)),
    decimal_types(),
)
@requirement("REG-10", "CFG-08")
def test_text_becomes_the_same_decimal_as_in_exact_arithmetic(
    parts: tuple[str, str, str, int | None], kind: tuple[int, int]
) -> None:
    sign, whole, fraction, exponent = parts
    text = f"{sign}{whole}.{fraction}" + ("" if exponent is None else f"e{exponent}")
    wanted = fitting(Decimal(text), *kind) if whole or fraction else None
    assert held(text, f"decimal({kind[0]},{kind[1]})") == (... if wanted is None else wanted)


@settings(max_examples=300, deadline=None)
@given(decimal_types(), decimal_types(), st.integers(-(10**38) + 1, 10**38 - 1), st.booleans())
@requirement("REG-10", "CFG-08")
def test_a_decimal_is_rescaled_as_in_exact_arithmetic(
    before: tuple[int, int], after: tuple[int, int], digits: int, wide: bool
) -> None:
    number = Decimal(int(math.fmod(digits, 10 ** before[0]))).scaleb(-before[1], WIDE)
    source = pa.decimal256(before[0] + 30, before[1]) if wide else pa.decimal128(*before)
    wanted = fitting(number, *after)
    assert held(number, f"decimal({after[0]},{after[1]})", source) == (... if wanted is None else wanted)


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("[1, 2, null]", "list<long>", [1, 2, None]),
        ("[1.0]", "list<long>", [1]),
        ("[1.5]", "list<long>", ...),
        ("{}", "list<long>", ...),
        ("[", "list<long>", ...),
        ("null", "list<long>", ...),
        ('{"a": 1.50, "b": [true, null]}', "map<string,string>", [("a", "1.50"), ("b", "[true,null]")]),
        ('{"c": null}', "map<string,string>", [("c", None)]),
        ('{"1": "2024-01-31"}', "map<long,date>", [(1, dt.date(2024, 1, 31))]),
        ('{"x": "2024-01-31"}', "map<long,date>", ...),
        ("[]", "map<string,string>", ...),
        ('{"a": 1, "b": {"c": true}, "z": 9}', "struct<a:long,b:struct<c:boolean>>", {"a": 1, "b": {"c": True}}),
        ("{}", "struct<a:long>", {"a": None}),
        ('{"a": "x"}', "struct<a:long>", ...),
        ('{"a": 12345678901234567890.123}', "struct<a:decimal(23,3)>", {"a": Decimal("12345678901234567890.123")}),
        ('{"a": "\\ud800"}', "map<string,string>", ...),
        ("[" * 100_000, "list<string>", ...),
        ("[NaN]", "list<double>", ...),
    ],
)  # fmt: skip
def test_json_text_becomes_nested_values_by_the_same_rules(text: str, name: str, wanted: Any) -> None:
    got = held(text, name)
    if text == "[NaN]":
        assert math.isnan(got[0])
    else:
        assert got == wanted


def test_arrow_lists_maps_and_structs_are_cast_leaf_by_leaf_and_fail_as_a_whole() -> None:
    lists = pa.array([[1.0], [2.0, 3.0], None, [4.5, 1.0], [], [5.0]], pa.list_(pa.float64()))[1:5]
    data, failed = convert(lists, "list<int>")
    assert (data.to_pylist(), failed.to_pylist()) == ([[2, 3], None, None, []], [False, False, True, False])
    maps = pa.array(
        [[("0", "a")], [("2", "1")], None, [("x", "1")], [("3", "y")], [("4", "4")]], pa.map_(pa.string(), pa.string())
    )
    data, failed = convert(maps[1:], "map<int,long>")
    assert data.to_pylist() == [[(2, 1)], None, None, None, [(4, 4)]]
    assert failed.to_pylist() == [False, False, True, True, False]
    structs = pa.array(
        [{"a": 1, "b": "x"}, None, {"a": 2**40, "b": "y"}], pa.struct({"a": pa.int64(), "b": pa.string()})
    )
    data, failed = convert(structs, "struct<b:string,a:int,c:date>")
    assert data.to_pylist() == [{"b": "x", "a": 1, "c": None}, None, None]
    assert failed.to_pylist() == [False, False, True]
    assert convert(structs, "map<string,string>")[0].to_pylist()[0] == [("a", "1"), ("b", "x")]
    fixed = pa.array([[1, 2]], pa.list_(pa.int64(), 2))
    assert convert(fixed, "list<long>")[0].to_pylist() == [[1, 2]]


def test_nested_values_become_json_text() -> None:
    kind = pa.struct({"d": pa.decimal128(20, 2), "b": pa.binary(), "t": pa.timestamp("us")})
    row = {"d": Decimal("123456789012345678.90"), "b": b"\x01", "t": dt.datetime(2024, 1, 1)}
    assert held(row, "string", kind) == '{"d":"123456789012345678.90","b":"\\\\x01","t":"2024-01-01 00:00:00"}'


SAMPLES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32),
    "double": st.floats(),
    "decimal(38,10)": st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**27), max_value=10**27, places=10
    ),
    "date": st.dates(),
    "time": st.times(),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(timezones=st.just(UTC)),
    "string": st.text(st.characters(codec="utf-8")),
    "uuid": st.uuids().map(str),
    "list<long>": st.lists(st.integers(-(2**63), 2**63 - 1) | st.none()),
    "struct<a:decimal(20,4),b:list<string>>": st.fixed_dictionaries(
        {
            "a": st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4),
            "b": st.lists(st.text(st.characters(codec="utf-8"))),
        }
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
@requirement("REG-09", "REG-10")
def test_a_values_own_text_casts_back_to_it(name: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(SAMPLES[name] | st.none(), min_size=1, max_size=20))
    def round_trip(values: list[Any]) -> None:
        array = pa.array(values, to_arrow(name))
        text, unwritten = convert(array, "string")
        back, failed = convert(text, name)
        assert unwritten is None
        assert failed is None or not any(failed.to_pylist())
        assert [str(v) for v in back.to_pylist()] == [str(v) for v in array.to_pylist()]  # NaN, -0.0

    round_trip()


NAMES = [*SAMPLES, "binary", "decimal(5,2)", "map<string,long>", "list<list<date>>"]
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text('0123456789+-.eExX:TZ /[]{}",naif ', max_size=30),
    st.from_regex(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{0,9})?)?(Z|[+-]\d{2}:?\d{2})?", fullmatch=True),
)


@pytest.mark.parametrize("name", NAMES)
def test_no_text_ever_raises_and_a_column_is_judged_as_its_values_are_one_by_one(name: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.lists(TEXTS.filter(lambda t: t.encode(errors="ignore").decode() == t) | st.none(), max_size=12))
    def cast_any(texts: list[str | None]) -> None:
        converted, failed = convert(pa.array(texts, pa.string()), name, "Europe/Berlin")
        converted.validate(full=True)
        marks = failed.to_pylist() if failed is not None else [False] * len(texts)
        values = converted.to_pylist()
        for text, value, mark in zip(texts, values, marks, strict=True):
            assert str(value if not mark else ...) == str(held(text, name, timezone="Europe/Berlin"))
            assert mark or (value is None) == (text is None)

    cast_any()


@requirement("DQ-03", "CFG-08")
def test_columns_are_matched_by_name_then_without_case_and_extra_ones_are_dropped() -> None:
    caster = Caster([Field("Id", "long"), Field("name"), Field("note"), Field("b", "long")])
    batch = pa.record_batch({"ID": ["1", "x"], "Name": ["a", "b"], "more": [1, 2], "b": ["3", "4"], "B": ["5", "6"]})
    cast = caster.cast(batch)
    assert cast.data.to_pydict() == {"Id": [1, None], "name": ["a", "b"], "note": [None, None], "b": [3, 4]}
    assert {name: mask.to_pylist() for name, mask in cast.failures.items()} == {"Id": [False, True]}
    assert caster.cast(batch.slice(1)).data.num_rows == 1
    assert cast.data.schema == caster.schema


def test_an_ambiguous_name_matches_nothing_and_a_doubled_one_is_an_error() -> None:
    schema = pa.schema([("ID", pa.int64()), ("iD", pa.int64()), ("x", pa.int64())])
    required = Field("id", "long", required=True)
    assert missing_columns([required, Field("x")], schema) == (required,)
    doubled = pa.RecordBatch.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"])
    with pytest.raises(DataError, match="2 columns named 'id'"):
        Caster([required]).cast(doubled)


def test_no_fields_make_no_columns() -> None:
    assert Caster([]).cast(pa.record_batch({"a": [1]})).data.num_columns == 0


def test_a_million_equal_failures_are_found_by_looking_at_one() -> None:
    texts = pa.array(["1", "2", "much"]).take(pa.array([0, 1, 2] * 100_000))
    converted, failed = convert(texts, "int")
    assert failed.true_count == 100_000 == converted.null_count
