"""The spec of `FakeApi`: one stream for each way of paging, all with the same columns."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["SPEC", "STYLES", "text"]

COLUMNS = {
    "id": {"type": "long", "required": True},
    "name": "string",
    "amount": "decimal(18,4)",
    "updated_at": {"type": "timestamptz", "required": True},
}
STYLES: dict[str, dict[str, Any]] = {
    "single": {"type": "single"},
    "cursor": {"type": "cursor", "param": "cursor", "next": "meta.next", "more": "meta.has_more"},
    "after": {"type": "starting_after", "param": "starting_after", "more": "has_more"},
    "offset": {"type": "offset", "param": "offset", "size": 100, "size_param": "limit", "total": "total"},
    "page": {"type": "page", "param": "page", "size": 100},
    "offset_at_once": {"type": "offset", "param": "offset", "size": 100, "total": "total", "at_once": 4},
    "page_at_once": {"type": "page", "param": "page", "size": 100, "total": "pages", "at_once": 3},
    "link": {"type": "link_header"},
    "next": {"type": "next_url", "next": "next"},
    "token_header": {"type": "cursor", "param": "start", "header": "X-Next-Start"},
    "next_header": {"type": "next_url", "header": "Next-Page"},
    "graphql": {"type": "graphql", "connection": "data.items"},
    "time": {"type": "time_window", "param": "start_time", "field": "updated_at", "size": 100, "end": "end"},
    "search": {"type": "starting_after", "body": "filters.-1.value", "size": 100},
}


def _stream(style: str) -> dict[str, Any]:
    request: dict[str, Any] = {
        "path": f"/{style.removesuffix('_at_once')}",
        "params": {"since": "{lo:iso}", "until": "{hi:iso}"},
    }
    made = {"records": "items", "request": request, "paginate": STYLES[style], "key": ["id"], "columns": COLUMNS}
    made["incremental"] = {"cursor": "updated_at", "precision": "microsecond", "bounded": True}
    return made | OTHER.get(style, {})


OTHER: dict[str, dict[str, Any]] = {
    "link": {"records": ""},
    "graphql": {
        "records": "data.items.nodes",
        "request": {"path": "/graphql", "method": "POST", "body": {"query": "{ items }", "variables": {}}},
    },
    "time": {"request": {"path": "/time", "params": {"start_time": "{lo:epoch}"}}},
    "search": {
        "request": {
            "path": "/search", "method": "POST",
            "body": {"filters": [
                {"field": "updated_at", "op": "gte", "value": "{lo:iso}"},
                {"field": "updated_at", "op": "lt", "value": "{hi:iso}"},
                {"field": "id", "op": "gt", "value": None},
            ]},
        },
    },
}  # fmt: skip
SPEC: dict[str, Any] = {
    "api": "toy",
    "base_url": "http://127.0.0.1:1",
    "version": "2026-11-01",
    "auth": {"type": "bearer", "token": "{token}"},
    "headers": {"Toy-Version": "{version}"},
    "check": "/me",
    "streams": {style: _stream(style) for style in STYLES},
}


def text(spec: Any) -> str:
    """As a file says it: JSON is YAML."""
    return json.dumps(spec)
