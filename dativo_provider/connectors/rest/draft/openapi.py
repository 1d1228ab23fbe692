"""A draft from an OpenAPI document, version 2 or 3. https://spec.openapis.org/oas/latest.html"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.connectors.rest.draft.columns import cursor_of, hint, key_of
from dativo_provider.connectors.rest.draft.draft import Draft, slug
from dativo_provider.connectors.rest.draft.pages import SIZES, by_parameters, shape_of
from dativo_provider.connectors.rest.draft.references import Document
from dativo_provider.connectors.rest.draft.sample import begun
from dativo_provider.connectors.rest.draft.security import login
from dativo_provider.errors import ConfigurationError

__all__ = ["Operation", "add_operations", "lists", "started"]

_MOST = 100
_SINCE = re.compile(
    r"((updated|modified|changed)\w*[_.\[]?(since|after|from|gte?|min)\]?|(since|updated_?after|modified_?after)|"
    r"(if_)?modified_since|last_updated)$", re.IGNORECASE
)  # fmt: skip
_NAMES = ("data", "items", "results", "records", "values", "value", "rows", "list", "entries", "content")
_PLACE = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Operation:
    """A GET that answers with records at `records`; `item` is the schema of one."""

    path: str
    name: str
    about: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]
    records: str
    item: Mapping[str, Any]
    answer: Mapping[str, Any]
    linked: bool

    def named(self, kind: str) -> list[str]:
        return [str(each.get("name")) for each in self.parameters if each.get("in") == kind]


def started(document: Document, name: str) -> Draft:
    """Address and login."""
    info = document.data.get("info") or {}
    base, settings = _base(document.data)
    draft = begun(name or slug(str(info.get("title") or "api")), base)
    told = {"title": info.get("title"), "version": info.get("version")}
    draft.spec = {"api": draft.spec["api"], **{key: str(each) for key, each in told.items() if each},
                  **draft.spec, **({"settings": settings} if settings else {})}  # fmt: skip
    draft.spec["auth"], remark = login(document)
    if remark:
        draft.remark(remark, "auth")
    draft.spec["streams"] = draft.spec.pop("streams")
    return draft


def _base(data: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """With a setting for each variable of the address."""
    if data.get("host"):
        scheme = "https" if "https" in (data.get("schemes") or ["https"]) else data["schemes"][0]
        return f"{scheme}://{data['host']}{data.get('basePath') or ''}".rstrip("/"), {}
    server = next((each for each in data.get("servers") or () if isinstance(each, Mapping)), {})
    variables = server.get("variables") or {}
    settings = {slug(name): {"default": str(each.get("default") or "")} for name, each in variables.items()}
    url = _PLACE.sub(lambda found: f"{{{slug(found[1])}}}", str(server.get("url") or "")).rstrip("/")
    return url if "://" in url else "", settings


def lists(document: Document) -> list[Operation]:
    """Every GET that answers with a list of objects, in the order of the document."""
    return list(_operations(document))


def _operations(document: Document) -> Iterator[Operation]:
    used: set[str] = set()
    for path, item in (document.data.get("paths") or {}).items():
        about = document.followed(item).get("get") if isinstance(item, Mapping) else None
        if not isinstance(about, Mapping):
            continue
        schema, linked = _answer(document, about)
        found = _records(document, schema, str(path))
        if found is None or (found[0] and str(path).rstrip("/").endswith("}")):  # lists inside of one record
            continue
        given = [*(item.get("parameters") or ()), *(about.get("parameters") or ())]
        parameters = tuple(document.followed(each) for each in given)
        name = _name(str(path), used)
        used.add(name)
        yield Operation(str(path), name, about, parameters, *found, schema, linked)


def _name(path: str, used: Collection[str]) -> str:
    """As many of the last words of the path as tell it from the others; no placeholders, no version."""
    parts = [part for part in path.split("/") if part and "{" not in part and not re.fullmatch(r"v?\d[\d.]*|api", part)]
    fewest = 2 if "{" in path else 1
    names = [slug("_".join(parts[-count:])) for count in range(fewest, max(fewest, len(parts)) + 1)]
    free = [name for name in names if name not in used]
    return free[0] if free else f"{names[-1]}_{len(used)}"


def _answer(document: Document, about: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    answers = about.get("responses") or {}
    chosen: Any = next((answers[code] for code in ("200", 200, "2XX", "default") if code in answers), {})
    answer = document.followed(chosen)
    linked = any(str(name).lower() == "link" for name in answer.get("headers") or ())
    contents = answer.get("content") or {}
    content: Mapping[str, Any] = next((each for kind, each in contents.items() if "json" in str(kind)), {})
    return document.merged(content.get("schema") or answer.get("schema") or {}), linked


def _records(document: Document, schema: Mapping[str, Any], path: str) -> tuple[str, Mapping[str, Any]] | None:
    if item := _list_of(document, schema):
        return "", item
    found = {where: item for where, each in _properties(document, schema) if (item := _list_of(document, each))}
    if not found:
        return None
    wanted = (path.rstrip("/").rpartition("/")[2].lower(), *_NAMES)
    best = min(found, key=lambda where: (where.count("."), _rank(where, wanted)))
    return best, found[best]


def _rank(where: str, wanted: Sequence[str]) -> int:
    last = where.rpartition(".")[2].lower()
    return wanted.index(last) if last in wanted else len(wanted)


def _list_of(document: Document, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of its items, when they are objects."""
    if schema.get("type") != "array" and "items" not in schema:
        return {}
    item = document.merged(schema.get("items") or {})
    return item if item.get("properties") else {}


def _properties(
    document: Document, schema: Mapping[str, Any], deep: int = 2, path: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, each in (schema.get("properties") or {}).items():
        below, where = document.merged(each), f"{path}.{name}" if path else str(name)
        yield where, below
        if deep > 1 and below.get("properties"):
            yield from _properties(document, below, deep - 1, where)


def add_operations(draft: Draft, document: Document, wanted: Sequence[str]) -> None:
    """Those `wanted` by path, operationId or name; none means every list that needs no more than its address.

    Raises `ConfigurationError` for one that is not there, and when nothing is.
    """
    found = lists(document)
    chosen = [_wanted(each, found) for each in wanted] or [each for each in found if "{" not in each.path][:_MOST]
    if not chosen:
        raise ConfigurationError(
            "no operation of the document answers with a list of objects",
            remedy="name one with --object, or draft from a sample answer instead",
        )
    names = {each.path: each.name for each in found}
    for operation in chosen:
        _add(draft, document, operation, names)


def _wanted(name: str, found: Sequence[Operation]) -> Operation:
    for each in found:
        if name in (each.path, each.about.get("operationId"), each.name):
            return each
    known = [each.path for each in found]
    raise ConfigurationError(
        f"no list is at '{name}'", remedy=did_you_mean(name, known) or f"there are: {listed(known, 40)}"
    )


def _add(draft: Draft, document: Document, operation: Operation, names: Mapping[str, str]) -> None:
    where = ("streams", operation.name)
    columns = _columns(document, operation.item)
    shape = shape_of([(path, _word(each)) for path, each in _properties(document, operation.answer)])
    paginate, remark = _paginate(operation, shape)
    request, told = _request(draft, document, operation, paginate, where)
    parent = _parent(draft, operation, names, request, where)
    cursor = cursor_of(columns)
    key = key_of(columns, (), operation.name)
    said = str(operation.about.get("summary") or operation.about.get("description") or "").strip()
    stream = {**({"description": said[:200]} if said else {}), "request": request, "records": operation.records,
              "paginate": paginate, **parent, "key": key, "columns": columns}  # fmt: skip
    if cursor:
        stream["incremental"] = {"cursor": cursor}
        draft.remark(told or "guess: does it grow with every change? No parameter of the list asks for what is new",
                     *where, "incremental")  # fmt: skip
    draft.spec["streams"][operation.name] = stream
    if remark:
        draft.remark(remark, *where, "paginate")
    draft.remark("guess: does it identify a record?" if key else "decide: which columns identify a record?", *where,
                 "key")  # fmt: skip


def _paginate(operation: Operation, shape: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    if operation.linked:
        return {"type": "link_header"}, ""
    names = operation.named("query")
    size = next((each for each in operation.parameters if str(each.get("name")).lower() in SIZES), {})
    schema = {**size, **(size.get("schema") or {})}
    most = schema.get("maximum") or schema.get("default")
    found = by_parameters(names, shape, most if isinstance(most, int) and most > 0 else 100)
    if not found:
        return {"type": "single"}, "no parameter asks for a page: is it all there is?"
    known = "size" not in found or isinstance(most, int)
    return found, "" if known else "guess: how many records does a full page have?"


def _request(draft: Draft, document: Document, operation: Operation, paginate: Mapping[str, Any],
             where: tuple[str, ...]) -> tuple[dict[str, Any], str]:  # fmt: skip
    params: dict[str, Any] = {}
    told = ""
    for each in operation.parameters:
        name, schema = str(each.get("name")), {**each, **(document.merged(each.get("schema") or {}))}
        if each.get("in") != "query" or name in (paginate.get("param"), paginate.get("size_param")):
            continue
        if _SINCE.search(name) and not told:
            params[name] = "{lo:epoch}" if schema.get("type") in ("integer", "number") else "{lo:iso_seconds}"
            told = f"guess: `{name}` asks for what changed since; how does it want moments written?"
        elif name.lower() in SIZES and "size" not in paginate and isinstance(schema.get("maximum"), int):
            params[name] = schema["maximum"]
        elif each.get("required"):
            params[name] = f"{{{slug(name)}}}"
            draft.spec.setdefault("settings", {})[slug(name)] = _setting(each)
            draft.remark(f"decide: `{name}` is required, and a setting for now", *where, "request")
    return {"path": operation.path, **({"params": params} if params else {})}, told


def _setting(parameter: Mapping[str, Any]) -> dict[str, Any]:
    said = " ".join(str(parameter.get("description") or "").split())[:200]
    return {"description": said or f"the parameter `{parameter.get('name')}`", "optional": True}


def _parent(draft: Draft, operation: Operation, names: Mapping[str, str], request: dict[str, Any],
            where: tuple[str, ...]) -> dict[str, Any]:  # fmt: skip
    """The list whose records the last placeholder of the path is about; other placeholders become settings."""
    places = _PLACE.findall(operation.path)
    if not places:
        return {}
    holder = operation.path.partition(f"/{{{places[-1]}}}")[0]
    values = {}
    for place in places:
        own = place == places[-1] and names.get(holder) in draft.spec["streams"]
        request["path"] = request["path"].replace(
            f"{{{place}}}", f"{{parent.{slug(place)}}}" if own else f"{{{slug(place)}}}"
        )
        if own:
            values[slug(place)] = "id"
        else:
            draft.spec.setdefault("settings", {})[slug(place)] = {
                "description": f"`{place}` of the path",
                "optional": True,  # other streams can do without it
            }
    if not values:
        draft.remark(f"decide: to read it for every record of a list, add that list first: --object {holder}",
                     *where, "request")  # fmt: skip
        return {}
    draft.remark("guess: is it the `id` of the parent that the path wants?", *where, "parent")
    return {"parent": {"stream": names[holder], "values": values}}


def _columns(document: Document, item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, each in (item.get("properties") or {}).items():
        schema = document.merged(each)
        if schema.get("writeOnly"):
            continue
        said = " ".join(str(schema.get("description") or "").split())
        found[str(name)] = {
            **_type(schema),
            **hint(str(name)),
            **({"description": said[:200]} if said else {}),
        }
    return found


def _word(schema: Mapping[str, Any]) -> str:
    found = schema.get("type")
    kinds = [each for each in found if each != "null"] if isinstance(found, list) else [found]
    if schema.get("format") in ("uri", "url") and kinds[:1] == ["string"]:
        return "uri"
    return str(kinds[0]) if len(kinds) == 1 and kinds[0] else "object" if schema.get("properties") else "any"


def _type(schema: Mapping[str, Any]) -> dict[str, Any]:
    kind, form = _word(schema), str(schema.get("format") or "")
    if kind in ("object", "array", "any"):
        return {"type": "string", "form": "json"} if kind != "any" else {"type": "string"}
    if kind == "integer":
        moment = form in ("unix-time", "timestamp", "unixtime", "epoch")
        return {"type": "timestamptz", "form": "epoch"} if moment else {"type": "long"}
    if kind == "number":
        return {"type": "double"}
    if kind == "boolean":
        return {"type": "boolean"}
    return {"type": {"date-time": "timestamptz", "date": "date"}.get(form, "string")}
