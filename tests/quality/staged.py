"""Rows to judge, and the checks over them, as short as a test can say them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, CheckSpec, Rule
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.frontends.compile import compile_rules
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.scan import evaluate

__all__ = ["FIELDS", "NOW", "Staged", "compiled", "results", "scene_of"]

NOW = dt.datetime(2024, 3, 1, 12, tzinfo=dt.UTC)
FIELDS = (
    Field("id", "long"),
    Field("of"),
    Field("amount", "double"),
    Field("price", "decimal(9,2)"),
    Field("seen", "timestamptz"),
    Field("at", "timestamp", timezone="Asia/Tokyo"),
    Field("day", "date"),
)


class Staged:
    """Rows in two batches, and how often which columns were read."""

    def __init__(self, **columns: list[Any]) -> None:
        types = {f.name: to_arrow(f.type) for f in FIELDS}
        self.data = pa.table({name: pa.array(values, types.get(name)) for name, values in columns.items()})
        self.reads: list[Sequence[str]] = []

    def __call__(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        self.reads.append(columns)
        half = (self.data.num_rows + 1) // 2
        for part in (self.data.slice(0, half), self.data.slice(half)):
            yield from part.select(list(columns)).to_batches()


def compiled(*bodies: Mapping[str, Any], language: str = "inline", column: str = "") -> list[CheckSpec]:
    checks = compile_rules([Rule(language, body, column, "c.yaml:1:1") for body in bodies], FIELDS)
    return [check for check in checks if check.declared_in]


def scene_of(staged: Staged, **given: Any) -> Scene:
    rows = staged.data.num_rows
    fields = [field for field in FIELDS if field.name in staged.data.schema.names]
    known = {"fields": fields, "settings": Settings("/nowhere"), "now": NOW}
    return Scene(staged, Books(extracted=rows, accepted=rows, produced=rows), **{**known, **given})


def results(checks: Sequence[CheckSpec], staged: Staged, **given: Any) -> tuple[CheckResult, ...]:
    return evaluate(checks, scene_of(staged, **given))
