"""Declarative manifests: what they come to as specs, what has no counterpart, and that records arrive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dativo_provider.config import InvalidConfig
from dativo_provider.config.yamlpos import read
from dativo_provider.connectors.airbyte.manifest import translated, translation
from dativo_provider.connectors.rest.load import load_api
from dativo_provider.errors import ConfigurationError
from tests.cli.conftest import Command, dativo, own_logs
from tests.connectors.rest.fake import FakeApi, serving
from tests.e2e.trial import Trial
from tests.support import requirement

__all__ = ["dativo", "own_logs"]

SCHEMA = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": ["null", "string"], "description": "what it is called"},
        "amount": {"type": ["null", "number"]},
        "updated_at": {"type": "string", "format": "date-time"},
        "tags": {"type": "array"},
    },
}
CURSOR = {"type": "CursorPagination", "cursor_value": "{{ response.meta.next }}",
          "stop_condition": "{{ not response.get('meta', {}).get('has_more', False) }}"}  # fmt: skip


def option(into: str, name: str) -> dict[str, str]:
    return {"type": "RequestOption", "inject_into": into, "field_name": name}


def a_stream(name: str = "items", **more: Any) -> dict[str, Any]:
    retriever = {
        "type": "SimpleRetriever",
        "requester": {"$ref": "#/definitions/requester", "path": "/{{ parameters['where'] }}"},
        "record_selector": {"extractor": {"type": "DpathExtractor", "field_path": ["items"]}},
        "paginator": {
            "type": "DefaultPaginator",
            "pagination_strategy": CURSOR,
            "page_token_option": option("request_parameter", "cursor"),
        },
        **more.pop("retriever", {}),
    }
    return {
        "type": "DeclarativeStream", "name": name, "primary_key": ["id"], "retriever": retriever,
        "schema_loader": {"type": "InlineSchemaLoader", "schema": SCHEMA}, "$parameters": {"where": "cursor"}, **more,
    }  # fmt: skip


def manifest(*streams: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "6.1.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "definitions": {
            "requester": {
                "type": "HttpRequester",
                "url_base": "https://{{ config['site'] }}.example.com/v1/",
                "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['auth']['api_key'] }}"},
            }
        },
        "streams": list(streams),
        "spec": {
            "connection_specification": {
                "required": ["site", "auth"],
                "properties": {
                    "site": {"type": "string", "description": "before the dot", "default": "shop"},
                    "auth": {"type": "object", "required": ["api_key"],
                             "properties": {"api_key": {"type": "string", "airbyte_secret": True}}},
                },
            }
        },
    }  # fmt: skip


DATES = {
    "type": "DatetimeBasedCursor", "cursor_field": "updated_at", "datetime_format": "%Y-%m-%dT%H:%M:%S.%fZ",
    "start_datetime": "2020-01-01", "start_time_option": option("request_parameter", "since"),
    "end_time_option": option("request_parameter", "until"),
}  # fmt: skip


def test_a_manifest_becomes_a_spec() -> None:
    found = translated(manifest(a_stream(incremental_sync=DATES)), "shop")
    assert found.unmapped == ()
    assert found.spec == {
        "api": "shop",
        "base_url": "https://{site}.example.com/v1",
        "settings": {"site": {"description": "before the dot", "default": "shop"}, "api_key": {"secret": True}},
        "auth": [{"type": "bearer", "token": "{api_key}"}],
        "streams": {
            "items": {
                "request": {"path": "/cursor", "params": {"since": "{lo:iso}", "until": "{hi:iso}"}},
                "records": "items",
                "paginate": {"type": "cursor", "param": "cursor", "next": "meta.next", "more": "meta.has_more"},
                "columns": {
                    "id": "long",
                    "name": {"type": "string", "description": "what it is called"},
                    "amount": "double",
                    "updated_at": {"type": "timestamptz"},
                    "tags": {"type": "string", "form": "json"},
                },
                "key": ["id"],
                "incremental": {"cursor": "updated_at", "precision": "microsecond", "bounded": True},
            }
        },
    }


def paginator(strategy: dict[str, Any], token: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    token = token or option("request_parameter", "after")
    return {"type": "DefaultPaginator", "pagination_strategy": strategy, "page_token_option": token, **more}


PATH = {"type": "RequestPath"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"type": "NoPagination"}, {"type": "single"}),
        (paginator({"type": "OffsetIncrement", "page_size": 50},
                   page_size_option=option("request_parameter", "limit")),
         {"type": "offset", "param": "after", "size": 50, "size_param": "limit", "short_page": "ends"}),
        (paginator({"type": "PageIncrement", "page_size": 10, "start_from_page": 1}),
         {"type": "page", "param": "after", "size": 10, "first": 1, "short_page": "ends"}),
        (paginator({"type": "CursorPagination", "cursor_value": "{{ response['next'] }}"}, PATH),
         {"type": "next_url", "next": "next"}),
        (paginator({"type": "CursorPagination", "cursor_value": "{{ headers['link']['next']['url'] }}"}, PATH),
         {"type": "link_header"}),
        (paginator({"type": "CursorPagination", "cursor_value": "{{ last_record['id'] }}",
                    "stop_condition": "{{ not response['has_more'] }}"}),
         {"type": "starting_after", "param": "after", "field": "id", "more": "has_more"}),
        (paginator({"type": "CursorPagination", "cursor_value": "{{ last_record['id'] }}", "page_size": 50},
                   page_size_option=option("request_parameter", "limit")),
         {"type": "starting_after", "param": "after", "field": "id", "size": 50}),
        (paginator({"type": "CursorPagination", "cursor_value": "{{ response.next }}",
                    "stop_condition": "{{ response.last }}"}, option("body_json", "page.after")),
         {"type": "cursor", "body": "page.after", "next": "next", "end": "last"}),
    ],
)  # fmt: skip
def test_paginators(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = translated(manifest(a_stream(retriever={"paginator": given})), "shop")
    assert found.unmapped == ()
    assert found.spec["streams"]["items"]["paginate"] == wanted


@pytest.mark.parametrize("kind", ["OffsetIncrement", "PageIncrement"])
@pytest.mark.parametrize(
    ("size", "into"), [(100, "body_json"), (100, "header"), ("{{ config['size'] }}", "request_parameter")]
)
def test_a_size_that_is_guessed_or_not_sent_ends_no_list(kind: str, size: int | str, into: str) -> None:
    given = paginator({"type": kind, "page_size": size}, page_size_option=option(into, "limit"))
    found = translated(manifest(a_stream(retriever={"paginator": given})), "shop")
    assert [each.grave for each in found.unmapped] == [False]
    assert "short_page" not in found.spec["streams"]["items"]["paginate"]


@pytest.mark.parametrize(
    ("size", "into"),
    [(None, "request_parameter"), (50, "body_json"), ("{{ config['size'] }}", "request_parameter")],
)
def test_a_list_after_its_last_record_needs_to_know_its_end(size: int | str | None, into: str) -> None:
    strategy = {"type": "CursorPagination", "cursor_value": "{{ last_record['id'] }}"}
    given = paginator({**strategy, **({"page_size": size} if size else {})}, page_size_option=option(into, "limit"))
    found = translated(manifest(a_stream("good"), a_stream("bad", retriever={"paginator": given})), "shop")
    assert found.left_out == ("bad",)
    assert "nobody knows which page is the last" in found.unmapped[-1].what


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"type": "NoAuth"}, [{"type": "none"}]),
        ({"type": "ApiKeyAuthenticator", "api_token": "{{ config['key'] }}", "header": "X-Key"},
         [{"type": "api_key", "key": "{key}", "header": "X-Key"}]),
        ({"type": "ApiKeyAuthenticator", "api_token": "Token {{ config.key }}",
          "inject_into": option("request_parameter", "key")},
         [{"type": "api_key", "key": "Token {key}", "param": "key"}]),
        ({"type": "BasicHttpAuthenticator", "username": "{{ config['user'] }}", "password": "x"},
         [{"type": "basic", "username": "{user}", "password": "x"}]),
        ({"type": "OAuthAuthenticator", "token_refresh_endpoint": "https://a.example.com/token", "scopes": ["a", "b"],
          "client_id": "{{ config['id'] }}", "client_secret": "{{ config['pw'] }}",
          "refresh_token": "{{ config['r'] }}"},
         [{"type": "oauth2_refresh", "token_url": "https://a.example.com/token", "client_id": "{id}",
           "client_secret": "{pw}", "refresh_token": "{r}", "fields": {"scope": "a b"}}]),
        ({"type": "SelectiveAuthenticator", "authenticator_selection_path": ["kind"], "authenticators": {
            "oauth": {"type": "OAuthAuthenticator", "token_refresh_endpoint": "https://a.example.com/token",
                      "grant_type": "client_credentials", "client_id": "i", "client_secret": "s"},
            "key": {"type": "BearerAuthenticator", "api_token": "{{ config['key'] }}"}}},
         [{"type": "oauth2_client_credentials", "token_url": "https://a.example.com/token", "client_id": "i",
           "client_secret": "s"}, {"type": "bearer", "token": "{key}"}]),
    ],
)  # fmt: skip
def test_authenticators(given: dict[str, Any], wanted: list[dict[str, Any]]) -> None:
    whole = manifest(a_stream())
    whole["definitions"]["requester"]["authenticator"] = given
    found = translated(whole, "shop")
    assert found.unmapped == ()
    assert found.spec["auth"] == wanted


def test_a_stream_below_another_brings_its_parent_along() -> None:
    router = {
        "type": "SubstreamPartitionRouter",
        "parent_stream_configs": [{"stream": a_stream("orders"), "parent_key": "id", "partition_field": "order"}],
    }
    requester = {"$ref": "#/definitions/requester", "path": "/orders/{{ stream_partition.order }}/lines"}
    added = [{"path": ["order_id"], "value": "{{ stream_slice['order'] }}"}]
    whole = a_stream(retriever={"partition_router": router, "requester": requester},
                     transformations=[{"type": "AddFields", "fields": added}])  # fmt: skip
    found = translated(manifest(whole), "shop")
    assert found.unmapped == ()
    assert set(found.spec["streams"]) == {"items", "orders"}
    lines = found.spec["streams"]["items"]
    assert lines["request"] == {"path": "/orders/{parent.order}/lines"}
    assert lines["parent"] == {"stream": "orders", "values": {"order": "id"}}
    assert lines["columns"]["order_id"] == {"type": "string", "path": "parent.order"}


def test_errors_keep_their_meaning() -> None:
    handler = {"type": "CompositeErrorHandler", "error_handlers": [
        {"type": "DefaultErrorHandler", "response_filters": [
            {"http_codes": [404], "action": "IGNORE"},
            {"http_codes": [402], "action": "FAIL", "error_message": "pay the bill"},
            {"predicate": "{{ 'x' in response }}", "action": "RETRY"}]},
        {"type": "DefaultErrorHandler", "backoff_strategies": [{"type": "WaitTimeFromHeader", "header": "X-Wait"}]},
    ]}  # fmt: skip
    requester = {"$ref": "#/definitions/requester", "error_handler": handler, "path": "x"}
    found = translated(manifest(a_stream(retriever={"requester": requester})), "shop")
    assert found.spec["errors"] == [
        {"status": 404, "means": "empty"},
        {"status": 402, "means": "wrong", "remedy": "pay the bill"},
        {"status": 429, "means": "rate_limited", "wait": {"header": "X-Wait", "form": "seconds"}},
    ]
    (left,) = found.unmapped
    path = "streams.items.retriever.requester.error_handler.error_handlers.0.response_filters.2"
    assert (left.path, left.grave) == (path, False)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"retriever": {"paginator": {"type": "CustomPaginator"}}}, "retriever.paginator"),
        ({"retriever": {"type": "AsyncRetriever"}}, "retriever"),
        ({"retriever": {"record_selector": {"extractor": {"class_name": "a.b"}}}},
         "retriever.record_selector.extractor"),
        ({"retriever": {"record_selector": {"extractor": {"field_path": ["*", "x"]}}}},
         "retriever.record_selector.extractor.field_path"),
        ({"retriever": {"requester": {"$ref": "#/definitions/requester", "path": "{{ now_utc() }}"}}},
         "retriever.requester.path"),
        ({"retriever": {"partition_router": {"type": "ListPartitionRouter"}}}, "retriever.partition_router"),
        ({"schema_loader": {"type": "DynamicSchemaLoader"}}, "schema_loader"),
    ],
)  # fmt: skip
def test_a_stream_that_would_be_read_wrongly_is_left_out_by_its_path(change: dict[str, Any], path: str) -> None:
    found = translated(manifest(a_stream("good"), a_stream("bad", **change)), "shop")
    assert list(found.spec["streams"]) == ["good"]
    assert [each.path for each in found.unmapped] == [f"streams.bad.{path}"]
    assert found.left_out == ("bad",)


def test_references_in_circles_and_into_nothing_are_told() -> None:
    whole = manifest({"$ref": "#/definitions/a"})
    whole["definitions"]["a"] = {"x": {"$ref": "#/definitions/a"}}
    with pytest.raises(ConfigurationError, match="in circles"):
        translated(whole, "shop")
    with pytest.raises(ConfigurationError, match="leads nowhere"):
        translated(manifest({"$ref": "#/definitions/b"}), "shop")


@requirement("CFG-16")
def test_a_published_manifest_is_a_spec(manifest: Path, tmp_path: Path) -> None:
    found = translation(read(manifest))
    assert len(found.spec["streams"]) == 36
    assert found.left_out == ()
    assert len(load_api(manifest).streams) == 36


def test_lint_tells_what_is_left_out_and_what_is_read_without(tmp_path: Path, dativo: Command) -> None:
    path = tmp_path / "connectors" / "shop.yaml"
    path.parent.mkdir()
    filtered = {"record_selector": {"extractor": {"field_path": ["items"]}, "record_filter": {"condition": "x"}}}
    path.write_text(yaml.safe_dump(manifest(a_stream(retriever=filtered))))
    answer = dativo("connector", "lint", path)
    assert answer.code == 0
    assert "streams.items.retriever.record_selector.record_filter: records are not filtered" in answer.out
    path.write_text(yaml.safe_dump(manifest(a_stream(retriever={"paginator": {"type": "CustomPaginator"}}))))
    answer = dativo("connector", "lint", path)
    assert answer.code == 2
    assert "CustomPaginator has no counterpart" in answer.out
    with pytest.raises(InvalidConfig, match="CustomPaginator"):
        load_api(path)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    found = FakeApi(page=7)
    with serving(found):
        yield found


@requirement("CFG-16")
def test_a_manifest_beside_the_jobs_is_read_in_process(
    api: FakeApi, tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Trial(tmp_path, dativo, monkeypatch)
    (trial.tenant / "connectors").mkdir()
    (trial.tenant / "connectors" / "shop.yaml").write_text(yaml.safe_dump(manifest(a_stream(incremental_sync=DATES))))
    monkeypatch.setenv("DATIVO_SECRET__ACME__SHOP", api.token)
    path = trial.tenant / "jobs" / "items.yaml"
    connection = {"base_url": api.url, "api_key": "${SECRET:shop}"}
    source = {"objects": ["items"], "connection": connection, "key": ["id"],
              "incremental": {"strategy": "updated_at", "cursor_field": "updated_at", "lag_seconds": 0}}  # fmt: skip
    path.write_text(yaml.safe_dump({"tenant_id": "acme", "source_connector": "shop", "source": source}))
    add(api, range(1, 31))
    trial.succeeds(path)
    add(api, range(31, 36), datetime.now(UTC))
    trial.succeeds(path)
    assert sorted(trial.ids("acme.items")) == list(range(1, 36))


def add(api: FakeApi, numbers: range, at: datetime = datetime(2026, 3, 1, tzinfo=UTC)) -> None:
    moment = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    api.rows += [{"id": each, "name": f"n{each}", "amount": 2.5, "updated_at": moment, "tags": []} for each in numbers]
