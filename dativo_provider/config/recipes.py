"""Connectors by name or recipe: what they are, and the blocks a job's own merge over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from dativo_provider.config.apis import ApiStream, api_streams
from dativo_provider.config.kinds import kind_of
from dativo_provider.config.known import BUILT_IN, Known
from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.places import Place, is_below
from dativo_provider.config.problems import InvalidConfig
from dativo_provider.config.references import find_references
from dativo_provider.config.shapes.recipe import Connector, Recipe, Registry
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Document, read, without_nulls
from dativo_provider.vocabulary import Role

__all__ = ["RecipeSpec", "find_recipe", "read_recipe", "read_registry", "registered"]

_REGISTRY = ("registry/connectors.yaml", "connectors.registry.yaml")


@dataclass(frozen=True)
class RecipeSpec:
    """`source` and `target` are blocks in the job's words; `variables` are those the recipe itself refers to."""

    name: str
    type: str
    roles: tuple[Role, ...]
    path: str = ""
    source: Mapping[str, Any] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)
    variables: tuple[str, ...] = ()
    engine: str = "native"
    engine_options: Mapping[str, Any] = field(default_factory=dict)  # by engine
    apis: Mapping[str, ApiStream] = field(default_factory=dict)  # of a spec, by stream


def find_recipe(name: str, role: Role, place: Place) -> Path | None:
    """`connectors/<name>.yaml` (or `connectors/sources/…`) beside the job, the tenant or in the root."""
    for base in place.bases() if name else ():
        for folder in ("connectors", f"connectors/{role}s"):
            names = _names_in(os.path.join(base, folder))
            for suffix in (".yaml", ".yml"):
                if name + suffix in names and is_below(base / folder / (name + suffix), place.root):
                    return base / folder / (name + suffix)
    return None


def _names_in(folder: str) -> frozenset[str]:
    try:
        return _listing(folder, os.stat(folder).st_mtime_ns)
    except OSError:
        return frozenset()


@lru_cache(maxsize=256)
def _listing(folder: str, _mtime: int) -> frozenset[str]:
    return frozenset(os.listdir(folder))


def read_recipe(path: Path) -> RecipeSpec:
    """Raises `InvalidConfig`."""
    stat = path.stat() if path.exists() else None
    found = _cached_recipe(path, stat.st_mtime_ns if stat else 0)
    if isinstance(found, InvalidConfig):
        raise InvalidConfig(found.problems)
    return found


@lru_cache(maxsize=512)
def _cached_recipe(path: Path, _mtime: int) -> RecipeSpec | InvalidConfig:
    try:
        doc, findings = read(path), Findings()
        if kind_of(doc.data) == "spec":
            return _of_spec(doc)
        if kind_of(doc.data) == "manifest":
            return RecipeSpec(path.stem, "rest", ("source",), doc.path, _reading(doc))
        shape = shaped(Recipe, without_nulls(doc.data), Within(doc), findings)
        findings.raise_errors()
        assert shape is not None
        return _recipe(shape, str(path))
    except InvalidConfig as invalid:
        return invalid


def _of_spec(doc: Document) -> RecipeSpec:
    """The spec of an API, as its text: the connectors room reads it, and names its lines."""
    return RecipeSpec(str(doc.data["api"]), "rest", ("source",), doc.path, _reading(doc), apis=api_streams(doc.data))


def _reading(doc: Document) -> dict[str, Any]:
    return {"options": {"spec": doc.text, "spec_path": doc.path}}


def _recipe(shape: Recipe, path: str) -> RecipeSpec:
    connection = dict(shape.connection_template)
    if shape.credentials and shape.credentials.from_env:
        connection["api_key"] = f"${{{shape.credentials.from_env}}}"
    engine = shape.default_engine.type if shape.default_engine else "native"
    options = dict(shape.default_engine.options.get(engine) or {}) if shape.default_engine else {}
    source = {
        "connection": connection, "rate_limits": shape.rate_limits, "incremental": _incremental(shape),
        "options": options if engine == "native" else {},
    }  # fmt: skip
    target = {
        "connection": connection, "catalog": _catalog(shape.catalog), "file_format": shape.file_format,
        "partitioning": [part.model_dump() for part in shape.partitioning_default or ()],
        **_file_options(options if engine == "native" else {}),
    }  # fmt: skip
    return RecipeSpec(
        name=shape.name,
        type=shape.type,
        roles=tuple(shape.roles),
        path=path,
        source={key: value for key, value in source.items() if value},
        target={key: value for key, value in target.items() if value},
        variables=tuple(
            {each.name for each in find_references([connection, options]) if each.kind == "variable" and each.name}
        ),
        engine=engine,
        engine_options=dict(shape.default_engine.options) if shape.default_engine else {},
    )


def _incremental(shape: Recipe) -> dict[str, Any]:
    given = shape.incremental
    if given is None:
        return {}
    found = {
        "strategy": given.strategy,
        "cursor_field": given.cursor_field_default,
        "lookback_days": given.lookback_days_default,
    }
    return {key: value for key, value in found.items() if value}


def _catalog(value: Any) -> dict[str, Any]:
    return {"type": value} if isinstance(value, str) else value if isinstance(value, dict) else {}


def _file_options(options: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if isinstance(options.get("max_file_size_mb"), int):
        made["parquet_target_size_mb"] = options["max_file_size_mb"]
    if isinstance(options.get("compression"), str):
        made["compression"] = options["compression"]
    return made


def registered(root: Path) -> Mapping[str, Known]:
    """Built-in connectors and those of `registry/connectors.yaml` in the root. Raises `InvalidConfig`."""
    for name in _REGISTRY:
        path = root / name
        try:
            mtime = path.stat().st_mtime_ns
        except OSError:
            continue
        return {**_extra(path, mtime), **BUILT_IN}
    return BUILT_IN


@lru_cache(maxsize=64)
def _extra(path: Path, _mtime: int) -> Mapping[str, Known]:
    return read_registry(path)


def read_registry(path: Path) -> Mapping[str, Known]:
    """Connectors of a registry file. Raises `InvalidConfig`."""
    doc, findings = read(path), Findings()
    shape = shaped(Registry, without_nulls(doc.data), Within(doc), findings)
    findings.raise_errors()
    assert shape is not None
    return {name: _known(name, each) for name, each in shape.connectors.items()}


def _known(name: str, shape: Connector) -> Known:
    return Known(
        name,
        source="source" in shape.roles,
        target="target" in shape.roles,
        cloud=shape.allowed_in_cloud,
        kind="database" if shape.category == "database" else "files" if shape.category == "files" else "api",
        strategy=shape.incremental_strategy_default or "",
    )
