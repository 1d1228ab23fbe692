"""One stream of a manifest as one of a spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.connectors.airbyte.manifest.errors import rules
from dativo_provider.connectors.airbyte.manifest.increments import Increment, increment
from dativo_provider.connectors.airbyte.manifest.notes import Notes
from dativo_provider.connectors.airbyte.manifest.paging import paging
from dativo_provider.connectors.airbyte.manifest.texts import path_of, text, texts
from dativo_provider.connectors.bridge.schema import fields_of

__all__ = ["Made", "Schemas", "stream"]

Schemas = Callable[[str], Mapping[str, Any] | None]

_SCHEMA = "InlineSchemaLoader"


@dataclass
class Made:
    """`base` is the address its path stands below; `parents` are streams that it needs beside it."""

    spec: dict[str, Any]
    base: str
    errors: list[dict[str, Any]]
    authenticator: Mapping[str, Any]
    parents: list[Mapping[str, Any]] = field(default_factory=list)


def stream(component: Mapping[str, Any], notes: Notes, schemas: Schemas) -> Made:
    """What cannot be said is noted. `schemas` gives the schema of a stream that the manifest does not hold itself."""
    retriever = component.get("retriever") or {}
    if component.get("type") != "DeclarativeStream" or retriever.get("type") not in (None, "SimpleRetriever"):
        notes.unknown(component if component.get("type") != "DeclarativeStream" else retriever, "retriever")
        return Made({}, "", [], {})
    with notes.at("incremental_sync"):
        found = increment(component["incremental_sync"], notes) if component.get("incremental_sync") else None
    with notes.at("retriever"):
        made = _asked(retriever, found, notes)
    made.spec |= _columns(component, schemas, notes)
    made.spec |= _key(component, notes)
    columns = made.spec.get("columns") or {}
    if found and found.made["cursor"] in columns:
        _moment(columns, found)
        made.spec["incremental"] = found.made
    elif found:
        notes.cannot(f"its cursor '{found.made['cursor']}' is no column", "incremental_sync", grave=False)
    made.spec["key"] = [each for each in made.spec.get("key") or () if each in columns]
    return made


def _moment(columns: dict[str, Any], found: Increment) -> None:
    """The cursor is a moment, whatever the schema calls it."""
    form = found.made.get("format")
    columns[found.made["cursor"]] = {"type": "timestamptz", **({"form": form} if form else {})}


def _asked(retriever: Mapping[str, Any], found: Increment | None, notes: Notes) -> Made:
    requester = retriever.get("requester") or {}
    parameters = requester.get("$parameters") or {}
    with notes.at("partition_router"):
        parent, more, parents = _parent(retriever.get("partition_router"), notes)
    with notes.at("paginator"):
        paginate, sizes = paging(retriever.get("paginator") or {}, notes)
    with notes.at("requester"):
        if requester.get("type") not in (None, "HttpRequester"):
            notes.unknown(requester)
        request, base = _request(requester, parameters, found, {**sizes, **more}, notes)
        with notes.at("error_handler"):
            errors = rules(requester.get("error_handler") or {}, notes)
        authenticator = requester.get("authenticator") or {"type": "NoAuth"}
    with notes.at("record_selector"):
        records = _records(retriever.get("record_selector") or {}, notes)
    spec = {"request": request, "records": records, "paginate": paginate, **({"parent": parent} if parent else {})}
    return Made(spec, base, errors, authenticator, parents)


def _request(requester: Mapping[str, Any], parameters: Mapping[str, Any], found: Increment | None,
             more: Mapping[str, Any], notes: Notes) -> tuple[dict[str, Any], str]:  # fmt: skip
    form = found.form if found else ""
    with notes.at("url_base"):
        base = text(str(requester.get("url_base") or requester.get("url") or ""), notes, parameters, form) or ""
    with notes.at("path"):
        path = text(str(requester.get("path") or ""), notes, parameters, form) or ""
    made: dict[str, Any] = {"path": "/" + path.lstrip("/") if path else ""}
    method = str(requester.get("http_method") or "GET").upper()
    made |= {"method": method} if method != "GET" else {}
    for ours, theirs in (
        ("params", "request_parameters"),
        ("headers", "request_headers"),
        ("body", "request_body_json"),
    ):
        given = requester.get(theirs) or {}
        if not isinstance(given, Mapping):
            notes.cannot("is not a mapping", theirs)
            continue
        with notes.at(theirs):
            said = texts(given, notes, parameters, form)
        own = {"params": {**more, **(found.params if found else {})}, "body": found.body if found else {}}.get(ours, {})
        made |= {ours: {**said, **own}} if said or own else {}
    for theirs in ("request_body_data", "request_body"):
        if requester.get(theirs):
            notes.cannot("a body that is no JSON has no counterpart", theirs)
    return made, base.rstrip("/")


def _parent(router: Any, notes: Notes) -> tuple[dict[str, Any], dict[str, str], list[Mapping[str, Any]]]:
    if not router:
        return {}, {}, []
    configs = router.get("parent_stream_configs") if isinstance(router, Mapping) else None
    if not isinstance(configs, list) or len(configs) != 1 or router.get("type") != "SubstreamPartitionRouter":
        notes.unknown(router if isinstance(router, Mapping) else {"type": "several partition routers"})
        return {}, {}, []
    given = configs[0]
    name, option = str(given.get("partition_field")), given.get("request_option") or {}
    more = {str(option.get("field_name")): f"{{parent.{name}}}"} if option else {}
    if option and option.get("inject_into") != "request_parameter":
        notes.cannot(f"a parent's value in '{option.get('inject_into')}' has no counterpart", "request_option")
    parent = given.get("stream") or {}
    made = {"stream": str(parent.get("name")), "values": {name: str(given.get("parent_key"))}}
    return made, more, [parent]


def _records(selector: Mapping[str, Any], notes: Notes) -> str:
    extractor = selector.get("extractor") or {}
    if extractor.get("type") not in (None, "DpathExtractor"):
        notes.unknown(extractor, "extractor")
    path = [str(each) for each in extractor.get("field_path") or ()]
    if any("*" in each or "{{" in each for each in path):
        notes.cannot("a path with wildcards or expressions has no counterpart", "extractor", "field_path")
    if selector.get("record_filter"):
        notes.cannot("records are not filtered: say it as a transformation or a check", "record_filter", grave=False)
    return ".".join(path)


def _columns(component: Mapping[str, Any], schemas: Schemas, notes: Notes) -> dict[str, Any]:
    given = component.get("schema_loader") or {}
    loader: Mapping[str, Any] = given[0] if isinstance(given, list) else given
    schema = loader.get("schema") if loader.get("type") == _SCHEMA else schemas(str(component.get("name")))
    if not schema:
        notes.cannot(f"{loader.get('type') or 'no loader'}: there is no schema of its columns here", "schema_loader")
        return {}
    found: dict[str, Any] = {}
    for each in fields_of(schema):
        told: dict[str, Any] = {"description": each.description} if each.description else {}
        nested = {"object", "array"} & set(each.source_type.split("|"))
        found[each.name] = {"type": each.type, **({"form": "json"} if nested else {}), **told}
    for number, each in enumerate(component.get("transformations") or ()):
        with notes.at("transformations", number):
            _transformed(found, each, notes)
    return {"columns": {name: each["type"] if each.keys() == {"type"} else each for name, each in found.items()}}


def _transformed(columns: dict[str, Any], component: Mapping[str, Any], notes: Notes) -> None:
    if component.get("type") == "RemoveFields":
        for pointer in component.get("field_pointers") or ():
            if len(pointer) == 1:
                columns.pop(str(pointer[0]), None)
    elif component.get("type") == "AddFields":
        for each in component.get("fields") or ():
            where, name = _origin(str(each.get("value") or "")), [str(part) for part in each.get("path") or ()]
            if where and len(name) == 1:
                columns[name[0]] = {**(columns.get(name[0]) or {"type": "string"}), "path": where}
            else:
                notes.cannot(f"'{each.get('value')}' computes something", "fields", grave=False)
                columns.pop(name[0], None) if name else None
    else:
        notes.unknown(component, grave=False)


def _origin(value: str) -> str | None:
    """Of the record itself, or of the parent it was asked for by."""
    if found := path_of(value, "record"):
        return found
    by = next((found for root in ("stream_slice", "stream_partition") if (found := path_of(value, root))), "")
    return f"parent.{by}" if by else None


def _key(component: Mapping[str, Any], notes: Notes) -> dict[str, Any]:
    given = component.get("primary_key") or []
    parts = [given] if isinstance(given, str) else given
    if any(isinstance(each, list) and len(each) != 1 for each in parts):
        notes.cannot("a key inside a nested value: name it in the contract", "primary_key", grave=False)
        return {}
    return {"key": [str(each[0] if isinstance(each, list) else each) for each in parts]}
