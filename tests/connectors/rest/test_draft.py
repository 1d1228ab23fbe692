"""First drafts of specs: whatever they are made from, they lint, and say what they guess."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.connectors.rest.draft import Draft, Source, as_text, draft_of
from dativo_provider.connectors.rest.draft.columns import columns_of, cursor_of, key_of
from dativo_provider.connectors.rest.draft.job import job_of
from dativo_provider.connectors.rest.draft.names import distinct
from dativo_provider.connectors.rest.draft.pages import by_shape, list_path
from dativo_provider.connectors.rest.load import api_of
from dativo_provider.connectors.rest.spec import Api
from dativo_provider.errors import ConfigurationError
from tests.cli.conftest import Command, dativo, own_logs
from tests.connectors.rest.fake import Answer, FakeApi, serving
from tests.e2e.trial import Trial
from tests.support import requirement

__all__ = ["dativo", "own_logs"]

ORDERS = [
    {"id": "o-1", "no": 17, "total": {"amount": "12.50", "currency": "EUR"}, "changed_at": "2026-03-01T12:00:00Z",
     "lines": [{"sku": "a"}], "email": "jane@example.com", "created": 1767225600, "born": "2000-01-01", "note": None},
    {"id": "o-2", "no": 1.5, "total": {"amount": "2.50", "currency": "EUR"}, "changed_at": "2026-03-01T12:00:00.5Z",
     "lines": [], "email": None, "created": 1767225601, "born": None, "note": None},
]  # fmt: skip


def drafted(data: Any, name: str = "shop", **more: Any) -> tuple[Draft, Api]:
    made = draft_of([Source("orders.json", json.dumps(data), **more)], name)
    return made, api_of(name, as_text(made))


def test_columns_have_the_types_of_their_values() -> None:
    columns, remarks = columns_of(ORDERS)
    assert columns == {
        "id": {"type": "string"},
        "no": {"type": "double"},
        "total_amount": {"type": "string", "path": "total.amount"},
        "total_currency": {"type": "string", "path": "total.currency"},
        "changed_at": {"type": "timestamptz"},
        "lines": {"type": "string", "form": "json"},
        "email": {"type": "string", "classification": "pii"},
        "created": {"type": "timestamptz", "form": "epoch"},
        "born": {"type": "date"},
        "note": {"type": "string"},
    }
    assert set(remarks) == {"created", "note"}
    assert (key_of(columns, ORDERS, "orders"), cursor_of(columns)) == (["id"], "changed_at")
    assert key_of(columns, [ORDERS[0], ORDERS[0]], "orders") == []


@pytest.mark.parametrize(
    ("answer", "records", "wanted"),
    [
        ({"data": ORDERS, "meta": {"next_cursor": "x"}}, "data",
         {"type": "cursor", "param": "cursor", "next": "meta.next_cursor"}),
        ({"orders": ORDERS, "nextPageToken": "x"}, "orders",
         {"type": "cursor", "param": "pageToken", "next": "nextPageToken"}),
        ({"results": ORDERS, "next": "https://api.example.com/orders?page=2"}, "results",
         {"type": "next_url", "next": "next"}),
        ({"value": ORDERS, "@odata.nextLink": "https://x.example.com/2"}, "value",
         {"type": "next_url", "next": "@odata.nextLink"}),
        ({"data": ORDERS, "has_more": True}, "data",
         {"type": "starting_after", "param": "starting_after", "more": "has_more"}),
        ({"items": ORDERS, "page": 1, "total": 77}, "items",
         {"type": "page", "param": "page", "size": 2, "total": "total"}),
        ({"d": {"rows": ORDERS, "offset": 0}}, "d.rows", {"type": "offset", "param": "offset", "size": 2}),
        (ORDERS, "", {"type": "single"}),
        ({"errors": [], "tags": ["a"], "things": ORDERS[:1], "orders": ORDERS}, "orders", {"type": "single"}),
    ],
)  # fmt: skip
def test_the_shape_of_an_answer_tells_where_records_are_and_how_pages_follow(
    answer: Any, records: str, wanted: dict[str, Any]
) -> None:
    assert list_path(answer) == records
    assert by_shape(answer, records)[0] == wanted


def test_a_draft_lints_and_says_what_is_a_guess() -> None:
    made, api = drafted({"data": ORDERS, "meta": {"next": "x"}})
    assert api.streams["orders"].records == "data"
    text = as_text(made)
    for word in (
        "# decide: where does the API's address begin?",
        "# guess: samples do not repeat it",
        "{lo:iso_seconds}",
    ):
        assert word in text
    assert yaml.safe_load(text) == made.spec | {"streams": {"orders": made.spec["streams"]["orders"] | {
        "columns": {name: each["type"] if each.keys() == {"type"} else each
                    for name, each in made.spec["streams"]["orders"]["columns"].items()}}}}  # fmt: skip


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=12,
))  # fmt: skip
def test_whatever_an_answer_holds_the_draft_lints(value: Any) -> None:
    record = {"id": 1, "value": value, **(value if isinstance(value, dict) else {})}
    assert drafted({"items": [record]})[1].streams


@pytest.mark.parametrize("text", ["", "<html>", "[]", "{}", "[1, 2]", "a: [b"])
def test_what_is_no_answer_with_records_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError):
        draft_of([Source("x.json", text)], "x")


REF = {"$ref": "#/components/schemas/Order"}
OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop API", "version": "2026-01"},
    "servers": [{"url": "https://{account}.example.com/v2", "variables": {"account": {"default": "demo"}}}],
    "security": [{"key": []}],
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"},
                            "other": {"type": "http", "scheme": "bearer"}},
        "parameters": {"Size": {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 250}}},
        "schemas": {
            "Base": {"type": "object", "properties": {"id": {"type": "integer", "description": "its id"}}},
            "Order": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "properties": {
                "total": {"type": ["number", "null"]}, "customer_email": {"type": "string"},
                "updated_at": {"type": "string", "format": "date-time"}, "lines": {"type": "array", "items": {}},
                "twin": REF}}]},
        },
    },
    "paths": {
        "/orders": {
            "parameters": [{"$ref": "#/components/parameters/Size"}],
            "get": {
                "operationId": "listOrders", "summary": "All orders",
                "parameters": [{"name": "cursor", "in": "query", "schema": {"type": "string"}},
                               {"name": "updated_since", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {
                    "data": {"type": "array", "items": REF},
                    "meta": {"type": "object", "properties": {"next_cursor": {"type": "string"}}}}}}}}},
            },
            "post": {},
        },
        "/orders/{orderId}/lines": {"get": {"responses": {"default": {"content": {"application/json": {"schema": {
            "type": "array", "items": REF}}}}}}},
        "/orders/{orderId}": {"get": {"responses": {"200": {"content": {"application/json": {"schema": {
            "type": "object", "properties": {"lines": {"type": "array", "items": REF}}}}}}}}},
        "/ping": {"get": {"responses": {"200": {"description": "pong"}}}},
    },
}  # fmt: skip


def of_document(document: Mapping[str, Any], *wanted: str) -> tuple[Draft, Api]:
    made = draft_of([Source("openapi.json", json.dumps(document))], "", wanted)
    return made, api_of(made.spec["api"], as_text(made))


def test_an_openapi_document_becomes_a_spec() -> None:
    made, api = of_document(OPENAPI)
    assert (api.api, api.base_url, api.version) == ("shop_api", "https://{account}.example.com/v2", "2026-01")
    assert made.spec["settings"] == {"account": {"default": "demo"}}
    assert made.spec["auth"] == {"type": "api_key", "key": "{api_key}", "header": "X-Key"}
    assert made.spec["streams"] == {
        "orders": {
            "description": "All orders",
            "request": {"path": "/orders", "params": {"updated_since": "{lo:iso_seconds}", "limit": 250}},
            "records": "data",
            "paginate": {"type": "cursor", "param": "cursor", "next": "meta.next_cursor"},
            "key": ["id"],
            "columns": {
                "id": {"type": "long", "description": "its id"},
                "total": {"type": "double"},
                "customer_email": {"type": "string", "classification": "pii"},
                "updated_at": {"type": "timestamptz"},
                "lines": {"type": "string", "form": "json"},
                "twin": {"type": "string", "form": "json"},
            },
            "incremental": {"cursor": "updated_at"},
        }
    }
    assert "`updated_since` asks for what changed since" in as_text(made)


def test_a_list_below_another_is_asked_for_by_its_parent() -> None:
    made, api = of_document(OPENAPI, "/orders", "/orders/{orderId}/lines")
    lines = api.streams["orders_lines"]
    assert lines.request.path == "/orders/{parent.order_id}/lines"
    assert lines.parent is not None
    assert (lines.parent.stream, lines.parent.values) == ("orders", {"order_id": "id"})
    made, api = of_document(OPENAPI, "/orders/{orderId}/lines")
    assert api.streams["orders_lines"].request.path == "/orders/{order_id}/lines"
    assert api.settings["order_id"].optional, "other streams can do without it"
    assert "add that list first: --object /orders" in as_text(made)


def test_lists_of_the_same_last_word_are_different_streams() -> None:
    paths = dict.fromkeys(("/v1/shop/orders", "/v1/bank/orders", "/v2/bank/orders"), OPENAPI["paths"]["/orders"])
    _, api = of_document(OPENAPI | {"paths": paths})
    assert {name: each.request.path for name, each in api.streams.items()} == {
        "orders": "/v1/shop/orders", "bank_orders": "/v1/bank/orders", "bank_orders_2": "/v2/bank/orders",
    }  # fmt: skip


def test_version_two_has_its_own_words() -> None:
    item = {"type": "object", "properties": {"uuid": {"type": "string"}}}
    document = {
        "swagger": "2.0", "info": {"title": "Old"}, "host": "api.example.com", "basePath": "/v1", "schemes": ["https"],
        "securityDefinitions": {"o": {"type": "oauth2", "flow": "application", "tokenUrl": "https://a.example.com/t"}},
        "paths": {"/things": {"get": {
            "parameters": [{"name": "page", "in": "query", "type": "integer"},
                           {"name": "per_page", "in": "query", "type": "integer", "maximum": 50}],
            "responses": {"200": {"schema": {"type": "array", "items": item}}}}}},
    }  # fmt: skip
    _, api = of_document(document)
    assert api.base_url == "https://api.example.com/v1"
    assert api.auth[0].type == "oauth2_client_credentials"
    paginate = api.streams["things"].paginate
    assert paginate is not None
    assert paginate.model_dump(include={"type", "param", "size", "size_param"}) == {
        "type": "page", "param": "page", "size": 50, "size_param": "per_page",
    }  # fmt: skip


def test_an_operation_that_is_not_there_is_told() -> None:
    with pytest.raises(ConfigurationError, match="no list is at '/ping'"):
        of_document(OPENAPI, "/ping")
    with pytest.raises(ConfigurationError, match="no operation of the document"):
        of_document({"openapi": "3.0.0", "paths": {}})


@pytest.fixture
def api() -> Iterator[FakeApi]:
    found = FakeApi(page=5)
    found.rows += [{"id": each, "name": f"n{each}", "updated_at": "2026-03-01T00:00:00Z"} for each in range(1, 13)]
    with serving(found):
        yield found


@requirement("DOC-01")
def test_from_an_address_to_a_table(
    api: FakeApi, tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Trial(tmp_path, dativo, monkeypatch, [api.token])
    header = f"Authorization: Bearer {api.token}"
    url = f"{api.url}/cursor?cursor=0&api_key={api.token}"
    answer = dativo("connector", "new", url, "--header", header, "--name", "shop", "--folder", trial.tenant)
    assert answer.code == 0, answer.err
    path = trial.tenant / "connectors" / "shop.yaml"
    assert api.token not in path.read_text() + answer.out
    monkeypatch.setenv("DATIVO_SECRET__ACME__SHOP", api.token)
    job = trial.tenant / "jobs" / "shop.yaml"
    assert "export DATIVO_SECRET__ACME__SHOP=…" in answer.out
    assert yaml.safe_load(job.read_text()) == {
        "tenant_id": "acme", "source_connector": "shop", "target": {"write_mode": "merge"},
        "source": {"objects": ["cursor"], "connection": {"api_key": "${SECRET:shop}"},
                   "incremental": {"strategy": "updated_at", "lookback_hours": 1}},
    }  # fmt: skip
    assert dativo("validate", trial.tenant).code == 0
    assert dativo("connector", "test", job).code == 0
    trial.succeeds(job)
    assert trial.ids("acme.cursor") == list(range(1, 13))
    assert "there is a spec of that name" in dativo("connector", "new", url, "--header", header, "--name", "shop",
                                                    "--folder", trial.tenant).err  # fmt: skip


def test_a_list_that_fits_on_one_page_follows_the_others() -> None:
    answers = [{"data": ORDERS, "next": "https://api.example.com/x?page=2"}, {"data": ORDERS, "next": None}]
    sources = [Source(f"{name}.json", json.dumps(each)) for name, each in zip(("a", "b"), answers, strict=True)]
    made = draft_of(sources, "shop")
    assert [each["paginate"] for each in made.spec["streams"].values()] == [{"type": "next_url", "next": "next"}] * 2
    assert "# guess: as the other lists" in as_text(made)


def test_rows_without_names_are_no_records() -> None:
    with pytest.raises(ConfigurationError, match="rows of 'rows' are lists without names"):
        drafted({"rows": [[1, 2], [3, 4]], "facets": [{"name": "x"}]})


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("Authorization: Bearer s3cr3t-value", {"type": "bearer", "token": "{api_key}"}),
        ("Authorization: Token s3cr3t-value", {"type": "bearer", "token": "{api_key}", "scheme": "Token"}),
        ("Authorization: Basic s3cr3t-value", {"type": "basic"}),
        ("X-Api-Key: s3cr3t-value", {"type": "api_key", "key": "{api_key}", "header": "X-Api-Key"}),
        ("Shop-Version: 2026-01", {"type": "none"}),
    ],
)
def test_the_login_of_a_draft_is_that_of_the_request(
    header: str, wanted: dict[str, str], dativo: Command, tmp_path: Path
) -> None:
    open_api = FakeApi()
    open_api.faults.append(lambda _: Answer(body=[{"id": 1}]))
    with serving(open_api):
        assert dativo("connector", "new", f"{open_api.url}/things", "--header", header, "--name", "x").code == 0
    text = (tmp_path / "connectors" / "x.yaml").read_text()
    assert yaml.safe_load(text)["auth"] == wanted
    assert "s3cr3t" not in text
    assert yaml.safe_load(text).get("headers") == ({"Shop-Version": "2026-01"} if "Version" in header else None)


def test_a_post_is_asked_again_as_it_was_asked(tmp_path: Path, dativo: Command) -> None:
    found = FakeApi()
    found.faults.append(lambda _: Answer(body={"runs": ORDERS, "next_page_token": "x"}))
    with serving(found):
        url, data = f"{found.url}/api/2.0/runs/search", '{"ids": ["1"], "page_token": "", "password": "s3cr3t"}'
        assert dativo("connector", "new", url, "--data", data, "--name", "x").code == 0
        assert "write --data '{" in dativo("connector", "new", url, "--data", "{ids}", "--name", "y").err
    assert (found.asked[0].method, found.asked[0].body["ids"]) == ("POST", ["1"])
    text = (tmp_path / "connectors" / "x.yaml").read_text()
    stream = yaml.safe_load(text)["streams"]["runs"]
    assert stream["request"] == {"path": "/api/2.0/runs/search", "method": "POST", "body": {"ids": ["1"]}}
    assert stream["paginate"] == {"type": "cursor", "body": "page_token", "next": "next_page_token"}
    assert "s3cr3t" not in text


def test_pages_that_a_header_tells_are_followed_by_it(tmp_path: Path, dativo: Command) -> None:
    found = FakeApi()
    found.faults.append(lambda each: Answer(body=[{"id": 1}], headers={"Next-Page": f"{found.url}/x?p=2"}))
    with serving(found):
        assert dativo("connector", "new", f"{found.url}/x", "--name", "x").code == 0
    paginate = yaml.safe_load((tmp_path / "connectors" / "x.yaml").read_text())["streams"]["x"]["paginate"]
    assert paginate == {"type": "next_url", "header": "Next-Page"}


def test_a_job_that_is_there_stays_as_it_is(tmp_path: Path, dativo: Command) -> None:
    (tmp_path / "orders.json").write_text(json.dumps(ORDERS))
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "shop.yaml").write_text("mine: 1")
    answer = dativo("connector", "new", "orders.json", "--name", "shop")
    assert answer.code == 0
    assert "stays as it is" in answer.out
    assert (tmp_path / "jobs" / "shop.yaml").read_text() == "mine: 1"


@pytest.mark.parametrize(
    ("addresses", "names"),
    [
        (["/v1/shop/collections/orders/records", "/v1/shop/collections/people/records"], ["orders", "people"]),
        (["/api/2.0/experiments/search"], ["experiments"]),
        (["/a/orders", "/b/orders", "/b/orders"], ["orders", "b_orders", "orders_2"]),
        (["/search", "/v2"], ["search", "v2"]),
        (["orders"], ["orders"]),
    ],
)
def test_lists_at_other_addresses_are_other_streams(addresses: list[str], names: list[str]) -> None:
    assert distinct(addresses) == names


def test_what_wraps_a_record_is_taken_off() -> None:
    records = [
        {"info": {"run_id": "a", "end": 1}, "tags": {"x": 1}},
        {"info": {"run_id": "b"}, "tags": {"y": 1, "z": 2}},
    ]
    columns, _ = columns_of(records)
    assert list(columns) == ["info_run_id", "info_end", "tags"]
    assert key_of(columns, records, "runs") == ["info_run_id"]


def test_a_job_names_a_secret_for_each_credential() -> None:
    _, api = drafted({"data": ORDERS}, auth={"type": "oauth2_client_credentials", "token_url": "https://x.example.com"})
    job = yaml.safe_load(job_of(api, "acme"))
    assert job["source"]["connection"] == {"client_id": "your-client-id", "client_secret": "${SECRET:shop}"}
    keyless = drafted([{"a": 1}])[1]
    assert yaml.safe_load(job_of(keyless, "acme"))["target"] == {"write_mode": "replace"}


def test_a_refused_request_says_what_is_missing(api: FakeApi, dativo: Command) -> None:
    answer = dativo("connector", "new", f"{api.url}/cursor?token={api.token}")
    assert answer.code == 2
    assert "status 401" in answer.err
    assert "--header" in answer.err
    assert api.token not in answer.err


def test_the_lists_of_a_document_can_be_listed(tmp_path: Path, dativo: Command) -> None:
    (tmp_path / "openapi.json").write_text(json.dumps(OPENAPI))
    answer = dativo("connector", "new", "openapi.json", "--list")
    assert answer.out.splitlines() == ["/orders  (stream orders)", "/orders/{orderId}/lines  (stream orders_lines)"]
