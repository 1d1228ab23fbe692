"""A draft from answers of the API: one stream for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.connectors.rest.draft.columns import columns_of, cursor_of, key_of
from dativo_provider.connectors.rest.draft.draft import Draft, slug
from dativo_provider.connectors.rest.draft.pages import by_shape, list_path, paths_below
from dativo_provider.connectors.rest.page import at
from dativo_provider.errors import ConfigurationError

__all__ = ["Answer", "add_answer", "begun", "follow_others"]

_NOWHERE = "https://api.example.com"
_SINCE = "{lo:iso_seconds}"


@dataclass(frozen=True)
class Answer:
    """`params` and `body` are those of the request, where it is known, without what is `left_out` of them;
    `paginate` is what headers tell."""

    data: Any
    name: str
    base: str = ""
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    paginate: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    left_out: Sequence[str] = ()


def begun(name: str, base: str = "") -> Draft:
    """What every draft begins with."""
    spec = {"api": name, "base_url": base or _NOWHERE, "auth": {"type": "bearer", "token": "{api_key}"}, "streams": {}}
    draft = Draft(spec)
    draft.remark("Written by `dativo connector new`. What is a guess says so; decide, then delete the comment.\n"
                 "Next: dativo connector lint, then dativo connector test with a job that names it.")  # fmt: skip
    if not base:
        draft.remark("decide: where does the API's address begin?", "base_url")
    return draft


def add_answer(draft: Draft, answer: Answer) -> None:
    """Raises `ConfigurationError` for an answer without records."""
    records = list_path(answer.data)
    rows = _rows(answer.data, records)
    _refuse_tables(answer, len(rows))
    if not rows:
        raise ConfigurationError(
            f"the answer for '{answer.name}' holds no records", remedy="take one that has some, best a page of a list"
        )
    name = slug(answer.name)
    where = ("streams", name)
    columns, remarks = columns_of(rows)
    paginate, remark = _paging(answer, records)
    key, cursor = key_of(columns, rows, name), cursor_of(columns)
    stream: dict[str, Any] = {
        "request": _request(answer, name, paginate),
        "records": records or "",
        "paginate": paginate,
        "key": key,
    }
    stream |= {"columns": columns, **({"incremental": {"cursor": cursor}} if cursor else {})}
    draft.spec["streams"][name] = stream
    if not answer.path:
        draft.remark("decide: the path, and what else is asked for", *where, "request")
    if answer.left_out:
        draft.remark(f"decide: left out as secrets: {', '.join(answer.left_out)}", *where, "request")
    if records is None:
        draft.remark("the answer has no list: it is read as one record", *where, "records")
    if remark:
        draft.remark(remark, *where, "paginate")
    for column, text in remarks.items():
        draft.remark(text, *where, "columns", column)
    _decide(draft, where, key, cursor)


def _refuse_tables(answer: Answer, found: int) -> None:
    """Rows without names are no records, whatever else the answer lists."""
    tables = [path for path, value in paths_below(answer.data, 2) if isinstance(value, list) and len(value) > found
              and all(isinstance(each, list) for each in value)]  # fmt: skip
    if tables:
        raise ConfigurationError(
            f"rows of '{tables[0]}' are lists without names, which are no records",
            remedy="ask the API for objects: many have a parameter for it",
        )


def follow_others(draft: Draft) -> None:
    """A list that fits on one page does not show how its pages follow; those of one API mostly follow alike."""
    ways = [each["paginate"] for each in draft.spec["streams"].values() if each["paginate"]["type"] != "single"]
    for name, each in draft.spec["streams"].items():
        where = ("streams", name, "paginate")
        if ways and each["paginate"]["type"] == "single" and where in draft.remarks:
            each["paginate"] = dict(ways[0])
            draft.remarks[where] = "guess: as the other lists; nothing in this answer says how pages follow"


def _rows(data: Any, records: str | None) -> list[Mapping[str, Any]]:
    if records is None:
        return [data] if isinstance(data, Mapping) and data else []
    return [each for each in at(data, records) if isinstance(each, Mapping)]


def _paging(answer: Answer, records: str | None) -> tuple[dict[str, Any], str]:
    if answer.paginate is not None:
        return dict(answer.paginate), ""
    if records is None:
        return {"type": "single"}, ""
    found, remark = by_shape(answer.data, records, [*answer.params, *(answer.body or ())])
    if answer.body is not None and "param" in found:  # a POST is told the next page as it was told the first
        found = {"type": found["type"], "body": found.pop("param"), **found}
        found.pop("size_param", None)
    return found, remark


def _request(answer: Answer, name: str, paginate: Mapping[str, Any]) -> dict[str, Any]:
    params = {key: each for key, each in answer.params.items() if key != paginate.get("param")}
    request: dict[str, Any] = {"path": answer.path or f"/{name}", **({"params": params} if params else {})}
    if answer.body is None:
        return request
    return {**request, "method": "POST", "body": {k: v for k, v in answer.body.items() if k != paginate.get("body")}}


def _decide(draft: Draft, where: Sequence[str], key: Sequence[str], cursor: str) -> None:
    if key:
        draft.remark("guess: samples do not repeat it; does it identify a record?", *where, "key")
    else:
        draft.remark("decide: which columns identify a record? Without a key records cannot be merged", *where, "key")
    if cursor:
        draft.remark(
            "guess: does it grow with every change? As it stands every page is read, and what is older left out.\n"
            f'If the API takes a moment, say so in the request: params: {{updated_since: "{_SINCE}"}}',
            *where, "incremental",
        )  # fmt: skip
