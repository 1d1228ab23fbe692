"""Rows to check and a scene around them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.scan import evaluate

__all__ = ["FIELDS", "NOW", "a_custom", "a_scene", "outcomes", "results"]

NOW = dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC)
FIELDS = (
    Field("id", "long"),
    Field("of", "string"),
    Field("amount", "double"),
    Field("price", "decimal(10,2)"),
    Field("day", "date"),
    Field("seen", "timestamptz"),
)


def a_scene(columns: Mapping[str, Sequence[Any]], envs: Path | None = None, **more: Any) -> Scene:
    fields = tuple(item for item in FIELDS if item.name in columns)
    schema = pa.schema([(item.name, to_arrow(item.type)) for item in fields])
    data = pa.table({name: pa.array(columns[name], schema.field(name).type) for name in schema.names})

    def read(names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield from data.select(list(names)).to_batches(max_chunksize=2)

    rows = data.num_rows
    books = Books(extracted=rows, accepted=rows, produced=rows)
    settings = Settings("/nowhere", envs=str(envs or ""))
    return Scene(read, books, NOW, **{"settings": settings, "fields": fields, **more})


def a_custom(**given: Any) -> CheckSpec:
    known = {"id": "c", "name": "the check", "kind": "custom", "scope": "dataset", "on_violation": "block"}
    return CheckSpec(**{**known, **given})


def results(checks: Sequence[CheckSpec], scene: Scene) -> dict[str, CheckResult]:
    return {each.check_id: each for each in evaluate(checks, scene)}


def outcomes(checks: Sequence[CheckSpec], scene: Scene) -> dict[str, str]:
    return {name: each.outcome for name, each in results(checks, scene).items()}
