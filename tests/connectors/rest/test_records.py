"""What becomes of a record: its columns, what is no record, and fields that nobody knows."""

from __future__ import annotations

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import ContractSpec
from dativo_provider.model.stream import Field, Slice
from tests.connectors.rest.fake import FakeApi
from tests.connectors.rest.reading import add, one, reader, stream_of, table
from tests.support import requirement


def test_what_is_no_record_is_set_aside_with_its_text(api: FakeApi) -> None:
    api.rows = [{"id": 1, "updated_at": "2026-03-01T12:00:00Z"}, None, "text", [1]]  # type: ignore[list-item]
    made = reader(api)
    batches = list(made.read(stream_of("single"), Slice(0, "single")))
    rejects = [each for batch in batches for each in batch.rejects]
    assert [each.raw for each in rejects] == ["null", '"text"', "[1]"]
    assert made.result().rows == 4


@requirement("ING-20")
def test_a_value_of_another_type_makes_its_column_text_and_the_others_stay(api: FakeApi) -> None:
    add(api, 3)
    api.rows[1]["id"] = "two"
    batches = list(reader(api).read(stream_of("single"), Slice(0, "single")))
    data = batches[0].data
    assert data.column("id").to_pylist() == ["1", "two", "3"]
    assert str(data.schema.field("amount").type) == "decimal128(18, 4)"


def test_base64_becomes_text_or_bytes(api: FakeApi) -> None:
    add(api, 3)
    for each, text_ in zip(api.rows, ("aGVs\nbG8=\n", None, "/w=="), strict=True):
        each |= {"content": text_}
    columns = {"content": {"type": "string", "form": "base64"},
               "raw": {"type": "binary", "path": "content", "form": "base64"}}  # fmt: skip
    found = table(reader(api, one(columns=columns, key=[], incremental=None)))
    assert found["content"].to_pylist() == ["hello", None, None]
    assert found["raw"].to_pylist() == [b"hello", None, b"\xff"]


def test_what_is_no_base64_makes_the_column_text_and_only_its_row_is_wrong(api: FakeApi) -> None:
    add(api, 2)
    for each, text_ in zip(api.rows, ("aGVsbG8=", "not base64!"), strict=True):
        each |= {"content": text_}
    columns = {"content": {"type": "binary", "form": "base64"}}
    found = table(reader(api, one(columns=columns, key=[], incremental=None)))
    assert found["content"].to_pylist() == ["\\x68656c6c6f", "not base64!"]  # how the pipeline reads bytes as text


@requirement("ING-20")
def test_a_field_that_only_one_record_has_is_told_and_names_without_end_are_not(api: FakeApi) -> None:
    add(api, 300)
    api.rows[217]["loyalty"] = 1
    made = reader(api)
    list(made.read(stream_of("cursor"), Slice(0, "cursor")))
    assert made.result().detail["unknown_fields"] == ["loyalty"]
    for number, each in enumerate(api.rows):
        each[f"key_{number}"] = 1
    list(made.read(stream_of("cursor"), Slice(0, "cursor")))
    assert len(made.result().detail["unknown_fields"]) == 50


def test_fields_that_the_spec_does_not_know_are_told(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    add(api, 3)
    for each in api.rows:
        each["loyalty"] = 1
    made = reader(api)
    list(made.read(stream_of("single"), Slice(0, "single")))
    assert made.result().detail["unknown_fields"] == ["loyalty"]
    assert "loyalty" in caplog.text


@requirement("ING-20")
def test_fields_that_the_spec_ignores_are_not_told(api: FakeApi) -> None:
    add(api, 3)
    for each in api.rows:
        each |= {"loyalty": 1, "html_url": "x", "_links": {}, "object": "row"}
    made = reader(api, one(ignore=["*_url", "object"]) | {"ignore": ["_*"]})
    table(made)
    assert made.result().detail["unknown_fields"] == ["loyalty"]


def test_columns_that_the_job_leaves_out_are_no_news(api: FakeApi) -> None:
    add(api, 3)
    for each in api.rows:
        each["loyalty"] = 1
    made = reader(api)
    list(made.read(stream_of("single", columns=("id",)), Slice(0, "single")))
    assert made.result().detail["unknown_fields"] == ["loyalty"]


def test_a_field_that_only_the_contract_knows_is_read(api: FakeApi) -> None:

    add(api, 2)
    for each in api.rows:
        each["custom_tier"] = "gold"
    spec = stream_of("single", contract=ContractSpec("events", fields=(Field("custom_tier"),)))
    made = reader(api)
    assert [each.name for each in made.describe(spec).fields][-1] == "custom_tier"
    rows = [each for batch in made.read(spec, Slice(0, "single")) for each in batch.data.to_pylist()]
    assert {each["custom_tier"] for each in rows} == {"gold"}


def test_an_unknown_stream_is_answered_with_the_nearest(api: FakeApi) -> None:
    with pytest.raises(ConfigurationError) as caught:
        reader(api).describe(stream_of("cursr"))
    assert "cursor" in caught.value.remedy
    assert api.asked == []
