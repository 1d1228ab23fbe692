"""The words of a job's `options` as the spec of an API with one stream."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.connectors.rest.load import api_of
from dativo_provider.connectors.rest.spec import Api
from dativo_provider.connectors.rest.values import placeholders
from dativo_provider.errors import ConfigurationError

__all__ = ["STREAM", "api_at"]

STREAM = "records"
_OF_API = ("auth", "limits", "errors", "settings", "ignore")
_OF_STREAM = ("records", "each", "paginate", "deleted", "incremental", "columns")
_OF_REQUEST = ("method", "body", "headers")
_KNOWN = {"url", "api_url", "params", *_OF_API, *_OF_STREAM, *_OF_REQUEST}
_WINDOW = frozenset({"lo", "hi", "parent", "version", "base_url", "columns"})


def api_at(
    options: Mapping[str, Any],
    connection: Mapping[str, Any],
    columns: Mapping[str, str],
    key: Sequence[str],
    cursor: str,
) -> Api:
    """`columns` where the options have none. Raises `InvalidConfig`, `ConfigurationError`."""
    _refuse_unknown(options)
    url = urlsplit(str(options.get("url") or options.get("api_url") or ""))
    if url.scheme not in ("http", "https") or not url.netloc:
        raise ConfigurationError(
            "the job does not say which address to read",
            where="source.options.url",
            remedy="e.g. https://api.example.com/v1/items",
        )
    columns = options.get("columns") or columns
    params = {**_query(url.query), **(options.get("params") or {})}
    request = {"path": url.path or "/", "params": params, **_given(options, _OF_REQUEST)}
    stream = {"request": request, **_given(options, _OF_STREAM), "columns": columns}
    stream["key"] = [each for each in key if each in columns]
    if cursor in columns and "incremental" not in options:
        stream["incremental"] = {"cursor": cursor}
    spec = {"api": "json_api", "base_url": f"{url.scheme}://{url.netloc}", **_given(options, _OF_API)}
    spec.setdefault("auth", _auth(connection))
    spec["streams"] = {STREAM: stream}
    spec["settings"] = {**_settings(spec, connection), **(options.get("settings") or {})}
    return api_of("json_api", json.dumps(spec), "source.options")  # JSON is YAML


def _query(text: str) -> dict[str, Any]:
    """What is asked for more than once becomes a list, which a request repeats."""
    found = parse_qs(text, keep_blank_values=True)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _given(options: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: options[name] for name in names if options.get(name) not in (None, "")}


def _refuse_unknown(options: Mapping[str, Any]) -> None:
    for name in options:
        if name not in _KNOWN:
            hint = did_you_mean(name, _KNOWN) or f"known: {listed(sorted(_KNOWN))}"
            raise ConfigurationError(f"json_api has no option '{name}'", where="source.options", remedy=hint)


def _auth(connection: Mapping[str, Any]) -> dict[str, str]:
    """What the credentials that are there are usually shown by."""
    if connection.get("token"):
        return {"type": "bearer", "token": "{token}"}
    return {"type": "basic"} if connection.get("username") else {"type": "none"}


def _settings(spec: Mapping[str, Any], connection: Mapping[str, Any]) -> dict[str, Any]:
    """Whatever the request stands open for; what a login needs the room knows by itself."""
    streams = {name: placeholders(json.loads(json.dumps(each["request"]))) for name, each in spec["streams"].items()}
    names = {name.partition(".")[0] for found in streams.values() for name, _ in found} - _WINDOW
    return {name: {"optional": name not in connection} for name in sorted(names)}
