"""A cursor's value as somebody writes it: in the reader's form, or refused with what is expected."""

from __future__ import annotations

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.position import position
from dativo_provider.model.stream import Field
from tests.support import requirement


@requirement("STA-02", "STA-05")
@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("timestamptz", "2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00.000000+00:00"),
        ("timestamptz", "2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000+00:00"),
        ("timestamptz", "2026-03-01", "2026-03-01T00:00:00.000000+00:00"),
        ("timestamp", "2026-03-01 12:00:00.5", "2026-03-01T12:00:00.500000"),
        ("date", " 2026-03-01 ", "2026-03-01"),
        ("int", "-2147483648", "-2147483648"),
        ("long", "9223372036854775807", "9223372036854775807"),
        ("decimal(38,0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
        ("decimal(10,2)", "12.50", "12.50"),
        ("double", "1e3", "1000.0"),
        ("uuid", "6F1C5A0E-7D3B-4C1E-9A51-2F0D8B7C4E11", "6f1c5a0e-7d3b-4c1e-9a51-2f0d8b7c4e11"),
        ("string", " a b ", " a b "),
    ],
)
def test_a_value_is_kept_in_the_columns_own_form(kind: str, written: str, kept: str) -> None:
    assert dict(position(Field("c", kind), written).value) == {"column": "c", "type": kind, "value": kept}


def test_a_moment_without_zone_is_read_where_the_column_says() -> None:
    column = Field("c", "timestamptz", timezone="Europe/Berlin")
    assert position(column, "2026-07-01T12:00:00").value["value"] == "2026-07-01T10:00:00.000000+00:00"


@requirement("STA-05")
@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        ("timestamptz", "yesterday", "best with its zone"),
        ("timestamptz", "2026-02-30", "best with its zone"),
        ("timestamp", "2026-03-01T12:00:00Z", "without a zone"),
        ("date", "2026-03-01T12:00:00", "write an ISO date"),
        ("int", "2147483648", "a whole number that the column can hold"),
        ("long", "9223372036854775808", "a whole number that the column can hold"),
        ("long", "1.5", "a whole number"),
        ("long", "1_000", "a whole number"),
        ("decimal(38,0)", "1" * 39, "a whole number"),
        ("decimal(10,2)", "12.505", "as many digits as decimal(10,2)"),
        ("decimal(10,2)", "100000000", "as many digits as decimal(10,2)"),
        ("decimal(10,2)", "NaN", "as many digits as decimal(10,2)"),
        ("double", "inf", "write a number"),
        ("uuid", "17", "write a UUID"),
        ("string", "", "as the column holds it"),
    ],
)
def test_another_value_is_refused_with_what_is_expected(kind: str, written: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        position(Field("c", kind), written)
    assert f"is no value of cursor 'c', which is {kind}" in str(refused.value)
    assert expected in refused.value.remedy
