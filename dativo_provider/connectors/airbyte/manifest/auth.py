"""Authenticators as ways to log in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dativo_provider.connectors.airbyte.manifest.notes import Notes
from dativo_provider.connectors.airbyte.manifest.texts import text, texts

__all__ = ["auth"]


def auth(component: Mapping[str, Any], notes: Notes) -> list[dict[str, Any]]:
    """The first of them whose credentials are there is taken, as a SelectiveAuthenticator chooses."""
    if component.get("type") == "SelectiveAuthenticator":
        found = component.get("authenticators") or {}
        return [way for name, each in found.items() for way in _within(name, each, notes)]
    return _one(component, notes)


def _within(name: str, component: Mapping[str, Any], notes: Notes) -> list[dict[str, Any]]:
    with notes.at("authenticators", name):
        return _one(component, notes)


def _one(component: Mapping[str, Any], notes: Notes) -> list[dict[str, Any]]:
    make = _KINDS.get(str(component.get("type")))
    if make is None:
        notes.unknown(component)
        return []
    return [found] if (found := make(component, notes)) else []


def _said(component: Mapping[str, Any], notes: Notes, key: str, default: str = "") -> str:
    with notes.at(key):
        return text(str(component.get(key) or default), notes, component.get("$parameters") or {}) or ""


def _nobody(_: Mapping[str, Any], __: Notes) -> dict[str, Any]:
    return {"type": "none"}


def _key(component: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    where = component.get("inject_into") or {"inject_into": "header", "field_name": component.get("header")}
    words = {"header": "header", "request_parameter": "param"}
    place = words.get(str(where.get("inject_into")))
    if place is None:
        notes.cannot("a key in the body has no counterpart", "inject_into")
        return {}
    return {"type": "api_key", "key": _said(component, notes, "api_token"), place: str(where.get("field_name"))}


def _bearer(component: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    return {"type": "bearer", "token": _said(component, notes, "api_token")}


def _basic(component: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    return {"type": "basic", **{name: _said(component, notes, name) for name in ("username", "password")}}


def _oauth(component: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    refresh = component.get("grant_type", "refresh_token") == "refresh_token"
    names = ("client_id", "client_secret", *(("refresh_token",) if refresh else ()))
    made = {name: _said(component, notes, name) for name in names}
    fields = texts(component.get("refresh_request_body") or {}, notes, component.get("$parameters") or {})
    if component.get("scopes"):
        fields = {"scope": " ".join(map(str, component["scopes"])), **fields}
    kind = "oauth2_refresh" if refresh else "oauth2_client_credentials"
    made |= {"type": kind, "token_url": _said(component, notes, "token_refresh_endpoint")}
    return {**made, **({"fields": {key: str(each) for key, each in fields.items()}} if fields else {})}


_KINDS: Mapping[str, Callable[[Mapping[str, Any], Notes], dict[str, Any]]] = {
    "NoAuth": _nobody,
    "ApiKeyAuthenticator": _key,
    "BearerAuthenticator": _bearer,
    "BasicHttpAuthenticator": _basic,
    "OAuthAuthenticator": _oauth,
}
