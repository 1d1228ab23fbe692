"""The messages of an Airbyte source, and the state it is given back.

https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol#airbytemessage
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.connectors.bridge.failures import kind_of
from dativo_provider.connectors.bridge.messages import Failed, Garbage, Message, Position, Record, Said, decode, plain
from dativo_provider.errors import ConfigurationError, DativoError, SourceUnavailable

__all__ = ["given_back", "message_of", "moved"]

_LEVELS = {"FATAL": 40, "ERROR": 40, "WARN": 30, "INFO": 20, "DEBUG": 10, "TRACE": 10}
_GONE = "_ab_cdc_deleted_at"
# A full read says by these that it is over. Given back, they end every later read before it has begun.
_OVER = frozenset({"__ab_full_refresh_sync_complete", "__ab_no_cursor_state_message"})
_SILENT = frozenset({"SPEC", "CATALOG", "CONNECTION_STATUS"})


def message_of(line: bytes, names: frozenset[str]) -> Message | None:
    found = decode(line)
    if found is None:
        return Garbage("it is no JSON object")
    kind = found.get("type")
    below = found.get(str(kind).lower())
    body: Mapping[str, Any] = below if isinstance(below, Mapping) else {}
    if kind == "RECORD":
        return _record(body, names)
    if kind == "STATE":
        return _position(plain(line))
    if kind == "LOG":
        return Said(str(body.get("message")), _LEVELS.get(str(body.get("level")), 20))
    if kind == "TRACE":
        return _trace(body)
    if kind == "CONTROL":
        return Said("it has changed its own settings, which are not kept: give it credentials that stay valid", 30)
    return None if kind in _SILENT else Garbage("it is no message of Airbyte's")


def _record(body: Mapping[str, Any], names: frozenset[str]) -> Message | None:
    values = body.get("data")
    if not isinstance(values, dict):
        return Garbage("it is a RECORD without data")
    return Record(str(body.get("stream")), values, values.get(_GONE) is not None) if _is_ours(body, names) else None


def _is_ours(body: Mapping[str, Any], names: frozenset[str]) -> bool:
    space, name = body.get("namespace"), str(body.get("stream"))
    if space:
        return name in names or f"{space}.{name}" in names
    return name in names or any(each.endswith(f".{name}") for each in names)  # sources may leave the namespace out


def _position(said: Any) -> Message | None:
    body = said.get("state") if isinstance(said, Mapping) else None
    if not isinstance(body, Mapping):
        return Garbage("it is a STATE that nothing can be given back of")
    found = body.get("stream")
    state = found.get("stream_state") if isinstance(found, Mapping) else None
    if isinstance(state, Mapping) and _OVER & state.keys():
        return None
    kept = {name: value for name, value in body.items() if name in ("type", "stream", "global", "data")}
    return Position(kept)


def moved(state: Any, said: Mapping[str, Any]) -> list[Any]:
    """All that must be given back: one message for each stream, or one for all of them."""
    if said.get("type") != "STREAM":
        return [said]
    whose = _descriptor(said)
    return [*(each for each in state or () if _descriptor(each) != whose), said]


def _descriptor(message: Mapping[str, Any]) -> Any:
    found = message.get("stream")
    return found.get("stream_descriptor") if isinstance(found, Mapping) else None


def given_back(state: Any) -> Any:
    """Sources that speak of one state for everything know no list of messages."""
    if len(state) == 1 and state[0].get("type") in (None, "LEGACY"):
        return state[0].get("data") or {}
    return state


def _trace(body: Mapping[str, Any]) -> Message | None:
    if body.get("type") == "ERROR":
        return Failed(_error(body.get("error") or {}))
    status = (body.get("stream_status") or {}).get("status")
    if status == "INCOMPLETE":
        return Failed(SourceUnavailable("the source says that it has not read everything"))
    return None


def _error(found: Mapping[str, Any]) -> DativoError:
    text = str(found.get("message") or found.get("internal_message") or "the source failed")[:500]
    kind = kind_of(f"{text} {found.get('internal_message') or ''}")
    if kind is SourceUnavailable and found.get("failure_type") == "config_error":
        kind = ConfigurationError
    return kind(
        text, remedy=_REMEDIES.get(kind, "see the log of the task for what it said; the run can be tried again")
    )


_REMEDIES: dict[type[DativoError], str] = {
    ConfigurationError: "compare source.connection with the settings that the source documents",
}
