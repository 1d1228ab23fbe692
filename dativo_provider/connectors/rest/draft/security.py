"""Security schemes of an OpenAPI document as ways to log in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.connectors.rest.draft.references import Document

__all__ = ["login"]

_NONE = {"type": "none"}


def login(document: Document) -> tuple[dict[str, Any] | list[dict[str, Any]], str]:
    """Every way the document names, and a remark. The first whose credentials are there is taken."""
    data = document.data
    schemes = (data.get("components") or {}).get("securitySchemes") or data.get("securityDefinitions") or {}
    named = [name for each in data.get("security") or () if isinstance(each, Mapping) for name in each]
    chosen = {name: schemes[name] for name in named if name in schemes} or schemes
    ways = [way for each in chosen.values() if (way := _way(document.followed(each)))]
    if not ways:
        remark = "the document names no login" if not schemes else "decide: its login has no counterpart here"
        return dict(_NONE), remark
    return (ways[0] if len(ways) == 1 else ways), ""


def _way(scheme: Mapping[str, Any]) -> dict[str, Any]:
    kind = scheme.get("type")
    if kind == "apiKey" and scheme.get("in") in ("header", "query"):
        place = "header" if scheme["in"] == "header" else "param"
        return {"type": "api_key", "key": "{api_key}", place: str(scheme.get("name"))}
    if kind == "basic" or (kind == "http" and str(scheme.get("scheme")).lower() == "basic"):
        return {"type": "basic"}
    if kind == "http":
        return {"type": "bearer", "token": "{api_key}"}
    return _oauth(scheme) if kind == "oauth2" else {}


def _oauth(scheme: Mapping[str, Any]) -> dict[str, Any]:
    """Flows of version 3, or the one of version 2."""
    flows = scheme.get("flows") or {{"application": "clientCredentials", "accessCode": "authorizationCode"}.get(
        str(scheme.get("flow")), ""): scheme}  # fmt: skip
    for flow, kind in (("clientCredentials", "oauth2_client_credentials"), ("authorizationCode", "oauth2_refresh")):
        found = flows.get(flow) or {}
        url = str(found.get("refreshUrl") or found.get("tokenUrl") or "") if flow == "authorizationCode" else str(
            found.get("tokenUrl") or "")  # fmt: skip
        if "://" in url:
            return {"type": kind, "token_url": url}
    return {}
