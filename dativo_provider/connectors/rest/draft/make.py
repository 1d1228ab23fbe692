"""Which kind of thing a draft is made from, told by what stands in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.config.kinds import kind_of
from dativo_provider.config.yamlpos import parse
from dativo_provider.connectors.rest.draft.draft import Draft, slug
from dativo_provider.connectors.rest.draft.names import distinct
from dativo_provider.connectors.rest.draft.openapi import Operation, add_operations, lists, started
from dativo_provider.connectors.rest.draft.references import Document
from dativo_provider.connectors.rest.draft.sample import Answer, add_answer, begun, follow_others
from dativo_provider.errors import ConfigurationError

__all__ = ["Source", "draft_of", "operations"]


@dataclass(frozen=True)
class Source:
    """`text` came from `name` (a file, an address); of an address also what was asked, and its answer's headers."""

    name: str
    text: str
    base: str = ""
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    paginate: Mapping[str, Any] | None = None  # as the answer's headers tell
    body: Mapping[str, Any] | None = None  # of a POST
    auth: Mapping[str, Any] | None = None  # how the address was asked, without the credentials
    headers: Mapping[str, str] = field(default_factory=dict)
    left_out: Sequence[str] = ()  # names in the request that are secrets, besides the login's


def draft_of(sources: Sequence[Source], name: str, wanted: Sequence[str] = ()) -> Draft:
    """`name` is what jobs will say; empty: as the document calls itself. `wanted` are operations of a document.

    Raises `ConfigurationError` for what is neither answers, nor an OpenAPI document, nor a manifest.
    """
    parsed = [(source, _parsed(source)) for source in sources]
    source, first = parsed[0]
    if isinstance(first, Mapping) and ("openapi" in first or "swagger" in first):
        draft = started(Document(first), name)
        add_operations(draft, Document(first), wanted)
        return draft
    if isinstance(first, Mapping) and kind_of(first) == "manifest":
        return _of_manifest(source, name)
    draft = begun(name or slug(_host(source)), source.base)
    if source.auth is not None:
        draft.spec["auth"] = dict(source.auth)
    else:
        draft.remark("decide: how does one log in?", "auth")
    if source.headers:
        draft.spec = {**draft.spec, "headers": dict(source.headers), "streams": draft.spec.pop("streams")}
    names = distinct([each.path or _stem(each) for each in sources])
    for (each, data), stream in zip(parsed, names, strict=True):
        asked = Answer(data, stream, each.base, each.path, each.params, each.paginate, each.body, each.left_out)
        add_answer(draft, asked)
    follow_others(draft)
    return draft


def _parsed(source: Source) -> Any:
    """JSON, or YAML, which may be a mapping only."""
    import msgspec

    try:
        return msgspec.json.decode(source.text)
    except msgspec.DecodeError:
        if source.text.lstrip()[:1] in ("", "<", "["):
            raise ConfigurationError(
                "this is neither JSON nor YAML", where=source.name, remedy="take an answer as the API sends it"
            ) from None
    return parse(source.text, source.name).data


def _host(source: Source) -> str:
    """`https://api.shop.example.com` → shop; a file's own name."""
    if not source.base:
        return _stem(source)
    parts = source.base.partition("://")[2].partition("/")[0].partition(":")[0].split(".")
    kept = [part for part in parts[:-1] if part not in ("api", "www")]
    return kept[-1] if kept else parts[0]


def _stem(source: Source) -> str:
    parts = [part for part in (source.path or source.name).replace("\\", "/").split("/") if part]
    return slug(parts[-1].partition(".")[0] if parts else "items")


def _of_manifest(source: Source, name: str) -> Draft:
    from dativo_provider.connectors.airbyte.manifest import translation

    found = translation(parse(source.text, source.name))
    draft = Draft({**found.spec, "api": name or found.spec["api"]})
    draft.remark("Written by `dativo connector new` from a manifest of Airbyte's.")
    for each in found.unmapped:
        draft.remark(f"not translated: {each.path}: {each.what}")
    return draft


def operations(source: Source) -> list[Operation]:
    """Lists of an OpenAPI document. Raises `ConfigurationError` for anything else."""
    found = _parsed(source)
    if not isinstance(found, Mapping) or not {"openapi", "swagger"} & found.keys():
        raise ConfigurationError("this is no OpenAPI document", where=source.name, remedy="--list is for those")
    return lists(Document(found))
