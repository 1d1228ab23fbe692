"""The user's page of an API, made from its spec."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from dativo_provider.connectors.guide import fenced, first_steps, table
from dativo_provider.connectors.rest.load import api_of
from dativo_provider.connectors.rest.spec import Api, Column, ErrorRule, Limit, Stream

__all__ = ["api_page"]

_MEANINGS = {
    "rate_limited": "asked again later, slower",
    "quota": "the run ends, and is tried again later",
    "transient": "asked again later",
    "expired": "logged in again, once",
    "credential": "the credentials are wrong",
    "forbidden": "the credentials lack a right",
    "missing": "it is gone",
    "moved": "the page is asked for after the record before",
    "empty": "nothing there",
    "wrong": "the request is wrong",
}


def api_page(name: str, example: str = "") -> str:
    api = api_of(name)
    parts = [f"# {api.title or name}\n", *_intro(api), fenced(example), first_steps(example), *_connection(api),
             *_limits(api), *_streams(api), *_errors(api), *_notes(api)]  # fmt: skip
    for stream, each in api.streams.items():
        parts += _stream(stream, each)
    return "\n".join(part for part in parts if part)


def _intro(api: Api) -> Iterator[str]:
    if api.description:
        yield f"{api.description}\n"
    version = f" of version `{api.version}`" if api.version else ""
    source = f"[the vendor's reference]({api.docs})" if api.docs else "the vendor's API"
    yield f"`source_connector: {api.api}` reads {source}{version}. Each of `source.objects` is a stream below.\n"


def _connection(api: Api) -> Iterator[str]:
    secret = {name for auth in api.auth for name in auth.needs} - api.settings.keys()
    ways = [" and ".join(f"`{name}`" for name in auth.needs) or "nothing" for auth in api.auth]
    rows = [(f"`{name}`", "credential; give it as `${SECRET:NAME}`", "") for name in sorted(secret)]
    for name, each in api.settings.items():
        needed = "" if each.optional or each.default is not None else "yes"
        rows.append((f"`{name}`", each.description, needed if each.default is None else f"`{each.default}`"))
    rows.append(("`base_url`", "a gateway or double that answers instead", f"`{api.base_url}`"))
    if "token_url" not in api.settings and any(getattr(each, "token_url", "") for each in api.auth):
        rows.append(("`token_url`", "the same for the token endpoint", ""))
    yield "## Connection\n"
    yield f"Logs in with {', or with '.join(ways)}.\n"
    yield table(("`source.connection`", "meaning", "default, or whether it is needed"), rows) + "\n"


def _limits(api: Api) -> Iterator[str]:
    if api.limits:
        yield "## Limits\n"
        yield (
            "All tasks of a tenant together stay below them; `source.rate_limits` of a job sets "
            "[a pace of its own](../errors.md#when-an-api-says-no).\n"
        )
        rows = ((f"`{name}`", _rate(each), each.note, f"[page]({each.docs})" if each.docs else "none: our own measure")
                for name, each in api.limits.items())  # fmt: skip
        yield table(("limit", "requests", "for whom", "vendor's page"), rows) + "\n"


def _rate(limit: Limit) -> str:
    span = timedelta(seconds=limit.per)
    units = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
    unit, size = next((unit, size) for unit, size in units.items() if limit.per >= size and limit.per % size == 0)
    many = span // timedelta(seconds=size)
    return f"{limit.requests:,} a {unit}" if many == 1 else f"{limit.requests:,} in {many} {unit}s"


def _streams(api: Api) -> Iterator[str]:
    yield "## Streams\n"
    rows = (
        (
            f"[`{name}`](#{name})",
            ", ".join(f"`{key}`" for key in each.key),
            _later(api, each),
            _gone(each),
            _right(each),
        )
        for name, each in api.streams.items()
    )
    yield table(("stream", "key", "later runs read", "deletions", "permission"), rows) + "\n"


def _later(api: Api, stream: Stream) -> str:
    own, known = stream.incremental, api.increment(stream)
    if own is None or known is None:
        return "everything"
    if own.by_parent:
        return f"those of each changed record of `{stream.parent.stream}`" if stream.parent else ""
    kept = f"; everything after {int(known.kept) // 86_400} days without a run" if known.kept else ""
    if known.token:
        return f"from the API's own position{kept}"
    return f"changes since the last run{kept}" if known.moment else f"by `{known.cursor}`{kept}"


def _gone(stream: Stream) -> str:
    changes = stream.incremental.changes if stream.incremental else None
    told = stream.deleted or (changes.deleted if changes else {}) or getattr(stream.incremental, "gone", None)
    return "followed" if told else ""


def _right(stream: Stream) -> str:
    return stream.permission


def _errors(api: Api) -> Iterator[str]:
    if api.errors:
        yield "## What answers mean here\n"
        rows = ((_when(each), _MEANINGS[each.means], each.remedy) for each in api.errors)
        yield table(("answer", "what happens", "what to do"), rows) + "\n"


def _when(rule: ErrorRule) -> str:
    told = (*rule.where.items(), *rule.header.items())
    conditions = " and ".join(f"`{path}` is {_one_of(value)}" for path, value in told)
    return " where ".join(part for part in (", ".join(map(str, rule.status)), conditions) if part)


def _one_of(value: Any) -> str:
    return " or ".join(f"`{each}`" for each in (value if isinstance(value, list) else [value]))


def _notes(api: Api) -> Iterator[str]:
    if api.notes:
        yield "## Good to know\n"
        yield "\n".join(f"- {each}" for each in api.notes) + "\n"


def _stream(name: str, stream: Stream) -> Iterator[str]:
    yield f"## {name}\n"
    more = f" ([vendor]({stream.docs}))" if stream.docs else ""
    yield f"{stream.description}{more}\n" if stream.description or more else ""
    yield table(("column", "type", "meaning"), ((f"`{key}`", each.type, _meaning(each))
                                                for key, each in stream.columns.items())) + "\n"  # fmt: skip


def _meaning(column: Column) -> str:
    parts = [column.description, "as JSON" if column.form == "json" else "",
             "**personal data**" if column.classification else ""]  # fmt: skip
    return "; ".join(part for part in parts if part)
