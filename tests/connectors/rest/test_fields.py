"""Fields that users of an API add become columns."""

from __future__ import annotations

from typing import Any

import pytest

from dativo_provider.errors import CredentialError
from dativo_provider.model.job import ContractSpec
from dativo_provider.model.stream import Field, Slice, WindowRequest
from tests.connectors.rest.fake import Answer, FakeApi
from tests.connectors.rest.reading import one, reader, stream_of, table
from tests.support import requirement


def custom_spec(body: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    told = {
        "request": "/properties", "records": "results", "label": "label",
        "types": {"number": "decimal(18,2)", "date": "date"}, "skip": [{"hidden": True}, {"builtin": True}],
        "under": "props", **fields,
    }  # fmt: skip
    request: dict[str, Any] = {"path": "/single", "params": {"props": "{columns}", "q": "SELECT {columns} FROM x"}}
    if body is not None:
        request = {"path": "/single", "method": "POST", "body": body}
    columns = {"id": {"type": "long", "path": "props.id"}, "name": {"path": "props.name"}, "url": "string",
               "size": {"type": "long", "path": "props.name", "form": "text_length"}}  # fmt: skip
    return one(request=request, columns=columns, fields=told, incremental=None)


def customized(api: FakeApi) -> None:
    properties = [
        {"name": "name", "type": "string", "builtin": True}, {"name": "secret", "type": "string", "hidden": True},
        {"name": "budget", "type": "number", "label": "What they may spend"}, {"name": "since", "type": "date"},
        {"name": "mood", "type": "enumeration"}, {"name": "mood", "type": "enumeration"},
    ]  # fmt: skip
    api.faults.append(lambda asked: Answer(body={"results": properties}) if asked.path == "/properties" else None)
    api.rows = [{"url": "u", "props": {"id": "1", "name": "a", "budget": "12.50", "since": "2026-03-01", "mood": "x"}}]


@requirement("CON-02", "ING-20")
def test_fields_that_users_added_become_columns_and_are_asked_for(api: FakeApi) -> None:
    customized(api)
    stream, made = stream_of("single"), reader(api, custom_spec())
    described = {each.name: (each.type, each.description) for each in made.describe(stream).fields}
    assert list(described) == ["id", "name", "url", "size", "budget", "since", "mood"]
    assert described["budget"] == ("decimal(18,2)", "What they may spend")
    assert [each.name for each in made.discover()[0].fields] == list(described)
    window = made.window(stream, WindowRequest())
    (piece,) = made.slices(stream, window, 1)
    rows = [each for batch in reader(api, custom_spec()).read(stream, piece) for each in batch.data.to_pylist()]
    assert rows == [{"id": "1", "name": "a", "url": "u", "size": 1, "budget": "12.50", "since": "2026-03-01",
                     "mood": "x"}]  # fmt: skip
    assert api.asked[-1].query == {
        "props": "id,name,budget,since,mood", "q": "SELECT id,name,budget,since,mood FROM x",
    }  # fmt: skip
    assert [each.path for each in api.asked].count("/properties") == 1, "a task reads what was planned"


def test_what_it_takes_to_see_them_is_named(api: FakeApi) -> None:
    api.faults.append(lambda asked: Answer(403, {}) if asked.path == "/properties" else None)
    spec = custom_spec()
    spec["streams"]["single"] |= {"permission": "crm.read"}
    with pytest.raises(CredentialError) as caught:
        reader(api, spec).describe(stream_of("single"))
    assert "crm.read" in caught.value.remedy


def test_a_body_names_the_columns_as_a_list(api: FakeApi) -> None:
    customized(api)
    table(reader(api, custom_spec({"properties": "{columns}", "query": "({columns})"})))
    assert api.asked[-1].body == {
        "properties": ["id", "name", "budget", "since", "mood"], "query": "(id,name,budget,since,mood)",
    }  # fmt: skip


def test_a_job_that_names_columns_asks_for_these_and_the_key(api: FakeApi) -> None:
    customized(api)
    stream = stream_of("single", columns=("name",))
    list(reader(api, custom_spec()).read(stream, Slice(0, "single")))
    assert [each.path for each in api.asked] == ["/single"]
    assert api.asked[-1].query["props"] == "name,id"
    stream = stream_of("single", columns=("name", "mood"))
    list(reader(api, custom_spec()).read(stream, Slice(0, "single")))
    assert api.asked[-1].query["props"] == "name,mood,id"


def test_a_field_that_only_the_contract_knows_is_asked_for_too(api: FakeApi) -> None:

    customized(api)
    stream = stream_of("single", contract=ContractSpec("events", fields=(Field("tier"),)))
    list(reader(api, custom_spec()).read(stream, Slice(0, "single", {"fields": {}})))
    assert api.asked[-1].query["props"] == "id,name,tier"


def test_streams_are_listed_without_fields_that_the_credentials_may_not_see(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.faults.append(lambda asked: Answer(403, {"message": "scope"}) if asked.path == "/properties" else None)
    found = reader(api, custom_spec()).discover()
    assert [each.name for each in found[0].fields] == ["id", "name", "url", "size"]
    assert "fields of your own are not listed" in caplog.text
