"""Paginators as ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from dativo_provider.connectors.airbyte.manifest.notes import Notes
from dativo_provider.connectors.airbyte.manifest.texts import path_of

__all__ = ["paging"]

_LAST = ("last_record", "last_records[-1]")
_NOT = re.compile(r"\{\{\s*not\s+(.*?)\s*\}\}", re.DOTALL)
_LINK = re.compile(r"headers\.?.*link.*next.*url", re.IGNORECASE)
_SIZE = 100


def paging(component: Mapping[str, Any], notes: Notes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The paginator, and parameters that every request has besides (the size of a page)."""
    if component.get("type") in (None, "NoPagination"):
        return {"type": "single"}, {}
    strategy = component.get("pagination_strategy") or {}
    make = _KINDS.get(str(strategy.get("type")))
    if component.get("type") != "DefaultPaginator" or make is None:
        notes.unknown(strategy if component.get("type") == "DefaultPaginator" else component)
        return {}, {}
    option = component.get("page_size_option") or {}
    size = strategy.get("page_size")
    if not isinstance(size, int | None):
        notes.cannot("a size that is a setting is taken as 100", "pagination_strategy", "page_size", grave=False)
        size = _SIZE
    named = str(option.get("field_name") or "") if option.get("inject_into") == "request_parameter" else ""
    if option and not named:
        notes.cannot("the size of a page is sent in parameters only", "page_size_option", grave=False)
    made = make(component, strategy, size, named, notes)
    if not isinstance(strategy.get("page_size"), int) or (option and not named):
        _size_unknown(made, notes)
    return made, ({named: size} if named and size and made.get("type") not in ("offset", "page") else {})


def _size_unknown(made: dict[str, Any], notes: Notes) -> None:
    """The API's own pages may be smaller than the size that is written or guessed: a short one need not be last."""
    made.pop("short_page", None)
    if made.get("type") == "starting_after" and "more" not in made:
        notes.cannot(
            "nobody knows which page is the last: there is no stop_condition, and no page_size that is sent",
            "pagination_strategy",
        )


def _into(component: Mapping[str, Any], notes: Notes) -> dict[str, str]:
    """Where a token goes."""
    option = component.get("page_token_option") or {}
    words = {"request_parameter": "param", "body_json": "body"}
    place = words.get(str(option.get("inject_into")))
    if place is None:
        notes.cannot(f"a token in '{option.get('inject_into') or 'nothing'}' has no counterpart", "page_token_option")
        return {}
    return {place: str(option.get("field_name"))}


def _counted(component: Mapping[str, Any], strategy: Mapping[str, Any], size: int | None, named: str, notes: Notes,
             kind: str) -> dict[str, Any]:  # fmt: skip
    if not size:
        notes.cannot("without a page_size nobody knows which page is the last: 100 is taken", "pagination_strategy")
    first = {"first": strategy["start_from_page"]} if isinstance(strategy.get("start_from_page"), int) else {}
    first = first or ({"first": 0} if kind == "page" else {})
    ends = {"short_page": "ends"} if size else {}  # as Airbyte does
    return {"type": kind, **_into(component, notes), "size": size or _SIZE, **({"size_param": named} if named else {}),
            **first, **ends}  # fmt: skip


def _offset(component: Mapping[str, Any], strategy: Mapping[str, Any], size: int | None, named: str,
            notes: Notes) -> dict[str, Any]:  # fmt: skip
    return _counted(component, strategy, size, named, notes, "offset")


def _page(component: Mapping[str, Any], strategy: Mapping[str, Any], size: int | None, named: str,
          notes: Notes) -> dict[str, Any]:  # fmt: skip
    return _counted(component, strategy, size, named, notes, "page")


def _cursor(component: Mapping[str, Any], strategy: Mapping[str, Any], size: int | None, _: str,
            notes: Notes) -> dict[str, Any]:  # fmt: skip
    value = str(strategy.get("cursor_value") or "")
    by_address = (component.get("page_token_option") or {}).get("type") == "RequestPath"
    if by_address and _LINK.search(value):
        return {"type": "link_header"}
    path = path_of(value, "response")
    if path:
        way = {"type": "next_url"} if by_address else {"type": "cursor", **_into(component, notes)}
        return {**way, "next": path, **_stop(strategy, path, notes)}
    field = path_of(value, "last_record") or (path_of(value, "last_records") or "").removeprefix("-1.")
    if field and not by_address:
        stop = _stop(strategy, "", notes)
        more = {"more": stop["more"]} if "more" in stop else {"size": size or _SIZE}
        return {"type": "starting_after", **_into(component, notes), "field": field, **more}
    notes.cannot(f"'{value}' computes something", "pagination_strategy", "cursor_value")
    return {}


def _stop(strategy: Mapping[str, Any], path: str, notes: Notes) -> dict[str, str]:
    """A flag of the answer; an absent token ends the pages anyway."""
    said = str(strategy.get("stop_condition") or "")
    if not said:
        return {}
    negated = _NOT.fullmatch(said.strip())
    found = path_of(negated[1] if negated else said, "response")
    if found is None:
        notes.cannot(f"'{said}' computes something; pages end where there is no next one", "pagination_strategy",
                     "stop_condition", grave=not path)  # fmt: skip
        return {}
    if negated and found == path:
        return {}
    return {"more" if negated else "end": found}


_KINDS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "OffsetIncrement": _offset,
    "PageIncrement": _page,
    "CursorPagination": _cursor,
}
