"""How pages follow, told from an answer or from the parameters of an operation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dativo_provider.connectors.rest.page import at

__all__ = ["SIZES", "by_headers", "by_parameters", "by_shape", "list_path", "paths_below", "shape_of"]

# Where answers hold the token of the next page, and which parameter usually takes it.
_TOKENS = {
    "next_cursor": "cursor", "nextcursor": "cursor", "end_cursor": "after", "endcursor": "after",
    "next_page_token": "page_token", "nextpagetoken": "pageToken", "next_token": "next_token", "nexttoken": "nextToken",
    "continuation_token": "continuation_token", "continuationtoken": "continuationToken",
    "continuation": "continuation",
    "next_page_cursor": "cursor", "cursor": "cursor", "after": "after", "next": "cursor", "scroll_id": "scroll_id",
}  # fmt: skip
_MORE = ("has_more", "hasmore", "has_next", "hasnext", "has_next_page", "hasnextpage", "more")
_LINKS = ("next", "next_url", "nexturl", "next_page", "nextpage", "next_link", "nextlink", "href", "@odata.nextlink")
_CURSORS = ("cursor", "page_token", "pagetoken", "next_token", "nexttoken", "after", "page_cursor", "pagecursor",
            "continuation_token", "continuationtoken", "continuation", "page[cursor]", "page[after]", "nextpagetoken",
            "next_page_token", "scroll_id", "start_cursor")  # fmt: skip
_AFTER = ("starting_after", "startingafter", "since_id", "after_id", "last_id", "from_id")
_OFFSETS = ("offset", "skip", "start", "startat", "start_at", "$skip", "page[offset]", "first_result")
_PAGES = ("page", "page_number", "pagenumber", "page_no", "page[number]", "p", "pageindex", "page_index", "currentpage")
SIZES = ("limit", "per_page", "perpage", "page_size", "pagesize", "count", "size", "take", "max_results", "maxresults",
         "$top", "page[size]", "page[limit]", "results_per_page", "top", "items_per_page", "first", "rows")  # fmt: skip
_TOTALS = (
    "total", "total_count", "totalcount", "total_results", "totalresults", "total_items", "count", "totalelements",
    "total_entries", "total_records",
)  # fmt: skip
_DEEP = 3
_SIZE = 100


def list_path(data: Any) -> str | None:
    """Where the records are: the longest list of objects that is not inside of one; None when there is none."""
    if isinstance(data, list):
        return ""
    found = [(len(value), -path.count("."), path) for path, value in paths_below(data, _DEEP) if _is_records(value)]
    return max(found)[2] if found else None


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def paths_below(data: Any, deep: int, path: str = "") -> list[tuple[str, Any]]:
    """Every value outside of lists, by its dotted path."""
    found: list[tuple[str, Any]] = []
    for key, value in data.items() if isinstance(data, Mapping) else ():
        if "." in str(key) and not str(key).startswith("@"):
            continue
        here = f"{path}.{key}" if path else str(key)
        found.append((here, value))
        found += paths_below(value, deep - 1, here) if deep > 1 else []
    return found


def _last(path: str) -> str:
    return path.lower() if path.startswith("@") else path.rpartition(".")[2].lower()


def by_headers(headers: Mapping[str, str], links: Collection[Any]) -> dict[str, Any] | None:
    """The paginator that an answer's headers tell, whatever is in it."""
    if "next" in links:
        return {"type": "link_header"}
    told = [name for name, value in headers.items() if "next" in name.lower() and value.startswith(("http", "/"))]
    return {"type": "next_url", "header": told[0]} if told else None


def by_shape(data: Any, records: str, params: Sequence[str] = ()) -> tuple[dict[str, Any], str]:
    """The paginator that an answer looks like, and a remark on what is a guess. `params` are those of the request."""
    beside = [(path, value) for path, value in paths_below(data, _DEEP) if path != records]
    for path, value in beside:
        if isinstance(value, str) and value.startswith(("http", "/")) and _last(path) in _LINKS and "prev" not in path:
            return {"type": "next_url", "next": path}, ""
    more = next((path for path, value in beside if isinstance(value, bool) and _last(path) in _MORE), "")
    for path, value in beside:
        if isinstance(value, str | int) and not isinstance(value, bool) and value and _last(path) in _TOKENS:
            own = next((name for name in params if name.lower() in _CURSORS), "")
            made = {"type": "cursor", "param": own or _TOKENS[_last(path)], "next": path}
            remark = "" if own else "guess: which parameter takes the token of the next page?"
            return {**made, **({"more": more} if more else {})}, remark
    return _counted(data, records, beside, params, more)


def _counted(
    data: Any, records: str, beside: Sequence[tuple[str, Any]], params: Sequence[str], more: str
) -> tuple[dict[str, Any], str]:
    rows = at(data, records)
    length = len(rows) if isinstance(rows, list) and rows else _SIZE
    if found := by_parameters(params, {}, length):
        total = _total(beside, length)
        return found | ({"total": total} if total and found["type"] in ("offset", "page") else {}), ""
    if more:
        made: dict[str, Any] = {"type": "starting_after", "param": "starting_after", "more": more}
        return made, "guess: what does the API want to know of the last record to send the next page?"
    names = {_last(path) for path, _ in beside}
    total = _total(beside, length)
    for kind, words, param in (("page", _PAGES, "page"), ("offset", _OFFSETS, "offset")):
        if names & set(words):
            made = {"type": kind, "param": param, "size": length, **({"total": total} if total else {})}
            return made, "guess: the answer counts; which parameters ask for a page, and for its size?"
    return {"type": "single"}, "nothing in the answer says how pages follow: is it all there is?"


def _total(beside: Sequence[tuple[str, Any]], length: int) -> str:
    """A `count` that is the length of the page says nothing of the rest."""
    found = [(path, value) for path, value in beside if isinstance(value, int) and _last(path) in _TOTALS]
    return next((path for path, value in found if _last(path) != "count" or value > length), "")


def by_parameters(names: Sequence[str], shape: Mapping[str, str], size: int = _SIZE) -> dict[str, Any]:
    """The paginator whose parameters these are; `shape` names paths of the answer by what they hold."""
    more: dict[str, Any] = {"more": shape["more"]} if shape.get("more") else {}
    lower = {name.lower(): name for name in names}
    sized = next((lower[word] for word in SIZES if word in lower), "")
    token = next((lower[word] for word in _CURSORS if word in lower), "")
    if token and shape.get("token"):
        return {"type": "cursor", "param": token, "next": shape["token"], **more}
    if shape.get("url"):
        return {"type": "next_url", "next": shape["url"]}
    if after := next((lower[word] for word in _AFTER if word in lower), ""):
        return {"type": "starting_after", "param": after, **(more or {"size": size})}
    for kind, words in (("page", _PAGES), ("offset", _OFFSETS)):
        if found := next((lower[word] for word in words if word in lower), ""):
            total = {"total": shape["total"]} if shape.get("total") else {}
            return {"type": kind, "param": found, "size": size, **({"size_param": sized} if sized else {}), **total}
    return {}


def shape_of(properties: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What `by_parameters` wants to know, of (path, type) pairs of an answer's schema."""
    found: dict[str, str] = {}
    for path, kind in properties:
        name = _last(path)
        if kind == "boolean" and name in _MORE:
            found.setdefault("more", path)
        elif kind == "uri" or (name in ("next_url", "nexturl", "next_link", "nextlink", "@odata.nextlink")):
            found.setdefault("url", path) if name in _LINKS else None
        elif kind == "integer" and name in _TOTALS and name != "count":
            found.setdefault("total", path)
        elif kind in ("string", "integer") and name in _TOKENS:
            found.setdefault("token", path)
    return found
