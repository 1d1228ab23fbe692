"""Specs of this package and of tenants, read with the place of every mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dativo_provider.config.apis import INDEX
from dativo_provider.config.kinds import kind_of
from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Document, parse, read, without_nulls
from dativo_provider.connectors.rest.spec import Api
from dativo_provider.connectors.rest.values import FORMS, placeholders
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.types import check_type

__all__ = ["SHIPPED", "api_of", "index", "load_api", "names"]

SHIPPED = INDEX.parent
_WINDOW = frozenset({"lo", "hi", "parent", "parents", "columns", "version", "base_url"})


def names() -> tuple[str, ...]:
    """APIs that this package knows."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def index(folder: Path = SHIPPED) -> str:
    """What the configuration knows of each stream, one a line: the content of `index.json`."""
    apis = (load_api(path) for path in sorted(folder.glob("*.yaml")))
    return "{\n" + ",\n".join(f"{json.dumps(api.api)}: {{\n{_streams(api)}\n}}" for api in apis) + "\n}\n"


def _streams(api: Api) -> str:
    told = {name: {"key": each.key, "cursor": each.incremental.cursor if each.incremental else "",
                   **({"document": True} if each.document else {})} for name, each in api.streams.items()}  # fmt: skip
    return ",\n".join(f"  {json.dumps(name)}: {json.dumps(each)}" for name, each in told.items())


def api_of(connector: str, text: str | None = None, path: str = "") -> Api:
    """The shipped spec of `connector`, or that of `text`. Raises `InvalidConfig`, `ConfigurationError`."""
    if text is not None:
        return _judged(parse(text, path or f"spec of '{connector}'"))
    if connector not in names():
        raise ConfigurationError(
            f"'{connector}' needs the spec of an API",
            remedy="write connectors/<name>.yaml beside the job and name it: source_connector: <name>",
        )
    return _shipped(connector)


@cache
def _shipped(name: str) -> Api:
    return load_api(SHIPPED / f"{name}.yaml")


def load_api(path: Path) -> Api:
    """Raises `InvalidConfig` with every mistake of the file."""
    return _judged(read(path))


def _judged(doc: Document) -> Api:
    findings, at = Findings(), Within(doc)
    if kind_of(doc.data) == "manifest":
        doc = _translated(doc)
        at = Within(doc)
    if kind_of(doc.data) != "spec":
        findings.error(at, (), "this is no spec of an API", "a spec has `api:`, `base_url:` and `streams:`")
        findings.raise_errors()
    api = shaped(Api, without_nulls(doc.data), at, findings)
    if api is not None:
        _check_types(api, at, findings)
        _check_placeholders(api, doc.data, at, findings)
    findings.raise_errors()
    assert api is not None
    return api


def _translated(doc: Document) -> Document:
    """An Airbyte manifest as the spec it comes to. Raises `InvalidConfig` when no stream of it can be read."""
    from dativo_provider.connectors.airbyte.manifest import spec_text

    return parse(spec_text(doc), doc.path)


def _check_types(api: Api, at: Within, findings: Findings) -> None:
    for name, stream in api.streams.items():
        types: dict[tuple[str, ...], str] = {("columns", column): each.type for column, each in stream.columns.items()}
        if stream.fields:
            types |= {("fields", "types", word): each for word, each in stream.fields.types.items()}
        for keys, each in types.items():
            try:
                check_type(each)
            except ConfigurationError as error:
                findings.error(at, ("streams", name, *keys), error.message, error.remedy)


def _check_placeholders(api: Api, data: Mapping[str, Any], at: Within, findings: Findings) -> None:
    known = api.settings.keys() | _WINDOW | {name for each in api.auth for name in each.needs}
    for keys, template in _templates(data):
        for name, form in placeholders(template):
            first = name.partition(".")[0]
            if first not in known:
                hint = did_you_mean(first, known) or f"declare it in `settings`; known: {listed(sorted(known))}"
                findings.error(at, keys, f"'{{{name}}}' is not a setting", hint)
            if form and form not in FORMS:
                findings.error(at, keys, f"'{form}' is no form of a value", f"use one of: {listed(FORMS)}")


def _templates(data: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every text of the parts that may hold placeholders."""
    if isinstance(data, str):
        yield keys, data
    items = data.items() if isinstance(data, Mapping) else enumerate(data) if isinstance(data, list) else ()
    for key, each in items:
        if key not in ("description", "notes", "remedy", "docs", "title", "settings", "columns", "auth"):
            yield from _templates(each, (*keys, key))
